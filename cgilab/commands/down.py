"""Stop the lab and remove its containers; the database keeps its tables."""

import argparse

from cgilab.project.lab import Lab
from cgilab.project.started import refuse_another_folder


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """`lab down` takes no arguments."""


def run(_arguments: argparse.Namespace) -> int:
    """Do it, whatever settings the lab was started with."""
    lab = Lab()
    refuse_another_folder(lab.containers())
    lab.down(watched=True)
    return 0
