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
}
"""What the service that a program calls sends when all is well."""


class StandIn(socketserver.ThreadingTCPServer):
    """A server on 127.0.0.1 with one answer to every request.

    Attributes:
        url: its address.
        requests: each request that has come, whole.
        asked: set as soon as there is a request.
    """

    daemon_threads = True

    def __init__(self, answer: bytes | None) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.answer = answer
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.requests: list[bytes] = []
        self.asked = threading.Event()


class _Connection(socketserver.BaseRequestHandler):
    server: StandIn
    request: socket.socket

    def handle(self) -> None:
        # A client may go away at any time: that is what some tests are about.
        with suppress(ConnectionError):
            self.server.requests.append(_read_request(self.request))
            self.server.asked.set()
            if self.server.answer is None:
                # Ends when the client closes the connection.
                self.request.recv(1)
            else:
                self.request.sendall(self.server.answer)


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
def stand_in(answer: bytes | None) -> Iterator[StandIn]:
    """Run a server that sends these bytes and closes the connection, or says nothing at all if there are none."""
    with StandIn(answer) as server:
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
