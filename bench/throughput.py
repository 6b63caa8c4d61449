"""How fast the lab is beside other servers of CGI: `make bench`.

It builds the peers from Debian's packages on the lab's own base image, runs them and the lab's ways of starting a
script side by side, and sends each the same load in turn. About eleven minutes; one with --quick, of which nothing is
written down.

Exit code: 0 measured; 1 not, and the lines on stderr say why.
"""

import argparse
import os
import signal
import sys

from bench import plot, report
from bench.cases import ALL, QUICK
from bench.machine import describe
from bench.measuring import Measured, measure_rounds
from bench.servers import WAYS, running_servers, say
from cgilab.errors import LabError
from cgilab.project.engine import ROOT, prepare

ROUNDS = 5
PAGE = ROOT / "docs" / "benchmarks.md"
PLOTS = ROOT / "docs" / "plots"


def main() -> int:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of two cases, which is printed alone")
    # Ended by another program, it cleans up as it does for Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        measure(quick=parser.parse_args().quick)
    except LabError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("ended before its time; nothing was written, and nothing is left running")
        return 128 + signal.SIGINT
    return 0


def measure(*, quick: bool) -> None:
    """Measure; then print, and but for a quick run write into docs/.

    Raises:
        LabError: something cannot be built or started, or does not answer.
    """
    page = PAGE.read_text(encoding="utf-8")
    report.write_into(page, "")  # complains now, and not in ten minutes
    load = os.getloadavg()[0]
    with running_servers(list(WAYS), prepare()) as servers:
        machine = [*describe(servers), f"Load average before: {load:.1f}."]
        measured = measure_rounds(servers, QUICK if quick else ALL, 1 if quick else ROUNDS)
    if quick:
        print(*quick_tables(measured), sep="\n\n")
        return
    written = report.section(measured, machine)
    print(written)
    PAGE.write_text(report.write_into(page, written), encoding="utf-8", newline="\n")
    plot.write_plots(measured, PLOTS)
    say(f"wrote {PAGE.relative_to(ROOT)} and {PLOTS.relative_to(ROOT)}/")


def quick_tables(measured: Measured) -> list[str]:
    """Return the tables for which a quick run suffices."""
    make = (report.throughput, report.against_peers, report.latencies, report.processor, report.floors)
    return [table(measured) for table in make]


if __name__ == "__main__":
    sys.exit(main())
