"""The command `lab`, also as `python3 -m cgilab`."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from cgilab.errors import LabError

COMMANDS = (
    *(
        "up",
        "down",
        "status",
        "describe",
        "start",
        "stop",
        "restart",
        "logs",
        "online",
        "offline",
        "port",
        "bundle",
        "clean",
    ),
    *("httpd", "alias", "vhost", "reload", "db"),
    *("check", "trace", "watch", "explain", "new"),
)

ASKED = [[name] for name in COMMANDS]


class Command(Protocol):
    """What a module of `cgilab.commands` offers; its docstring is the command's help text."""

    __doc__: str | None

    def add_arguments(self, _parser: argparse.ArgumentParser, /) -> None:
        """Declare what the command takes."""

    def run(self, _arguments: argparse.Namespace, /) -> int:
        """Do it, and return the exit code."""


class WithoutLibrary:
    """A command whose library is not installed: the others need none, and work all the same.

    Args:
        library: its name.
    """

    def __init__(self, library: str | None) -> None:
        self.__doc__ = f"Needs the library {library}, which is not installed."

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None:
        """Take anything."""
        parser.add_argument("anything", nargs="*")

    def run(self, _arguments: argparse.Namespace, /) -> int:
        """Say what is missing.

        Raises:
            LabError: always.
        """
        raise LabError(
            str(self.__doc__),
            "Type:  .venv/bin/python instead of python3; make test sets up .venv",
            "Or:    python3 -m pip install rich",
        )


def load(name: str) -> Command:
    """Return the module of a command, or what stands for it where a library that it needs is missing."""
    try:
        return cast("Command", importlib.import_module(f"cgilab.commands.{name}"))
    except ModuleNotFoundError as error:
        return WithoutLibrary(error.name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of `lab`.

    Args:
        arguments: those after the program's name; by default the ones it was started with.

    Returns:
        The exit code: 0 for success, 1 where a command says so, 2 for wrong arguments (by argparse), 130 for Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="lab", description="Apache httpd with Python CGI, in a container.")
    subparsers = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    words = sys.argv[1:] if arguments is None else arguments
    # The others, and what they need, are loaded only to be listed.
    commands = {name: load(name) for name in COMMANDS if words[:1] == [name] or words[:1] not in ASKED}
    for name, command in commands.items():
        summary = (command.__doc__ or "").strip()
        command.add_arguments(subparsers.add_parser(name, help=summary, description=summary))
    parsed = parser.parse_args(arguments)
    try:
        return commands[parsed.command].run(parsed)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read the output has seen enough; so that Python does not complain at its end either:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
