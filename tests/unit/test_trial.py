"""`lab check --run`: what is asked of the lab, and what is made of its answers."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cgilab.__main__ import main
from cgilab.checks import runner, trial
from cgilab.diagnosis.programs import IMAGE
from cgilab.diagnosis.script import read
from tests.unit.fake_docker import FakeDocker, configuration, container

SOUND = "#!/usr/bin/env python3\nprint('Content-Type: text/plain\\n')\nprint('Hello')\n"
POSIX = pytest.mark.skipif(os.name == "nt", reason="the runner is for the container")


def told(output: bytes = b"", stderr: bytes = b"", **other: Any) -> dict[str, Any]:
    """Return what the runner tells of a script, as a test has it."""
    return {
        "path": "/srv/cgi-bin/hello.py",
        "output": base64.b64encode(output).decode(),
        "length": len(output),
        "stderr": base64.b64encode(stderr).decode(),
        "ended": "",
        "code": 0,
        "signal": None,
        "cpu": 0.1,
        "waiting_in": "",
        "out_of_memory": False,
        "seconds": 0.2,
        "user": 1000,
        **other,
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_docker: FakeDocker) -> Path:
    """The folder of the services of a lab that runs, with one in it."""
    services = tmp_path / "services"
    services.mkdir()
    (services / "hello.py").write_text(SOUND, encoding="utf-8", newline="\n")
    (services / "hello.py").chmod(0o755)
    monkeypatch.setenv("CGI_BIN", str(services))
    fake_docker.answers = {
        "compose ps": "abc",
        "container inspect": container(),
        "compose config": configuration(cgi_bin=str(services)),
        "exec": json.dumps(told(b"Content-Type: text/plain\n\nHello\n")),
    }
    return services


def test_a_sound_script(folder: Path, fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--run", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"OK   {folder / 'hello.py'}",
        "       started: 200 OK, document, 6 bytes",
        "1 script: 1 OK, 0 WARN, 0 ERR",
    ]
    assert len([command for command in fake_docker.asked if " exec " in command]) == 1


def test_the_lab_is_down(folder: Path, fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    fake_docker.answers |= {"compose ps": ""}

    assert main(["check", "--run", str(folder)]) == 1
    assert capsys.readouterr().err == "The lab is down, so nothing can be started.\n  Type:  make up\n"


def test_what_is_sure_to_fail_is_not_started(folder: Path, fake_docker: FakeDocker) -> None:
    (folder / "hello.py").write_text(SOUND.replace("print('Hello')", "print 'Hello'"), encoding="utf-8")

    assert main(["check", "--run", str(folder)]) == 1
    assert [command for command in fake_docker.asked if " exec " in command] == []


def test_what_the_lab_does_not_serve_is_not_started(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "elsewhere.py"
    elsewhere.write_text(SOUND, encoding="utf-8", newline="\n")
    elsewhere.chmod(0o755)

    assert main(["check", "--run", str(elsewhere)]) == 0
    expected = "       not started: it does not lie in the folder that the lab serves"
    assert capsys.readouterr().out.splitlines()[1] == expected
    assert folder.is_dir()


def test_an_answer_that_is_none(folder: Path, fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    fake_docker.answers |= {"exec": "what?"}

    assert main(["check", "--run", str(folder)]) == 1
    assert capsys.readouterr().err.startswith("What the lab answered cannot be read")


TRACEBACK = b"""Traceback (most recent call last):
  File "/srv/cgi-bin/hello.py", line 3, in <module>
    print('Hello')
