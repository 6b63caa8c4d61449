"""One lab: the Compose project that compose.yaml describes."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cgilab import host
from cgilab.engine import ROOT, docker, inspect
from cgilab.errors import LabError

SERVICE = "web"


@dataclass(frozen=True)
class Lab:
    """A lab, running or not.

    Attributes:
        project: the name of its Compose project; None for the one that compose.yaml gives.
        settings: variables of compose.yaml (PORT, CGI_BIN, WWW, TZ, SERVER_USER, CPUS, BASE_IMAGE, IMAGE_TAG)
            that are to differ from the caller's environment.
    """

    project: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def compose(self, *arguments: str, watched: bool = False) -> str:
        """Run ``docker compose`` for this lab; see `cgilab.engine.docker` for what goes in and comes out."""
        project = ["--project-name", self.project] if self.project else []
        whole = ["compose", "--project-directory", str(ROOT), *project, *arguments]
        return docker(*whole, environment=self.settings, watched=watched)

    def execute(self, *command: str) -> str:
        """Run a program in the running lab, in the folder of the services, and return what it printed."""
        return self.compose("exec", "--no-TTY", SERVICE, *command)

    def build(self, *, watched: bool = False) -> None:
        """Build the image, or find that nothing has changed since it was built."""
        self.compose("build", *([] if watched else ["--quiet"]), watched=watched)

    def start(self) -> None:
        """Start the container and wait until its health check has run a script.

        Raises:
            LabError: it did not become healthy; the message holds what the health check and the server said.
        """
        try:
            self.compose("up", "--no-build", "--wait")
        except LabError as error:
            container = self.container()
            if container is None:
                raise
            checks = container["State"].get("Health", {}).get("Log") or []
            said = [f"health check: {check['Output'].strip()}" for check in checks[-1:]]
            log = self.compose("logs", "--no-log-prefix", "--tail", "10", SERVICE).splitlines()
            raise LabError("The lab does not answer.", *said, *log, *error.fix) from None

    def remove(self) -> None:
        """End at once and remove the container, its network and its volumes; the image stays."""
        self.compose("down", "--volumes", "--timeout", "0")

    def container(self) -> dict[str, Any] | None:
        """Return what Docker knows of the container (``docker container inspect``), or None where there is none."""
        name = self.compose("ps", "--all", "--quiet", SERVICE)
        return inspect("container", name) if name else None

    def url(self) -> str | None:
        """Return the address of the running lab, or None where it is not running."""
        container = self.container()
        bindings = container["NetworkSettings"]["Ports"].get("80/tcp") if container else None
        return f"http://localhost:{bindings[0]['HostPort']}" if bindings else None

    def asked_port(self) -> int:
        """Return the port of this machine that the lab is to listen on; 0 lets Docker choose."""
        configuration = json.loads(self.compose("config", "--format", "json"))
        return int(configuration["services"][SERVICE]["ports"][0]["published"])

    def services(self) -> list[str]:
        """Return the file names of the services that the running lab can start, sorted."""
        listing = self.execute("find", ".", "-maxdepth", "1", "-type", "f", "-executable", "-printf", "%f\\n")
        return sorted(listing.splitlines())


def default_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that Compose cannot find out by itself: the host's time zone, the owner of the services.

    Args:
        environment: the caller's environment; what is set there already is left out.

    Raises:
        LabError: there is no folder of services.
    """
    folder = ROOT / (environment.get("CGI_BIN") or "cgi-bin")
    if not folder.is_dir():
        raise LabError(f"The services' folder {folder} does not exist.", "Set CGI_BIN to a folder that does.")
    found = {"TZ": host.time_zone(), "SERVER_USER": host.owner(folder)}
    return {name: value for name, value in found.items() if value and not environment.get(name)}


def default_lab() -> Lab:
    """Return the lab that a user starts, with the settings of this machine and of the environment."""
    return Lab(settings=default_settings(os.environ))
