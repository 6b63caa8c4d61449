"""Starting a database in other ways than the usual one. Each test starts a lab of its own."""

import socket
from pathlib import Path

import pytest

from cgilab.errors import LabError
from cgilab.project.lab import DB, Lab
from tests.database.conftest import WITH_DATABASE, asking
from tests.support.copy import copy_project
from tests.support.running_lab import RunningLab, running_lab
from tests.support.wait import wait_until


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, to be changed."""
    folder = tmp_path / "project"
    folder.mkdir()
    copy_project(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for the services of a lab."""
    (tmp_path / "lab").mkdir()
    return tmp_path / "lab"


def test_a_file_that_cannot_be_loaded_is_named(project: Path, folder: Path, machine_settings: dict[str, str]) -> None:
    (project / "docker/db/init/zoo.sql").write_text("CREATE TABLE zoo (x INT);\nCREATE TABEL y (x INT);\n", "utf-8")
    with pytest.raises(LabError) as raised, running_lab(folder, machine_settings, project, WITH_DATABASE):
        pass

    said = [line for line in raised.value.fix if "zoo.sql cannot be loaded" in line]
    assert raised.value.what == "The lab does not answer."
    assert said[0].startswith("health check: db: zoo.sql cannot be loaded: ERROR 1064 (42000) at line 2: ")


def test_every_file_is_loaded_once_in_order(project: Path, folder: Path, machine_settings: dict[str, str]) -> None:
    (project / "docker/db/init/zoo.sql").write_text("INSERT INTO people VALUES (9, 'é😀', 'zoo', 1);", "utf-8")
    with running_lab(folder, machine_settings, project, WITH_DATABASE) as lab:
        lab.compose.compose("restart", DB)
        lab.compose.start()

        assert asking(lab)("SELECT id, last_name FROM people ORDER BY id") == [
            "1\tde la Huche",
            "2\tLovelace",
            "9\té😀",
        ]
        log = lab.server(DB).logs().decode().splitlines()
        assert [line for line in log if line.startswith("db: ")] == [
            "db: making the database, once",
            "db: loading people.sql",
            "db: loading zoo.sql",
        ]


def test_a_first_start_that_is_killed_begins_anew(
    project: Path, folder: Path, machine_settings: dict[str, str]
) -> None:
    # One row is there, and then the file waits.
    waiting = "CREATE TABLE half (x INT); INSERT INTO half VALUES (1); DO SLEEP(5);"
    (project / "docker/db/init/half.sql").write_text(waiting, "utf-8")
    with running_lab(folder, machine_settings, project, WITH_DATABASE) as lab:
        lab.compose.compose("rm", "--force", "--stop", "--volumes", DB)
        lab.compose.compose("run", "--rm", "--no-deps", "--entrypoint", "rm -rf /var/lib/mysql/data", DB)
        lab.compose.compose("up", "--no-build", "--detach", DB)
        loading = "db: loading half.sql"
        wait_until(lambda: loading in lab.server(DB).logs().decode().splitlines(), timeout=60)
        lab.server(DB).kill("SIGKILL")
        code = lab.compose.compose("run", "--rm", "--no-deps", "--entrypoint", "ls /var/lib/mysql", DB)
        assert code.splitlines() == ["data.new", "snapshots"]
        lab.compose.start()

        assert asking(lab)("SELECT x FROM half; SELECT COUNT(*) FROM people") == ["1", "2"]
        assert lab.compose.execute("ls", "/var/lib/mysql", server=DB).splitlines() == ["data", "snapshots"]


def test_two_labs_have_different_passwords_and_a_port_when_asked(
    wamp: RunningLab, folder: Path, machine_settings: dict[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {**machine_settings, "DB_PORT": str(port)}
    with running_lab(folder, settings, servers=WITH_DATABASE) as other:
        published = other.server(DB).attrs["NetworkSettings"]["Ports"]
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            greeting = connection.recv(100)
        passwords = {
            passwords_of(lab.compose, name) for lab in (wamp, other) for name in ("db_password", "db_root_password")
        }

    assert published == {"3306/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    # The protocol's first packet: four bytes of length and number, the protocol's version, the server's.
    assert b"-MariaDB" in greeting[5:].partition(b"\0")[0]
    assert len(passwords) == 4


def passwords_of(lab: Lab, name: str) -> str:
    """Return a password."""
    return lab.execute("cat", f"/run/secrets/{name}", server=DB)


def test_the_accounts_follow_the_passwords(folder: Path, machine_settings: dict[str, str]) -> None:
    settings = {**machine_settings, "TZ": "Asia/Kolkata"}
    with running_lab(folder, settings, servers=WITH_DATABASE) as lab:
        before = passwords_of(lab.compose, "db_password")
        lab.compose.execute("rm", "/run/secrets/db_password", server=DB)
        lab.compose.compose("restart", DB)
        lab.compose.start()
        assert passwords_of(lab.compose, "db_password") != before

        # Chosen by a user, with what means something in a statement.
        lab.compose.execute("tee", "/run/secrets/db_password", given="it's \\ \" é", server=DB)
        lab.compose.compose("restart", DB)
        lab.compose.start()
        assert lab.server(DB).exec_run(["/usr/local/lib/cgi-lab/healthcheck"]) == (0, b"ok\n")
        assert asking(lab)("SELECT TIMESTAMPDIFF(MINUTE, UTC_TIMESTAMP(), NOW())") == ["330"]
