"""The lab's page in a browser, watched: whatever it complains of, and whatever it asks of others, fails the test."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.running_lab import RunningLab

# Milliseconds. What is waited for takes a second at most, on a machine that does nothing else.
TIMEOUT = 15_000


@dataclass
class LabPage:
    """The page, and what tests do with it.

    Attributes:
        page: as Playwright sees it.
        url: the address of the lab.
        complaints: errors and warnings of the page's script and of the browser, so far.
        requests: the addresses that were asked for, so far.
    """

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Start to note complaints and requests."""
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type in {"error", "warning"} else None,
        )

    def open(self, query: str = "") -> None:
        """Go to the page, with a query such as ``?exchange=ID``."""
        self.page.goto(f"{self.url}/lab/{query}")

    def item(self, mark: str) -> Locator:
        """Return the link of the list whose target holds a mark."""
        return self.page.locator("#exchanges a").filter(has=self.page.locator(".target", has_text=mark))

    def open_exchange(self, mark: str) -> None:
        """Go to the page, and open the exchange whose target holds a mark."""
        self.open()
        self.item(mark).click()
        expect(self.page.locator("h2.title .target")).to_contain_text(mark)

    def panel(self, name: str) -> Locator:
        """Return one of the four panels by its heading."""
        return self.page.get_by_role("region", name=name)

    def rows(self, panel: str) -> list[tuple[str, ...]]:
        """Return the rows of a panel, each as the texts of its parts."""
        found = self.panel(panel).locator(".row").all()
        return [tuple(part.strip() for part in row.locator("> *").all_text_contents()) for row in found]

    def fill_form(self, method: str, path: str, parameters: str, headers: str = "") -> None:
        """Fill the form in, and send it."""
        self.page.get_by_text("Send a request").click()
        self.page.get_by_label("Method").select_option(method)
        self.page.get_by_label("Path").fill(path)
        self.page.get_by_label("Parameters").fill(parameters)
        self.page.get_by_label("Headers").fill(headers)
        self.page.get_by_role("button", name="Send").click()


def call(lab: RunningLab, path: str, headers: dict[str, str] | None = None) -> requests.Response:
    """Call the lab as a program does, with nothing but these headers and what http needs."""
    return requests.get(f"{lab.url}{path}", headers=headers, timeout=10, allow_redirects=False)


@pytest.fixture(scope="session", autouse=True)
def patience() -> None:
    """What tests expect of a page, they wait for as long as this."""
    expect.set_options(timeout=TIMEOUT)


@pytest.fixture
def lab_page(browser: Browser, lab: RunningLab, request: pytest.FixtureRequest) -> Iterator[LabPage]:
    """The page in a window of its own. A test may ask for other options of the window, as the fixture's parameter."""
    options = {"viewport": {"width": 1280, "height": 800}, "timezone_id": "UTC", **getattr(request, "param", {})}
    context = browser.new_context(**options, permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(TIMEOUT)
    opened = LabPage(context.new_page(), lab.url)
    opened.watch()
    yield opened
    context.close()
    assert opened.complaints == []
    elsewhere = [url for url in opened.requests if not url.startswith((f"{lab.url}/", f"blob:{lab.url}/", "data:"))]
    assert elsewhere == []
