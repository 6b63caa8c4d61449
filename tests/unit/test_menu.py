"""The commands of WampServer's menu, against a docker that answers what a test tells it to."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cgilab.__main__ import main
from cgilab.commands import logs, online
from cgilab.errors import LabError
from cgilab.project import confirming, host, sites, started
from cgilab.project.lab import Lab
from tests.unit.fake_docker import FakeDocker, configuration


def inspected(**more: Any) -> dict[str, Any]:
    """Return what Docker knows of a web server's container that was started with settings."""
    binding = [{"HostIp": "127.0.0.1", "HostPort": "8081"}]
    return {
        "Id": "abc",
        "State": {"Running": True, "Status": "running", "Health": {"Status": "healthy", "Log": []}},
        "NetworkSettings": {"Ports": {"80/tcp": binding}, "Networks": {"lab_outside": {}}},
        "HostConfig": {"PortBindings": {"80/tcp": binding}, "NanoCpus": 1_500_000_000},
        "Config": {
            "Image": "cgi-lab/web:bookworm",
            "User": "7:8",
            "Env": ["TZ=Europe/Paris", "ONLINE=", "LAB_PAGES=1", "SHOW_SECRETS=", "PATH=/bin"],
            "Labels": {"io.github.cgi-lab.debian": "bookworm"},
        },
        "Mounts": [
            {"Destination": "/srv/cgi-bin", "Source": "/a/cgi-bin"},
            {"Destination": "/srv/www", "Source": "/a/www"},
            {"Destination": "/srv/sites", "Source": "/a/sites"},
        ],
        **more,
    }


DB = {
    "NetworkSettings": {"Ports": {"3306/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3307"}]}},
    "HostConfig": {},
    "Config": {"Image": "cgi-lab/db:bookworm", "Labels": {"io.github.cgi-lab.debian": "bookworm"}},
    "Mounts": [{"Destination": "/var/lib/mysql", "Name": "cgi-lab_database_bookworm"}],
}


# --- As it was started ------------------------------------------------------------------------------


def test_the_settings_that_a_lab_was_started_with() -> None:
    assert started.settings({"web": inspected(), "db": DB}) == {
        "BIND": "127.0.0.1",
        "PORT": "8081",
        "TZ": "Europe/Paris",
        "ONLINE": "",
        "LAB_PAGES": "1",
        "SHOW_SECRETS": "",
        "CGI_BIN": "/a/cgi-bin",
        "WWW": "/a/www",
        "SITES": "/a/sites",
        "OUTSIDE": "1",
        "SERVER_USER": "7:8",
        "CPUS": "1.5",
        "DB_PORT": "3307",
        "DEBIAN": "bookworm",
        "IMAGE_TAG": "bookworm",
    }


def test_a_stopped_lab_has_them_too() -> None:
    stopped = inspected(NetworkSettings={"Ports": {}, "Networks": {}})

    assert {name: started.settings({"web": stopped})[name] for name in ("BIND", "PORT", "OUTSIDE")} == {
        "BIND": "127.0.0.1",
        "PORT": "8081",
        "OUTSIDE": "",
    }


@pytest.mark.parametrize("words", [["start"], ["stop"], ["restart"], ["logs"], ["reload"], ["httpd"]])
@pytest.mark.usefixtures("fake_docker")
def test_where_there_is_no_lab(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert capsys.readouterr().err == "The lab is down.\n  Type:  make up\n"


@pytest.mark.parametrize(
    "words",
    [["start"], ["stop"], ["restart"], ["logs", "--empty"], ["reload"], ["vhost"], ["online", "--yes"], ["offline"]],
    ids=lambda words: words[0],
)
def test_the_lab_of_another_folder_is_not_touched(
    fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str]
) -> None:
    other = inspected()
    other["Config"]["Labels"]["com.docker.compose.project.working_dir"] = str(tmp_path)
    fake_docker.answers = {"compose ps": "abc", "container inspect": json.dumps([other])}

    assert main(words) == 1
    assert capsys.readouterr().err.splitlines()[0] == f"The lab of another folder is there already: {tmp_path}"
    assert not [command for command in fake_docker.asked if "compose ps" not in command and "inspect" not in command]