ValueError: wrong
"""
ANSWERS = {
    "sound": (told(b"Content-Type: text/plain\n\nHello"), None),
    "a redirect": (told(b"Location: /\n\n"), None),
    "chatter on stderr": (told(b"Content-Type: text/plain\n\nHello", b"a word\n"), None),
    "it speaks longer than it is followed": (told(b"Content-Type: text/plain\n\nHello", ended="time"), None),
    "nothing printed": (told(), "no-output"),
    "an exit code": (told(code=3), "exit-before-output"),
    "a signal": (told(code=None, signal=9), "killed-by-signal"),
    "no memory": (told(code=None, signal=9, out_of_memory=True), "memory-limit"),
    "processor time": (told(code=None, signal=24), "cpu-limit"),
    "silence": (told(ended="silence", code=None), "timeout-before-headers"),
    "silence after the headers": (
        told(b"Content-Type: text/plain\n\n", ended="silence", code=None),
        "timeout-after-headers",
    ),
    "an exception": (told(b"", TRACEBACK, code=1), "exception-before-headers"),
    "an exception after the headers": (
        told(b"Content-Type: text/plain\n\n", TRACEBACK, code=1),
        "exception-after-headers",
    ),
    "a wrong status": (told(b"Status: abc\n\n"), "status-malformed"),
    "a wrong name": (told(b"Content Type: text/plain\n\n"), "header-characters"),
    "no type": (told(b"X: 1\n\nHello"), "content-type-missing"),
    "a wrong length": (told(b"Content-Type: text/plain\nContent-Length: 3\n\nHello"), "content-length-wrong"),
    "a closed folder": ({"path": "/srv/cgi-bin/a/b.py", "closed": "/srv/cgi-bin/a", "user": 1000}, "folder-closed"),
    "no status line": (told(b"Content-Type: text/plain\n\n", path="/srv/cgi-bin/nph-a.py"), "nph-confusion"),
}


@pytest.mark.parametrize(("answer", "cause"), ANSWERS.values(), ids=ANSWERS)
def test_what_was_seen_becomes_a_cause(folder: Path, answer: dict[str, Any], cause: str | None) -> None:
    script = read(str(folder / "hello.py"), programs=IMAGE)
    found = trial.judge(script, answer).diagnosis

    assert (found.cause if found else None) == cause


@POSIX
def test_the_runner_tells_exactly_how_a_script_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = {
        "sound": "printf 'Content-Type: text/plain\\n\\nHello'; echo word >&2",
        "code": "exit 3",
        "signal": "kill -9 $$",
        "input": "cat; pwd; env",
        "child": "sleep 60 & printf 'A: b\\n\\n'",
    }
    monkeypatch.setattr(runner, "SILENCE", 1.0)
    monkeypatch.setenv("SECRET", "of the host")
    found = {}
    for name, text in scripts.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
        found[name] = runner.run(str(path))

    assert base64.b64decode(found["sound"]["output"]) == b"Content-Type: text/plain\n\nHello"
    assert base64.b64decode(found["sound"]["stderr"]) == b"word\n"
    assert (found["code"]["code"], found["code"]["signal"]) == (3, None)
    assert (found["signal"]["code"], found["signal"]["signal"]) == (None, 9)
    lines = base64.b64decode(found["input"]["output"]).decode().splitlines()
    assert lines[0] == str(tmp_path)
    assert "REQUEST_METHOD=GET" in lines
    assert not [line for line in lines if line.startswith("SECRET")]
    assert found["child"]["ended"] == "silence"


@POSIX
def test_the_runner_bounds_what_it_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "endless"
    path.write_text("#!/bin/sh\nprintf 'A: b\\n\\n'; exec yes\n", encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setattr(runner, "MOST_BYTES", 2_000_000)
    found = runner.run(str(path))

    assert found["ended"] == "length"
    assert len(base64.b64decode(found["output"])) == runner.KEPT_BYTES
    assert found["length"] > runner.KEPT_BYTES


@POSIX
@pytest.mark.parametrize(
    ("content", "mode", "errno"),
    [(None, 0, 2), (SOUND.replace("/usr", "/nowhere"), 0o755, 2), (SOUND, 0o644, 13), ("", 0o755, 8)],
    ids=["no file", "no interpreter", "no permission", "no format"],
)
def test_the_runner_tells_why_nothing_was_started(tmp_path: Path, content: str | None, mode: int, errno: int) -> None:
    path = tmp_path / "hello"
    if content is not None:
        path.write_text(content, encoding="utf-8")
        path.chmod(mode)

    assert runner.run(str(path)) == {"path": str(path), "errno": errno}
