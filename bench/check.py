"""How long `lab check` takes for 500 scripts: `make bench-check`.

The scripts are the project's services and clients and what a beginner makes of them: sound ones and such as fail, of 20
to 200 lines, each another text. Below the figures stands what the time goes into.
"""

import contextlib
import cProfile
import io
import pstats
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cgilab.__main__ import main as lab
from cgilab.project.engine import ROOT

SCRIPTS = 500
ROUNDS = 9
LONGEST = 200
SHOWN = 12

PYTHON = b"#!/usr/bin/env python3\n"
# The body of a service, of about 20 lines; repeated, each time with names of its own, it makes a longer one.
BODY = '''

def answer_{n}(form, limit={n}):
    """Return the rows that a form asks for."""
    rows = []
    for number in range(limit):
        name = form.get("name", ["nobody"])[0]
        if number % 2 == 0:
            rows.append(f"<tr><td>{{number}}</td><td>{{html.escape(name)}}</td></tr>")
        elif name.startswith("a") and number > {n}:
            rows.append("<tr><td>%d</td><td>%s</td></tr>" % (number, name.upper()))
        else:
            rows.append("<tr><td>{{}}</td></tr>".format(os.environ.get("REMOTE_ADDR", "-")))
    try:
        total = sum(len(row) for row in rows) / len(rows)
    except ZeroDivisionError as error:
        total = str(error)
    return {{"rows": rows, "total": total, "name": "answer {n}"}}

'''
START = '''"""A service of {lines} lines."""

import html
import os
import sys
import urllib.parse
'''
END = """
form = urllib.parse.parse_qs(os.environ.get("QUERY_STRING", ""))
print("Content-Type: text/html; charset=utf-8")
print()
print("<!doctype html><title>{n}</title><table>")
for row in answer_1(form)["rows"]:
    print(row)
print("</table>")
sys.stdout.flush()
"""


def script(number: int) -> tuple[bytes, int]:
    """Return a script's content and its permissions; most are sound, each tenth has one of the usual faults."""
    blocks = 1 + number % 9
    text = START.format(lines=blocks * 20) + "".join(BODY.format(n=n) for n in range(1, blocks + 1))
    content = PYTHON + (text + END.format(n=number)).encode()
    if number % 7 == 0:
        content = b"#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n" + f"echo {number}\ndate\n".encode() * (
            10 * blocks
        )
    faults = {
        3: (content.replace(b"\n", b"\r\n"), 0o755),
        13: (content.replace(b'print("</table>")', b'print "</table>"'), 0o755),
        23: (content, 0o644),
        33: (content.replace(b"print()\n", b""), 0o755),
        43: (content.replace(b"import html\n", b"import html, cgi, MySQLdb\n"), 0o755),
    }
    return faults.get(number % 50, (content, 0o755))


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        order = list(range(SCRIPTS))
        random.Random(1).shuffle(order)  # noqa: S311 - the same order in each run
        lines = []
        for number in order:
            content, mode = script(number)
            path = Path(folder) / f"service_{number:03}{'.sh' if content.startswith(b'#!/bin/sh') else '.py'}"
            path.write_bytes(content)
            path.chmod(mode)
            lines.append(content.count(b"\n"))
        command = [sys.executable, "-m", "cgilab", "check", folder]
        floor = [sys.executable, "-m", "cgilab", "check", str(ROOT / "cgi-bin")]
        taken: dict[str, list[float]] = {f"{SCRIPTS} scripts": [], "the project's 3 services": []}
        for _ in range(ROUNDS):
            for label, words in zip(taken, (command, floor), strict=True):
                begin = time.monotonic()
                done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
                taken[label].append(time.monotonic() - begin)
                if label.startswith(str(SCRIPTS)):
                    last = done.stdout.splitlines()[-1]
        print(f"| `lab check`, median of {ROUNDS} rounds | seconds | least to most |\n| --- | --- | --- |")
        for label, figures in taken.items():
            print(f"| {label} | {statistics.median(figures):.2f} | {min(figures):.2f} to {max(figures):.2f} |")
        print(f"\n{last}. Lines: {min(lines)} to {max(lines)}, {sum(lines)} in all.\n")
        profile = cProfile.Profile()
        with contextlib.redirect_stdout(io.StringIO()):
            profile.runcall(lab, ["check", folder])
        pstats.Stats(profile).sort_stats("tottime").print_stats(SHOWN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
