"""Stop the lab and remove its containers; the database keeps its tables."""

import argparse

from cgilab.project.lab import Lab


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """`lab down` takes no arguments."""


def run(_arguments: argparse.Namespace) -> int:
    """Do it, whatever settings the lab was started with."""
    Lab().down(watched=True)
    return 0
