"""Remove all that the project has made on this machine: containers, networks, images, caches."""

import argparse
import os
import shutil

from cgilab.engine import LABEL, ROOT, docker
from cgilab.lab import Lab

# What the tools of this project write beside its sources; git ignores them all.
CACHES = (
    ".venv",
    ".hypothesis",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    "clients/.ruff_cache",
    "build",
    "cgi_lab.egg-info",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab clean` takes no arguments."""
    parser.epilog = "Where COMPOSE_PROJECT_NAME is set, the lab of that name alone is removed, and no base image."


def run(_arguments: argparse.Namespace) -> int:
    """Remove what bears the project's label, then the caches; the services and pages of the user stay."""
    project = os.environ.get("COMPOSE_PROJECT_NAME")
    mark = f"label=com.docker.compose.project={project}" if project else f"label={LABEL}"
    Lab().remove()
    for kind, listing in (
        ("container", ("ps", "--all")),
        ("network", ("network", "ls")),
        ("volume", ("volume", "ls")),
        ("image", ("image", "ls")),
    ):
        names = set(docker(*listing, "--quiet", "--filter", mark).splitlines())
        if names:
            docker(kind, "rm", "--force", *sorted(names))
            print(f"clean: removed {len(names)} {kind}{'s' if len(names) > 1 else ''}")
    for path in [*(ROOT / name for name in CACHES), *ROOT.rglob("__pycache__")]:
        if path.is_dir():
            shutil.rmtree(path)
    print("clean: removed the virtual environment and the caches; your files in cgi-bin/, www/ and tests/ stay")
    print("clean: what Docker keeps of builds, of all projects, goes with:  docker builder prune")
    return 0
