"""Asks a lab for pieces of the museum."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.museum import broken, sound
from tests.museum.piece import Piece, Placed
from tests.museum.place import can_place
from tests.support.debian import PYTHON
from tests.support.running_lab import RunningLab
from tests.support.wire import exchange

# What holds of the lab's Python.
BROKEN = tuple(piece for piece in broken.BROKEN if piece.python <= PYTHON)
SOUND = tuple(piece for piece in sound.SOUND if piece.python <= PYTHON)

PLACED = [piece for piece in BROKEN if can_place(piece)]
NEEDS_ROOT = pytest.mark.skip("only root can place what belongs to somebody else")


def rows(pieces: Iterable[Piece]) -> list[Any]:
    """Return the pieces as parameters of a test, by their names."""
    return [pytest.param(one, id=one.name, marks=() if can_place(one) else NEEDS_ROOT) for one in pieces]


def ask(lab: RunningLab, piece: Placed, accept: str, mark: str = "again=1") -> bytes:
    """Ask for a piece, and return all that is sent until the connection is closed."""
    asked = piece.request
    query = "&".join(filter(None, [mark, asked.query]))
    lines = [f"{asked.method} {piece.path}?{query} HTTP/1.0", "Host: localhost", f"Accept: {accept}", *asked.headers]
    if asked.body is not None:
        lines.append(f"Content-Length: {len(asked.body)}")
    return exchange(lab.port, "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + (asked.body or b""))
