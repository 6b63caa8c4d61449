"""The page /lab/, as a learner uses it."""

import json
import os
import re
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from cgilab.engine import ROOT
from tests.browser.conftest import LabPage
from tests.support.running_lab import RunningLab
from tests.support.wait import wait_until

PARAMETERS = "last_name=de la Huche\nfirst_name=Jean-Paul\nage=42"
ENCODED = "last_name=de+la+Huche&first_name=Jean-Paul&age=42"
SENTENCE = "Information received from the web service [first_name=['Jean-Paul'],last_name=['de la Huche'],age=['42']]"

PROGRAMS = {
    "curl": ["sh", "-c"],
    "http.client": [sys.executable, "-c"],
    "requests": [sys.executable, "-c"],
}


def call(lab: RunningLab, path: str, headers: dict[str, str] | None = None) -> requests.Response:
    """Call the lab as a program does, with nothing but these headers and what http needs."""
    return requests.get(f"{lab.url}{path}", headers=headers, timeout=10, allow_redirects=False)


def recorded(lab: RunningLab, mark: str) -> dict[str, Any]:
    """Return the recorded exchange whose target holds a mark, as JSON; it is recorded after its response."""

    def find() -> list[str]:
        listed = requests.get(f"{lab.url}/lab/exchanges", timeout=10).json()["exchanges"]
        return [one["id"] for one in listed if mark in one["target"]]

    (identifier,) = wait_until(find)
    found: dict[str, Any] = requests.get(f"{lab.url}/lab/exchanges/{identifier}", timeout=10).json()
    return found


def test_the_list_fills_while_a_python_client_runs(lab: RunningLab, lab_page: LabPage) -> None:
    call(lab, "/cgi-bin/web_02.py?mark=before")
    lab_page.open()
    expect(lab_page.page.locator("#exchanges .target").first).to_have_text("/cgi-bin/web_02.py?mark=before")
    for name in ("client_web_02", "client_web_03_post", "client_web_03_get"):
        program = ROOT / "clients" / "http_client" / f"{name}.py"
        environment = {**os.environ, "LAB_URL": lab.url}
        subprocess.run([sys.executable, str(program)], env=environment, check=True, capture_output=True, timeout=30)

    expect(lab_page.page.locator("#exchanges .target").first).to_have_text(f"/cgi-bin/web_03.py?{ENCODED}")
    items = lab_page.page.locator("#exchanges a")
    shown = [
        [item.locator(part).text_content() for part in (".method", ".target", ".code", ".agent")]
        for item in items.all()[:4]
    ]
    assert shown == [
        ["GET", f"/cgi-bin/web_03.py?{ENCODED}", "200", "no User-Agent"],
        ["POST", "/cgi-bin/web_03.py", "200", "no User-Agent"],
        ["GET", "/cgi-bin/web_02.py", "200", "no User-Agent"],
        ["GET", "/cgi-bin/web_02.py?mark=before", "200", f"python-requests/{requests.__version__}"],
    ]
    expect(lab_page.page.locator("#count")).to_have_text(re.compile(r"\d+ exchanges, the newest first"))


def test_each_header_is_shown_with_who_wrote_it(lab: RunningLab, lab_page: LabPage) -> None:
    response = call(lab, "/cgi-bin/web_02.py?mark=origins")
    lab_page.open_exchange("mark=origins")

    by_server = [(name, value, "server") for name, value in response.headers.items() if name != "Content-Type"]
    assert sorted(lab_page.rows("Client received")) == sorted(
        [("Status", "200", "server"), *by_server, ("Content-Type", "text/plain", "script")]
    )
    assert lab_page.rows("Script printed") == [("Content-Type", "text/plain", "script")]
    colours = {
        name: lab_page.panel("Client received")
        .locator(f".origin.{name}")
        .first.evaluate("tag => getComputedStyle(tag).color")
        for name in ("script", "server")
    }
    assert len(set(colours.values())) == 2


