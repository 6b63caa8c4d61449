"""Show what a server has logged: requests and messages, or one of the two; or empty the log."""

import argparse
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from cgilab.commands.server import server
from cgilab.errors import LabError
from cgilab.project.engine import stream
from cgilab.project.lab import DB, PHP, WEB, Lab
from cgilab.project.started import as_started

TAIL = 100

# httpd's line for a request, as CustomLog in httpd.conf writes it for people; PHP-FPM and MariaDB log none.
REQUEST = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ \"")
# What the others say when nothing is wrong.
NO_ERROR = {DB: re.compile(r"\[Note\]|^Version: |^db: "), PHP: re.compile(r"^\[[^\]]*\] NOTICE: |^NOTICE: ")}

# What goes with the log, since it is Docker's and ends with the container: what is in the memory of each.
GOES = {
    WEB: "with it went the exchanges that /lab/ shows",
    DB: "the tables are where they were",
    PHP: "sessions in its memory went with it",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab logs [SERVER] [--errors | --access] [--follow] [--since WHEN] [--tail LINES] [--empty]`."""
    parser.add_argument("server", nargs="?", type=server, default=WEB, metavar="SERVER", help="by default web")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--errors", action="store_true", help="what went wrong, and no requests")
    kinds.add_argument("--access", action="store_true", help="requests alone, a line each")
    kinds.add_argument("--empty", action="store_true", help="begin anew, with a new container")
    parser.add_argument("--follow", action="store_true", help="go on as lines come, until Ctrl-C")
    parser.add_argument("--since", metavar="WHEN", help="such as 10m, or 2026-11-22T13:00:00")
    parser.add_argument(
        "--tail", type=count, metavar="LINES", help=f"the last so many; by default {TAIL}, or all since"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the log, or empty it."""
    name = arguments.server
    lab = as_started(Lab())
    if name not in lab.servers:
        raise LabError(f"There is no log of {name}: it was never started.", "Type:  make wamp")
    if arguments.empty:
        empty(lab, name)
        return 0
    if arguments.access and name != WEB:
        raise LabError(
            f"{name} logs no requests: those for its pages are in the log of the web server.", "Type:  make logs"
        )
    wanted = chooser(name, errors=arguments.errors, access=arguments.access)
    tail = arguments.tail if arguments.tail is not None else None if arguments.since else TAIL
    for line in read(lab, name, wanted, tail=tail, since=arguments.since, follow=arguments.follow):
        print(line, flush=arguments.follow)
    return 0


def count(word: str) -> int:
    """Return a number of lines.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"{word!r} is no number of lines")
    return int(word)


def chooser(name: str, *, errors: bool, access: bool) -> Callable[[str], bool]:
    """Return what tells the lines that are asked for."""
    if access:
        return lambda line: REQUEST.match(line) is not None
    if errors and name == WEB:
        return lambda line: REQUEST.match(line) is None
    if errors:
        return lambda line: NO_ERROR[name].search(line) is None
    return lambda _: True


def read(
    lab: Lab, name: str, wanted: Callable[[str], bool], *, tail: int | None, since: str | None, follow: bool
) -> Iterable[str]:
    """Return the last lines of a log that are wanted; with `follow` it goes on as they come."""
    container = lab.container(name)
    identifier = container["Id"] if container else ""
    when = ["--since", since] if since else []
    if follow:
        backlog = ["--tail", str(tail)] if tail is not None else []
        return lines(["logs", "--follow", *when, *backlog, identifier], wanted)
    return deque(lines(["logs", *when, identifier], wanted), maxlen=tail)


def lines(command: list[str], wanted: Callable[[str], bool]) -> Iterator[str]:
    """Yield the wanted lines that docker prints, without what would move a terminal's cursor or change its colours."""
    for line in stream(*command):
        if wanted(line):
            yield "".join(one if one.isprintable() or one == "\t" else repr(one)[1:-1] for one in line)


def empty(lab: Lab, name: str) -> None:
    """Make the server's container anew, with the same settings: its log is Docker's, and nothing else empties it."""
    lab = replace(lab, servers=(name,))
    lab.start_again(anew=True)
    print(f"logs: the log of {name} is empty; {GOES[name]}")
