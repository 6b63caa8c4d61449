"""What was logged about a failed request, and the page behind it, from the recorder to that page."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, strategies

from cgilab.exchanges.logged import LINES_BYTES, QUESTION, framed, lines_of, lines_part, parts
from cgilab.web import answering
from cgilab.web.answering import CHILDREN, Answers, Respond
from cgilab.web.asking import ask

NAME = "awMIyXRKo4MBT2MszytqoAAAAAI"
FIRST = b"2026-11-22 13:52:53.356114"
LINES = [FIRST + b" cgi:error one", FIRST + b" cgi:error two"]
ASKED = f"{QUESTION} {os.getpid()}\n"

Answer = tuple[list[str], bytes, bytes]


def exchange(folder: Path, answer: Callable[[int], None], *, patience: float = 10.0) -> Answer:
    """Ask, and answer as the recorder does: when the question is there."""
    read, write = os.pipe()
    saved = os.dup(2)
    os.dup2(write, 2)
    os.close(write)

    def recorder() -> None:
        with os.fdopen(read) as log:
            assert log.readline() == ASKED
        answer(os.getpid())

    thread = threading.Thread(target=recorder)
    thread.start()
    try:
        return ask(NAME, folder=str(folder), patience=patience)
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        thread.join()


def exchange_lines(folder: Path, lines: list[bytes]) -> list[str]:
    """Ask a recorder that makes no pages."""
    told, words, response = exchange(folder, lambda page: Answers(folder=str(folder)).answer(NAME, page, FIRST, lines))
    assert (words, response) == (b"", b"")
    return told


def test_what_was_logged_is_told_in_its_order(tmp_path: Path) -> None:
    assert exchange_lines(tmp_path, LINES) == [line.decode() for line in (FIRST, *LINES)]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    exchange_lines(tmp_path, LINES)

    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_made_where_it_is_missing(tmp_path: Path) -> None:
    assert exchange_lines(tmp_path / "new", []) == [FIRST.decode()]


def test_of_what_does_not_fit_the_last_lines_are_told() -> None:
    lines = [b"%d " % number + b"x" * 8000 for number in range(100)]
    first, *told = lines_of(lines_part(FIRST, lines))

    assert first == FIRST.decode()
    assert told == [line.decode() for line in lines[-(LINES_BYTES // 8003) :]]


# --- The page, made by a child of the recorder -----------------------------------------------------

WORDS = "explained: x\n"
RESPONSE = b"Status: 500\n\n" + b"x" * 300_000


def respond(_environment: Mapping[str, str], lines: list[str], page: int) -> tuple[str, bytes]:
    """Make a response that is longer than a pipe holds."""
    assert (lines, page) == ([line.decode() for line in (FIRST, *LINES)], os.getppid())
    return WORDS, RESPONSE


def hang(_environment: Mapping[str, str], _lines: list[str], _page: int) -> tuple[str, bytes]:
    """Never come to an end."""
    while True:
        time.sleep(1)


def crash(_environment: Mapping[str, str], _lines: list[str], _page: int) -> tuple[str, bytes]:
    """End as by a fault of the interpreter."""
    os.abort()


def fail(_environment: Mapping[str, str], _lines: list[str], _page: int) -> tuple[str, bytes]:
    """Raise what no one expects."""
    raise SystemExit(1)


def swell(_environment: Mapping[str, str], _lines: list[str], _page: int) -> tuple[str, bytes]:
    """Take more memory than there is for it."""
    return "", b"x" * (1 << 40)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What stands in /proc for the environment of this process, which was made before it knew its request."""
    made = {"environ": f"A=1\0UNIQUE_ID={NAME}\0B=2\0".encode()}
    monkeypatch.setattr(answering, "environment_of", lambda _page: made["environ"])
    monkeypatch.setattr(answering, "wait_for", lambda _process: None)
    monkeypatch.setattr(answering, "MEMORY_BYTES", 8_000_000_000)  # the tests' process is larger than the recorder
    return made


def exchange_page(folder: Path, make: Respond) -> Answer:
    """Ask a recorder that makes pages."""
    answers = Answers(make, folder=str(folder))
    return exchange(folder, lambda page: answers.answer(NAME, page, FIRST, list(LINES)))


@pytest.mark.usefixtures("environment")
def test_the_page_is_made_by_a_child(tmp_path: Path) -> None:
    told, words, response = exchange_page(tmp_path, respond)

    assert (told, words, response) == ([line.decode() for line in (FIRST, *LINES)], WORDS.encode(), RESPONSE)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("wrong", [hang, crash, fail, swell])
def test_of_a_child_that_fails_the_lines_are_there(tmp_path: Path, wrong: Respond) -> None:
    assert exchange_page(tmp_path, wrong) == ([line.decode() for line in (FIRST, *LINES)], b"", b"")


