"""The floors, under which no server can come: what a script's start takes where nobody serves it.

For spawn and for the peers that is to execute the script; for forkserver it is to fork an interpreter that has loaded
what forkserver loads, and to end. Both are done in the lab's own container, in as many processes at once as there are
connections.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from bench.cases import BUSY, FORM, SHELL, TIME, Case, Script
from bench.servers import Server
from cgilab.forkserver.loading import USUAL
from cgilab.project.engine import docker

PROGRAM = Path(__file__).with_name("floor_program.py")
SECONDS = 1.0


@dataclass(frozen=True)
class Floor:
    """One floor.

    Attributes:
        label: how the tables call it.
        script: what is executed; None where an interpreter forks.
    """

    label: str
    script: Script | None = None


FORK = Floor("fork and exit of a loaded interpreter")
EXECUTED = {script: Floor(f"execution of {script.label}", script) for script in (TIME, FORM, SHELL)}


def beside(case: Case) -> tuple[Floor, ...]:
    """Return the floors that are measured right after a case: those under it."""
    if case.connections != BUSY or case.kept_alive or case.crowd or case.script not in EXECUTED:
        return ()
    return (EXECUTED[case.script], FORK) if case.script is FORM else (EXECUTED[case.script],)


@dataclass(frozen=True)
class Reached:
    """What came of a floor in one round.

    Attributes:
        rate: how often a second it was done.
        processor: milliseconds of processor time for each.
    """

    rate: float
    processor: float


def parse(printed: str) -> Reached:
    """Read what floor_program.py has printed."""
    told = json.loads(printed)
    return Reached(told["done"] / told["seconds"], told["processor"] * 1e3 / told["done"])


def measure(server: Server, floor: Floor, seconds: float = SECONDS) -> Reached:
    """Measure a floor.

    Args:
        server: one of the lab's, in whose container it is measured.
        floor: of `EXECUTED`, or `FORK`.
        seconds: how long.

    Raises:
        LabError: the script failed.
    """
    what = ["fork", str(BUSY), str(seconds), *USUAL]
    if floor.script:
        what = ["exec", str(BUSY), str(seconds), floor.script.query, f"/srv/cgi-bin/{floor.script.file}"]
    program = PROGRAM.read_text(encoding="utf-8")
    return parse(docker("exec", "--interactive", str(server.container.id), "python3", "-", *what, given=program))
