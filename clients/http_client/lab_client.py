"""What the clients share: the server's address, the reading of an answer, and errors said in a sentence.

Needs the standard library only. The clients in this folder use it directly, those in ../requests through lab_session.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import re
import socket
import sys
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_ADDRESS = "http://localhost:8080"
# Seconds to wait for each step: the connection, and then every part of the answer. The server itself gives up on a
# script after ten, and its answer says more than none.
TIMEOUT = 15
# Bytes. No service of the lab sends as much; without a limit, a wrong address could fill the memory.
LIMIT = 1024 * 1024

# A host is a name, or an IPv6 address in brackets. Neither path nor password: the clients add their own path.
_LABEL = r"[a-z0-9_-]{1,63}"
_ADDRESS = re.compile(rf"http://((?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9a-f:.]+\])(?::([0-9]{{1,5}}))?)/?", re.IGNORECASE)

_SEE_WHY = 'To see why: "docker compose logs web".'
_SEE_PORT = '"docker compose ps" shows the port of the lab.'


class LabError(Exception):
    """Ends a client; its text says what happened and what to type."""


class UnexpectedAnswerError(LabError):
    """A whole answer with status 200 that is not what the service sends; takes what was expected."""

    def __init__(self, expected: str) -> None:
        super().__init__(
            f"The answer is not {expected}. Was the service changed, or does another server answer? {_SEE_PORT}"
        )


class OutputError(Exception):
    """Standard output takes no more; the cause is the OSError of the write."""


@contextmanager
def lab_server(description: str | None) -> Iterator[str]:
    """Give the server that the command line names, and end the program with a sentence if the block fails.

    The description is for --help. What comes out is host and port, for example localhost:8080. The program's exit
    code is 0, 1 after an error, 2 for an unknown option, 130 after Ctrl-C. Errors that a client cannot expect, its
    own faults, pass as they are.
    """
    sys.stdout = _Output(sys.stdout.buffer, sys.stdout.encoding, errors="backslashreplace", line_buffering=True)
    server = ""
    try:
        server = _server_of(_address_from_command_line(description))
        yield server
    except LabError as error:
        sys.exit(str(error))
    except OutputError as error:
        _leave(error.__cause__)
    except KeyboardInterrupt:
        # 128 + SIGINT: what a shell reports for a program that Ctrl-C ended.
        sys.exit(130)
    except (OSError, HTTPException) as error:
        sys.exit(_sentence(error, f"http://{server}"))


def read_text(response: HTTPResponse, expected: HTTPStatus = HTTPStatus.OK) -> str:
    """Read the content of a response as text.

    Raises LabError when the status is not the expected one or the content is no UTF-8 text of at most LIMIT bytes, and
    http.client.IncompleteRead when the server closed the connection before the end.
    """
    check_status(response.status, response.reason, expected)
    content = response.read(LIMIT + 1)
    # With a size, read does not tell the end of the content from the end of the connection; the count of bytes that
    # are still to come does.
    if len(content) <= LIMIT and response.length:
        raise IncompleteRead(content, response.length)
    return text_of(content)


def check_status(status: int, reason: str, expected: HTTPStatus = HTTPStatus.OK) -> None:
    """Raise LabError unless the status is the expected one.

    A redirect is an error too, since no service of the lab sends one.
    """
    if status != expected:
        wanted = f"{expected.value} {expected.phrase}"
        raise LabError(f"The server answered {f'{status} {reason}'.strip()}, not {wanted}. {_SEE_WHY}")


def text_of(content: bytes) -> str:
    """Decode the content of an answer; raises UnexpectedAnswerError unless it is UTF-8 and has at most LIMIT bytes."""
    if len(content) > LIMIT:
        raise UnexpectedAnswerError("text of at most 1 MiB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise UnexpectedAnswerError("text in UTF-8") from None


def _address_from_command_line(description: str | None) -> str:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "url",
        metavar="URL",
        nargs="?",
        # An empty LAB_URL is how many shells and compose files say that it is not set.
        default=os.environ.get("LAB_URL") or DEFAULT_ADDRESS,
        help=f"the server's address (default: the environment variable LAB_URL, else {DEFAULT_ADDRESS})",
    )
    address: str = parser.parse_args().url
    return address


def _server_of(address: str) -> str:
    parts = _ADDRESS.fullmatch(address)
    if parts is None or (parts[2] and not 1 <= int(parts[2]) <= 65535):  # noqa: PLR2004 - the largest port
        raise LabError(
            f"The address {address!r} is not of the form http://HOST:PORT (PORT: 1 to 65535). "
            f"Give one such as {DEFAULT_ADDRESS} after the program's name, or set LAB_URL to it."
        )
    return parts[1]


def _sentence(error: BaseException, address: str) -> str:
    # Libraries wrap the error of the socket in their own, so all that led to this one is looked at.
    causes = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(ConnectionRefusedError):
        start = '"make up", or "docker compose up --build --wait" where there is no make'
        return f"No server listens at {address}. To start the lab: {start}."
    if caused_by(socket.gaierror):
        return f"The host of {address} is not known. Check its spelling; a lab on this machine is at {DEFAULT_ADDRESS}."
    # Two names, since Python 3.9 does not yet take them for the same.
    if caused_by(socket.timeout, TimeoutError):
        return f"The server at {address} did not answer within {TIMEOUT} seconds. {_SEE_WHY}"
    if caused_by(ConnectionError, IncompleteRead):
        return f"The server at {address} closed the connection before the end of its answer. {_SEE_WHY}"
    if caused_by(HTTPException):
        return f"The server at {address} does not speak HTTP. {_SEE_PORT}"
    return f"The server at {address} cannot be used: {error}. {_SEE_PORT}"


class _Output(io.TextIOWrapper):
    """Standard output that raises OutputError, so that its errors are not taken for the server's: both are OSError.

    It writes line by line, so that the log is seen while the server still thinks, and a character that the terminal
    lacks as its code.
    """

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise OutputError from error


def _leave(error: BaseException | None) -> None:
    # What is still in the buffer has to go somewhere when Python ends, or Python complains.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    # A reader that has seen enough, as in `| head -1`, is no error to speak of. Windows has EINVAL for it.
    if isinstance(error, OSError) and error.errno not in {errno.EPIPE, errno.EINVAL}:
        sys.exit(f"The output cannot be written: {error.strerror}.")
    sys.exit(1)
