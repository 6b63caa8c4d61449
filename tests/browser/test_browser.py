"""What the tests of the page say where there is no browser for them."""

import os
import subprocess
import sys
from pathlib import Path

from cgilab.project.engine import ROOT


def test_a_machine_without_chromium_is_told_what_to_type(tmp_path: Path) -> None:
    program = "from tests.support.browser import chromium\nwith chromium(): pass"
    environment = {**os.environ, "PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "tests.support.browser.NoBrowserError: no Chromium: none of chromium, chromium-browser, google-chrome is on "
        "PATH, and Playwright has none of its own. Install your system's, or type: "
        ".venv/bin/python -m playwright install chromium"
    )
