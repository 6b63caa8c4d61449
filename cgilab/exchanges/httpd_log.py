"""From what httpd logs about a request to an `Exchange`.

A *record* is all that httpd logged about one request: the lines of its error log, which at trace level holds every
header (``LogLevel cgi:trace4 proxy_fcgi:trace4 http:trace5``), and last the line of its access log. httpd.conf gives
both their form:

- ``KEY DATE TIME MODULE:LEVEL MESSAGE``, ErrorLogFormat;
- ``=KEY<tab>FIELD<tab>…<tab>NAME=VALUE…<tab>LINE FOR PEOPLE``, LogFormat.

KEY is the request's id (mod_unique_id) and the process that served it, so that lines of requests that are served at
the same time can be told apart. httpd escapes what it logs, so neither a client nor a script can write a line break, a
tab, or the start of a line.
"""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from cgilab.exchanges.escapes import OF_FORKSERVER, OF_PHP, path_of_script, readable, unescape, unescape_bytes
from cgilab.exchanges.exchange import (
    Change,
    Exchange,
    Explained,
    Header,
    Marks,
    Message,
    Origin,
    Printed,
    Sent,
    Source,
    Start,
    Variable,
)
from cgilab.exchanges.logged import FROM_FORKSERVER, QUESTION

# The fields of the access log before the variables, in the order of httpd.conf.
FIELDS = ("key", "started", "duration", "address", "port", "request", "status", "received", "sent", "body")

# Where httpd takes the variables from that it adds itself (RFC 3875, section 4.1; ap_add_common_vars and
# ap_add_cgi_vars in httpd). All others are HTTP_ and a header's name, or come from PassEnv and SetEnv.
SOURCES = {
    Source.REQUEST_LINE: (
        "PATH_INFO PATH_TRANSLATED QUERY_STRING REQUEST_METHOD REQUEST_URI SCRIPT_FILENAME SCRIPT_NAME SERVER_PROTOCOL"
    ),
    Source.REQUEST_HEADERS: "CONTENT_LENGTH CONTENT_TYPE SERVER_NAME SERVER_PORT",
    Source.CONNECTION: "REMOTE_ADDR REMOTE_PORT REQUEST_SCHEME SERVER_ADDR UNIQUE_ID",
}
SOURCE_OF = {name: source for source, names in SOURCES.items() for name in names.split()}

# What stands in a log where a value is missing.
ABSENT = "-"

# Headers of a request that httpd keeps from scripts: passwords (CGIPassAuth), and what would become HTTP_PROXY.
WITHHELD = {"authorization", "proxy-authorization", "proxy"}
WITHOUT_PREFIX = {"content-type", "content-length"}

# The header that a script prints and httpd turns into the status line (RFC 3875, section 6.3.3).
STATUS = "status"

# Digits of a number of bytes; Python refuses to read numbers of some thousands.
LONGEST_NUMBER = 19

# The server writes these by itself, whatever a script prints under the name: how the bytes travel (since 2.4.59 httpd
# discards a script's Content-Length, CVE-2024-24795, the variable ap_trust_cgilike_cl), when, and by whom.
SERVERS_OWN = {"content-length", "transfer-encoding", "date", "server"}

# Time zones differ by whole quarters of an hour, so the time of day in the error log, which is local, and that in the
# access log, which is UTC, are the same but for a multiple of this many microseconds.
QUARTER_OF_AN_HOUR = 15 * 60 * 1_000_000

TRACE = re.compile(
    r"(?P<hours>\d\d):(?P<minutes>\d\d):(?P<seconds>\d\d)\.(?P<micro>\d{6}) (?P<module>\w+):(?P<level>\w+) ?"
    r"(?P<text>.*)"
)

# What httpd sends for a status that is none (ap_get_status_line). It logs what the script printed all the same, and a
# dash for what is no number.
NO_STATUS = 500
STATUSES = range(100, 1000)
NUMBER = re.compile(r"\s*[+-]?\d+")  # as C's atoi reads one

# The type of the pages that httpd writes by itself (ap_send_error_response), for errors and redirects: whatever a
# script has printed about its own document, that document is then discarded.
OWN_PAGE = "text/html;charset=iso-8859-1"
REDIRECTS = 300

# What a script says of its document. It goes with the document where httpd sends another one: a page of its own, or,
# for `Location: /…`, a file or what another script prints.
OF_THE_DOCUMENT = {"content-type", "etag", "last-modified", "content-range"}
LOCATION = "location"

# The module's name in lines that the recorder writes itself, or for the page behind a failure.
LAB = "lab"

