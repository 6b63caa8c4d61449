"""Start the lab, and before that get what it needs: an engine, a base image, the image."""

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cgilab import release
from cgilab.commands.clean import data_of
from cgilab.commands.status import scripts, state, way
from cgilab.errors import LabError
from cgilab.project import bundle, packages, sites
from cgilab.project.engine import ROOT, docker, load, prepare, prepare_engine
from cgilab.project.lab import DB, HIGHEST_PORT, PHP, SERVERS, SETTINGS, WAYS, WEB, Lab, default_lab, is_well
from cgilab.project.ports import holder
from cgilab.project.started import RELEASE, refuse_another_folder

DEFAULT_PORT = 8080


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab up` takes its settings from the environment, as `docker compose up` does."""
    parser.add_argument("--bundle", type=Path, metavar="FILE", help="build nothing: load what `lab bundle` has written")
    parser.add_argument("--wamp", action="store_true", help="database, PHP and Adminer too")
    parser.epilog = f"Settings, taken from the environment and from .env: {', '.join(SETTINGS)}."


def run(arguments: argparse.Namespace) -> int:
    """Start the lab and print its address and its services."""
    bring_up(Lab(servers=SERVERS if arguments.wamp else (WEB,)), arguments.bundle)
    return 0


def bring_up(lab: Lab, bundled: Path | None = None) -> None:
    """Start a lab, and before that get what it needs; print its address and its services.

    Args:
        lab: with settings of its own, or none. Those of this machine are added.
        bundled: the bundle that its images are taken from, by default the setting BUNDLE; without one they are built.

    Raises:
        LabError: it cannot be started.
    """
    settings = release.settings_of(ROOT)
    release.asked(settings)
    if bundled is None and settings.get("BUNDLE"):
        bundled = Path(settings["BUNDLE"])
    if bundled:
        prepare_engine()
    prepared = {} if bundled else prepare(settings)
    lab = replace(lab, settings={**default_lab().settings, **prepared, **lab.settings})
    containers = lab.containers()
    refuse_another_folder(containers)
    refuse_mixed_releases(lab, containers)
    refuse_taken_port(lab)
    if bundled:
        load_bundle(lab, bundled)
    else:
        build(lab)
    said = of_new_database(lab) if DB in lab.servers else []
    start(lab)
    for line in said:
        print(f"db: {line}")


def start(lab: Lab) -> None:
    """Start a lab whose images are there; print its address, its services and pages, and what does not work.

    Raises:
        LabError: it cannot be started.
    """
    lab.start()
    url = lab.url()
    containers = lab.containers()
    print(f"lab: ready on {url}")
    if WEB in containers and way(containers[WEB]) != WAYS[0]:
        print(f"     scripts are {scripts(containers[WEB])}")
    for service in lab.services():
        print(f"     {url}/cgi-bin/{service}")
    for page in pages(lab) if PHP in lab.servers else []:
        print(f"     {url}/{page}")
    for line in sites.after_start(lab):
        print(f"sites: {line}")
    for server, container in containers.items():
        if not is_well(container):
            print(f"{server}: {state(server, container)}")


def pages(lab: Lab) -> list[str]:
    """Return the paths of what comes with PHP: Adminer, the example, and PHP's page about itself."""
    known = lab.known()
    are_shown = known.get("ONLINE") != "1" or known.get("LAB_PAGES") == "1"
    has_example = (lab.folders()["WWW"] / "people.php").is_file()
    return [
        *(["adminer/"] if are_shown else []),
        *(["people.php"] if has_example else []),
        *(["lab/phpinfo"] if are_shown else []),
    ]


def of_new_database(lab: Lab) -> list[str]:
    """Return what to say where the release of a lab has no database yet, and another release has one, as lines."""
    described = lab.configuration()
    there = data_of(described["name"], "database")
    others = [name.rpartition("_")[2] for name in there]
    if not others or described["volumes"]["database"]["name"] in there:
        return []
    debian = release.asked(lab.known())
    dump = f"make wamp DEBIAN={others[0]}; make db-dump FILE=lab.sql"
    return [
        f"this one is new: each release of Debian has its own, and that of {' and '.join(others)} keeps its tables",
        f"to carry them over:  {dump}; make wamp DEBIAN={debian}; make db-restore FILE=lab.sql",
    ]


def build(lab: Lab) -> None:
    """Build the images of the servers that are to be started; the first time, the user is told and shown."""
    missing = [server for server in lab.servers if not docker("image", "ls", "--quiet", f"cgi-lab/{server}")]
    for server in missing:
        print(f"image: building cgi-lab/{server} from docker/{server}, once; it takes less than a minute")
    lab.build(watched=bool(missing) and sys.stderr.isatty())


def load_bundle(lab: Lab, path: Path) -> None:
    """Take all images from a bundle that are not here yet, and give them the names that Compose looks for.

    Raises:
        LabError: the bundle is not whole, or not for this lab or this engine. Then nothing of it was loaded.
    """
    described = lab.configuration()["services"]
    with bundle.opened(path) as whole:
        manifest = whole.manifest
        debian = release.asked(lab.known())
        if manifest.debian != debian:
            raise LabError(
                f"{path} holds the lab made of Debian {manifest.debian}, and {debian} is asked for.",
                f"Type:  make up DEBIAN={manifest.debian} BUNDLE={path}",
            )
        engine = docker("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}")
        if manifest.engine != engine:
            raise LabError(
                f"{path} holds images for {manifest.engine}, and the engine of this machine is {engine}.",
                "Make it on a machine like this one:  make bundle",
            )
        here = set(docker("image", "ls", "--all", "--no-trunc", "--quiet").splitlines())
        for part in manifest.images:
            server = Path(part.name).name.partition(".")[0]
            image = part.image
            if image not in here:
                print(f"bundle: loading the image {part.tag}")
                with whole.part(part) as content:
                    image = load(content)
            docker("tag", image, described[server]["image"] if server in described else part.tag)
    asked = bundle.sha256_of(lab.folders()["CGI_BIN"] / packages.NAME)
    if asked not in {"", manifest.packages}:
        print(f"bundle: {packages.NAME} is another than when the bundle was made; what it adds is not installed")


def refuse_mixed_releases(lab: Lab, containers: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise an error when there are servers of another release that would stay beside those to be started.

    Args:
        lab: with the servers that are to be started.
        containers: what Docker knows of all that there are, running or not, by the name of their server.
    """
    debian = release.asked(lab.known())
    for server, container in containers.items():
        other = container["Config"]["Labels"].get(RELEASE, debian)
        if server not in lab.servers and other != debian:
            raise LabError(
                f"The server {server} is of Debian {other}, and {debian} is asked for.",
                f"To change all servers:  make wamp DEBIAN={debian}",
                f"{f'To stay with {other}:':23} make up DEBIAN={other}",
                "To stop them first:     make down",
            )


def refuse_taken_port(lab: Lab) -> None:
    """Raise an error that names the holder, when something else listens where the lab is asked to."""
    port = lab.asked_port()
    if port == 0 or lab.url() == f"http://localhost:{port}":
        return
    found = holder(port)
    if found is None:
        return
    wamp = len(lab.servers) > 1
    if os.name == "nt":
        command = f"$env:PORT = {{}}; docker compose {'--profile wamp ' if wamp else ''}up --build --wait"
    else:
        command = f"make {'wamp' if wamp else 'up'} PORT={{}}"
    other = port + 1 if port < HIGHEST_PORT else DEFAULT_PORT
    fixes = [f"Use another port:  {command.format(other)}"]
    if found.command:
        fixes.append(f"{f'Or {found.verb} it:':18} {found.command}")
    raise LabError(f"Port {port} is taken by {found.name}.", *fixes)
