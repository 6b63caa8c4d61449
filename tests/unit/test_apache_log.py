"""From an error log to the failures in it: logs of each generation of httpd, as people show them.

The forms are those of published logs; names, addresses and times are made up.
"""

import io
import tracemalloc
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings, strategies

from cgilab.failures.apache_log import Failure, Reader, failures


class Expected(NamedTuple):
    """What is to be found: one failure."""

    path: str
    status: int
    messages: list[str]
    stderr: list[str]
    client: str = ""


def found(log: str) -> list[Failure]:
    return list(failures([log.encode()]))


def told(log: str) -> list[Expected]:
    return [
        Expected(one.path, one.evidence.status or 0, list(one.evidence.messages), list(one.evidence.stderr), one.client)
        for one in found(log)
    ]


END = "End of script output before headers: "
PREMATURE = "Premature end of script headers: "
TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "/usr/lib/cgi-bin/hello.py", line 3, in <module>',
    "    import MySQLdb",
    "ModuleNotFoundError: No module named 'MySQLdb'",
]
HELLO = "/usr/lib/cgi-bin/hello.py"
OLD = "[Fri Sep 09 10:42:29 2011] [error] [client 192.0.2.7] "
NEW = "[Wed Oct 11 14:32:52.123456 2023] [cgi:error] [pid 9:tid 7] [client 192.0.2.7:5678] "
DAEMON = "[Wed Oct 11 14:32:52.123400 2023] [cgid:error] [pid 8:tid 1] "
CGID = "[Wed Oct 11 14:32:52.123456 2023] [cgid:error] [pid 9:tid 7] [client 192.0.2.7:5678] "
WINDOWS = "[Sat Nov 16 18:54:55.567763 2019] [cgi:error] [pid 14876:tid 1256] "
LAB = "2026-11-22 15:09:22.817078 "
CLIENT = "192.0.2.7:5678"


def lines(prefix: str, *messages: str, end: str = "") -> str:
    return "".join(f"{prefix}{message}{end}\n" for message in messages)


