"""Servers stopped, started and restarted; their logs; the lab online and offline; ports."""

import json
import re
import socket
from collections.abc import Iterator

import pytest
import requests

from cgilab.project.lab import SERVERS
from tests.support.running_lab import RunningLab, running_lab
from tests.support.typed import typed
from tests.support.wait import wait_until

DOWN = "The lab is down.\n  Type:  make up\n"


@pytest.fixture(scope="module")
def own(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab of these tests alone, with the web server and PHP; the database was never started."""
    with running_lab(tmp_path_factory.mktemp("servers"), machine_settings, servers=("web", "php")) as running:
        yield running


def states(lab: RunningLab) -> dict[str, str]:
    """Return the state of each server that there is."""
    found = {name: lab.compose.container(name) for name in SERVERS}
    return {name: container["State"]["Status"] for name, container in found.items() if container}


def settings_of(lab: RunningLab, name: str = "web") -> tuple[object, ...]:
    """Return what of a server's container follows from settings."""
    container = lab.compose.container(name)
    assert container is not None
    mounts = sorted((mount["Destination"], mount.get("Source")) for mount in container["Mounts"])
    ports = container["NetworkSettings"]["Ports"]
    configuration = container["Config"]
    return configuration["Image"], configuration["User"], sorted(configuration["Env"]), mounts, json.dumps(ports)


# --- Stop, start, restart ----------------------------------------------------------------------------


def test_a_server_is_stopped_and_started_alone(own: RunningLab) -> None:
    stopped = typed(own, "stop", "php")
    assert (stopped.returncode, stopped.stdout) == (
        0,
        "php: stopped; type  make start SERVER=php  to start it again\n",
    )
    assert states(own) == {"web": "running", "php": "exited"}
    started = typed(own, "start", "php")

    assert (started.returncode, started.stdout, started.stderr) == (0, "php: started, and healthy\n", "")
    assert states(own) == {"web": "running", "php": "running"}


def test_without_a_word_it_is_all_that_there_are(own: RunningLab) -> None:
    before = settings_of(own)
    # With other settings around: what was started stays as it is.
    other = {"PORT": "1", "TZ": "Asia/Kolkata", "CPUS": "0.5"}
    assert typed(own, "stop", **other).returncode == 0
    assert states(own) == {"web": "exited", "php": "exited"}
    with pytest.raises(requests.ConnectionError):
        requests.get(own.url, timeout=10)
    started = typed(own, "start", **other)

    assert started.stdout.splitlines() == ["web: started, and healthy", "php: started, and healthy"]
    assert settings_of(own)[:4] == before[:4]


def test_restart_is_over_when_all_are_healthy(own: RunningLab) -> None:
    before = own.compose.container()
    done = typed(own, "restart")
    after = own.compose.container()

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["web: restarted, and healthy", "php: restarted, and healthy"]
    assert before is not None
    assert after is not None
    assert (after["Id"], after["State"]["Health"]["Status"]) == (before["Id"], "healthy")
    assert after["State"]["StartedAt"] > before["State"]["StartedAt"]


@pytest.mark.parametrize("command", ["start", "stop", "restart"])
def test_a_server_that_was_never_started(own: RunningLab, command: str) -> None:
    done = typed(own, command, "php", "db")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "There is no server db yet: it was never started.\n  Type:  make wamp\n"
    assert states(own) == {"web": "running", "php": "running"}


@pytest.mark.parametrize(
    "words", [["start"], ["stop"], ["restart", "web"], ["logs"], ["reload"], ["httpd"], ["logs", "--empty"]]
)
def test_where_there_is_no_lab(own: RunningLab, words: list[str]) -> None:
    done = typed(own, *words, COMPOSE_PROJECT_NAME=f"{own.compose.project}-none")

    assert (done.returncode, done.stdout, done.stderr) == (1, "", DOWN)


# --- httpd ------------------------------------------------------------------------------------------


def test_the_configuration_is_checked(own: RunningLab) -> None:
    done = typed(own, "httpd")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "httpd: the configuration in force is sound",
        "httpd: 0 files in sites/, 0 to be refused",
    ]


@pytest.mark.parametrize(
    ("what", "first", "holds"),
    [
        ("modules", "Loaded Modules:", " cgi_module (shared)"),
        ("vhosts", "VirtualHost configuration:", "                 wild alias *"),
        ("includes", "Included configuration files:", "  (*) /etc/apache2/httpd.conf"),
        ("defines", 'ServerRoot: "/etc/apache2"', "Define: LAB_PAGES"),
        ("compiled", "Compiled in modules:", "  core.c"),
        ("version", None, ' -D HTTPD_ROOT="/etc/apache2"'),
    ],
)
def test_what_httpd_was_configured_with(own: RunningLab, what: str, first: str | None, holds: str) -> None:
    done = typed(own, "httpd", what)
    lines = done.stdout.splitlines()

    assert (done.returncode, done.stderr) == (0, "")
    assert first in {None, lines[0]}
    assert holds in lines


# --- Logs -------------------------------------------------------------------------------------------


