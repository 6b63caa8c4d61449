"""The command `lab db`, against a docker that answers what a test tells it to."""

import gzip
import json
from pathlib import Path

import pytest

from cgilab.__main__ import main
from cgilab.commands.db import readable
from cgilab.project.engine import ROOT
from tests.unit.fake_docker import FakeDocker

DUMP = "-- MariaDB dump 10.19\n\nCREATE TABLE t (x INT);\n\n-- Dump completed on 2026-11-25 10:00:00\n"


def container(*, running: bool = True, published: str | None = None, folder: str = str(ROOT)) -> str:
    """Return what `docker container inspect` prints of the container of a database."""
    ports = {"3306/tcp": [{"HostIp": "127.0.0.1", "HostPort": published}]} if published else {}
    labels = {"com.docker.compose.project.working_dir": folder}
    described = {"State": {"Running": running}, "NetworkSettings": {"Ports": ports}, "Config": {"Labels": labels}}
    return json.dumps([described])


@pytest.fixture
def docker(fake_docker: FakeDocker) -> FakeDocker:
    """A docker with a database that runs."""
    fake_docker.answers = {"compose ps --all --quiet db": "abc", "container inspect": container()}
    return fake_docker


def error(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines of the error that was printed."""
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    "words",
    [["password"], ["shell"], ["dump", "x.sql"], ["restore", "x.sql"], ["snapshot"], ["snapshots"], ["rollback", "x"]],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("ended", [True, False], ids=["ended", "never started"])
def test_a_database_that_is_down(
    fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str], words: list[str], ended: bool
) -> None:
    if ended:
        fake_docker.answers = {"compose ps": "abc", "container inspect": container(running=False)}

    assert main(["db", *words]) == 1
    starts = "make start SERVER=db" if ended else "make wamp"
    assert error(capsys) == ["The database is down.", f"  Type:  {starts}"]
    assert not [command for command in fake_docker.asked if " exec " in command]


def test_a_setting_that_is_added_at_the_end_of_the_file_is_the_servers() -> None:
    settings = (ROOT / "docker" / "db" / "server.cnf").read_text(encoding="utf-8")

    assert [line for line in settings.splitlines() if line.startswith("[")][-1] == "[mariadbd]"


def test_the_database_of_another_folder_is_not_touched(
    docker: FakeDocker, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    docker.answers["container inspect"] = container(folder=str(tmp_path))
    (tmp_path / "x.sql").write_text(DUMP, encoding="utf-8")

    assert main(["db", "restore", str(tmp_path / "x.sql")]) == 1
    assert error(capsys)[0] == f"The lab of another folder is there already: {tmp_path}"
    assert not [command for command in docker.asked if " exec " in command]


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        pytest.param([], ["account   lab", "password  for lab", "schema    lab"], id="of the services"),
        pytest.param(["--root"], ["account   root", "password  for root", "schema    all"], id="of the administrator"),
    ],
)
@pytest.mark.parametrize("published", ["3307", None], ids=["published", "not published"])
def test_a_password_and_where_it_holds(
    docker: FakeDocker,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    lines: list[str],
    published: str | None,
) -> None:
    docker.answers["container inspect"] = container(published=published)
    # The fake leaves out what is a whole path, as the file of the password is.
    docker.answers["exec --no-TTY db cat"] = lines[1].removeprefix("password  ")

    assert main(["db", "password", *words]) == 0
    assert capsys.readouterr().out.splitlines() == [
        *lines,
        "host      db, port 3306, in services and in PHP pages",
        f"          127.0.0.1, port {published}, on this machine"
        if published
        else "          nowhere else; to reach it from this machine too:  make wamp DB_PORT=3306",
    ]


@pytest.mark.parametrize(("name", "option"), [("lab.sql", ""), ("lab.sql.gz", " --gzip")])
def test_a_dump_gets_its_name_when_it_is_whole(
    docker: FakeDocker, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, option: str
) -> None:
    docker.answers["exec --no-TTY db"] = DUMP

    assert main(["db", "dump", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_text(encoding="utf-8") == DUMP
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert docker.asked[-1] == f"docker compose exec --no-TTY db{option}"
    assert capsys.readouterr().out == f"db: {tmp_path / name} holds the database, 89 bytes\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(DUMP[:-30], "What Docker handed over is not whole.", id="cut off"),
        pytest.param("", "What Docker handed over is not whole.", id="empty"),
        pytest.param((1, "mariadb-dump: it broke"), "mariadb-dump: it broke", id="failed"),
    ],
)
def test_a_dump_that_fails_leaves_nothing(
    docker: FakeDocker,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    answer: str | tuple[int, str],
    said: str,
) -> None:
    docker.answers["exec --no-TTY db"] = answer

    assert main(["db", "dump", str(tmp_path / "lab.sql")]) == 1
    assert error(capsys) == ["The database cannot be dumped.", f"  {said}"]
    assert list(tmp_path.iterdir()) == []


def test_a_dump_replaces_no_file(docker: FakeDocker, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "lab.sql"
    path.write_text("mine", encoding="utf-8")

    assert main(["db", "dump", str(path)]) == 1
    assert error(capsys) == [f"{path} is there already, and stays as it is.", "  Choose another name."]
    assert path.read_text(encoding="utf-8") == "mine"
    assert not [command for command in docker.asked if " exec " in command]


def test_a_name_that_no_file_can_have_is_no_traceback(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, docker: FakeDocker
) -> None:
    path = tmp_path / ("x" * 300)

    assert main(["db", "dump", str(path)]) == 1
    assert error(capsys) == [f"{path} cannot be written: File name too long."]
    assert not [command for command in docker.asked if " exec " in command]


@pytest.mark.parametrize("action", ["dump", "restore"])
def test_a_file_without_a_name(capsys: pytest.CaptureFixture[str], action: str) -> None:
    assert main(["db", action, ""]) == 1
    assert error(capsys) == ["No file is named.", f"  For example:  make db-{action} FILE=lab.sql"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "{} is empty, so there is nothing to restore.", id="empty"),
        pytest.param(gzip.compress(b""), "{} is empty, so there is nothing to restore.", id="packed and empty"),
        pytest.param(
            b"hello\n", "{} is no dump: it does not begin as mariadb-dump and mysqldump do.", id="another text"
        ),
        pytest.param(
            b"\x89PNG\r\n\x1a\n", "{} is no dump: it does not begin as mariadb-dump and mysqldump do.", id="a picture"
        ),
        pytest.param(
            DUMP.encode("utf-16"), "{} is UTF-16, as PowerShell's > writes it, and no dump any more.", id="UTF-16"
        ),
        pytest.param(b"\x1f\x8b0123456789", "{} cannot be read: Unknown compression method.", id="almost packed"),
        pytest.param(
            gzip.compress(DUMP.encode())[:12],
            "{} cannot be read: Compressed file ended before the end-of-stream marker was reached.",
            id="packed and cut off",
        ),
    ],
)
def test_what_is_no_dump_is_not_restored(
    docker: FakeDocker, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "lab.sql"
    path.write_bytes(content)

    assert main(["db", "restore", str(path)]) == 1
    assert error(capsys)[0] == said.format(path)
    assert not [command for command in docker.asked if " exec " in command]


@pytest.mark.parametrize(("name", "reason"), [("nowhere", "No such file or directory"), ("", "Is a directory")])
@pytest.mark.usefixtures("docker")
def test_a_dump_that_cannot_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, reason: str) -> None:
    assert main(["db", "restore", str(tmp_path / name)]) == 1
    assert error(capsys) == [f"{tmp_path / name} cannot be read: {reason}."]


@pytest.mark.usefixtures("docker")
@pytest.mark.parametrize("name", ["..", "a/b", "-x", ".hidden", "é", "a b", "x" * 101, "a\n"])
def test_a_name_that_no_snapshot_may_have(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["db", "snapshot", "--", name]) == 1
    assert error(capsys) == [
        f"{name!r} cannot be a snapshot's name: it takes letters a to z, digits, dots, dashes and underscores.",
        "  For example:  make db-snapshot NAME=before-lesson-3",
    ]


def test_snapshots_are_listed_by_their_time(docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    docker.answers["exec --no-TTY db find"] = "1795601200.5 2500000 second.sql.gz\n1795601100.0 999 one.sql.gz\n"

    assert main(["db", "snapshots"]) == 0
    printed = [(line.split()[0], *line.split()[3:]) for line in capsys.readouterr().out.splitlines()]
    assert printed == [("one", "999", "bytes"), ("second", "2.5", "MB")]


@pytest.mark.usefixtures("docker")
def test_without_snapshots_one_is_told_how_to_make_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["db", "snapshots"]) == 0
    said = "db: there is no snapshot; to make one:  make db-snapshot NAME=before-lesson-3\n"
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("words", [["rollback", "nowhere"], ["snapshot", "--remove", "nowhere"]])
def test_a_snapshot_that_is_not_there(docker: FakeDocker, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    docker.answers["exec --no-TTY db find"] = "1795601200.5 2500000 second.sql.gz\n"

    assert main(["db", *words]) == 1
    assert error(capsys) == ["There is no snapshot 'nowhere'.", "  To see those that there are:  make db-snapshots"]


@pytest.mark.parametrize(("code", "status"), [(0, 0), (1, 1)])
def test_the_shell_ends_as_the_client_does(docker: FakeDocker, code: int, status: int) -> None:
    docker.answers["mariadb lab"] = (code, "")

    assert main(["db", "shell"]) == status
    assert docker.asked[-1] == "docker compose exec --no-TTY db mariadb lab"


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (2_500_000, "2.5 MB"), (3 * 10**12, "3000.0 GB")],
)
def test_sizes_are_readable(size: int, said: str) -> None:
    assert readable(size) == said
