"""The start of a script, in three steps, and what the server and its process have to tell each other: body and code.

After a fork the kernel copies each page of memory that the server writes to. So each step is done for all requests that
wait, before the next one is: what the server writes between its forks is copied once for all of them.
"""

import errno
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from types import CodeType, ModuleType

from cgilab.forkserver import log, marks, script
from cgilab.forkserver.programs import Programs, compiled, packed, unpacked
from cgilab.forkserver.run import Started
from cgilab.forkserver.scgi import Request
from cgilab.forkserver.waiting import BLOCK_BYTES, READABLE, WRITABLE, Waiting

# As mod_cgi says it.
NOT_FORKED = b"cgi:error (%d)%b: couldn't create child process: %d: %b"

DESCRIPTORS = os.sysconf("SC_OPEN_MAX")

CREDENTIALS = struct.Struct("3i")


class Starting:
    """A script that is started. The first step: what it needs is opened.

    Args:
        request: the request.
        connection: to httpd.
        programs: say what is to be run.
        nothing: the standard input of a script whose request has no body.
        waiting: where to wait.

    Attributes:
        connection: to httpd; closed by this where the script cannot be started.

    Raises:
        OSError: the process of httpd that asked has ended.
    """

    def __init__(
        self, request: Request, connection: socket.socket, programs: Programs, nothing: int, waiting: Waiting
    ) -> None:
        asks, _, _ = CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
        self._log = log.open_of(asks)
        self._key = b"%b/%d" % (request.identifier, asks)
        self.connection = connection
        self._request = request
        self._programs = programs
        self._nothing = nothing
        self._waiting = waiting
        self._opened = [self._log]
        self._body_to: int | None = None
        self._code_from: int | None = None
        self._code_to: int | None = None
        self._marks: memoryview | None = None
        self._process: int | None = None
        self._has_failed = False
        try:
            self._open()
        except OSError as reason:
            self._fail(reason)

    def _open(self) -> None:
        self._state, self._code = self._programs.look_up(self._request.script)
        self._output, its_output = self._pipe()
        self._error, its_error = self._pipe()
        stdin = self._nothing
        # The script's ends, which are closed here once it has them.
        self._its = [its_output, its_error]
        if self._request.body:
            stdin, self._body_to = self._pipe()
            self._its.append(stdin)
        if self._state is not None and self._code is None:
            self._code_from, self._code_to = self._pipe()
            self._its.append(self._code_to)
        self._streams = (stdin, its_output, its_error)

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._opened += ends
        return ends

    def _fail(self, reason: OSError | ValueError) -> None:
        """Log, as httpd does, why a script could not be started."""
        self._has_failed = True
        number = getattr(reason, "errno", None) or errno.EINVAL
        name = log.escaped(self._request.script.rpartition(b"/")[2])
        log.write(self._log, log.line(self._key, NOT_FORKED % (number, os.strerror(number).encode(), number, name)))

    def fork(self, pool: marks.Pool) -> None:
        """Take the second step: fork, or start a program. In a child this does not return.

        Args:
            pool: has a place for the script's marks.
        """
        if self._has_failed:
            return
        try:
            self._marks = pool.take()
            self._process = self._start()
        except (OSError, ValueError) as reason:
            if self._marks is not None:
                pool.give_back(self._marks)
            self._fail(reason)

    def _start(self) -> int:
        if self._state is None:
            # Where that fails, the fork says why.
            with suppress(OSError, ValueError):
                return script.start_program(self._request.script, self._request.environment, self._streams)
        main = script.prepare(self._request.script, self._request.environment)
        process = os.fork()
        if process == 0:
            _become(self._request, main, self._streams, self._code_to, self._code)
        return process

    def started(self) -> Started | None:
        """Take the third step: let go of what is the script's, and give it the body of its request.

        Returns:
            The script; None where it could not be started.
        """
        if self._process is None or self._marks is None:
            for descriptor in self._opened:
                os.close(descriptor)
            self.connection.close()
            return None
        for descriptor in self._its:
            os.close(descriptor)
        if self._body_to is not None:
            Giving(self._body_to, self._request.body, self._waiting)
        if self._code_from is not None and self._state is not None:
            path, state = self._request.script, self._state
            Compiling(self._code_from, self._waiting, lambda code: self._programs.remember(path, state, code))
        return Started(
            key=self._key,
            path=self._request.script,
            process=self._process,
            output=self._output,
            error=self._error,
            log=self._log,
            marks=self._marks,
        )


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
