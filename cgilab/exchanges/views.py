"""An exchange as data: for programs, and for the pages and commands that show it."""

from dataclasses import asdict
from typing import Any

from cgilab.exchanges.exchange import Exchange


def as_json(one: Exchange, diagnosis: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the whole exchange, and the parts of its time.

    The names are those of `cgilab.exchanges.exchange`, times are in microseconds.

    Args:
        one: the exchange.
        diagnosis: why it failed, as `cgilab.failures.explanation.as_data` returns it.
    """
    return {**asdict(one), "parts": [asdict(part) for part in one.parts()], "diagnosis": diagnosis}


def as_summary(one: Exchange, cause: str | None = None) -> dict[str, Any]:
    """Return what a list shows of an exchange; `script_time` is None for what no script answered.

    Args:
        one: the exchange.
        cause: the name of the cause, where it failed.
    """
    agents = [header.value for header in one.request_headers if header.name.lower() == "user-agent"]
    return {
        "id": one.id,
        "started": one.started,
        "client": one.client[0],
        "port": one.client[1],
        "agent": agents[0] if agents else "",
        "method": one.method,
        "target": one.target,
        "status": one.status,
        "nph": one.nph,
        "cause": cause,
        "script_time": one.response if one.script else None,
        "end": one.end,
        "bytes_sent": one.bytes_sent,
    }