def test_a_page_of_another_request_is_not_answered(tmp_path: Path, environment: dict[str, bytes]) -> None:
    environment["environ"] = b"UNIQUE_ID=another\0"

    assert exchange_page(tmp_path, respond) == ([line.decode() for line in (FIRST, *LINES)], b"", b"")


def test_the_children_are_few_and_are_collected(tmp_path: Path, environment: dict[str, bytes]) -> None:
    answers = Answers(hang, folder=str(tmp_path))
    read = []
    for number in range(CHILDREN + 1):
        os.mkfifo(tmp_path / str(number))
        read.append(os.open(tmp_path / str(number), os.O_RDONLY | os.O_NONBLOCK))
        environment["environ"] = f"UNIQUE_ID={number}".encode()
        answers.answer(str(number), os.getpid(), FIRST, [])
    children = set(answers.children)
    last = parts(os.read(read[-1], LINES_BYTES))
    # Each comes to its end by itself, and closes its side.
    for fifo in read[:-1]:
        os.set_blocking(fifo, True)
        while os.read(fifo, LINES_BYTES):
            pass
    for child in children:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    answers.reap()
    for fifo in read:
        os.close(fifo)

    assert (len(children), last) == (CHILDREN, [FIRST + b"\n"])
    assert answers.children == set()


WHOLE = framed(lines_part(FIRST, LINES), b"explained: x\n", b"Status: 500\n\nx", b"")


@given(strategies.integers(0, len(WHOLE) - 1))
def test_an_answer_that_breaks_off_is_none(length: int) -> None:
    assert len(parts(WHOLE[:length])) < 4


@given(strategies.lists(strategies.binary(max_size=200), max_size=5))
def test_parts_can_be_read_back(some: list[bytes]) -> None:
    assert parts(framed(*some)) == some


@given(strategies.binary(max_size=200))
def test_garbage_is_no_page(garbage: bytes) -> None:
    assert len(parts(garbage)) < 4 or garbage.count(b"\n") >= 4


def test_a_fifo_that_somebody_else_fills_is_no_page(tmp_path: Path) -> None:
    def answer(_page: int) -> None:
        fifo = os.open(tmp_path / NAME, os.O_WRONLY | os.O_NONBLOCK)
        os.write(fifo, b"3\nabc-1\nx9999999999\n")
        os.close(fifo)

    assert exchange(tmp_path, answer) == ([], b"", b"")


# --- Where something is wrong ----------------------------------------------------------------------


def test_a_recorder_that_does_not_answer_is_not_waited_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ask(NAME, folder=str(tmp_path), patience=0.01) == ([], b"", b"")
    assert capfd.readouterr().err == ASKED


def plant_nothing(path: Path) -> None:
    """A name that is free."""


def plant_file(path: Path) -> None:
    """A file in the FIFO's place."""
    path.write_text("planted", encoding="utf-8")


def plant_link(path: Path) -> None:
    """A symbolic link that leads elsewhere."""
    path.symlink_to(path.parent / "elsewhere")


def plant_fifo(path: Path) -> None:
    """A FIFO that nobody reads."""
    os.mkfifo(path)


PLANTED = [plant_file, plant_link, plant_fifo]


@pytest.mark.parametrize("plant", PLANTED)
def test_the_page_does_without_what_it_has_not_made(
    tmp_path: Path, plant: type, capfd: pytest.CaptureFixture[str]
) -> None:
    plant(tmp_path / NAME)

    assert ask(NAME, folder=str(tmp_path), patience=10) == ([], b"", b"")
    assert capfd.readouterr().err == ASKED
    assert os.path.lexists(tmp_path / NAME)


@pytest.mark.parametrize("plant", [plant_nothing, *PLANTED])
def test_the_recorder_writes_into_nothing_but_a_fifo_that_is_read(tmp_path: Path, plant: type) -> None:
    (tmp_path / "elsewhere").write_text("before", encoding="utf-8")
    plant(tmp_path / NAME)
    before = sorted(tmp_path.iterdir())
    Answers(respond, folder=str(tmp_path)).answer(NAME, os.getpid(), FIRST, LINES)

    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "elsewhere").read_text(encoding="utf-8") == "before"
    if plant is plant_file:
        assert (tmp_path / NAME).read_text(encoding="utf-8") == "planted"


@pytest.mark.parametrize("name", ["", "..", "../a", "a/b", "a b", "x" * 65, "-\n"])
def test_a_name_that_is_none_of_a_request_is_not_opened(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "a").write_text("", encoding="utf-8")
    Answers(respond, folder=str(folder)).answer(name, os.getpid(), FIRST, LINES)

    assert ask(name, folder=str(folder), patience=0.01) == ([], b"", b"")
    assert capfd.readouterr().err == ASKED
    assert (list(folder.iterdir()), (tmp_path / "a").read_text(encoding="utf-8")) == ([], "")
