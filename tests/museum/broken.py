"""What fails, one piece for each cause and for each way of it that people meet, with the cause that is its first.

`says` is what httpd 2.4 logs about it.
"""

from dataclasses import replace

from tests.museum.asking import REFUSED
from tests.museum.beginners import WRITTEN_BY_BEGINNERS
from tests.museum.piece import DIRECT, ENV, SHELL, Piece, Request, crlf, script

# A user who neither owns the services nor is the one that they are run as.
STRANGER = 4242

NO_OUTPUT = "End of script output before headers: "
PREMATURE = "Premature end of script headers: "
MALFORMED = "malformed header from script "
EXEC_FORMAT = "(8)Exec format error: exec of "
EXEC_MISSING = "(2)No such file or directory: exec of "
EXEC_DENIED = "(13)Permission denied: exec of "

# A script with nothing wrong in it: what surrounds it is what fails.
HELLO = script(
    r"""
    '''Greets.'''

    print("Content-Type: text/plain\n")
    print("Hello")
    """
)
HELLO_SHELL = script("printf 'Content-Type: text/plain\\n\\nHello\\n'\n", SHELL)


# --- URL and permission --------------------------------------------------------------------------

PLACES = (
    Piece("never_written.py", None, cause="not-found", before="not-found", status=404, says="AH02811: "),
    Piece(
        "Greeting.py",
        HELLO,
        url="/cgi-bin/greeting.py",
        cause="not-found",
        status=404,
        says="AH02811: stderr from /srv/cgi-bin/greeting.py: script not found or unable to stat",
    ),
    Piece(
        "forgot_the_ending.py",
        HELLO,
        url="/cgi-bin/forgot_the_ending",
        cause="not-found",
        status=404,
        says="AH02811: stderr from /srv/cgi-bin/forgot_the_ending: script not found or unable to stat",
    ),
    Piece(
        "not_there_with_path_info.py",
        None,
        url="/cgi-bin/not_there_with_path_info.py/a/b",
        cause="not-found",
        before="not-found",
        status=404,
        says="AH02811: ",
    ),
    Piece(
        "redirects_to_nothing.py",
        script(
            r"""
            print("Location: /cgi-bin/the_next_page.py")
            print()
            """
        ),
        cause="not-found",
        status=404,
        says="AH02811: stderr from /srv/cgi-bin/the_next_page.py: script not found or unable to stat",
    ),
    Piece(
        "a_folder/",
        None,
        neighbours={"a_folder/index.py": HELLO},
        cause="is-a-directory",
        before="is-a-directory",
        status=403,
        says="AH02812: stderr from /srv/cgi-bin/a_folder/: attempt to invoke directory as script",
    ),
    Piece(
        ".hidden.py",
        HELLO,
        cause="denied-name",
        before="denied-name",
        status=403,
        says="AH01630: client denied by server configuration: /srv/cgi-bin/.hidden.py",
    ),
    Piece("edited.py~", HELLO, cause="denied-name", before="denied-name", status=403, says="AH01630: "),
    Piece("saved.py.bak", HELLO, cause="denied-name", before="denied-name", status=403, says="AH01630: "),
    Piece(
        "link_of_a_stranger",
        None,
        link="/usr/bin/true",
        owner=STRANGER,
        cause="link-not-followed",
        status=403,
        says="AH00037: Symbolic link not allowed or link target not accessible: /srv/cgi-bin/link_of_a_stranger",
    ),
    Piece(
        "link_in_a_loop.py",
        None,
        link="link_in_a_loop.py",
        cause="link-not-followed",
        before="link-not-followed",
        status=403,
        says="AH00037: ",
    ),
    Piece("link_to_nothing.py", None, link="moved_away.py", cause="link-not-followed", status=403, says="AH00037: "),
    Piece("closed/inside.py", HELLO, folder_mode=0o600, cause="folder-closed", status=403, says="AH00529: "),
    Piece("not_executable.py", HELLO, mode=0o644, cause="not-executable", before="not-executable", says=EXEC_DENIED),
    Piece(
        "not_executable_shell.sh",
        HELLO_SHELL,
        mode=0o664,
        cause="not-executable",
        before="not-executable",
        says=EXEC_DENIED,
    ),
    Piece("of_a_stranger.py", HELLO, mode=0o700, owner=STRANGER, cause="other-owner", says=EXEC_DENIED),
    # Executable for all, but only its owner may read it, as the interpreter has to.
    Piece(
        "unreadable.py",
        HELLO,
        mode=0o711,
        owner=STRANGER,
        cause="other-owner",
        says="can't open file '/srv/cgi-bin/unreadable.py': [Errno 13] Permission denied",
    ),
    Piece("shown.py", HELLO, in_www=True, cause="source-shown", status=200),
    Piece(
        "page.php",
        HELLO,
        in_www=True,
        cause="php-not-running",
        status=503,
        says="AH01079: failed to make connection to backend: php",
    ),
)

# --- The kernel starts the interpreter -----------------------------------------------------------

