"""The page /lab/ as a response: what a browser may do with it, and whom it answers."""

import pytest
import requests

from tests.support.running_lab import RunningLab
from tests.support.wait import wait_until
from tests.support.wire import Answer, send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
FILES = {
    "/lab/": "text/html; charset=utf-8",
    "/lab/failure.css": "text/css",
    "/lab/lab.css": "text/css",
    "/lab/lab.js": "text/javascript",
}


def ask(lab: RunningLab, path: str, *, method: str = "GET", host: str = "localhost") -> Answer:
    """Ask for a path, under a name of the server."""
    return send(lab.port, f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close")


def test_the_page_may_use_nothing_but_its_own_files(lab: RunningLab) -> None:
    answer = ask(lab, "/lab/")

    assert answer.status == 200
    assert answer.values("Content-Security-Policy") == [POLICY]
    assert answer.values("X-Content-Type-Options") == ["nosniff"]
    assert answer.values("Referrer-Policy") == ["no-referrer"]


@pytest.mark.parametrize(("path", "kind"), FILES.items())
def test_each_file_is_what_it_says(lab: RunningLab, path: str, kind: str) -> None:
    answer = ask(lab, path)

    assert (answer.status, answer.values("Content-Type")) == (200, [kind])


@pytest.mark.parametrize("path", FILES)
def test_a_browser_keeps_no_file_of_an_older_image(lab: RunningLab, path: str) -> None:
    assert ask(lab, path).values("Cache-Control") == ["no-store"]


@pytest.mark.parametrize("path", FILES)
def test_each_file_answers_to_the_names_of_this_machine_alone(lab: RunningLab, path: str) -> None:
    assert [ask(lab, path, host=host).status for host in ("127.0.0.1:8080", "[::1]", "example.org")] == [200, 200, 403]


@pytest.mark.parametrize("path", ["/lab/index.html", "/lab/page", "/lab/lab.js/more", "/lab/lab.json"])
def test_there_is_nothing_else(lab: RunningLab, path: str) -> None:
    assert ask(lab, path).status == 404


def test_the_page_can_only_be_read(lab: RunningLab) -> None:
    answer = send(lab.port, "POST /lab/ HTTP/1.1", "Host: localhost", "Connection: close", "Content-Length: 0")

    assert answer.status == 405


def test_the_slash_may_be_left_out(lab: RunningLab) -> None:
    answer = requests.get(f"{lab.url}/lab", timeout=10, allow_redirects=False)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"{lab.url}/lab/")


def test_none_of_it_is_recorded(lab: RunningLab) -> None:
    for path in ("/lab", *FILES):
        ask(lab, path)
    requests.get(f"{lab.url}/cgi-bin/web_02.py?mark=last", timeout=10)

    def targets() -> list[str]:
        listed = requests.get(f"{lab.url}/lab/exchanges", timeout=10).json()["exchanges"]
        return [one["target"] for one in listed]

    # Recorded after its response, and after all that was asked before it.
    wait_until(lambda: "/cgi-bin/web_02.py?mark=last" in targets())
    assert [target for target in targets() if target in {"/lab", *FILES}] == []