LOGS = {
    "2.2, exec": (
        lines(OLD, f"(8)Exec format error: exec of '{HELLO}' failed", f"{PREMATURE}hello.py"),
        Expected(
            HELLO, 500, [f"(8)Exec format error: exec of '{HELLO}' failed", f"{PREMATURE}hello.py"], [], "192.0.2.7"
        ),
    ),
    "2.2, traceback with referer": (
        lines(OLD, *TRACEBACK, f"{PREMATURE}hello.py", end=", referer: http://www.example.org/a, referer: b"),
        Expected(HELLO, 500, [f"{PREMATURE}hello.py"], TRACEBACK, "192.0.2.7"),
    ),
    "2.2, bad header": (
        lines(OLD, "malformed header from script. Bad header=<h1>a: b</h1>: hello.py"),
        Expected(
            "hello.py", 500, ["malformed header from script 'hello.py': Bad header: <h1>a: b</h1>"], [], "192.0.2.7"
        ),
    ),
    "2.2, mod_cgid without client": (
        (
            "[Tue Jun 13 10:42:22 2017] [error] (8)Exec format error: exec of '/srv/cgi-bin/logs.pyc' failed\n"
            "[Tue Jun 13 10:42:22 2017] [error] [client 192.0.2.7] Premature end of script headers: logs.pyc\n"
        ),
        Expected(
            "/srv/cgi-bin/logs.pyc",
            500,
            ["(8)Exec format error: exec of '/srv/cgi-bin/logs.pyc' failed", f"{PREMATURE}logs.pyc"],
            [],
            "192.0.2.7",
        ),
    ),
    "2.2, timeout": (
        "[Fri Sep 09 10:42:29 2011] [warn] [client 192.0.2.7] "
        f"Timeout waiting for output from CGI script {HELLO}\n"
        + lines(OLD, "Script timed out before returning headers: hello.py"),
        Expected(
            HELLO,
            504,
            [
                f"Timeout waiting for output from CGI script {HELLO}",
                "Script timed out before returning headers: hello.py",
            ],
            [],
            "192.0.2.7",
        ),
    ),
    "2.2, permission": (
        lines(OLD, "(13)Permission denied: access to /cgi-bin/hello.py denied"),
        Expected(
            "/cgi-bin/hello.py",
            403,
            ["(13)Permission denied: access to /cgi-bin/hello.py denied"],
            [],
            "192.0.2.7",
        ),
    ),
    "2.2, ExecCGI": (
        lines(OLD, "Options ExecCGI is off in this directory: /var/www/hello.py"),
        Expected(
            "/var/www/hello.py",
            403,
            ["Options ExecCGI is off in this directory: /var/www/hello.py"],
            [],
            "192.0.2.7",
        ),
    ),
    "2.2, suexec": (
        lines(OLD, "suexec policy violation: see suexec log for more details", f"{PREMATURE}hello.py"),
        Expected(
            "hello.py",
            500,
            [f"{PREMATURE}hello.py"],
            ["suexec policy violation: see suexec log for more details"],
            "192.0.2.7",
        ),
    ),
    "2.2, Windows": (
        lines(
            OLD,
            "(OS 3)The system cannot find the path specified.  : couldn't create child process: 720003: hello.py",
            "(OS 3)The system cannot find the path specified.  : "
            "couldn't spawn child process: C:/xampp/cgi-bin/hello.py",
        ),
        Expected(
            "C:/xampp/cgi-bin/hello.py",
            500,
            [
                "(OS 3)The system cannot find the path specified.: couldn't create child process: 720003: hello.py",
                (
                    "(OS 3)The system cannot find the path specified.: "
                    "couldn't spawn child process: C:/xampp/cgi-bin/hello.py"
                ),
            ],
            [],
            "192.0.2.7",
        ),
    ),
    "2.4.7, AH01215 without script": (
        lines(NEW, *(f"AH01215: {line}" for line in TRACEBACK), f"{END}hello.py"),
        Expected(HELLO, 500, [f"{END}hello.py"], TRACEBACK, CLIENT),
    ),
    "2.4.57, AH01215 with the script at the end": (
        lines(NEW, *(f"AH01215: {line}: {HELLO}" for line in TRACEBACK), f"{END}hello.py", end=", referer: http://a/"),
        Expected(HELLO, 500, [f"{END}hello.py"], TRACEBACK, CLIENT),
    ),
    "2.4.66, stderr from": (
        lines(NEW, *(f"AH01215: stderr from {HELLO}: {line}" for line in TRACEBACK), f"{END}hello.py"),
        Expected(HELLO, 500, [f"{END}hello.py"], TRACEBACK, CLIENT),
    ),
    "2.4, stderr after the headline": (
        lines(NEW, f"{END}hello.py", *(f"AH01215: stderr from {HELLO}: {line}" for line in TRACEBACK)),
        Expected(HELLO, 500, [f"{END}hello.py"], TRACEBACK, CLIENT),
    ),
    "2.4, stderr before and after the headline": (
        lines(
            NEW,
            f"AH01215: stderr from {HELLO}: hello",
            "malformed header from script 'hello.py': Bad header: <h1>",
            *(f"AH01215: stderr from {HELLO}: {line}" for line in TRACEBACK),
        ),
        Expected(
            HELLO, 500, ["malformed header from script 'hello.py': Bad header: <h1>"], ["hello", *TRACEBACK], CLIENT
        ),
    ),
    "2.4, mod_cgi exec": (
        lines(NEW, f"AH01215: (13)Permission denied: exec of '{HELLO}' failed: {HELLO}", f"{END}hello.py"),
        Expected(HELLO, 500, [f"(13)Permission denied: exec of '{HELLO}' failed", f"{END}hello.py"], [], CLIENT),
    ),
    "2.4, mod_cgid exec": (
        DAEMON + f"(2)No such file or directory: AH01241: exec of '{HELLO}' failed\n" + lines(CGID, f"{END}hello.py"),
        Expected(HELLO, 500, [f"(2)No such file or directory: exec of '{HELLO}' failed", f"{END}hello.py"], [], CLIENT),
    ),
    "2.4.66, mod_cgid exec": (
        lines(CGID, f"AH01241: error spawning CGI child: exec of '{HELLO}' failed (Permission denied): {HELLO}"),
        Expected(HELLO, 500, [f"(13)Permission denied: exec of '{HELLO}' failed"], [], CLIENT),
    ),
    "2.4, mod_cgid stderr without prefix": (
        lines("", *TRACEBACK) + lines(CGID, f"{END}hello.py"),
        Expected(HELLO, 500, [f"{END}hello.py"], TRACEBACK, CLIENT),
    ),
    "2.4, mod_cgid not found": (
        lines(CGID, "AH01264: script not found or unable to stat: /usr/lib/cgi-bin/echo.pl"),
        Expected(
            "/usr/lib/cgi-bin/echo.pl",
            404,
            ["AH01264: script not found or unable to stat: /usr/lib/cgi-bin/echo.pl"],
            [],
            CLIENT,
        ),
    ),
    "2.4, a time of another form, and a source file": (
        (
            "[2020-08-13 22:08:15.384580] [error] [pid 3492] mod_cgid.c(1077): [client 192.0.2.7:5678] "
            "AH01265: attempt to invoke directory as script: /var/www/cgi-bin/\n"
        ),
        Expected(
            "/var/www/cgi-bin/",
            403,
            ["AH01265: attempt to invoke directory as script: /var/www/cgi-bin/"],
            [],
            CLIENT,
        ),
    ),
    "2.4, no shebang on Windows": (
        (
            "[Fri Jan 11 08:40:25.860895 2019] [win32:error] [pid 17528:tid 1344] [client 192.0.2.7:5678] AH02102: "
            'C:/wamp/hello.py is not executable; ensure interpreted scripts have "#!" or "\'!" first line\n'
            "[Fri Jan 11 08:40:25.860895 2019] [cgi:error] [pid 17528:tid 1344] (9)Bad file descriptor: "
            "[client 192.0.2.7:5678] AH01222: don't know how to spawn child process: C:/wamp/hello.py\n"
        ),
        Expected(
            "C:/wamp/hello.py",
            500,
            [
                'AH02102: C:/wamp/hello.py is not executable; ensure interpreted scripts have "#!" or "\'!" first line',
                "(9)Bad file descriptor: AH01222: don't know how to spawn child process: C:/wamp/hello.py",
            ],
            [],
            CLIENT,
        ),
    ),
    "2.4, Windows, the error before the client": (
        WINDOWS + "(OS 193)%1 is not a valid Win32 application.  : [client ::1:5276] "
        "couldn't create child process: 720193: hello.py\n"
        + WINDOWS
        + "(OS 193)%1 is not a valid Win32 application.  : [client ::1:5276] "
        "AH01223: couldn't spawn child process: D:/htdocs/hello.py\n",
        Expected(
            "D:/htdocs/hello.py",
            500,
            [
                "(OS 193)%1 is not a valid Win32 application.: couldn't create child process: 720193: hello.py",
                (
                    "(OS 193)%1 is not a valid Win32 application.: "
                    "AH01223: couldn't spawn child process: D:/htdocs/hello.py"
                ),
            ],
            [],
            "::1:5276",
        ),
    ),
    "2.4, header with a space": (
        lines(NEW, f"AH01215: stderr from {HELLO}: hello").replace("\n", "\n")
        + lines(
            NEW.replace("cgi:", "http:"),
            "AH02429: Response header name '<!--' contains invalid characters, aborting request",
        ),
        Expected(
            HELLO,
            500,
            ["AH02429: Response header name '<!--' contains invalid characters, aborting request"],
            ["hello"],
            CLIENT,
        ),
    ),
    "2.4, timeout before headers": (
        NEW.replace("error", "warn")
        + f"AH01220: Timeout waiting for output from CGI script {HELLO}\n"
        + lines(NEW, "Script timed out before returning headers: hello.py"),
        Expected(
            HELLO,
            504,
            [
                f"AH01220: Timeout waiting for output from CGI script {HELLO}",
                "Script timed out before returning headers: hello.py",
            ],
            [],
            CLIENT,
        ),
    ),
    "2.4, timeout after headers": (
        (
            "[Mon Jun 22 10:26:52.115717 2026] [cgi:warn] [pid 36:tid 36] [client 192.0.2.7:5678] "
            f"AH01220: Timeout waiting for output from CGI script {HELLO}\n"
            "[Mon Jun 22 10:26:52.115748 2026] [core:error] [pid 36:tid 36] (70007)The timeout specified has expired: "
            "[client 192.0.2.7:5678] AH00574: ap_content_length_filter: apr_bucket_read() failed\n"
        ),
        Expected(
            HELLO,
            200,
            [
                f"AH01220: Timeout waiting for output from CGI script {HELLO}",
                "(70007)The timeout specified has expired: AH00574: ap_content_length_filter: apr_bucket_read() failed",
            ],
            [],
            CLIENT,
        ),
    ),
    "2.4, traceback after headers": (
        lines(NEW, *(f"AH01215: stderr from {HELLO}: {line}" for line in TRACEBACK)),
        Expected(HELLO, 200, [], TRACEBACK, CLIENT),
    ),
    "2.4, status line": (
        lines(NEW, "Invalid status line from script 'hello.py': abc"),
        Expected("hello.py", 500, ["Invalid status line from script 'hello.py': abc"], [], CLIENT),
    ),
    "2.4, a folder above is closed": (
        (
            "[Wed Oct 11 14:32:52 2023] [core:error] [pid 9] (13)Permission denied: [client 192.0.2.7:5678] AH00035: "
            "access to /cgi-bin/a/hello.py denied (filesystem path '/usr/lib/cgi-bin/a') because search permissions "
            "are missing on a component of the path\n"
        ),
        Expected(
            "/usr/lib/cgi-bin/a",
            403,
            [
                (
                    "(13)Permission denied: AH00035: access to /cgi-bin/a/hello.py denied (filesystem path "
                    "'/usr/lib/cgi-bin/a') because search permissions are missing on a component of the path"
                )
            ],
            [],
            CLIENT,
        ),
    ),
    "2.4, a denied name": (
        lines(
            NEW.replace("cgi:", "authz_core:"), "AH01630: client denied by server configuration: /srv/cgi-bin/.hello.py"
        ),
        Expected(
            "/srv/cgi-bin/.hello.py",
            403,
            ["AH01630: client denied by server configuration: /srv/cgi-bin/.hello.py"],
            [],
            CLIENT,
        ),
    ),
    "2.4, escapes": (
        lines(NEW, rf"AH01215: stderr from {HELLO}: env: 'python3\\r': \xc3\xa9\t", f"{END}hello.py"),
        Expected(HELLO, 500, [f"{END}hello.py"], ["env: 'python3\\r': é\t"], CLIENT),
    ),
    "the lab": (
        lines(
            LAB, *(f"cgi:error AH01215: stderr from {HELLO}: {line}" for line in TRACEBACK), f"cgi:error {END}hello.py"
        )
        + '2026-11-22 15:09:22 192.0.2.7 "GET /cgi-bin/hello.py?a=b HTTP/1.1" 500 123 bytes 12 ms "curl/8"\n',
        Expected(HELLO, 500, [f"{END}hello.py"], TRACEBACK, "192.0.2.7"),
    ),
    "the lab, a message that names no script": (
        lines(
            LAB,
            f"cgi:error AH01215: stderr from {HELLO}: hello",
            "http:error AH02429: Response header name 'A B' contains invalid characters, aborting request",
        )
        + '2026-11-22 15:09:22 192.0.2.7 "GET /cgi-bin/hello.py HTTP/1.1" 500 123 bytes 12 ms "curl/8"\n',
        Expected(
            HELLO,
            500,
            ["AH02429: Response header name 'A B' contains invalid characters, aborting request"],
            ["hello"],
            "192.0.2.7",
        ),
    ),
    "the lab, not found": (
        lines(LAB, "cgi:error AH02811: stderr from /srv/cgi-bin/a.py: script not found or unable to stat"),
        Expected("/srv/cgi-bin/a.py", 404, ["AH02811: script not found or unable to stat"], []),
    ),
}

