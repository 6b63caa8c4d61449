"""The load: wrk in a container beside a server, which it reaches over the server's own loopback device.

So all servers are reached in the same way, through no proxy and no published port; and what wrk takes of the processors
counts for its own container, and not for the server's.
"""

import json
from dataclasses import dataclass

from bench.cases import Case, Script
from cgilab.errors import LabError
from cgilab.project.engine import docker

# Longer than a request waits behind 512 others: slow is not failed.
LONGEST_SECONDS = 60


@dataclass(frozen=True)
class Load:
    """What came of one run of wrk.

    Attributes:
        requests: how many were answered.
        rate: how many were answered in a second.
        p50: the milliseconds within which half of them were.
        p99: the milliseconds within which 99 of 100 were.
        errors: how many failed: another status than 2xx and 3xx, no connection, a connection that broke off.
    """

    requests: int
    rate: float
    p50: float
    p99: float
    errors: int


def parse(printed: str, *, ends_by_closing: bool) -> Load:
    """Read what wrk has printed with load.lua.

    Args:
        printed: all of it; the last line is load.lua's.
        ends_by_closing: the server marks the end of a body by closing the connection. wrk takes such an answer, and
            then counts a failed read too, which is none.

    Raises:
        LabError: there is no such line.
    """
    try:
        told: dict[str, int] = json.loads(printed.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise LabError("wrk printed no figures.", *printed.splitlines()) from None
    broken = told["read"] - (told["requests"] if ends_by_closing else 0)
    return Load(
        requests=told["requests"],
        rate=told["requests"] / (told["microseconds"] / 1e6),
        p50=told["p50"] / 1e3,
        p99=told["p99"] / 1e3,
        errors=max(broken, 0) + sum(told[kind] for kind in ("connect", "write", "timeout", "status")),
    )


def send(generator: str, case: Case, *, ends_by_closing: bool = False) -> Load:
    """Send the load of one case.

    Args:
        generator: the name of the container of wrk beside the server.
        case: what is asked for.
        ends_by_closing: see `parse`.

    On a machine that has much else to do the time may be over before anything was answered; then it is doubled.

    Raises:
        LabError: wrk failed, or nothing was answered.
    """
    seconds = case.seconds
    while seconds <= LONGEST_SECONDS:
        options = {
            "--threads": 1,
            "--connections": case.connections,
            "--duration": f"{seconds}s",
            "--timeout": f"{LONGEST_SECONDS}s",
            "--script": "/load.lua",
        }
        wrk = ["wrk", *(str(word) for option in options.items() for word in option), case.script.url]
        asked = [case.script.method, "keep-alive" if case.kept_alive else "close", *filter(None, [case.script.body])]
        load = parse(docker("exec", generator, *wrk, "--", *asked), ends_by_closing=ends_by_closing)
        if load.requests:
            return load
        seconds *= 2
    raise LabError(f"Nothing was answered in half a minute: {case.label}.")


def ask(generator: str, script: Script) -> str:
    """Ask for a script once, and return the body of the answer.

    Raises:
        LabError: there was none, or its status was an error.
    """
    sent = ["--data", script.body] if script.body else []
    return docker("exec", generator, "curl", "--silent", "--show-error", "--fail", *sent, script.url)
