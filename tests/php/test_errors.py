"""What is shown of a page's errors, and where it is logged: in the lab, and where others can reach it."""

from collections.abc import Iterator

import pytest
import requests

from cgilab.project.lab import SERVERS
from tests.support.recorded import recorded
from tests.support.running_lab import RunningLab, running_lab
from tests.support.wait import wait_until

FAILING = "<?php\necho 'before ';\nno_such_function();\n"
WARNING = "<?php\necho $missing;\necho 'after';\n"
ASKING = "<?php\nini_set('display_errors', '1');\nno_such_function();\n"
BROKEN = "<?php\necho 'a'\necho 'b';\n"
NAMED = "PHP Fatal error:  Uncaught Error: Call to undefined function no_such_function()"


@pytest.fixture(scope="module")
def online(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab that others can reach."""
    settings = {**machine_settings, "ONLINE": "1"}
    with running_lab(tmp_path_factory.mktemp("online"), settings, servers=SERVERS) as running:
        yield running


def ask(lab: RunningLab, name: str, content: str) -> requests.Response:
    """Write a page, and ask for it."""
    (lab.www / name).write_text(content, encoding="utf-8")
    return requests.get(f"{lab.url}/{name}", timeout=10)


def test_an_error_is_shown_in_the_page(wamp: RunningLab) -> None:
    answer = ask(wamp, "failing.php", FAILING)

    assert answer.status_code == 200
    assert answer.text == (
        "before <br />\n<b>Fatal error</b>:  Uncaught Error: Call to undefined function no_such_function() in "
        "/srv/www/failing.php:3\nStack trace:\n#0 {main}\n  thrown in <b>/srv/www/failing.php</b> on line <b>3</b>"
        "<br />\n"
    )


def test_a_warning_is_shown_and_the_page_goes_on(wamp: RunningLab) -> None:
    assert ask(wamp, "warning.php", WARNING).text == (
        "<br />\n<b>Warning</b>:  Undefined variable $missing in <b>/srv/www/warning.php</b> on line <b>2</b><br />\n"
        "after"
    )


def test_an_error_is_logged_with_its_request(wamp: RunningLab) -> None:
    ask(wamp, "failing_logged.php", FAILING)
    exchange = recorded(wamp, "/failing_logged.php")

    (logged,) = [message["text"] for message in exchange["messages"]]
    assert logged == (
        f"AH01071: Got error 'PHP message: {NAMED} in /srv/www/failing_logged.php:3\nStack trace:\n#0 {{main}}\n"
        "  thrown in /srv/www/failing_logged.php on line 3'"
    )
    assert exchange["diagnosis"] == {
        "cause": "php-error",
        "title": "A PHP error ended the page",
        "sentence": "www/failing_logged.php failed in line 3: Error: Call to undefined function no_such_function()",
        "certain": True,
        "evidence": [
            {"heading": "line 3 of failing_logged.php", "lines": ["no_such_function();"]},
            {
                "heading": "the server logged",
                "lines": [logged.replace("\n", r"\x0a")],
            },
        ],
        "fix": ["Correct the name of the function; /lab/phpinfo lists the extensions that PHP has."],
        "diff": [],
        "manual": "/lab/troubleshooting#php-error",
    }


def test_what_a_page_logs_itself_is_no_failure(wamp: RunningLab) -> None:
    ask(wamp, "logging.php", "<?php error_log('PHP is fine'); echo 'ok';")
    exchange = recorded(wamp, "/logging.php")

    assert [message["text"] for message in exchange["messages"]] == ["AH01071: Got error 'PHP message: PHP is fine'"]
    assert exchange["diagnosis"] is None


@pytest.mark.parametrize(
    ("name", "content"),
    [("failing.php", FAILING), ("broken.php", BROKEN), ("asking.php", ASKING)],
    ids=["fatal", "syntax", "a page that wants to show it"],
)
def test_online_an_error_is_not_shown(online: RunningLab, name: str, content: str) -> None:
    answer = ask(online, name, content)

    assert (answer.status_code, answer.content.replace(b"before ", b"")) == (500, b"")


def test_online_a_warning_is_not_shown(online: RunningLab) -> None:
    answer = ask(online, "warning.php", WARNING)

    assert (answer.status_code, answer.text) == (200, "after")


def test_online_an_error_is_logged(online: RunningLab) -> None:
    ask(online, "failing_online.php", FAILING)

    assert wait_until(lambda: [line for line in online.log() if f"{NAMED} in /srv/www/failing_online.php:3" in line])


def test_a_page_does_not_say_which_php_it_is(online: RunningLab, wamp: RunningLab) -> None:
    assert [ask(lab, "silent.php", "<?php").headers.get("X-Powered-By") for lab in (online, wamp)] == [None, None]


@pytest.mark.parametrize("path", ["/adminer/", "/adminer", "/lab/phpinfo", "/lab/php.json"])
def test_online_there_are_no_pages_of_the_lab(online: RunningLab, path: str) -> None:
    assert requests.get(f"{online.url}{path}", timeout=10).status_code == 404


def test_online_a_page_without_its_php_is_explained_to_nobody(online: RunningLab) -> None:
    (online.www / "page.php").write_text("<?php // source", encoding="utf-8")
    online.server("php").stop(timeout=2)
    try:
        answer = requests.get(f"{online.url}/page.php", timeout=10)
    finally:
        online.server("php").start()

    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html; charset=iso-8859-1")
    assert "source" not in answer.text


def test_the_pages_of_the_lab_can_be_kept_online(
    machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = {**machine_settings, "ONLINE": "1", "LAB_PAGES": "1"}
    with running_lab(tmp_path_factory.mktemp("kept"), settings, servers=SERVERS) as lab:
        paths = ("/adminer/", "/lab/phpinfo", "/lab/php.json")

        assert [requests.get(f"{lab.url}{path}", timeout=10).status_code for path in paths] == [200, 200, 200]


def test_the_arguments_of_a_function_are_not_shown(wamp: RunningLab) -> None:
    answer = ask(
        wamp,
        "arguments.php",
        "<?php function log_in($password) { throw new Exception('no'); } log_in('my-own-secret');",
    )

    assert "#0 /srv/www/arguments.php(1): log_in()\n" in answer.text
    assert "my-own-secret" not in answer.text