PREFIXES = {
    "docker compose": "web-1  | ",
    "docker compose, older": "web_1    | ",
    "docker compose, in colour": "\x1b[36mweb-1  | \x1b[0m",
    "docker logs --timestamps": "2026-11-22T15:09:22.817078123Z ",
    "docker compose with --timestamps": "web-1  | 2026-11-22T15:09:22.817078123Z ",
    "journal": "Oct 11 14:32:52 www apache2[123]: ",
}


@pytest.mark.parametrize(("log", "expected"), LOGS.values(), ids=LOGS)
def test_a_failure(log: str, expected: Expected) -> None:
    assert told(log) == [expected]


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
@pytest.mark.parametrize(("log", "expected"), LOGS.values(), ids=LOGS)
def test_a_failure_with_a_prefix(log: str, expected: Expected, prefix: str) -> None:
    assert told(lines(prefix, *log.splitlines())) == [expected]


@pytest.mark.parametrize(("log", "expected"), LOGS.values(), ids=LOGS)
def test_a_failure_with_line_ends_of_windows(log: str, expected: Expected) -> None:
    assert told(log.replace("\n", "\r\n")) == [expected]


@pytest.mark.parametrize(("log", "expected"), LOGS.values(), ids=LOGS)
def test_a_failure_whose_last_line_has_no_end(log: str, expected: Expected) -> None:
    assert told(log.rstrip("\n")) == [expected]