# With these httpd refuses what it could not read, before it logs the headers.
REFUSED_EARLY = {400, 408, 411, 413, 414, 417, 431, 501, 505}

# How the names of scripts begin whose output httpd sends on without a look at it.
NPH = "nph-"

# The other levels, debug and those of trace, tell what httpd does (LogLevel); only some of it is looked at.
MESSAGE_LEVELS = {"emerg", "alert", "crit", "error", "warn", "notice", "info"}

FROM_CLIENT = "Headers received from client:"
FROM_SCRIPT = "Headers from script "
RESPONSE = "Response sent with status "
HEADER_INDENT = "  "

# The line of the page behind a failure: what it has said, the cause's name, and how the script ended.
EXPLANATION = re.compile(r"explained: (?P<sentence>.*) \[(?P<cause>[a-z0-9-]+)(?:; (?P<ended>[^\[\]]*))?\]", re.DOTALL)

# How the forkserver tells the moments of a script's process, in microseconds since 1970, and how long imports took, in
# microseconds (cgilab.forkserver.marks).
FORKSERVER = FROM_FORKSERVER.partition(":")[0]
MARKS = re.compile(
    r"start (?P<start>\d{16}), code (?P<code>\d{16}|-), imports (?P<imports>\d{1,10}|-) and (?P<later>\d{1,10}|-), "
    r"end (?P<end>\d{16}|-)"
)


class NotARecordError(ValueError):
    """These lines are not what httpd logs about a request."""


@dataclass
class Lines:
    """The lines of the error log, sorted by what they tell. Offsets are microseconds since the request was received."""

    request_headers: list[Header] = field(default_factory=list)
    printed: list[Header] = field(default_factory=list)
    sent: list[Header] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    request_read: int | None = None
    first_header: int | None = None
    marks: Marks | None = None
    response: int | None = None
    status: int | None = None
    from_client: bool = False
    by_the_lab: bool = False
    # How many of the printed headers are of a script that another one has followed.
    followed: int = 0
    explained: Explained | None = None


def exchange(record: Sequence[str]) -> Exchange:
    """Make an exchange of a record.

    Args:
        record: its lines, without line breaks: those of the error log without their key, the access log's last.
            Characters stand for bytes (Latin-1), as httpd wrote them.

    Raises:
        NotARecordError: the last line is not one of the access log. Lines of the error log that cannot be read are
            left out.
    """
    fields, values, start = _access(record[-1])
    started = int(fields["started"])
    lines = _sort(record[:-1], started)
    method, target, protocol = _request_line(fields["request"])
    script = values.get("SCRIPT_FILENAME")
    identifier, _, process = fields["key"].partition("/")
    status = _status(lines, fields["status"])
    chunked = _is_chunked(lines.request_headers)
    # What became of nothing that a script printed where the page behind a failure answers.
    dropped = range(len(lines.printed)) if lines.by_the_lab else _dropped(lines, status)
    return Exchange(
        id=identifier if identifier != ABSENT else f"{started}-{process}",
        started=started,
        client=(fields["address"], int(fields["port"])),
        method=method,
        target=target,
        protocol=protocol,
        request_headers=lines.request_headers,
        body_length=None if chunked else _body_length(lines.request_headers),
        script=script,
        environment=_environment(values, lines.request_headers) if script else [],
        printed=_printed(lines.printed, lines.sent, dropped, status),
        status=status,
        sent=_sent(lines.sent, [header for place, header in enumerate(lines.printed) if place not in dropped]),
        bytes_received=int(fields["received"]),
        bytes_sent=int(fields["sent"]),
        body_sent=int(fields["body"]) if fields["body"] != ABSENT else 0,
        request_read=lines.request_read,
        first_header=lines.first_header,
        response=lines.response,
        end=int(fields["duration"]),
        messages=lines.messages,
        start=start,
        marks=lines.marks if script else None,
        explained=lines.explained,
        chunked=chunked,
        nph=script is not None and script.rpartition("/")[2].startswith(NPH) and lines.response is None,
        incomplete=not lines.from_client and (script is not None or status not in REFUSED_EARLY),
    )


