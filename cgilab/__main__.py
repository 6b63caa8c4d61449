"""The command `lab`, also as `python3 -m cgilab`."""

import argparse
import sys
from collections.abc import Sequence
from typing import Protocol

from cgilab.commands import clean, new, status, up
from cgilab.errors import LabError


class Command(Protocol):
    """What a module of `cgilab.commands` offers; its docstring is the command's help text."""

    __doc__: str | None

    def add_arguments(self, _parser: argparse.ArgumentParser, /) -> None:
        """Declare what the command takes."""

    def run(self, _arguments: argparse.Namespace, /) -> int:
        """Do it, and return the exit code."""


COMMANDS: dict[str, Command] = {"up": up, "status": status, "new": new, "clean": clean}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of `lab`.

    Args:
        arguments: those after the program's name; by default the ones it was started with.

    Returns:
        The exit code: 0 for success, 1 where a command says so, 2 for wrong arguments (by argparse), 130 for Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="lab", description="Apache httpd with Python CGI, in a container.")
    subparsers = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").strip()
        module.add_arguments(subparsers.add_parser(name, help=summary, description=summary))
    parsed = parser.parse_args(arguments)
    try:
        return COMMANDS[parsed.command].run(parsed)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