@pytest.mark.parametrize(("log", "expected"), LOGS.values(), ids=LOGS)
def test_a_log_in_blocks_of_one_byte(log: str, expected: Expected) -> None:
    blocks = [log.encode()[position : position + 1] for position in range(len(log.encode()))]
    assert [one.path for one in failures(blocks)] == [expected.path]


def test_a_host_before_the_time() -> None:
    assert [one.path for one in found("www.example.org " + LOGS["2.2, ExecCGI"][0])] == ["/var/www/hello.py"]


NOTHING = {
    "empty": "",
    "notices": "[Wed Oct 11 14:32:52.1 2023] [mpm_event:notice] [pid 9] AH00489: Apache/2.4.57 -- resuming\n",
    "stderr of a script that went on": lines(NEW, f"AH01215: stderr from {HELLO}: hello"),
    "stderr of a script that went on, 2.2": lines(OLD, "hello"),
    "a script that prints a headline": lines(NEW, f"AH01215: stderr from {HELLO}: {END}hello.py"),
    "a file that is no script": lines(OLD, "client denied by server configuration: /var/www/.htpasswd"),
    "a missing file": lines(OLD, "File does not exist: /var/www/favicon.ico"),
    "mod_php": lines(OLD, "script '/var/www/a.php' not found or unable to stat"),
    "mod_wsgi": lines(NEW.replace("cgi:", "wsgi:"), *TRACEBACK),
    "a client that went away": lines(
        NEW.replace("cgi:", "core:"), "AH00574: ap_content_length_filter: apr_bucket_read() failed"
    ),
    "an access log": '192.0.2.7 - - [11/Oct/2023:14:32:52 +0200] "GET /cgi-bin/hello.py HTTP/1.1" 500 528\n',
    "httpd's start": "AH00558: apache2: Could not reliably determine the server's fully qualified domain name\n",
}


