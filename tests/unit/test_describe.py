"""`lab describe`, against a docker that answers what a test tells it to."""

import json
from pathlib import Path
from typing import Any

import pytest

from cgilab.__main__ import main
from cgilab.project import host
from cgilab.project.engine import ROOT
from tests.unit.fake_docker import FakeDocker, configuration

COLLECTED: dict[str, Any] = {
    "debian": "trixie",
    "httpd": {
        "version": "2.4.71",
        "built": "2026-11-11T12:54:19",
        "banner": "Apache/2.4.71 (Debian)",
        "modules": ["core", "cgi"],
        "defines": ["FOREGROUND"],
        "includes": ["/etc/apache2/httpd.conf"],
        "virtual_hosts": [{"name": "localhost", "aliases": ["::1"], "address": "*:80", "where": "httpd.conf:1"}],
    },
    "python": "3.13.5",
    "php": {"version": "8.4.28", "extensions": ["curl", "gd"], "opcache": True, "reason": None},
    "database": {"version": "11.8.9", "reason": None},
    "services": [
        {"name": "web_02.py", "url": "/cgi-bin/web_02.py", "level": "OK", "faults": []},
        {
            "name": "x.py",
            "url": "/cgi-bin/x.py",
            "level": "ERR",
            "faults": [{"cause": "not-executable", "sentence": "x.py has none.", "certain": True, "fix": []}],
        },
        {"name": "late.py", "url": "/cgi-bin/late.py", "level": None, "faults": []},
    ],
    "projects": [{"name": "shop", "url": "/shop/"}, {"name": "empty", "url": None}],
    "pages": [{"name": "hello.html", "url": "/hello.html"}],
    "sites": [
        {"name": "a", "kind": "alias", "urls": ["/a/"], "folder": "/a", "in_force": True, "error": None},
        {
            "name": "b",
            "kind": "vhost",
            "urls": ["http://b.localhost/"],
            "folder": None,
            "in_force": False,
            "error": "line 3",
        },
    ],
    "failures": [
        {"id": "X", "started": 0, "method": "GET", "target": "/cgi-bin/\x1b", "status": 500, "cause": "not-found"}
    ],
}

LINES = [
    "url       http://localhost:8080",
    "server    web: running, healthy, since 2026-11-22T12:00:00 UTC; cgi-lab/web:trixie, 125 MB",
    "server    db: not there; start it with: make wamp",
    "server    php: not there; start it with: make wamp",
    "httpd     2.4.71, which calls itself Apache/2.4.71 (Debian)",
    "python    3.13.5",
    "php       8.4.28, with OPcache",
    "mariadb   11.8.9",
    "debian    trixie",
    "docker    26.1.5, Compose 2.26.1",
    "modules   core cgi",
    "php has   curl gd",
    "vhost     localhost ::1 httpd.conf:1",
    "service   OK   http://localhost:8080/cgi-bin/web_02.py",
    "service   ERR  http://localhost:8080/cgi-bin/x.py: x.py has none.",
    "service   not judged http://localhost:8080/cgi-bin/late.py",
    "project   http://localhost:8080/shop/",
    "project   empty/ has no index",
    "page      http://localhost:8080/hello.html",
    "site      alias a http://localhost:8080/a/ in force",
    "site      vhost b http://b.localhost:8080/ not in force: line 3",
    "failure   1970-01-01T00:00:00 UTC GET /cgi-bin/\\x1b 500 not-found",
]


