"""Commands of `lab`, as one types them for a lab of the tests."""

import os
import subprocess
import sys

from cgilab.project.engine import ROOT
from tests.support.running_lab import RunningLab


def environment(lab: RunningLab, **settings: str) -> dict[str, str]:
    """Return the variables with which a command means this lab.

    Args:
        lab: a lab of the tests.
        settings: others than those that it was started with, and other variables.
    """
    project = {"COMPOSE_PROJECT_NAME": lab.compose.project or "", "LAB_URL": lab.url, "COLUMNS": "200"}
    return {**os.environ, **lab.compose.settings, **project, **settings}


def typed(lab: RunningLab, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Type a command of `lab`, without a terminal.

    Args:
        lab: the lab that it is about.
        words: of the command, without ``lab``.
        settings: see `environment`.
    """
    return subprocess.run(
        [sys.executable, "-m", "cgilab", *words],
        cwd=ROOT,
        env=environment(lab, **settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
