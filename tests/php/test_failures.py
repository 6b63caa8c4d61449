"""What is answered where PHP is not there, or is gone while it runs a page."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from cgilab.project.lab import SERVERS
from tests.support.recorded import recorded
from tests.support.running_lab import RunningLab, running_lab
from tests.support.wait import wait_until
from tests.support.wire import send

PAGE = "<?php // the source itself\necho 'run';\n"


@pytest.fixture(scope="module")
def lab(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab of its own, whose PHP is stopped, killed and started again."""
    with running_lab(tmp_path_factory.mktemp("failing"), machine_settings, servers=SERVERS) as running:
        (running.www / "page.php").write_text(PAGE, encoding="utf-8")
        yield running


@pytest.fixture
def stopped(lab: RunningLab) -> Iterator[RunningLab]:
    """The same while PHP does not run."""
    lab.server("php").stop(timeout=2)
    yield lab
    lab.server("php").start()
    wait_until(lambda: requests.get(f"{lab.url}/page.php", timeout=10).text == "run")


def test_as_text(stopped: RunningLab) -> None:
    answer = send(stopped.port, "GET /page.php HTTP/1.0", "Host: localhost:8080")
    body = re.sub(r"exchange=[\w@-]+", "exchange=ID", answer.body.decode())

    assert (answer.status_line, answer.values("Content-Type")) == (
        "HTTP/1.1 503 Service Unavailable",
        ["text/plain; charset=utf-8"],
    )
    assert body == (
        "503 Service Unavailable: PHP does not run, and page.php needs it.\n"
        "\n"
        "The server logged:\n"
        "  AH01079: failed to make connection to backend: php\n"
        "\n"
        "To mend it:\n"
        "  Type:  make wamp\n"
        "  It starts PHP and the database beside the web server.\n"
        "\n"
        "The exchange: http://localhost:8080/lab/?exchange=ID\n"
        "More about it: http://localhost:8080/lab/troubleshooting#php-not-running\n"
    )


def test_as_problem_details(stopped: RunningLab) -> None:
    address = f"{stopped.url}/page.php?problem"
    answer = requests.get(address, headers={"Accept": "application/json"}, timeout=10)
    identifier = recorded(stopped, "?problem")["id"]

    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert answer.json() == {
        "type": "/lab/troubleshooting#php-not-running",
        "title": "PHP does not run",
        "status": 503,
        "detail": "PHP does not run, and page.php needs it.",
        "instance": f"/lab/exchanges/{identifier}",
        "cause": "php-not-running",
        "evidence": [
            {
                "heading": "the server logged",
                "lines": ["AH01079: failed to make connection to backend: php"],
            }
        ],
        "fix": ["Type:  make wamp", "It starts PHP and the database beside the web server."],
        "diff": [],
    }


def test_another_site_learns_nothing(stopped: RunningLab) -> None:
    answer = send(stopped.port, "GET /page.php HTTP/1.0", "Host: example.org")

    assert (answer.status, answer.values("Content-Type")) == (503, ["text/html; charset=iso-8859-1"])


def test_what_is_recorded_of_it(stopped: RunningLab) -> None:
    requests.get(f"{stopped.url}/page.php?recorded", timeout=10)
    exchange = recorded(stopped, "?recorded")

    assert (exchange["status"], exchange["printed"]) == (503, [])
    assert {header["origin"] for header in exchange["sent"]} == {"server"}
    assert exchange["diagnosis"]["sentence"] == "PHP does not run, and page.php needs it."


def test_what_is_no_page_is_served_without_php(stopped: RunningLab) -> None:
    paths = ("/", "/cgi-bin/web_02.py", "/lab/")

    assert [requests.get(f"{stopped.url}{path}", timeout=10).status_code for path in paths] == [200, 200, 200]


