"""The model: one exchange, a request and its response with all that happened between. Views show it, nothing else.

No input and no output here: `cgilab.exchanges.httpd_log` makes exchanges from what httpd logs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Origin(str, Enum):
    """Who wrote a response header."""

    SCRIPT = "script"
    SERVER = "server"


class Change(str, Enum):
    """What the server did with a header that the script printed."""

    NONE = "sent as printed"
    CHANGED = "changed"
    DROPPED = "dropped"
    STATUS = "became the status line"


class Source(str, Enum):
    """Where the server took a variable of the script's environment from."""

    REQUEST_LINE = "request line"
    REQUEST_HEADERS = "request headers"
    CONNECTION = "connection"
    CONFIGURATION = "configuration"


class Start(str, Enum):
    """How a script's interpreter was started (the setting START)."""

    SPAWN = "spawn"
    FORKSERVER = "forkserver"


class Spender(str, Enum):
    """Whose time it was. Where two are named, what is logged does not tell one from the other."""

    SERVER = "server"
    INTERPRETER = "interpreter"
    IMPORTS = "imports"
    SCRIPT = "script"
    INTERPRETER_AND_SCRIPT = "interpreter and script"
    SCRIPT_AND_SERVER = "script and server"


@dataclass(frozen=True)
class Header:
    """A header line, of a request or as a script printed it."""

    name: str
    value: str


@dataclass(frozen=True)
class Printed:
    """A header that the script printed, and what became of it."""

    name: str
    value: str
    change: Change


@dataclass(frozen=True)
class Sent:
    """A header that the client received, and who wrote it.

    `printed` is what the script had printed under this name, where the server changed it; else None.
    """

    name: str
    value: str
    origin: Origin
    printed: str | None = None


@dataclass(frozen=True)
class Variable:
    """A variable of the environment that the script was given."""

    name: str
    value: str
    source: Source


@dataclass(frozen=True)
class Message:
    """A line that httpd logged about the request: an error, or what the script wrote to its standard error.

    `offset` is in microseconds since the request was received; `level` is httpd's (error, warn, …).
    """

    offset: int
    level: str
    text: str


@dataclass(frozen=True)
class Explained:
    """What the page behind a failure has said: the cause's name, a sentence, and how the script had ended, in words."""

    cause: str
    sentence: str
    ended: str


@dataclass(frozen=True)
class Marks:
    """The moments of a script that the forkserver started, in microseconds since the request was received.

    Attributes:
        start: when the server set out to fork the script's process.
        code: when the script's first line was run; None where a program was started in the place of the interpreter.
        imports: how long imports took until the script's first header was read; None where they are not watched.
        later_imports: how long those after it took; None likewise.
        end: when the script's code had ended and all that Python does after it was done; else when its process was seen
            to have ended, or was being ended.
    """

    start: int
    code: int | None
    imports: int | None
    later_imports: int | None
    end: int


@dataclass(frozen=True)
class Part:
    """A part of an exchange's time: what it went to, whose it was, from when and to when.

    Both are microseconds since the request was received; one part begins where the one before ends.
    """

    name: str
    by: Spender
    start: int
    end: int


@dataclass(frozen=True)
class Exchange:
    """One request and its response.

    Attributes:
        id: httpd's own name for the request (mod_unique_id).
        started: when the request was received, in microseconds since 1970 (UTC).
        client: the address and the port that the request came from.
        method, target, protocol: the request line.
        request_headers: as httpd read them; repeated ones are one, joined by commas.
        body_length: of the request, in bytes as the client announced them; None where it announced none.
        script: the path of the script that was started; None for a file, and for a request refused before that. Where
            it redirected to another script of the server, or failed, the first.
        environment: of that script.
        printed: the headers that the script printed.
        status: of the response.
        sent: the headers of the response.
        bytes_received, bytes_sent: on the wire, request line, headers and body together.
        body_sent: bytes of the response's body.
        request_read, first_header, response, end: when the headers of the request had been read, when the script's
            first header was read, when the response's headers were sent, and when all was done: microseconds since the
            request was received; None for what did not happen.
        start: how the script's interpreter was started; None where there is no script, and for a page of PHP.
        marks: the moments of the script's process; None where they are not known, as under spawn.
        messages: what httpd logged about it besides.
        explained: what the page behind a failure has said; None where it was not asked.
        chunked: whether the client sent a body of a length that it did not announce.
        nph: whether the script wrote the whole answer by itself, past the server ("non-parsed headers", RFC 3875,
            section 5): then `printed`, `sent` and `status` say nothing about it.
        incomplete: whether the beginning of what was logged is missing, since the recorder had ended: what is not there
            may have been.
    """

    id: str
    started: int
    client: tuple[str, int]
    method: str
    target: str
    protocol: str
    request_headers: Sequence[Header]
    body_length: int | None
    script: str | None
    environment: Sequence[Variable]
    printed: Sequence[Printed]
    status: int
    sent: Sequence[Sent]
    bytes_received: int
    bytes_sent: int
    body_sent: int
    request_read: int | None
    first_header: int | None
    response: int | None
    end: int
    messages: Sequence[Message]
    start: Start | None = None
    marks: Marks | None = None
    explained: Explained | None = None
    chunked: bool = False
    nph: bool = False
    incomplete: bool = False

    @property
    def path(self) -> str:
        """The target without its query string."""
        return self.target.partition("?")[0]

    def parts(self) -> list[Part]:
        """Return where its time went, in its order; together the parts take all of it.

        Imports stand before all else that the script did until its first header, and after it, wherever they were. A
        moment that was logged out of its order counts as the one before it.
        """
        ends = _ends(self)
        found = []
        now = 0
        for name, by, moment in ends:
            end = min(max(moment, now), self.end)
            found.append(Part(name, by, now, end))
            now = end
        return found


def _ends(one: Exchange) -> list[tuple[str, Spender, int]]:
    """Return the parts of an exchange's time: the name of each, whose it was, and when it ended."""
    if one.script is None:
        return [("server", Spender.SERVER, one.end)]
    marks, header = one.marks, one.first_header
    until = "until its first header" if header is not None else "without a header"
    if marks is None:
        before = ("server before the script", Spender.SERVER, one.request_read or 0)
        if one.start is None:
            script = (f"script {until}", Spender.SCRIPT)
        else:
            script = (f"interpreter's start, imports, script {until}", Spender.INTERPRETER_AND_SCRIPT)
        if header is None:
            return [before, (f"{script[0]}, server", script[1], one.end)]
        return [before, (*script, header), ("script after it, server", Spender.SCRIPT_AND_SERVER, one.end)]
    end = marks.end
    found = [("server before the script", Spender.SERVER, marks.start)]
    first = end if header is None else min(header, end)
    if marks.code is None:
        name = f"interpreter's start, imports, script {until}"
        found.append((name, Spender.INTERPRETER_AND_SCRIPT, first))
    else:
        found.append(("interpreter's start", Spender.INTERPRETER, marks.code))
        if marks.imports is not None:
            found.append(("imports", Spender.IMPORTS, min(marks.code + marks.imports, first)))
        found.append((f"script {until}", Spender.SCRIPT, first))
    if header is not None:
        if marks.later_imports:
            found.append(("imports after it", Spender.IMPORTS, min(first + marks.later_imports, end)))
        found.append(("script after it", Spender.SCRIPT, end))
    found.append(("server after the script", Spender.SERVER, one.end))
    return found
