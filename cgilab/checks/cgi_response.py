"""What a CGI script printed, taken apart as a CGI response (RFC 3875, section 6).

Lines are read as httpd reads them: a line ends at its line feed, carriage returns count for nothing, and what has no
line feed is no line yet.
"""

import re
from typing import NamedTuple

# httpd's longest line (HUGE_STRING_LEN, less its ends).
LONGEST_LINE = 8190

# Of a line that is no header, httpd shows this much.
SHOWN_LENGTH = 30

NPH_PREFIX = "nph-"

# RFC 9110, 5.6.2 and 5.5: the characters of a header's name, and what a value does not hold.
NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? [1-9]\d\d(?: |\r?\n|$)")

OK = 200
FOUND = 302
NO_BODY = {204, 304}


class Fault(NamedTuple):
    """Why an output is no CGI response.

    Attributes:
        kind: ``nothing`` where not one line was read; ``unended`` where the headers are not followed by an empty line;
            ``malformed`` for a line without a colon; ``name`` or ``value`` for characters that may not be there;
            ``status`` for one that is none; ``status-line`` where a script that parses no headers begins without one.
        text: the line, the header's name or the status, at most its beginning.
        value: of the header.
    """

    kind: str
    text: str = ""
    value: str = ""


class Response(NamedTuple):
    """An output taken apart.

    Attributes:
        kind: ``document``, ``local-redirect``, ``client-redirect``, ``client-redirect-document`` (RFC 3875, 6.2.1 to
            6.2.4), ``nph`` for one that is sent as it is (5.1); empty where it is none of these.
        status: which the client gets: that of the header Status, or the one that follows from the kind.
        headers: name and value, in their order, as far as they were read.
        body: where it begins in the output.
        fault: what is wrong; None where nothing is.
    """

    kind: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: int
    fault: Fault | None = None

    @property
    def has_type(self) -> bool:
        """Whether it says what its body is, or needs not to (RFC 3875, 6.3.1)."""
        names = {name.lower() for name, _ in self.headers}
        return bool(names & {"content-type", "location"}) or self.status in NO_BODY or self.kind == "nph"


def parse(output: bytes, name: str = "") -> Response:
    """Take the output of a script apart.

    Args:
        output: its beginning, or all of it.
        name: the script's file name; one that starts with ``nph-`` parses no headers.
    """
    if name.startswith(NPH_PREFIX):
        match = STATUS_LINE.match(output)
        if match is None:
            return Response("", 0, (), 0, Fault("status-line", _text(output.partition(b"\n")[0][:SHOWN_LENGTH])))
        return Response("nph", int(output.split(b" ", 2)[1][:3]), (), 0)
    headers: list[tuple[bytes, bytes]] = []
    start = 0
    while True:
        end = output.find(b"\n", start, start + 2 * LONGEST_LINE)
        # In C, a null byte ends a text.
        line = output[start:end].replace(b"\r", b"").partition(b"\0")[0] if end >= 0 else b""
        if end < 0 or len(line) > LONGEST_LINE:
            rest = output[start : start + SHOWN_LENGTH]
            return _faulty(headers, start, Fault("unended" if headers else "nothing", _text(rest)))
        start = end + 1
        if not line:
            return _judged(headers, start)
        header, colon, value = line.partition(b":")
        if not colon:
            return _faulty(headers, start, Fault("malformed", _text(line[:SHOWN_LENGTH])))
        headers.append((header, value.strip(b" \t\v\f")))


def _judged(headers: list[tuple[bytes, bytes]], start: int) -> Response:
    """Judge a block of headers that is ended."""
    fields = {name.lower(): value for name, value in reversed(headers)}
    status = OK
    if b"status" in fields:
        match = re.match(rb"\d{1,9}", fields[b"status"])
        status = int(match[0]) if match else 0
        if not 100 <= status <= 999:  # noqa: PLR2004 - three digits
            return _faulty(headers, start, Fault("status", _text(fields[b"status"][:SHOWN_LENGTH])))
    for name, value in headers:
        if not NAME.fullmatch(name):
            return _faulty(headers, start, Fault("name", _text(name)))
        if CONTROL.search(value):
            return _faulty(headers, start, Fault("value", _text(name), _text(value)))
    kind = "document"
    location = fields.get(b"location", b"")
    if location.startswith(b"/") and status == OK:
        kind = "local-redirect"
    elif location:
        kind = "client-redirect-document" if b"content-type" in fields else "client-redirect"
        status = FOUND if b"status" not in fields else status
    return Response(kind, status, _decoded(headers), start)


def _faulty(headers: list[tuple[bytes, bytes]], start: int, fault: Fault) -> Response:
    return Response("", 0, _decoded(headers), start, fault)


def _decoded(headers: list[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple((_text(name), _text(value)) for name, value in headers)


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace")
