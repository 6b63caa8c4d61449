"""A script that runs: its process, what it writes, and how it ends.

Its standard output and error are pipes, as under mod_cgi, so it is seen when a script closes them. The connection to
httpd is closed last, when all that is to stand in the log about the script stands there: httpd logs the end of the
request after that.
"""

import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

from cgilab.exchanges import logged
from cgilab.forkserver import log, marks
from cgilab.forkserver.output import Output
from cgilab.forkserver.processes import has_ended
from cgilab.forkserver.waiting import BLOCK_BYTES, CLOSED, READABLE, WRITABLE, Waiting

# Seconds after which a script that says nothing is ended: a little less than httpd waits (ProxyTimeout), so that it is
# logged how the script ended when httpd gives up.
SILENCE = 9.8

# Seconds for which httpd is given time to give up for the same reason.
PATIENCE = 2.0

# Seconds for which a script may go on whose answer httpd does not want.
UNWANTED = 0.5

# Seconds between SIGTERM and SIGKILL, as under mod_cgi (APR_KILL_AFTER_TIMEOUT).
GRACE = 3.0

# Seconds for which a script may live on once it has closed its output: as a rule, it is just ending.
ENDING = 0.05

# As mod_cgi says it.
TIMED_OUT = (
    b"cgi:error (70007)The timeout specified has expired: AH01220: Timeout waiting for output from CGI script %b"
)

# How the script ended, in the words of `cgilab.failures.evidence`, which reads them.
ENDED = f"{logged.FROM_FORKSERVER}{logged.ENDED}"


class Started:
    """A script that was started.

    Args:
        key: of its request in httpd's log.
        path: of the script.
        process: its process, which leads a group of its own.
        output, error: descriptors of what it prints.
        log: a descriptor of httpd's log; closed when nothing is left to do.
        marks: where its moments are noted.
    """

    __slots__ = ("error", "key", "log", "marks", "output", "path", "process")

    def __init__(
        self, *, key: bytes, path: bytes, process: int, output: int, error: int, log: int, marks: memoryview
    ) -> None:
        self.key = key
        self.path = path
        self.process = process
        self.output = output
        self.error = error
        self.log = log
        self.marks = marks


