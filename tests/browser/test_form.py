"""The form of the page /lab/, and the programs that can be copied from it."""

import subprocess
import sys
from http.client import HTTPConnection

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.conftest import LabPage, call
from tests.support.recorded import recorded, summaries
from tests.support.running_lab import RunningLab
from tests.support.wait import wait_until
from tests.support.wire import send

PARAMETERS = "last_name=de la Huche\nfirst_name=Jean-Paul\nage=42"
ENCODED = "last_name=de+la+Huche&first_name=Jean-Paul&age=42"
SENTENCE = "Information received from the web service [first_name=['Jean-Paul'],last_name=['de la Huche'],age=['42']]"

PROGRAMS = {
    "curl": ["sh", "-c"],
    "http.client": [sys.executable, "-c"],
    "requests": [sys.executable, "-c"],
}


def test_the_form_sends_the_chapters_post(lab_page: LabPage) -> None:
    lab_page.open()
    lab_page.page.get_by_text("Send a request").click()
    lab_page.page.get_by_label("Method").select_option("POST")  # path and parameters are there already
    lab_page.page.get_by_role("button", name="Send").click()

    expect(lab_page.page.locator("h2.title")).to_have_text("POST /cgi-bin/web_03.py 200")
    expect(lab_page.panel("Client sent").locator("pre")).to_have_text(ENCODED)
    expect(lab_page.panel("Client received").locator("pre")).to_have_text(f"{SENTENCE}\n")
    sent = {row[0].lower(): row[1] for row in lab_page.rows("Client sent")}
    assert (sent["content-type"], sent["content-length"]) == ("application/x-www-form-urlencoded", "49")


def test_bodies_are_remembered_until_the_page_is_left_and_stored_nowhere(lab_page: LabPage) -> None:
    lab_page.open()
    lab_page.fill_form("POST", "/cgi-bin/web_03.py?mark=remembered", PARAMETERS)
    expect(lab_page.panel("Client sent").locator("pre")).to_have_text(ENCODED)
    lab_page.page.go_back()
    expect(lab_page.page.locator("#view h2")).to_have_text("No exchange is open")
    lab_page.item("mark=remembered").click()
    expect(lab_page.panel("Client sent").locator("pre")).to_have_text(ENCODED)

    stored = lab_page.page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]")
    assert stored == [0, 0, ""]
    lab_page.page.reload()
    expect(lab_page.panel("Client sent").locator(".body")).to_have_text("Body: 49 bytes, not recorded")
    expect(lab_page.panel("Client received").locator("pre")).to_have_count(0)


def test_the_form_finds_the_exchange_of_a_request_with_a_secret(lab_page: LabPage) -> None:
    lab_page.open()
    lab_page.fill_form("GET", "/cgi-bin/web_04.py?mark=secret", "password=a.b\nage=42")

    expect(lab_page.page.locator("h2.title")).to_have_text(
        "GET /cgi-bin/web_04.py?mark=secret&password=(masked)&age=42 200"
    )


def test_the_form_sends_a_get_with_a_header(lab_page: LabPage) -> None:
    lab_page.open()
    lab_page.fill_form("GET", "/cgi-bin/web_04.py?first=1", "mark=form & more\nempty=", "X-Lesson: 12.3")

    target = "/cgi-bin/web_04.py?first=1&mark=form+%26+more&empty="
    expect(lab_page.page.locator("h2.title")).to_have_text(f"GET {target} 200")
    assert ("HTTP_X_LESSON", "12.3") in lab_page.rows("Script was given")


def test_the_form_sends_a_header_that_is_no_ascii(lab_page: LabPage) -> None:
    lab_page.open()
    lab_page.fill_form("GET", "/cgi-bin/web_04.py?mark=no-ascii", "", "X-Lesson: é€")

    expect(lab_page.page.locator("h2.title")).to_contain_text("mark=no-ascii")
    assert ("HTTP_X_LESSON", "é€") in lab_page.rows("Script was given")


def test_the_form_sends_a_head(lab_page: LabPage) -> None:
    lab_page.open()
    lab_page.fill_form("HEAD", "/cgi-bin/web_02.py?mark=head", "")

    expect(lab_page.page.locator("h2.title")).to_have_text("HEAD /cgi-bin/web_02.py?mark=head 200")
    expect(lab_page.panel("Client received").locator(".body")).to_have_text("No body: the method was HEAD")