@pytest.mark.parametrize("log", NOTHING.values(), ids=NOTHING)
def test_no_failure(log: str) -> None:
    assert told(log) == []


# --- What belongs together ---------------------------------------------------------------------------


def names(log: str) -> list[tuple[str, list[str]]]:
    return [(one.evidence.name, list(one.evidence.stderr)) for one in found(log)]


def test_failures_of_several_clients_do_not_mix() -> None:
    first, second = NEW, NEW.replace("[pid 9:tid 7]", "[pid 9:tid 8]").replace("5678", "5679")
    log = lines(first, "AH01215: one: /srv/a.py") + lines(second, "AH01215: two: /srv/b.py")
    log += lines(first, "AH01215: three: /srv/a.py", f"{END}a.py") + lines(second, f"{END}b.py")
    assert names(log) == [("a.py", ["one", "three"]), ("b.py", ["two"])]


def test_failures_of_several_clients_of_22_do_not_mix() -> None:
    second = OLD.replace("192.0.2.7", "192.0.2.8")
    log = lines(OLD, "one") + lines(second, "two") + lines(OLD, f"{PREMATURE}a.py") + lines(second, f"{PREMATURE}b.py")
    assert names(log) == [("a.py", ["one"]), ("b.py", ["two"])]


@pytest.mark.parametrize("swapped", [False, True], ids=["stderr first", "headline first"])
def test_the_same_client_again_and_again(swapped: bool) -> None:
    log = ""
    for number in range(5):
        pair = [f"AH01215: stderr from /srv/a.py: {number}", f"{END}a.py"]
        log += lines(NEW, *(reversed(pair) if swapped else pair))
    assert names(log) == [("a.py", [str(number)]) for number in range(5)]


