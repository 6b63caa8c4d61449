"""The page /lab/, as a learner uses it: the list, an exchange, two exchanges compared."""

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
from playwright.sync_api import expect

from cgilab.project.engine import ROOT
from tests.browser.conftest import LabPage, call
from tests.support.recorded import recorded
from tests.support.running_lab import RunningLab

ENCODED = "last_name=de+la+Huche&first_name=Jean-Paul&age=42"


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


PARTS = [
    {"name": "server before the script", "by": "server", "start": 0, "end": 500},
    {"name": "interpreter's start", "by": "interpreter", "start": 500, "end": 1500},
    {"name": "imports", "by": "imports", "start": 1500, "end": 1500},
    {"name": "script until its first header", "by": "script", "start": 1500, "end": 3000},
    {"name": "script after it, server", "by": "script and server", "start": 3000, "end": 4000},
]


def show_times(lab: RunningLab, lab_page: LabPage, parts: list[dict[str, Any]]) -> None:
    """Open an exchange of these parts: real ones are too close to each other to be told apart."""
    mark = f"mark=times-{len(parts)}"
    call(lab, f"/cgi-bin/web_02.py?{mark}")
    answer = {**recorded(lab, mark), "parts": parts, "end": parts[-1]["end"]}
    lab_page.page.route(f"**/lab/exchanges/{answer['id']}", lambda route: route.fulfill(json=answer))
    lab_page.open_exchange(mark)


def test_the_time_line_shows_where_the_time_went(lab: RunningLab, lab_page: LabPage) -> None:
    show_times(lab, lab_page, PARTS)
    parts = lab_page.page.locator(".bar .part")

    assert lab_page.page.locator(".time-line li").all_inner_texts() == [
        "Server before the script 0.5 ms",
        "Interpreter's start 1.0 ms",
        "Imports 0.0 ms",
        "Script until its first header 1.5 ms",
        "Script after it, server 1.0 ms",
        "All of it 4.0 ms",
    ]
    assert parts.evaluate_all("parts => parts.map((part) => part.style.flexGrow)") == ["0.125", "0.25", "0.375", "0.25"]
    colours = parts.evaluate_all("parts => parts.map((part) => getComputedStyle(part).backgroundImage)")
    named = lab_page.page.locator(".time-line li").evaluate_all(
        "items => items.map((item) => getComputedStyle(item, '::before').backgroundImage)"
    )
    assert len(set(colours)) == 4
    assert [named[place] for place in (0, 1, 3, 4)] == colours
    assert lab_page.page.get_by_role("button", name="Measure start and imports apart").count() == 0


UNSEPARATED = [
    {"name": "server before the script", "by": "server", "start": 0, "end": 500},
    {"name": "interpreter's start, imports, script", "by": "interpreter and script", "start": 500, "end": 4000},
]
APART = {
    "rounds": 5,
    "start": 12_340,
    "imports": [{"statement": "import cgi", "time": 20_000}, {"statement": "import <b>helper</b>", "time": None}],
}


def test_start_and_imports_are_measured_apart_when_they_are_asked_for(lab: RunningLab, lab_page: LabPage) -> None:
    lab_page.page.route("**/apart", lambda route: route.fulfill(json=APART))
    show_times(lab, lab_page, UNSEPARATED)
    button = lab_page.page.get_by_role("button", name="Measure start and imports apart")
    assert not [url for url in lab_page.requests if url.endswith("/apart")]
    button.click()

    expect(lab_page.page.locator(".apart [role=status]")).to_have_text(
        "Measured apart, 5 times, just now; the medians. They are no part of the exchange."
    )
    assert lab_page.page.locator(".apart li").all_inner_texts() == [
        "Interpreter's start 12.3 ms",
        "Imports 20.0 ms",
        "import cgi 20.0 ms",
        "import <b>helper</b> not measured",
    ]
    assert button.count() == 0


def test_what_cannot_be_measured_apart_is_said(lab: RunningLab, lab_page: LabPage, service: Path) -> None:
    service.write_text("#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n", encoding="utf-8")
    service.chmod(0o755)
    call(lab, f"/cgi-bin/{service.name}?mark=not-apart")
    lab_page.open_exchange("mark=not-apart")
    lab_page.page.get_by_role("button", name="Measure start and imports apart").click()

    expect(lab_page.page.locator(".apart [role=status]")).to_have_text(
        "nothing was measured: the script is none that Python runs"
    )
    assert {complaint.partition(":")[0] for complaint in lab_page.complaints} == {"Failed to load resource"}
    lab_page.complaints.clear()


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


def test_a_script_that_answers_past_the_server_is_shown_as_such(lab: RunningLab, lab_page: LabPage) -> None:
    script = lab.cgi_bin / "nph-test.py"
    script.write_text("#!/bin/sh\nprintf 'HTTP/1.0 404 No\\r\\nX-A: b\\r\\n\\r\\n'\n", encoding="utf-8")
    script.chmod(0o755)
    assert call(lab, "/cgi-bin/nph-test.py?mark=nph").status_code == 404
    lab_page.open_exchange("mark=nph")
    script.unlink()

    said = "A script named nph-… writes the whole answer by itself; the server sees none of it."
    expect(lab_page.page.locator("h2.title .code")).to_have_text("nph")
    for panel in ("Script printed", "Client received"):
        expect(lab_page.panel(panel).locator(".line")).to_have_text(said)
        assert lab_page.rows(panel) == []
    assert recorded(lab, "mark=nph")["diagnosis"] is None


def test_an_exchange_whose_beginning_is_lost_says_so(lab: RunningLab, lab_page: LabPage) -> None:
    call(lab, "/cgi-bin/web_02.py?mark=incomplete")
    whole = recorded(lab, "mark=incomplete")
    lost = {**whole, "incomplete": True, "request_headers": [], "printed": [], "body_length": None}
    lab_page.page.route(f"**/lab/exchanges/{whole['id']}", lambda route: route.fulfill(json=lost))
    lab_page.open_exchange("mark=incomplete")

    expect(lab_page.page.locator("#view > .note")).to_contain_text("The beginning of what was logged is missing")
    expect(lab_page.panel("Script printed").locator(".line")).to_have_text("Not known.")
    expect(lab_page.panel("Client sent").locator(".body")).to_have_text("Body: not known")


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
    assert entry["_parts"] == exchange["parts"]


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
