"""Requests and scripts that are made to break the page behind a failure, or what is recorded of others."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.recorded import recorded
from tests.support.running_lab import RunningLab
from tests.support.wire import send

# Seconds: httpd ends a page after ten, and a page that gives up judging comes after four at most.
ENDED = 9.0


@pytest.fixture
def script(lab: RunningLab) -> Iterator[Path]:
    """The path of a script that a test writes."""
    path = lab.cgi_bin / "hostile.py"
    yield path
    path.unlink(missing_ok=True)


def write(path: Path, code: str) -> None:
    path.write_text(f"#!/usr/bin/python3\n{code}", encoding="utf-8")
    path.chmod(0o755)


def test_a_length_of_thousands_of_digits_breaks_neither_the_page_nor_the_list(lab: RunningLab, script: Path) -> None:
    write(script, "raise SystemExit(3)\n")
    length = f"Content-Length: {'0' * 5000}1"
    lines = ("POST /cgi-bin/hostile.py?digits HTTP/1.0", "Host: localhost", "Accept: application/json", length)
    answer = send(lab.port, *lines, body=b"a")

    assert json.loads(answer.body)["cause"] == "exit-before-output"
    assert recorded(lab, "?digits")["body_length"] == 1


@pytest.mark.parametrize(
    "code",
    [
        pytest.param('import os\nos.write(2, (b"env:" * 1900 + b"\\n") * 8)\n', id="a message of env without end"),
        pytest.param('import os\nos.write(2, (b"1" * 7900 + b"exec of \\n") * 8)\n', id="digits before exec"),
        pytest.param(f"{' ' * 60}x = 1\n", id="spaces"),
    ],
)
def test_what_is_slow_to_judge_has_a_page_all_the_same(lab: RunningLab, script: Path, code: str) -> None:
    write(script, code)
    before = time.monotonic()
    answer = send(lab.port, "GET /cgi-bin/hostile.py HTTP/1.0", "Host: localhost", "Accept: application/json")

    assert answer.values("Content-Type") == ["application/problem+json"]
    assert time.monotonic() - before < ENDED


def test_names_that_are_never_served_are_not_told(lab: RunningLab) -> None:
    hidden = [lab.cgi_bin / name for name in (".env", "web_02.py.bak", "web_02.py~")]
    for path in hidden:
        path.write_text("", encoding="utf-8")
    answer = send(lab.port, "GET /cgi-bin/nothing_there HTTP/1.0", "Host: localhost", "Accept: application/json")
    for path in hidden:
        path.unlink()
    (folder,) = [one for one in json.loads(answer.body)["evidence"] if one["heading"] == "the folder holds"]

    assert [line for line in folder["lines"] if line in {path.name for path in hidden}] == []
    assert "web_02.py" in folder["lines"]
