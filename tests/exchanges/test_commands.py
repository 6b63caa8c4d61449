"""`lab trace` and `lab watch`, as one types them, against a running lab."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cgilab.engine import ROOT
from tests.support.recorded import recorded
from tests.support.running_lab import RunningLab
from tests.support.wire import send


def lab_command(lab: RunningLab, *words: str) -> subprocess.CompletedProcess[str]:
    """Type a command of `lab`."""
    return subprocess.run(
        [sys.executable, "-m", "cgilab", *words],
        cwd=ROOT,
        env={**os.environ, "LAB_URL": lab.url, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_trace_shows_the_chapters_post(lab: RunningLab) -> None:
    words = ["POST", "/cgi-bin/web_03.py", "last_name=de la Huche", "first_name=Jean-Paul", "age=42"]
    done = lab_command(lab, "trace", *words)
    lines = done.stdout.splitlines()

    assert (done.returncode, done.stderr) == (0, "")
    assert "  POST /cgi-bin/web_03.py HTTP/1.1" in lines
    place = lines.index("  body: 49 bytes")
    assert lines[place + 1 : place + 3] == ["    last_name=de+la+Huche&first_name=Jean-Paul&age=42", ""]
    assert "    CONTENT_LENGTH : 49" in lines
    assert "  Content-Type: text/plain  sent as printed" in lines
    assert "  script  Content-Type: text/plain" in lines


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["/cgi-bin/web_02.py"], 0, id="200"),
        pytest.param(["POST", "/cgi-bin/output.py"], 1, id="500"),
        pytest.param(["/missing"], 1, id="404"),
        pytest.param(["/cgi-bin"], 1, id="404 of a folder"),
    ],
)
def test_the_exit_code_of_trace_tells_the_status(lab: RunningLab, words: list[str], code: int) -> None:
    assert lab_command(lab, "trace", *words).returncode == code


def test_trace_as_json_is_the_exchange_as_the_page_gets_it(lab: RunningLab) -> None:
    done = lab_command(lab, "trace", "/cgi-bin/web_02.py", "mark=as-json", "--json")

    assert json.loads(done.stdout) == recorded(lab, "mark=as-json")


def test_trace_writes_an_archive(lab: RunningLab, tmp_path: Path) -> None:
    done = lab_command(lab, "trace", "/cgi-bin/web_02.py", "--har", str(tmp_path / "one.har"))
    archive = json.loads((tmp_path / "one.har").read_text(encoding="utf-8"))

    assert done.returncode == 0
    assert [entry["response"]["status"] for entry in archive["log"]["entries"]] == [200]


def test_trace_without_a_lab_says_so(lab: RunningLab) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cgilab", "trace", "/"],
        cwd=ROOT,
        env={**os.environ, "LAB_URL": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0].startswith("No lab answers at http://127.0.0.1:1: ")
    assert lab.url


def test_watch_shows_whoever_calls(lab: RunningLab) -> None:
    command = [sys.executable, "-u", "-m", "cgilab", "watch", "--verbose", "--count", "1"]
    environment = {**os.environ, "LAB_URL": lab.url, "COLUMNS": "200"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("watch: waiting for requests to ")
        send(lab.port, "GET /cgi-bin/web_02.py?watched HTTP/1.0", "User-Agent: somebody")
        shown, _ = watching.communicate(timeout=60)

    assert watching.returncode == 0
    line, *headers = shown.splitlines()
    assert line.split()[1:3] == ["GET", "200"]
    assert line.split()[-2:] == ["/cgi-bin/web_02.py?watched", "somebody"]
    assert {header.split()[0] for header in headers} == {"script", "server"}
