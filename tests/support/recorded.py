"""What the lab has recorded, asked for as its own page does."""

from typing import Any

import requests

from tests.support.running_lab import RunningLab
from tests.support.wait import wait_until


def summaries(lab: RunningLab, after: str = "") -> list[dict[str, Any]]:
    """Return the list of exchanges, oldest first."""
    answer = requests.get(f"{lab.url}/lab/exchanges", params={"after": after}, timeout=10)
    answer.raise_for_status()
    listed: list[dict[str, Any]] = answer.json()["exchanges"]
    return listed


def recorded(lab: RunningLab, mark: str) -> dict[str, Any]:
    """Return the one exchange whose target holds a mark, once it is recorded: httpd logs it after the response."""
    (summary,) = wait_until(lambda: [one for one in summaries(lab) if mark in one["target"]])
    answer = requests.get(f"{lab.url}/lab/exchanges/{summary['id']}", timeout=10)
    answer.raise_for_status()
    exchange: dict[str, Any] = answer.json()
    return exchange
