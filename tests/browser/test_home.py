"""The localhost page in a browser: what it leads to, with a keyboard too, in any width and either colour scheme."""

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.conftest import LabPage, call
from tests.support.recorded import recorded
from tests.support.running_lab import RunningLab

HELLO = "#!/bin/sh\nprintf 'Content-Type: text/html\\n\\n<link rel=icon href=data:,>hello\\n'\n"
WITHOUT_EMPTY_LINE = '#!/usr/bin/env python3\nprint("Content-Type: text/plain")\nprint("Hello")\n'
LONG = f"{'a-long-name-' * 15}.sh"
SITES = """[
    {"name": "a-long-name-of-a-virtual-host.localhost", "kind": "vhost", "folder": "/srv/www/a-long-name-of-a-folder",
     "urls": ["http://a-long-name-of-a-virtual-host.localhost:8080/"], "in_force": false,
     "error": "AH00526: Syntax error on line 3 of /run/httpd/sites/a-long-name-of-a-virtual-host.localhost.conf"},
    {"name": "shop", "kind": "alias", "urls": ["/shop/"], "folder": "/srv/shop", "in_force": true, "error": null}
]"""


@pytest.fixture
def home(lab: RunningLab) -> Iterator[RunningLab]:
    """A lab without an index, and with something of everything that the page shows."""
    index, aside = lab.www / "index.html", lab.www.parent / "index.html"
    index.rename(aside)
    (lab.www / "shop").mkdir()
    (lab.www / "shop" / "index.html").write_text(
        "<!doctype html><html lang=en><link rel=icon href=data:,><title>shop</title>", encoding="utf-8"
    )
    (lab.www / "empty").mkdir()
    services = {"sound.sh": HELLO, "broken.py": WITHOUT_EMPTY_LINE, LONG: HELLO}
    for name, text in services.items():
        (lab.cgi_bin / name).write_text(text, encoding="utf-8")
        (lab.cgi_bin / name).chmod(0o755)
    lab.compose.execute("sh", "-c", "cat >/run/httpd/sites.json", given=SITES)
    yield lab
    lab.compose.execute("rm", "/run/httpd/sites.json")
    for name in services:
        (lab.cgi_bin / name).unlink()
    for name in ("shop", "empty"):
        shutil.rmtree(lab.www / name)
    aside.rename(index)


def open_home(lab_page: LabPage) -> None:
    """Go to the page."""
    lab_page.page.goto(f"{lab_page.url}/")
    expect(lab_page.page).to_have_title("localhost")


def test_a_service_is_opened(home: RunningLab, lab_page: LabPage) -> None:
    assert home.url == lab_page.url
    open_home(lab_page)
    lab_page.page.get_by_role("link", name="sound.sh", exact=True).click()

    expect(lab_page.page.locator("body")).to_have_text("hello")


@pytest.mark.usefixtures("home")
def test_a_service_is_ready_to_be_traced(lab_page: LabPage) -> None:
    open_home(lab_page)
    lab_page.page.get_by_role("link", name="Trace sound.sh").click()
    expect(lab_page.page.get_by_role("button", name="Send")).to_be_focused()
    lab_page.page.keyboard.press("Enter")

    expect(lab_page.page.locator("h2.title")).to_have_text("GET /cgi-bin/sound.sh 200")


@pytest.mark.usefixtures("home")
def test_the_chapters_service_is_traced_with_its_parameters(lab_page: LabPage) -> None:
    open_home(lab_page)
    lab_page.page.get_by_role("link", name="Trace web_03.py").click()
    lab_page.page.get_by_role("button", name="Send").click()

    expect(lab_page.page.locator("h2.title")).to_contain_text("GET /cgi-bin/web_03.py?last_name=de+la+Huche")


def test_a_path_that_leads_elsewhere_is_not_sent(lab_page: LabPage) -> None:
    lab_page.open("?send=//example.org/x")
    lab_page.page.get_by_role("button", name="Send").click()

    expect(lab_page.page.locator("#send-status")).to_have_text(
        "This page may send to the lab alone: start the path with one /"
    )


@pytest.mark.usefixtures("home")
def test_a_fault_leads_to_its_cause(lab_page: LabPage) -> None:
    open_home(lab_page)
    lab_page.page.get_by_role("link", name="Why no-blank-line").first.click()

    expect(lab_page.page).to_have_url(f"{lab_page.url}/lab/troubleshooting#no-blank-line")
    expect(lab_page.page.locator("#title-no-blank-line")).to_be_in_viewport()


