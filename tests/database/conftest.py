"""Labs with a database, and a way to talk to it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host

from cgilab.project.lab import DB, WEB
from tests.support.running_lab import RunningLab, running_lab

WITH_DATABASE = (WEB, DB)

# The volume of the tables, after the name of the project.
VOLUME = f"database_{os.environ.get('DEBIAN') or 'trixie'}"


@pytest.fixture(scope="session")
def host(wamp: RunningLab) -> Host:
    """The inside of the database's container, as the server's user."""
    return testinfra.get_host(f"docker://{wamp.server(DB).id}")


@pytest.fixture(scope="session")
def root(wamp: RunningLab) -> Host:
    """The same as root, who can look into every folder; without capabilities even root can do no more than that."""
    return testinfra.get_host(f"docker://root@{wamp.server(DB).id}")


@pytest.fixture(scope="module")
def stack(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab whose database the tests of one file may do with as they like."""
    with running_lab(tmp_path_factory.mktemp("stack"), machine_settings, servers=WITH_DATABASE) as running:
        yield running


Ask = Callable[[str], list[str]]


def asking(lab: RunningLab) -> Ask:
    """Return a function that runs statements as the administrator and returns the rows, columns parted by tabs."""

    def ask(statements: str) -> list[str]:
        return lab.compose.execute("mariadb", "--skip-column-names", "lab", given=statements, server=DB).splitlines()

    return ask


@pytest.fixture
def ask(stack: RunningLab) -> Ask:
    """Runs statements in the database of `stack`."""
    return asking(stack)


@pytest.fixture
def text_file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Writes a file, and returns its path."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "file.sql"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write
