"""Adminer at /adminer/: for this database alone."""

import html
import re

import pytest
import requests
from docker.models.containers import Container

from tests.support.running_lab import RunningLab
from tests.support.wire import send

LOGGED_IN = "Database: lab - db - Adminer"
FORM_FIELD = re.compile(r"""<(?:input|select)[^>]* name=['"](auth\[[a-z]+\])['"]""")


@pytest.fixture
def client(wamp: RunningLab) -> requests.Session:
    """A client that has asked for the first page, and so has a session."""
    session = requests.Session()
    session.get(f"{wamp.url}/adminer/", timeout=10).raise_for_status()
    return session


def log_in(lab: RunningLab, client: requests.Session, query: str = "", **changed: str) -> requests.Response:
    """Send the form, and follow where it leads."""
    password = lab.compose.execute("cat", "/run/secrets/db_password")
    fields = {"username": "lab", "password": password, "db": "lab", **changed}
    data = {f"auth[{name}]": value for name, value in fields.items()}
    return client.post(f"{lab.url}/adminer/{query}", data=data, timeout=20)


def title(answer: requests.Response) -> str:
    """Return the title of a page."""
    (found,) = re.findall("<title>(.*?)</title>", answer.text)
    return html.unescape(found)


def test_the_form_asks_for_account_password_and_database_alone(wamp: RunningLab) -> None:
    answer = requests.get(f"{wamp.url}/adminer/", timeout=10)

    assert title(answer) in {"Login - Adminer", "Login - db - Adminer"}  # of trixie and of bookworm
    assert set(FORM_FIELD.findall(answer.text)) == {
        "auth[username]",
        "auth[password]",
        "auth[db]",
        "auth[permanent]",
    }
    filled_in = re.findall(r"""<input name="auth\[(\w+)\]"[^>]* value="(\w*)\"""", answer.text)
    assert filled_in == [("username", "lab"), ("db", "lab")]


def test_the_account_of_the_lab_logs_in_and_browses_the_table(wamp: RunningLab, client: requests.Session) -> None:
    answer = log_in(wamp, client)
    table = client.get(f"{wamp.url}/adminer/?server=db&username=lab&db=lab&select=people", timeout=10)

    assert (answer.status_code, title(answer)) == (200, LOGGED_IN)
    assert title(table) == "Select: people - db - Adminer"
    assert "Lovelace" in table.text


@pytest.mark.parametrize(
    ("account", "password"), [("lab", "wrong"), ("lab", ""), ("", ""), ("nobody", "x"), ("root", "wrong")]
)
def test_a_wrong_password_does_not_log_in(
    wamp: RunningLab, client: requests.Session, account: str, password: str
) -> None:
    answer = log_in(wamp, client, username=account, password=password)

    assert title(answer).startswith("Login - ")
    assert "Lovelace" not in answer.text


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"server": "127.0.0.1:3307"}, id="another server"),
        pytest.param({"server": "example.org"}, id="a machine beyond the lab"),
        pytest.param({"driver": "pgsql"}, id="another kind"),
        pytest.param({"driver": "sqlite", "server": "/tmp/x"}, id="a file"),
        pytest.param({"driver": "elastic", "server": "example.org:9200"}, id="over HTTP"),
    ],
)
def test_the_form_leads_to_this_database_whatever_is_put_into_it(
    wamp: RunningLab, client: requests.Session, changed: dict[str, str]
) -> None:
    answer = log_in(wamp, client, **changed)

    assert title(answer) == LOGGED_IN
    assert answer.url == f"{wamp.url}/adminer/?server=db&username=lab&db=lab"


@pytest.mark.parametrize("driver", ["server", "pgsql", "sqlite", "sqlite2", "oracle", "mssql", "mongo", "elastic"])
def test_the_address_leads_to_this_database_whatever_is_put_into_it(
    wamp: RunningLab, client: requests.Session, driver: str
) -> None:
    log_in(wamp, client)
    answer = client.get(f"{wamp.url}/adminer/?{driver}=example.org&server=db&username=lab&db=lab", timeout=10)

    assert title(answer) == LOGGED_IN


def test_nothing_is_loaded_from_elsewhere(wamp: RunningLab) -> None:
    answer = requests.get(f"{wamp.url}/adminer/", timeout=10)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))

    assert "adminer.org" not in answer.headers["Content-Security-Policy"]
    assert (policy["frame-src"], policy["connect-src"], policy["form-action"]) == ("'none'", "'self'", "'self'")
    assert "verifyVersion(" not in answer.text


def test_its_styles_and_its_script_are_served(wamp: RunningLab) -> None:
    text = requests.get(f"{wamp.url}/adminer/", timeout=10).text
    files = re.findall(r"""(?:href|src)=['"](\?file=[^'"]+\.(?:css|js)[^'"]*)['"]""", text)
    answers = [requests.get(f"{wamp.url}/adminer/{html.unescape(file)}", timeout=10) for file in files]

    assert len(files) >= 2
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["Content-Type"].partition(";")[0] for answer in answers} == {"text/css", "text/javascript"}


@pytest.mark.parametrize("host", ["example.org", "localhost.example.org", "127.0.0.1.nip.io", "", "localhost@a"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_name_of_this_machine_is_refused(wamp: RunningLab, host: str, method: str) -> None:
    answer = send(wamp.port, f"{method} /adminer/ HTTP/1.0", f"Host: {host}", "Content-Length: 0")

    assert answer.status in {400, 403}
    assert b"Adminer" not in answer.body


def test_it_writes_nothing_but_in_memory(wamp: RunningLab, client: requests.Session, php: Container) -> None:
    before = php.diff()  # what the engine itself has made
    assert title(log_in(wamp, client, permanent="1")) == LOGGED_IN

    assert php.diff() == before
