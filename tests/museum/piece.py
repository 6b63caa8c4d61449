"""What the museum holds: scripts, how they are placed, how they are asked for, and what is to come of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent
from urllib.parse import quote

ENV = "#!/usr/bin/env python3"
DIRECT = "#!/usr/bin/python3"
SHELL = "#!/bin/sh"


def script(text: str, shebang: str = ENV) -> bytes:
    """Return a script of this first line and this text, whose common indentation goes."""
    return f"{shebang}\n{dedent(text).removeprefix(chr(10))}".encode()


def crlf(content: bytes) -> bytes:
    """Return the content as an editor on Windows saves it."""
    return content.replace(b"\n", b"\r\n")


@dataclass(frozen=True, eq=False)
class Request:
    """How a piece is asked for.

    Attributes:
        method: of the request.
        query: of the URL, without its question mark; a mark by which the exchange is found again precedes it.
        body: of the request; None for a request that announces none.
        headers: lines besides Host and Accept.
    """

    method: str = "GET"
    query: str = ""
    body: bytes | None = None
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Placed:
    """How a piece lies in its folder.

    Attributes:
        name: its path below cgi-bin/ (below the document root where `in_www` says so).
        content: of the file; None where there is none: for a folder, for a link, and for what is not there.
        mode: of the file.
        neighbours: other files, by their paths below cgi-bin/, which are executable.
        link: where the piece is a symbolic link: what it leads to.
        owner: user of the file, or of the link itself; None for who runs the tests. Another one takes root.
        folder_mode: of the folder in which the piece lies, which then is its own.
        in_www: whether it lies in the document root.
        url: the path of the request; empty for that of the piece.
        python: the oldest Python of which what is said of the piece holds.
    """

    name: str
    content: bytes | None
    mode: int = 0o755
    neighbours: Mapping[str, bytes] = field(default_factory=dict)
    link: str = ""
    owner: int | None = None
    folder_mode: int | None = None
    in_www: bool = False
    url: str = ""
    request: Request = field(default_factory=Request)
    python: tuple[int, int] = (3, 11)

    @property
    def path(self) -> str:
        """The path of its URL."""
        return self.url or quote(f"{'/' if self.in_www else '/cgi-bin/'}{self.name}")


@dataclass(frozen=True, eq=False)
class Piece(Placed):
    """A script that fails, or a request for something that cannot be run.

    Attributes:
        cause: which is to be named first once it has been served.
        before: the cause that is to be named of the file alone; None where only a run can tell for sure: nothing
            need be said then, and nothing else may.
        status: that the client gets; None where it gets no status line at all.
        says: a part of one message that httpd logs about it; empty where it logs nothing.
        own_body: whether the script's own output reaches the client in spite of a status of an error, so that no page
            can take its place.
        pace: ``quick``; ``sleeping`` for what waits until it is given up; ``busy`` for what computes until then;
            ``alone`` for what nothing else should be under way with.
    """

    cause: str = ""
    before: str | None = None
    status: int | None = 500
    says: str = ""
    own_body: bool = False
    pace: str = "quick"

    @property
    def has_page(self) -> bool:
        """Whether a page of the lab takes the place of what the script printed."""
        return self.status is not None and self.status >= 400 and not self.own_body


@dataclass(frozen=True, eq=False)
class Sound(Placed):
    """A script that does what it is meant to.

    Attributes:
        status: that the client gets.
        body: that the client gets, whole; None where `size` is told.
        size: of the body in bytes.
        headers: lines that the response holds, besides others.
    """

    status: int = 200
    body: bytes | None = b""
    size: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
