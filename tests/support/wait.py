"""The one place in which tests wait."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


def wait_until(look: Callable[[], Seen], *, timeout: float = 15.0, interval: float = 0.05) -> Seen:
    """Look again and again until what is seen is true.

    Args:
        look: returns what it sees; anything that counts as true ends the wait.
        timeout: seconds after which to give up.
        interval: seconds between two looks.

    Returns:
        What was seen last.

    Raises:
        TimeoutError: it did not become true; the message holds what was seen last.
    """
    end = time.monotonic() + timeout
    while not (seen := look()):
        if time.monotonic() > end:
            raise TimeoutError(f"not true after {timeout} s; last seen: {seen!r}")
        time.sleep(interval)
    return seen
