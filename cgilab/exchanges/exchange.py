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
        first_header, response, end: when the script's first header was read, when the response's headers were sent,
            and when all was done: microseconds since the request was received; None for what did not happen.
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
    first_header: int | None
    response: int | None
    end: int
    messages: Sequence[Message]
    explained: Explained | None = None
    chunked: bool = False
    nph: bool = False
    incomplete: bool = False

    @property
    def path(self) -> str:
        """The target without its query string."""
        return self.target.partition("?")[0]
