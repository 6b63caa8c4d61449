"""How long the lab takes to start and to stop, and what it weighs: `make bench-start`.

Every round measures all commands in turn, so that a slow moment of the machine meets them all. Beside them stands the
least that the engine needs to start and end any container of the same image. About a minute.
"""

import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from cgilab.engine import ROOT, docker, inspect

ROUNDS = 7


def seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    """Return how long a command takes that has to succeed, in seconds."""
    begin = time.monotonic()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return time.monotonic() - begin


def memory(container: str) -> float:
    """Return what the processes of a container hold in memory, shared pages counted once (Pss), in MB."""
    listing = docker("exec", container, "sh", "-c", "grep -h ^Pss: /proc/[0-9]*/smaps_rollup")
    return sum(int(line.split()[1]) for line in listing.splitlines()) * 1024 / 1e6


def main() -> int:
    """Measure and print."""
    name = f"bench-{secrets.token_hex(4)}"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    environment = {**os.environ, "COMPOSE_PROJECT_NAME": name, "IMAGE_TAG": name, "PORT": port}
    image = f"cgi-lab/web:{name}"
    container = f"{name}-web-1"
    up = [sys.executable, "-m", "cgilab", "up"]
    commands = {
        "`make up`, everything built": up,
        "`make up`, the lab running already": up,
        "`make down`": ["docker", "compose", "down"],
        "floor: `docker run --rm` of the same image, which ends at once": ["docker", "run", "--rm", image, "true"],
    }
    seconds(up, environment)  # builds the image
    try:
        seconds(commands["`make down`"], environment)
        taken: dict[str, list[float]] = {label: [] for label in commands}
        for _ in range(ROUNDS):
            for label, command in commands.items():
                taken[label].append(seconds(command, environment))
        seconds(up, environment)
        held = memory(container)
        size = inspect("image", image)["Size"] / 1e6
    finally:
        seconds(commands["`make down`"], environment)
        docker("image", "rm", "--force", image)
    print(f"| median of {ROUNDS} rounds | seconds | least to most |\n| --- | --- | --- |")
    for label, figures in taken.items():
        print(f"| {label} | {statistics.median(figures):.2f} | {min(figures):.2f} to {max(figures):.2f} |")
    print(f"\nImage: {size:.0f} MB. Memory of the idle container: {held:.1f} MB.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
