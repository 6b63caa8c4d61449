"""The commands of `lab`, against a docker that answers what a test tells it to."""

import io
import json
import os
from pathlib import Path

import pytest

from cgilab.__main__ import main
from cgilab.commands import clean, new, up
from cgilab.errors import LabError
from cgilab.project import host, started
from cgilab.project.engine import ROOT
from cgilab.project.lab import SERVERS, Lab
from tests.unit.fake_docker import FakeDocker, configuration, container

COMMAND = "$env:PORT = 8081; docker compose up --build --wait" if os.name == "nt" else "make up PORT=8081"
RUNNING = {
    "compose ps": "abc",
    "container inspect": container(),
    "apache2 -v": "Server version: Apache/2.4.71 (Debian)\nServer built: today",
    "python3 --version": "Python 3.13.5",
    "php-fpm --version": "PHP 8.4.21 (fpm-fcgi) (built: today)\nCopyright (c) The PHP Group",
    "mariadbd --version": "mariadbd  Ver 11.8.6-MariaDB-0+deb13u1 from Debian for debian-linux-gnu on x86_64",
    "VERSION_CODENAME": "trixie",
    "find": "web_02.py",
}
WEB_ALONE = {"compose ps --all --quiet php": "", "compose ps --all --quiet db": ""}


# --- up ------------------------------------------------------------------------------------------


@pytest.fixture
def busy_port(fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """Somebody listens on port 8080, which the lab is asked to take."""
    fake_docker.answers = {"compose config": configuration()}
    monkeypatch.setattr(host, "is_port_taken", lambda _: True)
    monkeypatch.setattr(host, "process_on_port", lambda _: None)
    return fake_docker


def refusal() -> str:
    """Return what `lab up` says of the port."""
    with pytest.raises(LabError) as raised:
        up.refuse_taken_port(Lab())
    return str(raised.value)


def test_a_port_taken_by_a_container(busy_port: FakeDocker) -> None:
    busy_port.answers["docker ps"] = "shop-web-1\n"

    assert refusal().splitlines() == [
        "Port 8080 is taken by the container shop-web-1.",
        f"  Use another port:  {COMMAND}",
        "  Or stop it:        docker stop shop-web-1",
    ]


@pytest.mark.usefixtures("busy_port")
def test_a_port_taken_by_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "process_on_port", lambda _: ("python3", 42))

    assert refusal().splitlines() == [
        "Port 8080 is taken by the program python3, process 42.",
        f"  Use another port:  {COMMAND}",
        "  Or end it:         kill 42",
    ]


@pytest.mark.usefixtures("busy_port")
def test_a_port_taken_by_somebody_unknown() -> None:
    assert refusal().splitlines() == [
        "Port 8080 is taken by a program that this user may not see.",
        f"  Use another port:  {COMMAND}",
    ]


def test_a_port_taken_by_the_lab_itself_is_no_obstacle(busy_port: FakeDocker) -> None:
    busy_port.answers |= RUNNING

    up.refuse_taken_port(Lab())


def test_a_port_that_docker_chooses_is_no_obstacle(busy_port: FakeDocker) -> None:
    busy_port.answers["compose config"] = configuration(port="0")

    up.refuse_taken_port(Lab())


@pytest.mark.usefixtures("busy_port")
def test_the_port_advised_is_a_port(busy_port: FakeDocker) -> None:
    busy_port.answers["compose config"] = configuration(port="65535")

    assert refusal().splitlines()[1] == f"  Use another port:  {COMMAND.replace('8081', '8080')}"


@pytest.mark.usefixtures("busy_port")
def test_the_port_advised_starts_the_same_servers() -> None:
    with pytest.raises(LabError) as raised:
        up.refuse_taken_port(Lab(servers=SERVERS))

    wamp = COMMAND.replace("make up", "make wamp").replace("compose up", "compose --profile wamp up")
    assert raised.value.fix[0] == f"Use another port:  {wamp}"


