"""What the lab takes from the host that it runs on."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cgilab.project import host

needs_users = pytest.mark.skipif(os.name == "nt", reason="Windows numbers neither users nor groups")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file that tells its time zone")
@pytest.mark.parametrize("zone", ["Europe/Paris", "Etc/UTC", "America/Argentina/Ushuaia"])
def test_time_zone_of_a_link(tmp_path: Path, zone: str) -> None:
    # The target need not be there: its name tells.
    (tmp_path / "localtime").symlink_to(tmp_path.resolve() / "zoneinfo" / zone)

    assert host.time_zone(tmp_path / "localtime", tmp_path / "none") == zone


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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_the_process_on_a_port_is_named(listener: socket.socket) -> None:
    found = host.process_on_port(listener.getsockname()[1])

    assert found == (Path("/proc/self/comm").read_text(encoding="utf-8").strip(), os.getpid())


LSOF = "p42\ncpython3\nf3\n"


@pytest.mark.parametrize(
    ("program", "output", "found"),
    [
        pytest.param("lsof", LSOF, ("python3", 42), id="lsof"),
        pytest.param("lsof", "", None, id="lsof, nobody or another user's process"),
        pytest.param("none", "", None, id="no program that tells"),
    ],
)
def test_what_lsof_tells(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, output: str, found: tuple[str, int] | None
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: name if name == program else None)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: subprocess.CompletedProcess([], 0, output, ""))

    assert host.process_on_port(8080, tmp_path) == found


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
@pytest.mark.parametrize(("mode", "readable"), [(0o755, True), (0o705, True), (0o700, False), (0o750, False)])
def test_a_folder_that_others_may_read(tmp_path: Path, mode: int, readable: bool) -> None:
    tmp_path.chmod(mode)

    assert host.is_readable_by_all(tmp_path) is readable
