"""What is asked of every server: which script, over how many connections, and whether these are kept alive."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PARAMETERS = "last_name=de+la+Huche&first_name=Jean-Paul&age=42"
RECEIVED = "Information received from the web service [first_name=['Jean-Paul'],last_name=['de la Huche'],age=['42']]"

# Scripts that stand beside the lab's own services, by their file names.
WRITTEN = {
    "hello.sh": "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nhello\\n'\n",
    "megabyte.py": "#!/usr/bin/env python3\nprint('Content-Type: text/plain\\n')\nprint('x' * 1_000_000)\n",
}


@dataclass(frozen=True)
class Script:
    """A script and the request that it is asked with.

    Attributes:
        label: how the tables call it.
        file: its name in the folder of the services.
        expected: what the whole body has to match, line breaks at its end aside.
        query: the parameters in the URL.
        body: the parameters in the body of a POST; a GET where there are none.
    """

    label: str
    file: str
    expected: str
    query: str = ""
    body: str = ""

    @property
    def method(self) -> str:
        """The method of the request."""
        return "POST" if self.body else "GET"

    @property
    def url(self) -> str:
        """Its address, from beside the server."""
        return f"http://127.0.0.1:80/cgi-bin/{self.file}" + (f"?{self.query}" if self.query else "")

    def is_answered_by(self, body: str) -> bool:
        """Tell whether this is the body that the script sends."""
        return re.fullmatch(self.expected, body.strip()) is not None


TIME = Script("`web_02.py`", "web_02.py", r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d")
FORM = Script("`web_03.py`, GET", "web_03.py", re.escape(RECEIVED), query=PARAMETERS)
POSTED = Script("`web_03.py`, POST", "web_03.py", re.escape(RECEIVED), body=PARAMETERS)
SHELL = Script("a two-line shell script", "hello.sh", "hello")
MEGABYTE = Script("1 MB from Python", "megabyte.py", "x{1000000}")
SCRIPTS = (TIME, FORM, POSTED, SHELL, MEGABYTE)


@dataclass(frozen=True)
class Case:
    """One line of the tables.

    Attributes:
        script: what is asked for.
        connections: how many requests are under way at any time.
        kept_alive: whether a connection serves one request after the other.
        seconds: how long the load lasts. Where many requests are under way at once, the first answer takes long.
        peers: whether the peers are measured too.
        crowd: how many scripts lie beside this one in the folder of the services.
    """

    script: Script
    connections: int
    kept_alive: bool = False
    seconds: int = 1
    peers: bool = True
    crowd: int = 0

    @property
    def label(self) -> str:
        """How the tables call it."""
        connections = "1 connection" if self.connections == 1 else f"{self.connections} connections"
        return f"{self.script.label}, {connections}{', kept alive' if self.kept_alive else ''}"


# All that may differ is changed, one thing at a time: every combination would take an hour.
BUSY = 8
MANY = 64
EACH_SCRIPT = tuple(Case(script, BUSY) for script in SCRIPTS)
KEPT_ALIVE = (Case(TIME, BUSY, kept_alive=True), Case(TIME, 1, kept_alive=True))
ALONE = (Case(TIME, 1), Case(FORM, 1))
CROWDED = (Case(TIME, MANY, seconds=2), Case(FORM, MANY, seconds=4))
COMPARED = (*EACH_SCRIPT, *ALONE, *CROWDED, *KEPT_ALIVE)

# What growth does to the lab alone: connections, and scripts in the folder.
GROWN = Case(TIME, 512, seconds=3, peers=False)
FULL_FOLDER = Case(TIME, BUSY, peers=False, crowd=2000)
GROWTH = (Case(TIME, 1), Case(TIME, BUSY), Case(TIME, MANY, seconds=2), GROWN)

ALL = (*COMPARED, GROWN, FULL_FOLDER)
QUICK = tuple(Case(script, BUSY) for script in (TIME, FORM))


def put_scripts(folder: Path) -> None:
    """Write the scripts that the lab has none of into a folder of services."""
    for name, source in WRITTEN.items():
        write(folder / name, source)


def put_crowd(folder: Path, count: int) -> Sequence[Path]:
    """Write so many further scripts into a folder of services, and return their paths."""
    paths = [folder / f"other_{number:04}.sh" for number in range(count)]
    for path in paths:
        write(path, WRITTEN["hello.sh"])
    return paths


def write(path: Path, source: str) -> None:
    """Write a script that everybody may start."""
    path.write_text(source, encoding="utf-8", newline="\n")
    path.chmod(0o755)
