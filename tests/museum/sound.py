"""What looks wrong to a hasty reader and is right: none of these may ever be blamed."""

import importlib.util
import io
import platform
import struct
import zipfile
from pathlib import Path

from tests.museum.asking import PREPARED
from tests.museum.beginners import UNUSUAL_BUT_RIGHT
from tests.museum.piece import DIRECT, ENV, Request, Sound, crlf, script

HELLO = script('print("Content-Type: text/plain\\n")\nprint("Hello")\n')
TEXT_PLAIN = (("Content-Type", "text/plain"),)
MEGABYTE = 1_000_000


def compiled() -> bytes:
    """Return a program for this machine that prints a page: no interpreter, no library, two system calls.

    Raises:
        NotImplementedError: for this kind of machine nobody has assembled it.
    """
    page = b"Content-Type: text/plain\n\nHello from a program\n"
    machine = platform.machine().lower()
    if machine in {"x86_64", "amd64"}:
        number = 62
        code = (
            b"\xb8\x01\x00\x00\x00"  # mov eax, 1: write
            b"\xbf\x01\x00\x00\x00"  # mov edi, 1: to the standard output
            b"\x48\x8d\x35\x10\x00\x00\x00"  # lea rsi, [rip + 16]: what follows the code
            b"\xba" + struct.pack("<I", len(page)) + b"\x0f\x05"  # mov edx, length; syscall
            b"\xb8\x3c\x00\x00\x00\x31\xff\x0f\x05"  # mov eax, 60: exit; xor edi, edi; syscall
        )
    elif machine in {"aarch64", "arm64"}:
        number = 183
        code = struct.pack(
            "<8I",
            0xD2800020,  # mov x0, 1: to the standard output
            0x100000E1,  # adr x1, 28: what follows the code
            0xD2800002 | len(page) << 5,  # mov x2, length
            0xD2800808,  # mov x8, 64: write
            0xD4000001,  # svc 0
            0xD2800000,  # mov x0, 0
            0xD2800BA8,  # mov x8, 93: exit
            0xD4000001,  # svc 0
        )
    else:
        raise NotImplementedError(f"no program has been assembled for {machine}: see compiled() in {__file__}")
    base, header = 0x400000, 64 + 56
    size = header + len(code) + len(page)
    return (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 2, number, 1, base + header, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        + struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)
        + code
        + page
    )


def zipped() -> bytes:
    """Return a Python program as an archive behind a shebang, as the module zipapp makes it."""
    archive = io.BytesIO()
    archive.write(f"{ENV}\n".encode())
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("__main__.py", 'print("Content-Type: text/plain\\n")\nprint("Hello from an archive")\n')
    return archive.getvalue()


def bottle() -> bytes:
    """Return the one file that Bottle is; where it is not installed, one that says so to whoever imports it."""
    found = importlib.util.find_spec("bottle")
    if not found or not found.origin:
        return b"raise ModuleNotFoundError('no bottle beside pytest: it is one of the tests\\' requirements')\n"
    return Path(found.origin).read_bytes()


