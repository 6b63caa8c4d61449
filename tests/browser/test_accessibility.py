"""The page /lab/ for those who use no mouse, a small window or a screen reader."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import LabPage, call
from tests.support.running_lab import RunningLab


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
    expect(lab_page.page.locator("h2.title")).to_be_focused()
    lab_page.page.get_by_role("button", name="Compare two").press("Enter")

    expect(lab_page.page.locator("h2.title")).to_contain_text("Two exchanges")
    expect(lab_page.page.locator("h2.title")).to_be_focused()
    lab_page.page.get_by_label("Second").press("ArrowDown")
    expect(lab_page.page.get_by_label("Second")).to_be_focused()


@pytest.mark.parametrize(
    ("lab_page", "order"),
    [
        pytest.param(
            {"viewport": {"width": 360, "height": 800}}, ["sent", "received", "printed", "given"], id="narrow"
        ),
        pytest.param({"viewport": {"width": 640, "height": 800}}, ["sent", "received", "printed", "given"], id="640px"),
    ],
    indirect=["lab_page"],
)
def test_what_the_client_received_comes_before_the_environment(
    lab: RunningLab, lab_page: LabPage, order: list[str], request: pytest.FixtureRequest
) -> None:
    mark = f"mark=order-{request.node.callspec.id}"
    call(lab, f"/cgi-bin/web_02.py?{mark}")
    lab_page.open_exchange(mark)
    tops = {
        name: lab_page.page.evaluate(f"document.querySelector('.panel.{name}').getBoundingClientRect().top")
        for name in order
    }

    assert sorted(tops, key=tops.__getitem__) == order


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