@pytest.mark.parametrize("port", [8080, None], ids=["running", "stopped"])
def test_servers_of_two_releases_do_not_stand_beside_each_other(fake_docker: FakeDocker, port: int | None) -> None:
    fake_docker.answers = {"ps --all --quiet db": "db", "container inspect db": container(port=port)}
    lab = Lab(settings={"DEBIAN": "bookworm"})
    containers = lab.containers()
    with pytest.raises(LabError) as raised:
        up.refuse_mixed_releases(lab, containers)

    assert str(raised.value).splitlines() == [
        "The server db is of Debian trixie, and bookworm is asked for.",
        "  To change all servers:  make wamp DEBIAN=bookworm",
        "  To stay with trixie:    make up DEBIAN=trixie",
        "  To stop them first:     make down",
    ]
    up.refuse_mixed_releases(Lab(settings={"DEBIAN": "bookworm"}, servers=SERVERS), containers)
    up.refuse_mixed_releases(Lab(settings={"DEBIAN": "trixie"}), containers)


def test_a_lab_of_another_folder_is_not_replaced(tmp_path: Path) -> None:
    other = tmp_path / "my lab"
    other.mkdir()
    with pytest.raises(LabError) as raised:
        started.refuse_another_folder({"php": json.loads(container(folder=str(other)))[0]})

    assert str(raised.value).splitlines() == [
        f"The lab of another folder is there already: {other}",
        f"  To work with it, or to stop it:  cd '{other}'",
        "  To have one beside it, write into the file .env here:  COMPOSE_PROJECT_NAME=second  and  PORT=8081",
    ]


@pytest.mark.parametrize(
    "folder",
    [str(ROOT), str(ROOT / "docs" / ".."), str(ROOT / "gone"), ""],
    ids=["its name", "another", "gone", "none"],
)
def test_the_lab_of_this_folder_is_ones_own_whatever_the_folder_was_called(folder: str) -> None:
    started.refuse_another_folder({"web": json.loads(container(folder=folder))[0]})


@pytest.mark.parametrize("words", [["down"], ["clean", "--yes"], ["up"]], ids=lambda words: words[0])
def test_the_lab_of_another_folder_is_neither_stopped_nor_removed(
    fake_docker: FakeDocker,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: list[str],
) -> None:
    monkeypatch.setattr(clean, "remove_caches", lambda: None)
    monkeypatch.setattr(up, "prepare", lambda _: {})
    fake_docker.answers = {
        "compose config": configuration(),
        "compose ps": "abc",
        "container inspect": container(folder=str(tmp_path)),
    }

    assert main(words) == 1
    assert capsys.readouterr().err.splitlines()[0] == f"The lab of another folder is there already: {tmp_path}"
    changing = (" down", " rm ", " build", " up ")
    assert not [command for command in fake_docker.asked if any(word in command for word in changing)]


DUMP = "make db-dump FILE=lab.sql"
STARTED = [
    "lab: ready on http://localhost:8080",
    "     http://localhost:8080/cgi-bin/web_02.py",
]


def started_lab(fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str], lab: Lab) -> list[str]:
    """Start a lab that has a service, and return what is said."""
    fake_docker.answers |= {"find": "web_02.py", "web cat": "[]", "compose config": configuration()}
    up.start(lab)
    return capsys.readouterr().out.splitlines()


def test_that_scripts_are_forked_is_said(fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    fake_docker.answers = {**WEB_ALONE, "compose ps": "abc", "container inspect": container(start="forkserver")}

    assert started_lab(fake_docker, capsys, Lab()) == [
        STARTED[0],
        "     scripts are forked from one interpreter (START=forkserver)",
        *STARTED[1:],
    ]


@pytest.mark.parametrize(
    ("settings", "pages"),
    [
        ({}, ["adminer/", "people.php", "lab/phpinfo"]),
        ({"ONLINE": "1"}, ["people.php"]),
        ({"ONLINE": "1", "LAB_PAGES": "1"}, ["adminer/", "people.php", "lab/phpinfo"]),
    ],
    ids=["at home", "online", "online with the lab's pages"],
)
def test_what_comes_with_php_is_named(
    fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str], settings: dict[str, str], pages: list[str]
) -> None:
    fake_docker.answers = {"compose ps": "abc", "container inspect": container()}

    assert started_lab(fake_docker, capsys, Lab(settings=settings, servers=SERVERS)) == [
        *STARTED,
        *(f"     http://localhost:8080/{page}" for page in pages),
    ]