@pytest.mark.parametrize(
    ("path", "headers", "answer"),
    [
        pytest.param(
            "//example.org/", "", "This page may send to the lab alone: start the path with one /", id="elsewhere"
        ),
        pytest.param("/lab/exchanges", "", "Requests for the lab's own pages are not recorded", id="the lab's own"),
        pytest.param("/lab", "", "Requests for the lab's own pages are not recorded", id="the lab's own, no slash"),
        pytest.param("/%6cab/exchanges", "", "Requests for the lab's own pages are not recorded", id="encoded"),
        pytest.param(
            "/x//%2e%2e/%2E%2e/%6Cab/", "", "Requests for the lab's own pages are not recorded", id="a detour"
        ),
        pytest.param(
            "/",
            "X Lesson: 12",
            "“X Lesson” is no name of a header: it is one word of letters, digits and hyphens",
            id="a name of two words",
        ),
        pytest.param("/", "X-Lesson 12", "“X-Lesson 12” is no header: there is no colon in it", id="no colon"),
    ],
)
def test_the_form_says_what_it_cannot_send(lab_page: LabPage, path: str, headers: str, answer: str) -> None:
    lab_page.open()
    lab_page.fill_form("GET", path, "", headers)

    expect(lab_page.page.locator("#send-status")).to_have_text(answer)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_copied_program_gives_the_same_answer(lab_page: LabPage, program: str) -> None:
    lab_page.open()
    lab_page.fill_form("POST", f"/cgi-bin/web_03.py?mark=copied-{program}", PARAMETERS)
    expect(lab_page.panel("Client received").locator("pre")).to_have_text(f"{SENTENCE}\n")

    assert run_copy(lab_page, program).rstrip().splitlines()[-1] == SENTENCE


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_copied_program_quotes_what_it_has_to(lab: RunningLab, lab_page: LabPage, program: str) -> None:
    value = 'it\'s "$HOME" `id` \\ ; {a,b} %s'
    mark = f"mark=quoted-{program}"
    target = f"/cgi-bin/web_04.py?{mark}&q='$(id)'[1-2]{{a,b}}%22%0A&"
    connection = HTTPConnection("localhost", lab.port, timeout=10)
    connection.request("GET", target, headers={"X-Quoted": value, "X-Empty": ""})
    connection.getresponse().read()
    connection.close()
    lab_page.open_exchange(mark)

    printed = run_copy(lab_page, program).splitlines()
    variables = dict(line.split(" : ", 1) for line in printed if " : " in line)
    expected = {"HTTP_X_QUOTED": value, "HTTP_X_EMPTY": "", "HTTP_HOST": f"localhost:{lab.port}"}
    assert {name: variables.get(name) for name in expected} == expected
    assert variables["REQUEST_METHOD"] == "GET"
    assert variables["QUERY_STRING"].startswith(mark)


# The target that a client sent, in which {} stands for path and query, and the one that the copied program sends.
HOSTS = {
    "http://192.0.2.1:9{}": "{}",
    "HTTP://192.0.2.1{}": "{}",
    "@192.0.2.1{}": "/@192.0.2.1{}",
}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("target", HOSTS)
def test_a_copied_program_calls_this_lab_whichever_host_the_client_named(
    lab: RunningLab, lab_page: LabPage, target: str, program: str
) -> None:
    mark = f"mark=host-{program}-{list(HOSTS).index(target)}"
    path = f"/cgi-bin/web_04.py?{mark}"
    send(lab.port, f"GET {target.format(path)} HTTP/1.1", "Host: x", "Connection: close")
    before = recorded(lab, mark)["id"]
    lab_page.open_exchange(mark)
    run_copy(lab_page, program)

    newer = wait_until(lambda: [one["target"] for one in summaries(lab, after=before) if mark in one["target"]])
    assert newer == [HOSTS[target].format(path)]


@pytest.mark.parametrize(
    ("mark", "headers", "notes"),
    [
        pytest.param("masked=target&password=x", {}, True, id="in the target"),
        pytest.param("masked=header", {"Authorization": "Basic eDp5"}, True, id="in a header"),
        pytest.param("masked=nothing", {}, False, id="nothing"),
    ],
)
def test_copied_programs_say_where_a_secret_is_missing(
    lab: RunningLab, lab_page: LabPage, mark: str, headers: dict[str, str], notes: bool
) -> None:
    call(lab, f"/cgi-bin/web_04.py?{mark}", headers)
    lab_page.open_exchange(mark.partition("&")[0])
    lab_page.page.get_by_text("Copy as curl, http.client, requests").click()

    note = "# A secret was masked when this was recorded: put the real one in the place of (masked)."
    for name in PROGRAMS:
        lines = lab_page.page.locator(f".program[data-program='{name}'] pre").inner_text().splitlines()
        assert [line for line in lines if line.startswith("#")] == [note] * notes
        assert (lines[0] == note) == notes


def run_copy(lab_page: LabPage, program: str) -> str:
    """Copy a program from the page, run it, and return what it prints."""
    lab_page.page.get_by_text("Copy as curl, http.client, requests").click()
    lab_page.page.get_by_role("button", name=f"Copy {program}").click()
    expect(lab_page.page.locator(f".program[data-program='{program}'] [role=status]")).to_have_text("Copied")
    text = lab_page.page.evaluate("navigator.clipboard.readText()")
    done = subprocess.run(
        [*PROGRAMS[program], text], capture_output=True, encoding="utf-8", timeout=30, check=False, stdin=None
    )
    assert done.returncode == 0, f"{text}\n{done.stderr}"
    return done.stdout


def test_a_body_that_is_not_recorded_is_said_to_be_missing(lab: RunningLab, lab_page: LabPage) -> None:
    requests.post(f"{lab.url}/cgi-bin/web_03.py?mark=missing", data={"age": "42"}, timeout=10)
    lab_page.open_exchange("mark=missing")
    lab_page.page.get_by_text("Copy as curl, http.client, requests").click()

    expect(lab_page.page.locator(".copies .note")).to_have_text(
        "The body of 6 bytes is not recorded: put it in its place."
    )
    expect(lab_page.panel("Client sent").locator(".body")).to_have_text("Body: 6 bytes, not recorded")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_chunked_body_is_said_to_be_missing(lab: RunningLab, lab_page: LabPage, program: str) -> None:
    mark = f"mark=chunked-{program}"
    requests.post(f"{lab.url}/cgi-bin/web_03.py?{mark}", data=iter([b"age=", b"42"]), timeout=10)
    lab_page.open_exchange(mark)
    lab_page.page.get_by_text("Copy as curl, http.client, requests").click()

    expect(lab_page.panel("Client sent").locator(".body")).to_have_text(
        "Body: length not announced (chunked), not recorded"
    )
    expect(lab_page.page.locator(".copies .note")).to_have_text(
        "The body, sent in chunks, is not recorded: put it in its place."
    )
    lines = lab_page.page.locator(f".program[data-program='{program}'] pre").inner_text().splitlines()
    assert lines[0] == "# The body was sent in chunks, of a length not announced, and is not recorded."
