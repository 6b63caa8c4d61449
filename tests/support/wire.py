"""HTTP as bytes, for tests in which a client library would mend or hide what matters."""

import socket
from dataclasses import dataclass

TIMEOUT = 30.0
"""Seconds after which a server that says nothing fails a test."""


@dataclass(frozen=True)
class Answer:
    """One response as it came over the wire.

    Attributes:
        status_line: the first line, without its line break.
        headers: name and value of each header line, in the order and the case in which they came.
        body: all that followed the blank line, until the server closed the connection; chunks are not undone.
    """

    status_line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.status_line.split(" ")[1])

    def names(self) -> set[str]:
        """Return the set of header names."""
        return {name for name, _ in self.headers}

    def values(self, name: str) -> list[str]:
        """Return the values of one header, in the order in which they came."""
        return [value for found, value in self.headers if found == name]


def exchange(port: int, request: bytes) -> bytes:
    """Send bytes to the lab, and return all that it answers until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
        connection.sendall(request)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """Return all that comes until the other side closes the connection."""
    received = b""
    try:
        while block := connection.recv(65536):
            received += block
    except ConnectionResetError:
        pass  # A server that answers before it has read the whole request may reset afterwards.
    return received


def parse(received: bytes) -> Answer:
    """Take the bytes of one response apart."""
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
    return Answer(status_line, headers, body)


def send(port: int, *lines: str, body: bytes = b"") -> Answer:
    """Send a request, given as its lines, and return the response.

    Args:
        port: a port of 127.0.0.1.
        lines: the request line and the header lines, without line breaks; characters stand for bytes (Latin-1).
        body: what follows the blank line.
    """
    return parse(exchange(port, "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + body))
