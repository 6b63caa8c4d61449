"""The moments of a script's process, in memory that it shares with the server."""

import os
import re
import time
from itertools import pairwise

import pytest

from cgilab.exchanges.exchange import Marks
from cgilab.exchanges.httpd_log import exchange
from cgilab.forkserver import marks
from tests.unit.test_httpd_log import STARTED, access, line

FORKED = "proxy:scgi://forkserver/srv/cgi-bin/web_03.py"


def in_a_child(*steps: str, then: str = "") -> None:
    """Do steps in a fork of this process, and `then` in a fork of that."""
    child = os.fork()
    if child == 0:
        for step in steps:
            getattr(marks, step)()
        if then and os.fork() == 0:
            getattr(marks, then)()
            os._exit(0)
        if then:
            os.wait()
        os._exit(0)
    os.waitpid(child, 0)


def numbers(told: str) -> list[int]:
    """Return the moments that are told: start, code, end."""
    return [int(number) for number in re.findall(r"\d{16}", told)]


def test_a_child_notes_its_moments_for_the_server() -> None:
    before = time.time_ns() // 1000
    place = marks.Pool().take()
    in_a_child("begin", "end")
    told = marks.told(place, header=True)
    moments = [before, *numbers(told), time.time_ns() // 1000]

    assert re.fullmatch(r"start \d{16}, code \d{16}, imports - and -, end \d{16}", told)
    assert all(one <= other for one, other in pairwise(moments))


@pytest.mark.parametrize(
    ("steps", "then"), [((), "end"), (("begin",), "end")], ids=["no script", "a child of the script"]
)
def test_only_the_process_of_a_script_notes_its_end(steps: tuple[str, ...], then: str) -> None:
    place = marks.Pool().take()
    in_a_child(*steps, then=then)

    assert marks.told(place, header=False).endswith(", end -")


def test_a_place_is_used_again_without_what_was_noted() -> None:
    pool = marks.Pool()
    first = pool.take()
    in_a_child("begin", "end")
    first[marks.IMPORTS] = 7
    pool.give_back(first)
    second = pool.take()

    assert second is first
    assert list(second)[1:] == [0] * (marks.MARKS - 1)


def test_there_is_a_place_for_every_script() -> None:
    pool = marks.Pool()
    places = [pool.take() for _ in range(2 * marks.SCRIPTS + 1)]
    for number, place in enumerate(places):
        place[marks.END] = number

    assert [place[marks.END] for place in places] == list(range(len(places)))


def test_imports_are_told_before_and_after_the_first_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks._own, "watches", True)
    place = marks.Pool().take()
    place[marks.IMPORTS] = 2_000_999
    marks.mark_header(place)
    place[marks.IMPORTS] += 300_001

    assert re.findall(r"imports .*(?=,)", marks.told(place, header=True)) == ["imports 2000 and 301"]
    assert re.findall(r"imports .*(?=,)", marks.told(place, header=False)) == ["imports 2301 and 0"]


def test_what_is_told_can_be_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks._own, "watches", True)
    place = marks.Pool().take()
    for number, micro in enumerate((STARTED + 500, STARTED + 1900, 20, 15, STARTED + 2500)):
        place[number] = micro * 1000 + 999
    words = f"ended: exit code 0; 0.1 s of processor time; {marks.told(place, header=True)}"
    one = exchange([line(400000, words, level="forkserver:debug"), access(SCRIPT_FILENAME=FORKED)])

    assert one.marks == Marks(start=500, code=1900, imports=15, later_imports=5, end=2500)


@pytest.mark.parametrize("number", [-1, -(2**63), 2**63 - 1])
def test_whatever_a_script_has_written_there_is_told_as_a_number(number: int) -> None:
    place = marks.Pool().take()
    place[marks.CODE] = number

    assert f"code {number // 1000 if number > 0 else '-'}, " in marks.told(place, header=False)
