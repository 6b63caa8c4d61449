"""A running lab, asked over HTTP by a program of this machine."""

import http.client
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from cgilab.errors import LabError
from cgilab.project.lab import Lab

# Seconds: longer than the server waits for a script, so that its answer comes first.
TIMEOUT = 20.0

# Characters of a host's name or address.
HOST = re.compile(r"[A-Za-z0-9._:%-]+")

# The headers with which the lab's own pages are asked for.
OWN = {"User-Agent": "cgi-lab"}


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
    _host_and_port(url)
    return url.rstrip("/")


def _host_and_port(url: str) -> tuple[str, int]:
    """Take the address of a lab apart.

    Raises:
        LabError: it is none.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        if parts.scheme == "http" and host and port != 0 and HOST.fullmatch(host):
            return host, port or 80
    except ValueError:
        pass  # brackets or a port that are none
    raise LabError(f"{url!r} is not the address of a lab.", "Type:  export LAB_URL=http://localhost:8080")


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
    with _connection(url) as connection:
        return _ask(connection, method, target, headers, body)


def trace(url: str, method: str, target: str, headers: dict[str, str], body: bytes | None = None) -> dict[str, Any]:
    """Send a request as `send` does, and return what the lab has recorded of it.

    The lab is asked first, over the same connection, from which port it sees it come: Docker may put another one in
    the place of this machine's. Nothing else is in every exchange and in no other: a request that the server refuses
    early has no headers there, and a header that is secret is masked.

    Raises:
        LabError: no lab answers there, or it has not recorded the request.
    """
    with _connection(url) as connection:
        listed = _loaded(url, _ask(connection, "GET", "/lab/exchanges", OWN))
        if connection.sock is None or "asker" not in listed:
            raise LabError(
                f"The lab at {url} does not keep connections open, or it is of another version: its record of the "
                "request could not be told from others.",
                "httpd.conf is to say:  KeepAlive On",
                "Type:  make up",
            )
        _ask(connection, method, target, headers, body)
    before = listed["exchanges"]
    return wait_for_exchange(url, listed["asker"], before[-1]["id"] if before else "")


def exchanges(url: str, after: str = "") -> list[dict[str, Any]]:
    """Return the list of recorded exchanges, oldest first, from the one after an id on."""
    listed: list[dict[str, Any]] = _json(url, f"/lab/exchanges?after={quote(after, safe='')}")["exchanges"]
    return listed


def exchange(url: str, identifier: str) -> dict[str, Any]:
    """Return one recorded exchange, whole."""
    return _json(url, f"/lab/exchanges/{quote(identifier, safe='')}")


def apart(url: str, identifier: str) -> dict[str, Any] | None:
    """Return what the lab measures apart from an exchange; None where it measures nothing.

    Raises:
        LabError: no lab answers there.
    """
    answer = send(url, "GET", f"/lab/exchanges/{quote(identifier, safe='')}/apart", OWN)
    if answer.status != http.HTTPStatus.OK:
        return None
    measured: dict[str, Any] = json.loads(answer.body)
    return measured


def wait_for_exchange(url: str, asker: dict[str, Any], after: str) -> dict[str, Any]:
    """Return the exchange that came from an address and port; httpd records it a moment after the response.

    Raises:
        LabError: it was not recorded.
    """
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        for one in exchanges(url, after):
            if asker.items() <= one.items():
                return exchange(url, one["id"])
        time.sleep(0.05)
    raise LabError("The request was answered, but its exchange was not recorded.", "Look at:  make logs")


@contextmanager
def _connection(url: str) -> Iterator[http.client.HTTPConnection]:
    """Open a connection to a lab, for as long as the block lasts; what goes wrong with it there is a LabError."""
    host, port = _host_and_port(url)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        yield connection
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LabError(f"No lab answers at {url}: {error}", "Type:  make up", "Or set LAB_URL.") from None
    finally:
        connection.close()


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes | None = None,
) -> Answer:
    connection.request(method, target, body, headers)
    response = connection.getresponse()
    return Answer(response.status, response.read())


def _json(url: str, target: str) -> dict[str, Any]:
    return _loaded(url, send(url, "GET", target, OWN))


def _loaded(url: str, answer: Answer) -> dict[str, Any]:
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
