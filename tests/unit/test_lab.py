"""The lab, against a docker that answers what a test tells it to."""

import os
from pathlib import Path

import pytest

from cgilab.errors import LabError
from cgilab.project import engine, host, lab
from cgilab.project.lab import Lab, default_settings
from tests.unit.fake_docker import FakeDocker, configuration, container

RUNNING = {"compose ps": "abc", "container inspect": container()}


def test_a_running_lab_has_an_address(fake_docker: FakeDocker) -> None:
    fake_docker.answers = {**RUNNING}

    assert Lab().url() == "http://localhost:8080"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1", "http://localhost:8080"),
        ("0.0.0.0", "http://localhost:8080"),  # noqa: S104 - compared, not opened
        ("::", "http://localhost:8080"),
        ("192.0.2.7", "http://192.0.2.7:8080"),
        ("2001:db8::7", "http://[2001:db8::7]:8080"),
    ],
)
def test_the_address_is_one_that_answers(fake_docker: FakeDocker, address: str, url: str) -> None:
    fake_docker.answers = {"compose ps": "abc", "container inspect": container(address=address)}

    assert Lab().url() == url


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({}, id="there is no container"),
        pytest.param({"compose ps": "abc", "container inspect": container(port=None)}, id="the container has ended"),
    ],
)
def test_a_lab_that_does_not_run_has_none(fake_docker: FakeDocker, answers: dict[str, str | tuple[int, str]]) -> None:
    fake_docker.answers = answers

    assert Lab().url() is None


def test_the_asked_port_is_the_one_of_the_whole_configuration(fake_docker: FakeDocker) -> None:
    fake_docker.answers = {"compose config": configuration(port="8081")}

    assert Lab().asked_port() == 8081


@pytest.mark.parametrize("port", ["8080-8090", "abc", "-1", "65536", ""])
def test_a_port_that_is_none(fake_docker: FakeDocker, port: str) -> None:
    fake_docker.answers = {"compose config": configuration(port=port)}
    with pytest.raises(LabError) as raised:
        Lab().asked_port()

    assert raised.value.what == f"PORT is {port!r}, and not one port."


def test_services_are_sorted(fake_docker: FakeDocker) -> None:
    fake_docker.answers = {"compose exec": "web_10.py\nweb_02.py\n"}

    assert Lab().services() == ["web_02.py", "web_10.py"]


def test_a_project_of_another_name(fake_docker: FakeDocker) -> None:
    Lab(project="other").remove()

    assert fake_docker.asked == ["docker compose --project-name other down --volumes --timeout 0"]


def test_a_lab_that_does_not_become_healthy_says_why(fake_docker: FakeDocker) -> None:
    fake_docker.answers = {
        "compose up": (1, "container cgi-lab-web-1 is unhealthy"),
        "compose ps": "abc",
        "container inspect": container(health="unhealthy", said="cannot read the folder cgi-bin\n"),
        "compose logs": "AH00015: Unable to open logs",
    }
    with pytest.raises(LabError) as raised:
        Lab().start()

    assert str(raised.value).splitlines() == [
        "The lab does not answer.",
        "  health check: cannot read the folder cgi-bin",
        "  AH00015: Unable to open logs",
        "  container cgi-lab-web-1 is unhealthy",
    ]


def test_a_container_that_cannot_be_made_is_dockers_own_error(fake_docker: FakeDocker) -> None:
    fake_docker.answers = {"compose up": (1, "no such image")}
    with pytest.raises(LabError) as raised:
        Lab().start()

    assert raised.value.fix == ("no such image",)


def test_without_docker_one_is_told_where_to_get_it(fake_docker: FakeDocker) -> None:
    fake_docker.installed = False
    with pytest.raises(LabError) as raised:
        Lab().url()

    assert raised.value.what == "Docker is not installed: there is no program `docker`."
    assert raised.value.fix == engine.INSTALL_DOCKER


def test_a_failed_build_shows_the_end_of_what_docker_said(fake_docker: FakeDocker) -> None:
    said = [f"line {number}" for number in range(100)]
    fake_docker.answers = {"build": (1, "\n".join(said))}
    with pytest.raises(LabError) as raised:
        Lab().build()

    assert (raised.value.what, list(raised.value.fix)) == ("The image could not be built.", said[-20:])


@pytest.fixture
def machine(fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeDocker:
    """A machine in Paris, on which user 501 has cloned the project; there is no file .env."""
    fake_docker.answers = {"compose config": configuration()}
    monkeypatch.setattr(host, "time_zone", lambda: "Europe/Paris")
    monkeypatch.setattr(host, "owner", lambda _: "501:20")
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    return fake_docker


@pytest.mark.usefixtures("machine")
def test_settings_come_from_the_host() -> None:
    assert default_settings({}) == {"TZ": "Europe/Paris", "SERVER_USER": "501:20"}


@pytest.mark.usefixtures("machine")
def test_settings_of_the_environment_stay() -> None:
    assert default_settings({"TZ": "UTC", "SERVER_USER": "1:1"}) == {}


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("line", ["TZ=UTC", "export TZ=UTC", "  TZ = UTC", "TZ: UTC", "A=b\nTZ=UTC\n"])
def test_settings_of_the_file_env_stay(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(line, encoding="utf-8")

    assert default_settings({}) == {"SERVER_USER": "501:20"}


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("line", ["# TZ=UTC", "NOT_TZ=UTC", ""])
def test_other_lines_of_the_file_env_change_nothing(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(line, encoding="utf-8")

    assert default_settings({}) == {"TZ": "Europe/Paris", "SERVER_USER": "501:20"}


@pytest.mark.usefixtures("machine")
def test_settings_that_the_host_does_not_tell_are_left_to_compose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "time_zone", lambda: None)
    monkeypatch.setattr(host, "owner", lambda _: None)

    assert default_settings({}) == {}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_a_folder_that_root_alone_may_read(
    machine: FakeDocker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lessons = tmp_path / "lessons"
    lessons.mkdir(mode=0o700)
    machine.answers["compose config"] = configuration(cgi_bin=str(lessons))
    monkeypatch.setattr(host, "owner", lambda _: None)
    with pytest.raises(LabError) as raised:
        default_settings({})

    assert str(raised.value).splitlines() == [
        f"The folder {lessons} is root's, and nobody else may read it. The web server never runs as root.",
        f"  Type:  chmod -R go+rX {lessons}",
    ]


def test_a_folder_of_services_that_is_not_there(machine: FakeDocker, tmp_path: Path) -> None:
    machine.answers["compose config"] = configuration(cgi_bin=str(tmp_path / "lessons"))
    with pytest.raises(LabError) as raised:
        default_settings({})

    assert str(raised.value).splitlines() == [
        f"There is no folder {tmp_path / 'lessons'} to serve.",
        "  Set CGI_BIN to one that is there.",
    ]
