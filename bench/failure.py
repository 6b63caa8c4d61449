"""What the page behind a failure costs: `make bench-failure`.

Two labs run side by side, one as it is, one with ONLINE=1, where httpd's own message is all that there is. Rounds of
requests for scripts that fail go to each in turn, and in each round an interpreter is started in the container: the
page may cost as much as one. A slow moment of the machine meets all three, and all kinds of failure; what counts is the
ratio within a round.
About a minute.
"""

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from cgilab.project.engine import prepare
from tests.support.running_lab import RunningLab, running_lab
from tests.support.wire import send

ROUNDS = 25
REQUESTS = 8

BROKEN = {
    "no execute permission": (b"#!/bin/sh\n", 0o644),
    "Windows line endings": (b"#!/usr/bin/env python3\r\nprint('x')\r\n", 0o755),
    "a traceback": (b"#!/usr/bin/python3 -IS\n1 / 0\n", 0o755),
    "a debug print": (b"#!/bin/sh\necho debug\n", 0o755),
}

# Runs in the container: how long a start takes there, without the time that `docker exec` takes.
START = (
    "import os, sys, time; start = time.perf_counter()\n"
    "for _ in range(int(sys.argv[1])): os.waitpid(os.posix_spawn('/usr/bin/python3', sys.argv[2:], os.environ), 0)\n"
    "print((time.perf_counter() - start) / int(sys.argv[1]))"
)


def seconds_of(lab: RunningLab, name: str) -> float:
    """Return how long one request for a script takes, over new connections."""
    begin = time.perf_counter()
    for _ in range(REQUESTS):
        if send(lab.port, f"GET /cgi-bin/{name} HTTP/1.0", "Host: localhost").status != 500:  # noqa: PLR2004 - HTTP
            raise RuntimeError(f"{name} did not fail")
    return (time.perf_counter() - begin) / REQUESTS


def start_of(lab: RunningLab, *options: str) -> float:
    """Return how long an interpreter that does nothing takes in the container."""
    command = ["python3", "-c", START, str(REQUESTS), "python3", *options, "-c", "pass"]
    return float(lab.compose.execute(*command))


def main() -> int:
    """Measure and print."""
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        for folder in folders:
            folder.chmod(0o755)
        settings = prepare()
        page = stack.enter_context(running_lab(folders[0], settings))
        bare = stack.enter_context(running_lab(folders[1], {**settings, "ONLINE": "1"}))
        names = {label: f"{label.replace(' ', '_')}.py" for label in BROKEN}
        for label, (content, mode) in BROKEN.items():
            for lab in (page, bare):
                (lab.cgi_bin / names[label]).write_bytes(content)
                (lab.cgi_bin / names[label]).chmod(mode)
        rounds: dict[str, list[tuple[float, float, float]]] = {label: [] for label in BROKEN}
        for _ in range(ROUNDS):
            for label, name in names.items():
                rounds[label].append((seconds_of(page, name), seconds_of(bare, name), start_of(page)))
        print("| milliseconds, medians | with the page | bare | the page | an interpreter's start | ratio |")
        print("| --- | --- | --- | --- | --- | --- |")
        for label, measured in rounds.items():
            one, other, start = (statistics.median(column) * 1000 for column in zip(*measured, strict=True))
            costs = [with_page - without for with_page, without, _ in measured]
            ratio = statistics.median(cost / begin for cost, (_, _, begin) in zip(costs, measured, strict=True))
            cost = statistics.median(costs) * 1000
            print(f"| {label} | {one:.1f} | {other:.1f} | {cost:.1f} | {start:.1f} | {ratio:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
