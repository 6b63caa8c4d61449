"""The programs under test, and how a test starts one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "clients"
FOLDERS = ("http_client", "requests")
NAMES = ("client_web_02.py", "client_web_03_get.py", "client_web_03_post.py", "client_web_04.py", "client_web_05.py")

ALL_PROGRAMS = [pytest.param(CLIENTS / folder / name, id=f"{folder}/{name}") for folder in FOLDERS for name in NAMES]
REQUESTS_PROGRAMS = ALL_PROGRAMS[len(NAMES) :]
# Those of the chapter, each of which asks once.
ASKING_ONCE = [program for program in ALL_PROGRAMS if not str(program.id).endswith("client_web_05.py")]
# For what lab_client.py and lab_session.py decide, and no program by itself.
ONE_OF_EACH_KIND = [ALL_PROGRAMS[0], REQUESTS_PROGRAMS[0]]

SENTENCE = "Information received from the web service [first_name=['Jean-Paul'],last_name=['de la Huche'],age=['42']]"

Finished = subprocess.CompletedProcess[str]


def programs(name: str) -> list[object]:
    """Return the programs of one name, as parameters of a test."""
    return [pytest.param(CLIENTS / folder / name, id=folder) for folder in FOLDERS]


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of the tests without what would change a client's behaviour, and with these variables."""
    disturbing = ("LAB_URL", "PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONIOENCODING")
    return {name: value for name, value in os.environ.items() if name not in disturbing} | variables


def run(program: Path, *arguments: str, **variables: str) -> Finished:
    """Run a program to its end, as a learner would in the project's root; the variables join its environment."""
    return start([str(program.relative_to(ROOT)), *arguments], ROOT, variables)


def start(arguments: list[str], folder: Path, variables: dict[str, str]) -> Finished:
    """Run Python to its end with these arguments in this folder."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def run_with_constant(program: Path, constant: str, value: object, *arguments: str, **variables: str) -> Finished:
    """Run a program with one constant of lab_client changed, so that a test need not wait for ten seconds."""
    code = (
        "import runpy, sys\n"
        f"sys.path[0:0] = [{str(program.parent)!r}, {str(CLIENTS / 'http_client')!r}]\n"
        "import lab_client\n"
        f"lab_client.{constant} = {value!r}\n"
        f"runpy.run_path({str(program)!r}, run_name='__main__')\n"
    )
    return start(["-c", code, *arguments], ROOT, variables)


def failure(finished: Finished) -> tuple[int, str]:
    """Return exit code and standard error of a program that has to end with a sentence, and not with a traceback."""
    assert "Traceback" not in finished.stdout
    return finished.returncode, finished.stderr