# What belongs together stays on a line: the formatter would give each its own.
LANGUAGES = (
    Sound(
        "shell.sh",
        b"#!/bin/sh\n# print \"x\"\necho Content-Type: text/plain\necho\necho \"$REQUEST_METHOD\"\n",
        body=b"GET\n",
    ),
    Sound(
        "bash.cgi",
        b"#!/bin/bash\nset -euo pipefail\ndeclare -A words=([one]=1)\nprintf 'Content-Type: text/plain\\r\\n\\r\\n%s' \"${words[one]}\"\n",
        body=b"1",
    ),
    Sound(
        "shell_goes_on.sh",
        b"#!/bin/sh\nfortune 2>/dev/null\necho 'Content-Type: text/plain'\necho\necho 'no fortune today'\n",
        body=b"no fortune today\n",
    ),
    Sound(
        "awk_program",
        b'#!/usr/bin/awk -f\nBEGIN {\n    print "Content-Type: text/plain\\n"\n    for (n = 1; n < 4; n++) print n * n\n}\n',
        body=b"1\n4\n9\n",
    ),
    Sound(
        "sed_program",
        b"#!/bin/sed -nf\ns/.*/Content-Type: text\\/plain\\n\\n&/p\n",
        request=Request("POST", body=b"Hello\n"),
        body=b"Hello\n",
    ),
    Sound("tail_of_itself", b"#!/usr/bin/tail -n+2\nContent-Type: text/html\n\n<p>Hello\n", body=b"<p>Hello\n"),
    Sound("compiled", compiled(), body=b"Hello from a program\n"),
    Sound("zipped.py", zipped(), body=b"Hello from an archive\n"),
    Sound(
        "shell_that_becomes_python.py",
        b"#!/bin/sh\n''''exec python3 -u \"$0\" \"$@\" #'''\nimport sys\n\nprint('Content-Type: text/plain\\n')\nprint(len(sys.argv))\n",
        body=b"1\n",
    ),
    Sound("unbuffered.py", script(HELLO.partition(b"\n")[2].decode(), f"{DIRECT} -u"), body=b"Hello\n"),
    Sound(
        "env_split_options.py", script(HELLO.partition(b"\n")[2].decode(), "#!/usr/bin/env -S python3 -u -E"), body=b"Hello\n"
    ),
    # For `env -S` the carriage return is a space like any other, and for Python a line end.
    Sound(
        "env_split_and_crlf.py",
        crlf(script(HELLO.partition(b"\n")[2].decode(), "#!/usr/bin/env -S python3 -u")),
        body=b"Hello\n",
    ),
    Sound("spaced_shebang.py", script(HELLO.partition(b"\n")[2].decode(), "#!  /usr/bin/python3 \t "), body=b"Hello\n"),
    Sound("exact_version.py", script(HELLO.partition(b"\n")[2].decode(), "#!/usr/bin/python3.13"), body=b"Hello\n", python=(3, 13)),
    Sound("crlf_but_for_the_first_line.py", f"{ENV}\n".encode() + crlf(HELLO.partition(b"\n")[2]), body=b"Hello\n"),
    Sound("no_last_line_end.py", HELLO.rstrip(b"\n"), body=b"Hello\n"),
    Sound("clock", HELLO, body=b"Hello\n"),
    Sound("an ending.txt", HELLO, body=b"Hello\n"),
    Sound('quotes "and" <b>marks<b> & caf\u00e9\'s.py', HELLO, body=b"Hello\n"),
    Sound("a folder/100%.py", HELLO, body=b"Hello\n"),
    Sound("line\nbreak.py", HELLO, body=b"Hello\n"),
    Sound("link.py", None, link="link_target.py", neighbours={"link_target.py": HELLO}, body=b"Hello\n"),
    Sound("for_its_owner_and_all.py", HELLO, mode=0o555, body=b"Hello\n"),
    Sound("path_info.py", script('import os\n\nprint("Content-Type: text/plain\\n")\nprint(os.environ["PATH_INFO"])\n'), url="/cgi-bin/path_info.py/a/b", body=b"/a/b\n"),
)  # fmt: skip

