"""Is every directive of httpd.conf tested? `make mutate` removes each in turn and runs the tests against what is left.

Prints a line a directive. The exit code is 1 when the tests miss one that is not listed in `UNTESTED`.
A run takes about a quarter of an hour on two processors.
"""

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from cgilab.project.engine import ROOT
from tests.support.copy import copy_project

CONFIGURATION = Path("docker/web/httpd.conf")
TESTS = ("tests/image/test_image.py", "tests/http", "tests/exchanges")
RUNS_AT_ONCE = 3

# These say what httpd does without them too; they stand there for the reader, and for whoever wants to change them.
# To remove one changes nothing, so it is changed instead.
DEFAULTS = {
    "ServerTokens Full": "ServerTokens Prod",
    "KeepAlive On": "KeepAlive Off",
    "KeepAliveTimeout 5": "KeepAliveTimeout 6",
    "MaxKeepAliveRequests 100": "MaxKeepAliveRequests 101",
    "LimitRequestLine 8190": "LimitRequestLine 4000",
    "LimitRequestFieldSize 8190": "LimitRequestFieldSize 4000",
    "LimitRequestFields 100": "LimitRequestFields 99",
}

# Directives that no request can tell from their absence, and why they stand there all the same.
UNTESTED = {
    "Require all denied in <Directory />": "no URL leads outside the two folders; it holds for the next Alias "
    "whose section somebody forgets",
    "ErrorDocument 502 /lab/failure in <IfDefine !ONLINE>": "httpd 2.4 answers no script with 502 by itself",
    "ErrorDocument 502 default in <VirtualHost *:80>": "httpd 2.4 answers no script with 502 by itself",
}


@dataclass(frozen=True)
class Mutation:
    """A change of httpd.conf.

    Attributes:
        name: the directive, and the section that it stands in.
        text: the whole configuration after the change.
    """

    name: str
    text: str


def mutations(configuration: str) -> list[Mutation]:
    """Return one mutation for each directive; a section without its directives is as good as none.

    Args:
        configuration: the text of httpd.conf.
    """
    lines = configuration.splitlines(keepends=True)
    found = []
    section = ""
    for number, line in enumerate(lines):
        directive = line.strip()
        if not directive or directive.startswith("#"):
            continue
        if directive.startswith("<"):
            section = "" if directive.startswith("</") else f" in {directive}".replace('"', "")
        else:
            instead = [f"{DEFAULTS[directive]}\n"] if directive in DEFAULTS else []
            found.append(Mutation(directive + section, "".join(lines[:number] + instead + lines[number + 1 :])))
    return found


def first_failure(mutation: Mutation) -> str | None:
    """Run the tests against a mutation, and return the first that fails, or None where all pass.

    Raises:
        RuntimeError: the tests could not be run; that says nothing about the mutation.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_project(folder)
        (folder / CONFIGURATION).write_text(mutation.text, encoding="utf-8")
        command = [".venv/bin/python", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *TESTS]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    failure = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", done.stdout, re.MULTILINE)
    if done.returncode != pytest.ExitCode.TESTS_FAILED or not failure:
        raise RuntimeError(f"{mutation.name}: pytest ended with exit code {done.returncode}\n{done.stdout[-2000:]}")
    return failure[1]


def main() -> int:
    """Try every mutation; see the module."""
    configuration = (ROOT / CONFIGURATION).read_text(encoding="utf-8")
    # A failure means something only where the unchanged configuration has none.
    failure = first_failure(Mutation("unchanged", configuration))
    if failure:
        print(f"the tests fail already without a change: {failure}")
        return 2
    tried = mutations(configuration)
    missed = []
    unneeded = UNTESTED.keys() - {mutation.name for mutation in tried}
    with ThreadPoolExecutor(RUNS_AT_ONCE) as threads:
        for mutation, failure in zip(tried, threads.map(first_failure, tried), strict=True):
            if failure and mutation.name in UNTESTED:
                unneeded.add(mutation.name)
            if failure:
                print(f"tested    {mutation.name}\n              by {failure}", flush=True)
            elif mutation.name in UNTESTED:
                print(f"untested  {mutation.name}\n              because {UNTESTED[mutation.name]}", flush=True)
            else:
                print(f"MISSED    {mutation.name}", flush=True)
                missed.append(mutation.name)
    print(f"{len(tried)} directives, {len(missed)} missed by the tests")
    if unneeded:
        print(f"listed as untested, but tested or not there: {', '.join(sorted(unneeded))}")
    return 1 if missed or unneeded else 0


if __name__ == "__main__":
    sys.exit(main())
