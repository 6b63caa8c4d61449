"""Waiting for many descriptors, and for points in time, in one thread (epoll(7))."""

import select
import time
from collections.abc import Callable

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT
# The other side has closed.
CLOSED = select.EPOLLRDHUP

NEVER = float("inf")

# What is read at once of a descriptor that is readable: all that a pipe holds.
BLOCK_BYTES = 65_536


class Waiting:
    """Calls back whoever waits for a descriptor.

    Attributes:
        now: the time of the last event, in seconds (monotonic).
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self.now = time.monotonic()

    def watch(self, descriptor: int, events: int, callback: Callable[[int], None]) -> None:
        """Call back with the events of a descriptor, each time that there are some."""
        self._callbacks[descriptor] = callback
        self._epoll.register(descriptor, events)

    def change(self, descriptor: int, events: int, callback: Callable[[int], None]) -> None:
        """Wait for other events of a descriptor that is watched."""
        self._callbacks[descriptor] = callback
        self._epoll.modify(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Watch a descriptor no longer; also where it never was.

        To be called before it is closed, since a child may have it open, too.
        """
        if self._callbacks.pop(descriptor, None):
            self._epoll.unregister(descriptor)

    def wait(self, until: float) -> None:
        """Wait for events, at most until a time (NEVER: as long as it takes), and call back for each."""
        seconds = None if until == NEVER else max(until - time.monotonic(), 0)
        events = self._epoll.poll(seconds)
        self.now = time.monotonic()
        for descriptor, callback, event in [(one, self._callbacks.get(one), event) for one, event in events]:
            # A callback before this one may have let go of it, and its number may be another's.
            if callback is not None and self._callbacks.get(descriptor) is callback:
                callback(event)
