"""Open the lab to other machines, after saying what that shows them."""

import argparse
import os
import socket
from dataclasses import replace

from cgilab.commands.up import bring_up, refuse_taken_port, start
from cgilab.errors import LabError
from cgilab.project import host
from cgilab.project.confirming import confirm
from cgilab.project.lab import PHP, WEB, Lab
from cgilab.project.started import as_started

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - that is what the command is for

# The settings that may change with it.
ASKED = ("PORT", "LAB_PAGES")

# What others see of the lab itself, with LAB_PAGES=1 and without.
SEEN = (
    "online: LAB_PAGES=1: whoever sends the header  Host: localhost  also sees /lab/ with every recorded exchange, why",
    "        scripts failed, phpinfo, and Adminer, which asks for the database's password",
)
UNSEEN = ("online: they do not see why a script failed, the database, Adminer, nor the pages /lab/",)

# A machine of the block for documentation, RFC 5737: no packet is sent to it.
ELSEWHERE = ("192.0.2.1", 9)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab online [--yes]`."""
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.epilog = "BIND is the address to be opened, by default all of this machine; YES=1 is the same as --yes."


def run(arguments: argparse.Namespace) -> int:
    """Say what it exposes, ask, and start the lab in that way; servers and other settings stay."""
    lab = as_it_is()
    bind = os.environ.get("BIND") or EVERY_ADDRESS
    if bind == host.LOOPBACK:
        raise LabError("BIND is 127.0.0.1, which other machines cannot reach.", "Type:  make online BIND=0.0.0.0")
    lab = replace(lab, settings={**lab.settings, "BIND": bind, "ONLINE": "1"})
    print("\n".join(exposed(lab, address(bind))))
    if not arguments.yes and os.environ.get("YES") != "1" and not confirm("Go online?"):
        raise LabError(
            "Nothing was changed: the lab goes online only when somebody has agreed.", "Type:  make online YES=1"
        )
    start_with(lab)
    print(f"online: on {bind}; back to this machine alone with:  make offline")
    return 0


def as_it_is() -> Lab:
    """Return the lab as it was started, if it was, but for what else the environment asks for when it goes online."""
    lab = Lab()
    if lab.container() is None:
        return lab
    asked = {name: os.environ[name] for name in ASKED if os.environ.get(name)}
    lab = as_started(lab)
    return replace(lab, settings={**lab.settings, **asked})


def start_with(lab: Lab) -> None:
    """Start a lab with other settings: of the images that it has, where there are any."""
    if lab.container() is None:
        bring_up(lab)
    else:
        refuse_taken_port(lab)
        start(lab)


def address(bind: str) -> str:
    """Return the address at which other machines reach this one."""
    if bind != EVERY_ADDRESS:
        return bind
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def exposed(lab: Lab, name: str) -> list[str]:
    """Return what going online shows to others, as lines.

    Args:
        lab: as it is going to be started.
        name: of this machine, for others.
    """
    configuration = lab.configuration()["services"][WEB]
    port = lab.asked_port() or "(a port that Docker chooses)"
    folders = lab.folders()
    pages = configuration["environment"].get("LAB_PAGES") == "1"
    return [
        f"online: whoever can reach this machine can then open  http://{name}:{port}/",
        f"online: they see all of {folders['WWW']}" + (", where PHP pages run" if PHP in lab.servers else ""),
        f"online: they can start every service of {folders['CGI_BIN']}; each runs in the container, with the rights of",
        f"        user {configuration['user']} there, which may use the database lab",
        *(SEEN if pages else UNSEEN),
        "online: nothing is encrypted, and Docker opens the port past the firewalls ufw and firewalld",
    ]
