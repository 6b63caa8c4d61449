"""What the lab takes from the host that it runs on."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cgilab import host

needs_users = pytest.mark.skipif(os.name == "nt", reason="Windows numbers neither users nor groups")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file that tells its time zone")
@pytest.mark.parametrize(
    ("target", "zone"),
    [
        pytest.param("/usr/share/zoneinfo/Europe/Paris", "Europe/Paris", id="Linux"),
        pytest.param("/var/db/timezone/zoneinfo/America/New_York", "America/New_York", id="macOS"),
        pytest.param("/usr/share/zoneinfo/Etc/UTC", "Etc/UTC", id="UTC"),
        pytest.param("/usr/share/zoneinfo/America/Argentina/Ushuaia", "America/Argentina/Ushuaia", id="three parts"),
    ],
)
def test_time_zone_of_a_link(tmp_path: Path, target: str, zone: str) -> None:
    link = tmp_path / "localtime"
    # The target need not be there: its name tells.
    link.symlink_to(target)
    resolved = link.resolve()

    assert host.time_zone(link, tmp_path / "none") == (zone if str(resolved) == target else host.time_zone(resolved))


def test_time_zone_of_debians_own_file(tmp_path: Path) -> None:
    (tmp_path / "localtime").write_bytes(b"TZif2")
    (tmp_path / "timezone").write_text("Asia/Kolkata\n", encoding="ascii")

    assert host.time_zone(tmp_path / "localtime", tmp_path / "timezone") == "Asia/Kolkata"


def test_time_zone_that_nothing_tells(tmp_path: Path) -> None:
    assert host.time_zone(tmp_path / "localtime", tmp_path / "timezone") is None


@needs_users
def test_owner_is_who_owns_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "stat", lambda _: os.stat_result((0o40755, 0, 0, 0, 501, 20, 0, 0, 0, 0)))

    assert host.owner(tmp_path) == "501:20"


@needs_users
def test_owner_is_never_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "stat", lambda _: os.stat_result((0o40755, 0, 0, 0, 0, 0, 0, 0, 0, 0)))

    assert host.owner(tmp_path) is None


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A program that listens on a port of the loopback address: this one."""
    with socket.create_server((host.LOOPBACK, 0)) as server:
        yield server


def test_a_port_on_which_somebody_listens_is_taken(listener: socket.socket) -> None:
    assert host.is_port_taken(listener.getsockname()[1])


def test_a_port_is_free_again_when_its_listener_has_gone(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()

    assert not host.is_port_taken(port)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the programs ss and lsof are Linux's and macOS's")
def test_the_process_on_a_port_is_named(listener: socket.socket) -> None:
    found = host.process_on_port(listener.getsockname()[1])

    assert found is not None
    assert found[1] == os.getpid()


SS = 'LISTEN 0 5 127.0.0.1:8080 0.0.0.0:* users:(("python3",pid=42,fd=3))\n'
LSOF = "p42\ncpython3\nf3\n"


@pytest.mark.parametrize(
    ("program", "output", "found"),
    [
        pytest.param("ss", SS, ("python3", 42), id="ss"),
        pytest.param("ss", "LISTEN 0 5 127.0.0.1:8080 0.0.0.0:*\n", None, id="ss, another user's process"),
        pytest.param("ss", "", None, id="ss, nobody"),
        pytest.param("lsof", LSOF, ("python3", 42), id="lsof"),
        pytest.param("lsof", "", None, id="lsof, nobody or another user's process"),
        pytest.param("neither", "", None, id="no program that tells"),
    ],
)
def test_what_the_programs_tell(
    monkeypatch: pytest.MonkeyPatch, program: str, output: str, found: tuple[str, int] | None
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: name if name == program else None)
    monkeypatch.setattr(host, "_output", lambda *_: output)

    assert host.process_on_port(8080) == found
