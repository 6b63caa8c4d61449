"""Adminer, phpinfo and a page of PHP in a browser."""

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from cgilab.project.engine import ROOT
from tests.browser.conftest import TIMEOUT, LabPage
from tests.support.running_lab import RunningLab


@pytest.fixture
def window(browser: Browser, wamp: RunningLab, request: pytest.FixtureRequest) -> Iterator[LabPage]:
    """A window; whatever a page in it complains of, and whatever it asks of others, fails the test."""
    options = {"viewport": {"width": 1280, "height": 800}, **getattr(request, "param", {})}
    context = browser.new_context(**options)
    context.set_default_timeout(TIMEOUT)
    opened = LabPage(context.new_page(), wamp.url)
    opened.watch()
    yield opened
    context.close()
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith((f"{wamp.url}/", "data:"))] == []


@pytest.fixture
def people(wamp: RunningLab) -> Iterator[str]:
    """The address of the page that lists the table."""
    shutil.copy(ROOT / "www" / "people.php", wamp.www)
    yield f"{wamp.url}/people.php"
    (wamp.www / "people.php").unlink()


def log_in(page: Page, url: str, password: str) -> None:
    """Fill Adminer's form in, and send it."""
    page.goto(f"{url}/adminer/")
    page.locator("input[name='auth[username]']").fill("lab")
    page.locator("input[name='auth[password]']").fill(password)
    page.locator("input[name='auth[db]']").fill("lab")
    page.get_by_role("button", name="Login").click()


def cells(page: Page, table: str) -> list[list[str]]:
    """Return the rows of a table, each as the texts of its cells."""
    return [row.locator("td").all_text_contents() for row in page.locator(f"{table} tbody tr").all()]


def test_adminer_logs_in_and_browses_the_table(wamp: RunningLab, window: LabPage) -> None:
    page = window.page
    log_in(page, wamp.url, wamp.compose.execute("cat", "/run/secrets/db_password"))
    expect(page).to_have_title("Database: lab - db - Adminer")
    # Its style sheet is in force.
    expect(page.locator("#menu")).to_have_css("position", "absolute")
    page.locator("#menu").get_by_role("link", name="select").first.click()
    expect(page).to_have_title("Select: people - db - Adminer")
    page.wait_for_load_state()
    rows = [row[2:] for row in cells(page, "#table")]

    assert ["Lovelace", "Ada", "36"] in rows
    assert ["de la Huche", "Jean-Paul", "42"] in rows
    page.get_by_role("button", name="Logout").click()
    expect(page).to_have_title("Login - db - Adminer")


def test_adminer_keeps_out_who_has_a_wrong_password(wamp: RunningLab, window: LabPage) -> None:
    log_in(window.page, wamp.url, "wrong")

    expect(window.page.locator(".error")).to_contain_text("Access denied for user 'lab'@")
    assert window.complaints == ["Failed to load resource: the server responded with a status of 403 (Forbidden)"]
    window.complaints.clear()


def test_phpinfo(wamp: RunningLab, window: LabPage) -> None:
    page = window.page
    page.goto(f"{wamp.url}/lab/phpinfo")

    expect(page.locator("h1").first).to_contain_text("PHP Version 8.")
    assert page.evaluate("getComputedStyle(document.body).fontFamily") == "sans-serif"
    modules = {name.strip() for name in page.locator("h2 a[name^=module_]").all_text_contents()}
    assert modules >= {"curl", "gd", "intl", "mbstring", "mysqli", "pdo_mysql", "xml", "Zend OPcache", "zip"}


def test_people(window: LabPage, people: str) -> None:
    window.page.goto(people)

    expect(window.page).to_have_title("People")
    listed = [row for row in cells(window.page, "table") if row[0] in {"de la Huche", "Lovelace"}]
    assert listed == [["de la Huche", "Jean-Paul", "42"], ["Lovelace", "Ada", "36"]]


@pytest.mark.parametrize("window", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True)
def test_people_is_accessible(window: LabPage, people: str) -> None:
    window.page.goto(people)
    found = Axe().run(window.page)

    assert [violation["id"] for violation in found.response["violations"]] == []


def test_a_page_of_php_among_the_exchanges(window: LabPage, people: str) -> None:
    window.page.goto(f"{people}?mark=browser")
    window.open_exchange("mark=browser")

    assert ("Content-type", "text/html; charset=UTF-8", "script") in window.rows("Script printed")