def test_what_the_server_changed_or_dropped_is_shown_as_such(lab: RunningLab, lab_page: LabPage, service: Path) -> None:
    service.write_text(
        "#!/bin/sh\nprintf 'Status: 404 Nothing here\\nContent-Type: text/plain\\nX-Twice: one\\nX-Twice: two\\n"
        "Date: yesterday\\n\\n'\n",
        encoding="utf-8",
    )
    service.chmod(0o755)
    assert call(lab, f"/cgi-bin/{service.name}?mark=changed").status_code == 404
    lab_page.open_exchange("mark=changed")

    assert lab_page.rows("Script printed") == [
        ("Status", "404 Nothing here", "script, became the status line"),
        ("Content-Type", "text/plain", "script"),
        ("X-Twice", "one", "script, changed by the server"),
        ("X-Twice", "two", "script, changed by the server"),
        ("Date", "yesterday", "script, dropped by the server"),
    ]
    received = {row[0]: row[1:] for row in lab_page.rows("Client received")}
    assert received["Status"] == ("404", "script")
    assert received["X-Twice"] == ("one, two", "script, changed by the server", "The script had printed: one, two")
    assert received["Date"][1] == "server"


def test_the_environment_is_shown_by_source(lab: RunningLab, lab_page: LabPage) -> None:
    call(lab, "/cgi-bin/web_04.py?mark=environment")
    exchange = recorded(lab, "mark=environment")
    lab_page.open_exchange("mark=environment")

    shown = {
        (group.locator("summary").inner_text(), *row.locator("> *").all_text_contents())
        for group in lab_page.panel("Script was given").locator("details").all()
        for row in group.locator(".row").all()
    }
    counts = {
        source: sum(variable["source"] == source for variable in exchange["environment"])
        for source in ("request line", "request headers", "connection", "configuration")
    }
    assert shown == {
        (f"From the {variable['source']} {counts[variable['source']]}", variable["name"], variable["value"] or "empty")
        for variable in exchange["environment"]
    }


def test_the_time_line_has_its_four_moments(lab: RunningLab, lab_page: LabPage) -> None:
    call(lab, "/cgi-bin/web_02.py?mark=moments")
    # The real ones are too close to each other to be told apart.
    moments = {"first_header": 1000, "response": 2500, "end": 4000}
    answer = {**recorded(lab, "mark=moments"), **moments}
    lab_page.page.route("**/lab/exchanges/*", lambda route: route.fulfill(json=answer))
    lab_page.open_exchange("mark=moments")

    assert lab_page.page.locator(".time-line li").all_inner_texts() == [
        "Received 0.0 ms",
        "Script's first header 1.0 ms",
        "Response sent 2.5 ms",
        "End 4.0 ms",
    ]
    widths = lab_page.page.locator(".bar .part").evaluate_all("parts => parts.map((part) => part.style.flexGrow)")
    assert widths == ["0.25", "0.375", "0.375"]


def test_what_the_script_wrote_to_its_standard_error_is_shown(
    lab: RunningLab, lab_page: LabPage, service: Path
) -> None:
    service.write_text(
        "#!/bin/sh\necho 'a word <b>for</b> people' >&2\nprintf 'Content-Type: text/plain\\n\\n'\n", encoding="utf-8"
    )
    service.chmod(0o755)
    call(lab, f"/cgi-bin/{service.name}?mark=message")
    lab_page.open_exchange("mark=message")

    assert lab_page.page.locator(".messages .value").all_text_contents() == [
        f"AH01215: stderr from /srv/cgi-bin/{service.name}: a word <b>for</b> people"
    ]


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


def test_the_form_sends_a_get_with_a_header(lab_page: LabPage) -> None:
    lab_page.open()
    lab_page.fill_form("GET", "/cgi-bin/web_04.py?first=1", "mark=form & more\nempty=", "X-Lesson: 12.3")

    target = "/cgi-bin/web_04.py?first=1&mark=form+%26+more&empty="
    expect(lab_page.page.locator("h2.title")).to_have_text(f"GET {target} 200")
    assert ("HTTP_X_LESSON", "12.3") in lab_page.rows("Script was given")


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


