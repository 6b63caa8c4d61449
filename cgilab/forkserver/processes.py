"""What Linux offers to keep processes together, and Python has no function for (prctl(2))."""

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

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


def children() -> list[int]:
    """Return the children of this process, which has one thread."""
    process = os.getpid()
    try:
        with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []
