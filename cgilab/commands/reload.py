"""Check the files of sites/ and bring into force what passes; no request is lost."""

import argparse

from cgilab.project import sites
from cgilab.project.lab import Lab
from cgilab.project.started import running


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """`lab reload` takes no arguments."""


def run(_arguments: argparse.Namespace) -> int:
    """Print what is in force and what is not, and why; the exit code is 1 where any file did not take effect."""
    lab = running(Lab())
    report = sites.bring_into_force(lab)
    for line in sites.lines([site for site in report if not site["error"]], lab.url() or ""):
        print(f"reload: {line}")
    refused = sites.errors(report)
    for line in refused:
        print(f"reload: {line}")
    print(f"reload: {len(report)} {'file' if len(report) == 1 else 'files'}, {len(refused)} refused")
    return 1 if refused else 0