def test_two_exchanges_are_compared_differences_first(lab: RunningLab, lab_page: LabPage) -> None:
    call(lab, "/cgi-bin/web_04.py?mark=one", {"X-One": "alone", "Accept-Language": "fr"})
    call(lab, "/cgi-bin/web_04.py?mark=other", {"Accept-Language": "en"})
    environments = [
        {variable["name"]: variable["value"] for variable in recorded(lab, mark)["environment"]}
        for mark in ("mark=one", "mark=other")
    ]
    lab_page.open_exchange("mark=one")
    lab_page.page.get_by_role("button", name="Compare two").click()
    expect(lab_page.page.locator("table")).to_have_count(2)
    (other,) = [
        option
        for option in lab_page.page.get_by_label("Second").locator("option").all()
        if "mark=other" in (option.text_content() or "")
    ]
    lab_page.page.get_by_label("Second").select_option(other.get_attribute("value"))
    expect(lab_page.page.locator(".different")).to_contain_text("mark=other")

    first, second = environments
    names = sorted(first.keys() | second.keys())
    different = [name for name in names if first.get(name) != second.get(name)]
    assert rows_of_table(lab_page, "different") == [
        [name, shown_value(first, name), shown_value(second, name)] for name in different
    ]
    assert [row[0] for row in rows_of_table(lab_page, "equal")] == [name for name in names if name not in different]
    assert ["HTTP_X_ONE", "alone", "not given"] in rows_of_table(lab_page, "different")
    tables = lab_page.page.locator("table caption").all_text_contents()
    assert tables == [f"{len(different)} variables differ", f"{len(names) - len(different)} variables are equal"]


def rows_of_table(lab_page: LabPage, name: str) -> list[list[str]]:
    """Return the cells of a table of the comparison."""
    return [row.locator("th, td").all_text_contents() for row in lab_page.page.locator(f"table.{name} tbody tr").all()]


def shown_value(environment: dict[str, str], name: str) -> str:
    """Return how a table shows a variable."""
    return environment.get(name, "not given") or "empty"


def test_html_is_shown_as_text(lab: RunningLab, lab_page: LabPage, service: Path) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    service.write_text(f"#!/bin/sh\nprintf 'Content-Type: text/plain\\nX-Hostile: {hostile}\\n\\n'\n", encoding="utf-8")
    service.chmod(0o755)
    target = f"/cgi-bin/{service.name}?mark=hostile&{hostile.replace(' ', '+')}"
    connection = HTTPConnection("localhost", lab.port, timeout=10)
    connection.request("GET", target, headers={"User-Agent": hostile.replace(" ", "/"), "X-Hostile": hostile})
    connection.getresponse().read()
    connection.close()
    lab_page.open_exchange("mark=hostile")

    assert lab_page.page.locator("h2.title .target").text_content() == target
    assert lab_page.item("mark=hostile").locator(".agent").text_content() == hostile.replace(" ", "/")
    assert ("X-Hostile", hostile) in lab_page.rows("Client sent")
    assert ("HTTP_X_HOSTILE", hostile) in lab_page.rows("Script was given")
    assert ("X-Hostile", hostile, "script") in lab_page.rows("Script printed")
    assert ("X-Hostile", hostile, "script") in lab_page.rows("Client received")
    assert lab_page.page.locator("body img, body script").count() == 0


def test_an_exchange_has_a_permanent_link(lab: RunningLab, lab_page: LabPage) -> None:
    call(lab, "/cgi-bin/web_02.py?mark=permanent")
    identifier = recorded(lab, "mark=permanent")["id"]
    lab_page.open(f"?exchange={identifier}")

    expect(lab_page.page.locator("h2.title")).to_have_text("GET /cgi-bin/web_02.py?mark=permanent 200")
    link = lab_page.page.get_by_role("link", name="Permanent link").get_attribute("href")
    assert link == f"/lab/?exchange={identifier}"
    assert lab_page.page.locator("#exchanges a[aria-current]").get_attribute("href") == link