def container(*, server: str = "web", state: str = "running", health: str = "healthy", **changed: str) -> str:
    """Return what `docker container inspect` prints of a server, with settings that differ from their defaults."""
    ports = {"web": "80/tcp", "db": "3306/tcp"}
    variables = ("ONLINE", "LAB_PAGES", "SHOW_SECRETS")
    environment = {"TZ": changed.get("TZ", "Europe/Paris"), **{name: changed.get(name, "") for name in variables}}
    published = changed.get("PORT", "8080") if server == "web" else changed.get("DB_PORT")
    binding = [{"HostIp": changed.get("BIND", "127.0.0.1"), "HostPort": published}] if published else None
    network = "cgi-lab_outside" if changed.get("OUTSIDE") else "cgi-lab_default"
    described = {
        "State": {
            "Status": state,
            "Running": state == "running",
            "StartedAt": "2026-11-22T12:00:00.123456789Z",
            "Health": {"Status": health},
        },
        "Config": {
            "Image": f"cgi-lab/{server}:{changed.get('IMAGE_TAG', 'trixie')}",
            "Labels": {"io.github.cgi-lab.debian": "trixie"},
            "User": changed.get("SERVER_USER", "1000:1000"),
            "Env": [
                f"TZ={changed.get('TZ', 'Europe/Paris')}",
                *(f"{name}={text}" for name, text in environment.items()),
            ],
        },
        "Image": "sha256:abc",
        "HostConfig": {"NanoCpus": int(float(changed.get("CPUS", "1")) * 1e9)},
        "Mounts": [
            {"Destination": "/srv/cgi-bin", "Source": changed.get("CGI_BIN", str(ROOT / "cgi-bin"))},
            {"Destination": "/srv/www", "Source": changed.get("WWW", str(ROOT / "www"))},
            {"Destination": "/srv/sites", "Source": changed.get("SITES", str(ROOT / "sites"))},
        ],
        "NetworkSettings": {"Ports": {ports.get(server, "9000/tcp"): binding}, "Networks": {network: {}}},
    }
    return json.dumps([described])