@pytest.mark.parametrize("words", [["reload"], ["httpd"]], ids=lambda words: words[0])
def test_a_web_server_that_was_stopped(
    fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    fake_docker.answers = {"compose ps": "abc", "container inspect": json.dumps([inspected(State={"Running": False})])}

    assert main(words) == 1
    assert capsys.readouterr().err == "The lab is down.\n  Type:  make start SERVER=web\n"


@pytest.mark.parametrize("command", ["start", "stop", "restart", "logs"])
def test_a_server_that_there_is_not(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main([command, "mysql"])

    assert raised.value.code == 2
    assert "'mysql' is none of the servers web, db, php" in capsys.readouterr().err


def test_a_stop_ends_those_that_are_named(fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    fake_docker.answers = {"compose ps": "abc", "container inspect": json.dumps([inspected()])}

    assert main(["stop", "php"]) == 0
    assert fake_docker.asked[-1] == "docker compose stop php"
    assert capsys.readouterr().out == "php: stopped; type  make start SERVER=php  to start it again\n"


def test_a_start_makes_no_container_anew(fake_docker: FakeDocker) -> None:
    fake_docker.answers = {"compose ps": "abc", "container inspect": json.dumps([inspected()])}

    assert main(["start", "php"]) == 0
    assert fake_docker.asked[-1] == "docker compose up --no-build --wait --no-deps --no-recreate php"


# --- Ports ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["0", "65536", "-1", "8080x", "", "٨٠", "1" * 5000])
def test_what_is_no_port(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["port", "--", text])

    assert raised.value.code == 2
    assert f"{text!r} is not one port, from 1 to 65535" in capsys.readouterr().err


@pytest.mark.usefixtures("fake_docker")
@pytest.mark.parametrize(
    ("taken", "said"), [(False, "free; "), (True, "taken by a program that this user may not see")]
)
def test_a_port(taken: bool, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(host, "is_port_taken", lambda _: taken)
    monkeypatch.setattr(host, "process_on_port", lambda _: None)

    assert main(["port", "80"]) == int(taken)
    assert capsys.readouterr().out.startswith(f"port 80: {said}")


@pytest.mark.parametrize("taken", [True, False])
def test_a_port_of_databases_is_told_to_be_one(
    fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], taken: bool
) -> None:
    """A port that the lab itself has is no failure, whichever of its servers it leads to."""
    monkeypatch.setattr(host, "is_port_taken", lambda _: taken)
    monkeypatch.setattr(host, "process_on_port", lambda _: None)
    fake_docker.answers = {"ps --all --quiet db": "db", "container inspect db": json.dumps([DB])}

    assert main(["port", "3307"]) == 0
    assert capsys.readouterr().out == (
        "port 3307: taken by this lab\n"
        if taken
        else "port 3307: free; open the database there with:  make wamp DB_PORT=3307\n"
    )


def test_a_port_of_another_address_is_not_the_labs(
    fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(host, "is_port_taken", lambda _: True)
    monkeypatch.setattr(host, "process_on_port", lambda _: ("python3", 42))
    elsewhere = {"Ports": {"80/tcp": [{"HostIp": "192.0.2.7", "HostPort": "80"}]}}
    fake_docker.answers = {
        "ps --all --quiet web": "web",
        "container inspect web": json.dumps([inspected(NetworkSettings=elsewhere)]),
    }

    assert main(["port", "80"]) == 1
    assert capsys.readouterr().out == "port 80: taken by the program python3, process 42\n"


# --- Asking, and going online --------------------------------------------------------------------------


class Terminal:
    """A standard input on which somebody types."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize(
    ("typed", "agreed"), [("y", True), ("Yes ", True), ("", False), ("n", False), ("yep", False), (None, False)]
)
def test_a_question(typed: str | None, agreed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_: str) -> str:
        if typed is None:
            raise EOFError
        return typed

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", answer)

    assert confirming.confirm("Really?") is agreed


@pytest.mark.parametrize("stdin", [None, "a pipe"])
def test_without_a_terminal_nobody_agrees(stdin: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(__file__).open(encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", None if stdin is None else file)

        assert confirming.confirm("Really?") is False


def test_an_address_that_was_asked_for_is_the_one_that_is_told() -> None:
    assert online.address("192.0.2.7") == "192.0.2.7"


# --- Logs -------------------------------------------------------------------------------------------

WEB_LOG = [
    '2026-11-25 10:06:06 172.25.0.1 "GET / HTTP/1.1" 200 190 bytes 12 ms "curl"',
    "2026-11-25 10:06:06.013460 cgi:error AH01215: stderr from /srv/cgi-bin/a.py: \x1b[31mred",
    "Traceback (most recent call last):",
]


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker streams these lines."""
    monkeypatch.setattr(logs, "stream", lambda *_: iter(WEB_LOG))


@pytest.mark.parametrize(("words", "places"), [([], [0, 1, 2]), (["--access"], [0]), (["--errors"], [1, 2])])
@pytest.mark.usefixtures("streamed")
def test_the_kinds_of_lines(
    words: list[str], places: list[int], fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_docker.answers = {"compose ps": "abc", "container inspect": json.dumps([inspected()])}

    assert main(["logs", *words]) == 0
    assert capsys.readouterr().out.splitlines() == [WEB_LOG[place].replace("\x1b", "\\x1b") for place in places]


@pytest.mark.parametrize(
    ("server", "line", "wrong"),
    [
        ("db", "2026-11-25  9:52:24 0 [Note] Server socket created on IP: '0.0.0.0', port: '3306'.", False),
        ("db", "2026-11-25  9:52:24 0 [Warning] Could not increase number", True),
        ("db", "2026-11-25  9:52:24 0 [ERROR] Aborting", True),
        ("php", "[25-Nov-2026 09:52:22] NOTICE: ready to handle connections", False),
        ("php", "[25-Nov-2026 09:52:22] WARNING: [pool www] child 9 exited", True),
        ("php", "PHP Warning:  Undefined variable $x in /srv/www/a.php on line 3", True),
    ],
)
def test_what_goes_wrong_in_the_other_servers(server: str, line: str, wrong: bool) -> None:
    assert logs.chooser(server, errors=True, access=False)(line) is wrong


# --- Drop-ins ----------------------------------------------------------------------------------------


@pytest.fixture
def lab(fake_docker: FakeDocker, tmp_path: Path) -> Lab:
    """A lab that does not run, with folders of its own."""
    for name in ("www/shop", "sites"):
        (tmp_path / name).mkdir(parents=True)
    targets = {"/srv/cgi-bin": "cgi-bin", "/srv/www": "www", "/srv/sites": "sites"}
    volumes = [{"target": target, "source": str(tmp_path / name)} for target, name in targets.items()]
    fake_docker.answers = {"compose config": json.dumps({"services": {"web": {"volumes": volumes}}})}
    return Lab()


def test_a_template_is_written_also_while_the_lab_is_down(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["vhost", "add", "shop", "shop"]) == 0
    assert (tmp_path / "sites" / "shop.conf").read_bytes() == (
        b"# lab vhost add shop\n<VirtualHost *:80>\n    ServerName shop.localhost\n"
        b'    DocumentRoot "/srv/www/shop"\n</VirtualHost>\n'
    )
    assert capsys.readouterr().out.splitlines() == [
        f"vhost: wrote {tmp_path / 'sites' / 'shop.conf'}",
        "vhost: the lab is down: what is in it is checked, and takes effect, with:  make up",
    ]
    assert main(["vhost"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "shop"
    assert lab.url() is None


@pytest.mark.parametrize("name", ['a"b', "a$b", "a%b", "a\\b"])
def test_a_folder_whose_name_httpd_would_read_otherwise(lab: Lab, tmp_path: Path, name: str) -> None:
    (tmp_path / "www" / name).mkdir()
    with pytest.raises(LabError) as raised:
        sites.add(lab, "alias", "docs", name)

    assert raised.value.what == f"{name!r} has a character that means something else to httpd."
    assert list((tmp_path / "sites").iterdir()) == []


def site(name: str, *, in_force: bool = True, error: str | None = None) -> dict[str, Any]:
    """Return a line of the report."""
    return {"name": name, "kind": "vhost", "urls": [], "folder": None, "in_force": in_force, "error": error}


def test_what_is_in_force_is_kept_and_nothing_else(lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "sites"
    kept = folder / ".in-force"
    kept.mkdir()
    for path in (kept / "gone.conf", kept / "broken.conf"):
        path.write_text("before", encoding="utf-8")
    for name in ("good", "broken", "refused"):
        (folder / f"{name}.conf").write_text(f"{name} now", encoding="utf-8")
    sites.keep(lab, [site("good"), site("broken", error="x"), site("refused", in_force=False, error="x")])

    assert {path.name: path.read_text(encoding="utf-8") for path in kept.iterdir()} == {
        "good.conf": "good now",
        "broken.conf": "before",
    }


def test_a_check_that_failed_takes_nothing_that_was_kept_away(lab: Lab, tmp_path: Path) -> None:
    kept = tmp_path / "sites" / ".in-force"
    kept.mkdir()
    (kept / "shop.conf").write_text("before", encoding="utf-8")
    (tmp_path / "sites" / "shop.conf").write_text("now", encoding="utf-8")
    sites.keep(lab, [])

    assert (kept / "shop.conf").read_text(encoding="utf-8") == "before"


def test_a_lab_without_drop_ins_has_nothing_to_keep(lab: Lab, tmp_path: Path) -> None:
    sites.keep(lab, [])

    assert list((tmp_path / "sites").iterdir()) == []


@pytest.mark.parametrize(
    ("one", "url", "shown"),
    [
        ("http://shop.localhost/", "http://localhost:8080", "http://shop.localhost:8080/"),
        ("http://shop.localhost/", "http://localhost:80", "http://shop.localhost/"),
        ("/docs", "http://localhost:8080", "http://localhost:8080/docs/"),
        ("/docs/", "http://localhost:8080", "http://localhost:8080/docs/"),
    ],
)
def test_an_address_as_one_types_it(one: str, url: str, shown: str) -> None:
    assert sites.address(one, url) == shown


@pytest.mark.parametrize(("pages", "said"), [("", online.UNSEEN), ("1", online.SEEN)])
def test_what_others_see_of_the_lab_itself_is_said(fake_docker: FakeDocker, pages: str, said: tuple[str, ...]) -> None:
    told = json.loads(configuration())
    told["services"]["web"] |= {"environment": {"LAB_PAGES": pages}, "user": "7:8"}
    fake_docker.answers = {"compose config": json.dumps(told)}
    lines = online.exposed(Lab(), "192.0.2.7")

    assert tuple(line for line in lines if line in {*online.SEEN, *online.UNSEEN}) == said


def test_a_number_of_lines_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["logs", "--tail", "-1"])

    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == "lab logs: error: argument --tail: '-1' is no number of lines"
