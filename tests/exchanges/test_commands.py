"""`lab trace` and `lab watch`, as one types them, against a running lab."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cgilab.commands.trace import is_labs_own
from cgilab.project.engine import ROOT
from tests.support.recorded import recorded, summaries
from tests.support.running_lab import RunningLab, running_lab
from tests.support.start import FORKSERVER
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


# What httpd answers before it has read the whole request; the headers are then recorded in part or not at all.
REFUSED = [
    pytest.param(["X-Long:" + "x" * 9000], 400, id="a header that is too long"),
    pytest.param([f"X-{number}:x" for number in range(101)], 400, id="too many headers"),
    pytest.param(["Host:a b"], 400, id="a wrong name of the server"),
    pytest.param(["long=" + "x" * 9000], 414, id="a target that is too long"),
]


@pytest.mark.parametrize(("words", "status"), REFUSED)
def test_trace_finds_what_the_server_refuses_early(lab: RunningLab, words: list[str], status: int) -> None:
    done = lab_command(lab, "trace", "--json", "/cgi-bin/web_02.py?early", *words)

    assert (done.returncode, done.stderr) == (1, "")
    exchange = json.loads(done.stdout)
    assert (exchange["status"], exchange["script"]) == (status, None)
    assert exchange["target"].startswith("/cgi-bin/web_02.py?early")


def test_trace_finds_an_exchange_whose_user_agent_is_masked(lab: RunningLab) -> None:
    done = lab_command(lab, "trace", "--json", "/?masked-agent", "user-agent:token=abc")

    agents = [header for header in json.loads(done.stdout)["request_headers"] if header["name"].lower() == "user-agent"]
    assert agents == [{"name": "user-agent", "value": "token=(masked)"}]


@pytest.mark.skipif(FORKSERVER, reason="the forkserver knows, and nothing is measured apart")
def test_trace_shows_what_was_measured_apart(lab: RunningLab) -> None:

    lines = lab_command(lab, "trace", "/cgi-bin/web_03.py", "age=42").stdout.splitlines()
    place = lines.index("  measured apart, 5 times after it, the median:")

    assert [line.split("  ")[2:3] for line in lines[place + 1 : place + 3]] == [["interpreter's start"], ["imports"]]
    assert lines[place + 3].startswith("      import cgi  ")


OWN_PATHS = {
    "/lab": True,
    "/lab/": True,
    "/lab/exchanges": True,
    "/lab/missing": True,
    "//lab//x": True,
    "/%6cab/x": True,
    "/x/../lab/x": True,
    "/x/../lab": True,
    "/labs": False,
    "/x%2f..%2Flab/": False,
    "/LAB/": False,
    "/x/lab/": False,
}


@pytest.mark.parametrize(("path", "own"), OWN_PATHS.items())
def test_the_labs_own_pages_are_those_that_are_not_recorded(lab: RunningLab, path: str, own: bool) -> None:
    mark = f"own-{list(OWN_PATHS).index(path)}"
    send(lab.port, f"GET {path}?{mark} HTTP/1.0")
    send(lab.port, f"GET /?after-{mark}- HTTP/1.0")
    recorded(lab, f"after-{mark}-")

    assert is_labs_own(f"{path}?{mark}") == own
    assert [one["target"] for one in summaries(lab) if one["target"].endswith(f"?{mark}")] == (
        [] if own else [f"{path}?{mark}"]
    )


def test_trace_says_at_once_that_the_labs_own_pages_are_not_recorded() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cgilab", "trace", "/lab/exchanges"],
        cwd=ROOT,
        env={**os.environ, "LAB_URL": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "/lab/exchanges is a page of the lab's own, and requests for these are not recorded.",
        "  To see the answer:  curl -i, and the whole URL",
    ]


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


def test_watch_shows_whoever_calls(machine_settings: dict[str, str], tmp_path: Path) -> None:
    # A lab of its own: elsewhere the first exchange may be that of a request which another test left running.
    with running_lab(tmp_path, machine_settings) as lab:
        line, *headers = watched(lab)

    assert line.split()[1:3] == ["GET", "200"]
    assert line.split()[-2:] == ["/cgi-bin/web_02.py?watched", "somebody"]
    assert {header.split()[0] for header in headers} == {"script", "server"}


def watched(lab: RunningLab) -> list[str]:
    """Watch a lab while a request is sent to it, and return what is shown of it."""
    command = [sys.executable, "-u", "-m", "cgilab", "watch", "--verbose", "--count", "1"]
    environment = {**os.environ, "LAB_URL": lab.url, "COLUMNS": "200"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("watch: waiting for requests to ")
        send(lab.port, "GET /cgi-bin/web_02.py?watched HTTP/1.0", "User-Agent: somebody")
        shown, _ = watching.communicate(timeout=60)

    assert watching.returncode == 0
    return shown.splitlines()


def test_check_starts_scripts_as_the_server_does(lab: RunningLab) -> None:
    """The server's user, its folder, a CGI environment and nothing else; two that fail, one that takes too long."""
    scripts = {
        "checked_sound.py": "import os\nprint('Content-Type: text/plain\\n')\n"
        "assert os.getuid() and os.getcwd() == '/srv/cgi-bin'",
        "checked_wrong.py": "import os\nprint('Content-Type: text/plain\\n', flush=True)\nos.abcd",
        "checked_silent.py": "import os, sys\nif os.environ['REQUEST_METHOD'] == 'GET':\n    sys.exit(int('3'))",
        "checked_slow.py": "import time\nprint('Content-Type: text/plain\\n')\ntime.sleep(60)",
    }
    paths = [lab.cgi_bin / name for name in scripts]
    for path in paths:
        path.write_text(f"#!/usr/bin/env python3\n{scripts[path.name]}\n", encoding="utf-8")
        path.chmod(0o755)
    own = {"COMPOSE_PROJECT_NAME": str(lab.compose.project), **lab.compose.settings}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "cgilab", "check", "--run", "--json", *map(str, paths)],
            cwd=ROOT,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        for path in paths:
            path.unlink()

    assert (done.returncode, done.stderr) == (1, "")
    assert {Path(one["path"]).name: one["cause"] for one in json.loads(done.stdout)} == {
        "checked_sound.py": None,
        "checked_wrong.py": "exception-after-headers",
        "checked_silent.py": "exit-before-output",
        "checked_slow.py": "timeout-before-headers",
    }
