"""The localhost page, as far as it needs no lab: what PHP adds to it, and that it stays a page."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, strategies

from cgilab.web.description import (
    Database,
    Description,
    Failed,
    Fault,
    Httpd,
    Page,
    Php,
    Service,
    Site,
    VirtualHost,
)
from cgilab.web.home import as_html

NOTHING = Description(
    debian=None,
    httpd=Httpd(None, None, None, [], [], [], []),
    python="3.13.5",
    php=Php(None, [], None, "it does not run"),
    database=Database(None, "it does not run"),
    services=[],
    projects=[],
    pages=[],
    sites=[],
    failures=[],
)
RUNNING = replace(NOTHING, php=Php("8.4.28", ["curl", "gd"], True, None), database=Database("11.8.9", None))

TOOLS = re.compile(r'<nav aria-label="Tools"><ul>(.*?)</ul>', re.DOTALL)
ROW = re.compile(r"<dt>(.*?)</dt><dd>(.*?)</dd>")


def tools(found: Description) -> list[tuple[str, str]]:
    """Return the links of the page's head."""
    (head,) = TOOLS.findall(as_html(found))
    return re.findall('<a href="(.*?)">(.*?)</a>', head)


def test_what_does_not_run_is_not_linked() -> None:
    assert tools(NOTHING) == [("/lab/", "Exchanges"), ("/lab/troubleshooting", "Troubleshooting")]


def test_what_runs_is() -> None:
    assert tools(RUNNING) == [
        ("/lab/", "Exchanges"),
        ("/adminer/", "Adminer"),
        ("/lab/phpinfo", "phpinfo"),
        ("/lab/troubleshooting", "Troubleshooting"),
    ]


def test_what_is_not_known_is_said_not_to_be() -> None:
    assert ROW.findall(as_html(NOTHING)) == [
        ("Apache httpd", '<span class="absent">not known</span>'),
        ("Server", '<span class="absent">not known</span>'),
        ("Python", "3.13.5"),
        ("Scripts", "started anew for each request"),
        ("PHP", '<span class="absent">it does not run</span>'),
        ("MariaDB", '<span class="absent">it does not run</span>'),
    ]


def test_that_scripts_are_forked_is_said() -> None:
    forked = replace(NOTHING, httpd=replace(NOTHING.httpd, defines=["FORKSERVER", "FOREGROUND"]))

    assert ROW.findall(as_html(forked))[3] == ("Scripts", "forked from one interpreter")


def test_the_versions_of_php_and_the_database() -> None:
    assert ROW.findall(as_html(RUNNING))[4:] == [("PHP", "8.4.28, with OPcache"), ("MariaDB", "11.8.9")]


def test_the_extensions_of_php() -> None:
    text = as_html(RUNNING)

    assert re.findall("<summary>(.*?)</summary>", text) == ['Extensions of PHP <span class="amount">2</span>']
    assert re.findall("<li>(curl|gd)</li>", text) == ["curl", "gd"]


def test_php_without_its_cache_says_so() -> None:
    assert ROW.findall(as_html(replace(RUNNING, php=Php("8.4.28", [], False, None))))[4] == (
        "PHP",
        "8.4.28, without OPcache",
    )


def test_a_long_list_is_cut() -> None:
    pages = [Page(f"{number}.html", f"/{number}.html") for number in range(502)]
    text = as_html(replace(NOTHING, pages=pages))

    assert len(re.findall(r'href="/\d+\.html"', text)) == 500
    assert re.findall("… and .* more", text) == ["… and 2 more"]


def test_levels_are_counted() -> None:
    levels = ["OK", "ERR", None, "OK", "WARN"]
    services = [Service(f"{number}", f"/cgi-bin/{number}", level, []) for number, level in enumerate(levels)]
    text = as_html(replace(NOTHING, services=services))

    assert "2 OK, 1 WARN, 1 ERR, 1 not judged, as <code>make check</code> says" in text
    assert re.findall('<span class="code ([a-z]*)">', text) == ["good", "bad", "", "good", "warn"]


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("/shop/", True),
        ("http://shop.localhost:8080/", True),
        ("https://shop.localhost/", True),
        ("javascript:alert(1)", False),
        ("//elsewhere.example/", False),
        ("/\\elsewhere.example/", False),
        ("data:text/html,x", False),
        (" javascript:alert(1)", False),
    ],
)
def test_only_an_address_of_a_page_is_a_link(url: str, is_link: bool) -> None:
    text = as_html(replace(NOTHING, sites=[Site("x", "alias", [url], None, True, None)]))

    assert (f'href="{url}"' in text) is is_link


class Reader(HTMLParser):
    """Reads a page, and remembers what is in it.

    Attributes:
        tags: the names of its elements.
        handlers: the attributes that would run something, or load it.
        texts: what is written.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.handlers: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element."""
        self.tags.add(tag)
        self.handlers |= {name for name, _ in attrs if name.startswith("on") or name in {"src", "style", "srcdoc"}}

    def handle_data(self, data: str) -> None:
        """Remember a text."""
        self.texts.append(data)


# What belongs together stays on a line: the formatter would give each its own.
TAGS = {
    "a", "body", "code", "dd", "details", "div", "dl", "dt", "h1", "h2", "head", "header", "html", "li", "link", "main",
    "meta", "nav", "p", "section", "span", "summary", "time", "title", "ul",
}  # fmt: skip
HOSTILE = ["<script>alert(1)</script>", '" onclick="x', "' src=x '", "\x00\x1b[2J"]


@given(strategies.text() | strategies.sampled_from(HOSTILE))
def test_whatever_it_shows_it_stays_a_page(hostile: str) -> None:
    fault = Fault(hostile, hostile, True, [hostile])
    host = VirtualHost(hostile, [hostile], hostile, hostile)
    found = Description(
        debian=hostile,
        httpd=Httpd(hostile, hostile, hostile, [hostile], [hostile], [hostile], [host]),
        python=hostile,
        php=Php(hostile, [hostile], True, hostile),
        database=Database(hostile, hostile),
        services=[Service(hostile, hostile, "ERR", [fault])],
        projects=[Page(hostile, hostile)],
        pages=[Page(hostile, None)],
        sites=[Site(hostile, hostile, [hostile], hostile, False, hostile)],
        failures=[Failed(hostile, 0, hostile, hostile, 500, hostile)],
    )
    reader = Reader()
    reader.feed(as_html(found))

    assert reader.tags <= TAGS
    assert reader.handlers == set()
    assert all(text.replace("\n", "").isprintable() for text in reader.texts)