def test_a_server_beside_that_does_not_work_is_named(
    fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_docker.answers = {
        "compose ps": "abc",
        "container inspect": container(),
        "compose ps --all --quiet db": "db",
        "compose ps --all --quiet php": "php",
        "container inspect db": container(status="restarting", health="unhealthy"),
        "container inspect php": container(port=None),
    }
    # The first entry that is in a command counts.
    fake_docker.answers = dict(reversed(fake_docker.answers.items()))

    assert started_lab(fake_docker, capsys, Lab()) == [
        *STARTED,
        "db: restarting, unhealthy, since 2026-11-22T12:00:00 UTC; to see why:  make logs SERVER=db",
        "php: exited; start it with:  make start SERVER=php",
    ]


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ("", []),
        ("cgi-lab_database_bookworm\ncgi-lab_database_trixie", []),
        (
            "cgi-lab_database_trixie",
            [
                "this one is new: each release of Debian has its own, and that of trixie keeps its tables",
                "to carry them over:  "
                + "; ".join(
                    ["make wamp DEBIAN=trixie", DUMP, "make wamp DEBIAN=bookworm", "make db-restore FILE=lab.sql"]
                ),
            ],
        ),
    ],
    ids=["the first one", "there already", "of another release alone"],
)
def test_a_new_database_beside_that_of_another_release(fake_docker: FakeDocker, there: str, said: list[str]) -> None:
    described = {"name": "cgi-lab", "volumes": {"database": {"name": "cgi-lab_database_bookworm"}}}
    fake_docker.answers = {"compose config": json.dumps(described), "volume ls": there}

    assert up.of_new_database(Lab(settings={"DEBIAN": "bookworm"}, servers=SERVERS)) == said


# --- status --------------------------------------------------------------------------------------


