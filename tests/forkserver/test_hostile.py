"""Scripts that do what no script should: each is ended, nothing of it is left, and the next request is answered."""

import json
import secrets
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.processes import wait_for_silence
from tests.support.recorded import recorded
from tests.support.running_lab import RunningLab
from tests.support.wait import wait_until
from tests.support.wire import Answer, send

HEADERS = 'print("Content-Type: text/plain\\n", flush=True)\n'


@pytest.fixture
def script(lab: RunningLab) -> Iterator[Path]:
    """The path of a script that a test writes; at the end nothing of it runs, and the next script is answered."""
    path = lab.cgi_bin / "hostile.py"
    yield path
    path.unlink(missing_ok=True)
    answer = send(lab.port, "POST /cgi-bin/output.py HTTP/1.0", "Host: localhost", "Content-Length: 5", body=b"\nnext")
    assert (answer.status, answer.body) == (200, b"next")
    wait_for_silence(lab)


def write(path: Path, code: str) -> None:
    path.write_text(f"#!/usr/bin/env python3\n{textwrap.dedent(code)}", encoding="utf-8")
    path.chmod(0o755)


def ask(lab: RunningLab, query: str = "", *lines: str, body: bytes = b"") -> Answer:
    """Ask for the script, over HTTP/1.0, so that the body is the document."""
    method = "POST" if body else "GET"
    length = [f"Content-Length: {len(body)}"] if body else []
    first = (f"{method} /cgi-bin/hostile.py?{query} HTTP/1.0", "Host: localhost", "Accept: application/json")
    return send(lab.port, *first, *length, *lines, body=body)


FAILURES = {
    "loops for ever": ("while True: pass", 504, "timeout-before-headers"),
    "ignores SIGTERM": (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)",
        504,
        "timeout-before-headers",
    ),
    "allocates without end": ("kept = []\nwhile True: kept.append(bytearray(10_000_000))", 500, "memory-limit"),
    "forks until it may not": (
        "import os, time\nwhile True: os.fork() or (os.closerange(0, 3), time.sleep(60))",
        500,
        "exception-before-headers",
    ),
    "exits at once": ("import os\nos._exit(3)", 500, "exit-before-output"),
    "is ended by a signal": ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", 500, "killed-by-signal"),
    "is ended by a fault": ("import ctypes\nctypes.string_at(0)", 500, "killed-by-signal"),
    "ends the forkserver": ("import os\nos.kill(os.getppid(), 9)", 503, "forkserver-ended"),
}


@pytest.mark.parametrize(("code", "status", "cause"), FAILURES.values(), ids=FAILURES)
def test_the_page_names_the_cause(lab: RunningLab, script: Path, code: str, status: int, cause: str) -> None:
    write(script, code)
    answer = ask(lab)

    assert (answer.status, json.loads(answer.body)["cause"]) == (status, cause)


@pytest.mark.parametrize("code", ["os.fork()", "os.fork() or os.setsid()"], ids=["of one group", "of sessions"])
def test_one_that_forks_without_end_is_ended(lab: RunningLab, script: Path, code: str) -> None:
    """No process can be started until it is, not even the page that names the cause; the exchange names it."""
    write(script, f"import os\nwhile True:\n    try:\n        {code}\n    except OSError:\n        pass\n")
    mark = f"mark-{secrets.token_hex(4)}"
    answer = ask(lab, mark)
    wait_for_silence(lab)

    assert answer.status == 504
    assert recorded(lab, mark)["diagnosis"]["cause"] == "timeout-before-headers"


# What a script does behind its headers, what the client gets of it, and the cause that is recorded; none where the
# script has done nothing wrong.
ANSWERS = {
    "loops for ever": ("while True: pass", b"", "timeout-after-headers"),
    "closes its output and sleeps": ("os.write(1, b'x')\nos.close(1)\ntime.sleep(60)", b"x", None),
    "closes all and ignores SIGTERM": (
        "signal.signal(15, signal.SIG_IGN)\nos.write(1, b'x')\nos.closerange(0, 3)\ntime.sleep(60)",
        b"x",
        None,
    ),
    "exits at once": ("print('x', flush=True)\nos._exit(3)", b"x\n", None),
    "raises an exception": ("print('x')\n1 / 0", b"x\n", "exception-after-body"),
    "spawns a child that outlives it": ("Popen(['sleep', '60'], **QUIET)", b"", None),
    "spawns a session": ("Popen(['sleep', '60'], start_new_session=True, **QUIET)", b"", None),
    "spawns a session with a child": (
        "Popen(['sh', '-c', 'sleep 60; true'], start_new_session=True, **QUIET)",
        b"",
        None,
    ),
    "spawns a child that has its output": ("Popen(['sleep', '60'])", b"", "timeout-after-headers"),
    "leaves a thread": ("threading.Thread(target=time.sleep, args=(60,), daemon=True).start()", b"", None),
    "changes what is the process's": (
        "os.chdir('/'), os.umask(0o777), locale.setlocale(locale.LC_ALL, 'C'), os.nice(5), os.environ.clear()",
        b"",
        None,
    ),
    "changes modules": (
        "socket.socket = json.dumps = html.escape = builtins.print = None\nsys.modules['cgi'] = None\nsys.path.clear()",
        b"",
        None,
    ),
}
PRELUDE = """
import builtins, html, json, locale, os, signal, socket, sys, threading, time
from subprocess import DEVNULL, Popen

QUIET = {"stdin": DEVNULL, "stdout": DEVNULL, "stderr": DEVNULL}
"""


@pytest.mark.parametrize(("code", "body", "cause"), ANSWERS.values(), ids=ANSWERS)
def test_what_was_printed_is_sent(lab: RunningLab, script: Path, code: str, body: bytes, cause: str | None) -> None:
    write(script, f"{PRELUDE}{HEADERS}{code}\n")
    mark = f"mark-{secrets.token_hex(4)}"
    answer = ask(lab, mark)
    diagnosis = recorded(lab, mark)["diagnosis"]

    assert (answer.status, answer.body) == (200, body)
    assert (diagnosis and diagnosis["cause"]) == cause


def test_the_start_of_a_line_is_logged_though_a_child_keeps_the_stream_open(lab: RunningLab, script: Path) -> None:
    code = "Popen(['sleep', '60'], stdin=DEVNULL, stdout=DEVNULL)\nsys.stderr.write('no newline')"
    write(script, f"{PRELUDE}{HEADERS}{code}\n")
    before = len(lab.log())
    answer = ask(lab)
    lines = wait_until(lambda: told if len(told := lab.log()[before:]) > 1 else [])

    assert (answer.status, answer.body) == (200, b"")
    assert lines[0].split(" ", 2)[2] == "cgi:error AH01215: stderr from /srv/cgi-bin/hostile.py: no newline"


def test_200_megabytes_are_sent(lab: RunningLab, script: Path) -> None:
    write(script, f"import sys\n{HEADERS}for _ in range(200): sys.stdout.buffer.write(bytes(1_000_000))\n")
    with requests.get(f"{lab.url}/cgi-bin/hostile.py", stream=True, timeout=60) as answer:
        length = sum(map(len, answer.iter_content(1_000_000)))

    assert (answer.status_code, length) == (200, 200_000_000)


@pytest.mark.parametrize("length", [65_536, 10_000_000])
def test_a_body_that_nobody_reads(lab: RunningLab, script: Path, length: int) -> None:
    write(script, f"{HEADERS}print('x')\n")

    assert ask(lab, body=bytes(length)).body == b"x\n"
