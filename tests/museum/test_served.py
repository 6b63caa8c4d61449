"""What the lab answers for each piece of the museum, and what it has recorded about it."""

import itertools
import json
import re
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from cgilab.diagnosis.programs import image
from tests.museum.piece import Piece, Placed, Sound
from tests.museum.serving import BROKEN, PLACED, SOUND, ask, rows
from tests.support.debian import DEBIAN
from tests.support.recorded import summaries
from tests.support.running_lab import RunningLab
from tests.support.wait import wait_until
from tests.support.wire import parse

PROBLEM = "application/problem+json"
STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) ")

ALL = rows(BROKEN)
WITH_PAGE = rows(tuple(piece for piece in BROKEN if piece.has_page))
WITHOUT_PAGE = rows(tuple(piece for piece in BROKEN if not piece.has_page))
RIGHT = [pytest.param(piece, id=ascii(piece.name)) for piece in SOUND]

# What came of each piece: all that was read from the connection.
Served = Mapping[Placed, bytes]


def mark_of(piece: Placed) -> str:
    """Return what stands in the URL of the first request for a piece, and of no other."""
    return f"piece={[*BROKEN, *SOUND].index(piece)}."


@pytest.fixture(scope="module")
def served(lab: RunningLab) -> Served:
    """The answer for each piece. Those that wait do it all at once; those that compute or use up memory come last."""
    with ThreadPoolExecutor(32) as patient, ThreadPoolExecutor(4) as few:

        def start(pace: str, threads: ThreadPoolExecutor) -> dict[Placed, "Future[bytes]"]:
            pieces: list[Placed] = [piece for piece in PLACED if piece.pace == pace]
            pieces += SOUND if pace == "quick" else ()
            return {piece: threads.submit(ask, lab, piece, PROBLEM, mark_of(piece)) for piece in pieces}

        sleeping = start("sleeping", patient)
        answers = {piece: one.result() for piece, one in start("quick", few).items()}
        answers |= {piece: one.result() for piece, one in sleeping.items()}
        answers |= {piece: one.result() for piece, one in start("busy", few).items()}
    return answers | {piece: ask(lab, piece, PROBLEM, mark_of(piece)) for piece in PLACED if piece.pace == "alone"}


# What the page /lab/exchanges/ID answers for each id, in one process: to start one for each takes minutes.
READ_ALL = """
import sys
from cgilab.web import pages
kept = pages.read()
pages.read = lambda: kept
for exchange in kept[0]:
    pages.exchanges({"REQUEST_METHOD": "GET", "PATH_INFO": "/" + exchange.id})
"""

Exchanges = Mapping[str, dict[str, Any]]


@pytest.fixture(scope="module")
def exchanges(lab: RunningLab, served: Served) -> Exchanges:
    """The recorded exchanges, by the marks in their URLs."""
    wanted = {mark_of(piece) for piece in served}
    with suppress(TimeoutError):  # the test of what is missing says so
        wait_until(lambda: wanted <= {_mark_in(one["target"]) for one in summaries(lab)}, timeout=5)
    read = lab.compose.execute("env", "PYTHONPATH=/usr/local/lib/cgi-lab", "python3", "-c", READ_ALL)
    found = [json.loads(line) for line in read.splitlines() if line.startswith("{")]
    return {_mark_in(one["target"]): one for one in found}


def _mark_in(target: str) -> str:
    return target.partition("?")[2].partition("&")[0]


def recorded(exchanges: Exchanges, piece: Placed) -> dict[str, Any]:
    """Return the exchange of a piece."""
    found = exchanges.get(mark_of(piece))
    assert found, "no exchange was recorded"
    return found


def status_of(answer: bytes) -> int | None:
    """Return the status code; None where there is no status line."""
    match = STATUS_LINE.match(answer)
    return int(match[1]) if match else None


def spaceless(text: str) -> str:
    return "".join(text.split())


def test_the_lab_has_the_programs_that_the_pieces_name(lab: RunningLab) -> None:
    programs = sorted(image(DEBIAN))

    assert lab.compose.execute("ls", *programs).split() == programs


def test_no_piece_takes_the_place_of_another() -> None:
    names = [
        *itertools.chain.from_iterable(piece.neighbours for piece in (*BROKEN, *SOUND)),
        *(piece.name for piece in (*BROKEN, *SOUND)),
    ]

    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("piece", ALL)
def test_status(served: Served, piece: Piece) -> None:
    assert status_of(served[piece]) == piece.status


@pytest.mark.parametrize("piece", ALL)
def test_messages(exchanges: Exchanges, piece: Piece) -> None:
    """How many lines of the log a script's words are is up to chance: httpd logs what it could read at once."""
    messages = [message["text"] for message in recorded(exchanges, piece)["messages"]]
    said = "".join(message.removeprefix(f"AH01215: stderr from /srv/cgi-bin/{piece.name}: ") for message in messages)

    if piece.says:
        assert spaceless(piece.says) in spaceless(said)
    else:
        assert messages == []


@pytest.mark.parametrize("piece", WITH_PAGE)
def test_the_page_names_the_first_cause(served: Served, piece: Piece) -> None:
    answer = parse(served[piece])
    assert answer.values("Content-Type") == [PROBLEM]
    problem = json.loads(answer.body)

    assert (problem["cause"], problem["status"]) == (piece.cause, piece.status)


@pytest.mark.parametrize("piece", WITHOUT_PAGE)
def test_the_exchange_names_the_first_cause(exchanges: Exchanges, piece: Piece) -> None:
    diagnosis = recorded(exchanges, piece)["diagnosis"]

    assert diagnosis["cause"] == piece.cause


@pytest.mark.parametrize("piece", RIGHT)
def test_what_is_sound_is_served(served: Served, piece: Sound) -> None:
    answer = parse(served[piece])

    assert answer.status == piece.status
    if piece.size is not None:
        assert len(answer.body) == piece.size
    if piece.body is not None:
        assert answer.body == piece.body
    assert [header for header in piece.headers if header not in answer.headers] == []


@pytest.mark.parametrize("piece", RIGHT)
def test_what_is_sound_is_not_blamed(exchanges: Exchanges, piece: Sound) -> None:
    assert recorded(exchanges, piece)["diagnosis"] is None
