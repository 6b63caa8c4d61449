"""Lines that the forkserver writes into httpd's log, as httpd writes them itself."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgilab.exchanges.escapes import unescape
from cgilab.forkserver import log

START = "cgi:error AH01215: stderr from /srv/cgi-bin/hello.py: "


def texts(written: bytes, script: bytes = b"/srv/cgi-bin/hello.py") -> list[str]:
    """Return the texts of the lines of the log for what a script has written."""
    lines = log.of_stderr(b"Zx-@1/12", script, written).decode("ascii").split("\n")
    assert lines.pop() == ""
    return [re.sub(r"^Zx-@1/12 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} ", "", line, count=1) for line in lines]


def test_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_012_345_678)
    date = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(1_700_000_000)).encode()

    assert log.line(b"Zx-@1/12", b"cgi:error text") == b"Zx-@1/12 " + date + b".012345 cgi:error text\n"


# What a script writes, and what is logged of each line.
WRITTEN = {
    "a line": (b"a\n", ["a"]),
    "a line without an end": (b"a", ["a"]),
    "lines": (b"a\n\nb\n", ["a", "", "b"]),
    "an empty line": (b"\n", [""]),
    "blanks": (b" a \n", [" a "]),
    "a carriage return at the end": (b"a\r\n", ["a"]),
    "two of them": (b"a\r\r\n", [r"a\r"]),
    "one in the middle": (b"a\rb\n", [r"a\rb"]),
    "a zero byte": (b"a\0b\nc\n", ["a", "c"]),
    "a zero byte at the start": (b"\0a\n", [""]),
    "characters of httpd's own": (b'"\\\t\v\b\x0c\x1b\x7f\n', [r'"\\\t\v\b\x0c\x1b\x7f']),
    "bytes beyond ASCII": (b"\xc3\xa9\xe2\x80\xae", [r"\xc3\xa9\xe2\x80\xae"]),
    "one byte less than a line has": (b"a" * 8190 + b"\n", ["a" * 8190]),
    "as much as a line has": (b"a" * 8191 + b"\n", ["a" * 8191]),
    "one byte more": (b"a" * 8191 + b"b\n", ["a" * 8191, "b"]),
    "two lines more": (b"a" * 8191 * 2 + b"b\n", ["a" * 8191, "a" * 8191, "b"]),
    "a carriage return behind as much": (b"a" * 8191 + b"\r\n", ["a" * 8191, ""]),
}


@pytest.mark.parametrize(("written", "lines"), WRITTEN.values(), ids=WRITTEN)
def test_what_a_script_writes(written: bytes, lines: list[str]) -> None:
    assert texts(written) == [START + line for line in lines]


def test_the_path_of_the_script_is_escaped() -> None:
    assert texts(b"a\n", b'/a "b"\n.py') == [r'cgi:error AH01215: stderr from /a "b"\n.py: a']


@given(st.binary(max_size=100))
def test_a_text_stays_on_one_line_and_can_be_read_back(text: bytes) -> None:
    escaped = log.escaped(text)

    assert re.fullmatch(rb"[ -~]*", escaped)
    assert unescape(escaped.decode("ascii")) == text.decode(errors="backslashreplace")