@pytest.fixture
def running(fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """A lab whose web server runs, alone, with all settings as they are by default."""
    monkeypatch.setattr(host, "time_zone", lambda: "Europe/Paris")
    monkeypatch.setattr(host, "owner", lambda _: "1000:1000")
    fake_docker.answers = {
        "compose config": configuration(),
        "ps --all --quiet web": "web",
        "container inspect web": container(),
        "container inspect db": container(server="db"),
        "container inspect php": container(server="php"),
        "image inspect": json.dumps([{"Size": 125_400_000}]),
        "cgilab.web.collecting": json.dumps(COLLECTED),
        "docker version": "26.1.5",
        "compose version": "2.26.1",
    }
    return fake_docker


@pytest.mark.usefixtures("running")
def test_all_of_it_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe"]) == 0
    assert capsys.readouterr().out.splitlines() == LINES


@pytest.mark.usefixtures("running")
def test_the_same_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = dict.fromkeys(("state", "health", "since", "image", "image_bytes"))

    assert main(["describe", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "url": "http://localhost:8080",
        "servers": [
            {
                "name": "web",
                "state": "running",
                "health": "healthy",
                "since": "2026-11-22T12:00:00.123456789Z",
                "image": "cgi-lab/web:trixie",
                "image_bytes": 125_400_000,
            },
            {"name": "db", **nothing},
            {"name": "php", **nothing},
        ],
        "settings": {},
        "docker": "26.1.5",
        "compose": "2.26.1",
        **COLLECTED,
    }


def test_the_services_cannot_stand_in_for_the_collector(running: FakeDocker) -> None:
    main(["describe"])

    assert "docker compose exec --no-TTY web env --chdir=/usr/local/lib/cgi-lab python3 -m cgilab.web.collecting" in (
        running.asked
    )


@pytest.mark.parametrize(
    ("server", "state", "health", "code"),
    [
        pytest.param("web", "running", "unhealthy", 1, id="an unhealthy web server"),
        pytest.param("web", "running", "starting", 1, id="one that is starting"),
        pytest.param("db", "running", "healthy", 0, id="a healthy database"),
        pytest.param("db", "running", "unhealthy", 1, id="an unhealthy database"),
        pytest.param("db", "restarting", "unhealthy", 1, id="a database that starts again and again"),
        pytest.param("php", "exited", "unhealthy", 1, id="PHP that was stopped"),
    ],
)
def test_the_exit_code_tells_whether_all_that_there_is_runs_and_is_healthy(
    running: FakeDocker, server: str, state: str, health: str, code: int
) -> None:
    running.answers[f"ps --all --quiet {server}"] = server
    running.answers[f"container inspect {server}"] = container(server=server, state=state, health=health)

    assert main(["describe"]) == code


def test_a_server_that_was_stopped_is_said_to_be(running: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    running.answers["ps --all --quiet php"] = "php"
    running.answers["container inspect php"] = container(server="php", state="exited", health="unhealthy")
    main(["describe"])

    assert capsys.readouterr().out.splitlines()[3] == "server    php: exited; cgi-lab/php:trixie, 125 MB"


@pytest.mark.parametrize(
    ("changed", "servers"),
    [
        ({"PORT": "8081"}, ("web",)),
        ({"BIND": "0.0.0.0"}, ("web",)),  # noqa: S104 - what is told, not what is opened
        ({"ONLINE": "1"}, ("web",)),
        ({"LAB_PAGES": "1"}, ("web",)),
        ({"SHOW_SECRETS": "1"}, ("web",)),
        ({"TZ": "Asia/Tokyo"}, ("web",)),
        ({"SERVER_USER": "33:33"}, ("web",)),
        ({"CPUS": "1.5"}, ("web",)),
        ({"OUTSIDE": "1"}, ("web",)),
        ({"DB_PORT": "3306"}, ("web", "db")),
        ({"IMAGE_TAG": "mine"}, ("web",)),
    ],
    ids=str,
)
def test_a_setting_that_differs_is_told(
    running: FakeDocker, capsys: pytest.CaptureFixture[str], changed: dict[str, str], servers: tuple[str, ...]
) -> None:
    for server in servers:
        running.answers[f"ps --all --quiet {server}"] = server
        running.answers[f"container inspect {server}"] = container(server=server, **changed)
    main(["describe", "--json"])

    assert json.loads(capsys.readouterr().out)["settings"] == changed


def test_a_drop_in_that_was_refused_says_why_also_where_its_version_before_holds(
    running: FakeDocker, capsys: pytest.CaptureFixture[str]
) -> None:
    one = {**COLLECTED["sites"][1], "in_force": True}
    running.answers["cgilab.web.collecting"] = json.dumps({**COLLECTED, "sites": [one]})
    main(["describe"])

    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("site ")] == [
        "site      vhost b http://b.localhost:8080/ the version before is in force: line 3"
    ]


@pytest.mark.parametrize("setting", ["CGI_BIN", "WWW", "SITES"])
def test_another_folder_is_told(
    running: FakeDocker, capsys: pytest.CaptureFixture[str], tmp_path: Path, setting: str
) -> None:
    folder = str(tmp_path.resolve())
    running.answers["container inspect web"] = container(**{setting: folder})
    main(["describe", "--json"])

    assert json.loads(capsys.readouterr().out)["settings"] == {setting: folder}


def test_another_release_is_told(running: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    running.answers["cgilab.web.collecting"] = json.dumps({**COLLECTED, "debian": "bookworm"})
    running.answers["container inspect web"] = container(IMAGE_TAG="bookworm")
    main(["describe", "--json"])

    assert json.loads(capsys.readouterr().out)["settings"] == {"DEBIAN": "bookworm"}


@pytest.mark.parametrize("arguments", [["describe"], ["describe", "--json"]])
@pytest.mark.parametrize(("state", "starts"), [(None, "make up"), ("exited", "make start SERVER=web")])
def test_a_lab_that_is_down(
    running: FakeDocker, capsys: pytest.CaptureFixture[str], arguments: list[str], state: str | None, starts: str
) -> None:
    if state is None:
        del running.answers["ps --all --quiet web"]
    else:
        running.answers["container inspect web"] = container(state=state)

    assert main(arguments) == 1
    assert (capsys.readouterr()) == ("", f"The lab is down.\n  Type:  {starts}\n")


def test_a_container_that_says_something_else(running: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    running.answers["cgilab.web.collecting"] = "Traceback"

    assert main(["describe"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "The lab does not say what it is made of: Traceback",
        "  It may be of another version. Type:  make up",
    ]


def test_without_an_engine(running: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    running.installed = False

    assert main(["describe"]) == 1
    assert capsys.readouterr().err.splitlines()[0] == "Docker is not installed: there is no program `docker`."