# What belongs together stays on a line: the formatter would give each its own.
STATUSES = (
    Sound(
        "own_404.py",
        script('print("Status: 404 Not Found\\nContent-Type: text/html\\n\\n<h1>No such book</h1>")\n'),
        status=404,
        body=b"<h1>No such book</h1>\n",
    ),
    Sound(
        "own_403.py",
        script('print("Status: 403 Forbidden\\nContent-Type: text/plain\\n\\nMembers only")\n'),
        status=403,
        body=b"Members only\n",
    ),
    Sound(
        "own_500.py",
        script(
            r"""
            import sys, traceback

            try:
                value = {}["price"]
            except KeyError:
                traceback.print_exc()
                print("the price list is empty: sent a page that says so", file=sys.stderr)
                print("Status: 500 Internal Server Error")
                print("Content-Type: text/plain\n")
                print("There is no price list.")
            """
        ),
        status=500,
        body=b"There is no price list.\n",
    ),
    Sound(
        "created.py",
        script('print("Status: 201 Created\\nLocation: http://localhost/books/1\\nContent-Type: text/plain\\n\\nkept")\n'),
        request=Request("POST", body=b"title=x"),
        status=201,
        body=b"kept\n",
        headers=(("Location", "http://localhost/books/1"),),
    ),
    Sound("no_content.py", script('print("Status: 204 No Content\\n")\n'), status=204, body=b""),
    Sound(
        "not_modified.py",
        script('print("Status: 304 Not Modified")\nprint(\'ETag: "a"\')\nprint("Content-Length: 512")\nprint()\n'),
        status=304,
        body=b"",
        headers=(("ETag", '"a"'),),
    ),
    Sound("teapot.py", script('print("Status: 418 I\'m a teapot\\nContent-Type: text/plain\\n\\nTea?")\n'), status=418, body=b"Tea?\n"),
    Sound("number_alone.py", script('print("status: 200\\ncontent-type: text/plain\\n\\nOK")\n'), body=b"OK\n"),
    Sound(
        "redirect.py",
        script('print("Location: http://localhost/elsewhere\\n")\n'),
        status=302,
        body=None,
        headers=(("Location", "http://localhost/elsewhere"),),
    ),
    Sound(
        "redirect_after_post.py",
        script('import sys\n\nsys.stdout.write("Status: 303 See Other\\r\\nLocation: http://localhost/thanks\\r\\n\\r\\n")\n'),
        request=Request("POST", body=b"a=1"),
        status=303,
        body=None,
        headers=(("Location", "http://localhost/thanks"),),
    ),
    Sound(
        "redirect_relative.py",
        script('print("Location: clock")\nprint()\n'),
        status=302,
        body=None,
        headers=(("Location", "clock"),),
    ),
    Sound("redirect_inside.py", script('print("Location: /cgi-bin/clock\\n")\n'), body=b"Hello\n"),
    Sound(
        "two_cookies.py",
        script('print("Set-Cookie: a=1\\nSet-Cookie: b=2\\nContent-Type: text/plain\\n\\nkept")\n'),
        body=b"kept\n",
        headers=(("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")),
    ),
    Sound(
        "long_header.py",
        script('print("Content-Type: text/plain")\nprint("X-Long: " + "x" * 8000)\nprint()\nprint("Hello")\n'),
        body=b"Hello\n",
        headers=(("X-Long", "x" * 8000),),
    ),
    Sound(
        "many_headers.py",
        script('print("Content-Type: text/plain")\nfor n in range(100):\n    print(f"X-{n}: {n}")\nprint("X-Empty:")\nprint()\n'),
        body=b"",
        headers=(("X-99", "99"), ("X-Empty", "")),
    ),
    Sound("head.py", script('print("Content-Type: text/plain\\nContent-Length: 6\\n")\nprint("Hello")\n'), request=Request("HEAD"), body=b""),
    Sound("right_length.py", script('text = "\u00e9t\u00e9\\n"\nprint(f"Content-Type: text/plain\\nContent-Length: {len(text.encode())}\\n\\n{text}", end="")\n'), body="\u00e9t\u00e9\n".encode()),
    Sound("empty_body.py", script('print("Content-Type: text/plain\\n")\n'), body=b""),
    Sound(
        "nph-right.py",
        script('import sys\n\nsys.stdout.write("HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nConnection: close\\r\\n\\r\\nHello")\n'),
        body=b"Hello",
        headers=TEXT_PLAIN,
    ),
)  # fmt: skip