class Run:
    """Passes on what a script prints, until it has ended.

    Args:
        started: the script.
        connection: to httpd; closed by this.
        waiting: where to wait.
        ended: is called when the script has ended.
        done: is called when nothing is left to do for it.

    Attributes:
        process: of the script.
        has_finished: whether it has ended, and its number may be another's.
        marks: where its moments are noted.
        due: the time at which `on_due` is to be called.
    """

    def __init__(
        self,
        started: Started,
        connection: socket.socket,
        waiting: Waiting,
        *,
        ended: Callable[[], object],
        done: Callable[["Run"], object],
    ) -> None:
        self._script = started
        self.process = started.process
        self.marks = started.marks
        self._connection: socket.socket | None = connection
        self._waiting = waiting
        self._ended = ended
        self._done = done
        # What is open of the script's output, and the descriptor of its process where its end is waited for.
        self._open = {started.output, started.error}
        self._awaits_exit = False
        # What httpd has not taken yet, and a line of standard error whose end is to come.
        self._printed = Output(started.path.rpartition(b"/")[2])
        self._unsent = b""
        self._line = b""
        # Lines for httpd's log that can wait for the next one that cannot: each write wakes the recorder.
        self._kept = b""
        self._told = False
        self._has_header = False
        self._timed_out = False
        self.has_finished = False
        waiting.watch(started.output, READABLE, self._read_output)
        waiting.watch(started.error, READABLE, self._read_error)
        waiting.watch(connection.fileno(), CLOSED, self._on_connection)
        self._wait_for_output()

    def _wait_for_output(self) -> None:
        self._call(SILENCE, self._time_out)

    def _call(self, seconds: float, on_due: Callable[[], None]) -> None:
        self.due = self._waiting.now + seconds
        self.on_due = on_due

    def _log(self, lines: bytes) -> None:
        log.write(self._script.log, self._kept + lines)
        self._kept = b""

    # --- What it prints ---------------------------------------------------------------------------

    def _read_output(self, _events: int) -> None:
        read = os.read(self._script.output, BLOCK_BYTES)
        to_httpd = self._printed.take(read) if read else self._printed.end()
        if self._printed.logged:
            if not self._has_header:
                self._has_header = True
                marks.mark_header(self.marks)
            self._kept += b"".join(log.line(self._script.key, text) for text in self._printed.logged)
            self._printed.logged.clear()
        if to_httpd and self._connection is not None:
            if self._kept and self._printed.is_discarded:
                self._log(b"")  # httpd goes on without the script
            self._send(to_httpd)
        if not read:
            self._close(self._script.output)
            self._go_on()

    def _send(self, content: bytes) -> None:
        """Send to httpd; what it does not take now, as soon as it does, and nothing more is read until then."""
        self._wait_for_output()
        try:
            sent = self._connection.send(content) if self._connection else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._give_up()
            return
        was_waiting, self._unsent = bool(self._unsent), content[sent:]
        if self._connection is None or bool(self._unsent) == was_waiting:
            return
        events = WRITABLE | CLOSED if self._unsent else CLOSED
        self._waiting.change(self._connection.fileno(), events, self._on_connection)
        if self._script.output in self._open:
            # A pipe that is closed at the other end would be told of for ever, if it were watched meanwhile.
            if self._unsent:
                self._waiting.forget(self._script.output)
            else:
                self._waiting.watch(self._script.output, READABLE, self._read_output)
        if not self._unsent:
            self._go_on()

    def _on_connection(self, events: int) -> None:
        if events & WRITABLE and self._unsent:
            self._send(self._unsent)
        elif events & ~WRITABLE:
            self._give_up()

    def _read_error(self, _events: int) -> None:
        read = os.read(self._script.error, BLOCK_BYTES)
        if read:
            lines, newline, self._line = (self._line + read).rpartition(b"\n")
            if len(self._line) >= log.LINE_BYTES:
                lines, newline, self._line = lines + newline + self._line, b"\n", b""
        else:
            self._close(self._script.error)
            lines = newline = self._line
            self._line = b""
        if newline:
            self._log(log.of_stderr(self._script.key, self._script.path, lines))
        if not read and not self.has_finished:
            self._go_on()

    # --- How it ends ------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """See whether the script has ended, where something of its output is closed now, and httpd has all of it."""
        if self._unsent or self._script.output in self._open:
            return
        closed = self._script.error not in self._open
        if closed and has_ended(self.process):
            self._finish()
        elif not self._awaits_exit:
            if closed:
                self._await_exit()
            self._call(ENDING, self._end_output)

    def _await_exit(self) -> None:
        if not self._awaits_exit:
            self._awaits_exit = True
            descriptor = os.pidfd_open(self.process)
            self._open.add(descriptor)
            self._waiting.watch(descriptor, READABLE, self._on_exit)

    def _on_exit(self, _events: int) -> None:
        self._finish()

    def _end_output(self) -> None:
        """End a script that has closed its output and lives on; httpd has all of the answer."""
        self._close_connection()
        self._terminate()

    def _time_out(self) -> None:
        """End a script that has said nothing for too long; httpd, which finds the same, closes the connection."""
        if self._unsent:
            self._wait_for_output()  # it is the client that takes its time
            return
        self._timed_out = True
        self._log(log.line(self._script.key, TIMED_OUT % log.escaped(self._script.path)))
        self._tell_running()
        self._terminate()

    def _give_up(self) -> None:
        """Let go of httpd, which wants no more; the script has a moment to end by itself, as under mod_cgi."""
        self._close_connection()
        if self._unsent and self._script.output in self._open:
            self._waiting.watch(self._script.output, READABLE, self._read_output)
        self._unsent = b""
        if self.has_finished:
            self._leave()
        else:
            self._call(UNWANTED, self._terminate)

    def _terminate(self) -> None:
        self._signal(signal.SIGTERM)
        self._call(GRACE, self._kill)
        self._await_exit()

    def _kill(self) -> None:
        self._signal(signal.SIGKILL)
        self._call(GRACE, self._kill)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process, number)

    def _finish(self) -> None:
        """End what the script, which has ended, has left, and tell httpd."""
        self.has_finished = True
        self._signal(signal.SIGKILL)
        _, status, usage = os.wait4(self.process, 0)
        self._ended()
        if self._script.error in self._open:
            os.set_blocking(self._script.error, False)
            with suppress(BlockingIOError):
                self._read_error(READABLE)
        for descriptor in list(self._open):
            self._close(descriptor)
        code = os.waitstatus_to_exitcode(status)
        self._tell(f"exit code {code}" if code >= 0 else f"signal {-code}", usage.ru_utime + usage.ru_stime)
        if self._timed_out and self._connection is not None:
            self._call(PATIENCE, self._leave)
        else:
            self._leave()

    def _close(self, descriptor: int) -> None:
        self._waiting.forget(descriptor)
        os.close(descriptor)
        self._open.discard(descriptor)

    def _leave(self) -> None:
        self._close_connection()
        os.close(self._script.log)
        self._done(self)
        # What refers to itself is left to the garbage collector, which does not run here.
        del self.on_due

    def _close_connection(self) -> None:
        if self._line:
            # Its end would come too late.
            self._kept += log.of_stderr(self._script.key, self._script.path, self._line)
            self._line = b""
        if self._kept:
            self._log(b"")
        if self._connection is not None:
            self._waiting.forget(self._connection.fileno())
            self._connection.close()
            self._connection = None

    def _tell_running(self) -> None:
        """Tell what a script is doing that is to be ended."""
        try:
            with open(f"/proc/{self.process}/stat", encoding="latin-1") as file:
                fields = file.read().rpartition(")")[2].split()
            with open(f"/proc/{self.process}/wchan", encoding="latin-1") as file:
                place = file.read().strip("0\n")
        except OSError:
            return
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        self._tell(f"still running; waiting in {place}" if place else "still running", seconds)

    def _tell(self, how: str, seconds: float) -> None:
        """Tell, once, how the script ended, and how much processor time it took, in seconds."""
        if not self._told:
            self._told = True
            times = marks.told(self.marks, header=self._has_header)
            words = f"{ENDED}{how}; {seconds:.6f} s of processor time; {times}"
            self._log(log.line(self._script.key, words.encode()))