def test_a_failure_leads_to_its_exchange(home: RunningLab, lab_page: LabPage) -> None:
    call(home, "/cgi-bin/none.py?mark=failure-of-home")
    identifier = recorded(home, "mark=failure-of-home")["id"]
    open_home(lab_page)
    lab_page.page.get_by_role("link", name="GET /cgi-bin/none.py?mark=failure-of-home").click()

    expect(lab_page.page).to_have_url(f"{lab_page.url}/lab/?exchange={identifier}")
    expect(lab_page.page.locator("h2.title")).to_have_text("GET /cgi-bin/none.py?mark=failure-of-home 404")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Exchanges", "/lab/"),
        ("Troubleshooting", "/lab/troubleshooting"),
        ("shop/", "/shop/"),
        ("cgi-lab", "/lab/home"),
    ],
)
def test_where_its_links_lead(lab_page: LabPage, name: str, path: str) -> None:
    open_home(lab_page)
    with lab_page.page.expect_navigation() as navigation:
        lab_page.page.get_by_role("link", name=name, exact=True).click()

    assert navigation.value.status == 200
    expect(lab_page.page).to_have_url(f"{lab_page.url}{path}")


@pytest.mark.usefixtures("home")
def test_a_list_of_what_is_inside_is_opened(lab_page: LabPage) -> None:
    open_home(lab_page)
    modules = lab_page.page.locator("details", has_text="Modules of httpd")
    expect(modules.get_by_text("unique_id", exact=True)).to_be_hidden()
    modules.locator("summary").press("Enter")

    expect(modules.get_by_text("unique_id", exact=True)).to_be_visible()


def test_it_needs_no_javascript(home: RunningLab, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(home.url)

    expect(page.get_by_role("region")).to_have_count(6)
    expect(page.get_by_role("link", name="sound.sh", exact=True)).to_be_visible()
    context.close()


@pytest.mark.usefixtures("home")
def test_a_keyboard_is_enough(lab_page: LabPage) -> None:
    open_home(lab_page)
    focused = []
    for _ in range(8):
        lab_page.page.keyboard.press("Tab")
        focused.append(lab_page.page.evaluate("document.activeElement.textContent.trim()"))
        outline = lab_page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", focused[-1]

    assert focused == [
        "Skip to the services",
        "cgi-lab",
        "Exchanges",
        "Troubleshooting",
        LONG,
        f"Trace {LONG}",
        *("body.py", "Trace body.py"),
    ]


@pytest.mark.usefixtures("home")
def test_the_head_can_be_skipped(lab_page: LabPage) -> None:
    open_home(lab_page)
    for key in ("Tab", "Enter", "Tab"):
        lab_page.page.keyboard.press(key)

    expect(lab_page.page.get_by_role("link", name=LONG, exact=True)).to_be_focused()


WINDOWS = [
    pytest.param({"viewport": {"width": width, "height": 800}, "color_scheme": scheme}, id=f"{width}px, {scheme}")
    for width, scheme in ((320, "light"), (360, "dark"), (1280, "light"), (1280, "dark"), (1920, "light"))
]


@pytest.mark.parametrize("lab_page", WINDOWS, indirect=True)
def test_it_is_accessible_and_scrolls_in_one_direction(
    home: RunningLab, lab_page: LabPage, request: pytest.FixtureRequest
) -> None:
    mark = f"mark={request.node.callspec.id.replace(' ', '')}-"
    call(home, "/cgi-bin/broken.py")
    call(home, f"/cgi-bin/none.py?{mark * 30}")
    recorded(home, mark)
    open_home(lab_page)
    for summary in lab_page.page.locator("summary").all():
        summary.click()

    result = Axe().run(lab_page.page)
    assert result.response["violations"] == [], result.generate_report()
    width = lab_page.page.viewport_size
    assert width is not None
    assert lab_page.page.evaluate("document.documentElement.scrollWidth") == width["width"]


@pytest.mark.parametrize("lab_page", WINDOWS[:1], indirect=True)
@pytest.mark.usefixtures("home")
def test_where_it_is_narrow_the_services_come_first(lab_page: LabPage) -> None:
    open_home(lab_page)
    headings = lab_page.page.locator("section h2")
    tops = headings.evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)")

    # What belongs together stays on a line: the formatter would give each its own.
    assert headings.all_text_contents() == [
        "Services", "Last failures", "Servers", "Pages", "Aliases and virtual hosts", "Inside",
    ]  # fmt: skip
    assert tops == sorted(tops)
