"""Make a service and its test from a template."""

import argparse
import re
import string
from pathlib import Path

from cgilab.errors import LabError
from cgilab.project.engine import ROOT

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab new NAME`."""
    parser.add_argument("name", nargs="?", default="", help="the service's name, such as hello")


def run(arguments: argparse.Namespace) -> int:
    """Write cgi-bin/NAME.py and tests/services/test_NAME.py, and say how to reach them."""
    name = arguments.name.removesuffix(".py")
    for path in create(name, ROOT):
        print(f"new: {path.relative_to(ROOT)}")
    print(f"new: it answers at /cgi-bin/{name}.py as soon as the lab runs; test it with: make test")
    return 0


def create(name: str, root: Path) -> list[Path]:
    """Write a service and its test.

    Args:
        name: letters, digits and underscores, a letter first; the test's file is a Python module of this name.
        root: the project's folder.

    Returns:
        The two files written.

    Raises:
        LabError: the name will not do, or one of the files is there already; then nothing is written.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise LabError(
            f"{name!r} cannot be a service's name: it takes letters a to z, digits and underscores, a letter first.",
            "For example:  make new NAME=hello",
        )
    targets = {
        "service.py.txt": root / "cgi-bin" / f"{name}.py",
        "test_service.py.txt": root / "tests" / "services" / f"test_{name}.py",
    }
    for target in targets.values():
        if target.exists():
            raise LabError(f"{target.relative_to(root)} is there already, and stays as it is.", "Choose another name.")
    for template, target in targets.items():
        text = string.Template((TEMPLATES / template).read_text(encoding="utf-8")).substitute(name=name)
        target.parent.mkdir(parents=True, exist_ok=True)
        # LF also on Windows: a script whose first line ends with CRLF does not start.
        target.write_text(text, encoding="utf-8", newline="\n")
    targets["service.py.txt"].chmod(0o755)
    return list(targets.values())
