"""The server: it takes requests from httpd and forks a child for each. One thread waits for everything at once."""

import gc
import os
import socket
import struct
from collections.abc import Callable
from types import CodeType, ModuleType

from cgilab.forkserver import log, marks, script
from cgilab.forkserver.processes import PAUSE, adopt, children, end, end_children
from cgilab.forkserver.programs import Programs, compiled, packed, unpacked
from cgilab.forkserver.run import BLOCK_BYTES, Run, Started
from cgilab.forkserver.scgi import NotARequestError, Request, parse
from cgilab.forkserver.waiting import NEVER, READABLE, WRITABLE, Waiting

# Seconds for which httpd may take to send a request; it has all of the headers then.
PATIENCE = 30.0

# Seconds after the end of a script in which what it has left is looked for.
SWEEP = 0.1

# As mod_cgi says it.
NOT_FORKED = b"cgi:error (%d)%b: couldn't create child process: %d: %b"

DESCRIPTORS = os.sysconf("SC_OPEN_MAX")

CREDENTIALS = struct.Struct("3i")


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
        self._sweep_at = NEVER

    def serve(self) -> None:
        """Serve."""
        adopt()
        self._listener.setblocking(False)
        self._waiting.watch(self._listener.fileno(), READABLE, self._accept)
        while True:
            due = min((one.due for one in self._under_way), default=NEVER)
            due = min(due, self._sweep_at)
            self._waiting.wait(due)
            if due <= self._waiting.now:
                for one in [one for one in self._under_way if one.due <= self._waiting.now]:
                    one.on_due()
            if self._waiting.now >= self._sweep_at:
                self._sweep()

    def end_at_once(self) -> None:
        """End all scripts, and this process."""
        end_children()
        os._exit(1)

    def _accept(self, _events: int) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # it is gone again; or there are too many descriptors, and the next event tries again
        connection.setblocking(False)
        receiving = Receiving(connection, self._waiting, self._start, self._under_way.discard)
        # As a rule all of it is there already.
        if not receiving.receive():
            self._under_way.add(receiving)
            self._waiting.watch(connection.fileno(), READABLE, receiving.on_readable)

    def _start(self, request: Request, connection: socket.socket) -> None:
        """Start a script."""
        process, _, _ = CREDENTIALS.unpack(
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
        )
        try:
            own_log = log.open_of(process)
        except OSError:
            connection.close()  # it has ended, and nobody wants an answer
            return
        key = b"%b/%d" % (request.identifier, process)
        state, code = self._programs.look_up(request.script)
        output, its_output = os.pipe()
        error, its_error = os.pipe()
        its = [its_output, its_error]
        stdin = self._nothing
        if request.body:
            stdin, body = os.pipe()
            its.append(stdin)
            Giving(body, request.body, self._waiting)
        compiling = state is not None and code is None
        if compiling:
            of_code, its_code = os.pipe()
            its.append(its_code)
        its_marks = self._marks.take()
        try:
            main = script.prepare(request.script, request.environment)
            child = os.fork()
        except OSError as reason:
            number = reason.errno or 0
            name = log.escaped(request.script.rpartition(b"/")[2])
            text = NOT_FORKED % (number, os.strerror(number).encode(), number, name)
            log.write(own_log, log.line(key, text))
            for descriptor in [*its, output, error, own_log, *([of_code] if compiling else [])]:
                os.close(descriptor)
            self._marks.give_back(its_marks)
            connection.close()
            return
        if child == 0:
            _become(request, main, (stdin, its_output, its_error), its_code if compiling else None, code)
        for descriptor in its:
            os.close(descriptor)
        if compiling and state is not None:
            Compiling(of_code, self._waiting, lambda code: self._programs.remember(request.script, state, code))
        started = Started(
            key=key,
            path=request.script,
            process=child,
            output=output,
            error=error,
            log=own_log,
            marks=its_marks,
        )
        self._under_way.add(Run(started, connection, self._waiting, ended=self._sweep_soon, done=self._end))

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


class Giving:
    """Writes the body of a request into a pipe.

    As a rule all of it fits, since httpd hands over no longer one; where a user has many pipes, a new one is smaller
    (pipe(7)).

    Args:
        descriptor: the end of the pipe that is written to; closed by this.
        body: of the request.
        waiting: where to wait.
    """

    def __init__(self, descriptor: int, body: bytes, waiting: Waiting) -> None:
        self._descriptor = descriptor
        self._left = body
        self._waiting = waiting
        os.set_blocking(descriptor, False)
        self._give(0)
        if self._left:
            waiting.watch(descriptor, WRITABLE, self._give)

    def _give(self, _events: int) -> None:
        try:
            self._left = self._left[os.write(self._descriptor, self._left) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._left = b""  # the script has closed its standard input, or has ended
        if not self._left:
            self._waiting.forget(self._descriptor)
            os.close(self._descriptor)


class Compiling:
    """Reads the code that a child has compiled.

    Args:
        descriptor: where it comes from.
        waiting: where to wait.
        remember: takes it; None for a script that is to be run as a program.
    """

    def __init__(self, descriptor: int, waiting: Waiting, remember: Callable[[CodeType | None], object]) -> None:
        self._descriptor = descriptor
        self._waiting = waiting
        self._remember = remember
        self._read = b""
        waiting.watch(descriptor, READABLE, self._receive)

    def _receive(self, _events: int) -> None:
        read = os.read(self._descriptor, BLOCK_BYTES)
        self._read += read
        if not read:
            self._waiting.forget(self._descriptor)
            os.close(self._descriptor)
            if self._read:
                self._remember(unpacked(self._read))


def _become(
    request: Request, main: ModuleType, streams: tuple[int, int, int], code_to: int | None, code: CodeType | None
) -> None:
    """In a child, become the process of a script.

    Args:
        request: the request.
        main: the script's main module.
        streams: what are to be its standard input, output and error.
        code_to: where its code goes, in a child that is to compile it.
        code: its code; None for a program, and for code that is to be compiled.
    """
    status = script.NOT_STARTED
    try:
        os.setpgid(0, 0)
        # Descriptors below 3 are the server's own, so none of these overwrites another.
        os.dup2(streams[0], 0)
        os.dup2(streams[1], 1)
        os.dup2(streams[2], 2)
        if code_to is not None:
            os.dup2(code_to, 3)
        os.closerange(3 if code_to is None else 4, DESCRIPTORS)
        if code_to is not None:
            code = compiled(request.script)
            content = packed(code)
            while content:
                content = content[os.write(3, content) :]
            os.close(3)
        if code is None:
            script.become_program(request.script, request.environment)
        else:
            status = script.become_script(main, request.environment, code)
    except BaseException as error:
        os.write(2, f"the forkserver could not start it: {error!r}\n".encode(errors="backslashreplace"))
    finally:
        os._exit(status)
