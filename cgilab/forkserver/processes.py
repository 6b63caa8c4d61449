"""What Linux offers to keep processes together, and Python has no function for (prctl(2))."""

import ctypes
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

# Seconds after which it is looked whether processes that were killed have ended.
PAUSE = 0.01

_LIBC = ctypes.CDLL(None)


# What the server gets when its keeper ends. Nobody else sends it, so in a fork that becomes a script its handler may
# stay: to put another one in its place would cost each of them more than its start.
ORPHANED = signal.SIGRTMAX


def end_with(parent: int, end: Callable[[], object]) -> None:
    """See to it that something is called when the parent of this process ends, however that does.

    Args:
        parent: the process that has forked this one.
        end: is called then.
    """
    own = os.getpid()
    signal.signal(ORPHANED, lambda _number, _frame: end() if os.getpid() == own else None)
    _LIBC.prctl(PR_SET_PDEATHSIG, ORPHANED, 0, 0, 0)
    if os.getppid() != parent:
        end()  # it has ended before


def adopt() -> None:
    """Become the parent of all descendants of this process whose own parent has ended."""
    _LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(process: int | None = None) -> list[int]:
    """Return the children of a process, or of this one; of one with threads, those of the first."""
    process = process or os.getpid()
    try:
        with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def has_ended(child: int) -> bool:
    """Return whether a child of this process has ended; whoever reaps it learns how."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def end(left: list[int]) -> bool:
    """Kill children of this process and all that they have started; to be called again until all of it has ended.

    None is reaped before: until then each counts against the limit of processes, so that those which fork without end
    come to an end.

    Args:
        left: the children. What a killed one has started becomes a child of this process, if that adopts.

    Returns:
        Whether all have ended, and are reaped.
    """
    living = [child for child in left if not has_ended(child)]
    if not living:
        for child in left:
            os.waitpid(child, 0)
        return True
    while living:
        process = living.pop()
        living += children(process)
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return False


def end_children() -> None:
    """End all children of this process, and all that they have started."""
    while not end(children()):
        time.sleep(PAUSE)
