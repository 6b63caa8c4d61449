"""One lab: the Compose project that compose.yaml describes."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from cgilab import release
from cgilab.errors import LabError
from cgilab.project import host, packages
from cgilab.project.engine import ROOT, docker, inspect

# The servers: one container each, as compose.yaml names them. The first is the lab; the others, which the profile has
# Compose start beside it, make WampServer's whole set.
WEB = "web"
DB = "db"
PHP = "php"
SERVERS = (WEB, DB, PHP)
PROFILE = "wamp"

# What compose.yaml leaves closed, by the setting that opens it.
OPENED_BY = {"OUTSIDE": "docker/outside.yaml", "DB_PORT": "docker/db/published.yaml"}

# How a script is started, the setting START: a new interpreter each time, or a fork of one that is there.
WAYS = ("spawn", "forkserver")

# How much of a failed build's output is shown: enough for the command that failed and what it said.
BUILD_LINES = 20

# How apt, pip and Docker say that they reach nobody.
NO_NETWORK = (
    "Temporary failure resolving",
    "Temporary failure in name resolution",
    "network is unreachable",
    "no such host",
)

HIGHEST_PORT = 65535

# The variables of compose.yaml with which a user changes the lab.
SETTINGS = (
    "PORT",
    "BIND",
    "ONLINE",
    "LAB_PAGES",
    "CGI_BIN",
    "WWW",
    "SITES",
    "TZ",
    "SERVER_USER",
    "CPUS",
    "SHOW_SECRETS",
    "OUTSIDE",
    "DB_PORT",
    "DEBIAN",
    "BASE_IMAGE",
    "BUNDLE",
    "IMAGE_TAG",
    "START",
)


@dataclass(frozen=True)
class Lab:
    """A lab, running or not.

    Attributes:
        project: the name of its Compose project; None for the one that compose.yaml gives.
        settings: those of `SETTINGS` that are to differ from the caller's environment.
        root: the folder of compose.yaml.
        servers: those that are to be built and started.
    """

    project: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    root: Path = ROOT
    servers: Sequence[str] = (WEB,)

    def compose(
        self,
        *arguments: str,
        watched: bool = False,
        given: str | IO[Any] = "",
        into: IO[bytes] | None = None,
        tells_progress: bool = False,
    ) -> str:
        """Run ``docker compose`` for this lab; see `cgilab.project.engine.docker` for what goes in and comes out."""
        project = ["--project-name", self.project] if self.project else []
        return docker(
            *("compose", "--project-directory", str(self.root), *project, *arguments),
            environment=self.environment(),
            watched=watched,
            given=given,
            into=into,
            tells_progress=tells_progress,
        )

    def environment(self) -> dict[str, str]:
        """Return the variables that Compose needs beside the caller's: the settings, and which files and servers."""
        known = self.known()
        opened = [file for setting, file in OPENED_BY.items() if known.get(setting, "") not in {"", "0"}]
        # The user's own choice of files stays; without one there is compose.yaml.
        described = known.get("COMPOSE_FILE") or str(self.root / "compose.yaml")
        files = os.pathsep.join([described, *(str(self.root / file) for file in opened)])
        # With the profile, Compose knows of all servers; those to be started are named.
        return {**self.settings, "COMPOSE_PROFILES": PROFILE, **({"COMPOSE_FILE": files} if opened else {})}

    def known(self) -> dict[str, str]:
        """Return the settings as they hold for this lab: its own, then the environment's, then those of .env."""
        return {**release.settings_of(self.root), **self.settings}

    def execute(self, *command: str, given: str = "", server: str = WEB) -> str:
        """Run a program in the running lab, and return what it printed.

        Args:
            command: the program and its arguments.
            given: what it finds on its standard input.
            server: the one in whose container it runs; the web server's is in the folder of the services.
        """
        return self.compose("exec", "--no-TTY", server, *command, given=given)

    def build(self, *, watched: bool = False) -> None:
        """Build the servers' images, or find that nothing has changed since they were built.

        Args:
            watched: shows Docker's progress display to the user.

        Raises:
            LabError: it could not be built; the message holds the end of what Docker said.
        """
        try:
            shown = "auto" if watched else "plain"
            self.compose("--progress", shown, "build", *self.servers, watched=watched, tells_progress=True)
        except LabError as error:
            complaints = packages.complaints(error.fix)
            if complaints:
                raise LabError("The packages of the services cannot be installed.", *complaints) from None
            raise LabError(
                "The image could not be built.", *error.fix[-BUILD_LINES:], *_without_network(error.fix)
            ) from None

    def start(self) -> None:
        """Start the servers and wait until each one's health check has succeeded.

        Raises:
            LabError: one did not become healthy; the message holds what its health check and the server said.
        """
        self._up()

    def start_again(self, *, anew: bool = False) -> None:
        """Start servers that there are, as they are, and wait until they are healthy.

        Args:
            anew: in new containers, with the settings of this lab.

        Raises:
            LabError: as with `start`.
        """
        self._up("--no-deps", "--force-recreate" if anew else "--no-recreate")

    def _up(self, *options: str) -> None:
        try:
            self.compose("up", "--no-build", "--wait", *options, *self.servers)
        except LabError as error:
            failed = {
                server: found for server in self.servers if (found := self.container(server)) and not is_well(found)
            }
            if not failed:
                raise
            said = []
            for server, found in failed.items():
                checks = found["State"].get("Health", {}).get("Log") or []
                said += [f"health check: {check['Output'].strip()}" for check in checks[-1:]]
                said += self.compose("logs", "--no-log-prefix", "--tail", "10", server).splitlines()
            raise LabError("The lab does not answer.", *said, *error.fix) from None

    def down(self, *options: str, watched: bool = False) -> None:
        """Stop and remove the containers and their networks, also those that another setting had made.

        Args:
            options: of ``docker compose down``, such as ``--volumes``.
            watched: shows Docker's progress display to the user.
        """
        # Compose removes what the files describe that it is told of.
        everything = {**self.settings, **dict.fromkeys(OPENED_BY, "1")}
        replace(self, settings=everything).compose("down", *options, watched=watched)

    def remove(self) -> None:
        """End at once and remove the containers, their networks and their volumes; the images stay."""
        self.down("--volumes", "--timeout", "0")

    def container(self, server: str = WEB) -> dict[str, Any] | None:
        """Return what Docker knows of a server's container (``docker container inspect``); None where there is none."""
        name = self.compose("ps", "--all", "--quiet", server)
        return inspect("container", name) if name else None

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what Docker knows of the servers' containers, running or not, by the name of their server."""
        return {server: found for server in SERVERS if (found := self.container(server))}

    def url(self) -> str | None:
        """Return the address of the running lab, or None where it is not running."""
        container = self.container()
        bindings = container["NetworkSettings"]["Ports"].get("80/tcp") if container else None
        if not bindings:
            return None
        address = bindings[0]["HostIp"]
        name = "localhost" if address in host.OWN_ADDRESSES else address
        return f"http://{f'[{name}]' if ':' in name else name}:{bindings[0]['HostPort']}"

    def configuration(self) -> dict[str, Any]:
        """Return compose.yaml as Compose will use it, with the settings of environment and .env filled in."""
        loaded: dict[str, Any] = json.loads(self.compose("config", "--format", "json"))
        return loaded

    def asked_port(self) -> int:
        """Return the port of this machine that the lab is to listen on; 0 lets Docker choose.

        Raises:
            LabError: the setting PORT is not one port.
        """
        published = self.configuration()["services"][WEB]["ports"][0].get("published", "0")
        if not published.isdecimal() or int(published) > HIGHEST_PORT:
            raise LabError(f"PORT is {published!r}, and not one port.", "Choose one from 1 to 65535, such as 8081.")
        return int(published)

    def folders(self) -> dict[str, Path]:
        """Return the folders of this machine that the lab is to serve, by the name of their setting."""
        volumes = self.configuration()["services"][WEB]["volumes"]
        sources = {volume["target"]: Path(volume["source"]) for volume in volumes}
        return {"CGI_BIN": sources["/srv/cgi-bin"], "WWW": sources["/srv/www"], "SITES": sources["/srv/sites"]}

    def services(self) -> list[str]:
        """Return the file names of the services that the running lab can start, sorted."""
        listing = self.execute(
            "find", ".", "-maxdepth", "1", "-type", "f", "-executable", "!", "-iname", packages.NAME, "-printf", "%f\\n"
        )
        return sorted(listing.splitlines())


