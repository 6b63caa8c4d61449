"""The command `lab explain`."""

import gzip
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cgilab.__main__ import main
from cgilab.commands import explain
from cgilab.failures.apache_log import Reader, failures

ROOT = Path(__file__).parents[2]
HELLO = "/usr/lib/cgi-bin/hello.py"
OLD = "[Fri Sep 09 10:42:29 2011] [error] [client 192.0.2.7] "
NEW = "[Wed Oct 11 14:32:52.123456 2023] [cgi:error] [pid 9:tid 7] [client 192.0.2.7:5678] "
SAID = f"AH01215: stderr from {HELLO}: "
END = "End of script output before headers: hello.py"
NOT_FOUND = f"{NEW}AH02811: stderr from {HELLO}: script not found or unable to stat\n"
LATER = NOT_FOUND.replace("14:32:52", "16:32:52").replace("5678", "5679")

Type = Callable[[bytes], None]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Give the command a standard input."""

    def give(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))

    return give


def test_a_failure_is_told(typed: Type, capsys: pytest.CaptureFixture[str]) -> None:
    typed(NOT_FOUND.encode())
    assert main(["explain"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{HELLO}  (Wed Oct 11 14:32:52.123456 2023; line 1)"
    assert lines[-1] == "explain: 1 failure in 1 lines"


def test_the_same_failure_is_counted(typed: Type, capsys: pytest.CaptureFixture[str]) -> None:
    typed((NOT_FOUND + LATER).encode())
    assert main(["explain"]) == 1
    assert capsys.readouterr().out.splitlines()[0] == (
        f"{HELLO}  (2 times, first Wed Oct 11 14:32:52.123456 2023, last Wed Oct 11 16:32:52.123456 2023; line 1)"
    )


def test_json(typed: Type, capsys: pytest.CaptureFixture[str]) -> None:
    typed((NOT_FOUND + LATER + NOT_FOUND.replace("hello", "b")).encode())
    assert main(["explain", "--json"]) == 1
    seen = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["script"], one["times"], one["status"], one["lines"]) for one in seen] == [
        (HELLO, 2, 404, [1, 1]),
        ("/usr/lib/cgi-bin/b.py", 1, 404, [3, 3]),
    ]


def test_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "error.log"
    log.write_text(NOT_FOUND, encoding="utf-8")
    assert main(["explain", str(log)]) == 1
    assert capsys.readouterr().out.startswith(HELLO)


FORMS = {
    "gzip": gzip.compress(NOT_FOUND.encode()),
    "UTF-16, little-endian": b"\xff\xfe" + NOT_FOUND.encode("utf-16-le"),
    "UTF-16, big-endian": b"\xfe\xff" + NOT_FOUND.encode("utf-16-be"),
    "UTF-8 with a byte order mark": b"\xef\xbb\xbf" + NOT_FOUND.encode() * 2,
}


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_a_log_of_another_form(content: bytes, typed: Type, capsys: pytest.CaptureFixture[str]) -> None:
    typed(content)
    assert main(["explain"]) == 1
    assert capsys.readouterr().out.startswith(HELLO)


NOTHING = {
    "empty": ("", "explain: standard input is empty"),
    "no failure": (
        "[Wed Oct 11 14:32:52.1 2023] [core:notice] [pid 9] AH00094: Command line: 'apache2'\n",
        "explain: no failure of a CGI script in 1 lines",
    ),
    "no log": ("hello\n", "explain: no line of standard input has the form of an Apache error log"),
    "an access log": (
        '192.0.2.7 - - [11/Oct/2023:14:32:52 +0200] "GET /cgi-bin/hello.py HTTP/1.1" 500 528\n',
        "explain: standard input is an access log, which says that a request failed, but not why.",
    ),
}


@pytest.mark.parametrize(("log", "answer"), NOTHING.values(), ids=NOTHING)
def test_nothing_failed(log: str, answer: str, typed: Type, capsys: pytest.CaptureFixture[str]) -> None:
    typed(log.encode())
    assert main(["explain"]) == 0
    seen = capsys.readouterr()
    assert (seen.out, seen.err.splitlines()[0]) == ("", answer)


def test_a_terminal_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    assert main(["explain"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "There is no log to read.",
        "  Type:  python3 -m cgilab explain /var/log/apache2/error.log",
        "  Or:    docker compose logs web | python3 -m cgilab explain",
    ]


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'none'} cannot be read: No such file or directory.\n"


def test_a_truncated_archive_gives_what_was_in_it(typed: Type, capsys: pytest.CaptureFixture[str]) -> None:
    log = "".join(NOT_FOUND.replace("hello", f"{number:x}") for number in range(1000))
    packed = gzip.compress(log.encode())
    typed(packed[: len(packed) // 2])
    assert main(["explain"]) == 2
    seen = capsys.readouterr()
    assert seen.out.startswith("/usr/lib/cgi-bin/0.py")
    assert seen.err == (
        "standard input cannot be read to its end: Compressed file ended before the end-of-stream marker was reached.\n"
    )


def test_ctrl_c_gives_what_was_found_so_far(
    typed: Type, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_log: object) -> Iterator[bytes]:
        yield NOT_FOUND.encode()
        yield f"{NEW.replace('5678', '5679')}malformed header from script 'b.py': Bad header: x\n".encode()
        raise KeyboardInterrupt

    monkeypatch.setattr(explain, "_blocks", interrupted)
    typed(b"")
    assert main(["explain", "--json"]) == 1
    seen = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["script"], one["times"]) for one in seen] == [(HELLO, 1), ("b.py", 1)]


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    log.write_text("".join(NOT_FOUND.replace("hello", f"{number:x}") for number in range(2000)), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "cgilab", "explain", str(log)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_more_kinds_than_are_kept(
    typed: Type, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(explain, "KINDS", 3)
    typed("".join(NOT_FOUND.replace("hello", str(number)) for number in range(10)).encode())
    assert main(["explain", "--json"]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 10


def test_no_log_moves_the_cursor_of_a_terminal(typed: Type, capsys: pytest.CaptureFixture[str]) -> None:
    typed(f"{NEW}{SAID}Traceback (most recent call last):\n{NEW}{SAID}\\x1b[2J\x9b1mE\n{NEW}{END}\n".encode())
    assert main(["explain"]) == 1
    seen = capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in seen)


# --- Causes ------------------------------------------------------------------------------------------


def log(prefix: str, *messages: str) -> str:
    return "".join(f"{prefix}{message}\n" for message in messages)


def traceback(last: str) -> list[str]:
    first = ("Traceback (most recent call last):", f'  File "{HELLO}", line 3, in <module>', "    f()")
    return [f"{SAID}{line}" for line in (*first, last)]


PREMATURE = "Premature end of script headers: hello.py"
EXEC = f"exec of '{HELLO}' failed"
CREATE = "couldn't create child process: 720003: hello.py"
SPAWN = "couldn't spawn child process: C:/xampp/cgi-bin/hello.py"
DAEMON = "[Wed Oct 11 14:32:52.123400 2023] [cgid:error] [pid 8:tid 1] "
CAUSES = {
    "not found": (NOT_FOUND, "not-found"),
    "not found, 2.2": (log(OLD, f"script not found or unable to stat: {HELLO}"), "not-found"),
    "directory": (log(OLD, "attempt to invoke directory as script: /usr/lib/cgi-bin/"), "is-a-directory"),
    "ExecCGI": (log(NEW, f"AH01262: Options ExecCGI is off in this directory: {HELLO}"), "cgi-switched-off"),
    "dot file": (log(NEW, "AH01630: client denied by server configuration: /srv/cgi-bin/.a.py"), "denied-name"),
    "link": (
        log(NEW, f"AH00037: Symbolic link not allowed or link target not accessible: {HELLO}"),
        "link-not-followed",
    ),
    "closed folder": (
        log(
            NEW.replace("[client", "(13)Permission denied: [client"),
            f"AH00035: access to /cgi-bin/a/b.py denied (filesystem path '{HELLO}') because search permissions are "
            "missing on a component of the path",
        ),
        "folder-closed",
    ),
    "no execute permission": (log(NEW, f"{SAID}(13)Permission denied: {EXEC}", END), "not-executable"),
    "no execute permission, 2.2": (log(OLD, f"(13)Permission denied: {EXEC}", PREMATURE), "not-executable"),
    "no execute permission, mod_cgid": (
        log(DAEMON, f"(13)Permission denied: AH01241: {EXEC}") + log(NEW, END),
        "not-executable",
    ),
    "no shebang": (log(NEW, f"{SAID}(8)Exec format error: {EXEC}", END), "no-shebang"),
    "no shebang, 2.2": (log(OLD, f"(8)Exec format error: {EXEC}", PREMATURE), "no-shebang"),
    "no interpreter": (log(NEW, f"{SAID}(2)No such file or directory: {EXEC}", END), "interpreter-missing"),
    "no interpreter, env": (
        log(NEW, f"{SAID}/usr/bin/env: 'python': No such file or directory", END),
        "interpreter-missing",
    ),
    "no interpreter, Windows, 2.2": (
        log(OLD, *(f"(OS 3)The system cannot find the path specified.  : {line}" for line in (CREATE, SPAWN))),
        "interpreter-missing",
    ),
    "no interpreter, Windows": (
        log(NEW.replace("[client", "(OS 2)No such file.  : [client"), CREATE.replace("3:", "2:"), f"AH01223: {SPAWN}"),
        "interpreter-missing",
    ),
    "no shebang, Windows": (
        log(
            OLD,
            'C:/xampp/cgi-bin/hello.py is not executable; ensure interpreted scripts have "#!" first line',
            "(9)Bad file descriptor: don't know how to spawn child process: C:/xampp/cgi-bin/hello.py",
        ),
        "no-shebang",
    ),
    "line endings, env": (
        log(NEW, rf"{SAID}env: 'python3\\r': No such file or directory", END),
        "windows-line-endings",
    ),
    "Python 2": (
        log(
            NEW,
            f'{SAID}  File "{HELLO}", line 2',
            f'{SAID}    print "hello"',
            f"{SAID}    ^^^^^^^^^^^^^",
            f"{SAID}SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?",
            END,
        ),
        "python-2-syntax",
    ),
    "syntax": (
        log(NEW, f'{SAID}  File "{HELLO}", line 2', f"{SAID}    f(", f"{SAID}SyntaxError: '(' was never closed", END),
        "syntax-error",
    ),
    "indentation": (
        log(NEW, f'{SAID}  File "{HELLO}", line 2', f"{SAID}IndentationError: unexpected indent", END),
        "indentation",
    ),
    "removed module": (log(NEW, *traceback("ModuleNotFoundError: No module named 'cgi'"), END), "removed-module"),
    "removed module, 2.2": (
        log(OLD, *(line.removeprefix(SAID) for line in traceback("ImportError: No module named urllib2")), PREMATURE),
        "removed-module",
    ),
    "missing module": (log(NEW, *traceback("ModuleNotFoundError: No module named 'zzz'"), END), "missing-module"),
    "missing module, mod_cgid": (
        log("", *(line.removeprefix(SAID) for line in traceback("ModuleNotFoundError: No module named 'zzz'")))
        + log(NEW.replace("cgi:", "cgid:"), END),
        "missing-module",
    ),
    "exception": (log(NEW, *traceback("ZeroDivisionError: division by zero"), END), "exception-before-headers"),
    "exception after headers": (log(NEW, *traceback("ValueError: no")), "exception-after-headers"),
    "no output": (log(NEW, END), "no-output"),
    "bad header": (
        log(NEW, "malformed header from script 'hello.py': Bad header: <h1>Hello</h1>"),
        "body-before-headers",
    ),
    "bad header, 2.2": (
        log(OLD, "malformed header from script. Bad header=<h1>Hello</h1>: hello.py"),
        "body-before-headers",
    ),
    "no blank line": (log(NEW, PREMATURE), "no-blank-line"),
    "header name": (
        log(NEW, "AH02429: Response header name 'A B' contains invalid characters, aborting request"),
        "header-characters",
    ),
    "status line": (log(NEW, "Invalid status line from script 'hello.py': abc"), "status-malformed"),
    "time limit": (log(NEW, "Script timed out before returning headers: hello.py"), "timeout-before-headers"),
    "time limit after headers": (
        log(NEW, f"AH01220: Timeout waiting for output from CGI script {HELLO}"),
        "timeout-after-headers",
    ),
    "suexec": (log(OLD, "suexec policy violation: see suexec log for more details", PREMATURE), "unknown"),
    "nothing but the headline, 2.2": (log(OLD, PREMATURE), "unknown"),
}


@pytest.mark.parametrize(("text", "cause"), CAUSES.values(), ids=CAUSES)
def test_a_cause(text: str, cause: str, typed: Type, capsys: pytest.CaptureFixture[str]) -> None:
    typed(text.encode())
    assert main(["explain", "--json"]) == 1
    assert [json.loads(line)["cause"] for line in capsys.readouterr().out.splitlines()] == [cause]


@pytest.mark.parametrize("text", [text for text, _ in CAUSES.values()], ids=CAUSES)
def test_each_log_of_a_cause_tells_of_one_failure(text: str) -> None:
    assert len(list(failures([text.encode()]))) == 1


def test_nothing_is_kept_for_later() -> None:
    reader = Reader()
    assert len(list(reader.read([NOT_FOUND.encode()]))) == 1
    assert list(reader.rest()) == []
