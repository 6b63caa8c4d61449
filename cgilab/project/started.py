"""A lab as it was started: what of it there is, and the settings that its containers have."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cgilab.errors import LabError
from cgilab.project.engine import LABEL, ROOT
from cgilab.project.lab import DB, WEB, Lab

# The settings that a container keeps in its environment, and as mounted folders.
VARIABLES = ("TZ", "ONLINE", "LAB_PAGES", "SHOW_SECRETS")
MOUNTED = {"/srv/cgi-bin": "CGI_BIN", "/srv/www": "WWW", "/srv/sites": "SITES"}
OUTSIDE = "outside"

# The labels of a container that hold the release of Debian, and the folder of compose.yaml.
RELEASE = f"{LABEL}.debian"
FOLDER = "com.docker.compose.project.working_dir"


def as_started(lab: Lab) -> Lab:
    """Return a lab with the settings that it was started with, whatever those of the environment are.

    Returns:
        Its servers are those of which there is a container, running or not.

    Raises:
        LabError: there is none, or it is that of another folder.
    """
    containers = lab.containers()
    if not containers:
        raise LabError("The lab is down.", "Type:  make up")
    refuse_another_folder(containers)
    return replace(lab, settings={**lab.settings, **settings(containers)}, servers=tuple(containers))


def running(lab: Lab) -> Lab:
    """Return a lab with the settings that it was started with.

    Raises:
        LabError: its web server does not run, or it is that of another folder.
    """
    found = lab.container()
    if found is None or not found["State"]["Running"]:
        raise LabError("The lab is down.", f"Type:  {starts_with(WEB, found)}")
    return as_started(lab)


def starts_with(server: str, container: Mapping[str, Any] | None) -> str:
    """Return what to type to start a server: one that was stopped has its settings still.

    Args:
        server: its name.
        container: what Docker knows of it; None where there is none.
    """
    if container:
        return f"make start SERVER={server}"
    return "make up" if server == WEB else "make wamp"


def refuse_another_folder(containers: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse to touch a lab that was started from another copy of the project, whose labs have the same name.

    Args:
        containers: what Docker knows of them, by the name of their server.

    Raises:
        LabError: one of them was made from another folder. One that is not there any more had its name changed.
    """
    for container in containers.values():
        folder = container["Config"]["Labels"].get(FOLDER, "")
        if folder and _is_elsewhere(Path(folder)):
            raise LabError(
                f"The lab of another folder is there already: {folder}",
                f"To work with it, or to stop it:  cd {shlex.quote(folder)}",
                "To have one beside it, write into the file .env here:  COMPOSE_PROJECT_NAME=second  and  PORT=8081",
            )


def _is_elsewhere(folder: Path) -> bool:
    try:
        return not folder.samefile(ROOT)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # another user's


def variables(container: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment that a container was made with.

    Args:
        container: what Docker knows of it.
    """
    return dict(variable.partition("=")[::2] for variable in container["Config"].get("Env") or [])


def settings(containers: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the settings of compose.yaml that containers were made with.

    Args:
        containers: what Docker knows of them, by the name of their server.
    """
    found: dict[str, str] = {}
    web = containers.get(WEB)
    if web:
        found |= dict(zip(("BIND", "PORT"), _published(web, "80/tcp"), strict=True))
        given = variables(web)
        found |= {name: given.get(name, "") for name in VARIABLES}
        found["START"] = given.get("START", "")
        mounts = {mount["Destination"]: mount.get("Source", "") for mount in web.get("Mounts", [])}
        found |= {setting: mounts[target] for target, setting in MOUNTED.items() if target in mounts}
        networks = web["NetworkSettings"].get("Networks") or {}
        found["OUTSIDE"] = "1" if any(name.endswith(f"_{OUTSIDE}") for name in networks) else ""
        found["SERVER_USER"] = web["Config"].get("User", "")
        found["CPUS"] = f"{web['HostConfig']['NanoCpus'] / 1e9:g}"
    db = containers.get(DB)
    if db:
        found["DB_PORT"] = _published(db, "3306/tcp")[1]
    for container in containers.values():
        found["DEBIAN"] = container["Config"]["Labels"].get(RELEASE, "")
        found["IMAGE_TAG"] = container["Config"]["Image"].rpartition(":")[2]
    # Compose takes an empty setting for one that is not there, but for those whose default is to be nothing.
    return {name: value for name, value in found.items() if value or name in {*VARIABLES, "OUTSIDE", "DB_PORT"}}


def _published(container: Mapping[str, Any], port: str) -> tuple[str, str]:
    """Return the address and the port of this machine that lead to a port of a container, empty where none does."""
    running = (container["NetworkSettings"].get("Ports") or {}).get(port)
    asked = (container["HostConfig"].get("PortBindings") or {}).get(port)
    bindings = running or asked or [{}]
    return bindings[0].get("HostIp", ""), bindings[0].get("HostPort", "")
