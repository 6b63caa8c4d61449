"""Scripts as tutorials have them and beginners write them, each of which was explained wrongly once."""

from tests.museum.piece import Piece, Sound, script

WRITTEN_BY_BEGINNERS = (
    Piece(
        "p2_guestbook.py",
        script(
            r"""
        # Guestbook v1.2  (c) 2004 -- http://www.example.com/scripts
        import cgi, os, time
        BOOK = "/tmp/guestbook.txt"

        def header(title):
            print "Content-type: text/html"
            print
            print "<html><head><title>%s</title></head><body>" % title

        def entries():
            if not os.path.exists(BOOK):
                return []
            f = open(BOOK)
            rows = [line.split("|") for line in f.readlines()]
            f.close()
            return rows

        form = cgi.FieldStorage()
        header("Guestbook")
        for name, text in entries():
            print "<p><b>%s</b>: %s</p>" % (name, text)
        print "</body></html>"
        """,
        ),
        says="SyntaxError: Missing parentheses in call to 'print'. Did you mean prin",
        cause="python-2-syntax",
        before="python-2-syntax",
    ),
    Piece(
        "p2_setdefaultencoding.py",
        script(
            r"""
        # -*- coding: utf-8 -*-
        import sys
        reload(sys)
        sys.setdefaultencoding("utf8")
        import cgi
        print("Content-Type: text/html; charset=utf-8\n")
        print("<p>Grüße</p>")
        """,
        ),
        says="NameError: name 'reload' is not defined",
        cause="python-2-name",
        before="python-2-name",
    ),
    Piece(
        "w_bang_hash.py",
        script(
            r"""
        import os
        print("Content-Type: text/html")
        print()
        print("<h1>Hello</h1>")
        for k in sorted(os.environ):
            print(k, "<br>")
        """,
            "!#/usr/bin/env python3",
        ),
        says="End of script output before headers: w_bang_hash.py",
        cause="no-shebang",
        before="no-shebang",
    ),
    Piece(
        "w_php_py.py",
        script(
            r"""
        <?php
          $name = $_GET["name"];
          echo "Hello $name";
        ?>
        """,
        ),
        says="SyntaxError: invalid syntax",
        cause="wrong-interpreter",
        before="wrong-interpreter",
    ),
    Piece(
        "w_perl_in_py.py",
        script(
            r"""
        use strict;
        my $name = "World";
        print "Content-type: text/html\n\n";
        print "Hello $name\n";
        """,
        ),
        says="SyntaxError: invalid syntax",
        cause="wrong-interpreter",
        before="wrong-interpreter",
    ),
    Piece(
        "i_json_neigh_syntax/page.py",
        script(
            r"""
        import json
        print("Content-Type: application/json\n")
        print(json.dumps({"a": 1}))
        """,
        ),
        says="SyntaxError: '(' was never closed",
        cause="shadowed-module",
        before="shadowed-module",
        neighbours={
            "i_json_neigh_syntax/json.py": b"def dumps(x:\n    return str(x)\n",
        },
    ),
    Piece(
        "i_neigh_case/page.py",
        script(
            r"""
        import Helpers
        Helpers.go()
        """,
        ),
        says="ModuleNotFoundError: No module named 'Helpers'",
        cause="missing-module",
        before="missing-module",
        neighbours={
            "i_neigh_case/helpers.py": b"def go():\n    print('Content-Type: text/html\\n\\nx')\n",
        },
    ),
    Piece(
        "h_helper_no_blank.py",
        script(
            r'''
        import cgi, datetime

        def html_header(title, charset="utf-8"):
            """Print the headers and the top of the page."""
            print("Content-Type: text/html; charset=%s" % charset)
            print("<!DOCTYPE html>")
            print("<html><head><title>%s</title></head><body>" % title)

        def html_footer():
            print("<hr>", datetime.date.today().year)
            print("</body></html>")

        def main():
            form = cgi.FieldStorage()
            html_header("Contact")
            print("<p>Hello %s</p>" % form.getfirst("name", "friend"))
            html_footer()

        if __name__ == "__main__":
            main()
        ''',
        ),
        says="malformed header from script 'h_helper_no_blank.py': Bad header: <!DOC",
        cause="no-blank-line",
        before="no-blank-line",
    ),
    Piece(
        "h_space_line.py",
        script(
            r"""
        title = "Start"
        print("Content-Type: text/html\n", "\n")
        print("<html><head><title>{}</title></head>".format(title))
        print("<body>hi</body></html>")
        """,
        ),
        says="malformed header from script 'h_space_line.py': Bad header:  ",
        cause="no-blank-line",
        before="no-blank-line",
    ),
    Piece(
        "h_html_first.py",
        script(
            r'''
        from string import Template
        PAGE = Template("""<html><head><title>$title</title></head>
        <body><h1>$title</h1></body></html>""")
        print(PAGE.substitute(title="Hello"))
        print("Content-Type: text/html")
        print()
        ''',
        ),
        says="malformed header from script 'h_html_first.py': Bad header: <html><hea",
        cause="body-before-headers",
    ),
    Piece(
        "h_json_only.py",
        script(
            r"""
        import json, os
        print(json.dumps({"status": "ok", "method": os.environ.get("REQUEST_METHOD")}))
        """,
        ),
        says="Premature end of script headers: h_json_only.py",
        cause="body-before-headers",
    ),
    Piece(
        "h_location_once.py",
        script(
            r"""
        import os
        def redirect(url):
            print("Status: 302 Found")
            print("Location: " + url)
        if os.environ["REQUEST_METHOD"] == "GET":
            redirect("https://example.com/thanks.html")
        """,
        ),
        says="Premature end of script headers: h_location_once.py",
        cause="no-blank-line",
    ),
    Piece(
        "h_sh_echo_e.cgi",
        script(
            r"""
        echo -e "Content-Type: text/html\n\n"
        echo "<h1>uptime</h1>"
        cat /proc/uptime
        """,
            "#!/bin/sh",
        ),
        says="AH02429: Response header name '-e Content-Type' contains invalid chara",
        cause="header-characters",
    ),
    Piece(
        "h_sh_no_blank.cgi",
        script(
            r"""
        # system report
        TITLE="Report for $(hostname)"
        echo "Content-Type: text/html"
        cat <<HTML
        <html><head><title>$TITLE</title></head>
        <body><pre>
        HTML
        date
        echo "</pre></body></html>"
        """,
            "#!/bin/bash",
        ),
        says="malformed header from script 'h_sh_no_blank.cgi': Bad header: <html><h",
        cause="no-blank-line",
    ),
    Piece(
        "h_os_system.py",
        script(
            r"""
        import os
        print("Content-Type: text/plain")
        print()
        print("Disk usage:")
        os.system("ls -l /srv")
        print("done")
        """,
        ),
        says="malformed header from script 'h_os_system.py': Bad header: total",
        cause="unflushed-output",
        before="unflushed-output",
    ),
    Piece(
        "h_os_system_date.py",
        script(
            r"""
        import os
        print("Content-Type: text/html\n")
        print("<pre>")
        os.system("date")
        print("</pre>")
        """,
        ),
        says="AH02429: Response header name '",
        cause="unflushed-output",
        before="unflushed-output",
    ),
    Piece(
        "h_image_print.py",
        script(
            r"""
        import base64
        GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
        print("Content-Type: image/gif")
        print(GIF)
        """,
        ),
        says="malformed header from script 'h_image_print.py': Bad header: b'GIF89a\\",
        cause="no-blank-line",
    ),
    Piece(
        "h_semi.py",
        script(
            r"""
        print("Content-Type: text/html;")
        print("charset=utf-8")
        print("")
        print("<p>hi</p>")
        """,
        ),
        says="malformed header from script 'h_semi.py': Bad header: charset=utf-8",
        cause="malformed-header",
        before="malformed-header",
    ),
    Piece(
        "h_headers_constant.py",
        script(
            r"""
        CONTENT_TYPE = "Content-Type: text/html; charset=utf-8"
        BLANK = "\n"
        lines = [CONTENT_TYPE, "<html><body>", "<p>hi</p>", "</body></html>"]
        print(*lines, sep=BLANK)
        """,
        ),
        says="malformed header from script 'h_headers_constant.py': Bad header: <htm",
        cause="no-blank-line",
    ),
    Piece(
        "h_literal_backslash.py",
        script(
            r"""
        print(r"Content-Type: text/html\n\n")
        print("<html><body>hi</body></html>")
        """,
        ),
        says="malformed header from script 'h_literal_backslash.py': Bad header: <ht",
        cause="no-blank-line",
        before="no-blank-line",
    ),
    Piece(
        "h_slash_n.py",
        script(
            r"""
        print("Content-Type: text/html/n/n")
        print("<p>hi</p>")
        """,
        ),
        says="malformed header from script 'h_slash_n.py': Bad header: <p>hi</p>",
        cause="no-blank-line",
        before="no-blank-line",
    ),
    Piece(
        "r_keyerror.py",
        script(
            r"""
        import cgi
        import html

        form = cgi.FieldStorage()
        # if "name" not in form: print "error"
        name = form["name"].value
        mail = form["email"].value

        print("Content-Type: text/html; charset=utf-8")
        print()
        print("<p>Thanks, %s (%s)</p>" % (html.escape(name), html.escape(mail)))
        """,
        ),
        says="KeyError: 'name'",
        cause="exception-before-headers",
    ),
    Piece(
        "r_sqlite_new.py",
        script(
            r"""
        import sqlite3, os
        con = sqlite3.connect("guestbook.db")
        con.execute("CREATE TABLE IF NOT EXISTS entry (name TEXT, text TEXT)")
        con.commit()
        print("Content-Type: text/html\n")
        for row in con.execute("SELECT * FROM entry"):
            print("<p>", row)
        """,
        ),
        says="End of script output before headers: r_sqlite_new.py",
        cause="read-only-place",
    ),
    Piece(
        "r_cgitb.py",
        script(
            r"""
        import cgi
        import cgitb
        cgitb.enable()
        form = cgi.FieldStorage()
        total = sum(int(form[k].value) for k in ("a", "b"))
        print("Content-Type: text/html\n")
        print("<p>sum", total)
        """,
        ),
        says="AH02429: Response header name '<!--' contains invalid characters, abor",
        cause="exception-before-headers",
    ),
    Piece(
        "r_stderr_stdout.py",
        script(
            r"""
        import sys
        sys.stderr = sys.stdout
        import cgi
        form = cgi.FieldStorage()
        name = form["name"].value
        print("Content-Type: text/html")
        print()
        print(name)
        """,
        ),
        says="malformed header from script 'r_stderr_stdout.py': Bad header:   File ",
        cause="exception-before-headers",
        python=(3, 13),  # before, the warning that cgi will be removed comes first
    ),
    Piece(
        "r_print_exc.py",
        script(
            r"""
        import sys, traceback
        def main():
            data = {"a": 1}
            x = data["b"]
            print("Content-Type: text/html\n")
            print(x)
        try:
            main()
        except Exception:
            traceback.print_exc(file=sys.stdout)
        """,
        ),
        says="malformed header from script 'r_print_exc.py': Bad header:   File \"/sr",
        cause="exception-before-headers",
    ),
    Piece(
        "r_except_print.py",
        script(
            r"""
        import sqlite3
        try:
            con = sqlite3.connect("/nowhere/x.db")
            con.execute("select 1")
            print("Content-Type: text/html\n")
            print("connected")
        except Exception as e:
            print("Error while connecting", e)
        """,
        ),
        says="malformed header from script 'r_except_print.py': Bad header: Error wh",
        cause="malformed-header",
    ),
    Piece(
        "c_excgroup.py",
        script(
            r"""
        import asyncio
        async def bad(): raise ValueError("no")
        async def main():
            async with asyncio.TaskGroup() as tg:
                tg.create_task(bad())
        asyncio.run(main())
        print("Content-Type: text/html\n")
        """,
        ),
        says="End of script output before headers: c_excgroup.py",
        cause="exception-before-headers",
    ),
    Piece(
        "d_var_header.py",
        script(
            r"""
        import os
        header = "Content-Type: %s" % "text/html"
        body = open("/etc/hostname").read()
        print(header)
        print("<h1>%s</h1>" % body)
        """,
        ),
        says="malformed header from script 'd_var_header.py': Bad header: <h1>",
        cause="no-blank-line",
    ),
    Piece(
        "d_list_loop.py",
        script(
            r"""
        HEADERS = [("Content-Type", "text/html"), ("Cache-Control", "no-cache")]
        for name, value in HEADERS:
            print("%s: %s" % (name, value))
        print("<html><body>hi</body></html>")
        """,
        ),
        says="malformed header from script 'd_list_loop.py': Bad header: <html><body",
        cause="no-blank-line",
    ),
    Piece(
        "d_template_before/page.py",
        script(
            r"""
        import os
        here = os.path.dirname(os.path.abspath(__file__))
        print(open(os.path.join(here, "page.tpl")).read())
        print("Content-Type: text/html; charset=utf-8\n")
        """,
        ),
        says="malformed header from script 'page.py': Bad header: <html><title>x</ti",
        cause="body-before-headers",
        neighbours={
            "d_template_before/page.tpl": b"<html><title>x</title>\n<body>x</body></html>\n",
        },
    ),
    Piece(
        "d_neigh_header_noblank/page.py",
        script(
            r"""
        from layout import *
        top("Start")
        print("<p>Welcome</p>")
        bottom()
        """,
        ),
        says="malformed header from script 'page.py': Bad header: <html><title>Start",
        cause="no-blank-line",
        neighbours={
            "d_neigh_header_noblank/layout.py": b"def top(title):\n    print('Content-Type: text/html')\n    print('<html><title>' + title + '</title>')\n\ndef bottom():\n    print('</html>')\n",
        },
    ),
    Piece(
        "d_awk_noblank.cgi",
        script(
            r"""
        BEGIN {
          print "Content-Type: text/html"
          print "<html><body>hello</body></html>"
        }
        """,
            "#!/usr/bin/awk -f",
        ),
        says="malformed header from script 'd_awk_noblank.cgi': Bad header: <html><b",
        cause="no-blank-line",
    ),
    Piece(
        "d_cgitb_noform.py",
        script(
            r"""
        #-*- coding: utf-8 -*-
        import cgitb; cgitb.enable()
        import os
        def total(d):
            return sum(d[k] for k in ("a", "b"))
        t = total({"a": 1})
        print("Content-Type: text/html")
        print()
        print(t)
        """,
        ),
        says="AH02429: Response header name '<!--' contains invalid characters, abor",
        cause="exception-before-headers",
    ),
    Piece(
        "d_os_system_echo.py",
        script(
            r"""
        import os
        print("Content-Type: text/html\n")
        os.system("echo '<pre>'; cat /etc/hostname; echo '</pre>'")
        print("<p>end</p>")
        """,
        ),
        says="malformed header from script 'd_os_system_echo.py': Bad header: <pre>",
        cause="unflushed-output",
    ),
    Piece(
        "d_popen_stdout.py",
        script(
            r"""
        from subprocess import Popen
        print("Content-Type: text/plain")
        print()
        p = Popen(["uname", "-a"])
        p.wait()
        """,
        ),
        says="malformed header from script 'd_popen_stdout.py': Bad header: Linux",
        cause="unflushed-output",
        before="unflushed-output",
    ),
    Piece(
        "d_helper_system.py",
        script(
            r"""
        from os import system as sh
        def section(title, cmd):
            print(title)
            sh(cmd)
        print("Content-Type: text/plain\n")
        section("Kernel", "uname -s")
        """,
        ),
        says="malformed header from script 'd_helper_system.py': Bad header: Linux",
        cause="unflushed-output",
        before="unflushed-output",
    ),
)