def test_what_another_script_of_the_same_connection_printed_is_left_out() -> None:
    log = lines(NEW, "AH01215: stderr from /srv/a.py: fine", "AH01215: stderr from /srv/b.py: wrong", f"{END}b.py")
    assert names(log) == [("b.py", ["wrong"])]


def test_what_was_printed_long_before_is_left_out() -> None:
    assert names(lines(OLD.replace("10:42", "09:12"), "fine") + lines(OLD, f"{PREMATURE}a.py")) == [("a.py", [])]


def raw(name: str) -> list[str]:
    return ["Traceback (most recent call last):", f'  File "/srv/{name}", line 1, in <module>', f"ValueError: {name}"]


def test_lines_without_a_prefix_go_to_the_script_that_they_name() -> None:
    log = lines("", *raw("a.py"), *raw("b.py")) + lines(CGID, f"{END}b.py", f"{END}a.py")
    assert names(log) == [("b.py", raw("b.py")), ("a.py", raw("a.py"))]


def test_lines_without_a_prefix_that_name_another_script_stay_out() -> None:
    log = lines("", *raw("a.py")) + lines(CGID, f"{END}b.py", f"{END}a.py")
    assert names(log) == [("b.py", []), ("a.py", raw("a.py"))]


def test_mixed_lines_without_a_prefix_are_shown_and_given_to_nobody() -> None:
    mixed = [line for pair in zip(raw("a.py"), raw("b.py"), strict=True) for line in pair]
    seen = found(lines("", *mixed) + lines(CGID, f"{END}b.py", f"{END}a.py"))
    assert [(one.path, list(one.evidence.stderr), list(one.nearby)) for one in seen] == [
        ("b.py", [], mixed),
        ("a.py", [], mixed),
    ]


def test_chained_tracebacks_are_one() -> None:
    chained = [
        *raw("a.py"),
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        *raw("a.py"),
    ]
    without_blank = [line for line in chained if line]
    assert names(lines("", *chained) + lines(CGID, f"{END}a.py")) == [("a.py", without_blank)]


def test_other_lines_may_stand_between() -> None:
    log = "".join(line + "\n" + NOTHING["notices"] for line in LOGS["2.4.66, stderr from"][0].splitlines())
    assert told(log) == [LOGS["2.4.66, stderr from"][1]]


