"""How the forkserver waits: for descriptors, and for whoever reads its log."""

import os
import sys
from collections.abc import Iterator
from threading import Thread

import pytest

from cgilab.forkserver import log

if sys.platform != "linux":
    pytest.skip("the forkserver runs in the container, which is Linux", allow_module_level=True)

from cgilab.forkserver.waiting import NEVER, READABLE, Waiting


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_an_event_does_not_reach_the_next_owner_of_its_descriptor(pipe: tuple[int, int]) -> None:
    """Both are readable; whichever comes first gives the other to somebody else."""
    waiting = Waiting()
    first, second = pipe[0], os.dup(pipe[0])
    called: list[str] = []

    def let_go_of(other: int) -> None:
        called.append("an owner")
        waiting.forget(other)
        waiting.watch(other, READABLE, lambda _events: called.append("the next owner"))

    waiting.watch(first, READABLE, lambda _events: let_go_of(second))
    waiting.watch(second, READABLE, lambda _events: let_go_of(first))
    os.write(pipe[1], b"x")
    waiting.wait(NEVER)
    os.close(second)

    assert called == ["an owner"]


def test_lines_of_which_nobody_takes_any_are_lost(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "PATIENCE", 0.01)
    os.set_blocking(pipe[1], False)
    log.write(pipe[1], bytes(1_000_000))

    assert len(os.read(pipe[0], 1_000_000)) == 65_536


def test_lines_wait_for_a_reader_who_takes_his_time(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    lines = bytes(range(256)) * 4000
    writing = Thread(target=log.write, args=(pipe[1], lines))
    writing.start()
    read = b""
    while len(read) < len(lines):
        read += os.read(pipe[0], 10_000)
    writing.join()

    assert read == lines


def test_lines_are_lost_where_nobody_reads_any_more() -> None:
    end, other = os.pipe()
    os.close(end)
    log.write(other, b"a line\n")
    os.close(other)
