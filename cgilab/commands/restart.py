"""Stop and start servers, with the settings that they have, and wait until they are healthy."""

import argparse

from cgilab.commands.server import add_arguments, chosen, tell

__all__ = ["add_arguments", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Stop and start them."""
    lab = chosen(arguments.servers)
    lab.compose("restart", "--no-deps", *lab.servers)
    lab.start_again()
    tell(lab, "restarted, and healthy")
    return 0