def test_the_numbers_of_the_lines() -> None:
    log = NOTHING["notices"] * 3 + LOGS["2.4.66, stderr from"][0] + NOTHING["notices"] + LOGS["2.2, ExecCGI"][0]
    assert [(one.first, one.last) for one in found(log)] == [(4, 8), (10, 10)]


def test_the_lab_tells_the_request() -> None:
    evidence = found(LOGS["the lab"][0])[0].evidence
    assert (evidence.method, evidence.url, evidence.seconds) == ("GET", "/cgi-bin/hello.py", 0.012)


# --- Hostile logs ------------------------------------------------------------------------------------

MARK = LOGS["2.4, mod_cgid not found"][0].encode()


@given(strategies.binary(max_size=300), strategies.integers(1, 50))
def test_no_bytes_hide_a_failure_that_follows(noise: bytes, size: int) -> None:
    log = noise + b"\n" + MARK
    blocks = (log[position : position + size] for position in range(0, len(log), size))
    assert "/usr/lib/cgi-bin/echo.pl" in [one.path for one in failures(blocks)]


PIECES = strategies.sampled_from(
    [
        *(line for log, _ in LOGS.values() for line in log.splitlines()),
        *(
            "[",
            "] [error] [client ",
            "\x00",
            ": ",
            "AH01215:",
            "stderr from",
            '  File "',
            "web-1  | ",
            "(2)",
            "",
            "\x1b[",
        ),
    ]
)


@settings(max_examples=200)
@given(strategies.lists(PIECES, max_size=30), strategies.sampled_from(["\n", "", "\r\n", " "]))
def test_no_pieces_hide_a_failure_that_follows(pieces: list[str], between: str) -> None:
    assert "/usr/lib/cgi-bin/echo.pl" in [one.path for one in failures([between.join(pieces).encode(), b"\n", MARK])]


def test_a_line_of_100_mb_takes_no_memory() -> None:
    def blocks() -> Iterator[bytes]:
        yield MARK + b"[Wed Oct 11 14:32:52 2023] [cgi:error] "
        for _ in range(100):
            yield b"cgi " * 250_000
        yield b"\n" + MARK

    tracemalloc.start()
    try:
        seen = [one.path for one in failures(blocks())]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seen == ["/usr/lib/cgi-bin/echo.pl"] * 2
    assert peak < 10_000_000


FLOODS = {
    "clients that never end": (NEW.replace("5678", "{0}") + "AH01215: stderr from /srv/a.py: " + "x" * 1000 + "\n"),
    "one client": NEW + "AH01215: stderr from /srv/a.py: {0} " + "x" * 1000 + "\n",
    "lines without a prefix": "{0}" + "x" * 1000 + "\n",
    "tracebacks without a prefix": "Traceback (most recent call last):\n{0}\n",
}


@pytest.mark.parametrize("form", FLOODS.values(), ids=FLOODS)
def test_a_flood_takes_no_memory(form: str) -> None:
    tracemalloc.start()
    try:
        seen = sum(one.path == "/usr/lib/cgi-bin/echo.pl" for one in failures(_flood(form)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seen == 1
    assert peak < 20_000_000


def _flood(form: str) -> Iterator[bytes]:
    for number in range(20_000):
        yield form.format(number).encode()
    yield MARK


def test_the_first_and_the_last_lines_of_many_are_kept() -> None:
    log = lines(
        NEW, *(f"AH01215: stderr from /srv/a.py: {number} " + "x" * 100 for number in range(10_000)), f"{END}a.py"
    )
    stderr = found(log)[0].evidence.stderr
    assert (stderr[0].split()[0], stderr[-1].split()[0]) == ("0", "9999")


def test_a_file() -> None:
    assert [one.path for one in failures(io.BytesIO(MARK))] == ["/usr/lib/cgi-bin/echo.pl"]


def test_what_kind_of_log_it_is() -> None:
    reader = Reader()
    assert list(reader.read([NOTHING["an access log"].encode()])) == []
    assert (reader.lines, reader.dated, reader.accesses) == (1, False, 1)