# What belongs together stays on a line: the formatter would give each its own.
OUTPUTS = (
    Sound("crlf_headers.py", script('import sys\n\nsys.stdout.write("Content-Type: text/plain\\r\\nX-A: 1\\r\\n\\r\\nHello")\n'), body=b"Hello", headers=(("X-A", "1"),)),
    Sound(
        "picture.py",
        script(
            r"""
            import sys

            sys.stdout.buffer.write(b"Content-Type: image/png\n\n\x89PNG\r\n\x1a\n" + bytes(range(256)))
            """
        ),
        body=b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        headers=(("Content-Type", "image/png"),),
    ),
    Sound(
        "latin_1_output.py",
        script('import sys\n\nsys.stdout.reconfigure(encoding="latin-1")\nprint("Content-Type: text/plain; charset=iso-8859-1\\n")\nprint("\u00e9t\u00e9")\n'),
        body=b"\xe9t\xe9\n",
    ),
    Sound(
        "latin_1_source.py",
        f"{ENV}\n# -*- coding: latin-1 -*-\n# Grüße\nprint('Content-Type: text/plain; charset=utf-8\\n')\nprint('été')\n".encode("latin-1"),
        body="\u00e9t\u00e9\n".encode(),
    ),
    Sound("large.py", script(f'print("Content-Type: text/plain\\n")\nprint("x" * {MEGABYTE - 1})\n'), body=None, size=MEGABYTE),
    Sound(
        "slow.py",
        script(
            r"""
            import time

            print("Content-Type: text/plain\n", flush=True)
            for n in range(3):
                time.sleep(0.3)
                print(n, flush=True)
            """
        ),
        body=b"0\n1\n2\n",
    ),
    Sound(
        "chatter.py",
        script(
            r"""
            import logging, sys, warnings

            logging.basicConfig(level="DEBUG")
            logging.debug("SyntaxError: is what this is not")
            warnings.warn("Permission denied: exec of nothing failed")
            sys.stderr.write("Content-Type: text/plain\n\n")
            print("Content-Type: text/plain\n")
            print("Hello")
            logging.error("the end")
            """
        ),
        body=b"Hello\n",
    ),
    Sound(
        "tells_of_an_exception.py",
        script(
            r"""
            import logging

            try:
                int("twelve")
            except ValueError:
                logging.exception("no number")
            logging.warning("went on with 12")
            print("Content-Type: text/plain\n")
            print("12")
            """
        ),
        body=b"12\n",
    ),
    Sound("after_all_exit_code_0.py", script('import sys\n\nprint("Content-Type: text/plain\\n\\nHello")\nsys.exit(0)\n'), body=b"Hello\n"),
    Sound("after_all_exit_code_3.py", script('import sys\n\nprint("Content-Type: text/plain\\n\\nHello")\nsys.exit(3)\n'), body=b"Hello\n"),
    Sound("after_all_exit_at_once.py", script('import os\n\nprint("Content-Type: text/plain\\n\\nHello", flush=True)\nos._exit(1)\n'), body=b"Hello\n"),
    Sound("flush_and_system.py", script('import os, sys\n\nprint("Content-Type: text/plain\\n")\nsys.stdout.flush()\nos.system("echo from the shell")\n'), body=b"from the shell\n"),
    Sound("flush_and_run.py", script('import subprocess\n\nprint("Content-Type: text/plain\\n", flush=True)\nsubprocess.run(["echo", "from a child"], check=True)\n'), body=b"from a child\n"),
    Sound("child_captured.py", script('import subprocess\n\nprint("Content-Type: text/plain\\n")\nprint(subprocess.run(["echo", "captured"], capture_output=True, text=True).stdout, end="")\n'), body=b"captured\n"),
    Sound("unbuffered_system.py", script('import os\n\nprint("Content-Type: text/plain\\n")\nos.system("echo no flush needed")\n', "#!/usr/bin/python3 -u"), body=b"no flush needed\n"),
    Sound("replaced_by_a_program.py", script('import os\n\nprint("Content-Type: text/plain\\n", flush=True)\nos.execlp("echo", "echo", "another program")\n'), body=b"another program\n"),
    Sound(
        "child_prints_all.py",
        script('import os\n\nos.system("printf \'Content-Type: text/plain\\\\n\\\\nall of it\'")\n'),
        body=b"all of it",
    ),
    Sound("joined_headers.py", script('parts = ("Content", "Type")\nprint("-".join(parts), "text/plain", sep=": ", end="\\n\\n")\nprint("Hello")\n'), body=b"Hello\n", headers=TEXT_PLAIN),
    Sound(
        "headers_of_a_loop.py",
        script(
            r"""
            import sys

            for name, value in {"Content-Type": "text/plain", "X-Lesson": "12"}.items():
                sys.stdout.write(f"{name}: {value}\n")
            sys.stdout.write("\n")
            """
        ),
        body=b"",
        headers=(("X-Lesson", "12"),),
    ),
    Sound(
        "headers_of_a_neighbour/page.py",
        script('from layout import begin\n\nbegin("text/plain")\nprint("Hello")\n'),
        neighbours={"headers_of_a_neighbour/layout.py": b"def begin(kind):\n    print(f'Content-Type: {kind}')\n    print()\n"},
        body=b"Hello\n",
    ),
    # The same name as a module of the standard library, which nobody here needs.
    Sound(
        "harmless_neighbour/page.py",
        HELLO,
        neighbours={"harmless_neighbour/statistics.py": HELLO, "harmless_neighbour/poplib.py": b"0777\n"},
        body=b"Hello\n",
    ),
    Sound(
        "daemon.py",
        script(
            r"""
            import os, time

            print("Content-Type: text/plain\n\nstarted", flush=True)
            if os.fork() == 0:
                os.setsid()
                for stream in (0, 1, 2):
                    os.close(stream)
                time.sleep(2)
                os._exit(0)
            """
        ),
        body=b"started\n",
    ),
    Sound(
        "writes_where_it_may.py",
        script(
            r"""
            import pathlib, sqlite3, tempfile

            pathlib.Path("/tmp/visits").write_text("1")
            with tempfile.TemporaryDirectory() as folder:
                database = sqlite3.connect(f"{folder}/a.db")
                database.execute("CREATE TABLE a (b)")
                database.close()
            print("Content-Type: text/plain\n\nwritten")
            """
        ),
        body=b"written\n",
    ),
    Sound("talks_of_failure.py", script('print("Content-Type: text/plain\\n")\nprint("Traceback (most recent call last):\\nContent-Type text/html\\nSyntaxError: invalid syntax")\n'), body=b"Traceback (most recent call last):\nContent-Type text/html\nSyntaxError: invalid syntax\n"),
)  # fmt: skip

