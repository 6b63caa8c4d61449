"""Tell whether a port of this machine is free, else who has it."""

import argparse

from cgilab.project import host
from cgilab.project.lab import HIGHEST_PORT, Lab
from cgilab.project.ports import holder

# That of MySQL and MariaDB, and those that are given to a second and a third one on the same machine.
OF_DATABASES = range(3306, 3309)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab port [PORT]`."""
    parser.add_argument("port", nargs="?", type=port, metavar="PORT", help="by default the setting PORT, else 8080")
    parser.epilog = "The exit code is 0 where it is free or the lab's own, 1 where somebody else has it."


def port(text: str) -> int:
    """Return the number of a port.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:6]) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not one port, from 1 to {HIGHEST_PORT}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Print who has the port; the exit code is 1 where it is somebody else than the lab."""
    lab = Lab()
    number = arguments.port or lab.asked_port()
    if number == 0:
        print("port 0: Docker chooses one that is free")
        return 0
    found = holder(number)
    if found is None:
        if number in OF_DATABASES:
            print(f"port {number}: free; open the database there with:  make wamp DB_PORT={number}")
        else:
            print(f"port {number}: free; start the lab there with:  make up PORT={number}")
        return 0
    is_own = number in opened(lab)
    print(f"port {number}: taken by {'this lab' if is_own else found.name}")
    return 0 if is_own else 1


def opened(lab: Lab) -> set[int]:
    """Return the ports of the loopback address that lead to the servers of a lab."""
    ports = [bound for found in lab.containers().values() for bound in found["NetworkSettings"]["Ports"].values()]
    return {int(one["HostPort"]) for bound in ports for one in bound or [] if one["HostIp"] in host.OWN_ADDRESSES}
