"""How long the lab takes to start and to stop, and what it weighs: `make bench-start`.

Every round measures all commands in turn, so that a slow moment of the machine meets them all. Beside them stands the
least that the engine needs to start and end any container of the same image. About three minutes.

Exit code: 0 all is within the bounds, 1 something is not.
"""

import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from cgilab.project.engine import ROOT, docker, inspect
from cgilab.project.lab import DB, PHP, SERVERS, WEB

ROUNDS = 7

# What may be taken at most: seconds to all healthy once everything is built, and MB of an image.
FIRST_SECONDS = 20
SECONDS = 10
MEGABYTES = {WEB: 90, DB: 190, PHP: 190}


def seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    """Return how long a command takes that has to succeed, in seconds."""
    begin = time.monotonic()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return time.monotonic() - begin


def memory(container: str) -> tuple[float, float]:
    """Return what the processes of a container hold in memory, in MB.

    Returns:
        The sum of their RSS, in which pages that they share count for each, and of their Pss, where they count once;
        see proc_pid_smaps(5).
    """
    # As the server's own user, to whom alone a process shows its memory.
    held = "grep -h -e ^Rss: -e ^Pss: /proc/[0-9]*/smaps_rollup"
    rows = [line.split() for line in docker("exec", container, "sh", "-c", f"{held} || :").splitlines()]
    rss, pss = (sum(int(row[1]) for row in rows if row[0] == name) * 1024 / 1e6 for name in ("Rss:", "Pss:"))
    return rss, pss


def main() -> int:
    """Measure and print."""
    name = f"bench-{secrets.token_hex(4)}"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    environment = {**os.environ, "COMPOSE_PROJECT_NAME": name, "IMAGE_TAG": name, "PORT": port}
    images = {server: f"cgi-lab/{server}:{name}" for server in SERVERS}
    up = [sys.executable, "-m", "cgilab", "up"]
    wamp = [*up, "--wamp"]
    down = ["docker", "compose", "--profile", "wamp", "down"]
    first = "`make wamp`, the first start of an empty database"
    again = "`make wamp`, everything built"
    commands = {
        "`make up`, everything built": up,
        "`make up`, the lab running already": up,
        "`make down`": down,
        first: wamp,
        "`make down` of all servers": down,
        again: wamp,
        "`make down` of all servers, and their data": [*down, "--volumes"],
        "floor: `docker run --rm` of the web server's image, which ends at once": [
            "docker", "run", "--rm", images[WEB], "true",
        ],
    }  # fmt: skip
    seconds(wamp, environment)  # builds the images
    try:
        seconds([*down, "--volumes"], environment)
        taken: dict[str, list[float]] = {label: [] for label in commands}
        for _ in range(ROUNDS):
            for label, command in commands.items():
                taken[label].append(seconds(command, environment))
        seconds(wamp, environment)
        held = {server: memory(f"{name}-{server}-1") for server in SERVERS}
        sizes = {server: inspect("image", image)["Size"] / 1e6 for server, image in images.items()}
    finally:
        seconds([*down, "--volumes"], environment)
        docker("image", "rm", "--force", *images.values())
    print(f"| median of {ROUNDS} rounds | seconds | least to most |\n| --- | --- | --- |")
    for label, figures in taken.items():
        print(f"| {label} | {statistics.median(figures):.2f} | {min(figures):.2f} to {max(figures):.2f} |")
    print("\n| idle | image, MB | RSS, MB | Pss, MB |\n| --- | --- | --- | --- |")
    for server in SERVERS:
        print(f"| {server} | {sizes[server]:.0f} | {held[server][0]:.1f} | {held[server][1]:.1f} |")
    over = [
        f"{server}: {sizes[server]:.0f} MB, at most {most}"
        for server, most in MEGABYTES.items()
        if sizes[server] > most
    ]
    for label, most in ((first, FIRST_SECONDS), (again, SECONDS)):
        if statistics.median(taken[label]) > most:
            over.append(f"{label}: {statistics.median(taken[label]):.1f} s, at most {most}")
    for line in over:
        print(f"over its bound: {line}", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
