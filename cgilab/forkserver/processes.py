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


def children(process: int | None = None) -> list[int]:
    """Return the children of a process, or of this one; of one with threads, those of the first."""
    process = process or os.getpid()
    try:
        with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def group_of(child: int) -> int:
    """Return the process group of a child of this process; 0 where it has left."""
    try:
        return os.getpgid(child)
    except ProcessLookupError:
        return 0


def has_ended(child: int) -> bool:
    """Return whether a child of this process has ended; whoever reaps it learns how."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