STARTS = (
    Piece("empty.py", b"", cause="empty-file", before="empty-file", says=EXEC_FORMAT),
    Piece("empty_shell", b"", cause="empty-file", before="empty-file", says=EXEC_FORMAT),
    Piece(
        "no_shebang.py",
        HELLO.partition(b"\n")[2],
        cause="no-shebang",
        before="no-shebang",
        says=EXEC_FORMAT,
    ),
    Piece("blank_line_first.py", b"\n" + HELLO, cause="no-shebang", before="no-shebang", says=EXEC_FORMAT),
    Piece("space_first.py", b" " + HELLO, cause="no-shebang", before="no-shebang", says=EXEC_FORMAT),
    Piece(
        "coding_first.py",
        b"# -*- coding: utf-8 -*-\n" + HELLO,
        cause="no-shebang",
        before="no-shebang",
        says=EXEC_FORMAT,
    ),
    Piece(
        "shebang_without_mark.py",
        HELLO.replace(b"#!", b"#", 1),
        cause="no-shebang",
        before="no-shebang",
        says=EXEC_FORMAT,
    ),
    Piece("shebang_reversed.py", b"!#" + HELLO[2:], cause="no-shebang", before="no-shebang", says=EXEC_FORMAT),
    Piece(
        "byte_order_mark.py",
        b"\xef\xbb\xbf" + HELLO,
        cause="byte-order-mark",
        before="byte-order-mark",
        says=EXEC_FORMAT,
    ),
    Piece(
        "byte_order_mark_and_crlf.py",
        b"\xef\xbb\xbf" + crlf(HELLO),
        cause="byte-order-mark",
        before="byte-order-mark",
        says=EXEC_FORMAT,
    ),
    Piece(
        "byte_order_mark_shell.sh",
        b"\xef\xbb\xbf" + HELLO_SHELL,
        cause="byte-order-mark",
        before="byte-order-mark",
        says=EXEC_FORMAT,
    ),
    Piece(
        "utf16_le_with_mark.py",
        HELLO.decode().encode("utf-16-le").join([b"\xff\xfe", b""]),
        cause="utf-16",
        before="utf-16",
        says=EXEC_FORMAT,
    ),
    Piece(
        "utf16_be_with_mark.py",
        HELLO.decode().encode("utf-16-be").join([b"\xfe\xff", b""]),
        cause="utf-16",
        before="utf-16",
        says=EXEC_FORMAT,
    ),
    Piece("utf16_le.py", HELLO.decode().encode("utf-16-le"), cause="utf-16", before="utf-16", says=EXEC_FORMAT),
    Piece("utf16_be.py", HELLO.decode().encode("utf-16-be"), cause="utf-16", before="utf-16", says=EXEC_FORMAT),
    Piece(
        "utf16_and_crlf.py",
        b"\xff\xfe" + crlf(HELLO).decode().encode("utf-16-le"),
        cause="utf-16",
        before="utf-16",
        says=EXEC_FORMAT,
    ),
    Piece(
        "windows_path.py",
        script('print("Content-Type: text/plain\\n\\nHello")\n', r"#!C:\Python27\python.exe"),
        cause="windows-interpreter",
        before="windows-interpreter",
        says=EXEC_MISSING,
    ),
    Piece(
        "windows_path_slashes.py",
        script('print("Content-Type: text/plain\\n\\nHello")\n', "#!c:/wamp64/python/python.exe -u"),
        cause="windows-interpreter",
        before="windows-interpreter",
        says=EXEC_MISSING,
    ),
    Piece(
        "windows_path_quoted.py",
        script('print("Content-Type: text/plain\\n\\nHello")\n', r'#!"C:\Program Files\Python313\python.exe"'),
        cause="windows-interpreter",
        before="windows-interpreter",
        says=EXEC_MISSING,
    ),
    # As WampServer's users have it: all of its lines end as Windows ends them, too. Their ends are not what fails first.
    Piece(
        "windows_path_and_crlf.py",
        crlf(script('print("Content-Type: text/plain\\n\\nHello")\n', r"#!C:\Python27\python.exe")),
        cause="windows-interpreter",
        before="windows-interpreter",
        says=EXEC_MISSING,
    ),
    *(
        Piece(
            name,
            script(HELLO.partition(b"\n")[2].decode(), shebang),
            cause="interpreter-missing",
            before="interpreter-missing",
            says=says,
        )
        for name, shebang, says in (
            ("bare_name.py", "#!python", EXEC_MISSING),
            ("local_python.py", "#!/usr/local/bin/python", EXEC_MISSING),
            ("local_python3.py", "#! /usr/local/bin/python3 -u", EXEC_MISSING),
            ("usr_bin_python.py", "#!/usr/bin/python", EXEC_MISSING),
            ("python_2_7.py", "#!/usr/bin/python2.7", EXEC_MISSING),
            ("no_slash.py", "#!usr/bin/python3", EXEC_MISSING),
            ("mistyped_folder.py", "#!/usr/bn/env python3", EXEC_MISSING),
            ("env_python.py", "#!/usr/bin/env python", "env: \u2018python\u2019: No such file or directory"),
            ("env_python2.py", "#!/usr/bin/env python2", "env: \u2018python2\u2019: No such file or directory"),
            ("env_mistyped.py", "#!/usr/bin/env pyhton3", "env: \u2018pyhton3\u2019: No such file or directory"),
            ("env_split.py", "#!/usr/bin/env -S python -u", "env: \u2018python\u2019: No such file or directory"),
        )
    ),
    Piece(
        "perl.cgi",
        script(
            r"""
            use strict;
            print "Content-Type: text/plain\n\n";
            print "Hello\n";
            """,
            "#!/usr/bin/perl -w",
        ),
        cause="interpreter-missing",
        before="interpreter-missing",
        says=EXEC_MISSING,
    ),
    Piece(
        "php.php",
        script("<?php header('Content-Type: text/plain'); echo 'Hello';\n", "#!/usr/bin/env php"),
        cause="interpreter-missing",
        before="interpreter-missing",
        says="env: \u2018php\u2019: No such file or directory",
    ),
    Piece(
        "interpreter_is_a_text.py",
        script('print("Content-Type: text/plain\\n\\nHello")\n', "#!/etc/passwd"),
        cause="interpreter-not-executable",
        before="interpreter-not-executable",
        says=EXEC_DENIED,
    ),
    Piece(
        "interpreter_is_a_folder.py",
        script('print("Content-Type: text/plain\\n\\nHello")\n', "#!/usr/bin/"),
        cause="interpreter-not-executable",
        before="interpreter-not-executable",
        says=EXEC_DENIED,
    ),
    Piece(
        "env_with_argument.py",
        script(HELLO.partition(b"\n")[2].decode(), "#!/usr/bin/env python3 -u"),
        cause="interpreter-arguments",
        before="interpreter-arguments",
        says="env: \u2018python3 -u\u2019: No such file or directory",
    ),
    Piece(
        "two_arguments.py",
        script(HELLO.partition(b"\n")[2].decode(), "#!/usr/bin/python3 -u -E"),
        cause="interpreter-arguments",
        before="interpreter-arguments",
        says="Unknown option: - ",
    ),
    Piece(
        "comment_behind_shebang.py",
        script(HELLO.partition(b"\n")[2].decode(), "#!/usr/bin/python3 # the path of Python"),
        cause="interpreter-arguments",
        before="interpreter-arguments",
        says="can't open file '/srv/cgi-bin/# the path of Python'",
    ),
    Piece(
        "crlf_direct.py",
        crlf(script(HELLO.partition(b"\n")[2].decode(), DIRECT)),
        cause="windows-line-endings",
        before="windows-line-endings",
        says=EXEC_MISSING,
    ),
    Piece(
        "crlf_env.py",
        crlf(HELLO),
        cause="windows-line-endings",
        before="windows-line-endings",
        says="env: \u2018python3\\r\u2019: No such file or directory",
    ),
    Piece(
        "crlf_first_line.py",
        HELLO.replace(b"\n", b"\r\n", 1),
        cause="windows-line-endings",
        before="windows-line-endings",
        says="env: \u2018python3\\r\u2019: No such file or directory",
    ),
    Piece(
        "crlf_unbuffered.py",
        crlf(script(HELLO.partition(b"\n")[2].decode(), "#!/usr/bin/python3 -u")),
        cause="windows-line-endings",
        before="windows-line-endings",
        says="Unknown option: -",
    ),
    Piece(
        "crlf_shell.sh",
        crlf(HELLO_SHELL),
        cause="windows-line-endings",
        before="windows-line-endings",
        says=EXEC_MISSING,
    ),
    # The first line is right, so that the shell starts, and reads `then` and a carriage return as another word.
    Piece(
        "crlf_shell_after_the_first_line.sh",
        b"#!/bin/sh\n" + crlf(b"if true\nthen\n    echo 'Content-Type: text/plain'\n    echo\nfi\n"),
        cause="windows-line-endings",
        before="windows-line-endings",
        says="Syntax error: end of file unexpected (expecting ",
    ),
    Piece(
        "foreign_elf",
        # Linux on IBM Z: 64 bits, big-endian, machine 22.
        b"\x7fELF\x02\x02\x01" + bytes(9) + b"\x00\x02\x00\x16\x00\x00\x00\x01" + bytes(40),
        cause="foreign-program",
        before="foreign-program",
        says=EXEC_FORMAT,
    ),
    Piece(
        "program.exe",
        b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(44) + b"\x80\x00\x00\x00"
        b"\x0e\x1f\xba\x0e\x00\xb4\t\xcd!\xb8\x01L\xcd!This program cannot be run in DOS mode.\r\r\n$"
        + bytes(7)
        + b"PE\0\0",
        cause="foreign-program",
        before="foreign-program",
        says=EXEC_FORMAT,
    ),
    Piece(
        "archive.zip",
        b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + bytes(60),
        cause="foreign-program",
        before="foreign-program",
        says=EXEC_FORMAT,
    ),
    Piece(
        "macintosh",
        b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + bytes(60),
        cause="foreign-program",
        before="foreign-program",
        says=EXEC_FORMAT,
    ),
    Piece(
        "python_under_sh.py",
        script(
            r"""
            import time

            print("Content-Type: text/plain\n")
            print(time.strftime("%H:%M"))
            """,
            SHELL,
        ),
        cause="wrong-interpreter",
        before="wrong-interpreter",
        says="import: not found",
    ),
    Piece(
        "python_under_bash.py",
        script(
            r"""
            from datetime import date

            def main():
                print("Content-Type: text/plain\n")
                print(date.today())

            main()
            """,
            "#!/bin/bash",
        ),
        cause="wrong-interpreter",
        before="wrong-interpreter",
        says="from: command not found",
    ),
    Piece(
        "php_under_python.py",
        script(
            """
            <?php
            header("Content-Type: text/plain");
            echo "Hello";
            ?>
            """
        ),
        cause="wrong-interpreter",
        before="wrong-interpreter",
        says="SyntaxError: invalid syntax",
    ),
    Piece(
        "shell_under_python.py",
        script(
            """
            echo "Content-Type: text/plain"
            echo
            date
            """
        ),
        cause="wrong-interpreter",
        before="wrong-interpreter",
        says="SyntaxError: invalid syntax",
    ),
)

# --- Python reads the script ---------------------------------------------------------------------

# What belongs together stays on a line: the formatter would give each its own.
PYTHON_2 = (
    ("print_statement", 'print "Content-Type: text/html\\n"\nprint "<h1>Hello</h1>"\n'),
    ("print_of_a_name", 'print("Content-Type: text/plain\\n")\nname = "Anna"\nprint name\n'),
    ("print_formatted", 'print("Content-Type: text/plain\\n")\nfor n in range(3):\n    print "%d squared is %d" % (n, n * n)\n'),
    ("print_trailing_comma", 'import sys\n\nprint "Content-Type: text/plain\\n\\n",\nprint sys.version\n'),
    ("except_comma", 'print("Content-Type: text/plain\\n")\ntry:\n    int("x")\nexcept ValueError, error:\n    print(error)\n'),
    ("backticks", 'print("Content-Type: text/plain\\n")\nanswer = 42\nprint("The answer is " + `answer`)\n'),
    ("exec_statement", 'print("Content-Type: text/plain\\n")\nexec "print(6 * 7)"\n'),
    ("raise_comma", 'def check(age):\n    if age < 0:\n        raise ValueError, "no age is negative"\n\nprint("Content-Type: text/plain\\n")\ncheck(3)\n'),
    ("unequal", 'print("Content-Type: text/plain\\n")\nif 1 <> 2:\n    print("differ")\n'),
    ("octal", 'import os\n\nos.umask(0022)\nprint("Content-Type: text/plain\\n")\n'),
    ("ur_string", 'print("Content-Type: text/plain\\n")\nprint(ur"\\d+ \xe9t\xe9s")\n'),
    ("long_integer", 'print("Content-Type: text/plain\\n")\nprint(1000000L * 3)\n'),
    ("lambda_tuple", 'print("Content-Type: text/plain\\n")\nprint(sorted([(1, 2), (0, 3)], key=lambda (a, b): b))\n'),
    ("parameter_tuple", 'def area((width, height)):\n    return width * height\n\nprint("Content-Type: text/plain\\n")\nprint(area((2, 3)))\n'),
)  # fmt: skip

