"""What is said of each piece of the museum before it is run."""

from pathlib import Path

import pytest

from cgilab.diagnosis import check
from cgilab.diagnosis.programs import IMAGE, image
from cgilab.diagnosis.script import read
from cgilab.release import PYTHON
from tests.museum.broken import BROKEN
from tests.museum.piece import Piece, Placed, Sound
from tests.museum.place import can_place, place
from tests.museum.sound import SOUND

# A folder that may not be searched hides its files from whoever is not root, here as in the lab.
HIDDEN = "folder-closed"


def causes(piece: Placed, folder: Path) -> list[str]:
    """Return the causes that are named of a piece's file alone, the first one first."""
    path = place(piece, folder)
    return [diagnosis.cause for diagnosis in check(read(str(path), programs=IMAGE))]


@pytest.mark.parametrize("piece", [pytest.param(piece, id=piece.name) for piece in BROKEN])
def test_what_fails_is_told_before_it_is_run_where_that_can_be(piece: Piece, tmp_path: Path) -> None:
    if not can_place(piece) or (piece.cause == HIDDEN and not can_place(Placed("", None, owner=0))):
        pytest.skip("it takes root to place this piece, or to read it")
    named = causes(piece, tmp_path)[:1]

    assert named == ([piece.before] if piece.before else [])


# The library of Python 3.11 has these modules, which later ones have lost.
KEPT = [piece for piece in BROKEN if piece.before == "removed-module" and piece.python > PYTHON["bookworm"]]


@pytest.mark.parametrize("piece", [pytest.param(piece, id=piece.name) for piece in KEPT])
def test_what_the_python_of_bookworm_has_is_not_blamed_there(piece: Piece, tmp_path: Path) -> None:
    path = str(place(piece, tmp_path))

    assert [one.cause for one in check(read(path, programs=image("trixie")))] == ["removed-module"]
    assert check(read(path, programs=image("bookworm"))) == []


@pytest.mark.parametrize("piece", [pytest.param(piece, id=ascii(piece.name)) for piece in SOUND])
def test_what_is_sound_is_not_blamed(piece: Sound, tmp_path: Path) -> None:
    assert causes(piece, tmp_path) == []
