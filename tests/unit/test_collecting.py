"""What is found out about a lab, where there is none: stand-ins for PHP, the database and the folders."""

import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cgilab.web import collecting
from cgilab.web.collecting import Asked, database_of, httpd_says, pages_in, php_and_banner, services_in, sites_in
from cgilab.web.description import Database, Page, Php
from tests.clients.stand_in import stand_in

HELLO = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nhello\\n'\n"


def response(status: str, body: bytes) -> bytes:
    """Return what a server sends."""
    return f"HTTP/1.1 {status}\r\nServer: Apache/2.4.71\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def unknown(reason: str) -> Php:
    """Return what is known of a PHP that does not tell."""
    return Php(None, [], None, reason)


PHP = b'{"version": "8.4.28", "extensions": ["curl"], "opcache": true}'


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(response("200 OK", PHP), Php("8.4.28", ["curl"], True, None), id="it tells"),
        pytest.param(
            response("503 Service Unavailable", b"{}"),
            unknown("it does not run; start it with: make wamp"),
            id="it does not run",
        ),
        pytest.param(
            response("404 Not Found", b""),
            unknown("the lab's pages are off, and PHP tells of itself in one of them"),
            id="no pages",
        ),
        pytest.param(response("200 OK", b"{"), unknown("what it says of itself is no JSON"), id="no JSON"),
        pytest.param(response("200 OK", b"[]"), unknown("PHP does not say its version"), id="another JSON"),
    ],
)
def test_php_is_asked(answer: bytes, expected: Php) -> None:
    with stand_in(answer) as server:
        assert php_and_banner(f"{server.url}/lab/php.json") == (expected, "Apache/2.4.71")
        assert server.requests[0].startswith(b"GET /lab/php.json HTTP/1.1\r\n")


@pytest.mark.parametrize("answer", [b"", b"what?", response("200 OK", PHP)[:-5]])
def test_an_answer_that_is_none(answer: bytes) -> None:
    with stand_in(answer) as server:
        php, banner = php_and_banner(server.url)

    assert (php.version, banner) == (None, None)
    assert (php.reason or "").startswith("it could not be asked: ")


def test_nobody_answers_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "ANSWER_TIMEOUT", 0.1)
    with stand_in(None) as server:
        assert php_and_banner(server.url) == (unknown("it could not be asked: timed out"), None)


def test_a_question_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "ANSWER_TIMEOUT", 0.1)
    never = threading.Event()

    assert Asked(lambda: str(never.wait()), "otherwise").answer() == "otherwise"
    never.set()


def test_a_question_that_ends_is_answered() -> None:
    assert Asked(lambda: "answer", "otherwise").answer() == "answer"


class OperationalError(Exception):
    """PyMySQL's."""


class Connection:
    """A connection to a database."""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_server_info(self) -> str:
        """Return the version, as MariaDB of Debian says it."""
        return "11.8.9-MariaDB-0+deb13u1 from Debian"


@pytest.fixture
def pymysql(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The library, which the image has."""
    made = SimpleNamespace(err=SimpleNamespace(MySQLError=OperationalError), asked=[])

    def connect(**options: Any) -> Connection:
        made.asked.append(options)
        return Connection()

    made.connect = connect
    monkeypatch.setitem(sys.modules, "pymysql", made)
    return made


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """The file that holds the password."""
    file = tmp_path / "db_password"
    file.write_text("secret", encoding="ascii")
    return file


def test_the_database_is_asked_as_a_service_does(pymysql: SimpleNamespace, password: Path) -> None:
    assert database_of(password) == Database("11.8.9", None)
    assert pymysql.asked == [
        {
            "host": "db",
            "user": "lab",
            "password": "secret",
            "database": "lab",
            "connect_timeout": 2.0,
            "read_timeout": 2.0,
        }
    ]


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (OperationalError(1045, "Access denied for user 'lab'"), "Access denied for user 'lab'"),
        (OperationalError(2003), "2003"),
        (OperationalError(), "it gives no reason"),
    ],
)
def test_a_database_that_lets_nobody_in(
    pymysql: SimpleNamespace, password: Path, raised: Exception, reason: str
) -> None:
    def connect(**_: object) -> Connection:
        raise raised

    pymysql.connect = connect

    assert database_of(password) == Database(
        None, f"it does not let the services in: {reason}; start it with: make wamp"
    )


def test_without_a_password_there_is_no_database(tmp_path: Path) -> None:
    """And nothing is loaded to ask it."""
    assert database_of(tmp_path / "none") == Database(None, "it does not run; start it with: make wamp")


def test_a_password_that_cannot_be_read(tmp_path: Path) -> None:
    found = database_of(tmp_path)

    assert (found.version, (found.reason or "").partition(":")[0]) == (None, "its password cannot be read")


def test_where_there_is_no_httpd_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert httpd_says(tmp_path / "none") == ("", "")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="the image is Linux; no other system shows processes so")
@pytest.mark.parametrize("content", ["", "x", "-1", "0", "99999999"])
def test_a_process_that_is_none_gives_the_usual_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    said = tmp_path / "apache2"
    said.write_text('#!/bin/sh\necho "$@"\n', encoding="ascii")
    said.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    pid_file = tmp_path / "httpd.pid"
    pid_file.write_text(content, encoding="ascii")

    dumps = "-D DUMP_MODULES -D DUMP_INCLUDES -D DUMP_VHOSTS -D DUMP_RUN_CFG"
    assert httpd_says(pid_file) == ("-v\n", f"-t -f httpd.conf {dumps}\n")


def test_services_are_judged_as_long_as_there_is_time(tmp_path: Path) -> None:
    for name in ("a.sh", "b.sh"):
        (tmp_path / name).write_text(HELLO, encoding="ascii")
        (tmp_path / name).chmod(0o755)

    assert [(one.name, one.level) for one in services_in(str(tmp_path))] == [("a.sh", "OK"), ("b.sh", "OK")]
    assert [(one.name, one.level) for one in services_in(str(tmp_path), 0)] == [("a.sh", None), ("b.sh", None)]


def test_a_folder_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    (service,) = services_in(str(tmp_path / "none"))

    assert (service.name, service.level, service.faults[0].cause) == (".", "ERR", "folder-closed")
    assert pages_in(str(tmp_path / "none")) == ([], [])
    assert sites_in(tmp_path / "none") == []


def test_a_link_to_nowhere_is_no_page(tmp_path: Path) -> None:
    (tmp_path / "lost.html").symlink_to("nowhere")
    (tmp_path / "found.html").write_text("x", encoding="ascii")
    (tmp_path / "linked.html").symlink_to("found.html")

    assert pages_in(str(tmp_path)) == ([], [Page("found.html", "/found.html"), Page("linked.html", "/linked.html")])
