"""How often httpd stalls a request because the script before it has not quite ended: `make bench-stall`.

Two labs run side by side, one as it is, one whose httpd the kernel schedules as it does any other process. One client
asks each in turn for a script, and right after that for a file, over a connection that it keeps or over new ones. What
counts is how long the file takes: a kept connection has to wait while httpd waits for the script; on a new connection
another process of httpd answers. A request counts as stalled when it takes 40 ms more than the median; the wait is
47 ms. What new connections have of such requests is the machine's own.
About a minute.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

from cgilab.project.engine import ROOT, prepare
from tests.support.running_lab import RunningLab, running_lab

ROUNDS = 10
REQUESTS = 40
STALL = 0.040
SHELL = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nhello\\n'\n"
SERVICES = {"hello.sh": "a two-line shell script", "web_02.py": "`web_02.py`"}

# Starts httpd without what docker/web/start does before.
ORDINARY = """
services:
  web:
    command: ["/usr/local/lib/cgi-lab/httpd", "-D", "FOREGROUND"]
"""


@contextmanager
def labs() -> Iterator[dict[str, RunningLab]]:
    """Start the two labs, and remove them at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        override = folder / "ordinary.yaml"
        override.write_text(ORDINARY, encoding="utf-8")
        settings = prepare()
        ordinary = {**settings, "COMPOSE_FILE": f"{ROOT / 'compose.yaml'}:{override}"}
        running = {}
        for label, own in (("as it is", settings), ("ordinary scheduling", ordinary)):
            home = folder / label.replace(" ", "-")
            home.mkdir()
            lab = stack.enter_context(running_lab(home, own))
            script = lab.cgi_bin / "hello.sh"
            script.write_text(SHELL, encoding="utf-8")
            script.chmod(0o755)
            running[label] = lab
        yield running


def seconds(lab: RunningLab, name: str, kept: bool) -> list[float]:
    """Return how long a file takes that is asked for right after a script, some times over.

    Args:
        lab: the lab that is asked.
        name: the service.
        kept: all over one connection, or each over a new one.
    """
    taken = []
    connection = HTTPConnection("127.0.0.1", lab.port, timeout=30)
    for _ in range(REQUESTS):
        ask(connection, f"/cgi-bin/{name}", kept)
        begin = time.perf_counter()
        ask(connection, "/index.html", kept)
        taken.append(time.perf_counter() - begin)
    connection.close()
    return taken


def ask(connection: HTTPConnection, path: str, kept: bool) -> None:
    """Send a request and read the whole answer."""
    connection.request("GET", path, headers={} if kept else {"Connection": "close"})
    with connection.getresponse() as answer:
        answer.read()
    if answer.status != HTTPStatus.OK:
        raise RuntimeError(f"{path} answered {answer.status}")


def stalled(taken: list[float]) -> float:
    """Return the share of requests that took `STALL` longer than the median."""
    bound = statistics.median(taken) + STALL
    return sum(each > bound for each in taken) / len(taken)


def main() -> int:
    """Measure and print."""
    with labs() as running:
        cases = [(name, kept, label) for name in SERVICES for kept in (True, False) for label in running]
        taken: dict[tuple[str, bool, str], list[float]] = {case: [] for case in cases}
        for _ in range(ROUNDS):
            for case in cases:
                name, kept, label = case
                taken[case] += seconds(running[label], name, kept)
    print("| a file after | connection | httpd | stalled | p50, ms | p99, ms |\n| --- | --- | --- | --- | --- | --- |")
    for (name, kept, label), times in taken.items():
        p50, p99 = (statistics.quantiles(times, n=100)[percent - 1] * 1000 for percent in (50, 99))
        connections = "kept" if kept else "new"
        print(f"| {SERVICES[name]} | {connections} | {label} | {stalled(times):.1%} | {p50:.1f} | {p99:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
