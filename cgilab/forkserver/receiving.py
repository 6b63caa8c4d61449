"""A request on its way in: it is read until it is whole."""

import socket
from collections.abc import Callable

from cgilab.forkserver.scgi import NotARequestError, Request, parse
from cgilab.forkserver.waiting import BLOCK_BYTES, Waiting

# Seconds for which httpd may take to send a request; it has all of the headers then.
PATIENCE = 30.0


class Receiving:
    """Reads a request.

    Args:
        connection: to httpd.
        waiting: where to wait.
        start: takes the request and the connection, when the request is whole.
        done: is called when nothing is left to read.

    Attributes:
        due: the time at which `on_due` is to be called.
    """

    def __init__(
        self,
        connection: socket.socket,
        waiting: Waiting,
        start: Callable[[Request, socket.socket], object],
        done: Callable[["Receiving"], object],
    ) -> None:
        self._connection = connection
        self._waiting = waiting
        self._start = start
        self._done = done
        self._received = b""
        self.due = waiting.now + PATIENCE

    def on_due(self) -> None:
        """Let go of a request that does not come."""
        self._leave()
        self._connection.close()

    def on_readable(self, _events: int) -> None:
        """Take in what has come."""
        self.receive()

    def receive(self) -> bool:
        """Take in what has come, and return whether nothing more is waited for."""
        try:
            read = self._connection.recv(2 * BLOCK_BYTES)
            request = parse(self._received + read)
        except BlockingIOError:
            return False
        except (OSError, NotARequestError):
            read, request = b"", None
        if request:
            self._leave()
            self._start(request, self._connection)
        elif read:
            self._received += read
            return False
        else:
            self._leave()
            self._connection.close()
        return True

    def _leave(self) -> None:
        self._waiting.forget(self._connection.fileno())
        self._done(self)
