"""A stand-in for the program `docker`: it answers what a test tells it to, and remembers what it was asked."""

import json
import subprocess
from dataclasses import dataclass, field
from typing import Any


@dataclass
class FakeDocker:
    """Takes the place of `subprocess.run` for the module cgilab.engine.

    Attributes:
        answers: what to answer to a command that holds these words: a standard output, or an exit code and a
            standard error. The first entry whose words are in the command counts; anything else succeeds in silence.
        asked: the commands so far, as one would type them, without the options that name the project.
        installed: False makes it as if there were no such program.
    """

    answers: dict[str, str | tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    installed: bool = True

    def __call__(self, command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        """Answer one command."""
        if not self.installed:
            raise FileNotFoundError(command[0])
        words = " ".join(word for word in command if "/" not in word or "{{" in word).replace(
            "--project-directory ", ""
        )
        self.asked.append(words)
        for key, answer in self.answers.items():
            if key in words:
                code, error = answer if isinstance(answer, tuple) else (0, "")
                output = "" if isinstance(answer, tuple) else answer
                return subprocess.CompletedProcess(command, code, output, error)
        return subprocess.CompletedProcess(command, 0, "", "")


def container(*, port: int | None = 8080, health: str = "healthy", said: str = "") -> str:
    """Return what `docker container inspect` prints of a lab's container.

    Args:
        port: the port of this machine at which it can be reached; None where it does not run.
        health: what the health check found.
        said: the last words of the health check.
    """
    ports = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]} if port else {}
    state = {
        "Running": port is not None,
        "Status": "running" if port else "exited",
        "StartedAt": "2026-11-22T12:00:00.123456789Z",
        "Health": {"Status": health, "Log": [{"Output": said}] if said else []},
    }
    return json.dumps([{"State": state, "NetworkSettings": {"Ports": ports}}])


def configuration(port: int) -> str:
    """Return what `docker compose config` prints, as far as a lab looks at it."""
    return json.dumps({"services": {"web": {"ports": [{"published": str(port)}]}}})
