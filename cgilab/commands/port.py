"""Tell whether a port of this machine is free, else who has it."""

import argparse

from cgilab.project.lab import HIGHEST_PORT, Lab
from cgilab.project.ports import holder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab port [PORT]`."""
    parser.add_argument("port", nargs="?", type=port, metavar="PORT", help="by default the setting PORT, else 8080")
    parser.epilog = "The exit code is 0 where it is free, 1 where it is taken."


def port(text: str) -> int:
    """Return the number of a port.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:6]) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not one port, from 1 to {HIGHEST_PORT}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Print who has the port; the exit code is 0 where it is free, else 1."""
    lab = Lab()
    number = arguments.port or lab.asked_port()
    if number == 0:
        print("port 0: Docker chooses one that is free")
        return 0
    found = holder(number)
    if found is None:
        print(f"port {number}: free; start the lab there with:  make up PORT={number}")
        return 0
    print(f"port {number}: taken by {'this lab' if lab.url() == f'http://localhost:{number}' else found.name}")
    return 1
