"""Servers that stand in for the lab: they say what a test wants, right or wrong, to whoever asks."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.clients.programs import SENTENCE

CONTENTS = {
    "client_web_02.py": b"14/02/12 15:51:07\n",
    "client_web_03_get.py": f"{SENTENCE}\n".encode(),
    "client_web_03_post.py": f"{SENTENCE}\n".encode(),
    "client_web_04.py": b"SERVER_SIGNATURE : \nREQUEST_METHOD : GET\nQUERY_STRING : \nGATEWAY_INTERFACE : CGI/1.1\n",
    "client_web_05.py": "Lovelace\tAda\t36\nO'Neill\tZoé\t29\n".encode(),
}
"""What the service that a program calls sends when all is well; the list of people, to client_web_05.py."""


class StandIn(socketserver.ThreadingTCPServer):
    """A server on 127.0.0.1 that has an answer to each request of a connection, and then closes it.

    Attributes:
        url: its address.
        requests: each request that has come, whole.
        asked: set as soon as there is a request.
    """

    daemon_threads = True

    def __init__(self, *answers: bytes | None) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.answers = answers
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.requests: list[bytes] = []
        self.asked = threading.Event()


class _Connection(socketserver.BaseRequestHandler):
    server: StandIn
    request: socket.socket

    def handle(self) -> None:
        # A client may go away at any time: that is what some tests are about.
        with suppress(ConnectionError):
            for answer in self.server.answers:
                request = _read_request(self.request)
                if not request:
                    break
                self.server.requests.append(request)
                self.server.asked.set()
                if answer is None:
                    # Ends when the client closes the connection.
                    self.request.recv(1)
                else:
                    self.request.sendall(answer)


def _read_request(connection: socket.socket) -> bytes:
    received = b""
    while not (b"\r\n\r\n" in received and len(received) >= _length(received)):
        block = connection.recv(65536)
        if not block:
            break
        received += block
    return received


def _length(request: bytes) -> int:
    head, separator, _ = request.partition(b"\r\n\r\n")
    sizes = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")]
    return len(head + separator) + sum(sizes)


@contextmanager
def stand_in(*answers: bytes | None) -> Iterator[StandIn]:
    """Run a server that sends these bytes to one request after the other and closes the connection.

    Where there is None in their place, it says nothing at all.
    """
    with StandIn(*answers) as server:
        # The interval is how long the end of a test waits for the thread; the default would be half a second.
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def answer(content: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole response with this content; its size comes first, the other headers after it."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content


def chunked(*chunks: bytes) -> bytes:
    """Return a response in chunks; the last one, which is empty and says that there are no more, is the caller's."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def right_answers() -> list[bytes]:
    """Return what web_05.py answers to client_web_05.py: the list, the person who was added, and those found."""
    added = "O'Neill\tZoé\t29\n".encode()
    return [
        answer(CONTENTS["client_web_05.py"], "Content-Type: text/plain"),
        answer(added, "Content-Type: text/plain", status="201 Created"),
        answer(added * 2, "Content-Type: text/plain"),
    ]
