"""What Linux offers to keep processes together, and Python has no function for (prctl(2))."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_LIBC = ctypes.CDLL(None)


def end_with(parent: int) -> None:
    """See to it that this process is killed when its parent ends, however that does.

    Args:
        parent: the process that has forked this one.
    """
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)  # it has ended before


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
