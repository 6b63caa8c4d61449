"""Remove what the project has made on this machine: containers, networks, images, the virtual environment, caches."""

import argparse
import shutil
from collections.abc import Sequence, Set

from cgilab.errors import LabError
from cgilab.project.confirming import confirm
from cgilab.project.engine import LABEL, ROOT, docker
from cgilab.project.lab import Lab
from cgilab.project.started import refuse_another_folder

# What the tools of this project write beside its sources; git ignores all of it.
CACHES = (".venv", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache")

# The name that compose.yaml gives. Only the lab of that name takes the base image along, which all labs build from.
USUAL_PROJECT = "cgi-lab"

PROJECT = "com.docker.compose.project"
KINDS = {
    "container": ("ps", "--all"),
    "network": ("network", "ls"),
    "volume": ("volume", "ls"),
    "image": ("image", "ls"),
}


# Volumes with these labels hold what a user cannot make again: the tables, and the passwords of their accounts.
DATA = ("database", "secrets")

# The projects of tests, whose data nobody misses.
TESTS = "cgi-lab-test-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab clean [--yes]`."""
    parser.add_argument("--yes", action="store_true", help="remove the database too, without asking")


def run(arguments: argparse.Namespace) -> int:
    """Remove the caches, then the lab of this folder and what interrupted tests of this folder have left."""
    remove_caches()
    print("clean: removed the virtual environment and the caches; your files in cgi-bin/, www/ and tests/ stay")
    lab = Lab()
    refuse_another_folder(lab.containers())
    own = lab.configuration()["name"]
    here = f"label={PROJECT}.working_dir={ROOT}"
    left = docker("ps", "--all", "--filter", here, "--format", f'{{{{.Label "{PROJECT}"}}}}')
    projects = sorted({own, *left.split()})
    kept = set() if arguments.yes else refused(projects)
    for project in projects:
        for kind in KINDS:
            remove(kind, f"label={PROJECT}={project}", kept)
    if own == USUAL_PROJECT:
        remove("image", f"label={LABEL}=base")
    print("clean: what Docker keeps of builds, of all projects, goes with:  docker builder prune")
    return 0


def refused(projects: Sequence[str]) -> set[str]:
    """Ask whether the databases of these projects may be removed.

    Returns:
        The volumes that are to stay: none where the user agrees, or there is no database.
    """
    volumes = {
        label: [name for project in projects if not project.startswith(TESTS) for name in data_of(project, label)]
        for label in DATA
    }
    databases = ", ".join(volumes["database"])
    if not databases:
        return set()
    if confirm(f"clean: this removes your tables and their snapshots too: {databases}\n       Remove them?"):
        return set()
    print(f"clean: kept the database, {databases}; to remove it too:  make clean YES=1")
    return {name for names in volumes.values() for name in names}


def data_of(project: str, label: str) -> list[str]:
    """Return the names of a project's volumes that bear one of the labels `DATA`."""
    marks = ("--filter", f"label={PROJECT}={project}", "--filter", f"label={LABEL}={label}")
    return docker("volume", "ls", "--quiet", *marks).splitlines()


def remove(kind: str, mark: str, kept: Set[str] = frozenset()) -> None:
    """Remove what Docker has of a kind and bears a mark.

    Args:
        kind: one of `KINDS`.
        mark: a filter of Docker's lists, such as ``label=NAME=VALUE``.
        kept: names of what stays all the same.
    """
    names = set(docker(*KINDS[kind], "--quiet", "--filter", mark).splitlines()) - kept
    if names:
        docker(kind, "rm", "--force", *sorted(names))
        print(f"clean: removed {len(names)} {kind}{'s' if len(names) > 1 else ''}")


def remove_caches() -> None:
    """Remove what git ignores.

    Raises:
        LabError: some of it belongs to another user.
    """
    for path in [*(ROOT / name for name in CACHES), *ROOT.rglob("__pycache__")]:
        try:
            if path.is_symlink():
                path.unlink()
            elif path.is_dir():
                shutil.rmtree(path)
        except OSError as error:
            raise LabError(f"{error.filename} cannot be removed: {error.strerror}.", "Type:  sudo make clean") from None
