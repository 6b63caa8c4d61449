"""List, make or remove virtual hosts: a folder below www/ that answers under a name of its own."""

import argparse

from cgilab.commands import drop_in


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab vhost [add NAME DIR | remove NAME]`."""
    drop_in.add_arguments(parser, "vhost", "http://NAME.localhost:8080/")


run = drop_in.run
