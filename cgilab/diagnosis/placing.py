"""Where in a source the headers and a line of the output are printed, when the output cannot be followed."""

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from cgilab.diagnosis.mend import LONGEST_LINE
from cgilab.diagnosis.output import holds_header, lines
from cgilab.diagnosis.script import Script, read
from cgilab.diagnosis.source import UNKNOWN, Output, all_texts, printed

# So much of a line as httpd shows.
SHOWN = 30

# In any language: a header that scripts print, between quotes or behind echo.
HEADER_IN_SOURCE = re.compile(rb"(?i:content-type)\s*[\"']?\s*[:,]|(?i:set-cookie)\s*:|\b(?:Status|Location):\s")
COMMENT = re.compile(rb"\s*(?:#|//|;|<!--)")
STARTED = re.compile(
    rb"\bos\.system\(|\b(?:subprocess\.)?(?:run|call|check_call|Popen)\((?!.*(?:stdout|capture_output)\s*=)"
)
PAST_BUFFER = re.compile(rb"stdout\.buffer\.write\(|\bos\.write\(1")
NEIGHBOURS = 20

# Characters of a known part of a line that could stand in any other line as well.
TELLS_NOTHING = 2


class Place(NamedTuple):
    """Where things stand.

    Attributes:
        line: of the source, that prints the line of the output; None where it is not known.
        header: the line that prints the last header before it; None where none does.
        after_headers: whether the headers come first: True, False, or None where the source has no header at all.
        more_headers: whether headers come behind it as well as before it.
        program: the line that starts a program, or writes past the script's own buffer; None where none does.
    """

    line: int | None
    header: int | None
    after_headers: bool | None
    program: int | None
    more_headers: bool = False


def place(script: Script, text: str) -> Place:
    """Return where a line of the output that starts like this stands, and where the headers do."""
    outputs = all_texts(script)
    program = _program(script)
    line = line_that_prints(script, text)
    if line is not None and line == program:
        line = None
    headers = [output for output in outputs if _is_header(output.text)]
    if not headers:
        return Place(line, None, _after_in_source(script, line), program)
    before = [output for output in headers if line is None or output.line <= line]
    if not before or _is_complete(outputs, headers[0]):
        # The headers come later in the source, or there is nothing wrong with them: the line was printed earlier.
        return Place(line, headers[-1].line, False, program)
    behind = [output.text for output in outputs if line is not None and output.line > line]
    more = any(map(_is_header, behind)) or any(re.match(r"[A-Z][\w-]*: \S", text) for text in behind[:1])
    unknown_first = line is None and outputs[0].line < headers[0].line and outputs[0].text.startswith(UNKNOWN)
    return Place(line, before[-1].line, not unknown_first, program, more)


def line_that_prints(script: Script | None, text: str) -> int | None:
    """Return the line of a script that prints a line of the output that starts like this; None where none seems to."""
    start = text.strip()[:SHOWN]
    if script is None or not start:
        return None
    for output in all_texts(script):
        for part in output.text.split("\n"):
            if _can_be(part.strip(), start):
                return output.line
    for number, line in enumerate(script.lines, start=1):
        if start.encode(errors="replace") in line and number > 1 and not COMMENT.match(line):
            return number
    return None


def _can_be(printed_line: str, start: str) -> bool:
    """Return whether a line, of which a part may not be known, can start like this."""
    known = printed_line.partition(UNKNOWN)[0].strip()
    if known:
        return known.startswith(start) or start.startswith(known[:SHOWN])
    pieces = [piece.strip() for piece in printed_line.split(UNKNOWN) if len(piece.strip()) > TELLS_NOTHING]
    return bool(pieces) and pieces[0] in start


def has_blank_line(script: Script, header: int) -> bool:
    """Return whether the source prints an empty line right behind a line that prints a header."""
    outputs = all_texts(script)
    found = [output for output in outputs if output.line == header and _is_header(output.text)]
    return bool(found) and _is_complete(outputs, found[0])


def _is_header(text: str) -> bool:
    return holds_header(text) or re.match(rf"{UNKNOWN}: ?{UNKNOWN}", text) is not None


def _is_complete(outputs: Sequence[Output], header: Output) -> bool:
    """Return whether an empty line follows the headers, as far as the source tells in the order of its lines."""
    for line in lines(outputs[outputs.index(header) :]):
        if not line.text.rstrip("\r"):
            return line.ended
        if not _is_header(line.text) and not re.match(r"[\w-]+:", line.text):
            return False
    return False


def _after_in_source(script: Script, line: int | None) -> bool | None:
    """Compare places in the source, where no call prints a header that can be read."""
    header = next(
        (
            number
            for number, text in enumerate(script.lines, start=1)
            if HEADER_IN_SOURCE.search(text[:LONGEST_LINE]) and not COMMENT.match(text)
        ),
        None,
    )
    if header is not None:
        return line is None or header <= line
    return True if _in_neighbours(script) else None


def _in_neighbours(script: Script) -> bool:
    """Return whether a module beside the script, which it names, holds a header."""
    folder = os.path.dirname(script.path)
    names = [name for name in sorted(script.neighbours) if name.endswith(".py") and name != script.name]
    for name in names[:NEIGHBOURS]:
        if re.search(rb"\b" + re.escape(name.removesuffix(".py").encode()) + rb"\b", script.content):
            other = read(os.path.join(folder, name), neighbours=frozenset())
            if any(HEADER_IN_SOURCE.search(line[:LONGEST_LINE]) for line in other.lines):
                return True
    return False


def _program(script: Script) -> int | None:
    found = printed(script)
    if found is not None and found.unflushed is not None:
        return found.unflushed[0].line
    if not script.is_python:
        return None
    for number, line in enumerate(script.lines, start=1):
        code = line[:LONGEST_LINE].partition(b"#")[0]
        if STARTED.search(code) or (PAST_BUFFER.search(code) and b"flush" not in script.content):
            return number
    return None