# What belongs together stays on a line: the formatter would give each its own.
INPUT = (
    Sound(
        "exactly_the_length.py",
        script(
            r"""
            import os, sys

            body = sys.stdin.buffer.read(int(os.environ["CONTENT_LENGTH"]))
            sys.stdout.buffer.write(b"Content-Type: application/octet-stream\r\n\r\n" + body)
            """
        ),
        request=Request("POST", body=bytes(range(256))),
        body=bytes(range(256)),
    ),
    Sound("no_input_is_caught.py", script('try:\n    name = input()\nexcept EOFError:\n    name = "nobody"\nprint("Content-Type: text/plain\\n")\nprint(name)\n'), body=b"nobody\n"),
    Sound("input_of_a_post.py", script('name = input()\nprint("Content-Type: text/plain\\n")\nprint("Hello", name)\n'), request=Request("POST", body=b"Anna\n"), body=b"Hello Anna\n"),
    Sound("body_not_read.py", HELLO, request=Request("POST", body=b"x" * 100_000), body=b"Hello\n"),
    Sound(
        "field_storage.py",
        script('import cgi\n\nform = cgi.FieldStorage()\nprint("Content-Type: text/plain\\n")\nprint(form.getfirst("name", "nobody"))\n'),
        request=Request("POST", body=b"name=Anna", headers=("Content-Type: application/x-www-form-urlencoded",)),
        body=b"Anna\n",
    ),
    Sound("cgitb_at_hand.py", script('import cgitb\n\ncgitb.enable()\nprint("Content-Type: text/plain\\n")\nprint("Hello")\n'), body=b"Hello\n"),
    Sound(
        "wsgi.py",
        script(
            r"""
            from wsgiref.handlers import CGIHandler


            def application(environ, start_response):
                start_response("202 Accepted", [("Content-Type", "text/plain"), ("Content-Length", "5")])
                return [b"Hello"]


            CGIHandler().run(application)
            """
        ),
        status=202,
        body=b"Hello",
        headers=TEXT_PLAIN,
    ),
    Sound(
        "bottle_application/app.py",
        script(
            r"""
            from bottle import Bottle, run

            app = Bottle()


            @app.get("/hello/<name>")
            def hello(name):
                return f"Hello {name}"


            run(app, server="cgi", quiet=True)
            """
        ),
        neighbours={"bottle_application/bottle.py": bottle()},
        url="/cgi-bin/bottle_application/app.py/hello/Anna",
        body=b"Hello Anna",
    ),
)  # fmt: skip

