"""Stop servers; `lab start` starts them again."""

import argparse

from cgilab.commands.server import add_arguments, chosen

__all__ = ["add_arguments", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Stop them, in the way of each: requests are answered, tables are written."""
    lab = chosen(arguments.servers)
    lab.compose("stop", *lab.servers)
    for name in lab.servers:
        print(f"{name}: stopped; type  make start SERVER={name}  to start it again")
    return 0
