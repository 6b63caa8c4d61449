"""Who sends too slowly, or computes too long, is ended. No test measures time: each lets two things end in turn."""

import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import requests

from tests.support.running_lab import RunningLab
from tests.support.start import FORKSERVER
from tests.support.wait import wait_until
from tests.support.wire import TIMEOUT, parse, read_all

# mod_proxy_scgi says so of all that fails while it hands a request over.
STALLED = "HTTP/1.1 500 Internal Server Error" if FORKSERVER else "HTTP/1.1 408 Request Timeout"

Sleeping = dict[int, "Future[requests.Response]"]


@pytest.fixture(scope="module", autouse=True)
def sleeping(lab: RunningLab) -> Iterator[Sleeping]:
    """Services that answer after so many seconds, all asked before the first test, so that their waits overlap."""
    with ThreadPoolExecutor() as threads:
        yield {
            seconds: threads.submit(requests.get, f"{lab.url}/cgi-bin/sleeping.py?{seconds}", timeout=TIMEOUT)
            for seconds in (8, 25)
        }


def test_a_stalled_body_is_ended_after_eight_seconds_and_before_stalled_headers(
    lab: RunningLab, sleeping: Sleeping
) -> None:
    """Three clients stall at once: a person who types headers has more time than a program that sends a body."""
    post = ["POST /cgi-bin/body.py HTTP/1.1", "Host: localhost", "Connection: close", "Content-Length: 9", "", "ab"]
    address = ("127.0.0.1", lab.port)
    with (
        socket.create_connection(address, timeout=TIMEOUT) as typing,
        socket.create_connection(address, timeout=TIMEOUT) as posting,
        socket.create_connection(address, timeout=TIMEOUT) as stopping,
    ):
        typing.sendall(b"GET /cgi-bin/web_02.py HTTP/1.0\r\n")
        for client in (posting, stopping):
            client.sendall("\r\n".join(post).encode())

        sleeping[8].result()  # asked for before these three: it ends first
        posting.sendall(b"cdefghi")
        assert parse(read_all(posting)).status_line == "HTTP/1.1 200 OK"
        assert parse(read_all(stopping)).status_line == STALLED
        typing.sendall(b"\r\n")
        assert parse(read_all(typing)).status_line == "HTTP/1.1 200 OK"


def test_a_script_that_prints_nothing_for_too_long_is_ended(sleeping: Sleeping) -> None:
    assert sleeping[25].result().status_code == 504


def test_a_script_that_takes_eight_seconds_is_not_ended(sleeping: Sleeping) -> None:
    assert (sleeping[8].result().status_code, sleeping[8].result().text) == (200, "awake\n")


def test_more_clients_than_processes_wait(lab: RunningLab) -> None:
    """64 requests are served at once; further ones wait until one of them ends, and none is lost."""
    connections = [socket.create_connection(("127.0.0.1", lab.port), timeout=TIMEOUT) for _ in range(70)]
    try:
        for connection in connections:
            connection.sendall(b"GET /index.html HTTP/1.0\r\n")
        wait_until(lambda: [line for line in lab.log() if "AH00161: server reached MaxRequestWorkers" in line])
        # One process is the parent of those that serve.
        assert len(wait_until(lambda: servers(lab, 65))) == 65
        for connection in connections:
            connection.sendall(b"\r\n")
        assert [parse(read_all(connection)).status for connection in connections] == [200] * 70
    finally:
        for connection in connections:
            connection.close()


def servers(lab: RunningLab, least: int) -> list[str]:
    """Return the processes of httpd, once there are at least so many; until then nothing."""
    processes = [row[-1] for row in lab.container.top()["Processes"] if row[-1].startswith("apache2 ")]
    return processes if len(processes) >= least else []
