"""The moments of a script's process: the server and the process note them in memory that both have.

A mark is a number that is written into a place, which takes about a microsecond; nothing stands between the script and
what it does. Imports are watched by events of the interpreter (PEP 669) where a module's lock is taken and let go of:
they come only where a module is loaded, and they leave no trace in a traceback, as a function around the import would.
"""

import mmap
import os
import sys
import time
from importlib import _bootstrap  # where Python itself imports

# The marks of a script. Nanoseconds: moments since 1970, and how long imports took; 0 where there is none.
START, CODE, IMPORTS, IMPORTS_AT_HEADER, END = range(5)
# The process whose marks these are: a child that a script forks has the same memory, and is another.
PROCESS = 5
MARKS = 6
NUMBER_BYTES = 8

# Scripts for which there is room at first: as many as httpd serves at once (MaxRequestWorkers), and some that are just
# ending. Room is added as it is needed.
SCRIPTS = 128

# One of the numbers for tools that nobody has (sys.monitoring).
TOOL = 4

# Written into the log by `told`, and read by `cgilab.exchanges.httpd_log`.
NONE = "-"


class Pool:
    """Places for the marks of scripts: of each that runs its own, which is used again when it has ended."""

    def __init__(self) -> None:
        self._free: list[memoryview] = []

    def take(self) -> memoryview:
        """Return a place, in which the script's start is marked as of now."""
        if not self._free:
            memory = memoryview(mmap.mmap(-1, SCRIPTS * MARKS * NUMBER_BYTES)).cast("q")
            self._free = [memory[place : place + MARKS] for place in range(0, len(memory), MARKS)]
        place = self._free.pop()
        for number in range(MARKS):
            place[number] = 0
        place[START] = time.time_ns()
        # Here, so that the child finds it without a write, for which the kernel would copy a page.
        _own.place = place
        return place

    def give_back(self, place: memoryview) -> None:
        """Take back a place whose script has ended."""
        self._free.append(place)


class _Own:
    """Of this process: where its marks are, and how many imports are under way, one within the other, since when."""

    __slots__ = ("place", "since", "under_way", "watches")

    def __init__(self) -> None:
        self.place: memoryview | None = None
        self.under_way = 0
        self.since = 0
        self.watches = False


_own = _Own()


def begin() -> None:
    """In the process of a script, note that its code is run from now on."""
    if _own.place is not None:
        _own.place[PROCESS] = os.getpid()
        _own.place[CODE] = time.time_ns()


def end() -> None:
    """In the process of a script, note that all is done."""
    if _own.place is not None and _own.place[PROCESS] == os.getpid():
        _own.place[END] = time.time_ns()


def mark_header(place: memoryview) -> None:
    """In the server, note that a script's first header was read."""
    place[IMPORTS_AT_HEADER] = place[IMPORTS]


def told(place: memoryview, *, header: bool) -> str:
    """Return the marks of a script in words for the log: microseconds.

    Args:
        place: where its marks are. A script can write there, so any number is taken for what it may mean.
        header: whether its first header was marked.
    """
    start, code, imports, at_header, end = (max(number, 0) // 1000 for number in place[:PROCESS])
    watched = _own.watches
    first = at_header if header else imports
    return (
        f"start {start}, code {code or NONE}, imports {first if watched else NONE} and "
        f"{max(imports - first, 0) if watched else NONE}, end {end or NONE}"
    )


def watch_imports() -> None:
    """See to it that the time that imports take is noted, from now on and in all forks; only from Python 3.12 on."""
    if sys.version_info < (3, 12):
        return
    tools, events = sys.monitoring, sys.monitoring.events
    lock = _bootstrap._ModuleLockManager
    tools.use_tool_id(TOOL, "forkserver")
    tools.register_callback(TOOL, events.PY_START, _begin_import)
    tools.register_callback(TOOL, events.PY_RETURN, _end_import)
    tools.set_local_events(TOOL, lock.__enter__.__code__, events.PY_START)
    tools.set_local_events(TOOL, lock.__exit__.__code__, events.PY_RETURN)
    _own.watches = True


def _begin_import(_code: object, _offset: int) -> None:
    if _own.under_way == 0:
        _own.since = time.time_ns()
    _own.under_way += 1


def _end_import(_code: object, _offset: int, _returned: object) -> None:
    _own.under_way -= 1
    place = _own.place
    if _own.under_way == 0 and place is not None and place[PROCESS] == os.getpid():
        place[IMPORTS] += time.time_ns() - _own.since
