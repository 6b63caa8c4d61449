"""List, make or remove aliases: a folder below www/ that answers at another path."""

import argparse

from cgilab.commands import drop_in


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab alias [add NAME DIR | remove NAME]`."""
    drop_in.add_arguments(parser, "alias", "/NAME/")


run = drop_in.run
