"""Scripts that are made to be slow to judge, or to break what judges them: all are judged in the time of any other."""

import subprocess
import sys
from pathlib import Path

import pytest

from cgilab.project.engine import ROOT

PYTHON = b"#!/usr/bin/env python3\n"

# Seconds; none of them takes one, and before there were bounds they took more than a minute, or for ever.
TIME = 20

HOSTILE = {
    "spaces before nothing": b" " * 80 + b"}",
    "comments before nothing": b"  # c\n" * 40 + b"x\n",
    "functions that call each other": PYTHON
    + b"def f0(): pass\n"
    + b"".join(b"def f%d():\n" % n + b"    f%d()\n" % (n - 1) * 40 for n in range(1, 8))
    + b"f7()\n",
    "half a million statements": PYTHON + b"0\n" * 400_000,
    "prints in a text": PYTHON + b'"""\n' + b"print\n" * 50_000 + b'"""\n' + b"a\n" * 50_000,
    "a codec that takes long": PYTHON + b"# coding: punycode\n" + b"a" * 500_000,
    "a codec that is none": PYTHON + b"# coding: undefined\nprint(1)\n",
    "a number of ten thousand digits": PYTHON + b"print(0x" + b"f" * 10_000 + b")\n",
    "braces in a text with values": PYTHON + b'x = f"' + b"{ " * 50_000 + b'"\n',
    "Python 2 with many spaces": PYTHON + b"print a" + b" " * 500_000 + b"b\n",
    "a text of escapes": PYTHON + b"print 'a" + b"\\'" * 20_000 + b"\n",
    "echo with many spaces": b"#!/bin/sh\necho a" + b" " * 300_000 + b"b|c\n",
    "echo with many escapes": b'#!/bin/sh\necho "' + b'\\"' * 200_000 + b"\n",
    "many empty lines": PYTHON + b"\n" * 300_000 + b"x=(\n",
}


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in HOSTILE.items()])
def test_a_hostile_script_is_judged_in_time(content: bytes, tmp_path: Path) -> None:
    script = tmp_path / "hostile.py"
    script.write_bytes(content)
    script.chmod(0o755)
    command = [sys.executable, "-m", "cgilab", "check", str(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIME, check=False)

    assert done.returncode in {0, 1}
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].startswith("1 script: ")
