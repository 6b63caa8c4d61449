"""The names under which the lab is called: those of this machine, the user's virtual hosts, and any other."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.running_lab import RunningLab
from tests.support.wire import Answer, send

FAILURES = {
    "none.py": 404,
    "failing.sh": 500,
    "copy.bak": 403,
}
BARE = ["text/html; charset=iso-8859-1"]
SITES = "/usr/local/lib/cgi-lab/sites"


@pytest.fixture(scope="module")
def failing(lab: RunningLab) -> Iterator[None]:
    """Services that fail in each way for which there is a page."""
    scripts = {
        "failing.sh": "#!/bin/sh\nexit 3\n",
        "sleeping.sh": "#!/bin/sh\nexec sleep 60\n",
        "copy.bak": "#!/bin/sh\nexit 3\n",
    }
    for name, text in scripts.items():
        (lab.cgi_bin / name).write_text(text, encoding="utf-8")
        (lab.cgi_bin / name).chmod(0o755)
    yield
    for name in scripts:
        (lab.cgi_bin / name).unlink()


@pytest.fixture(scope="module")
def virtual_host(lab: RunningLab) -> Iterator[Path]:
    """The folder of the virtual host shop.localhost, which is in force."""
    folder = lab.www / "shop"
    folder.mkdir()
    (folder / "index.html").write_text("the shop", encoding="utf-8")
    text = "<VirtualHost *:80>\nServerName shop.localhost\nDocumentRoot /srv/www/shop\n</VirtualHost>\n"
    site = lab.sites / "shop.conf"
    site.write_text(text, encoding="utf-8")
    lab.compose.execute(SITES, "reload")
    yield folder
    site.unlink()
    lab.compose.execute(SITES, "reload")
    (folder / "index.html").unlink()
    folder.rmdir()


def ask(lab: RunningLab, path: str, host: str) -> Answer:
    """Ask for a path under a name."""
    return send(lab.port, f"GET {path} HTTP/1.0", f"Host: {host}")


@pytest.mark.usefixtures("failing", "virtual_host")
@pytest.mark.parametrize(("name", "status"), FAILURES.items())
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]", "shop.localhost:8080"])
def test_names_of_this_machine_get_the_page_behind_a_failure(
    lab: RunningLab, host: str, name: str, status: int
) -> None:
    answer = ask(lab, f"/cgi-bin/{name}", host)

    assert (answer.status, answer.values("Vary")) == (status, ["Accept"])


@pytest.mark.usefixtures("failing", "virtual_host")
@pytest.mark.parametrize(("name", "status"), FAILURES.items())
def test_any_other_name_gets_httpds_own_message(lab: RunningLab, name: str, status: int) -> None:
    answer = ask(lab, f"/cgi-bin/{name}", "example.org")

    assert (answer.status, answer.values("Content-Type"), answer.values("Vary")) == (status, BARE, [])


@pytest.mark.usefixtures("failing")
def test_a_client_that_names_no_host_gets_the_page(lab: RunningLab) -> None:
    assert send(lab.port, "GET /cgi-bin/failing.sh HTTP/1.0").values("Vary") == ["Accept"]


@pytest.mark.parametrize("path", ["/.hidden", "/folder/.hidden"])
def test_what_is_refused_among_the_pages_has_httpds_own_message(lab: RunningLab, path: str) -> None:
    (lab.www / "folder").mkdir()
    for name in (".hidden", "folder/.hidden"):
        (lab.www / name).touch()
    answer = ask(lab, path, "localhost")
    for name in (".hidden", "folder/.hidden"):
        (lab.www / name).unlink()
    (lab.www / "folder").rmdir()

    assert (answer.status, answer.values("Content-Type"), answer.values("Vary")) == (403, BARE, [])


@pytest.mark.usefixtures("failing", "virtual_host")
def test_so_it_is_where_a_service_takes_too_long(lab: RunningLab) -> None:
    hosts = ["localhost", "shop.localhost", "example.org"]
    with ThreadPoolExecutor() as threads:
        answers = list(threads.map(lambda host: ask(lab, "/cgi-bin/sleeping.sh", host), hosts))

    assert [answer.status for answer in answers] == [504] * 3
    assert [answer.values("Vary") for answer in answers] == [["Accept"], ["Accept"], []]


@pytest.mark.usefixtures("virtual_host")
@pytest.mark.parametrize(
    ("host", "body"),
    [
        pytest.param("shop.localhost", b"the shop", id="its name"),
        pytest.param("SHOP.localhost:8080", b"the shop", id="its name in capitals, with a port"),
        pytest.param("localhost", b"<!doctype html>\n<title>the index</title>\n", id="the lab's own"),
        pytest.param("example.org", b"<!doctype html>\n<title>the index</title>\n", id="any other"),
        pytest.param("my.shop.localhost", b"<!doctype html>\n<title>the index</title>\n", id="one below it"),
    ],
)
def test_a_virtual_host_answers_to_its_name_alone(lab: RunningLab, host: str, body: bytes) -> None:
    answer = ask(lab, "/", host)

    assert (answer.status, answer.body) == (200, body)


@pytest.mark.usefixtures("virtual_host")
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("shop.localhost:8080", 200),
        ("a.b.localhost", 200),
        ("localhost.example.org", 403),
        ("xlocalhost", 403),
        (".localhost", 403),
        ("shop.localhost.", 403),
    ],
)
def test_the_labs_pages_answer_to_names_that_nobody_else_can_have(lab: RunningLab, host: str, status: int) -> None:
    assert ask(lab, "/lab/exchanges", host).status == status
