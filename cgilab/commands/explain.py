"""Explain each failure of a CGI script in an Apache error log: cause, evidence, what mends it."""

import argparse
import gzip
import io
import json
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from cgilab.diagnosis import UNKNOWN, diagnose
from cgilab.diagnosis.model import Diagnosis, Evidence, Exhibit, Finding
from cgilab.errors import LabError
from cgilab.failures.apache_log import BLOCK_BYTES, HAD_BEGUN, Failure, Reader

USAGE_ERROR = 2

# Kinds of failures that are kept before they are printed; a log can have any number.
KINDS = 1000

GZIP = b"\x1f\x8b"
UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}

# What cannot be said where a script's lines are mixed with another's: that it printed none.
WITHOUT_STDERR = {"no-output", "exit-before-output", "killed-by-signal", "body-before-headers", "only-stderr"}


# "Premature end of script headers" of 2.2 stands for all of these.
SAME_TO_22 = {"no-blank-line", "no-output", "only-stderr"}


class Kind(NamedTuple):
    """Failures that are the same but for when they happened and to whom."""

    failure: Failure
    diagnosis: Diagnosis
    times: int
    last: str


class Table:
    """The failures found so far, the same ones counted."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[object, ...], Kind] = {}

    def __len__(self) -> int:
        return len(self._kinds)

    def add(self, failure: Failure) -> None:
        """Add one."""
        evidence = failure.evidence
        key = (failure.path, evidence.status, evidence.messages, evidence.stderr, failure.nearby)
        kind = self._kinds.get(key)
        if kind is not None:
            self._kinds[key] = kind._replace(times=kind.times + 1, last=failure.time)
            return
        diagnosis = _diagnosis(failure)
        self._kinds[key] = Kind(failure, diagnosis, 1, failure.time)

    def take(self) -> list[Kind]:
        """Return all, those first that came first in the log, and forget them."""
        kinds = sorted(self._kinds.values(), key=lambda kind: kind.failure.first)
        self._kinds.clear()
        return kinds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab explain [--json] [FILE]`."""
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="the log, also a .gz; else standard input")
    parser.add_argument("--json", action="store_true", help="print an object a line")
    parser.epilog = "The exit code is 0 where nothing failed, 1 where a script did, 2 where the log cannot be read."


def run(arguments: argparse.Namespace) -> int:
    """Read the log, and print what failed in it."""
    try:
        return _explain(arguments.file, as_json=arguments.json)
    except BrokenPipeError:
        # Whoever read the output has seen enough; so that Python does not complain at its end either:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except LabError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR


def _explain(name: str, *, as_json: bool) -> int:
    table, reader, found = Table(), Reader(), 0
    with _open(name) as log:
        try:
            for failure in reader.read(_blocks(log)):
                found += 1
                table.add(failure)
                if len(table) >= KINDS:
                    _print(table.take(), as_json=as_json)
        except KeyboardInterrupt:
            # The end of a log that is still being written.
            for failure in reader.rest():
                found += 1
                table.add(failure)
        except BrokenPipeError:
            raise
        except (OSError, EOFError, zlib.error) as error:
            _print(table.take(), as_json=as_json)
            raise LabError(f"{_called(name)} cannot be read to its end: {_reason(error)}.") from None
    _print(table.take(), as_json=as_json)
    if not found:
        print(_nothing(name, reader), file=sys.stderr)
    elif not as_json:
        print(f"explain: {found} {'failure' if found == 1 else 'failures'} in {reader.lines} lines")
    return 1 if found else 0


def _nothing(name: str, reader: Reader) -> str:
    if reader.lines == 0:
        return f"explain: {_called(name)} is empty"
    if reader.dated:
        return f"explain: no failure of a CGI script in {reader.lines} lines"
    if reader.accesses:
        return "\n".join(
            (
                f"explain: {_called(name)} is an access log, which says that a request failed, but not why.",
                "  What is needed stands in the error log, such as /var/log/apache2/error.log",
            )
        )
    return f"explain: no line of {_called(name)} has the form of an Apache error log"


def _open(name: str) -> AbstractContextManager[BinaryIO]:
    if name == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise LabError(
                "There is no log to read.",
                "Type:  python3 -m cgilab explain /var/log/apache2/error.log",
                "Or:    docker compose logs web | python3 -m cgilab explain",
            )
        return nullcontext(cast("BinaryIO", sys.stdin.buffer))
    try:
        return Path(name).open("rb")
    except (OSError, ValueError) as error:
        raise LabError(f"{name} cannot be read: {_reason(error)}.") from None


