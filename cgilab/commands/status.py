"""Show the lab's address, the state of each server, its versions and its services."""

import argparse
from collections.abc import Mapping
from typing import Any

from cgilab.project.lab import DB, PHP, WAYS, WEB, Lab, is_well
from cgilab.project.started import FOLDER, starts_with, variables
from cgilab.web.description import SCRIPTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab status` takes no arguments."""
    parser.epilog = "The exit code is 0 when every server that there is runs and is healthy, else 1."


def run(_arguments: argparse.Namespace) -> int:
    """Print the status; the exit code is 0 when every server that there is runs and is healthy, else 1."""
    lab = Lab()
    containers = lab.containers()
    if not containers:
        print("state     not running; start it with:  make up")
        return 1
    url = lab.url()
    running = {server for server, container in containers.items() if container["State"]["Status"] == "running"}
    if url:
        print(f"url       {url}")
    print(f"folder    {next(iter(containers.values()))['Config']['Labels'].get(FOLDER, '')}")
    for server, container in containers.items():
        print(f"server    {server}: {state(server, container)}")
    if WEB in running:
        # `apache2 -v` prints "Server version: Apache/2.4.71 (Debian)" and a second line.
        print(f"httpd     {lab.execute('apache2', '-v').splitlines()[0].partition(': ')[2]}")
        print(f"python    {lab.execute('python3', '--version').removeprefix('Python ')}")
        print(f"scripts   {scripts(containers[WEB])}")
    if PHP in running:
        # "PHP 8.4.28 (fpm-fcgi) (built: …)" and a second line.
        print(f"php       {lab.execute('php-fpm', '--version', server=PHP).split()[1]}")
    if DB in running:
        # "mariadbd  Ver 11.8.6-MariaDB-0+deb13u1 from Debian for debian-linux-gnu on x86_64 (…)".
        print(f"mariadb   {lab.execute('mariadbd', '--version', server=DB).split()[2].partition('-')[0]}")
    if WEB in running:
        print(f"debian    {lab.execute('sed', '-n', 's/^VERSION_CODENAME=//p', '/etc/os-release')}")
        for service in lab.services():
            print(f"service   {url}/cgi-bin/{service}")
    return 0 if all(map(is_well, containers.values())) else 1


def scripts(container: Mapping[str, Any]) -> str:
    """Return how the scripts of a web server are started.

    Args:
        container: what Docker knows of it.
    """
    return f"{SCRIPTS[way(container)]} (START={way(container)})"


def way(container: Mapping[str, Any]) -> str:
    """Return the setting START of a web server.

    Args:
        container: what Docker knows of it.
    """
    return variables(container).get("START") or WAYS[0]


def state(server: str, container: Mapping[str, Any]) -> str:
    """Return how a server is, and what to type where it does not work.

    Args:
        server: its name.
        container: what Docker knows of it.
    """
    found = container["State"]
    if not found["Running"]:
        return f"{found['Status']}; start it with:  {starts_with(server, container)}"
    told = f"{found['Status']}, {found.get('Health', {}).get('Status')}, since {found['StartedAt'][:19]} UTC"
    return told if is_well(container) else f"{told}; to see why:  make logs SERVER={server}"
