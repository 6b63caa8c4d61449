"""What is measured apart from an exchange: an interpreter's start, and a script's imports."""

import ast
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cgilab.web import apart
from cgilab.web.apart import NotMeasuredError, imports_of, measure

SOURCE = """\
import os, json
from urllib.parse import (
    quote,
)
import helper
from . import nothing
try:
    import not_there_at_all
except ImportError:
    import csv
def later():
    import decimal
if True:
    import bisect
open("SAYS", "w").write("the script was run")
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script in this Python, beside a module that says that it was imported."""
    path = tmp_path / "script.py"
    path.write_text(f"#!{sys.executable}\n{SOURCE}".replace("SAYS", str(tmp_path / "says")), encoding="utf-8")
    (tmp_path / "helper.py").write_text(f"open({str(tmp_path / 'says')!r}, 'w').write('imported')", encoding="utf-8")
    return path


def test_the_top_level_says_what_is_imported() -> None:
    assert [ast.unparse(one) for one in imports_of(ast.parse(SOURCE).body)] == [
        "import os, json",
        "from urllib.parse import quote",
        "import helper",
        "import not_there_at_all",
    ]


def test_neither_the_script_nor_a_module_beside_it_is_run(script: Path) -> None:
    measured = measure(str(script), script.stat().st_mtime, rounds=1)

    assert not (script.parent / "says").exists()
    assert [(one.statement, one.time is None) for one in measured.imports] == [
        ("import os, json", False),
        ("from urllib.parse import quote", False),
        ("import helper", True),
        ("import not_there_at_all", True),
    ]


def test_the_medians(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0, 100, 200])
    answers = iter(
        [
            b"a module prints\n\n[5000100, 1000, 9000, -1]\n",
            b"\n[7000200, 3000, 7000, 4000]\n",
            b"\n[6000300, 2000, 8000, 5000]\n",
        ]
    )
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(clock))

    def run(command: list[str], **_options: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(command, 0, next(answers))

    monkeypatch.setattr(subprocess, "run", run)

    assert asdict(measure(str(script), script.stat().st_mtime, rounds=3)) == {
        "rounds": 3,
        "start": 6000,
        "imports": [
            {"statement": "import os, json", "time": 2},
            {"statement": "from urllib.parse import quote", "time": 8},
            {"statement": "import helper", "time": None},
            {"statement": "import not_there_at_all", "time": None},
        ],
    }


def test_the_interpreter_is_the_one_that_the_script_names(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script.write_text("#! /usr/bin/env  -S python3 -u\nimport os\n", encoding="utf-8")
    started: list[list[str]] = []

    def run(command: list[str], **_options: Any) -> subprocess.CompletedProcess[bytes]:
        started.append(command)
        return subprocess.CompletedProcess(command, 0, b"[1, 2]\n")

    monkeypatch.setattr(subprocess, "run", run)
    measure(str(script), script.stat().st_mtime, rounds=1)

    assert started == [["/usr/bin/env", "-S python3 -u", "-c", apart.PROGRAM, "import os"]]


NOT_MEASURED = {
    "another language": (b"#!/bin/sh\necho\n", "the script is none that Python runs"),
    "no first line": (b"import os\n", "the script is none that Python runs"),
    "another Python": (b"#!/usr/bin/env python3\nprint 1\n", "the script is no Python that can be read"),
    "no interpreter": (
        b"#!/nowhere/python3\nimport os\n",
        "the interpreter could not be started, or did not end in time",
    ),
}


@pytest.mark.parametrize(("content", "reason"), NOT_MEASURED.values(), ids=NOT_MEASURED)
def test_what_is_not_measured(script: Path, content: bytes, reason: str) -> None:
    script.write_bytes(content)
    with pytest.raises(NotMeasuredError) as raised:
        measure(str(script), script.stat().st_mtime)

    assert str(raised.value) == reason


def test_a_script_that_has_been_changed_since_is_not_measured(script: Path) -> None:
    with pytest.raises(NotMeasuredError, match=r"^the script has been changed since$"):
        measure(str(script), script.stat().st_mtime - 1)


def test_an_import_that_does_not_end_is_given_up(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "TIME_LIMIT", 0.2)
    monkeypatch.setattr(apart, "PROGRAM", "import time; time.sleep(3); print([1, 2, 3, 4])")
    with pytest.raises(NotMeasuredError, match=r"^the interpreter could not be started, or did not end in time$"):
        measure(str(script), script.stat().st_mtime)
