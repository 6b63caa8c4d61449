"""Puts the museum's pieces into folders."""

import os
from collections.abc import Iterable
from pathlib import Path

from tests.museum.piece import Placed


def place(piece: Placed, folder: Path, www: Path | None = None) -> Path:
    """Write a piece, and all that lies beside it.

    Args:
        piece: what to write.
        folder: what takes the place of cgi-bin/.
        www: what takes the place of the document root; by default that folder, too.

    Returns:
        Its path, whether or not there is anything.

    Raises:
        PermissionError: it is to belong to somebody else, and who runs the tests is not root.
    """
    for name, content in piece.neighbours.items():
        _write(folder / name, content, 0o755)
    path = (www or folder if piece.in_www else folder) / piece.name
    if piece.link:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(piece.link)
    elif piece.content is not None:
        _write(path, piece.content, piece.mode)
    if piece.owner is not None:
        os.chown(path, piece.owner, piece.owner, follow_symlinks=False)
    if piece.folder_mode is not None:
        path.parent.chmod(piece.folder_mode)
    return path


def place_all(pieces: Iterable[Placed], folder: Path, www: Path) -> None:
    """Write pieces beside each other, as they are served."""
    for piece in pieces:
        place(piece, folder, www)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def can_place(piece: Placed) -> bool:
    """Return whether who runs the tests may give the piece to its owner."""
    return piece.owner is None or (hasattr(os, "geteuid") and os.geteuid() == 0)