PARSED = (
    *(
        Piece(
            f"python2_{name}.py",
            script(text),
            cause="python-2-syntax",
            before="python-2-syntax",
            says=NO_OUTPUT,
        )
        for name, text in PYTHON_2
    ),
    # Valid Python 3, though it means something else: `>>` shifts bits.
    Piece(
        "python2_print_to_file.py",
        script(
            r"""
            import sys

            print >>sys.stderr, "starting"
            print("Content-Type: text/plain\n")
            print("Hello")
            """
        ),
        cause="python-2-syntax",
        before="python-2-syntax",
        says="TypeError: unsupported operand type(s) for >>",
    ),
    # Valid Python 3, and prints nothing, not even the blank line.
    Piece(
        "python2_bare_print.py",
        script(
            """
            print("Content-Type: text/html")
            print
            print("<h1>Hello</h1>")
            """
        ),
        cause="python-2-syntax",
        before="python-2-syntax",
        says=MALFORMED,
    ),
    Piece(
        "missing_colon.py",
        script(
            r"""
            # In Python 2 one wrote: print "x"
            import os

            print("Content-Type: text/plain\n")
            if os.environ["REQUEST_METHOD"] == "GET"
                print("asked")
            """
        ),
        cause="syntax-error",
        before="syntax-error",
        says="SyntaxError: expected ':'",
    ),
    Piece(
        "missing_parenthesis.py",
        script(
            r"""
            print("Content-Type: text/plain\n"
            name = "Anna"
            print("Hello", name)
            """
        ),
        cause="syntax-error",
        before="syntax-error",
        says="SyntaxError: '(' was never closed",
    ),
    Piece(
        "unterminated_string.py",
        script(
            r"""
            print("Content-Type: text/html\n")
            print("<h1>Welcome</h1>)
            """
        ),
        cause="syntax-error",
        before="syntax-error",
        says="SyntaxError: unterminated string literal",
    ),
    Piece(
        "unterminated_page.py",
        script(
            r'''
            print("Content-Type: text/html\n")
            print("""<!doctype html>
            <p>except ValueError, error: was Python 2</p>
            ''',
        ),
        cause="syntax-error",
        before="syntax-error",
        says="SyntaxError: unterminated triple-quoted string literal",
    ),
    Piece(
        "typographic_quotes.py",
        script("print(\u201cContent-Type: text/plain\\n\u201d)\n"),
        cause="syntax-error",
        before="syntax-error",
        says="SyntaxError: invalid character",
    ),
    Piece(
        "copied_from_a_page.py",
        script('print("Content-Type: text/plain\\n")\nif True:\n\u00a0\u00a0\u00a0\u00a0print("Hello")\n'),
        cause="syntax-error",
        before="syntax-error",
        says="SyntaxError: invalid non-printable character U+00A0",
    ),
    Piece(
        "else_if.py",
        script(
            r"""
            import time

            hour = time.localtime().tm_hour
            print("Content-Type: text/plain\n")
            if hour < 12:
                print("morning")
            else if hour < 18:
                print("afternoon")
            """
        ),
        cause="syntax-error",
        before="syntax-error",
        says="SyntaxError: expected ':'",
    ),
    Piece(
        "keyword_as_name.py",
        script('print("Content-Type: text/plain\\n")\nclass = "3b"\nprint(class)\n'),
        cause="syntax-error",
        before="syntax-error",
        says="SyntaxError: invalid syntax",
    ),
    Piece(
        "merge_conflict.py",
        script(
            r"""
            print("Content-Type: text/plain\n")
            <<<<<<< HEAD
            print("Hello")
            =======
            print("Good morning")
            >>>>>>> greeting
            """
        ),
        cause="syntax-error",
        before="syntax-error",
        says="SyntaxError: invalid syntax",
    ),
    Piece(
        "return_outside.py",
        script(
            r"""
            import os

            print("Content-Type: text/plain\n")
            if os.environ.get("QUERY_STRING") == "":
                print("nothing asked")
                return
            print("asked")
            """
        ),
        cause="syntax-error",
        before="syntax-error",
        says="SyntaxError: 'return' outside function",
    ),
    Piece(
        "null_byte.py",
        HELLO + b"\0\0\0\n",
        cause="syntax-error",
        before="syntax-error",
        says="source code cannot contain null bytes",
        python=(3, 12),
    ),
    Piece(
        "assignment_in_condition.py",
        script('print("Content-Type: text/plain\\n")\nage = 3\nif age = 3:\n    print("three")\n'),
        cause="syntax-error",
        before="syntax-error",
        says="SyntaxError: invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
    ),
    Piece(
        "no_block.py",
        script(
            r"""
            def main():
            print("Content-Type: text/plain\n")

            main()
            """
        ),
        cause="indentation",
        before="indentation",
        says="IndentationError: expected an indented block",
    ),
    Piece(
        "unexpected_indent.py",
        script('import time\n  \n  print("Content-Type: text/plain\\n")\nprint(time.time())\n'),
        cause="indentation",
        before="indentation",
        says="IndentationError: unexpected indent",
    ),
    Piece(
        "outer_level.py",
        script('if True:\n        print("Content-Type: text/plain\\n")\n    print("Hello")\n'),
        cause="indentation",
        before="indentation",
        says="IndentationError: unindent does not match any outer indentation level",
    ),
    Piece(
        "tabs_and_spaces.py",
        script('def main():\n    print("Content-Type: text/plain\\n")\n\tprint("Hello")\n\nmain()\n'),
        cause="indentation",
        before="indentation",
        says="TabError: inconsistent use of tabs and spaces in indentation",
    ),
    Piece(
        "tabs_within_spaces.py",
        script(
            'for n in range(2):\n        if n:\n\t\tprint("Content-Type: text/plain\\n")\n                print("Hello")\n'
        ),
        cause="indentation",
        before="indentation",
        says="TabError: inconsistent use of tabs and spaces in indentation",
    ),
    Piece(
        "latin_1.py",
        'print("Content-Type: text/plain; charset=iso-8859-1\\n")\nprint("\xe9t\xe9")\n'.encode("latin-1").join(
            [ENV.encode() + b"\n", b""]
        ),
        cause="source-encoding",
        before="source-encoding",
        says=r"SyntaxError: Non-UTF-8 code starting with '\xe9'",
    ),
    Piece(
        "latin_1_in_a_comment.py",
        ENV.encode() + b'\n# Gr\xfc\xdfe aus K\xf6ln\nprint("Content-Type: text/plain\\n")\n',
        cause="source-encoding",
        before="source-encoding",
        says=r"SyntaxError: Non-UTF-8 code starting with '\xfc'",
    ),
    Piece(
        "unknown_coding.py",
        ENV.encode() + b'\n# -*- coding: latin-99 -*-\nprint("Content-Type: text/plain\\n")\n',
        cause="source-encoding",
        before="source-encoding",
        says="latin-99",
    ),
    Piece(
        "declared_utf_8.py",
        ENV.encode() + b'\n# -*- coding: utf-8 -*-\nprint("Content-Type: text/plain\\n")\nprint("caf\xe9")\n',
        cause="source-encoding",
        before="source-encoding",
        says="SyntaxError: ",
    ),
)

# --- Python imports ------------------------------------------------------------------------------

