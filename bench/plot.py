"""The plots of docs/benchmarks.md, as SVG. On white, so that they can be read in GitHub's dark theme too."""

import statistics
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.cases import BUSY, COMPARED, FORM, GROWN, TIME, Case
from bench.measuring import Measured
from bench.report import LABELS, number, rates, spread
from bench.servers import WAYS

# The lab's ways in green, the peers in grey; the bars bear their names, and the lines have markers.
COLOURS = {"forkserver": "#0b6e4f", "spawn": "#3aa17e"}
PEER_COLOURS = ("#6b7280", "#8a94a6", "#a8b0bd", "#c3c9d2")
PEER_MARKERS = ("s", "^", "D", "v")
INK = "#1f2328"

SHOWN = (Case(TIME, BUSY), Case(FORM, BUSY))
STYLE = {
    "axes.edgecolor": "#8c959f",
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.constrained_layout.h_pad": 0.12,
    "figure.constrained_layout.w_pad": 0.12,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "savefig.facecolor": "white",
    # The same figures make the same file.
    "svg.hashsalt": "cgi-lab",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def write_plots(measured: Measured, folder: Path) -> None:
    """Write throughput.svg, latency.svg and growth.svg into a folder."""
    folder.mkdir(exist_ok=True)
    with mpl.rc_context(STYLE):
        for name, figure in {
            "throughput": throughput(measured),
            "latency": latency(measured),
            "growth": growth(measured),
        }.items():
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            pyplot.close(figure)


def throughput(measured: Measured) -> Figure:
    """Draw how many requests each server answers in a second."""
    figure, panels = pyplot.subplots(1, len(SHOWN), figsize=(9, 3), layout="constrained")
    for axes, case in zip(panels, SHOWN, strict=True):
        rounds = [spread(rates(measured.figures[case, name])) for name in measured.servers]
        medians = [each.median for each in rounds]
        reach = ([each.median - each.least for each in rounds], [each.most - each.median for each in rounds])
        bars(axes, measured.servers, medians, [number(median) for median in medians], reach)
        axes.set_title(case.label.replace("`", ""))
        axes.set_xlabel("requests a second; median, least and most")
    return figure


def latency(measured: Measured) -> Figure:
    """Draw how long half and 99 of 100 answers take with each server."""
    figure, panels = pyplot.subplots(1, len(SHOWN), figsize=(9, 3), layout="constrained")
    for axes, case in zip(panels, SHOWN, strict=True):
        loads = [[each.load for each in measured.figures[case, name]] for name in measured.servers]
        halves = [statistics.median(load.p50 for load in rounds) for rounds in loads]
        nearly_all = [statistics.median(load.p99 for load in rounds) for rounds in loads]
        labels = [f"{number(half)} … {number(most)}" for half, most in zip(halves, nearly_all, strict=True)]
        rest = [max(most - half, 0) for half, most in zip(halves, nearly_all, strict=True)]
        bars(axes, measured.servers, halves, labels, ([0.0] * len(rest), rest))
        axes.set_title(case.label.replace("`", ""))
        axes.set_xlabel("milliseconds; bar: half of the answers, line: 99 of 100")
    return figure


def bars(
    axes: Axes,
    servers: Sequence[str],
    lengths: Sequence[float],
    labels: Sequence[str],
    reach: tuple[Sequence[float], Sequence[float]],
) -> None:
    """Draw a bar for each server, the first on top.

    Args:
        axes: where.
        servers: their names.
        lengths: of the bars.
        labels: what stands after each.
        reach: how far a thin line goes from the end of each bar, to the left and to the right.
    """
    places = range(len(servers))
    axes.barh(places, lengths, color=colours(servers), height=0.7)
    axes.errorbar(lengths, places, xerr=reach, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
    for place, length, label, right in zip(places, lengths, labels, reach[1], strict=True):
        axes.annotate(label, (length + right, place), xytext=(5, 0), textcoords="offset points", va="center")
    axes.set_yticks(places, [LABELS[name] for name in servers])
    axes.invert_yaxis()
    # Room for what stands after the longest.
    axes.set_xlim(0, 1.35 * max(length + right for length, right in zip(lengths, reach[1], strict=True)))


def growth(measured: Measured) -> Figure:
    """Draw how many requests are answered in a second while more and more are under way."""
    figure, axes = pyplot.subplots(figsize=(9, 3.4), layout="constrained")
    cases = [case for case in COMPARED if case.script is TIME and not case.kept_alive]
    markers = iter(PEER_MARKERS)
    for name, colour in zip(measured.servers, colours(measured.servers), strict=True):
        of_server = sorted([*cases, GROWN] if name in WAYS else cases, key=lambda case: case.connections)
        medians = [statistics.median(rates(measured.figures[case, name])) for case in of_server]
        way = name in WAYS
        axes.plot(
            [case.connections for case in of_server],
            medians,
            color=colour,
            label=LABELS[name],
            linestyle="-" if way else "--",
            linewidth=2 if way else 1.2,
            marker="o" if way else next(markers),
            markersize=5,
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks([case.connections for case in sorted([*cases, GROWN], key=lambda case: case.connections)])
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.set_ylim(bottom=0)
    axes.set_title(f"{TIME.label.replace('`', '')}, each request over a new connection")
    axes.set_xlabel("connections")
    axes.set_ylabel("requests a second")
    figure.legend(loc="outside right center", frameon=False)
    return figure


def colours(servers: Sequence[str]) -> list[str]:
    """Return a colour for each server."""
    of_peers = iter(PEER_COLOURS)
    return [COLOURS.get(name) or next(of_peers) for name in servers]