# What belongs together stays on a line: the formatter would give each its own.
DECOYS = (
    Sound(
        "decoys_of_python_2.py",
        script(
            r'''
            # print "Content-Type: text/html"
            # import urllib2, MySQLdb
            """
            except ValueError, error:
                print `error`
                exec "x"
            """
            from __future__ import print_function

            LESSON = """
            #!C:\\Python27\\python.exe
            print >>sys.stderr, "x"
            raise ValueError, "x"
            """
            print("Content-Type: text/plain\n")
            print('print "x" <> 0777')
            '''
        ),
        body=b'print "x" <> 0777\n',
    ),
    Sound(
        "falls_back.py",
        script(
            r"""
            try:
                import urllib2 as request
            except ImportError:
                import urllib.request as request
            try:
                import httplib
            except ModuleNotFoundError:
                import http.client as httplib
            try:
                import MySQLdb
            except ImportError:
                MySQLdb = None
            try:
                from urllib import urlencode
            except:
                from urllib.parse import urlencode

            print("Content-Type: text/plain\n")
            print(urlencode({"a": 1}))
            """
        ),
        body=b"a=1\n",
    ),
    Sound(
        "both_pythons.py",
        script(
            r"""
            import sys

            if sys.version_info[0] < 3:
                import ConfigParser as configparser
                text_type = unicode
                ask = raw_input
            else:
                import configparser
                text_type = str
                ask = input

            try:
                xrange
            except NameError:
                xrange = range

            print("Content-Type: text/plain\n")
            print(text_type(len(xrange(3))))
            """
        ),
        body=b"3\n",
    ),
    Sound(
        "own_names.py",
        script(
            r"""
            from functools import reduce


            class Form(dict):
                def has_key(self, name):
                    return name in self

                def iteritems(self):
                    return iter(self.items())


            def unicode(text):
                return text.upper()


            file = "a file"
            form = Form(name="Anna")
            print("Content-Type: text/plain\n")
            print(unicode(file), form.has_key("name"), reduce(max, [1, 2]), dict(form.iteritems()))
            """
        ),
        body=b"A FILE True 2 {'name': 'Anna'}\n",
    ),
    Sound("tabs.py", script('def main():\n\tfor n in range(2):\n\t\tprint(n)\n\n\nprint("Content-Type: text/plain\\n")\nmain()\n'), body=b"0\n1\n"),
    Sound("form_feed.py", script('import sys\n\x0c\nprint("Content-Type: text/plain\\n")\nprint(sys.version_info[0])\n'), body=b"3\n"),
    Sound("new_syntax.py", script('print("Content-Type: text/plain\\n")\nmatch [1, 2]:\n    case [a, b] if (c := a + b):\n        print(f"{c=}")\n'), body=b"c=3\n"),
)  # fmt: skip

SOUND = (*LANGUAGES, *STATUSES, *OUTPUTS, *INPUT, *DECOYS, *PREPARED, *UNUSUAL_BUT_RIGHT)