def _access(line: str) -> tuple[dict[str, str], dict[str, str], Start | None]:
    """Take the line of the access log apart: its fields, the variables that have a value, how a script was started."""
    parts = line.removeprefix("=").split("\t")
    if not line.startswith("=") or len(parts) <= len(FIELDS):
        raise NotARecordError(line)
    fields = dict(zip(FIELDS, parts, strict=False))
    numbers = [fields[name] for name in ("started", "duration", "port", "received", "sent")]
    # No status where the script's was no number, no size where there is no body.
    numbers += [fields[name] for name in ("status", "body") if fields[name] != ABSENT]
    if not all(number.isdecimal() for number in numbers):
        raise NotARecordError(line)
    # The last part is the line for people.
    pairs = (part.partition("=") for part in parts[len(FIELDS) : -1])
    logged = {name: unescape_bytes(value) for name, _, value in pairs if value != ABSENT}
    start = None
    if "SCRIPT_FILENAME" in logged:
        start = _start(logged["SCRIPT_FILENAME"])
        logged["SCRIPT_FILENAME"] = path_of_script(logged["SCRIPT_FILENAME"])
    values = {name: readable(value) for name, value in logged.items()}
    return fields, values, start


def _start(name: str) -> Start | None:
    """Return how a script was started, from the value of SCRIPT_FILENAME; None for a page of PHP."""
    if name.startswith(OF_PHP):
        return None
    return Start.FORKSERVER if name.startswith(OF_FORKSERVER) else Start.SPAWN


def _request_line(line: str) -> tuple[str, str, str]:
    """Take the request line apart. A wrong one is shown as it is; HTTP/0.9 has no protocol in it."""
    words = unescape(line).split(" ")
    method, target, protocol = [*words, "", ""][:3]
    return method, target, protocol


def _sort(record: Sequence[str], started: int) -> Lines:
    lines = Lines()
    # Of each module of httpd: the forkserver logs what a script has printed while httpd logs what it sends.
    sections: dict[str, list[Header] | None] = {}
    for line in record:
        _, _, rest = line.partition(" ")  # the date
        match = TRACE.fullmatch(rest)
        if not match:
            continue
        text = match["text"]
        offset = _offset(match, started)
        if match["module"] == LAB:
            sections.clear()
            _take_from_lab(lines, Message(offset, match["level"], unescape(text)))
        elif match["level"] in MESSAGE_LEVELS:
            lines.messages.append(Message(offset, match["level"], unescape(text)))
        elif match["module"] == FORKSERVER:
            # Of a script that has led to another one, the first.
            lines.marks = lines.marks or _marks(text, offset, started)
        elif text == FROM_CLIENT:
            sections[match["module"]] = lines.request_headers
            lines.from_client = True
            lines.request_read = offset
        elif text.startswith(FROM_SCRIPT):
            sections[match["module"]] = None if lines.by_the_lab else lines.printed
            lines.followed = len(lines.printed)
        elif text.startswith(RESPONSE):
            sections[match["module"]] = lines.sent
            lines.response = offset
            lines.status = _number(text.removeprefix(RESPONSE))
        elif text.startswith(HEADER_INDENT) and ":" in text and (section := sections.get(match["module"])) is not None:
            _take_header(lines, section, text, offset)
    return lines


def _take_header(lines: Lines, section: list[Header], text: str, offset: int) -> None:
    section.append(_header(text, escaped_twice=section is not lines.printed))
    if section is lines.printed and lines.first_header is None:
        lines.first_header = offset


def _take_from_lab(lines: Lines, message: Message) -> None:
    """Take in a line of the recorder's own, or of the page behind a failure."""
    explained = EXPLANATION.fullmatch(message.text)
    if message.text == QUESTION:
        # From here on it is that page that httpd tells of, another script of the same request.
        lines.by_the_lab = True
    elif explained:
        lines.explained = Explained(explained["cause"], explained["sentence"], explained["ended"] or "")
    else:
        lines.messages.append(message)


def _marks(text: str, offset: int, started: int) -> Marks | None:
    """Read what the forkserver tells when a script has ended, or is being ended; None where it says nothing of times.

    Args:
        text: of the line.
        offset: when it was logged.
        started: when the request was received.
    """
    match = MARKS.search(text)
    if not match:
        return None
    found = {name: int(value) if value != ABSENT else None for name, value in match.groupdict().items()}
    code, end = found["code"], found["end"]
    return Marks(
        start=int(match["start"]) - started,
        code=None if code is None else code - started,
        imports=found["imports"],
        later_imports=found["later"],
        end=offset if end is None else end - started,
    )


def _header(text: str, *, escaped_twice: bool) -> Header:
    """Read a header of the error log. Every message is escaped; headers from and to the client were so before."""
    name, _, value = text.removeprefix(HEADER_INDENT).partition(":")
    inner = unescape_bytes if escaped_twice else str
    return Header(unescape(inner(name)), unescape(inner(value.removeprefix(" "))))


def _offset(match: re.Match[str], started: int) -> int:
    seconds = int(match["hours"]) * 3600 + int(match["minutes"]) * 60 + int(match["seconds"])
    return (seconds * 1_000_000 + int(match["micro"]) - started) % QUARTER_OF_AN_HOUR


