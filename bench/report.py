"""What was measured, as Markdown: the part of docs/benchmarks.md that `make bench` writes."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.cases import BUSY, COMPARED, CROWDED, FORM, FULL_FOLDER, GROWTH, TIME, Case
from bench.floors import EXECUTED, FORK, Reached
from bench.measuring import Figures, Measured
from bench.servers import PEERS, WAYS
from cgilab.errors import LabError

BEGIN = "<!-- make bench writes from here -->"
END = "<!-- to here -->"

LABELS = {**WAYS, **PEERS}

# The pair that shows what keeping connections alive costs.
STALL = (Case(TIME, 1), Case(TIME, 1, kept_alive=True))


@dataclass(frozen=True)
class Spread:
    """A figure of several rounds.

    Attributes:
        median: that of all rounds; of a ratio, the ratio of the medians.
        least: that of one round.
        most: that of another.
    """

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{number(self.median)} ({number(self.least)} to {number(self.most)})"


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of the values of several rounds."""
    return Spread(statistics.median(values), min(values), max(values))


def ratio(ones: Sequence[float], others: Sequence[float]) -> Spread:
    """Return the ratio of two medians, and the least and the greatest ratio within a round."""
    within = [one / other for one, other in zip(ones, others, strict=True)]
    return Spread(statistics.median(ones) / statistics.median(others), min(within), max(within))


def number(value: float) -> str:
    """Return a figure with three digits that count: 1234, 123, 12.3, 1.23, 0.123 becomes 0.12."""
    return f"{value:.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"  # noqa: PLR2004 - digits


def rates(figures: Iterable[Figures]) -> list[float]:
    """Return the requests a second of each round."""
    return [each.load.rate for each in figures]


def best_peer(measured: Measured, case: Case) -> str:
    """Return the name of the peer that serves the most requests a second in a case, by its median."""
    peers = [name for name in measured.servers if name in PEERS]
    return max(peers, key=lambda name: statistics.median(rates(measured.figures[case, name])))


def write_into(page: str, section: str) -> str:
    """Return a page with this section between the two marks.

    Raises:
        LabError: the page has no such marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise LabError(f"docs/benchmarks.md lacks the lines {BEGIN} and {END}, between which the figures are written.")
    return f"{before}{begin}\n\n{section.strip()}\n\n{end}{after}"


def section(measured: Measured, machine: Sequence[str]) -> str:
    """Return all tables.

    Args:
        measured: all that `make bench` measures.
        machine: sentences about the machine and the versions.
    """
    parts = [
        " ".join(machine),
        "![Requests a second of each server](plots/throughput.svg)",
        "### Requests a second\n\nMedians of the rounds, least to most.\n\n" + throughput(measured),
        "### Against the best peer\n\nRatios of these medians, and the least and the greatest ratio within a round.\n\n"
        + against_peers(measured),
        "### Milliseconds to an answer\n\nHalf of the answers came within the first figure, 99 of 100 within the "
        "second; medians of the rounds.\n\n" + latencies(measured),
        "![How long an answer takes](plots/latency.svg)",
        "### Kept-alive connections\n\n`web_02.py` over one connection, milliseconds: p50 and p99.\n\n"
        + kept_alive(measured),
        "### Processor time and memory\n\nMilliseconds of processor time for each request, of all the server's "
        "processes.\n\n" + processor(measured),
        f"MB that the server took at most in addition while {CROWDED[0].connections} connections asked, for each of "
        "them.\n\n" + memory(measured),
        "### Against the floors\n\n" + floors(measured),
        "### Growth\n\n" + growth(measured),
        "![Requests a second by connections](plots/growth.svg)",
        failures(measured),
    ]
    return "\n\n".join(parts)


def throughput(measured: Measured) -> str:
    """Return the table of requests a second."""
    return by_server(measured, "requests a second", lambda figures: str(spread(rates(figures))))


def latencies(measured: Measured) -> str:
    """Return the table of the times to an answer."""
    return by_server(measured, "milliseconds, p50 and p99", waiting)


def processor(measured: Measured) -> str:
    """Return the table of processor time."""
    return by_server(
        measured, "milliseconds", lambda figures: number(statistics.median(each.processor for each in figures))
    )


def memory(measured: Measured) -> str:
    """Return the table of memory."""

    def most(figures: Sequence[Figures]) -> str:
        return number(statistics.median(each.memory for each in figures if each.memory is not None))

    return by_server(measured, "MB", most, CROWDED)


def waiting(figures: Sequence[Figures]) -> str:
    """Return the medians of p50 and p99."""
    return " / ".join(
        number(statistics.median(values))
        for values in ([each.load.p50 for each in figures], [each.load.p99 for each in figures])
    )


def by_server(
    measured: Measured,
    heading: str,
    cell: Callable[[Sequence[Figures]], str],
    cases: Sequence[Case] = COMPARED,
) -> str:
    """Return a table with a line for each case and a column for each server."""
    lines = [
        [case.label, *(cell(measured.figures[case, name]) for name in measured.servers)]
        for case in cases
        if (case, measured.servers[0]) in measured.figures
    ]
    return table([heading, *(LABELS[name] for name in measured.servers)], lines)


def against_peers(measured: Measured) -> str:
    """Return the table of the lab's ways against the best peer of each case, and of spawn against Apache."""
    ways = [name for name in measured.servers if name in WAYS]
    lines = []
    for case in COMPARED:
        if (case, ways[0]) not in measured.figures:
            continue
        peer = best_peer(measured, case)
        against = [(way, peer) for way in ways] + [("spawn", "apache")]
        ratios = [
            ratio(rates(measured.figures[case, way]), rates(measured.figures[case, name])) for way, name in against
        ]
        lines.append([case.label, LABELS[peer], *map(str, ratios)])
    heads = [f"{LABELS[way]} against it" for way in ways]
    return table(["ratio", "the best peer", *heads, "spawn against Apache, mod_cgid"], lines)