def _blocks(log: BinaryIO) -> Iterator[bytes]:
    """Yield a log's bytes: unpacked where it is packed, as UTF-8 where it is UTF-16, as PowerShell's ``>`` writes."""
    stream = cast("io.BufferedReader", log)
    start = stream.peek(2)[:2]
    if start == GZIP:
        stream = cast("io.BufferedReader", gzip.GzipFile(fileobj=stream))
    elif start in UTF_16:
        decoder = io.TextIOWrapper(stream, encoding=UTF_16[start], errors="replace", newline="")
        while text := decoder.read(BLOCK_BYTES):
            yield text.removeprefix("\ufeff").encode(errors="replace")
        return
    while block := stream.read1(BLOCK_BYTES):
        yield block


def _called(name: str) -> str:
    return "standard input" if name == "-" else name


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


# --- What is said -----------------------------------------------------------------------------------


def _diagnosis(failure: Failure) -> Diagnosis:
    found = diagnose(failure.evidence)
    if found is None and failure.evidence.status == HAD_BEGUN and failure.evidence.stderr:
        last = failure.evidence.stderr[-1]
        name = failure.evidence.name or "A script"
        sentence = f"{name} had begun to answer, and then failed with, or caught and logged: {last}"
        finding = Finding(sentence, _all_of(failure.evidence), ["Look at the script's last line in the traceback."])
        return Diagnosis("exception-after-headers", "An exception after the headers", finding, certain=False)
    sentence = "The log does not tell why."
    if found is not None and failure.of_22 and found.cause in SAME_TO_22:
        sentence += " To httpd 2.2 a script that prints nothing and one that ends in its headers are the same."
    elif found is not None and not (failure.nearby and found.cause in WITHOUT_STDERR):
        return found
    return Diagnosis(UNKNOWN, "The cause is not known", Finding(sentence, _all_of(failure.evidence)), certain=False)


def _all_of(evidence: Evidence) -> list[Exhibit]:
    headings = {"httpd's messages": evidence.messages, "printed on standard error": evidence.stderr}
    return [Exhibit(heading, lines) for heading, lines in headings.items() if lines]


def _print(kinds: list[Kind], *, as_json: bool) -> None:
    for kind in kinds:
        if as_json:
            print(json.dumps(_as_data(kind)))
        else:
            print("\n".join(_as_lines(kind)) + "\n")
    sys.stdout.flush()


def _as_data(kind: Kind) -> dict[str, object]:
    failure, finding = kind.failure, kind.diagnosis.finding
    return {
        "script": failure.path,
        "cause": kind.diagnosis.cause,
        "title": kind.diagnosis.title,
        "sentence": finding.sentence,
        "exhibits": [{"heading": exhibit.heading, "lines": list(exhibit.lines)} for exhibit in finding.exhibits],
        "fix": list(finding.fix),
        "times": kind.times,
        "first": failure.time,
        "last": kind.last,
        "client": failure.client,
        "status": failure.evidence.status,
        "lines": [failure.first, failure.last],
        "messages": list(failure.evidence.messages),
        "stderr": list(failure.evidence.stderr),
        "nearby": list(failure.nearby),
    }


def _as_lines(kind: Kind) -> list[str]:
    """Return a kind of failure as lines for people."""
    failure, diagnosis = kind.failure, kind.diagnosis
    if kind.times > 1:
        when = f"{kind.times} times, first {failure.time or 'at an unknown time'}, last {kind.last or 'unknown'}"
    else:
        when = failure.time or "at an unknown time"
    where = f"line {failure.first}" if failure.first == failure.last else f"lines {failure.first} to {failure.last}"
    lines = [f"{failure.path or 'a script without a name'}  ({when}; {where})", f"  {diagnosis.finding.sentence}"]
    for exhibit in diagnosis.finding.exhibits:
        lines += [f"  {exhibit.heading}:", *(f"    {line}" for line in exhibit.lines)]
    if failure.nearby:
        lines += ["  printed by this script or by another one:", *(f"    {line}" for line in failure.nearby)]
    lines += [f"  > {line}" for line in diagnosis.finding.fix]
    return [_printable(line) for line in lines]


def _printable(text: str) -> str:
    """Return a text in which nothing can move a terminal's cursor or change its colours."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
