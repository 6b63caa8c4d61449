"""The page behind each failure of the museum, in the forms that people read."""

import re
from html.parser import HTMLParser

import pytest

from tests.museum.beginners import WRITTEN_BY_BEGINNERS
from tests.museum.piece import Piece
from tests.museum.serving import BROKEN, ask, rows
from tests.support.running_lab import RunningLab
from tests.support.wire import parse

# Elements of HTML that have no end tag.
VOID = {"base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}


# A page is made by the same code whatever the cause, so that one piece a cause says enough of its other forms.
ONE_A_CAUSE = rows(
    tuple({piece.cause: piece for piece in reversed(BROKEN) if piece.has_page and piece.pace == "quick"}.values())
)
# What beginners write looks like the page itself, so that this test could not tell them apart.
WITH_MARKUP = rows(
    tuple(
        piece
        for piece in BROKEN
        if piece.has_page
        and piece.pace == "quick"
        and b"<" in (piece.content or b"")
        and piece not in WRITTEN_BY_BEGINNERS
    )
)


@pytest.mark.parametrize("piece", ONE_A_CAUSE)
def test_the_page_as_text(lab: RunningLab, piece: Piece) -> None:
    answer = parse(ask(lab, piece, "*/*"))

    assert answer.values("Content-Type") == ["text/plain; charset=utf-8"]
    assert piece.cause in answer.body.decode()


class Elements(HTMLParser):
    """Checks that every element of a document is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base's name
        """Remember what is open."""
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened last."""
        assert self.open.pop() == tag


@pytest.mark.parametrize("piece", ONE_A_CAUSE)
def test_the_page_as_html(lab: RunningLab, piece: Piece) -> None:
    answer = parse(ask(lab, piece, "text/html"))
    assert answer.values("Content-Type") == ["text/html; charset=utf-8"]
    text = answer.body.decode()
    elements = Elements()
    elements.feed(text)
    elements.close()

    assert elements.open == []
    assert piece.cause in text


@pytest.mark.parametrize("piece", WITH_MARKUP)
def test_the_page_takes_nothing_of_a_script_for_markup(lab: RunningLab, piece: Piece) -> None:
    answer = parse(ask(lab, piece, "text/html"))
    lines = (piece.content or b"").decode("latin-1").splitlines()
    markup = [*re.findall(r"<[^>\s]+[^>]*>", "\n".join([piece.name, *lines])), *(line for line in lines if "<" in line)]
    document = answer.body.decode("latin-1")
    own = {
        "<html>",
        "<body>",
        "<h1>",
        "</h1>",
        "</body>",
        "</html>",
        "<p>",
        "</p>",
        "<!doctype html>",
        "<title>",
        "</title>",
        "<b>",
        "</b>",
    }

    assert answer.values("Content-Type") == ["text/html; charset=utf-8"]
    assert [part for part in markup if part not in own and part in document] == []