def kept_alive(measured: Measured) -> str:
    """Return the table of a kept-alive connection and a new one for each request."""
    lines = [[LABELS[name], *(waiting(measured.figures[case, name]) for case in STALL)] for name in measured.servers]
    return table(["p50 / p99", "a new connection for each request", "one connection"], lines)


def floors(measured: Measured) -> str:
    """Return the tables of the floors, and of the lab's ways against them."""
    reached = [
        [floor.label, str(spread([each.rate for each in found])), number(middle(found))]
        for floor, found in measured.floors.items()
    ]
    lines = []
    for script, floor in EXECUTED.items():
        found = measured.floors.get(floor, [])
        figures = measured.figures.get((Case(script, BUSY), "spawn"), [])
        if found and figures:
            by_rate = ratio(rates(figures), [each.rate for each in found])
            by_time = ratio([each.processor for each in figures], [each.processor for each in found])
            lines.append([f"spawn, {script.label}", floor.label, str(by_rate), str(by_time)])
    for script in (TIME, FORM):
        figures = measured.figures.get((Case(script, BUSY), "forkserver"), [])
        if figures and FORK in measured.floors:
            found = measured.floors[FORK]
            by_rate = ratio(rates(figures), [each.rate for each in found])
            by_time = ratio([each.processor for each in figures], [each.processor for each in found])
            lines.append([f"forkserver, {script.label}", FORK.label, str(by_rate), str(by_time)])
    return (
        table([f"floor, {BUSY} processes at once", "times a second", "milliseconds of processor time"], reached)
        + "\n\n"
        + table(["8 connections", "against", "requests a second, ratio", "processor time a request, ratio"], lines)
    )


def middle(found: Sequence[Reached]) -> float:
    """Return the median of the processor time of a floor."""
    return statistics.median(each.processor for each in found)


def growth(measured: Measured) -> str:
    """Return the tables of more connections, and of more scripts in the folder."""
    ways = [name for name in measured.servers if name in WAYS]
    lines = []
    for way in ways:
        medians = {case: statistics.median(rates(measured.figures[case, way])) for case in GROWTH}
        peak = max(medians.values())
        failed = sum(each.load.errors for case in GROWTH for each in measured.figures[case, way])
        shares = [f"{number(rate)}, {rate / peak:.0%}" for rate in medians.values()]
        crowded = ratio(
            rates(measured.figures[FULL_FOLDER, way]), rates(measured.figures[Case(TIME, FULL_FOLDER.connections), way])
        )
        lines.append([LABELS[way], *shares, str(failed), str(crowded)])
    heads = [f"{case.connections}" for case in GROWTH]
    return (
        f"{TIME.label}: requests a second with so many connections, and the share of the peak; and with "
        f"{FULL_FOLDER.crowd} scripts beside it in `cgi-bin/` against none, {FULL_FOLDER.connections} connections.\n\n"
        + table(["connections", *heads, "failed", f"{FULL_FOLDER.crowd} scripts, ratio"], lines)
    )


def failures(measured: Measured) -> str:
    """Return a sentence about each server of which requests failed."""
    said = []
    for name in measured.servers:
        failed = sum(
            each.load.errors for (_, server), figures in measured.figures.items() if server == name for each in figures
        )
        if failed:
            said.append(f"{LABELS[name]}: {failed} requests failed.")
    return "\n".join(said) or "No request failed."


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *lines))
