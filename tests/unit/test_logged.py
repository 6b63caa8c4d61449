"""What was logged about a failed request, from the recorder to the page behind the failure."""

import os
import threading
from pathlib import Path

import pytest

from cgilab.logged import ANSWER_BYTES, QUESTION, answer, ask

NAME = "awMIyXRKo4MBT2MszytqoAAAAAI"
FIRST = b"2026-11-22 13:52:53.356114"
LINES = [FIRST + b" cgi:error one", FIRST + b" cgi:error two"]


def exchange_words(folder: Path, lines: list[bytes], *, patience: float = 10.0) -> list[str]:
    """Ask, and answer as the recorder does: when the question is there."""
    read, write = os.pipe()
    saved = os.dup(2)
    os.dup2(write, 2)
    os.close(write)

    def recorder() -> None:
        with os.fdopen(read) as log:
            assert log.readline() == f"{QUESTION}\n"
        answer(NAME, FIRST, lines, folder=str(folder))

    thread = threading.Thread(target=recorder)
    thread.start()
    try:
        return ask(NAME, folder=str(folder), patience=patience)
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        thread.join()


def test_what_was_logged_is_told_in_its_order(tmp_path: Path) -> None:
    assert exchange_words(tmp_path, LINES) == [line.decode() for line in (FIRST, *LINES)]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    exchange_words(tmp_path, LINES)

    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_made_where_it_is_missing(tmp_path: Path) -> None:
    assert exchange_words(tmp_path / "new", []) == [FIRST.decode()]


def test_of_what_does_not_fit_the_last_lines_are_told(tmp_path: Path) -> None:
    lines = [b"%d " % number + b"x" * 8000 for number in range(100)]
    first, *told = exchange_words(tmp_path, lines)

    assert first == FIRST.decode()
    assert told == [line.decode() for line in lines[-(ANSWER_BYTES // 8003) :]]


def test_a_recorder_that_does_not_answer_is_not_waited_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ask(NAME, folder=str(tmp_path), patience=0.01) == []
    assert capfd.readouterr().err == f"{QUESTION}\n"


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

    assert ask(NAME, folder=str(tmp_path), patience=10) == []
    assert capfd.readouterr().err == f"{QUESTION}\n"
    assert os.path.lexists(tmp_path / NAME)


@pytest.mark.parametrize("plant", [plant_nothing, *PLANTED])
def test_the_recorder_writes_into_nothing_but_a_fifo_that_is_read(tmp_path: Path, plant: type) -> None:
    (tmp_path / "elsewhere").write_text("before", encoding="utf-8")
    plant(tmp_path / NAME)
    before = sorted(tmp_path.iterdir())
    answer(NAME, FIRST, LINES, folder=str(tmp_path))

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
    answer(name, FIRST, LINES, folder=str(folder))

    assert ask(name, folder=str(folder), patience=0.01) == []
    assert capfd.readouterr().err == f"{QUESTION}\n"
    assert (list(folder.iterdir()), (tmp_path / "a").read_text(encoding="utf-8")) == ([], "")