UNUSUAL_BUT_RIGHT = (
    Sound(
        "s_decoys.py",
        script(
            r'''
        """Old version:

            print "Content-type: text/html"
            import MySQLdb
            #!C:\Python27\python.exe
        """
        # except Exception, e:
        EXAMPLE = """
        print "hello"
        raise ValueError, "x"
        """
        def never():
            import urllib2, httplib
            raw_input("x"); unicode("x"); {}.has_key(1)
            open("counter.txt", "w")
            print("debug")
            raise SystemExit(3)
        print("Content-Type: text/html\n")
        print("<pre>" + EXAMPLE)
        ''',
        ),
        body=b'<pre>\nprint "hello"\nraise ValueError, "x"\n\n',
    ),
    Sound(
        "s_neigh_secrets/page.py",
        script(
            r"""
        import secrets
        print("Content-Type: text/plain\n")
        print(len(secrets.DB_PASSWORD))
        """,
        ),
        body=b"1\n",
        neighbours={
            "s_neigh_secrets/secrets.py": b"DB_PASSWORD = 'x'\n",
        },
    ),
    Sound(
        "s_neigh_parser/page.py",
        script(
            r"""
        import imp, parser, requests
        print("Content-Type: text/plain\n")
        print(imp.A, parser.A, requests.get("x"))
        """,
        ),
        body=b"1 1 x\n",
        neighbours={
            "s_neigh_parser/imp.py": b"A = 1\n",
            "s_neigh_parser/parser.py": b"A = 1\n",
            "s_neigh_parser/requests/__init__.py": b"def get(u): return u\n",
        },
    ),
    Sound(
        "s_lib_path/page.py",
        script(
            r"""
        import os, sys
        sys.path.insert(0, os.path.join(os.path.dirname(__file__), "vendor"))
        import bottlenose
        print("Content-Type: text/plain\n")
        print(bottlenose.X)
        """,
        ),
        body=b"1\n",
        neighbours={
            "s_lib_path/vendor/bottlenose.py": b"X = 1\n",
        },
    ),
    Sound(
        "s_pep701.py",
        script(
            r"""
        type Rows = list[dict[str, str]]
        def first[T](xs: list[T]) -> T:
            return xs[0]
        rows: Rows = [{"name": "Ann"}, {"name": "Bob"}]
        print("Content-Type: text/html\n")
        print(f"<p>{first(rows)["name"]} {", ".join(r["name"] for r in rows)}</p>")
        """,
        ),
        body=b"<p>Ann Ann, Bob</p>\n",
        python=(3, 12),
    ),
    Sound(
        "s_systemexit.py",
        script(
            r"""
        import sys
        def main():
            print("Content-Type: text/html")
            print()
            print("<p>hi</p>")
            return 0
        sys.exit(main())
        """,
        ),
        body=b"<p>hi</p>\n",
    ),
    Sound(
        "s_exit_main2.py",
        script(
            r"""
        import sys
        def page():
            print("Content-Type: text/html\n")
            print("<p>hi</p>")
        if __name__ == "__main__":
            sys.exit(page())
        """,
        ),
        body=b"<p>hi</p>\n",
    ),
    Sound(
        "s_raise_exit_main.py",
        script(
            r"""
        import sys
        def main(argv):
            sys.stdout.write("Content-Type: text/html\n\n")
            sys.stdout.write("<p>hi</p>")
            return 0
        raise SystemExit(main(sys.argv))
        """,
        ),
        body=b"<p>hi</p>",
    ),
    Sound(
        "s_lazy_import.py",
        script(
            r"""
        import json
        def to_excel(rows):
            import openpyxl
            return openpyxl.Workbook()
        def old():
            from urllib import urlencode
            return urlencode({})
        print("Content-Type: application/json\n")
        print(json.dumps([1, 2]))
        """,
        ),
        body=b"[1, 2]\n",
    ),
)
