"""Close the lab to other machines: it answers this one alone."""

import argparse
from dataclasses import replace

from cgilab.commands.online import as_it_is, start_with
from cgilab.project import host


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """`lab offline` takes no arguments."""


def run(_arguments: argparse.Namespace) -> int:
    """Start the lab for this machine alone; servers and other settings stay."""
    lab = as_it_is()
    start_with(replace(lab, settings={**lab.settings, "BIND": host.LOOPBACK, "ONLINE": ""}))
    print("offline: this machine alone can reach it")
    return 0
