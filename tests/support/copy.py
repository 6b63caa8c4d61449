"""A copy of the project in another folder, for tests and checks that type commands in it or change it."""

import shutil
import subprocess
import sys
from pathlib import Path

from cgilab.project.engine import ROOT


def copy_project(folder: Path) -> None:
    """Copy all files that git would commit, and lend the copy the virtual environment.

    Args:
        folder: an empty folder.
    """
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).exists():  # git also lists what was removed since the last commit
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    lend_environment(folder)


def lend_environment(folder: Path) -> None:
    """Give a copy the virtual environment that runs this, link by link, so that the copy can clean it away."""
    lent = folder / ".venv"
    lent.mkdir(exist_ok=True)
    for entry in Path(sys.prefix).iterdir():
        if entry.name != "requirements.lock" and not (lent / entry.name).exists():
            (lent / entry.name).symlink_to(entry)
    shutil.copy(folder / "requirements.lock", lent)