# What belongs together stays on a line: the formatter would give each its own.
REMOVED = (
    ("httplib", "import httplib\n", "No module named 'httplib'"),
    ("urllib2", "import os\nimport urllib2\n", "No module named 'urllib2'"),
    ("urllib2_name", "from urllib2 import urlopen, Request\n", "No module named 'urllib2'"),
    ("urlparse", "import cgi, urlparse\n", "No module named 'urlparse'"),
    ("mysqldb", "import MySQLdb\n", "No module named 'MySQLdb'"),
    ("stringio", "from StringIO import StringIO\n", "No module named 'StringIO'"),
    ("cstringio", "import cStringIO as io\n", "No module named 'cStringIO'"),
    ("configparser", "import ConfigParser\n", "No module named 'ConfigParser'"),
    ("cookie", "import Cookie\n", "No module named 'Cookie'"),
    ("cookielib", "import cookielib\n", "No module named 'cookielib'"),
    ("queue", "from Queue import Queue\n", "No module named 'Queue'"),
    ("commands", "import commands\n", "No module named 'commands'"),
    ("htmlparser", "from HTMLParser import HTMLParser\n", "No module named 'HTMLParser'"),
    ("cpickle", "import cPickle as pickle\n", "No module named 'cPickle'"),
    ("md5", "import md5\n", "No module named 'md5'"),
    ("builtin", "import __builtin__\n", "No module named '__builtin__'"),
    ("xmlrpclib", "import xmlrpclib\n", "No module named 'xmlrpclib'"),
    ("urlencode", 'import urllib\n\nquery = urllib.urlencode({"a": 1})\n', "module 'urllib' has no attribute 'urlencode'"),
    ("urlencode_name", "from urllib import urlencode\n", "cannot import name 'urlencode' from 'urllib'"),
    ("quote", 'import urllib\n\nprint("Content-Type: text/plain\\n", urllib.quote("a b"))\n', "module 'urllib' has no attribute 'quote'"),
    ("maxint", "import sys\n\nlargest = sys.maxint\n", "module 'sys' has no attribute 'maxint'"),
    ("imp", "import imp\n", "No module named 'imp'"),
    ("distutils", "from distutils.version import LooseVersion\n", "No module named 'distutils'"),
    ("telnetlib", "import telnetlib\n", "No module named 'telnetlib'"),
    ("crypt", "import crypt\n", "No module named 'crypt'"),
    ("cgi_escape", 'import cgi\n\nsafe = cgi.escape("<b>")\n', "module 'cgi' has no attribute 'escape'"),
)  # fmt: skip

# Of these, what the library had until a newer Python.
NEW = {"imp": (3, 12), "distutils": (3, 12), "telnetlib": (3, 13), "crypt": (3, 13)}

IMPORTED = (
    *(
        Piece(
            f"removed_{name}.py",
            script(f'{text}\nprint("Content-Type: text/plain\\n")\nprint("Hello")\n'),
            cause="removed-module",
            before="removed-module",
            says=says,
            python=NEW.get(name, (3, 11)),
        )
        for name, text, says in REMOVED
    ),
    Piece(
        "removed_in_a_function.py",
        script(
            r"""
            '''Reads a page of the city.'''


            def page(address):
                import urllib2
                return urllib2.urlopen(address).read()


            if __name__ == "__main__":
                text = page("http://localhost/")
                print("Content-Type: text/html\n")
                print(text)
            """
        ),
        cause="removed-module",
        before="removed-module",
        says="ModuleNotFoundError: No module named 'urllib2'",
    ),
    Piece(
        "removed_in_a_neighbour/page.py",
        script(
            r"""
            from layout import page

            print("Content-Type: text/html\n")
            print(page("Hello"))
            """
        ),
        neighbours={
            "removed_in_a_neighbour/layout.py": b"import HTMLParser\n\n\ndef page(text):\n    return f'<p>{text}'\n"
        },
        cause="removed-module",
        says="ModuleNotFoundError: No module named 'HTMLParser'",
    ),
    Piece(
        "missing_requests.py",
        script(
            r"""
            import requests

            print("Content-Type: text/plain\n")
            print(requests.get("http://localhost/").status_code)
            """
        ),
        cause="missing-module",
        says="ModuleNotFoundError: No module named 'requests'",
    ),
    Piece(
        "missing_connector.py",
        script(
            r"""
            import mysql.connector

            print("Content-Type: text/plain\n")
            """
        ),
        cause="missing-module",
        says="ModuleNotFoundError: No module named 'mysql'",
    ),
    Piece(
        "missing_neighbour.py",
        script(
            r"""
            from my_templates import header

            print(header("text/html"))
            """
        ),
        cause="missing-module",
        says="ModuleNotFoundError: No module named 'my_templates'",
    ),
    Piece(
        "missing_both.py",
        script(
            r"""
            try:
                import simplejson as parser
            except ImportError:
                import ujson as parser

            print("Content-Type: application/json\n")
            print(parser.dumps({}))
            """
        ),
        cause="missing-module",
        says="ModuleNotFoundError: No module named 'ujson'",
    ),
    Piece(
        "shadowed_random/dice.py",
        script(
            r"""
            import random

            print("Content-Type: text/plain\n")
            print(random.randint(1, 6))
            """
        ),
        neighbours={"shadowed_random/random.py": script('print("Content-Type: text/plain\\n")\nprint(4)\n')},
        cause="shadowed-module",
        before="shadowed-module",
        # The neighbour is a script itself, and printed its headers; then its namesake's function was missing.
        status=200,
        says="AttributeError: module 'random' has no attribute 'randint'",
    ),
    Piece(
        "shadowed_json/answer.py",
        script(
            r"""
            import json

            data = json.dumps({"answer": 42})
            print("Content-Type: application/json\n")
            print(data)
            """
        ),
        neighbours={"shadowed_json/json.py": b"ANSWER = 42\n"},
        cause="shadowed-module",
        before="shadowed-module",
        says="AttributeError: module 'json' has no attribute 'dumps'",
    ),
    Piece(
        "shadowed_datetime/clock.py",
        script(
            r"""
            from datetime import datetime

            print("Content-Type: text/plain\n")
            print(datetime.now())
            """
        ),
        neighbours={"shadowed_datetime/datetime.py": b"def today():\n    return 'Monday'\n"},
        cause="shadowed-module",
        before="shadowed-module",
        says="ImportError: cannot import name 'datetime' from 'datetime'",
    ),
    # Its own name: it imports itself, and while it does, prints nothing.
    Piece(
        "shadowed_itself/cgi.py",
        script(
            r"""
            import cgi

            form = cgi.FieldStorage()
            print("Content-Type: text/plain\n")
            print(form.getfirst("name", "nobody"))
            """
        ),
        cause="shadowed-module",
        before="shadowed-module",
        says="has no attribute 'FieldStorage'",
    ),
    # The name is needed by another module of the standard library.
    Piece(
        "shadowed_for_another/form.py",
        script(
            r"""
            import cgi

            form = cgi.FieldStorage()
            print("Content-Type: text/plain\n")
            print(sorted(form))
            """
        ),
        neighbours={"shadowed_for_another/email.py": b"SENDER = 'anna@localhost'\n"},
        cause="shadowed-module",
        says="No module named 'email.parser'; 'email' is not a package",
    ),
    Piece(
        "shadowed_broken/sender.py",
        script(
            r"""
            import string

            print("Content-Type: text/plain\n")
            print(string.ascii_letters)
            """
        ),
        neighbours={"shadowed_broken/string.py": b"letters = 'abc'\n"},
        cause="shadowed-module",
        before="shadowed-module",
        status=200,
        says="AttributeError: module 'string' has no attribute 'ascii_letters'",
    ),
)

# --- The script runs -----------------------------------------------------------------------------

# What belongs together stays on a line: the formatter would give each its own.
PYTHON_2_NAMES = (
    ("raw_input", 'name = raw_input("Name? ")\n', "name 'raw_input' is not defined"),
    ("unicode", 'title = unicode("Hello")\n', "name 'unicode' is not defined"),
    ("xrange", "squares = [n * n for n in xrange(5)]\n", "name 'xrange' is not defined"),
    ("basestring", 'if isinstance("x", basestring):\n    pass\n', "name 'basestring' is not defined"),
    ("unichr", "euro = unichr(8364)\n", "name 'unichr' is not defined"),
    ("reduce", "total = reduce(lambda a, b: a + b, [1, 2, 3])\n", "name 'reduce' is not defined"),
    ("file", 'page = file("/etc/hostname").read()\n', "name 'file' is not defined"),
    ("long", "count = long(12)\n", "name 'long' is not defined"),
    ("has_key", 'form = {"name": "Anna"}\nif form.has_key("name"):\n    pass\n', "'dict' object has no attribute 'has_key'"),
    ("form_has_key", 'import cgi\n\nform = cgi.FieldStorage()\nif form.has_key("name"):\n    pass\n', "has_key"),
    ("iteritems", 'import os\n\nfor name, value in os.environ.copy().iteritems():\n    pass\n', "'iteritems'"),
)  # fmt: skip


def page(text: str, shebang: str = ENV) -> bytes:
    """Return a script that prints its headers, hands them over, and goes on with this text."""
    return script('import sys\n\nprint("Content-Type: text/html\\n")\nsys.stdout.flush()\n', shebang) + script(
        text, ""
    ).removeprefix(b"\n")


