"""Runs in the lab's container, to which `bench.floors` gives it: what starting a script takes without any server.

    python3 - exec PROCESSES SECONDS QUERY SCRIPT      starts the script as often as it can, as CGI has it
    python3 - fork PROCESSES SECONDS MODULE...         loads the modules, then forks and ends as often as it can

It prints one line of JSON: how often that was, the seconds that went by, and the seconds of processor time.
"""

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path


def start(script: str, query: str) -> None:
    """Start a script with an environment of CGI, and wait for its end; what it prints goes nowhere."""
    environment = {
        **{name: os.environ[name] for name in ("LANG", "PATH", "TZ")},
        "GATEWAY_INTERFACE": "CGI/1.1",
        "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": "GET",
        "SCRIPT_FILENAME": script,
        "SCRIPT_NAME": f"/cgi-bin/{Path(script).name}",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "none",
    }
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
    ]
    _, status = os.waitpid(os.posix_spawn(script, [script], environment, file_actions=streams), 0)
    if status:
        sys.exit(f"{script} failed with status {status}")


def fork() -> None:
    """Fork this process, and wait until the child has ended."""
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


def repeat(once: Callable[[], None], processes: int, seconds: float) -> tuple[int, float]:
    """Do something over and over in so many processes at once.

    Returns:
        How often it was done, and the seconds that went by.
    """
    reading, writing = os.pipe()
    begin = time.monotonic()
    for _ in range(processes):
        if os.fork():
            continue
        done = 0
        while time.monotonic() - begin < seconds:
            once()
            done += 1
        os.write(writing, b"%d\n" % done)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as counts:
        done = sum(int(line) for line in counts)
    taken = time.monotonic() - begin
    for _ in range(processes):
        os.wait()
    return done, taken


def main() -> int:
    """Measure and print."""
    kind, processes, seconds, *rest = sys.argv[1:]
    if kind == "exec":
        query, script = rest
        done, taken = repeat(lambda: start(script, query), int(processes), float(seconds))
    else:
        for module in rest:
            importlib.import_module(module)
        done, taken = repeat(fork, int(processes), float(seconds))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"done": done, "seconds": taken, "processor": used.ru_utime + used.ru_stime}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
