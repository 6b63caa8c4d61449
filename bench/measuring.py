"""One measurement of one server, and the rounds of them."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from threading import Event, Thread

from bench import floors
from bench.cases import MANY, Case, put_crowd
from bench.floors import Floor, Reached
from bench.load import Load
from bench.servers import Server, say

# How often the memory is looked at while the load lasts.
SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Figures:
    """What one measurement has found.

    Attributes:
        load: what wrk says.
        processor: milliseconds of the server's processor time for each request.
        memory: the MB that the server took at most in addition to what it held before, for each connection; None where
            it was not looked at.
    """

    load: Load
    processor: float
    memory: float | None = None


@dataclass(frozen=True)
class Measured:
    """All rounds.

    Attributes:
        servers: the names of those that were measured, as `bench.servers` has them.
        figures: for each case and server, the figures of each round.
        floors: for each floor, those of each round.
    """

    servers: Sequence[str]
    figures: Mapping[tuple[Case, str], list[Figures]] = field(default_factory=dict)
    floors: Mapping[Floor, list[Reached]] = field(default_factory=dict)


def measure(server: Server, case: Case) -> Figures:
    """Measure a server once.

    Raises:
        LabError: no request was answered.
    """
    used, held = server.usage()
    with _watched(server, looks=case.connections == MANY) as seen:
        load = server.load(case)
    server.rest()
    # wrk leaves when the time is over, with a request under way on each connection: the server has served them too.
    served = load.requests + case.connections
    processor = (server.usage()[0] - used) * 1e3 / served
    return Figures(load, processor, (max(seen) - held) / case.connections if seen else None)


@contextmanager
def _watched(server: Server, *, looks: bool) -> Iterator[list[float]]:
    """Look at the memory of a server again and again; yield the list that the findings, in MB, come into."""
    seen: list[float] = []
    over = Event()

    def look() -> None:
        while not over.wait(SAMPLE_SECONDS):
            seen.append(server.usage()[1])

    thread = Thread(target=look)
    if looks:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        if looks:
            thread.join()


def measure_rounds(servers: Sequence[Server], cases: Sequence[Case], rounds: int) -> Measured:
    """Measure every server with every case, and the floors beside it, in each of several rounds.

    A slow moment of the machine meets all servers, since each case goes to one after the other before the next begins.

    Raises:
        LabError: no request was answered.
    """
    figures: dict[tuple[Case, str], list[Figures]] = {}
    reached: dict[Floor, list[Reached]] = {}
    home = next(server for server in servers if not server.is_peer)
    for number in range(1, rounds + 1):
        begin = time.monotonic()
        for case in cases:
            # None always comes after the same other, and all runs have the same order.
            drawn = Random(f"{number} {case}")  # noqa: S311 - an order is no secret
            for server in drawn.sample(servers, len(servers)):
                if case.peers or not server.is_peer:
                    with _crowded(server, case.crowd):
                        figures.setdefault((case, server.name), []).append(measure(server, case))
            for floor in floors.beside(case):
                reached.setdefault(floor, []).append(floors.measure(home, floor))
        say(f"round {number} of {rounds} took {time.monotonic() - begin:.0f} s")
    return Measured([server.name for server in servers], figures, reached)


@contextmanager
def _crowded(server: Server, count: int) -> Iterator[None]:
    """Have so many further scripts in the folder of the services."""
    paths = put_crowd(server.cgi_bin, count)
    try:
        yield
    finally:
        for path in paths:
            path.unlink()
