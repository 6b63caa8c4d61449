"""Send a request and show the whole exchange: what was sent, given, printed and received."""

import argparse
import json
import os
import re
import shlex
from pathlib import Path
from posixpath import normpath
from urllib.parse import quote, unquote, urlencode, urlsplit

from rich.console import Console

from cgilab.errors import LabError
from cgilab.exchanges import terminal
from cgilab.exchanges.exchange import Spender
from cgilab.exchanges.har import as_har
from cgilab.project import remote

METHOD = re.compile(r"[A-Z]+")
HEADER = re.compile(r"(?P<name>[A-Za-z0-9_-]+):(?P<value>[^=].*|)", re.DOTALL)
THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}
WITH_BODY = {"POST", "PUT", "PATCH"}
# What a header may hold (RFC 9110, section 5.5), and a way to say so to a user.
FORBIDDEN = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
FORM = "application/x-www-form-urlencoded"
FAILED = 400

# Of such a part, what is measured apart says how much may be the interpreter's.
UNSEPARATED = Spender.INTERPRETER_AND_SCRIPT.value

EXAMPLE = ("For example:  /cgi-bin/web_03.py age=42",)

# The variable in which `make trace` hands its words over, so that no shell reads them.
WORDS = "LAB_TRACE"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab trace [METHOD] PATH [name=value …] [Name:value …]`."""
    parser.add_argument("words", nargs="*", metavar="[METHOD] PATH [name=value ...] [Name:value ...]")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the exchange as JSON")
    form.add_argument("--har", metavar="FILE", help="write the exchange as HTTP Archive 1.2")
    parser.epilog = (
        "The exit code is 0 for a status below 400, else 1. LAB_URL says where the lab is. "
        f"Without words, they are those of {WORDS}, quoted as in a shell."
    )


def run(arguments: argparse.Namespace) -> int:
    """Send the request, and show what the lab has recorded of it."""
    words = arguments.words or words_of(os.environ.get(WORDS, ""))
    method, target, headers, body = request(words)
    if is_labs_own(target):
        raise LabError(
            f"{target} is a page of the lab's own, and requests for these are not recorded.",
            "To see the answer:  curl -i, and the whole URL",
        )
    _add(headers, "User-Agent", "lab-trace")
    url = remote.address()
    refuse_elsewhere(words, url)
    one = remote.trace(url, method, target, headers, body)
    if arguments.json:
        print(json.dumps(one, indent=2))
    elif arguments.har:
        try:
            Path(arguments.har).write_text(json.dumps(as_har([one]), indent=2), encoding="utf-8")
        except OSError as error:
            raise LabError(f"{arguments.har} cannot be written: {error.strerror}.") from None
        print(f"trace: {arguments.har} holds the exchange {one['id']}")
    else:
        if any(part["by"] == UNSEPARATED for part in one["parts"]):
            one["apart"] = remote.apart(url, one["id"])
        terminal.show(Console(highlight=False), one, body)
    return 0 if one["status"] < FAILED else 1


def words_of(line: str) -> list[str]:
    """Take a line apart into words as a shell does, and do nothing else of what a shell does.

    Raises:
        LabError: there is no word in it, or a quote that is not closed.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise LabError(f"{line!r} cannot be read: {error}.", *EXAMPLE) from None
    if not words:
        raise LabError("There is no path to ask for.", *EXAMPLE)
    return words


def is_labs_own(target: str) -> bool:
    """Tell whether a target is what httpd.conf does not record: /lab and all below it, however it is written."""
    # An encoded slash is one that httpd leaves, and refuses.
    path = re.sub("%2f", "%252f", target.partition("?")[0], flags=re.IGNORECASE)
    path = re.sub("/+", "/", unquote(path))
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
    method, rest = _method(words)
    try:
        parts = urlsplit(rest[0])
    except ValueError as error:
        raise LabError(f"{rest[0]!r} is not a path: {error}.", *EXAMPLE) from None
    path = quote(os.fsencode(parts.path), safe="/%:@!$&'()*+,;=~") or ("/" if parts.netloc else "")
    if not path.startswith("/"):
        raise LabError(f"{rest[0]!r} is not a path: it starts with a slash.", *EXAMPLE)
    headers = {}
    parameters = []
    for word in rest[1:]:
        header = HEADER.fullmatch(word)
        name, equals, value = word.partition("=")
        if header and (not equals or ":" in name):
            headers[header["name"]] = _header_value(header["name"], header["value"].strip(" \t"))
        elif equals:
            parameters.append((os.fsencode(name), os.fsencode(value)))
        else:
            raise LabError(f"{word!r} is neither a parameter name=value nor a header Name:value.")
    encoded = urlencode(parameters)
    query = quote(os.fsencode(parts.query), safe="%=&+:/?@!$'()*,;~-._")
    if method in WITH_BODY:
        _add(headers, "Content-Type", FORM)
        return method, path + (f"?{query}" if query else ""), headers, encoded.encode()
    query = "&".join(part for part in (query, encoded) if part)
    return method, path + (f"?{query}" if query else ""), headers, None


def refuse_elsewhere(words: list[str], url: str) -> None:
    """Let through what the lab is asked for, as a path or by its own address, by whatever name of this machine.

    Args:
        words: as for `request`.
        url: the lab's address.

    Raises:
        LabError: the words name another server.
    """
    _, (named, *_) = _method(words)
    asked, lab = urlsplit(named), urlsplit(url)
    try:
        same = (asked.scheme, asked.port or 80) == (lab.scheme, lab.port or 80)
    except ValueError:
        same = False
    hosts = {asked.hostname, lab.hostname}
    if asked.netloc and not (same and (len(hosts) == 1 or hosts <= THIS_MACHINE)):
        path = f"{asked.path or '/'}{'?' if asked.query else ''}{asked.query}"
        raise LabError(
            f"{named!r} is of another server, and the lab alone is asked: {url}.",
            f"Type:  lab trace {shlex.quote(path)}",
        )


def _method(words: list[str]) -> tuple[str, list[str]]:
    """Return the method, and the words after it."""
    if len(words) > 1 and METHOD.fullmatch(words[0]):
        return words[0], words[1:]
    return "GET", words


def _header_value(name: str, value: str) -> str:
    """Return a header's value as http.client sends it: each character stands for a byte, of UTF-8.

    Raises:
        LabError: it holds what no header may.
    """
    if FORBIDDEN.search(value):
        raise LabError(
            f"The header {name} would hold {value!r}: a header is one line without control characters.",
            f"Type:  {name}:value",
        )
    return os.fsencode(value).decode("latin-1")


def _add(headers: dict[str, str], name: str, value: str) -> None:
    """Add a header, where none of this name is given in capitals or small letters."""
    if name.lower() not in {given.lower() for given in headers}:
        headers[name] = value
