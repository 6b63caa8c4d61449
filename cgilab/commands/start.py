"""Start servers that were stopped, with the settings that they had, and wait until they are healthy."""

import argparse

from cgilab.commands.server import add_arguments, chosen, tell

__all__ = ["add_arguments", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Start them."""
    lab = chosen(arguments.servers)
    lab.start_again()
    tell(lab, "started, and healthy")
    return 0
