"""What `lab alias` and `lab vhost` have in common: one drop-in of sites/ is listed, made or removed."""

import argparse
from functools import partial

from cgilab.errors import LabError
from cgilab.project import sites
from cgilab.project.lab import Lab
from cgilab.project.started import as_started

# What comes with each word in the list, and where the lab is down.
CHECKED_LATER = "the lab is down: what is in it is checked, and takes effect, with:  make up"


def add_arguments(parser: argparse.ArgumentParser, kind: str, address: str) -> None:
    """Declare `lab KIND`, `lab KIND add NAME DIR` and `lab KIND remove NAME`.

    Args:
        parser: of the command.
        kind: ``alias`` or ``vhost``.
        address: where it answers, in words.
    """
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions (none lists what there is)")
    adding = actions.add_parser("add", help="make one and bring it into force")
    adding.add_argument("name", metavar="NAME", help=f"it answers at {address}")
    adding.add_argument("folder", metavar="DIR", help="a folder below www/")
    removing = actions.add_parser("remove", help="remove one")
    removing.add_argument("name", metavar="NAME")
    parser.set_defaults(do={None: list_, "add": partial(add, kind), "remove": partial(remove, kind)}, kind=kind)


def run(arguments: argparse.Namespace) -> int:
    """Do it; the exit code is 1 where what was asked for did not take effect."""
    lab = Lab()
    url = lab.url()
    if lab.container():
        lab = as_started(lab)
    do = arguments.do[arguments.action]
    return int(do(lab, url, arguments))


def list_(lab: Lab, url: str | None, arguments: argparse.Namespace) -> int:
    """Print those that there are."""
    if url:
        found = sites.lines(sites.in_force(lab), url, arguments.kind)
    else:
        folder = lab.folders()["SITES"]
        found = [path.stem for path in sorted(folder.glob("*.conf")) if sites.kind_of(path) == arguments.kind]
        print(f"{arguments.kind}: {CHECKED_LATER}")
    print("\n".join(found) or f"{arguments.kind}: none; make one with:  make {arguments.kind} ADD=shop DIR=shop")
    return 0


def add(kind: str, lab: Lab, url: str | None, arguments: argparse.Namespace) -> int:
    """Write one from its template and bring it into force; one that does not pass is taken away again."""
    name = arguments.name
    path = sites.add(lab, kind, name, arguments.folder)
    if url is None:
        print(f"{kind}: wrote {path}\n{kind}: {CHECKED_LATER}")
        return 0
    try:
        report = sites.bring_into_force(lab)
    except BaseException:
        path.unlink()
        raise
    site = next(site for site in report if site["name"] == name)
    if site["error"]:
        path.unlink()
        sites.bring_into_force(lab)
        raise LabError(f"{site['error']}.", f"{path} is not kept, and nothing has changed.")
    print(f"{kind}: wrote {path}, change it as you like; it is in force")
    print(f"{kind}: {sites.address(site['urls'][0], url)}")
    if kind == "vhost":
        print(f"{kind}: a browser and curl find names that end in .localhost; for another program:")
        print(f"{kind}: curl -H 'Host: {name}.localhost' {url}/")
    print_others(name, report)
    return 0


def remove(kind: str, lab: Lab, url: str | None, arguments: argparse.Namespace) -> int:
    """Remove one, and have the server go on without it."""
    name = arguments.name
    aside = sites.remove(lab, kind, name)
    print(f"{kind}: removed {name}" + (f"; as it had been changed, it stays as {aside}" if aside else ""))
    if url:
        print_others(name, sites.bring_into_force(lab))
    return 0


def print_others(name: str, report: list[sites.Site]) -> None:
    """Print what else did not take effect."""
    for line in sites.errors(site for site in report if site["name"] != name):
        print(f"sites: {line}")
