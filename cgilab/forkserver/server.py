"""The server: it takes requests from httpd and forks a child for each. One thread waits for everything at once."""

import gc
import os
import socket

from cgilab.forkserver import marks
from cgilab.forkserver.processes import PAUSE, adopt, children, end, end_children
from cgilab.forkserver.programs import Programs
from cgilab.forkserver.receiving import Receiving
from cgilab.forkserver.run import Run
from cgilab.forkserver.scgi import Request
from cgilab.forkserver.starting import Starting
from cgilab.forkserver.waiting import NEVER, READABLE, Waiting

# Requests that are taken in at once, at most.
AT_ONCE = 16

# Seconds after the end of a script in which what it has left is looked for.
SWEEP = 0.1


class Server:
    """Serves until it is ended.

    Args:
        listener: a listening Unix socket.
        programs: say what is to be run.
    """

    def __init__(self, listener: socket.socket, programs: Programs) -> None:
        self._listener = listener
        self._programs = programs
        self._waiting = Waiting()
        self._under_way: set[Receiving | Run] = set()
        self._marks = marks.Pool()
        # The standard input of scripts whose requests have no body: a pipe at its end, as under mod_cgi.
        self._nothing, other = os.pipe()
        os.close(other)
        # Requests that are whole, and whose scripts are to be started.
        self._ready: list[tuple[Request, socket.socket]] = []
        self._sweep_at = NEVER
        # Whether somebody waits at the listener.
        self._is_asked = False

    def serve(self) -> None:
        """Serve."""
        adopt()
        self._listener.setblocking(False)
        self._waiting.watch(self._listener.fileno(), READABLE, self._on_asked)
        while True:
            due = min((one.due for one in self._under_way), default=NEVER)
            due = min(due, self._sweep_at)
            self._waiting.wait(due)
            if due <= self._waiting.now:
                for one in [one for one in self._under_way if one.due <= self._waiting.now]:
                    one.on_due()
            # Last, so that what has come meanwhile is started together with what was there.
            if self._is_asked:
                self._is_asked = False
                self._accept()
            self._start()
            if self._waiting.now >= self._sweep_at:
                self._sweep()

    def end_at_once(self) -> None:
        """End all scripts, and this process."""
        end_children()
        os._exit(1)

    def _on_asked(self, _events: int) -> None:
        self._is_asked = True

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # nobody else waits; or there are too many descriptors, and the next event tries again
            connection.setblocking(False)
            receiving = Receiving(connection, self._waiting, self._take, self._under_way.discard)
            # As a rule all of it is there already.
            if not receiving.receive():
                self._under_way.add(receiving)
                self._waiting.watch(connection.fileno(), READABLE, receiving.on_readable)

    def _take(self, request: Request, connection: socket.socket) -> None:
        self._ready.append((request, connection))

    def _start(self) -> None:
        """Start the scripts of all requests that are there."""
        starting = []
        for request, connection in self._ready:
            try:
                starting.append(Starting(request, connection, self._programs, self._nothing, self._waiting))
            except OSError:
                connection.close()  # nobody wants an answer
        self._ready.clear()
        for one in starting:
            one.fork(self._marks)
        for one in starting:
            started = one.started()
            if started is not None:
                run = Run(started, one.connection, self._waiting, ended=self._sweep_soon, done=self._end)
                self._under_way.add(run)

    def _end(self, run: Run) -> None:
        self._under_way.discard(run)
        self._marks.give_back(run.marks)

    def _sweep_soon(self) -> None:
        self._sweep_at = min(self._sweep_at, self._waiting.now + SWEEP)

    def _sweep(self) -> None:
        """End what scripts have left that is not of their group any more."""
        gc.collect(1)
        groups = {one.process for one in self._under_way if isinstance(one, Run) and not one.has_finished}
        left = [child for child in children() if child not in groups and os.getpgid(child) not in groups]
        self._sweep_at = NEVER if end(left) else self._waiting.now + PAUSE
