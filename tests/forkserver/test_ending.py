"""Forkserver, client or script are ended or replaced in the middle of it."""

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from tests.support.processes import forkserver, kill, others, wait_for_silence
from tests.support.running_lab import RunningLab
from tests.support.typed import typed
from tests.support.wait import wait_until
from tests.support.wire import TIMEOUT, Answer, send

# How many ask at once, and how often one asks at most.
CALLERS = 3
MOST = 5000


@pytest.fixture(autouse=True)
def quiet(lab: RunningLab) -> Iterator[None]:
    """Nothing runs before a test, and nothing is left after it."""
    wait_for_silence(lab)
    yield
    wait_for_silence(lab)


@contextmanager
def load(call: Callable[[], Answer]) -> Iterator[list[Answer]]:
    """Ask again and again, until what is in the block is done.

    Yields:
        The answers, which are there behind the block.
    """
    ended = Event()
    answers: list[Answer] = []

    def go_on() -> None:
        for _ in range(MOST):
            answers.append(call())
            if ended.is_set():
                return

    with ThreadPoolExecutor(CALLERS) as threads:
        callers = [threads.submit(go_on) for _ in range(CALLERS)]
        try:
            wait_until(lambda: len(answers) >= CALLERS)
            yield answers
            before = len(answers)
            wait_until(lambda: len(answers) >= before + 10 * CALLERS)
        finally:
            ended.set()
    for caller in callers:
        caller.result()


def hello(lab: RunningLab) -> Answer:
    return send(
        lab.port, "GET /cgi-bin/web_03.py?first_name=during HTTP/1.0", "Host: localhost", "Accept: application/json"
    )


def ask(lab: RunningLab, path: str, *lines: str) -> Answer:
    return send(lab.port, f"GET /cgi-bin/{path} HTTP/1.0", "Host: localhost", "Accept: application/json", *lines)


def write(path: Path, code: str) -> None:
    """Put a script in its place, in one step."""
    new = path.with_suffix(".new")
    new.write_text(f"#!/usr/bin/env python3\n{code}", encoding="utf-8")
    new.chmod(0o755)
    new.replace(path)


@contextmanager
def under_way(lab: RunningLab, seconds: int) -> Iterator[Future[Answer]]:
    """Have a script run that sleeps before it answers."""
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(ask, lab, f"sleeping.py?{seconds}")
        wait_until(lambda: others(lab)["forkserver"] == 1)
        yield answer


def seen(answers: list[Answer]) -> set[tuple[int, str]]:
    """Return status and cause of answers that are no success."""
    return {(one.status, json.loads(one.body)["cause"]) for one in answers if one.status != 200}


# --- It is ended ----------------------------------------------------------------------------------


def test_its_server_is_killed(lab: RunningLab) -> None:
    """What was under way is told so; nothing else is lost, since the keeper has the socket."""
    expected = hello(lab).body
    keeper, server = forkserver(lab)
    with under_way(lab, 8) as slow, load(lambda: hello(lab)) as answers:
        kill(lab, server)

    assert seen([slow.result()]) == {(503, "forkserver-ended")}
    assert {one.body for one in answers if one.status == 200} == {expected}
    assert seen(answers) <= {(503, "forkserver-ended")}
    assert len([one for one in answers if one.status != 200]) <= CALLERS
    wait_for_silence(lab)
    assert forkserver(lab)[0] == keeper


def test_its_keeper_is_killed(lab: RunningLab) -> None:
    """The server goes with it, and both are started anew; until then there is nobody to ask."""
    expected = hello(lab).body
    keeper, _ = forkserver(lab)
    with under_way(lab, 8) as slow, load(lambda: hello(lab)) as answers:
        kill(lab, keeper)
        wait_until(lambda: any(one.status != 200 for one in answers))
        # An answer or two of before may still be on their way, and no more than there are callers.
        wait_until(lambda: all(one.status == 200 for one in answers[-2 * CALLERS :]))
        again = len(answers)

    assert seen([slow.result()]) == {(503, "forkserver-ended")}
    assert {one.body for one in answers if one.status == 200} == {expected}
    assert seen(answers) <= {(503, "forkserver-ended"), (503, "forkserver-not-running")}
    assert seen(answers[again:]) == set()


