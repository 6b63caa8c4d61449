"""The container engine: getting one, and asking it."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cgilab.errors import LabError

ROOT = Path(__file__).resolve().parents[1]

# Every container, network and image that the project makes bears this label, so that it can be found again.
LABEL = "io.github.cgi-lab"

INSTALL_DOCKER = (
    "Windows and macOS: install Docker Desktop, see https://docs.docker.com/get-started/get-docker/",
    "Debian and Ubuntu: type  sudo docker/engine/ensure.sh",
    "another Linux:     see https://docs.docker.com/engine/install/",
)


def prepare() -> dict[str, str]:
    """Make sure that an engine answers and that there is a base image, which takes a bare machine some 40 seconds.

    Returns:
        The setting of compose.yaml that follows: BASE_IMAGE.

    Raises:
        LabError: one of the two cannot be had; the script has said why.
    """
    if os.name == "nt":
        return {}  # Docker Desktop brings the engine, and there is no shell to run the scripts.
    _set_up("docker/engine/ensure.sh")
    return {"BASE_IMAGE": _set_up("docker/base/ensure.sh")}


def docker(
    *arguments: str, environment: Mapping[str, str] | None = None, watched: bool = False, given: str = ""
) -> str:
    """Run ``docker`` with these arguments.

    Args:
        arguments: such as ``image``, ``ls``.
        environment: variables to set or to replace in the caller's environment.
        watched: lets Docker speak to the user directly, for long steps with a progress display.
        given: what the program finds on its standard input.

    Returns:
        What Docker wrote to its standard output, without the last line break; empty where it was watched.

    Raises:
        LabError: Docker is not installed, or it failed; its own words are part of the message.
    """
    try:
        done = subprocess.run(
            ["docker", *arguments],
            env={**os.environ, **(environment or {})},
            **({"input": given} if given else {"stdin": subprocess.DEVNULL}),
            capture_output=not watched,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise LabError("Docker is not installed: there is no program `docker`.", *INSTALL_DOCKER) from None
    if done.returncode:
        said = (done.stderr or "").strip().splitlines()
        raise LabError(f"Docker failed at: docker {' '.join(arguments)}", *said)
    return (done.stdout or "").strip()


def stream(*arguments: str) -> Iterator[str]:
    """Run ``docker`` with these arguments, and yield the lines that it writes to either stream as they come.

    Raises:
        LabError: Docker is not installed, or it failed; its own words are the last lines.
    """
    try:
        process = subprocess.Popen(
            ["docker", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError:
        raise LabError("Docker is not installed: there is no program `docker`.", *INSTALL_DOCKER) from None
    with process:
        try:
            assert process.stdout is not None  # noqa: S101 - that it is piped is asked for above
            for line in process.stdout:
                yield line.rstrip("\r\n")
        finally:
            process.terminate()
    if process.returncode > 0:
        raise LabError(f"Docker failed at: docker {' '.join(arguments)}")


def inspect(kind: str, name: str) -> dict[str, Any]:
    """Return what Docker knows of one thing.

    Args:
        kind: ``container``, ``image``, ``network`` or ``volume``.
        name: its name or id.

    Raises:
        LabError: there is none of that name.
    """
    description: dict[str, Any] = json.loads(docker(kind, "inspect", name))[0]
    return description


def _set_up(script: str) -> str:
    done = subprocess.run(["sh", str(ROOT / script)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise LabError(f"{script} did not succeed; the lines above say why.")
    return done.stdout.strip()
