"""Remove what the project has made on this machine: containers, networks, images, the virtual environment, caches."""

import argparse
import shutil

from cgilab.engine import LABEL, ROOT, docker
from cgilab.errors import LabError
from cgilab.lab import Lab

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


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """`lab clean` takes no arguments."""


def run(_arguments: argparse.Namespace) -> int:
    """Remove the caches, then the lab of this folder and what interrupted tests of this folder have left."""
    remove_caches()
    print("clean: removed the virtual environment and the caches; your files in cgi-bin/, www/ and tests/ stay")
    own = Lab().configuration()["name"]
    here = f"label={PROJECT}.working_dir={ROOT}"
    left = docker("ps", "--all", "--filter", here, "--format", f'{{{{.Label "{PROJECT}"}}}}')
    for project in sorted({own, *left.split()}):
        for kind in KINDS:
            remove(kind, f"label={PROJECT}={project}")
    if own == USUAL_PROJECT:
        remove("image", f"label={LABEL}=base")
    print("clean: what Docker keeps of builds, of all projects, goes with:  docker builder prune")
    return 0


def remove(kind: str, mark: str) -> None:
    """Remove what Docker has of a kind and bears a mark.

    Args:
        kind: one of `KINDS`.
        mark: a filter of Docker's lists, such as ``label=NAME=VALUE``.
    """
    names = set(docker(*KINDS[kind], "--quiet", "--filter", mark).splitlines())
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