RAN = (
    *(
        Piece(
            f"python2_name_{name}.py",
            script(f'{text}print("Content-Type: text/plain\\n")\nprint("Hello")\n'),
            cause="python-2-name",
            before="python-2-name",
            says=says,
        )
        for name, text, says in PYTHON_2_NAMES
    ),
    Piece(
        "raises_at_once.py",
        script(
            r"""
            '''Counts. Once it read: print "Content-Type: text/plain" '''

            total = 1 / 0
            print("Content-Type: text/plain\n")
            print(total)
            """
        ),
        cause="exception-before-headers",
        says="ZeroDivisionError: division by zero",
    ),
    Piece(
        "raises_in_a_function.py",
        script(
            r"""
            import os


            class Visitor:
                def __init__(self, environment):
                    self.name = environment["HTTP_X_NAME"]

                def page(self):
                    return f"Content-Type: text/plain\n\nHello {self.name}"


            if __name__ == "__main__":
                print(Visitor(os.environ).page())
            """
        ),
        cause="exception-before-headers",
        says="KeyError: 'HTTP_X_NAME'",
    ),
    Piece(
        "misspelt_name.py",
        script('headers = "Content-Type: text/plain\\n"\nprint(heeders)\n'),
        cause="exception-before-headers",
        says="NameError: name 'heeders' is not defined. Did you mean: 'headers'?",
    ),
    Piece(
        "no_such_file.py",
        script(
            r"""
            from pathlib import Path

            text = Path("data/visitors.txt").read_text()
            print("Content-Type: text/plain\n")
            print(text)
            """
        ),
        cause="exception-before-headers",
        says="FileNotFoundError: [Errno 2] No such file or directory: 'data/visitors.txt'",
    ),
    Piece(
        "may_not_read.py",
        script(
            r"""
            passwords = open("/etc/shadow").read()
            print("Content-Type: text/plain\n")
            """
        ),
        cause="exception-before-headers",
        says="PermissionError: [Errno 13] Permission denied: '/etc/shadow'",
    ),
    Piece(
        "no_length_of_a_get.py",
        script(
            r"""
            import os, sys

            body = sys.stdin.read(int(os.environ["CONTENT_LENGTH"]))
            sys.stdout.write("Content-Type: text/plain\n\n" + body)
            """
        ),
        cause="exception-before-headers",
        says="KeyError: 'CONTENT_LENGTH'",
    ),
    Piece(
        "not_a_number.py",
        script(
            r"""
            import cgi

            age = int(cgi.FieldStorage().getfirst("age"))
            print("Content-Type: text/plain\n")
            print(age + 1)
            """
        ),
        request=Request(query="age=forty"),
        cause="exception-before-headers",
        says="ValueError: invalid literal for int() with base 10: 'forty'",
    ),
    Piece(
        "endless_recursion.py",
        script("def depth(n):\n    return depth(n + 1)\n\nprint(depth(0))\n"),
        cause="exception-before-headers",
        says="RecursionError: maximum recursion depth exceeded",
    ),
    Piece(
        "a_second_exception.py",
        script(
            r"""
            try:
                [].pop()
            except IndexError as error:
                print("Content-Type: text/plain\n", messages[error])
            """
        ),
        cause="exception-before-headers",
        says="NameError: name 'messages' is not defined",
    ),
    Piece(
        "multi_line_message.py",
        script(
            r"""
            class OrderError(Exception):
                pass

            raise OrderError("the order is wrong:\nContent-Type: text/plain\n\nModuleNotFoundError: No module named 'x'")
            """
        ),
        cause="exception-before-headers",
        says="OrderError: the order is wrong:",
    ),
    # Its headers are not at their end when it fails.
    Piece(
        "raises_between_headers.py",
        script(
            r"""
            print("Content-Type: text/plain")
            count = [1, 2, 3][3]
            print("X-Count:", count)
            print()
            """
        ),
        cause="exception-before-headers",
        says="IndexError: list index out of range",
    ),
    Piece(
        "raises_after_headers.py",
        script('print("Content-Type: text/html\\n")\nnumbers = {}\nprint(numbers["two"])\n'),
        cause="exception-after-headers",
        status=200,
        says="KeyError: 'two'",
    ),
    Piece(
        "raises_after_headers_in_a_class.py",
        script(
            r'''
            """A page made of parts."""
            import sys


            class Page:
                def __init__(self, title):
                    self.title = title

                def __enter__(self):
                    sys.stdout.write("Content-Type: text/html; charset=utf-8\n\n")
                    return self

                def __exit__(self, *problem):
                    return False

                def show(self):
                    sys.stdout.write(f"<h1>{self.titel}</h1>")


            with Page("Hello") as page:
                page.show()
            '''
        ),
        cause="exception-after-headers",
        status=200,
        says="AttributeError: 'Page' object has no attribute 'titel'",
    ),
    Piece(
        "raises_within_the_body.py",
        script(
            r"""
            print("Content-Type: text/html\n")
            print("<table>")
            for divisor in (2, 1, 0):
                print(f"<tr><td>{10 / divisor}")
            print("</table>")
            """
        ),
        cause="exception-after-body",
        status=200,
        says="ZeroDivisionError: division by zero",
    ),
    Piece(
        "raises_after_a_flushed_body.py",
        page('print("<h1>The list</h1>", flush=True)\nassert False, "no list yet"\n'),
        cause="exception-after-body",
        status=200,
        says="AssertionError: no list yet",
    ),
    Piece(
        "raises_after_a_status_of_its_own.py",
        script(
            'print("Status: 404 Not Found\\nContent-Type: text/plain\\n\\nNo such book.")\nraise LookupError("book")\n'
        ),
        cause="exception-after-body",
        status=404,
        own_body=True,
        says="LookupError: book",
    ),
    Piece(
        "output_is_ascii.py",
        script(
            """
            import sys

            sys.stdout.reconfigure(encoding="ascii")
            print("Content-Type: text/plain\\n")
            print("caf\u00e9")
            """
        ),
        cause="text-encoding",
        status=200,
        says="UnicodeEncodeError: 'ascii' codec can't encode character",
    ),
    Piece(
        "output_is_latin_1.py",
        script(
            """
            import io, sys

            out = io.TextIOWrapper(sys.stdout.buffer, encoding="latin-1")
            out.write("Content-Type: text/plain; charset=iso-8859-1\\n\\nIt costs 3 \u20ac.\\n")
            out.flush()
            """
        ),
        cause="text-encoding",
        says="UnicodeEncodeError: 'latin-1' codec can't encode character",
    ),
    Piece(
        "lone_surrogate.py",
        script(
            r"""
            page = "Content-Type: text/plain\n\n" + "smile: \ud83d"
            print(page)
            """
        ),
        cause="text-encoding",
        says="UnicodeEncodeError: 'utf-8' codec can't encode character",
    ),
    Piece(
        "writes_a_counter.py",
        script(
            r"""
            with open("counter.txt", "w") as file:
                file.write("1")
            print("Content-Type: text/plain\n")
            """
        ),
        cause="read-only-place",
        says="OSError: [Errno 30] Read-only file system: 'counter.txt'",
    ),
    Piece(
        "writes_beside_itself.py",
        script(
            r"""
            import logging

            logging.basicConfig(filename="/srv/cgi-bin/visits.log", level=logging.INFO)
            logging.info("a visit")
            print("Content-Type: text/plain\n\nHello")
            """
        ),
        cause="read-only-place",
        says="OSError: [Errno 30] Read-only file system: '/srv/cgi-bin/visits.log'",
    ),
    Piece(
        "makes_a_folder.py",
        script(
            r"""
            import os

            os.makedirs("/srv/cgi-bin/uploads", exist_ok=True)
            print("Content-Type: text/plain\n\nready")
            """
        ),
        cause="read-only-place",
        says="OSError: [Errno 30] Read-only file system: '/srv/cgi-bin/uploads'",
    ),
    Piece(
        "appends_to_etc.py",
        script('open("/etc/hosts.mine", "a").write("x")\nprint("Content-Type: text/plain\\n\\nwritten")\n'),
        cause="read-only-place",
        says="[Errno ",
    ),
    Piece(
        "writes_after_headers.py",
        page('from pathlib import Path\n\nPath("/srv/www/guests.html").write_text("Anna")\n'),
        cause="read-only-place",
        status=200,
        says="OSError: [Errno 30] Read-only file system: '/srv/www/guests.html'",
    ),
    Piece(
        "no_database.py",
        script(
            r"""
            import socket

            connection = socket.create_connection(("127.0.0.1", 3306), timeout=3)
            print("Content-Type: text/plain\n")
            """
        ),
        cause="network-refused",
        says="ConnectionRefusedError: [Errno 111] Connection refused",
    ),
    Piece(
        "no_service.py",
        script(
            r"""
            from urllib.request import urlopen

            print("Content-Type: application/json\n")
            print(urlopen("http://127.0.0.1:8000/prices").read())
            """
        ),
        cause="network-refused",
        status=200,
        says="urllib.error.URLError: <urlopen error [Errno 111] Connection refused>",
    ),
    Piece(
        "no_such_host.py",
        script('import socket\n\nsocket.create_connection(("database.invalid", 5432))\n'),
        cause="outside-closed",
        says="socket.gaierror: [Errno -",
    ),
    Piece(
        "binds_port_80.py",
        script(
            r"""
            import http.server

            server = http.server.HTTPServer(("", 80), http.server.CGIHTTPRequestHandler)
            server.serve_forever()
            """
        ),
        cause="network-refused",
        says="OSError: [Errno 98] Address already in use",
    ),
    Piece(
        "asks_at_a_terminal.py",
        script(
            r"""
            name = input()
            print("Content-Type: text/plain\n")
            print("Hello", name)
            """
        ),
        cause="input-missing",
        says="EOFError: EOF when reading a line",
    ),
    # What input() prompts with is the first that it prints.
    Piece(
        "asks_with_a_prompt.py",
        script('print("Content-Type: text/plain\\n")\nprint("Hello", input("What is your name? "))\n'),
        cause="input-missing",
        status=200,
        says="EOFError: EOF when reading a line",
    ),
    Piece(
        "asks_twice.py",
        script('first, second = input(), input()\nprint("Content-Type: text/plain\\n")\nprint(first, second)\n'),
        request=Request("POST", body=b"only one line\n"),
        cause="input-missing",
        says="EOFError: EOF when reading a line",
    ),
    Piece(
        "memory_error.py",
        script(
            r"""
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (200_000_000, 200_000_000))
            kept = []
            while True:
                kept.append("x" * 10_000_000)
            """
        ),
        cause="memory-limit",
        says="MemoryError",
    ),
    Piece(
        "endless_list.py",
        script(
            r"""
            numbers = []
            while True:
                numbers.extend([bytearray(b"x" * 20_000_000)])
            print("Content-Type: text/plain\n")
            """
        ),
        cause="memory-limit",
        says=NO_OUTPUT,
        pace="alone",
    ),
    Piece(
        "cpu_limit.py",
        script(
            r"""
            import resource

            resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
            n = 0
            while True:
                n += 1
            """
        ),
        cause="cpu-limit",
        says=NO_OUTPUT,
    ),
    *(
        Piece(f"{name}.py", script(text), cause="killed-by-signal", says=NO_OUTPUT)
        for name, text in (
            ("kills_itself", "import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)\n"),
            ("terminates_itself", "import os\n\nos.kill(os.getpid(), 15)\n"),
            ("aborts", 'import os\n\nprint("Content-Type: text/plain\\n")\nos.abort()\n'),
            ("segmentation_fault", "import ctypes\n\nctypes.string_at(0)\n"),
            ("alarm", "import signal, time\n\nsignal.setitimer(signal.ITIMER_REAL, 0.1)\ntime.sleep(5)\n"),
        )
    ),
    Piece(
        "kills_itself.sh",
        b"#!/bin/sh\nkill -9 $$\necho 'Content-Type: text/plain'\necho\n",
        cause="killed-by-signal",
        says=NO_OUTPUT,
    ),
    *(
        Piece(f"{name}.py", script(text), cause="exit-before-output", says=NO_OUTPUT)
        for name, text in (
            ("exit_code_3", 'import sys\n\nsys.exit(3)\nprint("Content-Type: text/plain\\n")\n'),
            (
                "exit_without_a_word",
                'import sys\n\nif len(sys.argv) < 2:\n    sys.exit()\nprint("Content-Type: text/plain\\n")\n',
            ),
            ("exit_code_0", "raise SystemExit(0)\n"),
            ("exit_with_a_message", 'import sys\n\nsys.exit("usage: report FILE")\n'),
            ("exit_at_once", 'import os\n\nprint("Content-Type: text/plain\\n")\nprint("Hello")\nos._exit(3)\n'),
            ("exit_loses_the_output", 'import os\n\nprint("Content-Type: text/plain\\n\\nHello")\nos._exit(0)\n'),
            (
                "arguments_wanted",
                'import argparse\n\nparser = argparse.ArgumentParser()\nparser.add_argument("file")\nparser.parse_args()\n',
            ),
            (
                "gives_up_without_a_driver",
                'import sys\n\ntry:\n    import MySQLdb\nexcept ImportError:\n    sys.exit("no driver for the database")\nprint("Content-Type: text/plain\\n")\n',
            ),
        )
    ),
    Piece(
        "exit_code_7.sh",
        b"#!/bin/sh\n[ -n \"$HTTP_X_TOKEN\" ] || exit 7\necho 'Content-Type: text/plain'\necho\n",
        cause="exit-before-output",
        says=NO_OUTPUT,
    ),
    Piece(
        "never_called.py",
        script(
            r"""
            def main():
                print("Content-Type: text/plain\n")
                print("Hello")
            """
        ),
        cause="no-output",
        says=NO_OUTPUT,
    ),
    Piece(
        "other_main.py",
        script(
            r"""
            def main():
                print("Content-Type: text/plain\n")

            if __name__ == "main":
                main()
            """
        ),
        cause="no-output",
        says=NO_OUTPUT,
    ),
    Piece("shebang_alone.py", f"{ENV}\n".encode(), cause="no-output", says=NO_OUTPUT),
    Piece("silent.sh", b"#!/bin/sh\ntrue\n", cause="no-output", says=NO_OUTPUT),
    Piece(
        "replaced_output.py",
        script(
            r"""
            import io, sys

            sys.stdout = io.StringIO()
            print("Content-Type: text/plain\n")
            print("Hello")
            """
        ),
        cause="no-output",
        says=NO_OUTPUT,
    ),
    Piece(
        "wrong_stream.py",
        script(
            r"""
            import sys

            print("Content-Type: text/plain\n", file=sys.stderr)
            print("Hello", file=sys.stderr)
            """
        ),
        cause="only-stderr",
        says=NO_OUTPUT,
    ),
    Piece(
        "only_logs.py",
        script(
            r"""
            import logging

            logging.basicConfig(level="INFO")
            logging.info("Content-Type: text/html")
            logging.info("")
            logging.info("<p>Hello")
            """
        ),
        cause="only-stderr",
        says="INFO:root:Content-Type: text/html",
    ),
    Piece(
        "wrong_stream.sh",
        b"#!/bin/sh\n{ echo 'Content-Type: text/plain'; echo; echo Hello; } >&2\n",
        cause="only-stderr",
        says="Hello",
    ),
    Piece(
        "command_not_found.sh",
        b"#!/bin/sh -e\nfortune >/tmp/fortune\necho 'Content-Type: text/plain'\necho\ncat /tmp/fortune\n",
        cause="program-failed",
        says="fortune: not found",
    ),
    Piece(
        "command_not_found.bash",
        b"#!/bin/bash\nset -euo pipefail\ntext=$(figlet Hello)\nprintf 'Content-Type: text/plain\\n\\n%s\\n' \"$text\"\n",
        cause="program-failed",
        says="figlet: command not found",
    ),
    Piece(
        "unfinished_if.sh",
        b"#!/bin/sh\nif [ \"$REQUEST_METHOD\" = GET ]; then\n    echo 'Content-Type: text/plain'\n    echo\n",
        cause="program-failed",
        says="Syntax error: end of file unexpected",
    ),
    Piece(
        "unfinished_quote.bash",
        b"#!/bin/bash\necho 'Content-Type: text/plain\necho\n",
        cause="program-failed",
        says="unexpected EOF while looking for matching",
    ),
    Piece(
        "unset_variable.sh",
        b"#!/bin/sh\nset -u\nname=$HTTP_X_NAME\nprintf 'Content-Type: text/plain\\n\\nHello %s\\n' \"$name\"\n",
        cause="program-failed",
        says="HTTP_X_NAME: parameter not set",
    ),
    Piece(
        "syntax.awk",
        b'#!/usr/bin/awk -f\nBEGIN {\n    print "Content-Type: text/plain\\n"\n    print 6 *\n}\n',
        cause="program-failed",
        says="awk: ",
    ),
    Piece(
        "syntax.sed",
        b"#!/bin/sed -nf\n1i Content-Type: text/plain\ny/abc/de/\n",
        cause="program-failed",
        says="strings for `y' command are different lengths",
    ),
    *(
        Piece(
            f"{name}.py",
            script(text),
            cause="timeout-before-headers",
            status=504,
            says=f"Script timed out before returning headers: {name}.py",
            pace=pace,
        )
        for name, text, pace in (
            ("sleeps", 'import time\n\ntime.sleep(30)\nprint("Content-Type: text/plain\\n")\n', "sleeping"),
            (
                "unflushed_and_sleeps",
                'import time\n\nprint("Content-Type: text/plain\\n\\nHello")\ntime.sleep(30)\n',
                "sleeping",
            ),
            (
                "waits_for_a_caller",
                'import socket\n\nserver = socket.create_server(("127.0.0.1", 0))\nserver.accept()\n',
                "sleeping",
            ),
            (
                "waits_for_a_child",
                'import subprocess\n\nsubprocess.run(["sleep", "30"])\nprint("Content-Type: text/plain\\n")\n',
                "sleeping",
            ),
            (
                "waits_for_itself",
                "import threading\n\nlock = threading.Lock()\nwith lock, lock:\n    pass\n",
                "sleeping",
            ),
            ("endless_loop", 'n = 0\nwhile n < 10:\n    m = n + 1\nprint("Content-Type: text/plain\\n")\n', "busy"),
        )
    ),
    *(
        Piece(
            f"{name}.py",
            content,
            cause="timeout-after-headers",
            status=200,
            says="AH01220: Timeout waiting for output from CGI script",
            pace=pace,
        )
        for name, content, pace in (
            ("sleeps_after_headers", page("import time\n\ntime.sleep(30)\n"), "sleeping"),
            (
                "sleeps_within_the_body",
                page('import time\n\nprint("<h1>Wait", flush=True)\ntime.sleep(30)\n'),
                "sleeping",
            ),
            ("loops_after_headers", page("while True:\n    pass\n"), "busy"),
        )
    ),
)

