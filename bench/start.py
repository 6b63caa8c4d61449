"""How long the lab takes to start and to stop, and what it weighs: `make bench-start`.

Every round measures all commands in turn, so that a slow moment of the machine meets them all. Beside them stands the
least that the engine needs to start and end any container of the same image. About three minutes.

Exit code: 0 all is within the bounds, 1 something is not.
"""

import http.client
import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from docker import from_env

from bench.servers import usage
from cgilab.project.engine import ROOT, docker, inspect
from cgilab.project.lab import DB, PHP, SERVERS, WEB, default_settings

ROUNDS = 7
PATIENCE = 30

# What may be taken at most: seconds to all healthy once everything is built, and MB of an image.
FIRST_SECONDS = 20
SECONDS = 10
# Since the start, until a server is idle.
IDLE_SECONDS = 3
# From `docker run` or `docker start` to the first answer of a script.
ANSWER_SECONDS = 0.5
MEGABYTES = {WEB: 90, DB: 190, PHP: 190}
# Pss of the web server that forks scripts.
IDLE_MEGABYTES = 40

FORKED = f"{WEB}, START=forkserver"


def seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    """Return how long a command takes that has to succeed, in seconds."""
    begin = time.monotonic()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return time.monotonic() - begin


def seconds_to_answer(command: Sequence[str], port: int) -> float:
    """Return how long it takes from a command that starts the web server to a script's first 200, in seconds."""
    begin = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    while not answers(port):
        if time.monotonic() - begin > PATIENCE:
            raise TimeoutError(f"{' '.join(command)}: no answer after {PATIENCE} seconds")
        time.sleep(0.002)
    return time.monotonic() - begin


def answers(port: int) -> bool:
    """Tell whether a script answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/cgi-bin/web_02.py")
        return connection.getresponse().status == http.HTTPStatus.OK
    # Docker takes the connection before httpd can, and closes it then.
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def memory(container: str) -> tuple[float, float, float]:
    """Return what the processes of a container hold in memory, in MB.

    Returns:
        The sum of their RSS, in which pages that they share count for each, and of their Pss, where they count once;
        see proc_pid_smaps(5). Then what `docker stats` shows: without pages of files that other containers have, too.
    """
    time.sleep(IDLE_SECONDS)
    # As the server's own user, to whom alone a process shows its memory.
    held = "grep -h -e ^Rss: -e ^Pss: /proc/[0-9]*/smaps_rollup"
    rows = [line.split() for line in docker("exec", container, "sh", "-c", f"{held} || :").splitlines()]
    rss, pss = (sum(int(row[1]) for row in rows if row[0] == name) * 1024 / 1e6 for name in ("Rss:", "Pss:"))
    return rss, pss, usage(from_env().containers.get(container))[1]


def main() -> int:
    """Measure and print."""
    name = f"bench-{secrets.token_hex(4)}"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    environment = {**os.environ, "COMPOSE_PROJECT_NAME": name, "IMAGE_TAG": name, "PORT": str(port)}
    images = {server: f"cgi-lab/{server}:{name}" for server in SERVERS}
    up = [sys.executable, "-m", "cgilab", "up"]
    wamp = [*up, "--wamp"]
    down = ["docker", "compose", "--profile", "wamp", "down"]
    first = "`make wamp`, the first start of an empty database"
    again = "`make wamp`, everything built"
    # One command, one line: the formatter would give each word one.
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
    # By itself, without Compose: no database, and httpd writes into the container.
    alone, forked = f"{name}-alone", f"{name}-forked"
    user = environment.get("SERVER_USER") or default_settings(environment).get("SERVER_USER", "1000:1000")
    run = "`docker run` of the web server's image, to the first answer of `web_02.py`"
    start = "`docker start` of that container, to the same"
    run_forked = "`docker run` with `START=forkserver`, to the same"
    # An option and its value stay together.
    running = [
        "docker", "run", "--detach", "--init", f"--publish=127.0.0.1:{port}:80",
        f"--user={user}", f"--volume={ROOT}/cgi-bin:/srv/cgi-bin:ro",
    ]  # fmt: skip
    answered = {
        run: (alone, [*running, f"--name={alone}", images[WEB]]),
        start: (alone, ["docker", "start", alone]),
        run_forked: (forked, [*running, f"--name={forked}", "--env=START=forkserver", images[WEB]]),
    }
    seconds(wamp, environment)  # builds the images
    try:
        seconds([*down, "--volumes"], environment)
        taken: dict[str, list[float]] = {label: [] for label in (*commands, *answered)}
        for _ in range(ROUNDS):
            for label, command in commands.items():
                taken[label].append(seconds(command, environment))
            for label, (container, command) in answered.items():
                taken[label].append(seconds_to_answer(command, port))
                docker("kill", container)
            docker("rm", alone, forked)
        seconds(wamp, environment)
        held = {server: memory(f"{name}-{server}-1") for server in SERVERS}
        seconds(up, {**environment, "START": "forkserver"})
        held[FORKED] = memory(f"{name}-{WEB}-1")
        sizes = {server: inspect("image", image)["Size"] / 1e6 for server, image in images.items()}
    finally:
        docker("rm", "--force", alone, forked)
        seconds([*down, "--volumes"], environment)
        docker("image", "rm", "--force", *images.values())
    print(f"| median of {ROUNDS} rounds | seconds | least to most |\n| --- | --- | --- |")
    for label, figures in taken.items():
        print(f"| {label} | {statistics.median(figures):.2f} | {min(figures):.2f} to {max(figures):.2f} |")
    print("\n| idle | image, MB | RSS, MB | Pss, MB | `docker stats`, MB |\n| --- | --- | --- | --- | --- |")
    sizes[FORKED] = sizes[WEB]
    for server, (rss, pss, charged) in held.items():
        print(f"| {server} | {sizes[server]:.0f} | {rss:.1f} | {pss:.1f} | {charged:.1f} |")
    over = [
        f"{server}: {sizes[server]:.0f} MB, at most {most}"
        for server, most in MEGABYTES.items()
        if sizes[server] > most
    ]
    if held[FORKED][1] > IDLE_MEGABYTES:
        over.append(f"{FORKED}: {held[FORKED][1]:.1f} MB when idle, at most {IDLE_MEGABYTES}")
    at_most = {first: FIRST_SECONDS, again: SECONDS} | dict.fromkeys(answered, ANSWER_SECONDS)
    for label, most in at_most.items():
        if statistics.median(taken[label]) > most:
            over.append(f"{label}: {statistics.median(taken[label]):.2f} s, at most {most}")
    for line in over:
        print(f"over its bound: {line}", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
