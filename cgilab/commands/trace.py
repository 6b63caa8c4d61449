"""Send a request and show the whole exchange: what was sent, given, printed and received."""

import argparse
import json
import re
from pathlib import Path
from posixpath import normpath
from urllib.parse import quote, unquote, urlencode, urlsplit

from rich.console import Console

from cgilab import remote, terminal
from cgilab.errors import LabError
from cgilab.har import as_har

METHOD = re.compile(r"[A-Z]+")
HEADER = re.compile(r"(?P<name>[A-Za-z0-9_-]+):(?P<value>[^=].*|)")
WITH_BODY = {"POST", "PUT", "PATCH"}
FORM = "application/x-www-form-urlencoded"
FAILED = 400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab trace [METHOD] PATH [name=value …] [Name:value …]`."""
    parser.add_argument("words", nargs="+", metavar="[METHOD] PATH [name=value ...] [Name:value ...]")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the exchange as JSON")
    form.add_argument("--har", metavar="FILE", help="write the exchange as HTTP Archive 1.2")
    parser.epilog = "The exit code is 0 for a status below 400, else 1. LAB_URL says where the lab is."


def run(arguments: argparse.Namespace) -> int:
    """Send the request, and show what the lab has recorded of it."""
    method, target, headers, body = request(arguments.words)
    if is_labs_own(target):
        raise LabError(
            f"{target} is a page of the lab's own, and requests for these are not recorded.",
            "To see the answer:  curl -i, and the whole URL",
        )
    _add(headers, "User-Agent", "lab-trace")
    one = remote.trace(remote.address(), method, target, headers, body)
    if arguments.json:
        print(json.dumps(one, indent=2))
    elif arguments.har:
        try:
            Path(arguments.har).write_text(json.dumps(as_har([one]), indent=2), encoding="utf-8")
        except OSError as error:
            raise LabError(f"{arguments.har} cannot be written: {error.strerror}.") from None
        print(f"trace: {arguments.har} holds the exchange {one['id']}")
    else:
        terminal.show(Console(highlight=False), one, body)
    return 0 if one["status"] < FAILED else 1


def is_labs_own(target: str) -> bool:
    """Tell whether a target is what httpd.conf does not record: /lab and all below it, however it is written."""
    path = re.sub("/+", "/", unquote(target.partition("?")[0]))
    return f"{normpath(path)}/".startswith("/lab/")


def request(words: list[str]) -> tuple[str, str, dict[str, str], bytes | None]:
    """Read a request from the words of the command line.

    Args:
        words: a method in capitals, or none for GET; a path, with or without a query, or a whole URL; parameters
            ``name=value``, which go into the body of POST, PUT and PATCH, else into the query; headers ``Name:value``.

    Returns:
        The method, the target, the headers and the body.

    Raises:
        LabError: a word is none of these.
    """
    method = words[0] if len(words) > 1 and METHOD.fullmatch(words[0]) else "GET"
    rest = words[1:] if words[0] == method and len(words) > 1 else words
    try:
        parts = urlsplit(rest[0])
    except ValueError as error:
        raise LabError(f"{rest[0]!r} is not a path: {error}.", "For example:  /cgi-bin/web_03.py age=42") from None
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~") or "/"
    if not path.startswith("/"):
        raise LabError(f"{rest[0]!r} is not a path: it starts with a slash.", "For example:  /cgi-bin/web_03.py age=42")
    headers = {}
    parameters = []
    for word in rest[1:]:
        header = HEADER.fullmatch(word)
        name, equals, value = word.partition("=")
        if header and (not equals or ":" in name):
            headers[header["name"]] = header["value"].strip()
        elif equals:
            parameters.append((name, value))
        else:
            raise LabError(f"{word!r} is neither a parameter name=value nor a header Name:value.")
    encoded = urlencode(parameters)
    query = quote(parts.query, safe="%=&+:/?@!$'()*,;~-._")
    if method in WITH_BODY:
        _add(headers, "Content-Type", FORM)
        return method, path + (f"?{query}" if query else ""), headers, encoded.encode()
    query = "&".join(part for part in (query, encoded) if part)
    return method, path + (f"?{query}" if query else ""), headers, None


def _add(headers: dict[str, str], name: str, value: str) -> None:
    """Add a header, where none of this name is given in capitals or small letters."""
    if name.lower() not in {given.lower() for given in headers}:
        headers[name] = value
