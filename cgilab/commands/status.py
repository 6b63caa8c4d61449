"""Show the lab's address, its state, its versions and its services."""

import argparse

from cgilab.project.lab import DB, PHP, Lab


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """`lab status` takes no arguments."""


def run(_arguments: argparse.Namespace) -> int:
    """Print the status; the exit code is 0 when the lab is healthy, else 1."""
    lab = Lab()
    container = lab.container()
    if container is None or not container["State"]["Running"]:
        print("state     not running; start it with:  make up")
        return 1
    url = lab.url()
    health = container["State"]["Health"]["Status"]
    # `apache2 -v` prints "Server version: Apache/2.4.71 (Debian)" and a second line.
    httpd = lab.execute("apache2", "-v").splitlines()[0].partition(": ")[2]
    print(f"url       {url}")
    print(f"state     {container['State']['Status']}, {health}, since {container['State']['StartedAt'][:19]} UTC")
    print(f"httpd     {httpd}")
    print(f"python    {lab.execute('python3', '--version').removeprefix('Python ')}")
    if is_running(lab, PHP):
        # "PHP 8.4.28 (fpm-fcgi) (built: …)" and a second line.
        print(f"php       {lab.execute('php-fpm', '--version', server=PHP).split()[1]}")
    if is_running(lab, DB):
        # "mariadbd  Ver 11.8.6-MariaDB-0+deb13u1 from Debian for debian-linux-gnu on x86_64 (…)".
        print(f"mariadb   {lab.execute('mariadbd', '--version', server=DB).split()[2].partition('-')[0]}")
    print(f"debian    {lab.execute('sed', '-n', 's/^VERSION_CODENAME=//p', '/etc/os-release')}")
    for service in lab.services():
        print(f"service   {url}/cgi-bin/{service}")
    return 0 if health == "healthy" else 1


def is_running(lab: Lab, server: str) -> bool:
    """Tell whether a server runs."""
    container = lab.container(server)
    return container is not None and bool(container["State"]["Running"])