def test_back_leads_to_the_exchange_before(lab: RunningLab, lab_page: LabPage) -> None:
    call(lab, "/cgi-bin/web_02.py?mark=back-1")
    call(lab, "/cgi-bin/web_02.py?mark=back-2")
    lab_page.open_exchange("mark=back-1")
    lab_page.item("mark=back-2").click()
    expect(lab_page.page.locator("h2.title")).to_contain_text("mark=back-2")
    lab_page.page.go_back()

    expect(lab_page.page.locator("h2.title")).to_contain_text("mark=back-1")


def test_back_leads_to_the_beginning(lab: RunningLab, lab_page: LabPage) -> None:
    call(lab, "/cgi-bin/web_02.py?mark=beginning")
    lab_page.open_exchange("mark=beginning")
    lab_page.page.go_back()

    expect(lab_page.page.locator("#view h2")).to_have_text("No exchange is open")
    expect(lab_page.page.locator("#exchanges a[aria-current]")).to_have_count(0)


def test_the_list_can_be_skipped(lab_page: LabPage) -> None:
    lab_page.open()
    expect(lab_page.page.locator("#count")).not_to_have_text("Looking for exchanges…")
    loaded = lab_page.requests.count(f"{lab_page.url}/lab/lab.js")
    lab_page.page.keyboard.press("Tab")
    lab_page.page.keyboard.press("Enter")

    expect(lab_page.page.locator("#detail")).to_be_focused()
    assert lab_page.requests.count(f"{lab_page.url}/lab/lab.js") == loaded == 1


def test_an_exchange_that_is_no_longer_kept_is_said_to_be_gone(lab_page: LabPage) -> None:
    lab_page.open("?exchange=gone")

    expect(lab_page.page.locator("#view .note")).to_have_text(
        "no exchange gone: there is none of that id, or no longer. The lab keeps the last 500, until it is stopped."
    )
    (complaint,) = lab_page.complaints
    assert "404" in complaint  # Chromium's own, about the answer
    lab_page.complaints.clear()


def test_har(lab: RunningLab, lab_page: LabPage, tmp_path: Path) -> None:
    call(lab, "/cgi-bin/web_02.py?mark=har&name=de+la", {"X-Lesson": "12"})
    exchange = recorded(lab, "mark=har")
    lab_page.open_exchange("mark=har")
    with lab_page.page.expect_download() as download:
        lab_page.page.get_by_role("button", name="Download HAR").click()
    download.value.save_as(tmp_path / "one.har")
    log = json.loads((tmp_path / "one.har").read_text(encoding="utf-8"))["log"]

    assert download.value.suggested_filename == f"{exchange['id']}.har"
    assert (log["version"], len(log["entries"])) == ("1.2", 1)
    entry = log["entries"][0]
    assert entry["request"] == {
        "method": "GET",
        "url": f"{lab.url}/cgi-bin/web_02.py?mark=har&name=de+la",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": exchange["request_headers"],
        "queryString": [{"name": "mark", "value": "har"}, {"name": "name", "value": "de la"}],
        "headersSize": -1,
        "bodySize": 0,
    }
    assert entry["response"]["status"] == 200
    assert entry["response"]["headers"] == [
        {"name": header["name"], "value": header["value"], "_origin": header["origin"]} for header in exchange["sent"]
    ]
    assert entry["time"] == exchange["end"] / 1000
    assert sum(entry["timings"].values()) == pytest.approx(entry["time"])


def test_a_recorder_that_was_started_again_is_told(lab_page: LabPage) -> None:
    answer = {"exchanges": [], "restarted": [1_000_000]}
    lab_page.page.route("**/lab/exchanges?after=*", lambda route: route.fulfill(json=answer))
    lab_page.open()

    expect(lab_page.page.locator("#restarted")).to_be_visible()
    expect(lab_page.page.locator("#restarted")).to_have_text(
        "The recorder ended and was started again (00:00:01). Exchanges that were under way then are missing."
    )
    expect(lab_page.page.locator("#count")).to_have_text("None yet")


