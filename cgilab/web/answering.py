"""The recorder's side of the page behind a failure: it answers what `cgilab.web.asking` asks.

It has imported, once, what the page needs; for each question it forks a child, which judges and writes the whole page.
Whatever a script's file does to the child, the recorder goes on: the child has little time and little memory, there are
few of them, and without one, or where it does not come to an end, the page judges by itself.
"""

import gc
import importlib
import io
import os
import resource
import select
import signal
import stat
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, suppress

from cgilab.exchanges.logged import FOLDER, TIME_LIMIT, framed, is_identifier, lines_of, lines_part

# Makes a response: from the page's environment, from what was logged, and from the number of the page's process. It
# returns the words for httpd's log too.
Respond = Callable[[Mapping[str, str], list[str], int], tuple[str, bytes]]

CHILDREN = 8
MEMORY_BYTES = 400_000_000

# Failures that are judged beforehand: what the rules look for is compiled then, and not in each child.
ENVIRONMENT = {"REDIRECT_STATUS": "500", "REDIRECT_URL": "/cgi-bin/a.py", "REDIRECT_SCRIPT_FILENAME": "/a.py"}
COMMON = (
    "End of script output before headers: a.py",
    "malformed header from script 'a.py': Bad header: a",
    "AH01215: stderr from /a.py: (13)Permission denied: exec of '/a.py' failed",
    "AH01215: stderr from /a.py: Traceback (most recent call last):",
)

# What the rules and the page import only where it is needed.
NEEDED = ("ast", "difflib", "errno", "html", "json", "platform", "shlex", "stat", "warnings", "cgilab.diagnosis")


def prepare() -> Respond | None:
    """Import what makes the page; return None where that fails, and the page says what it knows without."""
    try:
        for name in NEEDED:
            importlib.import_module(name)
        from cgilab.web.failure import OFFERED, respond  # noqa: PLC0415 - what is wrong with it stays there

        for form in OFFERED:
            for message in COMMON:
                environment = {**ENVIRONMENT, "HTTP_ACCEPT": form}
                respond(environment, ["", f"DATE TIME cgi:error {message}"], os.getpid())
    except Exception as error:  # whatever it is, exchanges are recorded
        sys.stderr.write(f"the page behind a failure has to do without the recorder: {error!r}\n")
        return None
    # The collector would touch, and so copy, all of it in each child.
    gc.collect()
    gc.freeze()
    return respond


class Answers:
    """Answers pages behind failures. Nothing is waited for, and nothing is raised.

    Args:
        respond: makes a response; None to tell no more than what was logged.
        folder: where the pages make their FIFOs.

    Attributes:
        children: the processes that are making pages, and those that have ended since `reap`.
    """

    def __init__(self, respond: Respond | None = None, *, folder: str = FOLDER) -> None:
        self._respond = respond
        self._folder = folder
        self.children: set[int] = set()

    def answer(self, identifier: str, page: int, first: bytes, messages: list[bytes]) -> None:
        """Answer a page.

        Args:
            identifier: the request's UNIQUE_ID.
            page: the number of the page's process.
            first: the time of the request's first line.
            messages: its lines, oldest first.
        """
        if not is_identifier(identifier):
            return
        try:
            fifo = os.open(f"{self._folder}/{identifier}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return  # nobody reads
        try:
            if stat.S_ISFIFO(os.fstat(fifo).st_mode):
                lines = lines_part(first, messages)
                if not self._fork(fifo, identifier, page, lines):
                    os.write(fifo, framed(lines))
        except OSError:
            pass  # who asked is gone
        finally:
            os.close(fifo)

    def _fork(self, fifo: int, identifier: str, page: int, lines: bytes) -> bool:
        """Start a child that answers; return whether there is one."""
        self.reap()
        if self._respond is None or len(self.children) >= CHILDREN:
            return False
        try:
            child = os.fork()
        except OSError:
            return False  # there are as many processes as the container may have
        if child == 0:
            try:
                _restrict(fifo)
                _answer(fifo, identifier, page, lines, self._respond)
            except BaseException as error:  # nothing may get back into the recorder
                os.write(2, f"the page behind a failure has to judge by itself: {error!r}\n".encode())
            finally:
                os._exit(0)
        self.children.add(child)
        return True

    def reap(self) -> None:
        """Collect the children that have ended."""
        for child in list(self.children):
            with suppress(ChildProcessError):
                if os.waitpid(child, os.WNOHANG)[0] == 0:
                    continue
            self.children.discard(child)


def _restrict(fifo: int) -> None:
    """Let go of what is the recorder's, and set limits."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(TIME_LIMIT)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.closerange(3, fifo)
    os.closerange(fifo + 1, os.sysconf("SC_OPEN_MAX"))
    os.set_blocking(fifo, True)


def _answer(fifo: int, identifier: str, page: int, lines: bytes, respond: Respond) -> None:
    # First what is there already: should this end before its time, the page can judge by itself.
    _write(fifo, framed(lines))
    variables = os.fsdecode(environment_of(page)).split("\0")
    environment = dict(variable.split("=", 1) for variable in variables if "=" in variable)
    if environment.get("UNIQUE_ID") != identifier:
        return
    with redirect_stderr(io.StringIO()) as said:
        words, response = respond(environment, lines_of(lines), page)
    if said.getvalue():
        return  # it may have failed for want of memory
    with suppress(OSError):
        # httpd waits 47 ms for a program that has not quite ended when its output has (apr_pools.c). So the page's
        # output stays open, here, until the page has ended.
        os.open(f"/proc/{page}/fd/1", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    _write(fifo, framed(words.encode(errors="backslashreplace"), response, b""))
    os.close(fifo)
    wait_for(page)


def wait_for(process: int) -> None:
    """Wait until a process has ended, whoever started it."""
    with suppress(OSError):
        poll = select.poll()
        poll.register(os.pidfd_open(process), select.POLLIN)
        poll.poll()


def environment_of(process: int) -> bytes:
    """Return the environment with which a process was started, each variable ended by a null byte."""
    with open(f"/proc/{process}/environ", "rb") as file:
        return file.read()


def _write(fifo: int, content: bytes) -> None:
    while content:
        content = content[os.write(fifo, content) :]