def test_after_a_kill_php_starts_again_and_answers(lab: RunningLab) -> None:
    """The socket of the one that was killed is still there."""
    php = lab.server("php")
    php.kill("SIGKILL")
    wait_until(lambda: requests.get(f"{lab.url}/page.php", timeout=10).status_code == 503)
    php.start()

    assert wait_until(lambda: requests.get(f"{lab.url}/page.php", timeout=10).text == "run")


def test_a_page_whose_process_is_killed(lab: RunningLab) -> None:
    """Httpd may still be handing over the request, or wait for the answer already."""
    (lab.www / "killed.php").write_text("<?php posix_kill(getmypid(), 9);", encoding="utf-8")
    answer = requests.get(f"{lab.url}/killed.php", headers={"Accept": "application/json"}, timeout=10)

    (evidence,) = answer.json()["evidence"]
    failed = f"AH01075: Error dispatching request to :{lab.port}: "
    assert evidence["heading"] == "the server logged"
    assert evidence["lines"] in (
        ["AH01067: Failed to read FastCGI header", f"(104)Connection reset by peer: {failed}"],
        [f"(32)Broken pipe: {failed}(sending empty stdin)"],
    )
    assert (answer.status_code, answer.json()["cause"]) == (503, "php-ended")
    assert requests.get(f"{lab.url}/page.php", timeout=10).text == "run"


def test_a_page_that_is_running_is_finished_when_php_is_told_to_stop(lab: RunningLab) -> None:
    """The file that the page writes tells that it has begun."""
    (lab.www / "finishing.php").write_text(
        "<?php touch('/tmp/begun'); usleep(500000); echo 'finished';", encoding="utf-8"
    )
    php = lab.server("php")
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(requests.get, f"{lab.url}/finishing.php", timeout=10)
        wait_until(lambda: php.exec_run(["test", "-e", "/tmp/begun"]).exit_code == 0)
        php.stop(timeout=10)
        php.start()

        assert waiting.result().text == "finished"


def test_more_pages_than_processes_wait_and_are_all_answered(lab: RunningLab) -> None:
    wait_until(lambda: requests.get(f"{lab.url}/page.php", timeout=10).text == "run")
    (lab.www / "busy.php").write_text("<?php usleep(100000); echo $_GET['n'];", encoding="utf-8")
    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(lambda n: requests.get(f"{lab.url}/busy.php?n={n}", timeout=30).text, range(40)))

    assert answers == [str(n) for n in range(40)]


def test_a_header_that_is_none(lab: RunningLab) -> None:
    (lab.www / "header.php").write_text("<?php header('X: ' . str_repeat('a', 9000));", encoding="utf-8")
    answer = requests.get(f"{lab.url}/header.php?long", timeout=10)

    assert answer.status_code == 500
    assert recorded(lab, "?long")["diagnosis"]["cause"] == "php-header"


def test_a_page_that_php_may_not_read(lab: RunningLab) -> None:
    page = lab.www / "unreadable.php"
    page.write_text(PAGE, encoding="utf-8")
    page.chmod(0)
    answer = requests.get(f"{lab.url}/unreadable.php", timeout=10)
    diagnosis = recorded(lab, "/unreadable.php")["diagnosis"]

    assert (answer.status_code, answer.text) == (403, "Access denied.\n")
    assert (diagnosis["cause"], diagnosis["fix"]) == ("php-cannot-open", ["Type:  chmod a+r www/unreadable.php"])


def test_a_link_that_leads_out_of_the_folder(lab: RunningLab) -> None:
    """It is the owner's, so httpd follows it; the folder of the services is not in the container of PHP."""
    (lab.www / "link.php").symlink_to("/srv/cgi-bin/web_02.py")
    answer = requests.get(f"{lab.url}/link.php", timeout=10)

    assert (answer.status_code, answer.text) == (404, "File not found.\n")
    assert recorded(lab, "/link.php")["diagnosis"]["sentence"] == (
        "PHP cannot open www/link.php, which the web server has found."
    )