# --- httpd reads the output ----------------------------------------------------------------------

OUTPUT = (
    *(
        Piece(name, content, cause="body-before-headers", says=f"{MALFORMED}'{name}': Bad header: {says}")
        for name, content, says in (
            (
                "page_first.py",
                script('print("<html><body>")\nprint("Content-Type: text/html\\n")\nprint("</body></html>")\n'),
                "<html><body>",
            ),
            ("page_alone.py", script('print("<h1>Hello</h1>")\n'), "<h1>Hello</h1>"),
            (
                "document_type_first.py",
                script('import sys\n\nsys.stdout.write("""<!DOCTYPE html>\n<title>Hello</title>\n""")\n'),
                "<!DOCTYPE html>",
            ),
            ("text_alone.py", script('print("Hello, world!")\n'), "Hello, world!"),
            ("text_alone.sh", b"#!/bin/sh\necho Hello\n", "Hello"),
            ("data_alone.py", script('import json\n\nprint(json.dumps(["a", "b"]))\n'), '["a", "b"]'),
        )
    ),
    *(
        Piece(name, content, cause="malformed-header", says=f"{MALFORMED}'{name}': Bad header: {says}")
        for name, content, says in (
            (
                "debug_print.py",
                script(
                    'import os\n\nprint(os.environ["REQUEST_METHOD"])\nprint("Content-Type: text/plain\\n")\nprint("Hello")\n'
                ),
                "GET",
            ),
            (
                "debug_print_in_a_function.py",
                script(
                    'def add(a, b):\n    print("adding", a, b)\n    return a + b\n\n\ntotal = add(2, 3)\nprint("Content-Type: text/plain\\n")\nprint(total)\n'
                ),
                "adding 2 3",
            ),
            (
                "missing_header_colon.py",
                script('print("Content-Type text/html\\n")\nprint("<p>Hello")\n'),
                "Content-Type text/html",
            ),
            (
                "equals_for_a_colon.py",
                script('print("Content-Type=text/html")\nprint()\nprint("<p>Hello")\n'),
                "Content-Type=text/html",
            ),
            ("semicolon_for_a_colon.py", script('print("Content-Type; text/html\\n")\n'), "Content-Type; text/html"),
            ("media_type_alone.py", script('print("text/html\\n")\nprint("<p>Hello")\n'), "text/html"),
            (
                "debug_between_headers.py",
                script(
                    'import sys\n\nprint("Content-Type: text/plain")\nprint(len(sys.argv), "arguments")\nprint("X-Lesson: 12\\n")\nprint("Hello")\n'
                ),
                "1 arguments",
            ),
            (
                "folded_header.py",
                script('print("Content-Type: text/plain")\nprint("X-Words: one,")\nprint(" two")\nprint()\n'),
                " two",
            ),
        )
    ),
    Piece(
        "headers_as_a_dictionary.py",
        script('headers = {"Content-Type"}\nprint(headers)\nprint()\nprint("Hello")\n'),
        cause="malformed-header",
        says="Bad header: {'Content-Type'}",
    ),
    # A module that prints when it is imported.
    Piece(
        "neighbour_prints/page.py",
        script('import tools\n\nprint("Content-Type: text/plain\\n")\nprint(tools.double(4))\n'),
        neighbours={
            "neighbour_prints/tools.py": b"def double(n):\n    return 2 * n\n\n\nprint('testing', double(2))\n"
        },
        cause="malformed-header",
        says="Bad header: testing 4",
    ),
    *(
        Piece(name, content, cause="no-blank-line", says=says)
        for name, content, says in (
            ("header_alone.py", script('print("Content-Type: text/html")\n'), PREMATURE),
            (
                "two_headers_alone.py",
                script(
                    'import sys\n\nsys.stdout.write("Content-Type: text/html\\n")\nsys.stdout.write("X-Lesson: 12\\n")\n'
                ),
                PREMATURE,
            ),
            (
                "body_at_once.py",
                script('print("Content-Type: text/html")\nprint("<h1>Hello</h1>")\n'),
                f"{MALFORMED}'body_at_once.py': Bad header: <h1>Hello</h1>",
            ),
            (
                "text_at_once.py",
                script('name = "Anna"\nprint("Content-type:text/plain")\nprint(f"Hello {name}, how are you?")\n'),
                "Bad header: Hello Anna, how are you?",
            ),
            (
                "carriage_return_and_body.py",
                script('print("Content-Type: text/html\\r")\nprint("<!doctype html>")\n'),
                "Bad header: <!doctype html>",
            ),
            (
                "escaped_line_break.py",
                script('print(r"Content-Type: text/html\\n\\n")\nprint("<p>Hello")\n'.replace("\\\\", "\\")),
                "Bad header: <p>Hello",
            ),
            ("slashes.py", script('print("Content-Type: text/html/n/n")\nprint("<p>Hello")\n'), "Bad header: <p>Hello"),
            (
                "blank_line_of_spaces.py",
                script('print("Content-Type: text/html")\nprint("    ")\nprint("<p>Hello")\n'),
                "Bad header:     ",
            ),
            (
                "echo_of_bash.sh",
                b'#!/bin/bash\necho "Content-Type: text/plain\\n\\n"\necho Hello\n',
                "Bad header: Hello",
            ),
            ("header_without_end.py", script('print("Content-Type: text/html", end="")\n'), NO_OUTPUT),
            (
                "empty_end.py",
                script('print("Content-Type: text/html\\n", end="")\nprint("<p>Hello", end="")\n'),
                PREMATURE,
            ),
        )
    ),
    *(
        Piece(name, content, cause="header-characters", says=says)
        for name, content, says in (
            (
                "space_in_a_name.py",
                script('print("Content Type: text/html\\n")\nprint("<p>Hello")\n'),
                "AH02429: Response header name 'Content Type' contains invalid characters",
            ),
            (
                "space_before_the_colon.py",
                script('print("Content-Type: text/html")\nprint("X-Lesson : 12\\n")\n'),
                "AH02429: Response header name 'X-Lesson ' contains invalid characters",
            ),
            (
                "umlaut_in_a_name.py",
                script('print("Content-Type: text/html\\nGr\u00f6\u00dfe: 12\\n")\n'),
                "AH02429: Response header name 'Größe' contains invalid characters",
            ),
            (
                "control_in_a_value.py",
                script('print("Content-Type: text/html\\nX-Color: \\x1b[31mred\\n")\n'),
                "AH02430: Response header 'X-Color' value of '\x1b[31mred' contains invalid characters",
            ),
            (
                "no_name.py",
                script('name = ""\nprint("Content-Type: text/html")\nprint(f"{name}: 12\\n")\n'),
                "AH02428: Empty response header name",
            ),
            # A comma behind a text is no header.
            (
                "json_headers.py",
                script('import json\n\nprint(json.dumps({"Content-Type": "text/html"}))\nprint()\n'),
                "AH02429: ",
            ),
        )
    ),
    Piece(
        "long_cookie.py",
        script(
            r"""
            print("Content-Type: text/plain")
            print("Set-Cookie: basket=" + "x" * 10_000)
            print()
            print("Hello")
            """
        ),
        cause="header-too-long",
        says=f"{PREMATURE}long_cookie.py",
    ),
    Piece(
        "long_location.py",
        script(
            'import sys\n\nsys.stdout.write("Location: http://localhost/?" + "&".join(map(str, range(3000))) + "\\n\\n")\n'
        ),
        cause="header-too-long",
        says=NO_OUTPUT,
    ),
    Piece(
        "no_content_type.py",
        script('print("X-Lesson: 12\\n")\nprint("<p>Hello")\n'),
        cause="content-type-missing",
        status=200,
    ),
    Piece(
        "status_alone.py",
        script('print("Status: 200 OK")\nprint()\nprint("<p>Hello")\n'),
        cause="content-type-missing",
        status=200,
    ),
    Piece(
        "content_type_misspelt.py",
        script('print("Contet-Type: text/html\\n")\nprint("<p>Hello")\n'),
        cause="content-type-missing",
        status=200,
    ),
    Piece(
        "print_first.py",
        script('print()\nprint("Content-Type: text/html\\n")\nprint("<p>Hello")\n'),
        cause="blank-line-first",
        status=200,
    ),
    Piece(
        "page_in_quotes.py",
        script('print("""\nContent-Type: text/html\n\n<p>Hello\n""")\n'),
        cause="blank-line-first",
        status=200,
    ),
    *(
        Piece(f"{name}.py", script(text), cause="content-length-wrong", status=200)
        for name, text in (
            ("length_too_small", 'print("Content-Type: text/plain\\nContent-Length: 3\\n\\nHello", end="")\n'),
            ("length_too_large", 'print("Content-Type: text/plain\\nContent-Length: 300\\n\\nHello", end="")\n'),
            (
                "length_of_characters",
                'text = "\u00e9t\u00e9"\nprint(f"Content-Type: text/plain\\nContent-Length: {len(text)}\\n\\n{text}", end="")\n',
            ),
            ("length_is_no_number", 'print("Content-Type: text/plain\\nContent-Length: five\\n\\nHello", end="")\n'),
        )
    ),
    *(
        Piece(f"{name}.py", script(text), cause="unflushed-output", says=says)
        for name, text, says in (
            (
                "system",
                'import os\n\nprint("Content-Type: text/plain\\n")\nos.system("echo Hello from the shell")\n',
                "Bad header: Hello from the shell",
            ),
            (
                "run",
                'import subprocess\n\nprint("Content-Type: text/plain\\n")\nprint("The accounts:")\nsubprocess.run(["cat", "/etc/hostname"], check=True)\n',
                MALFORMED,
            ),
            (
                "call",
                'from subprocess import call\n\nprint("Content-Type: text/plain\\n")\ncall("uname", shell=True)\n',
                "Bad header: Linux",
            ),
            # The time holds colons, so that it passes for a header at first.
            (
                "date",
                'import os\n\nprint("Content-Type: text/plain\\n")\nos.system("date")\n',
                "AH02429: Response header name '",
            ),
            (
                "buffer",
                'import sys\n\nprint("Content-Type: text/plain\\n")\nsys.stdout.buffer.write(b"Hello\\n")\nsys.stdout.buffer.flush()\n',
                "Bad header: Hello",
            ),
            (
                "write",
                'import os\n\nprint("Content-Type: text/plain\\n")\nos.write(1, b"Hello\\n")\n',
                "Bad header: Hello",
            ),
        )
    ),
    # To these httpd itself answers 500, and still sends the script's body.
    *(
        Piece(
            f"{name}.py",
            script(f'print("{line}\\nContent-Type: text/plain\\n\\nHello")\n'),
            cause="status-malformed",
            own_body=True,
            says=f"Invalid status line from script '{name}.py': {says}",
        )
        for name, line, says in (
            ("status_of_letters", "Status: abc", "abc"),
            ("status_too_low", "Status: 99 Bottles", "99 Bottles"),
            ("status_too_high", "Status: 1000", "1000"),
            ("status_reversed", "Status: OK 200", "OK 200"),
            ("status_empty", "Status:", ""),
            ("status_with_protocol", "Status: HTTP/1.1 200 OK", "HTTP/1.1 200 OK"),
        )
    ),
    Piece(
        "http_first.py",
        script('print("HTTP/1.1 200 OK")\nprint("Content-Type: text/html\\n")\nprint("<p>Hello")\n'),
        cause="nph-confusion",
        says=f"{MALFORMED}'http_first.py': Bad header: HTTP/1.1 200 OK",
    ),
    Piece(
        "http_1_0_first.py",
        script(
            'import sys\n\nsys.stdout.write("HTTP/1.0 404 Not Found\\r\\nContent-Type: text/plain\\r\\n\\r\\nNo.")\n'
        ),
        cause="nph-confusion",
        says="Bad header: HTTP/1.0 404 Not Found",
    ),
    Piece(
        "nph-page.py",
        script('print("Content-Type: text/html\\n")\nprint("<p>Hello")\n'),
        cause="nph-confusion",
        status=None,
    ),
)

