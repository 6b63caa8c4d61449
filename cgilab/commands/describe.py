"""Show all that the lab is made of: versions, state and size of each server, settings, services, pages, failures."""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cgilab.errors import LabError
from cgilab.failures.explanation import visible
from cgilab.project import started
from cgilab.project.engine import docker, inspect
from cgilab.project.lab import SERVERS, WEB, Lab, default_settings
from cgilab.web.description import address

# Not from the folder of the services: a script there may bear the name of a module.
COLLECT = ("env", "--chdir=/usr/local/lib/cgi-lab", "python3", "-m", "cgilab.web.collecting")

# A setting of compose.yaml with its default.
DEFAULT = re.compile(r"\$\{(\w+):-([^${}]*)\}")

# The states of a container in which it runs, or is to.
UP = {"running", "paused", "restarting"}
MEGABYTE = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab describe [--json]`."""
    parser.add_argument("--json", action="store_true", help="print an object; docs/home.md describes it")
    parser.epilog = "The exit code is 0 when every server that there is runs and is healthy, else 1."


def run(arguments: argparse.Namespace) -> int:
    """Print the description; the exit code is 0 when every server that there is runs and is healthy, else 1.

    Raises:
        LabError: the lab is down, or Docker does not answer.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a console of Windows has few characters
    told = describe(Lab())
    print(json.dumps(told, indent=2) if arguments.json else "\n".join(as_lines(told)))
    there = [one for one in told["servers"] if one["state"]]
    return 0 if all((one["state"], one["health"]) == ("running", "healthy") for one in there) else 1


def describe(lab: Lab) -> dict[str, Any]:
    """Return what a lab is made of: what its container tells (`cgilab.web.description`), and what only the host knows.

    Raises:
        LabError: the lab is down.
    """
    containers = {server: lab.container(server) for server in SERVERS}
    web = containers[WEB]
    if web is None or not web["State"]["Running"]:
        raise LabError("The lab is down.", f"Type:  {started.starts_with(WEB, web)}")
    said = lab.execute(*COLLECT)
    try:
        collected: dict[str, Any] = json.loads(said)
    except ValueError:
        raise LabError(
            f"The lab does not say what it is made of: {visible(said[:200])}",
            "It may be of another version. Type:  make up",
        ) from None
    return {
        "url": lab.url(),
        "servers": [_server(server, container) for server, container in containers.items()],
        "settings": changed_settings(
            lab, {server: found for server, found in containers.items() if found}, collected["debian"]
        ),
        "docker": docker("version", "--format", "{{.Server.Version}}"),
        "compose": docker("compose", "version", "--short"),
        **collected,
    }


def _server(name: str, container: Mapping[str, Any] | None) -> dict[str, Any]:
    if container is None:
        return dict.fromkeys(("name", "state", "health", "since", "image", "image_bytes")) | {"name": name}
    state = container["State"]
    return {
        "name": name,
        "state": state["Status"],
        "health": state.get("Health", {}).get("Status"),
        "since": state["StartedAt"],
        "image": container["Config"]["Image"],
        "image_bytes": inspect("image", container["Image"])["Size"],
    }


def changed_settings(lab: Lab, containers: Mapping[str, Mapping[str, Any]], debian: str | None) -> dict[str, str]:
    """Return the settings with which the lab was started, as far as they differ from those that it has by default.

    Args:
        lab: the lab.
        containers: what Docker knows of them, by the name of their server.
        debian: the release that the images are of.
    """
    defaults = dict(DEFAULT.findall((lab.root / "compose.yaml").read_text(encoding="utf-8")))
    defaults |= default_settings({}) | {"IMAGE_TAG": debian or ""}
    actual = started.settings(containers) | {"DEBIAN": debian or defaults["DEBIAN"]}
    for folder in started.MOUNTED.values():
        defaults[folder] = str((lab.root / defaults[folder]).resolve())
        actual[folder] = str(Path(actual[folder]).resolve())
    return {name: value for name, value in actual.items() if value != defaults.get(name, "")}


# --- What is said ---------------------------------------------------------------------------------


def as_lines(told: Mapping[str, Any]) -> list[str]:
    """Return the description for people."""
    httpd, php, database, url = told["httpd"], told["php"], told["database"], told["url"]
    opcache = "with OPcache" if php["opcache"] else "without OPcache"
    rows = [
        ("url", url),
        *(("server", _server_line(one)) for one in told["servers"]),
        ("httpd", f"{httpd['version']}, which calls itself {httpd['banner']}"),
        ("python", told["python"]),
        ("php", f"{php['version']}, {opcache}" if php["version"] else php["reason"]),
        ("mariadb", database["version"] or database["reason"]),
        ("debian", told["debian"]),
        ("docker", f"{told['docker']}, Compose {told['compose']}"),
        *(("setting", f"{name}={value}") for name, value in told["settings"].items()),
        ("modules", " ".join(httpd["modules"])),
        *((("php has", " ".join(php["extensions"])),) if php["extensions"] else ()),
        *(("vhost", " ".join([one["name"], *one["aliases"], one["where"]])) for one in httpd["virtual_hosts"]),
        *(("service", _service_line(one, url)) for one in told["services"]),
        *(("project", url + one["url"] if one["url"] else f"{one['name']}/ has no index") for one in told["projects"]),
        *(("page", url + one["url"]) for one in told["pages"]),
        *(("site", _site_line(one, url)) for one in told["sites"]),
        *(("failure", _failure_line(one)) for one in told["failures"]),
    ]
    return [f"{name:9} {visible(str(text))}" for name, text in rows]


def _server_line(one: Mapping[str, Any]) -> str:
    if one["state"] is None:
        return f"{one['name']}: not there; start it with: make wamp"
    size = f"{one['image']}, {one['image_bytes'] / MEGABYTE:.0f} MB"
    if one["state"] not in UP:
        return f"{one['name']}: {one['state']}; {size}"
    return f"{one['name']}: {one['state']}, {one['health']}, since {one['since'][:19]} UTC; {size}"


def _service_line(one: Mapping[str, Any], url: str) -> str:
    first = one["faults"][0]["sentence"] if one["faults"] else ""
    return f"{one['level'] or 'not judged':4} {url}{one['url']}{': ' if first else ''}{first}"


def _site_line(one: Mapping[str, Any], url: str) -> str:
    state = "in force" if one["in_force"] else "not in force"
    if one["in_force"] and one["error"]:
        state = "the version before is in force"
    if one["error"]:
        state += f": {one['error']}"
    called = [url + told if told.startswith("/") else address(told, urlsplit(url).port) for told in one["urls"]]
    return " ".join([one["kind"], one["name"], *called, state])


def _failure_line(one: Mapping[str, Any]) -> str:
    started = datetime.fromtimestamp(one["started"] / 1e6, timezone.utc)
    return f"{started:%Y-%m-%dT%H:%M:%S} UTC {one['method']} {one['target']} {one['status']} {one['cause']}"