def test_requests_and_messages_apart(own: RunningLab) -> None:
    script = own.cgi_bin / "talking.py"
    script.write_text(
        "#!/bin/sh\necho 'a \"word\" 1' >&2\nprintf 'Content-Type: text/plain\\n\\nx'\n", encoding="utf-8"
    )
    script.chmod(0o755)
    requests.get(f"{own.compose.url()}/cgi-bin/talking.py?apart=1", timeout=10)
    requests.get(f"{own.compose.url()}/?apart=2", timeout=10)
    wait_until(lambda: "apart=2" in typed(own, "logs", "--access").stdout)
    access = typed(own, "logs", "--access").stdout.splitlines()
    errors = typed(own, "logs", "--errors").stdout.splitlines()
    whole = typed(own, "logs").stdout.splitlines()

    assert [re.findall(r"apart=\d", line) for line in access[-2:]] == [["apart=1"], ["apart=2"]]
    assert all(re.match(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [\d.]+ "', line) for line in access)
    assert errors[-1].endswith('AH01215: stderr from /srv/cgi-bin/talking.py: a "word" 1')
    assert [line for line in errors if "apart=" in line] == []
    assert sorted(access + errors) == sorted(whole)


def test_the_last_lines(own: RunningLab) -> None:
    for number in range(3):
        requests.get(f"{own.compose.url()}/?last={number}", timeout=10)
    wait_until(lambda: "last=2" in typed(own, "logs", "--access").stdout)
    last = typed(own, "logs", "--access", "--tail", "2").stdout

    assert re.findall(r"last=\d", last) == ["last=1", "last=2"]
    assert typed(own, "logs", "--since", "2030-01-01T00:00:00").stdout == ""


def test_the_log_of_php_tells_no_request(own: RunningLab) -> None:
    done = typed(own, "logs", "php", "--access")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "php logs no requests: those for its pages are in the log of the web server.\n  Type:  make logs\n"
    )
    (own.www / "saying.php").write_text("<?php error_log('said by a page');", encoding="utf-8")
    requests.get(f"{own.compose.url()}/saying.php", timeout=10)
    wait_until(lambda: typed(own, "logs", "php").stdout)

    assert typed(own, "logs", "php").stdout == "PHP message: said by a page\n"
    assert typed(own, "logs", "php", "--errors").stdout == "PHP message: said by a page\n"


def test_a_log_that_is_not_there(own: RunningLab) -> None:
    done = typed(own, "logs", "db")

    assert done.stderr == "There is no log of db: it was never started.\n  Type:  make wamp\n"


# --- Online and offline -------------------------------------------------------------------------------


def test_nobody_goes_online_unasked(own: RunningLab) -> None:
    before = settings_of(own)
    done = typed(own, "online", PORT="")
    port = own.compose.url()

    assert done.returncode == 1
    assert done.stderr == (
        "Nothing was changed: the lab goes online only when somebody has agreed.\n  Type:  make online YES=1\n"
    )
    assert port is not None
    lines = done.stdout.splitlines()
    assert re.fullmatch(
        rf"online: whoever can reach this machine can then open  http://[\w.-]+:{port.rpartition(':')[2]}/", lines[0]
    )
    assert f"online: they see all of {own.www}, where PHP pages run" in lines
    assert settings_of(own) == before


def test_a_loopback_address_is_not_online(own: RunningLab) -> None:
    done = typed(own, "online", "--yes", BIND="127.0.0.1")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "BIND is 127.0.0.1, which other machines cannot reach.\n  Type:  make online BIND=0.0.0.0\n"


def test_online_and_back(own: RunningLab) -> None:
    """It changes the address and what is shown, and nothing else."""
    url = own.compose.url()
    before = settings_of(own)
    environment = {"PORT": "", "TZ": "Asia/Kolkata"}
    went = typed(own, "online", YES="1", **environment)
    online = own.compose.container()
    shown = requests.get(f"{url}/lab/", timeout=10).status_code
    served = requests.get(f"{url}/cgi-bin/web_02.py", timeout=10).status_code
    again = typed(own, "online", "--yes", **environment)
    back = typed(own, "offline", **environment)

    assert (went.returncode, went.stderr, again.returncode, back.returncode) == (0, "", 0, 0)
    assert online is not None
    assert url is not None
    # Not bound here: it is what was asked for.
    assert online["NetworkSettings"]["Ports"]["80/tcp"][0] == {"HostIp": "0.0.0.0", "HostPort": url.rpartition(":")[2]}  # noqa: S104
    assert "ONLINE=1" in online["Config"]["Env"]
    assert (shown, served) == (404, 200)
    assert went.stdout.splitlines()[-1] == "online: on 0.0.0.0; back to this machine alone with:  make offline"
    assert back.stdout.splitlines()[-1] == "offline: this machine alone can reach it"
    assert settings_of(own) == before
    assert states(own) == {"web": "running", "php": "running"}
    assert requests.get(f"{url}/lab/", timeout=10).status_code == 200


# --- Empty logs ---------------------------------------------------------------------------------------


def test_a_log_is_emptied_and_the_settings_stay(own: RunningLab) -> None:
    url = own.compose.url()
    requests.get(f"{url}/?before-it-was-emptied", timeout=10)
    before = settings_of(own)
    done = typed(own, "logs", "--empty", PORT="1", TZ="Asia/Kolkata")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "logs: the log of web is empty; with it went the exchanges that /lab/ shows\n"
    assert settings_of(own) == before
    assert typed(own, "logs", "--access").stdout == ""
    assert requests.get(f"{url}/lab/exchanges", timeout=10).json()["exchanges"] == []


# --- Ports ------------------------------------------------------------------------------------------


def test_the_port_of_the_lab_is_taken_by_it(own: RunningLab) -> None:
    number = (own.compose.url() or "").rpartition(":")[2]
    done = typed(own, "port", number)

    assert (done.returncode, done.stdout) == (0, f"port {number}: taken by this lab\n")


def test_a_port_that_a_program_has(own: RunningLab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        taken = typed(own, "port", str(number))
    free = typed(own, "port", str(number))

    assert taken.returncode == 1
    assert re.fullmatch(rf"port {number}: taken by the program .+, process \d+\n", taken.stdout)
    assert (free.returncode, free.stdout) == (
        0,
        f"port {number}: free; start the lab there with:  make up PORT={number}\n",
    )
