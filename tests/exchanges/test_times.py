"""Where the time of an exchange went: what is shown is where a script spent it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.debian import PYTHON
from tests.support.recorded import recorded
from tests.support.running_lab import RunningLab
from tests.support.start import FORKSERVER
from tests.support.wire import send

UNSEPARATED = "interpreter's start, imports, script until its first header"

# Python 3.11 has no means to watch imports that costs nothing.
WATCHES_IMPORTS = PYTHON >= (3, 12)

forkserver = pytest.mark.skipif(not FORKSERVER, reason="under spawn nothing outside of the script's process sees it")
spawn = pytest.mark.skipif(FORKSERVER, reason="the forkserver knows, and nothing is measured apart")

# Each takes its time in another way, and each time is another one.
SLOW = """\
#!/usr/bin/env python3
import time
try:
    import not_there_at_all
except ImportError:
    pass
import slow_to_import
time.sleep(0.13)
print("Content-Type: text/plain", flush=True)
import slower_to_import
time.sleep(0.31)
print()
"""
# Milliseconds within which the server reads a header, on a machine that has much to do.
LATENCY = 50
IMPORTED = "import time\ntime.sleep({})\n"


@pytest.fixture
def slow(lab: RunningLab, service: Path) -> Iterator[Path]:
    """A script that takes its time, and modules that take theirs."""
    modules = {lab.cgi_bin / "slow_to_import.py": 0.07, lab.cgi_bin / "slower_to_import.py": 0.19}
    for path, seconds in modules.items():
        path.write_text(IMPORTED.format(seconds), encoding="utf-8")
    service.write_text(SLOW, encoding="utf-8")
    service.chmod(0o755)
    yield service
    for path in modules:
        path.unlink()


def call(lab: RunningLab, path: str, mark: str) -> dict[str, Any]:
    """Send a request, and return what is recorded of it."""
    send(lab.port, f"GET {path}?{mark} HTTP/1.0")
    return recorded(lab, mark)


def lengths(one: dict[str, Any]) -> dict[str, int]:
    """Return the parts of an exchange's time and how long each was, in milliseconds; together they are all of it."""
    parts = one["parts"]
    assert [part["start"] for part in parts] == [0, *(part["end"] for part in parts[:-1])]
    assert parts[-1]["end"] == one["end"]
    return {part["name"]: (part["end"] - part["start"]) // 1000 for part in parts}


@forkserver
def test_the_forkserver_tells_each_part(lab: RunningLab, slow: Path) -> None:
    found = lengths(call(lab, f"/cgi-bin/{slow.name}", "times-of-each-part"))
    least = {
        "server before the script": 0,
        "interpreter's start": 0,
        "imports": 70,
        "script until its first header": 130,
        "imports after it": 190,
        "script after it": 310 - LATENCY,
        "server after the script": 0,
    }
    if not WATCHES_IMPORTS:
        least["script until its first header"] += least.pop("imports")
        least["script after it"] += least.pop("imports after it")

    assert list(found) == list(least)
    assert {name: found[name] for name in least if found[name] < least[name]} == {}


@spawn
def test_under_spawn_what_cannot_be_told_apart_is_one(lab: RunningLab, slow: Path) -> None:
    one = call(lab, f"/cgi-bin/{slow.name}", "times-of-spawn")
    found = lengths(one)

    assert one["start"] == "spawn"
    assert list(found) == ["server before the script", UNSEPARATED, "script after it, server"]
    assert found[UNSEPARATED] >= 200
    assert found["script after it, server"] >= 500 - LATENCY


@forkserver
def test_what_is_loaded_already_takes_no_time(lab: RunningLab) -> None:
    one = call(lab, "/cgi-bin/web_03.py", "times-loaded-already")

    assert one["start"] == "forkserver"
    assert one["marks"]["imports"] == (0 if WATCHES_IMPORTS else None)
    assert one["marks"]["later_imports"] == (0 if WATCHES_IMPORTS else None)


OTHER_WAYS = {
    "a program": ("#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'; sleep 0.2\n", [UNSEPARATED]),
    "an end without Python's": (
        "#!/usr/bin/env python3\nimport os, time\nprint('A: b\\n', flush=True)\ntime.sleep(0.2)\nos._exit(0)\n",
        ["interpreter's start", *(["imports"] if WATCHES_IMPORTS else []), "script until its first header"],
    ),
}


@forkserver
@pytest.mark.parametrize(("source", "parts"), OTHER_WAYS.values(), ids=OTHER_WAYS)
def test_what_the_process_does_not_tell_the_server_sees(
    lab: RunningLab, service: Path, source: str, parts: list[str]
) -> None:
    service.write_text(source, encoding="utf-8")
    service.chmod(0o755)
    found = lengths(call(lab, f"/cgi-bin/{service.name}", f"times-{len(parts)}-parts"))

    assert list(found) == ["server before the script", *parts, "script after it", "server after the script"]
    assert found["script after it"] >= 200 - LATENCY


def ask_apart(lab: RunningLab, one: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Ask what is measured apart; return the status and the answer."""
    answer = requests.get(f"{lab.url}/lab/exchanges/{one['id']}/apart", timeout=10)
    return answer.status_code, answer.json()


@spawn
def test_start_and_imports_are_measured_apart(lab: RunningLab, slow: Path) -> None:
    status, apart = ask_apart(lab, call(lab, f"/cgi-bin/{slow.name}", "times-measured-apart"))

    assert (status, apart["rounds"]) == (200, 5)
    assert 1000 < apart["start"] < 1_000_000
    assert [(item["statement"], item["time"] is None) for item in apart["imports"]] == [
        ("import time", False),
        ("import not_there_at_all", True),
        ("import slow_to_import", True),
        ("import slower_to_import", True),
    ]


NOT_APART = {
    "a file": ("/", "the exchange itself tells it"),
    "a script that was changed": (None, "the script has been changed since"),
}


@pytest.mark.parametrize(("path", "reason"), NOT_APART.values(), ids=NOT_APART)
def test_what_is_not_measured_apart(lab: RunningLab, slow: Path, path: str | None, reason: str) -> None:
    one = call(lab, path or f"/cgi-bin/{slow.name}", f"times-not-apart-{'script' if path is None else 'file'}")
    os.utime(slow, (one["started"] / 1e6 + 60,) * 2)
    if FORKSERVER:
        reason = "the exchange itself tells it"

    assert ask_apart(lab, one) == (404, {"error": f"nothing was measured: {reason}"})


def test_there_is_nothing_else_about_an_exchange(lab: RunningLab) -> None:
    one = call(lab, "/cgi-bin/web_02.py", "times-nothing-else")
    answer = requests.get(f"{lab.url}/lab/exchanges/{one['id']}/others", timeout=10)

    assert answer.status_code == 404
