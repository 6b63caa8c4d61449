"""What `lab start`, `lab stop` and `lab restart` have in common."""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from cgilab.errors import LabError
from cgilab.project import sites
from cgilab.project.lab import SERVERS, WEB, Lab
from cgilab.project.started import as_started


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab start|stop|restart [SERVER…]`."""
    parser.add_argument(
        "servers", nargs="*", type=server, metavar="SERVER", help=f"{', '.join(SERVERS)}; else all that there are"
    )


def server(name: str) -> str:
    """Return the name of a server.

    Raises:
        ArgumentTypeError: there is no such server.
    """
    if name not in SERVERS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of the servers {', '.join(SERVERS)}")
    return name


def chosen(names: Sequence[str]) -> Lab:
    """Return the lab with those of its servers that are named, else all that there are.

    Raises:
        LabError: there is no container of one of them.
    """
    lab = as_started(Lab())
    for name in names:
        if name not in lab.servers:
            raise LabError(
                f"There is no server {name} yet: it was never started.",
                f"Type:  make {'up' if name == WEB else 'wamp'}",
            )
    return replace(lab, servers=tuple(name for name in lab.servers if name in (names or lab.servers)))


def tell(lab: Lab, became: str) -> None:
    """Print what has become of each server, and what of sites/ did not take effect as the web server started."""
    for name in lab.servers:
        print(f"{name}: {became}")
    if WEB in lab.servers:
        for line in sites.after_start(lab):
            print(f"sites: {line}")