def test_a_lab_that_does_not_answer_is_told_and_asked_again(lab: RunningLab, lab_page: LabPage) -> None:
    lab_page.open()
    lab_page.page.route("**/lab/exchanges?after=*", lambda route: route.abort())
    expect(lab_page.page.locator("#count")).to_have_text(
        "The lab does not answer. This page goes on asking; make up starts it."
    )
    lab_page.page.unroute("**/lab/exchanges?after=*")
    call(lab, "/cgi-bin/web_02.py?mark=again")

    expect(lab_page.item("mark=again")).to_be_visible()
    assert {complaint.partition(":")[0] for complaint in lab_page.complaints} == {"Failed to load resource"}
    lab_page.complaints.clear()


def test_a_page_that_nobody_sees_asks_for_nothing(lab: RunningLab, lab_page: LabPage) -> None:
    lab_page.page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => !window.seen})")
    lab_page.page.clock.install()
    lab_page.open()
    expect(lab_page.page.locator("#count")).not_to_have_text("Looking for exchanges…")
    lab_page.page.clock.run_for(10_000)
    polls = [url for url in lab_page.requests if "/lab/exchanges?" in url]
    assert len(polls) == 1  # the first list

    call(lab, "/cgi-bin/web_02.py?mark=seen")
    recorded(lab, "mark=seen")
    lab_page.page.evaluate("window.seen = true; document.dispatchEvent(new Event('visibilitychange'))")
    expect(lab_page.item("mark=seen")).to_be_visible()


def test_a_keyboard_is_enough(lab: RunningLab, lab_page: LabPage) -> None:
    call(lab, "/cgi-bin/web_02.py?mark=keyboard")
    lab_page.open()
    expect(lab_page.item("mark=keyboard")).to_be_visible()
    focused = []
    for _ in range(4):
        lab_page.page.keyboard.press("Tab")
        focused.append(lab_page.page.evaluate("document.activeElement.textContent.trim()"))
        outline = lab_page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", focused[-1]
    assert focused[:3] == ["Skip to the exchange", "cgi-lab", "Send a request"]
    assert "mark=keyboard" in focused[3]  # the newest exchange
    lab_page.page.keyboard.press("Enter")

    expect(lab_page.page.locator("h2.title")).to_contain_text("mark=keyboard")


WINDOWS = [
    pytest.param({"viewport": {"width": width, "height": 800}, "color_scheme": scheme}, id=f"{width}px, {scheme}")
    for width, scheme in ((360, "light"), (1280, "light"), (1280, "dark"), (1920, "dark"))
]


@pytest.mark.parametrize("lab_page", WINDOWS, indirect=True)
@pytest.mark.parametrize("view", ["nothing", "exchange", "comparison", "gone"])
def test_it_is_accessible_and_scrolls_in_one_direction(lab: RunningLab, lab_page: LabPage, view: str) -> None:
    call(lab, f"/cgi-bin/web_04.py?{'a-long-query' * 30}", {"X-Long": "x" * 400})
    call(lab, "/cgi-bin/no_such_script.py")
    lab_page.open()
    expect(lab_page.page.locator("#exchanges a").first).to_be_visible()
    lab_page.page.get_by_text("Send a request").click()
    if view in {"exchange", "comparison"}:
        lab_page.page.locator("#exchanges a", has_text="a-long-query").first.click()
        expect(lab_page.page.locator(".panel")).to_have_count(4)
        closed = lab_page.page.locator("details:not([open]) > summary")
        while closed.count():
            closed.first.click()
    if view == "comparison":
        lab_page.page.get_by_role("button", name="Compare two").click()
        expect(lab_page.page.locator("table")).to_have_count(2)
    if view == "gone":
        lab_page.open("?exchange=gone")
        expect(lab_page.page.locator("#view .note")).to_be_visible()
        lab_page.complaints.clear()

    result = Axe().run(lab_page.page)
    assert result.response["violations"] == [], result.generate_report()
    width = lab_page.page.viewport_size
    assert width is not None
    assert lab_page.page.evaluate("document.documentElement.scrollWidth") == width["width"]
