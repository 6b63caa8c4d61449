"""A bundle, used as in a classroom: a machine with an engine, and no network at all."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import pytest

from cgilab.project.engine import docker
from cgilab.project.lab import SERVERS
from tests.support.copy import copy_project
from tests.support.debian import DEBIAN

# Who may make a network namespace: root, with many systems any user, else whoever may become root.
WAYS = (["unshare", "--net"], ["unshare", "--net", "--map-root-user"], ["sudo", "-n", "-E", "unshare", "--net"])


@lru_cache(maxsize=1)
def cut_off_by() -> list[str]:
    """Return what starts a command in a network namespace of its own.

    There is nothing in it but a loopback device, which is down. The engine is reached by its socket, which is a file.
    """
    for way in WAYS:
        if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    pytest.fail("no network namespace can be made: run this test as root")


@dataclass(frozen=True)
class Machine:
    """A copy of the project, with names of its own and without a virtual environment."""

    folder: Path
    environment: dict[str, str]
    tags: list[str] = field(default_factory=list)

    def type(self, *command: str, cut_off: bool = False) -> subprocess.CompletedProcess[str]:
        """Type a command in the folder."""
        return subprocess.run(
            [*(cut_off_by() if cut_off else []), *command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def images(self) -> dict[str, str]:
        """Return the ids of the images of this machine's lab."""
        found = (docker("image", "ls", "--no-trunc", "--quiet", tag) for tag in self.tags)
        return {tag: image for tag, image in zip(self.tags, found, strict=True) if image}


@pytest.fixture(scope="module")
def machine(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    copy_project(folder)
    shutil.rmtree(folder / ".venv")
    name = f"test-{secrets.token_hex(4)}"
    project = f"cgi-lab-{name}"
    own = {"COMPOSE_PROJECT_NAME": project, "IMAGE_TAG": name, "PORT": "0", **machine_settings, "DEBIAN": DEBIAN}
    # What `make test` passes on would make the commands' own make talk about folders.
    inherited = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
    made = Machine(folder, {**inherited, **own}, [f"cgi-lab/{server}:{name}" for server in SERVERS])
    yield made
    made.type("docker", "compose", "--profile", "wamp", "down", "--volumes", "--timeout", "0")
    docker("image", "rm", "--force", *made.tags)


@pytest.fixture(scope="module")
def file(machine: Machine) -> Path:
    """The bundle. Then the machine's own images are gone, as on one that has never had a network."""
    path = machine.folder / "usb" / "lab.bundle"
    path.parent.mkdir()
    done = machine.type(sys.executable, "-m", "cgilab", "bundle", str(path))
    assert done.returncode == 0, done.stderr
    assert [one.name for one in path.parent.iterdir()] == ["lab.bundle"]
    return path


def test_a_lab_starts_from_a_bundle_without_a_network(machine: Machine, file: Path) -> None:
    built = machine.images()
    assert len(built) == len(SERVERS)
    docker("image", "rm", "--force", *machine.tags)
    assert machine.images() == {}

    done = machine.type("make", "wamp", f"BUNDLE={file}", cut_off=True)

    assert (done.returncode, done.stderr) == (0, "")
    loading = [f"bundle: loading the image {tag}" for tag in machine.tags]
    assert done.stdout.splitlines()[: len(loading)] == loading
    assert machine.images() == built
    states = machine.type("docker", "compose", "ps", "--format", "{{.Service}} {{.Health}}").stdout.splitlines()
    assert sorted(states) == sorted(f"{server} healthy" for server in SERVERS)

    # What is here is not loaded again; the name of the file may also stand in .env.
    (machine.folder / ".env").write_text(f"BUNDLE={file}\n", encoding="utf-8")
    again = machine.type("make", "up", cut_off=True)
    (machine.folder / ".env").unlink()

    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.splitlines()[0].startswith("lab: ready on http://localhost:")


def test_the_clients_library_comes_from_a_bundle_without_a_network(machine: Machine, file: Path) -> None:
    done = machine.type("make", "environment", f"BUNDLE={file}", cut_off=True)
    assert done.returncode == 0, done.stderr
    asked = machine.type(".venv/bin/python", "-c", "import requests, rich; print('both')")

    assert asked.stdout == "both\n"
    assert not (machine.folder / ".venv" / "wheels").exists()


def test_a_bundle_that_is_cut_off_leaves_all_as_it_was(machine: Machine, file: Path) -> None:
    cut = machine.folder / "cut.bundle"
    shutil.copy(file, cut)
    os.truncate(cut, cut.stat().st_size // 4)
    before = machine.images()
    done = machine.type("make", "wamp", f"BUNDLE={cut}", cut_off=True)

    assert done.returncode == 2  # make's own, for a command that has failed
    assert done.stderr.splitlines()[0].startswith(f"{cut} is damaged: it is cut off: images/")
    assert machine.images() == before


def test_nothing_of_the_users_is_in_it(file: Path) -> None:
    """Beside the images it holds the manifest and wheels."""
    listing = subprocess.run(["tar", "--list", "--file", str(file)], capture_output=True, text=True, check=True).stdout
    names = [name for name in listing.splitlines() if not (name.startswith("wheels/") and name.endswith(".whl"))]
    content = subprocess.run(
        ["tar", "--extract", "--to-stdout", "--file", str(file), "manifest.json"], capture_output=True, check=True
    )

    base = ["images/base.tar.gz"]
    assert names == ["manifest.json", "manifest.sha256", *(f"images/{server}.tar.gz" for server in SERVERS), *base]
    assert sorted(json.loads(content.stdout)) == [
        "debian",
        "engine",
        "format",
        "packages",
        "parts",
        "project",
        "python",
    ]
