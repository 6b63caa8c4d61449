"""The lab, against a docker that answers what a test tells it to."""

from pathlib import Path

import pytest

from cgilab import engine, host, lab
from cgilab.errors import LabError
from cgilab.lab import Lab, default_settings
from tests.unit.fake_docker import FakeDocker, configuration, container

RUNNING = {"compose ps": "abc", "container inspect": container()}


def test_a_running_lab_has_an_address(fake_docker: FakeDocker) -> None:
    fake_docker.answers = {**RUNNING}

    assert Lab().url() == "http://localhost:8080"


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
    fake_docker.answers = {"compose config": configuration(8081)}

    assert Lab().asked_port() == 8081


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


def test_settings_come_from_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "time_zone", lambda: "Europe/Paris")
    monkeypatch.setattr(host, "owner", lambda _: "501:20")

    assert default_settings({}) == {"TZ": "Europe/Paris", "SERVER_USER": "501:20"}


def test_settings_of_the_environment_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "time_zone", lambda: "Europe/Paris")
    monkeypatch.setattr(host, "owner", lambda _: "501:20")

    assert default_settings({"TZ": "UTC", "SERVER_USER": "1:1"}) == {}


def test_settings_that_the_host_does_not_tell_are_left_to_compose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "time_zone", lambda: None)
    monkeypatch.setattr(host, "owner", lambda _: None)

    assert default_settings({}) == {}


def test_a_folder_of_services_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    with pytest.raises(LabError) as raised:
        default_settings({"CGI_BIN": "lessons"})

    assert raised.value.what == f"The services' folder {tmp_path / 'lessons'} does not exist."