def default_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that Compose cannot find out by itself: the host's time zone, the owner of the services.

    Args:
        environment: the caller's environment. What is set there, or in the file .env, is left out.

    Raises:
        LabError: a folder that is to be served is not there, or the server could not read it; DEBIAN or START names
            nothing that there is.
    """
    folders = Lab().folders()
    for setting, folder in folders.items():
        if not folder.is_dir():
            raise LabError(f"There is no folder {folder} to serve.", f"Set {setting} to one that is there.")
    release.asked({**release.env_file(ROOT), **environment})
    way = {**release.env_file(ROOT), **environment}.get("START") or WAYS[0]
    if way not in WAYS:
        raise LabError(
            f"START is {way!r}, and there are two ways to start a script: spawn and forkserver.",
            "Type:  make up START=forkserver",
            "Or leave START out, for spawn.",
        )
    given = {name for name in SETTINGS if environment.get(name)} | set(release.env_file(ROOT))
    found = {"TZ": host.time_zone(), "SERVER_USER": host.owner(folders["CGI_BIN"])}
    if found["SERVER_USER"] is None and "SERVER_USER" not in given:
        for folder in folders.values():
            if not host.is_readable_by_all(folder):
                raise LabError(
                    f"The folder {folder} is root's, and nobody else may read it. The web server never runs as root.",
                    f"Type:  chmod -R go+rX {folder}",
                )
    index = packages.index_settings(folders["CGI_BIN"], environment)
    return {name: value for name, value in found.items() if value and name not in given} | index


def _without_network(said: Sequence[str]) -> list[str]:
    if any(words in line for line in said for words in NO_NETWORK):
        return ["A build takes a network. Without one, start from a bundle:  make up BUNDLE=FILE"]
    return []


def is_well(container: Mapping[str, Any]) -> bool:
    """Tell whether a server runs, and its health check has succeeded."""
    state = container["State"]
    return bool(state["Status"] == "running" and state.get("Health", {}).get("Status") == "healthy")


def default_lab() -> Lab:
    """Return the lab that a user starts, with the settings of this machine and of the environment."""
    return Lab(settings=default_settings(os.environ))
