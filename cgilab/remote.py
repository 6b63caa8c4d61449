"""A running lab, asked over HTTP by a program of this machine."""

import http.client
import json
import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from cgilab.errors import LabError
from cgilab.lab import Lab

# Seconds: longer than the server waits for a script, so that its answer comes first.
TIMEOUT = 20.0


@dataclass(frozen=True)
class Answer:
    """A response, as far as the lab's commands look at it."""

    status: int
    body: bytes


def address() -> str:
    """Return where the lab is: LAB_URL, or what Docker says of the running one.

    Raises:
        LabError: there is none.
    """
    url = os.environ.get("LAB_URL") or Lab().url()
    if not url:
        raise LabError("The lab is down.", "Type:  make up")
    return url.rstrip("/")


def send(url: str, method: str, target: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
    """Send a request as it is given, with nothing added but Host, Accept-Encoding and Content-Length.

    Args:
        url: the lab's address, ``http://HOST:PORT``.
        method: of the request.
        target: path and query, already encoded.
        headers: by their names.
        body: or None.

    Raises:
        LabError: no lab answers there.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise LabError(f"{url} is not the address of a lab.", "LAB_URL is to be like http://localhost:8080")
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=TIMEOUT)
    try:
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LabError(f"No lab answers at {url}: {error}", "Type:  make up", "Or set LAB_URL.") from None
    finally:
        connection.close()


def exchanges(url: str, after: str = "") -> list[dict[str, Any]]:
    """Return the list of recorded exchanges, oldest first, from the one after an id on."""
    listed: list[dict[str, Any]] = _json(url, f"/lab/exchanges?after={quote(after, safe='')}")["exchanges"]
    return listed


def exchange(url: str, identifier: str) -> dict[str, Any]:
    """Return one recorded exchange, whole."""
    return _json(url, f"/lab/exchanges/{quote(identifier, safe='')}")


def wait_for_exchange(url: str, agent: str, after: str) -> dict[str, Any]:
    """Return the exchange that a program of this name made; httpd records it a moment after the response.

    Raises:
        LabError: it was not recorded.
    """
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        for one in exchanges(url, after):
            if one["agent"] == agent:
                return exchange(url, one["id"])
        time.sleep(0.05)
    raise LabError("The request was answered, but its exchange was not recorded.", "Look at:  make logs")


def _json(url: str, target: str) -> dict[str, Any]:
    answer = send(url, "GET", target, {"User-Agent": "cgi-lab"})
    try:
        loaded: dict[str, Any] = json.loads(answer.body)
    except ValueError:
        loaded = {}
    if answer.status != http.HTTPStatus.OK or not loaded:
        raise LabError(
            f"The server at {url} answered {answer.status} where a lab shows its exchanges: it is none.",
            "Look at:  make status",
        )
    return loaded
