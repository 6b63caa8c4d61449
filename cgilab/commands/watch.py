"""Show every exchange as it happens, whoever the client is: a line each."""

import argparse
import time

from rich.console import Console

from cgilab.exchanges import terminal
from cgilab.project import remote

SECONDS_BETWEEN_LOOKS = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab watch [-v] [--count N]`."""
    parser.add_argument("-v", "--verbose", action="store_true", help="show the headers too, each with who wrote it")
    parser.add_argument("--count", type=positive, metavar="N", help="end after N exchanges")


def positive(word: str) -> int:
    """Read a number above zero.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not word.isdecimal() or int(word) == 0:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number above zero")
    return int(word)


def run(arguments: argparse.Namespace) -> int:
    """Print exchanges until Ctrl-C, from those on that begin now."""
    url = remote.address()
    console = Console(highlight=False)
    seen = remote.exchanges(url)
    last = seen[-1]["id"] if seen else ""
    shown = 0
    console.print(f"watch: waiting for requests to {url}, Ctrl-C ends", style="dim")
    try:
        while arguments.count is None or shown < arguments.count:
            for one in remote.exchanges(url, last):
                last = one["id"]
                shown += 1
                console.print(terminal.line(one), soft_wrap=True)
                if arguments.verbose:
                    for text in terminal.headers_by_origin(remote.exchange(url, last)):
                        console.print(text, soft_wrap=True)
            time.sleep(SECONDS_BETWEEN_LOOKS)
    except KeyboardInterrupt:
        console.print(f"watch: {shown} exchanges", style="dim")
    return 0
