"""A stand-in for the program `docker`: it answers what a test tells it to, and remembers what it was asked."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cgilab.project.engine import ROOT


@dataclass
class FakeDocker:
    """Takes the place of `subprocess.run` for the module cgilab.project.engine.

    Attributes:
        answers: what to answer to a command that holds these words: a standard output, or an exit code and a
            standard error. The first entry whose words are in the command counts; anything else succeeds in silence.
        asked: the commands so far, as one would type them, without the options that name the project.
        installed: False makes it as if there were no such program.
    """

    answers: dict[str, str | tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    installed: bool = True

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Answer one command."""
        if not self.installed:
            raise FileNotFoundError(command[0])
        words = " ".join(word for word in command if word != "--project-directory" and not Path(word).is_absolute())
        self.asked.append(words)
        for key, answer in self.answers.items():
            if key in words:
                code, error = answer if isinstance(answer, tuple) else (0, "")
                output = "" if isinstance(answer, tuple) else answer
                if hasattr(options.get("stdout"), "write"):
                    options["stdout"].write(output.encode())
                return subprocess.CompletedProcess(command, code, output, error)
        return subprocess.CompletedProcess(command, 0, "", "")


def container(
    *,
    port: int | None = 8080,
    address: str = "127.0.0.1",
    health: str = "healthy",
    said: str = "",
    folder: str = str(ROOT),
    status: str = "running",
    debian: str = "trixie",
    start: str = "",
) -> str:
    """Return what `docker container inspect` prints of a lab's container.

    Args:
        port: the port of this machine at which it can be reached; None where it does not run.
        address: the one that the port is opened on.
        health: what the health check found.
        said: the last words of the health check.
        folder: of the copy of the project that it was started from.
        status: what Docker calls its state, where it runs.
        debian: the release that it was made of.
        start: the setting START.
    """
    ports = {"80/tcp": [{"HostIp": address, "HostPort": str(port)}]} if port else {}
    state = {
        "Running": port is not None,
        "Status": status if port else "exited",
        "StartedAt": "2026-11-22T12:00:00.123456789Z",
        "Health": {"Status": health, "Log": [{"Output": said}] if said else []},
    }
    labels = {"com.docker.compose.project.working_dir": folder, "io.github.cgi-lab.debian": debian}
    config = {"Labels": labels, "Env": [f"START={start}"]}
    return json.dumps([{"State": state, "NetworkSettings": {"Ports": ports}, "Config": config}])


def configuration(*, port: str = "8080", cgi_bin: str = str(ROOT / "cgi-bin"), name: str = "cgi-lab") -> str:
    """Return what `docker compose config` prints, as far as a lab looks at it.

    Args:
        port: the setting PORT.
        cgi_bin: the setting CGI_BIN, as a whole path.
        name: the project's name.
    """
    volumes = [
        {"target": "/srv/cgi-bin", "source": cgi_bin},
        {"target": "/srv/www", "source": str(ROOT / "www")},
        {"target": "/srv/sites", "source": str(ROOT / "sites")},
    ]
    return json.dumps({"name": name, "services": {"web": {"ports": [{"published": port}], "volumes": volumes}}})
