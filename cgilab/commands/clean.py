"""Remove all that the project has made on this machine: containers, networks, images, and files beside the sources."""

import argparse
import shutil

from cgilab.engine import LABEL, ROOT, docker
from cgilab.lab import Lab

# What the tools of this project write beside its sources; git ignores them all.
CACHES = (".venv", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", "build", "cgi_lab.egg-info")


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """`lab clean` takes no arguments."""


def run(_arguments: argparse.Namespace) -> int:
    """Remove what bears the project's label, then the caches; the services and pages of the user stay."""
    Lab().remove()
    for kind, listing in (
        ("container", ("ps", "--all", "--quiet")),
        ("network", ("network", "ls", "--quiet")),
        ("volume", ("volume", "ls", "--quiet")),
        ("image", ("image", "ls", "--quiet")),
    ):
        names = set(docker(*listing, "--filter", f"label={LABEL}").splitlines())
        if names:
            docker(kind, "rm", "--force", *sorted(names))
            print(f"clean: removed {len(names)} {kind}{'s' if len(names) > 1 else ''}")
    for path in [*(ROOT / name for name in CACHES), *ROOT.rglob("__pycache__")]:
        if path.is_dir():
            shutil.rmtree(path)
    print("clean: removed the virtual environment and the caches; cgi-bin/ and www/ are as they were")
    return 0
