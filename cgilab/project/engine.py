"""The container engine: getting one, and asking it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from gzip import GzipFile
from pathlib import Path
from typing import IO, Any, cast

from cgilab.errors import LabError

ROOT = Path(__file__).resolve().parents[2]

# Every container, network and image that the project makes bears this label, so that it can be found again.
LABEL = "io.github.cgi-lab"

INSTALL_DOCKER = (
    "Windows and macOS: install Docker Desktop, see https://docs.docker.com/get-started/get-docker/",
    "Debian and Ubuntu: type  sudo docker/engine/ensure.sh",
    "another Linux:     see https://docs.docker.com/engine/install/",
)


def prepare(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Make sure that an engine answers and that there is a base image, which takes a bare machine some 40 seconds.

    Args:
        settings: those that say which base image: DEBIAN and BASE_IMAGE; by default the environment's.

    Returns:
        The setting of compose.yaml that follows: BASE_IMAGE.

    Raises:
        LabError: one of the two cannot be had; the script has said why.
    """
    if os.name == "nt":
        return {}  # Docker Desktop brings the engine, and there is no shell to run the scripts.
    prepare_engine()
    said = {name: (settings or os.environ).get(name, "") for name in ("DEBIAN", "BASE_IMAGE")}
    return {"BASE_IMAGE": _set_up("docker/base/ensure.sh", said)}


def prepare_engine() -> None:
    """Make sure that an engine answers.

    Raises:
        LabError: none can be had; the script has said why.
    """
    if os.name != "nt":
        _set_up("docker/engine/ensure.sh")


def docker(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    watched: bool = False,
    given: str | IO[Any] = "",
    into: IO[bytes] | None = None,
    tells_progress: bool = False,
) -> str:
    """Run ``docker`` with these arguments.

    Args:
        arguments: such as ``image``, ``ls``.
        environment: variables to set or to replace in the caller's environment.
        watched: lets Docker speak to the user directly, for long steps with a progress display.
        given: what the program finds on its standard input: a text, or an open file, which is not read into memory.
        into: an open file for what it writes to its standard output.
        tells_progress: where it fails, its standard output says why, too.

    Returns:
        What Docker wrote to its standard output, without the last line break; empty where it was watched or went into
        a file.

    Raises:
        LabError: Docker is not installed, or it failed; its own words are part of the message.
    """
    try:
        done = subprocess.run(
            ["docker", *arguments],
            env={**os.environ, **(environment or {})},
            **({"input": given} if isinstance(given, str) and given else {"stdin": given or subprocess.DEVNULL}),
            stdout=into or (None if watched else subprocess.PIPE),
            stderr=None if watched else subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise LabError("Docker is not installed: there is no program `docker`.", *INSTALL_DOCKER) from None
    if done.returncode:
        said = (done.stderr or "").strip().splitlines()
        if tells_progress:
            said = [*(done.stdout or "").strip().splitlines(), *said]
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


def save(image: str, file: IO[bytes] | GzipFile) -> None:
    """Write an image as ``docker save`` does.

    Args:
        image: its id.
        file: where it is written.

    Raises:
        LabError: Docker failed.
    """
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as program:
        shutil.copyfileobj(cast("IO[bytes]", program.stdout), file, 1 << 20)
    if program.returncode:
        raise LabError(f"Docker failed at: docker save {image}")


def load(file: IO[bytes]) -> str:
    """Give Docker an image that `save` has written; it may be compressed.

    Returns:
        The name by which Docker knows it.

    Raises:
        LabError: Docker failed; its own words are part of the message.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(["docker", "load", "--quiet"], stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT) as program:
        given, told = cast("IO[bytes]", program.stdin), cast("IO[bytes]", program.stdout)
        # Where it ends before all was read, it says why.
        with suppress(BrokenPipeError), given:
            shutil.copyfileobj(file, given, 1 << 20)
        said = told.read().decode(errors="replace").strip()
    loaded = re.search(r"^Loaded image(?: ID)?: (\S+)$", said, re.MULTILINE)
    if program.returncode or loaded is None:
        raise LabError("Docker failed at: docker load", *said.splitlines()[-5:])
    return loaded[1]


def _set_up(script: str, settings: Mapping[str, str] | None = None) -> str:
    environment = {**os.environ, **(settings or {})}
    done = subprocess.run(["sh", str(ROOT / script)], env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise LabError(f"{script} did not succeed; the lines above say why.")
    return done.stdout.strip()