# --- Two faults: the first one counts ------------------------------------------------------------

TWO = (
    Piece(
        "two_mode_and_crlf.py",
        crlf(HELLO),
        mode=0o644,
        cause="not-executable",
        before="not-executable",
        says=EXEC_DENIED,
    ),
    Piece(
        "two_crlf_and_python2.py",
        crlf(script('print "Content-Type: text/plain\\n"\n')),
        cause="windows-line-endings",
        before="windows-line-endings",
        says="env: \u2018python3\\r\u2019: No such file or directory",
    ),
    Piece(
        "two_interpreter_and_syntax.py",
        script('print("Content-Type: text/plain\\n"\n', "#!/usr/local/bin/python3"),
        cause="interpreter-missing",
        before="interpreter-missing",
        says=EXEC_MISSING,
    ),
    Piece(
        "two_python2_and_module.py",
        script('import urllib2\n\nprint "Content-Type: text/plain\\n"\n'),
        cause="python-2-syntax",
        before="python-2-syntax",
        says="SyntaxError: Missing parentheses",
    ),
    Piece(
        "two_module_and_name.py",
        script('import ConfigParser\n\nprint("Content-Type: text/plain\\n")\nprint(unicode("x"))\n'),
        cause="removed-module",
        before="removed-module",
        says="ModuleNotFoundError: No module named 'ConfigParser'",
    ),
    Piece(
        "two_exception_and_blank_line.py",
        script('total = sum("12")\nprint("Content-Type: text/plain")\nprint(total)\n'),
        cause="exception-before-headers",
        says="TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    ),
    Piece(
        "two_debug_and_exception.py",
        script('print("starting up")\nvalue = int("twelve")\nprint("Content-Type: text/plain\\n")\n'),
        cause="malformed-header",
        says="Bad header: starting up",
    ),
    Piece(
        "two_blank_line_and_length.py",
        script('print("Content-Type: text/plain\\nContent-Length: 99")\nprint("<p>Hello")\n'),
        cause="no-blank-line",
        says="Bad header: <p>Hello",
    ),
    Piece(
        "<img src=x onerror=alert(1)>.py",
        script('print("Content-Type: text/html")\nraise ValueError("<script>alert(1)</script> & <b>")\n'),
        cause="exception-before-headers",
        says="ValueError: <script>alert(1)</script> & <b>",
    ),
    Piece(
        "two_exit_and_status.py",
        script('import sys\n\nprint("a word", file=sys.stderr)\nsys.exit(4)\nprint("Status: abc\\n")\n'),
        cause="exit-before-output",
        says="a word",
    ),
)

ALL = (*PLACES, *STARTS, *PARSED, *IMPORTED, *RAN, *OUTPUT, *TWO, *REFUSED, *WRITTEN_BY_BEGINNERS)

# Of these, too, the source alone tells the cause: what they print can be followed.
TOLD_BY_THE_SOURCE = {
    "blank_line_of_spaces.py",
    "body_at_once.py",
    "buffer.py",
    "call.py",
    "carriage_return_and_body.py",
    "content_type_misspelt.py",
    "date.py",
    "document_type_first.py",
    "echo_of_bash.sh",
    "empty_end.py",
    "equals_for_a_colon.py",
    "escaped_line_break.py",
    "exit_code_0.py",
    "exit_code_3.py",
    "exit_with_a_message.py",
    "folded_header.py",
    "header_alone.py",
    "header_without_end.py",
    "http_1_0_first.py",
    "http_first.py",
    "link_to_nothing.py",
    "long_cookie.py",
    "media_type_alone.py",
    "missing_connector.py",
    "missing_header_colon.py",
    "missing_neighbour.py",
    "missing_requests.py",
    "never_called.py",
    "no_content_type.py",
    "nph-page.py",
    "page_alone.py",
    "page_first.py",
    "page_in_quotes.py",
    "print_first.py",
    "run.py",
    "semicolon_for_a_colon.py",
    "shebang_alone.py",
    "slashes.py",
    "space_before_the_colon.py",
    "space_in_a_name.py",
    "status_alone.py",
    "status_empty.py",
    "status_of_letters.py",
    "status_reversed.py",
    "status_too_high.py",
    "status_too_low.py",
    "status_with_protocol.py",
    "system.py",
    "text_alone.py",
    "text_alone.sh",
    "two_blank_line_and_length.py",
    "two_debug_and_exception.py",
    "two_headers_alone.py",
    "umlaut_in_a_name.py",
    "write.py",
}

BROKEN = tuple(replace(piece, before=piece.cause) if piece.name in TOLD_BY_THE_SOURCE else piece for piece in ALL)