def test_the_health_check_says_that_it_does_not_run(lab: RunningLab) -> None:
    """Also where the one before has left its socket."""
    keeper, server = forkserver(lab)
    # Whoever starts it again is held up meanwhile.
    command = f"""
starter=$(grep ^PPid: /proc/{keeper}/status | cut -f 2)
kill -STOP $starter
kill -KILL {keeper}
while [ -e /proc/{server} ]; do sleep 0.01; done
ls /run/httpd/forkserver.sock
/usr/local/lib/cgi-lab/healthcheck
echo $?
kill -CONT $starter
"""

    assert lab.compose.execute("sh", "-c", command).splitlines() == [
        "/run/httpd/forkserver.sock",
        "the forkserver, which is to start the scripts, does not run",
        "1",
    ]
    wait_until(lambda: hello(lab).status == 200)


# --- It is replaced -------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2])
def test_a_reload_loses_no_request(lab: RunningLab, times: int) -> None:
    """The forkserver goes on, and logs where the httpd of the request does."""
    expected = hello(lab).body
    before = forkserver(lab)
    with under_way(lab, 6) as slow, load(lambda: hello(lab)) as answers:
        for _ in range(times):
            lab.compose.execute("/usr/local/lib/cgi-lab/httpd", "-k", "graceful")
        done = typed(lab, "reload")

    assert (done.returncode, done.stdout) == (0, "reload: 0 files, 0 refused\n")
    assert {(one.status, one.body) for one in answers} == {(200, expected)}
    assert (slow.result().status, slow.result().body) == (200, b"awake\n")
    wait_for_silence(lab)
    assert forkserver(lab) == before


def test_a_restart_of_httpd_leaves_it_alone(lab: RunningLab) -> None:
    """It sends the signal to its whole group then."""
    before = forkserver(lab)
    starts = len([line for line in lab.log() if "AH00163" in line])
    lab.compose.execute("/usr/local/lib/cgi-lab/httpd", "-k", "restart")
    wait_until(lambda: len([line for line in lab.log() if "AH00163" in line]) > starts)
    wait_until(lambda: hello(lab).status == 200)

    assert forkserver(lab) == before


def test_after_a_reload_all_is_logged_as_before(lab: RunningLab, service: Path) -> None:
    write(service, "import sys\nprint('Content-Type: text/plain\\n')\nprint('said', file=sys.stderr)\n")
    typed(lab, "reload")
    before = len(lab.log())
    ask(lab, service.name)
    kill(lab, forkserver(lab)[1])
    forkserver(lab)
    lines = wait_until(lambda: told if len(told := lab.log()[before:]) > 2 else [])

    without_times = [line.split(" ", 2)[2] for line in lines]
    assert [line for line in without_times if ":error " in line] == [
        f"cgi:error AH01215: stderr from /srv/cgi-bin/{service.name}: said",
        "forkserver:error the forkserver was ended by signal 9, and is started again",
    ]


# --- A client goes away ---------------------------------------------------------------------------


def test_the_script_of_a_client_that_goes_away_is_ended(lab: RunningLab, service: Path) -> None:
    write(service, "print('Content-Type: text/plain\\n')\nwhile True: print('x' * 1000, flush=True)\n")
    with socket.create_connection(("127.0.0.1", lab.port), timeout=TIMEOUT) as client:
        client.sendall(f"GET /cgi-bin/{service.name} HTTP/1.0\r\n\r\n".encode())
        assert client.recv(1) == b"H"
        assert others(lab)["forkserver"] == 1

    wait_for_silence(lab)


# --- A script is replaced -------------------------------------------------------------------------


def test_a_script_that_is_replaced_is_the_old_one_or_the_new_one(lab: RunningLab, service: Path) -> None:
    """Both are of the same length, and print their number again and again."""
    bodies = {number: f"{number}\n" * 500 for number in range(2, 8)}

    def replace(number: int) -> None:
        write(service, "print('Content-Type: text/plain\\n')\n" + f"print({number})\n" * 500)

    replace(9)
    with load(lambda: ask(lab, service.name)) as answers:
        for place in range(300):
            replace(place % 6 + 2)
        before = len(answers)
        replace(8)
    last = ask(lab, service.name)

    assert (last.status, last.body) == (200, b"8\n" * 500)
    assert before > CALLERS
    assert {one.body.decode() for one in answers} <= {*bodies.values(), "8\n" * 500, "9\n" * 500}
    assert {one.status for one in answers} == {200}