def test_status_of_a_running_lab(fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    fake_docker.answers = {**WEB_ALONE, **RUNNING}

    assert main(["status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "url       http://localhost:8080",
        f"folder    {ROOT}",
        "server    web: running, healthy, since 2026-11-22T12:00:00 UTC",
        "httpd     Apache/2.4.71 (Debian)",
        "python    3.13.5",
        "scripts   started anew for each request (START=spawn)",
        "debian    trixie",
        "service   http://localhost:8080/cgi-bin/web_02.py",
    ]


def test_status_of_a_lab_that_forks_scripts(fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    fake_docker.answers = {**WEB_ALONE, **RUNNING, "container inspect": container(start="forkserver")}

    assert main(["status"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("scripts ")] == [
        "scripts   forked from one interpreter (START=forkserver)"
    ]


def test_status_of_a_lab_with_all_servers(fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    fake_docker.answers = {**RUNNING}

    assert main(["status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "url       http://localhost:8080",
        f"folder    {ROOT}",
        "server    web: running, healthy, since 2026-11-22T12:00:00 UTC",
        "server    db: running, healthy, since 2026-11-22T12:00:00 UTC",
        "server    php: running, healthy, since 2026-11-22T12:00:00 UTC",
        "httpd     Apache/2.4.71 (Debian)",
        "python    3.13.5",
        "scripts   started anew for each request (START=spawn)",
        "php       8.4.21",
        "mariadb   11.8.6",
        "debian    trixie",
        "service   http://localhost:8080/cgi-bin/web_02.py",
    ]


@pytest.mark.parametrize(
    ("database", "said"),
    [
        pytest.param(
            container(health="unhealthy"),
            "running, unhealthy, since 2026-11-22T12:00:00 UTC; to see why:  make logs SERVER=db",
            id="unhealthy",
        ),
        pytest.param(
            container(status="restarting", health="healthy"),
            "restarting, healthy, since 2026-11-22T12:00:00 UTC; to see why:  make logs SERVER=db",
            id="starting again and again",
        ),
        pytest.param(container(port=None), "exited; start it with:  make start SERVER=db", id="stopped"),
    ],
)
def test_status_of_a_lab_whose_database_does_not_work_is_a_failure(
    fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str], database: str, said: str
) -> None:
    fake_docker.answers = {"--all --quiet db": "db", "container inspect db": database, **RUNNING}

    assert main(["status"]) == 1
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("server ")] == [
        "server    web: running, healthy, since 2026-11-22T12:00:00 UTC",
        f"server    db: {said}",
        "server    php: running, healthy, since 2026-11-22T12:00:00 UTC",
    ]


def test_status_of_a_web_server_that_was_stopped(fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    fake_docker.answers = {**WEB_ALONE, "compose ps": "abc", "container inspect": container(port=None)}

    assert main(["status"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"folder    {ROOT}",
        "server    web: exited; start it with:  make start SERVER=web",
    ]


@pytest.mark.usefixtures("fake_docker")
def test_status_where_there_is_no_lab(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 1
    assert capsys.readouterr().out == "state     not running; start it with:  make up\n"


# --- new -----------------------------------------------------------------------------------------


def test_new_writes_a_service_and_its_test(tmp_path: Path) -> None:
    service, test = new.create("hello", tmp_path)

    assert (service, test) == (tmp_path / "cgi-bin/hello.py", tmp_path / "tests/services/test_hello.py")
    assert service.read_bytes().startswith(b"#!/usr/bin/env python3\n")
    assert b"\r" not in service.read_bytes()
    assert "$name" not in service.read_text(encoding="utf-8") + test.read_text(encoding="utf-8")
    assert os.access(service, os.X_OK)


@pytest.mark.parametrize("present", ["cgi-bin/hello.py", "tests/services/test_hello.py"])
def test_new_leaves_what_is_there(tmp_path: Path, present: str) -> None:
    (tmp_path / present).parent.mkdir(parents=True)
    (tmp_path / present).write_text("mine", encoding="utf-8")
    with pytest.raises(LabError) as raised:
        new.create("hello", tmp_path)

    assert raised.value.what == f"{Path(present)} is there already, and stays as it is."
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / present]
    assert (tmp_path / present).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["", "5", "web 05", "../hello", "web-05", "wéb", "hello.sh", "hello\n"])
def test_new_refuses_a_name_that_is_no_file_of_a_service(tmp_path: Path, name: str) -> None:
    with pytest.raises(LabError) as raised:
        new.create(name, tmp_path)

    assert raised.value.what.startswith(f"{name!r} cannot be a service's name")
    assert list(tmp_path.iterdir()) == []


# --- clean ---------------------------------------------------------------------------------------


@pytest.fixture
def littered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project in which its tools have left what they leave."""
    monkeypatch.setattr(clean, "ROOT", tmp_path)
    (tmp_path / "cgi-bin" / "__pycache__").mkdir(parents=True)
    (tmp_path / "cgi-bin" / "web_02.py").touch()
    (tmp_path / "build").mkdir()
    (tmp_path / ".venv").mkdir()
    return tmp_path


def test_clean_removes_the_caches_and_nothing_of_the_user(fake_docker: FakeDocker, littered: Path) -> None:
    fake_docker.answers = {"compose config": configuration()}

    assert main(["clean"]) == 0
    assert sorted(path.name for path in littered.rglob("*")) == ["build", "cgi-bin", "web_02.py"]


def test_clean_removes_the_caches_also_without_docker(fake_docker: FakeDocker, littered: Path) -> None:
    fake_docker.installed = False

    assert main(["clean"]) == 1
    assert not (littered / ".venv").exists()


@pytest.mark.usefixtures("littered")
def test_clean_removes_this_folders_labs_and_the_base_image(
    fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_docker.answers = {
        "compose config": configuration(),
        "working_dir": "cgi-lab-test-1\ncgi-lab-test-1\n",
        "image ls --quiet --filter label=com.docker.compose.project=cgi-lab-test-1": "two\none\ntwo\n",
        "network ls --quiet --filter label=com.docker.compose.project=cgi-lab": "net\n",
        "image ls --quiet --filter label=io.github.cgi-lab=base": "base\n",
    }

    assert main(["clean"]) == 0
    assert [command for command in fake_docker.asked if " rm " in command] == [
        "docker network rm --force net",
        "docker network rm --force net",
        "docker image rm --force one two",
        "docker image rm --force base",
    ]
    assert capsys.readouterr().out.splitlines()[1:-1] == [
        "clean: removed 1 network",
        "clean: removed 1 network",
        "clean: removed 2 images",
        "clean: removed 1 image",
    ]


@pytest.mark.usefixtures("littered")
def test_clean_of_a_lab_of_another_name_leaves_the_base_image(fake_docker: FakeDocker) -> None:
    fake_docker.answers = {"compose config": configuration(name="lessons")}

    assert main(["clean"]) == 0
    assert "docker ps --all --quiet --filter label=com.docker.compose.project=lessons" in fake_docker.asked
    assert not [command for command in fake_docker.asked if "=base" in command]


WITH_DATABASE: dict[str, str | tuple[int, str]] = {
    "compose config": configuration(),
    "working_dir": "cgi-lab-test-1\n",
    "volume ls --quiet --filter label=com.docker.compose.project=cgi-lab --filter label=io.github.cgi-lab=database": (
        "cgi-lab_database_trixie\ncgi-lab_database_bookworm\n"
    ),
    "volume ls --quiet --filter label=com.docker.compose.project=cgi-lab --filter label=io.github.cgi-lab=secrets": (
        "cgi-lab_secrets\n"
    ),
    "volume ls --quiet --filter label=com.docker.compose.project=cgi-lab-test-1": "test_database\n",
    "volume ls --quiet --filter label=com.docker.compose.project=cgi-lab": (
        "cgi-lab_database_bookworm\ncgi-lab_database_trixie\ncgi-lab_php\ncgi-lab_secrets\n"
    ),
}
KEPT = [
    "docker volume rm --force cgi-lab_php",
    "docker volume rm --force test_database",
]
REMOVED = [
    "docker volume rm --force cgi-lab_database_bookworm cgi-lab_database_trixie cgi-lab_php cgi-lab_secrets",
    "docker volume rm --force test_database",
]
DATABASES = "cgi-lab_database_trixie, cgi-lab_database_bookworm"


@pytest.mark.usefixtures("littered")
def test_clean_keeps_the_database_where_nobody_can_be_asked(
    fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_docker.answers = WITH_DATABASE
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))

    assert main(["clean"]) == 0
    assert [command for command in fake_docker.asked if "volume rm" in command] == KEPT
    said = f"clean: kept the database, {DATABASES}; to remove it too:  make clean YES=1"
    assert capsys.readouterr().out.splitlines()[1] == said


@pytest.mark.usefixtures("littered")
def test_clean_removes_the_database_when_told_so(fake_docker: FakeDocker) -> None:
    fake_docker.answers = WITH_DATABASE

    assert main(["clean", "--yes"]) == 0
    assert [command for command in fake_docker.asked if "volume rm" in command] == REMOVED


@pytest.mark.usefixtures("littered")
@pytest.mark.parametrize(
    ("answer", "removed"),
    [
        ("y\n", REMOVED),
        ("YES\n", REMOVED),
        ("n\n", KEPT),
        ("\n", KEPT),
        ("yesterday\n", KEPT),
        pytest.param("", KEPT, id="Ctrl-D"),
    ],
)
def test_clean_asks_before_it_removes_the_database(
    fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch, answer: str, removed: list[str]
) -> None:
    fake_docker.answers = WITH_DATABASE
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)

    assert main(["clean"]) == 0
    assert [command for command in fake_docker.asked if "volume rm" in command] == removed


@pytest.mark.usefixtures("fake_docker")
def test_clean_says_what_it_may_not_remove(
    littered: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("shutil.rmtree", refuse)

    assert main(["clean"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{littered / '.venv'} cannot be removed: Permission denied.",
        "  Type:  sudo make clean",
    ]


# --- all -----------------------------------------------------------------------------------------


def test_an_error_is_a_sentence_and_exit_code_1(fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    fake_docker.answers = {"compose ps": (1, "Cannot connect to the Docker daemon")}

    assert main(["status"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "  Cannot connect to the Docker daemon"


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["status", "more"]], ids=["none", "unknown", "too many"])
def test_wrong_arguments_are_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)

    assert raised.value.code == 2


def test_ctrl_c_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("cgilab.commands.status.run", interrupted)

    assert main(["status"]) == 130