def _body_length(headers: Sequence[Header]) -> int | None:
    lengths = [header.value for header in headers if header.name.lower() == "content-length"]
    return length_of(lengths[0]) if lengths else None


def length_of(text: str) -> int | None:
    """Return the number of a Content-Length; None where it is none. httpd takes any number of zeros before it."""
    digits = text.lstrip("0")
    return int(digits or "0") if text.isdecimal() and len(digits) < LONGEST_NUMBER else None


def _is_chunked(headers: Sequence[Header]) -> bool:
    codings = [header.value for header in headers if header.name.lower() == "transfer-encoding"]
    return bool(codings) and codings[-1].lower().rpartition(",")[2].strip() == "chunked"


def _environment(values: dict[str, str], headers: Sequence[Header]) -> list[Variable]:
    # Where these two are a dash, it is no sign of a missing value: the one is always there, the other with its header.
    values = {"QUERY_STRING": ABSENT, **values}
    if any(header.name.lower() == "content-type" for header in headers):
        values = {"CONTENT_TYPE": ABSENT, **values}
    variables = [Variable(name, value, SOURCE_OF.get(name, Source.CONFIGURATION)) for name, value in values.items()]
    for header in headers:
        name = header.name.lower()
        # A name with other characters might be mistaken for another's variable (httpd: http2env).
        if name not in WITHHELD | WITHOUT_PREFIX and re.fullmatch(r"[a-z0-9-]+", name):
            variables.append(Variable(f"HTTP_{name.upper().replace('-', '_')}", header.value, Source.REQUEST_HEADERS))
    return sorted(variables, key=lambda variable: variable.name)


def _values(headers: Sequence[Header], name: str) -> list[str]:
    """Return the values under a name, of which one side may be the script's and the other the server's."""
    if name.lower() in SERVERS_OWN:
        return []
    return [header.value for header in headers if header.name.lower() == name.lower()]


def _number(text: str) -> int | None:
    match = NUMBER.match(text)
    return int(match[0]) if match else None


def _status(lines: Lines, logged: str) -> int:
    """Return the status that the client was sent."""
    status = lines.status if lines.status is not None else _number(logged)
    return status if status is not None and status in STATUSES else NO_STATUS


def _dropped(lines: Lines, status: int) -> set[int]:
    """Return the places of the printed headers that went with a document which httpd did not send."""
    printed = lines.printed
    last = range(lines.followed, len(printed))
    found = {LOCATION: "", STATUS: ""}
    for place in last:
        found[printed[place].name.lower()] = printed[place].value
    own_status = _number(found[STATUS])
    others = len(printed) if found[LOCATION].startswith("/") and own_status in {None, 200} else lines.followed
    dropped = {place for place in range(others) if printed[place].name.lower() in OF_THE_DOCUMENT | {LOCATION}}
    if _is_own_page(lines.sent, status) and not (
        # A script that sends such a page itself says so in both ways.
        own_status in {lines.status, status} and _plain(found.get("content-type", "")) == OWN_PAGE
    ):
        dropped |= {place for place in last if printed[place].name.lower() in OF_THE_DOCUMENT}
    return dropped


def _is_own_page(sent: Sequence[Header], status: int) -> bool:
    types = [_plain(header.value) for header in sent if header.name.lower() == "content-type"]
    return status >= REDIRECTS and types == [OWN_PAGE]


def _plain(value: str) -> str:
    return value.replace(" ", "").lower()


def _printed(printed: Sequence[Header], sent: Sequence[Header], dropped: Container[int], status: int) -> list[Printed]:
    found = []
    for place, header in enumerate(printed):
        values = [] if place in dropped else _values(sent, header.name)
        if header.name.lower() == STATUS:
            became = place not in dropped and _number(header.value) == status
            change = Change.STATUS if became else Change.DROPPED
        elif header.value in values:
            change = Change.NONE
        else:
            # httpd joins repeated headers, and writes types and dates in its own way.
            change = Change.CHANGED if values else Change.DROPPED
        found.append(Printed(header.name, header.value, change))
    return found


def _sent(sent: Sequence[Header], printed: Sequence[Header]) -> list[Sent]:
    found = []
    for header in sent:
        values = _values(printed, header.name)
        if header.value in values:
            found.append(Sent(header.name, header.value, Origin.SCRIPT))
        elif values:
            found.append(Sent(header.name, header.value, Origin.SCRIPT, printed=", ".join(values)))
        else:
            found.append(Sent(header.name, header.value, Origin.SERVER))
    return found
