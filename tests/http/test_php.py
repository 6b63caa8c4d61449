"""What httpd does with PHP: what it hands on, what it answers by itself, and what it never sends."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.support.recorded import recorded, summaries
from tests.support.running_lab import RunningLab, running_lab
from tests.support.wire import Answer, send

MARK = b"the source itself"
PAGE = b"<?php // the source itself\necho 'run';\n"

SLOW = (
    "<?php while (ob_get_level()) { ob_end_flush(); } foreach ($_GET['seconds'] as $s) { sleep($s); echo $s; flush(); }"
)

Sleeping = dict[str, "Future[requests.Response]"]


@pytest.fixture(scope="module")
def without_php(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab whose PHP does not run, also where the tests are run with --wamp."""
    with running_lab(tmp_path_factory.mktemp("without-php"), machine_settings) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def sleeping(wamp: RunningLab) -> Iterator[Sleeping]:
    """Pages that wait so many seconds before each word, all asked before the first test."""
    page = wamp.www / "slow.php"
    page.write_text(SLOW, encoding="utf-8")
    with ThreadPoolExecutor() as threads:
        yield {
            waits: threads.submit(requests.get, f"{wamp.url}/slow.php", params={"seconds[]": waits.split()}, timeout=30)
            for waits in ("4", "4 4 4", "25")
        }
    page.unlink()


def ask(lab: RunningLab, target: str, *headers: str, method: str = "GET", host: str = "localhost") -> Answer:
    """Ask for a target as it stands, without a client that would tidy it first, and make sure no source comes back."""
    answer = send(lab.port, f"{method} {target} HTTP/1.0", f"Host: {host}", *headers)
    assert MARK not in answer.body
    return answer


