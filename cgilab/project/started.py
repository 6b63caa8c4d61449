"""A lab as it was started: what of it there is, and the settings that its containers have."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cgilab.errors import LabError
from cgilab.project.lab import DB, SERVERS, WEB, Lab

# The settings that a container keeps in its environment, and as mounted folders.
VARIABLES = ("TZ", "ONLINE", "LAB_PAGES", "SHOW_SECRETS")
MOUNTED = {"/srv/cgi-bin": "CGI_BIN", "/srv/www": "WWW", "/srv/sites": "SITES"}
TABLES = "/var/lib/mysql"
OUTSIDE = "outside"


def as_started(lab: Lab) -> Lab:
    """Return a lab with the settings that it was started with, whatever those of the environment are.

    Returns:
        Its servers are those of which there is a container, running or not.

    Raises:
        LabError: there is none.
    """
    containers = {server: found for server in SERVERS if (found := lab.container(server))}
    if not containers:
        raise LabError("The lab is down.", "Type:  make up")
    return replace(lab, settings={**lab.settings, **settings(containers)}, servers=tuple(containers))


def running(lab: Lab) -> Lab:
    """Return a lab with the settings that it was started with.

    Raises:
        LabError: its web server does not run.
    """
    found = lab.container()
    if found is None or not found["State"]["Running"]:
        raise LabError("The lab is down.", "Type:  make up")
    return as_started(lab)


def settings(containers: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the settings of compose.yaml that containers were made with.

    Args:
        containers: what Docker knows of them, by the name of their server.
    """
    found: dict[str, str] = {}
    web = containers.get(WEB)
    if web:
        found |= dict(zip(("BIND", "PORT"), _published(web, "80/tcp"), strict=True))
        given = dict(variable.partition("=")[::2] for variable in web["Config"].get("Env") or [])
        found |= {name: given.get(name, "") for name in VARIABLES}
        mounts = {mount["Destination"]: mount.get("Source", "") for mount in web.get("Mounts", [])}
        found |= {setting: mounts[target] for target, setting in MOUNTED.items() if target in mounts}
        networks = web["NetworkSettings"].get("Networks") or {}
        found["OUTSIDE"] = "1" if any(name.endswith(f"_{OUTSIDE}") for name in networks) else ""
        found["SERVER_USER"] = web["Config"].get("User", "")
        found["CPUS"] = f"{web['HostConfig']['NanoCpus'] / 1e9:g}"
    db = containers.get(DB)
    if db:
        found["DB_PORT"] = _published(db, "3306/tcp")[1]
        volumes = [mount.get("Name", "") for mount in db.get("Mounts", []) if mount["Destination"] == TABLES]
        # The volume is named after the release whose MariaDB has made it.
        found["DEBIAN"] = volumes[0].rpartition("_")[2] if volumes else ""
    for container in containers.values():
        found["IMAGE_TAG"] = container["Config"]["Image"].rpartition(":")[2]
    # Compose takes an empty setting for one that is not there, but for those whose default is to be nothing.
    return {name: value for name, value in found.items() if value or name in {*VARIABLES, "OUTSIDE", "DB_PORT"}}


def _published(container: Mapping[str, Any], port: str) -> tuple[str, str]:
    """Return the address and the port of this machine that lead to a port of a container, empty where none does."""
    running = (container["NetworkSettings"].get("Ports") or {}).get(port)
    asked = (container["HostConfig"].get("PortBindings") or {}).get(port)
    bindings = running or asked or [{}]
    return bindings[0].get("HostIp", ""), bindings[0].get("HostPort", "")
