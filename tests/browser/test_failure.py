"""The page behind a failure in a browser: it is read, what it says is done, and the script answers."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import LabPage
from tests.support.running_lab import RunningLab

# With an icon of its own, or the browser would ask for one.
RIGHT = b"#!/bin/sh\nprintf 'Content-Type: text/html\\n\\n<link rel=icon href=data:,>hello\\n'\n"
MANUAL = "/lab/troubleshooting"


@pytest.fixture
def script(lab: RunningLab) -> Iterator[Path]:
    """A script that says hello, until a test breaks it."""
    path = lab.cgi_bin / "hello.sh"
    path.write_bytes(RIGHT)
    path.chmod(0o755)
    yield path
    path.unlink()


def open_failure(lab_page: LabPage, name: str, status: int = 500) -> None:
    """Ask for a script, and see that it fails; the browser's own complaint about the status is none of the page's."""
    answer = lab_page.page.goto(f"{lab_page.url}/cgi-bin/{name}")
    assert answer is not None
    assert answer.status == status
    lab_page.complaints[:] = [one for one in lab_page.complaints if f"status of {status}" not in one]


def expect_hello(lab_page: LabPage) -> None:
    """Reload, and see that the script answers."""
    answer = lab_page.page.reload()
    assert answer is not None
    assert answer.status == 200
    expect(lab_page.page.locator("body")).to_have_text("hello")


def test_the_command_that_it_tells_mends_the_script(lab_page: LabPage, script: Path) -> None:
    script.chmod(0o644)
    open_failure(lab_page, script.name)

    expect(lab_page.page.locator("h1")).to_have_text(
        "hello.sh has no execute permission, so the server cannot start it."
    )
    assert lab_page.page.locator(".fix .type").all_text_contents() == ["chmod +x cgi-bin/hello.sh"]
    script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    expect_hello(lab_page)


def test_the_change_that_it_shows_mends_the_script(lab_page: LabPage, script: Path) -> None:
    script.write_bytes(RIGHT.replace(b"\n", b"\r\n"))
    open_failure(lab_page, script.name)

    expect(lab_page.page.locator("h1")).to_contain_text("Windows line endings")
    removed = lab_page.page.locator(".diff del").all_text_contents()
    added = lab_page.page.locator(".diff ins").all_text_contents()
    assert removed == [f"{line.replace('+ ', '- ', 1)}\\x0d" for line in added]
    script.write_text("".join(f"{line.removeprefix('+ ')}\n" for line in added), encoding="utf-8")
    expect_hello(lab_page)


def test_it_leads_to_the_exchange(lab_page: LabPage, script: Path) -> None:
    script.chmod(0o644)
    open_failure(lab_page, f"{script.name}?leads=1")
    sentence = lab_page.page.locator("h1").text_content()
    lab_page.page.get_by_role("link", name="The whole exchange").click()

    expect(lab_page.page.locator("h2.title")).to_have_text("GET /cgi-bin/hello.sh?leads=1 500")
    diagnosis = lab_page.page.locator(".diagnosis")
    expect(diagnosis.get_by_role("heading")).to_have_text(sentence or "")
    assert diagnosis.locator(".type").all_text_contents() == ["chmod +x cgi-bin/hello.sh"]
    link = diagnosis.get_by_role("link", name="More about this cause").get_attribute("href")
    assert link == f"{MANUAL}#not-executable"


def test_nothing_that_a_script_writes_is_html(lab_page: LabPage, script: Path) -> None:
    script.write_text("#!/bin/sh\necho '<img src=x onerror=alert(1)><b>' >&2\nexit 1\n", encoding="utf-8")
    open_failure(lab_page, f"{script.name}?<b>x=1")

    expect(lab_page.page.locator(".evidence")).to_contain_text("<img src=x onerror=alert(1)><b>")
    assert lab_page.page.locator("main img, main b").count() == 0
    lab_page.page.get_by_role("link", name="The whole exchange").click()
    expect(lab_page.page.locator(".diagnosis")).to_contain_text("<img src=x onerror=alert(1)><b>")
    assert lab_page.page.locator("main img, main b").count() == 0


WINDOWS = [
    pytest.param({"viewport": {"width": width, "height": 800}, "color_scheme": scheme}, id=f"{width}px, {scheme}")
    for width, scheme in ((360, "light"), (360, "dark"), (1280, "light"), (1280, "dark"))
]
LONG = b"x = '" + b"long" * 100 + b"'"
BROKEN = {
    "line endings": b"#!/bin/sh\r\necho hello\r\n",
    "a traceback": b"#!/usr/bin/python3\n" + LONG + b"\nraise ValueError(x)\n",
    "nothing known": b"#!/bin/sh\nkill -USR1 $$\n",
}


@pytest.mark.parametrize("lab_page", WINDOWS, indirect=True)
@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_it_is_accessible_and_scrolls_in_one_direction(lab_page: LabPage, script: Path, content: bytes) -> None:
    script.write_bytes(content)
    open_failure(lab_page, f"{script.name}?{'a-long-query' * 30}")

    def check() -> None:
        result = Axe().run(lab_page.page)
        assert result.response["violations"] == [], result.generate_report()
        size = lab_page.page.viewport_size
        assert size is not None
        assert lab_page.page.evaluate("document.documentElement.scrollWidth") == size["width"]

    expect(lab_page.page.locator("h1")).to_be_visible()
    check()
    lab_page.page.get_by_role("link", name="The whole exchange").click()
    expect(lab_page.page.locator(".diagnosis")).to_be_visible()
    check()


def test_a_page_that_was_not_found_names_what_there_is(lab_page: LabPage) -> None:
    open_failure(lab_page, "web_2.py", 404)

    expect(lab_page.page.locator("h1")).to_contain_text("web_2.py")
    expect(lab_page.page.locator(".evidence")).to_contain_text("web_02.py")