def place(folder: Path, name: str) -> None:
    """Write the page under a name."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(PAGE)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        pytest.param("/page.php", 503, id="a page"),
        pytest.param("/page.php?a=b", 503, id="with a query"),
        pytest.param("/page.php/more", 503, id="with more behind its name"),
        pytest.param("/page.php/", 503, id="with a slash"),
        pytest.param("//page.php", 503, id="with two slashes"),
        pytest.param("/folder/../page.php", 503, id="by a detour"),
        pytest.param("/%70age.ph%70", 503, id="encoded"),
        pytest.param("/folder/", 503, id="an index, also beside an index.html"),
        pytest.param("/missing.php", 404, id="a page that is not there"),
        pytest.param("/missing.php/page.php", 404, id="a page below one that is not there"),
        pytest.param("/Page.php", 404, id="other case"),
        pytest.param("/page.php%00", 404, id="with a null byte"),
        pytest.param("/page.php%20", 403, id="with a space"),
        pytest.param("/page.php.", 403, id="with a dot"),
        pytest.param("/page.php%2f", 404, id="with an encoded slash"),
        pytest.param("/page.php::$DATA", 403, id="a stream, as Windows has them"),
        pytest.param("/folder/plain.txt/page.php", 404, id="a page below a text"),
        pytest.param("/folder/plain.txt", 200, id="a text"),
    ],
)
def test_what_is_a_page_is_handed_on_and_never_sent(without_php: RunningLab, target: str, status: int) -> None:
    place(without_php.www, "page.php")
    place(without_php.www, "folder/index.php")
    (without_php.www / "folder" / "index.html").write_text("the other index", encoding="utf-8")
    (without_php.www / "folder" / "plain.txt").write_text("a text", encoding="utf-8")

    assert ask(without_php, target).status == status


NAMES = [
    *(
        "page.PHP",
        "page.Php",
        "page.php.",
        "page.php ",
        "page.php5",
        "page.phps",
        "page.phtml",
        "page.pht",
        "page.phar",
    ),
    *("page.inc", "page.php.txt", "page.php.html", "page.php.jpg", "page.php.bak", "page.php~", "page.php.swp"),
    *(".page.php", "page.php.orig", "PAGE.PHP.TXT", "PAGE.INC"),
]


@pytest.mark.parametrize("name", NAMES)
def test_source_under_a_name_that_is_not_run_is_not_sent_either(without_php: RunningLab, name: str) -> None:
    place(without_php.www, name)

    assert ask(without_php, "/" + name.replace(" ", "%20")).status == 403


@pytest.mark.parametrize(
    "name", ["photo.jpg", "php.txt", "graph.png", "about-php.html", "page.phone.txt", "include.txt", "a.incident.txt"]
)
def test_a_name_that_only_looks_similar_is_sent(without_php: RunningLab, name: str) -> None:
    (without_php.www / name).write_bytes(b"a file")

    assert ask(without_php, f"/{name}").body == b"a file"


def test_a_service_may_have_any_of_these_names(without_php: RunningLab) -> None:
    path = without_php.cgi_bin / "phone.php.inc"
    path.write_text("#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nrun'\n", encoding="utf-8")
    path.chmod(0o755)

    assert ask(without_php, f"/cgi-bin/{path.name}").body == b"run"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param(["Content-Length: 0"], 503, id="no body"),
        pytest.param(["Content-Length: 16777217"], 413, id="a byte too many"),
        pytest.param(["Content-Length: 4294967297"], 413, id="more than 32 bits hold"),
        pytest.param(["Transfer-Encoding: chunked"], 411, id="a body without a length"),
    ],
)
def test_a_body_has_a_length_and_not_too_great_a_one(without_php: RunningLab, headers: list[str], status: int) -> None:
    place(without_php.www, "page.php")
    answer = send(without_php.port, "POST /page.php HTTP/1.1", "Host: localhost", "Connection: close", *headers)

    assert answer.status == status


OF_THE_LAB = ["/adminer/", "/lab/phpinfo", "/lab/php.json"]


@pytest.mark.parametrize("path", OF_THE_LAB)
def test_the_labs_own_pages_need_php_too(without_php: RunningLab, path: str) -> None:
    answer = ask(without_php, path)

    assert (answer.status, answer.values("Content-Type")) == (503, ["text/plain; charset=utf-8"])
    assert answer.body.startswith(b"503 Service Unavailable: PHP does not run, and ")


@pytest.mark.parametrize("path", [*OF_THE_LAB, "//adminer//", "/x/../adminer/", "/%61dminer/"])
def test_the_labs_own_pages_answer_to_the_names_of_this_machine_alone(without_php: RunningLab, path: str) -> None:
    assert ask(without_php, path, host="example.org").status == 403


def test_adminer_is_a_folder(without_php: RunningLab) -> None:
    answer = ask(without_php, "/adminer")

    assert (answer.status, answer.values("Location")) == (302, ["http://localhost/adminer/"])


@pytest.mark.parametrize(
    "path",
    [
        *("/adminer/adminer.php", "/adminer/index.php", "/adminer/x", "/adminer.php", "/lab/adminer.php"),
        *("/lab/phpinfo/", "/lab/phpinfo.php", "/lab/php.php", "/lab/php.json/", "/lab/php", "/lab/php.jsonx"),
        *("/ping", "/status", "/editor.php"),
    ],
)
def test_no_other_url_leads_to_a_program_of_the_lab(wamp: RunningLab, path: str) -> None:
    assert ask(wamp, path).status == 404


# --- With PHP --------------------------------------------------------------------------------------


def test_a_page_is_run(wamp: RunningLab) -> None:
    place(wamp.www, "page.php")
    answer = ask(wamp, "/page.php")

    assert (answer.status_line, answer.values("Content-Type")) == ("HTTP/1.1 200 OK", ["text/html; charset=UTF-8"])
    assert answer.body == b"run"


def test_a_page_may_be_silent_for_four_seconds(sleeping: Sleeping) -> None:
    answer = sleeping["4"].result()

    assert (answer.status_code, answer.text) == (200, "4")


def test_a_page_may_take_longer_as_long_as_it_says_something(sleeping: Sleeping) -> None:
    answer = sleeping["4 4 4"].result()

    assert (answer.status_code, answer.text) == (200, "444")


def test_a_page_that_says_nothing_for_too_long_is_given_up(sleeping: Sleeping) -> None:
    answer = sleeping["25"].result()

    assert answer.status_code == 504
    assert answer.text.startswith("504 Gateway Timeout: slow.php sent nothing for ten seconds, ")


def test_the_headers_of_a_page_and_those_of_the_server_are_told_apart(wamp: RunningLab) -> None:
    page = wamp.www / "headers.php"
    page.write_text("<?php header('X-Own: 1'); header('Server: me'); http_response_code(201);", encoding="utf-8")
    requests.get(f"{wamp.url}/headers.php?mark=headers", timeout=10)
    exchange = recorded(wamp, "mark=headers")

    assert exchange["script"] == "/srv/www/headers.php"
    assert [(header["name"], header["value"], header["change"]) for header in exchange["printed"]] == [
        ("Status", "201 Created", "became the status line"),
        ("X-Own", "1", "sent as printed"),
        ("Server", "me", "dropped"),
        ("Content-type", "text/html; charset=UTF-8", "sent as printed"),
    ]
    assert {header["name"]: header["origin"] for header in exchange["sent"]} == {
        "Date": "server",
        "Server": "server",
        "X-Own": "script",
        "Content-Length": "server",
        "Keep-Alive": "server",
        "Connection": "server",
        "Content-Type": "script",
    }
    assert (exchange["status"], exchange["messages"], exchange["diagnosis"]) == (201, [], None)


@pytest.mark.parametrize("path", OF_THE_LAB)
def test_requests_of_the_labs_own_pages_are_not_kept(wamp: RunningLab, path: str) -> None:
    place(wamp.www, "page.php")
    requests.get(f"{wamp.url}{path}?mark=not-kept", timeout=10)
    mark = f"mark=kept-after-{path.strip('/')}"
    requests.get(f"{wamp.url}/page.php?{mark}", timeout=10)

    assert recorded(wamp, mark)["status"] == 200
    assert [one["target"] for one in summaries(wamp) if "mark=not-kept" in one["target"]] == []
