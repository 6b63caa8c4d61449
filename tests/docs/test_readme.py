"""The README is true: every command in it is typed, in its order, in a fresh copy of the project.

The copy has a project name, a port and an image of its own, so nothing of the user's is touched.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cgilab.project.engine import ROOT
from tests.support.copy import copy_project, lend_environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = sorted((ROOT / "docs").glob("*.md"))

# What cgi-bin/ holds as it is cloned.
SERVICES = {"web_02.py", "web_03.py", "web_04.py", "web_05.py"}

# A command, and below it, where the README shows it, what it prints.
EXAMPLE = re.compile(r"^```sh\n(?P<commands>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
TABLE_ROW = re.compile(r"^\| `(?P<make>make [^`]+)` \| `(?P<plain>[^`]+)` \|", re.MULTILINE)

NOT_TYPED = {
    "git clone https://github.com/cgi-lab/cgi-lab.git": "the copy stands for the clone",
    "cd cgi-lab": "the tests are in it",
    "make test": "it is what runs this test",
    ".venv/bin/python -m pytest -n 4 --dist loadfile": "it is what runs this test",
    "make lint": "continuous integration types it, beside the tests",
    "make port PORT=8099": "what else listens there is not known; tests/menu asks for ports that it knows",
    "python3 -m cgilab port 8099": "what else listens there is not known; tests/menu asks for ports that it knows",
    "make bundle": "it takes a minute; tests/image/test_bundle.py types it, and starts a lab from what it writes",
    ".venv/bin/python -m cgilab bundle": "it takes a minute; tests/image/test_bundle.py types it",
    "make watch": "it ends with Ctrl-C; tests/exchanges starts it with an end",
    ".venv/bin/python -m cgilab watch": "it ends with Ctrl-C; tests/exchanges starts it with an end",
    ". .venv/bin/activate && pre-commit run --all-files": "continuous integration types it, beside the tests",
}

# What differs from one run to the next, and what stands for it: the chapter's transcripts are compared in this form.
MASKS = (
    (re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"), "DATE"),
    (re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"Day=\d\d,Month=\d\d,Year=\d\d,Hours=\d\d,Minutes=\d\d,Seconds=\d\d"), "ELEMENTS"),
    (re.compile(r"Apache/2\.4\.\d+ \(Debian\)"), "SERVER"),
    (re.compile(r"localhost:\d+"), "localhost:PORT"),
    (re.compile(r"exchange=[\w@-]+"), "exchange=ID"),
    (re.compile(r"Transfer-Encoding: chunked|Content-Length: \d+(?=\n)"), "FRAMING"),
    # Said where an image was never built on this machine.
    (re.compile(r"^image: building .*\n", re.MULTILINE), ""),
    (re.compile(r"\r\n"), "\n"),
)


def masked(text: str) -> str:
    """Replace what differs from one run to the next."""
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


@dataclass(frozen=True)
class Copy:
    """A fresh copy of the project, in which commands are typed.

    Attributes:
        folder: where it is.
        environment: the variables that keep it apart from other labs of this machine.
        port: its port, in place of 8080.
    """

    folder: Path
    environment: dict[str, str]
    port: int

    def type(self, command: str) -> str:
        """Type a command, with the copy's own port in place of 8080; it has to succeed. Return what it printed."""
        done = subprocess.run(
            ["sh", "-c", command.replace("localhost:8080", f"localhost:{self.port}")],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def copy(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A fresh copy of all files that git would commit, and at the end nothing of it.

    It is given none of the settings of this machine: the commands have to find them out, as they do for a user.
    """
    assert machine_settings["BASE_IMAGE"]
    folder = tmp_path_factory.mktemp("copy")
    copy_project(folder)
    # What the user has added must not change what the examples show.
    for added in [*(folder / "cgi-bin").iterdir(), *(folder / "tests" / "services").glob("*")]:
        if added.name not in SERVICES:
            shutil.rmtree(added) if added.is_dir() else added.unlink()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    name = f"readme-{secrets.token_hex(4)}"
    own = {
        "COMPOSE_PROJECT_NAME": f"cgi-lab-{name}",
        "IMAGE_TAG": name,
        "PORT": str(port),
        "LAB_URL": f"http://localhost:{port}",
    }
    # What `make test` passes on would make the commands' own make talk about folders.
    inherited = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
    made = Copy(folder, {**inherited, **own}, port)
    yield made
    made.type("python3 -m cgilab clean --yes")


def commands_of_table(column: str) -> list[str]:
    """Return one column of the table of commands, from top to bottom."""
    return [row[column] for row in TABLE_ROW.finditer(README)]


def test_the_examples_print_what_the_readme_shows(copy: Copy) -> None:
    examples = list(EXAMPLE.finditer(README))
    assert len(examples) == README.count("```sh\n")
    for example in examples:
        commands = [command for command in example["commands"].splitlines() if command not in NOT_TYPED]
        printed = "".join(copy.type(command) for command in commands)

        if example["output"] is not None:
            assert masked(printed) == masked(example["output"])


def test_a_new_service_passes_the_test_that_comes_with_it(copy: Copy) -> None:
    copy.type("make new NAME=tried")
    printed = copy.type(".venv/bin/python -m pytest -q tests/services/test_tried.py")

    assert re.search(r"^2 passed in ", printed, re.MULTILINE)
    copy.type(".venv/bin/ruff check cgi-bin/tried.py tests/services/test_tried.py")
    copy.type(".venv/bin/mypy tests/services/test_tried.py")


def test_compose_alone_starts_the_lab_where_there_is_a_base_image(copy: Copy, machine_settings: dict[str, str]) -> None:
    assert "`docker compose up --build --wait`" in README
    copy.type(f"BASE_IMAGE={machine_settings['BASE_IMAGE']} docker compose up --build --wait")

    assert copy.type("curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/cgi-bin/web_02.py") == "200"


def test_compose_alone_starts_all_servers(copy: Copy, machine_settings: dict[str, str]) -> None:
    assert "`docker compose --profile wamp up --build --wait`" in README
    copy.type("python3 -m cgilab down")
    copy.type(f"BASE_IMAGE={machine_settings['BASE_IMAGE']} docker compose --profile wamp up --build --wait")

    assert copy.type("curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/cgi-bin/web_05.py") == "200"
    assert copy.type("curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/people.php") == "200"


@pytest.mark.parametrize("column", ["make", "plain"])
def test_every_command_of_the_table_works(copy: Copy, column: str) -> None:
    lend_environment(copy.folder)
    commands = commands_of_table(column)
    assert len(commands) == README.count("\n| `make ")
    for command in commands:
        if command not in NOT_TYPED:
            copy.type(command)


def test_the_table_has_every_target(copy: Copy) -> None:
    targets = set(re.findall(r"^make (\S+)", copy.type("make"), re.MULTILINE))
    of_contributors = {"help", "lock", "mutate", "screenshots", "docs"} | {
        name for name in targets if name.partition("-")[0] == "bench"
    }

    assert {command.split()[1] for command in commands_of_table("make")} == targets - of_contributors


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in DOCS)])
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", (ROOT / page).read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        led_to = ((ROOT / page).parent / path) if path else ROOT / page
        assert led_to.exists(), target
        assert not anchor or anchor in anchors(led_to), target


def anchors(page: Path) -> set[str]:
    """Return the names to which links into a page can lead: of its headings, as GitHub makes them, and its own."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    named = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return named | set(re.findall(r'<a id="([^"]+)">', text))
