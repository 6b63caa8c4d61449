"""What a script's source says about its output, held against what a CGI response is (RFC 3875, section 6)."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from cgilab.diagnosis.observed import HEADER_LINE
from cgilab.diagnosis.script import Script
from cgilab.diagnosis.source import UNKNOWN, Output, Printed, printed

# httpd's longest line (HUGE_STRING_LEN).
LONGEST_LINE = 8190

MARKUP = re.compile(r"\s*(?:<[!?a-zA-Z/]|[{\[]\s*[\"{\[]?)")
STATUS_LINE = re.compile(r"HTTP/\d")
STATUS_VALUE = re.compile(r"[1-9]\d\d(?: |$)")
# A header that lacks something: its colon, or its name.
INCOMPLETE = re.compile(
    r"(?:content-type|content type|status|location|set-cookie|cache-control|(?:text|image|application|audio|video)/\w)",
    re.IGNORECASE,
)
HEADER = re.compile(r"^(?:content-type|status|location|set-cookie)\s*:", re.IGNORECASE | re.MULTILINE)
WITHOUT_BODY = ("204", "304")


class Line(NamedTuple):
    """A line of an output: its text, the line of the source in which it starts, and whether it was ended."""

    text: str
    number: int
    ended: bool


class Judgement(NamedTuple):
    """What the beginning of an output is.

    Attributes:
        cause: the rule that it breaks; empty where it breaks none, or where that is not known.
        line: of the source that prints what breaks it; None where that is not known.
        text: the line of the output that breaks it.
        headers: the header lines before it.
    """

    cause: str
    line: int | None = None
    text: str = ""
    headers: tuple[Line, ...] = ()


NOTHING_WRONG = Judgement("")


# A dozen rules ask, one after the other.
@lru_cache(maxsize=1)
def judge(script: Script) -> Judgement:
    """Return what is wrong with the output of a script, as far as its source alone tells."""
    found = printed(script)
    if found is None:
        return NOTHING_WRONG
    if script.name.startswith("nph-"):
        return _judge_nph(found)
    if found.unflushed is not None and found.text.startswith(found.unflushed[1]):
        # Whatever the program prints comes before all that the script had printed until then.
        return Judgement("unflushed-output", found.unflushed[0].line)
    return _judge_parsed(found)


def _judge_parsed(found: Printed) -> Judgement:
    """Judge an output whose headers the server reads."""
    headers: list[Line] = []
    all_lines = lines(found.outputs)
    for place, line in enumerate(all_lines):
        if _is_header(line):
            headers.append(line)
        elif UNKNOWN in line.text or not (line.ended or found.complete):
            return NOTHING_WRONG
        elif not line.text.rstrip("\r"):
            return _judge_block(headers, line.number)
        else:
            judgement = _judge_line(line, tuple(headers), found.outputs)
            # A part of a header, such as charset=utf-8, and then the empty line.
            ends = [after for after in all_lines[place + 1 : place + 2] if after.ended and not after.text.strip()]
            if judgement.cause == "no-blank-line" and ends and "=" in line.text and not MARKUP.match(line.text):
                return judgement._replace(cause="malformed-header", line=line.number)
            return judgement
    if found.complete and headers:
        return Judgement("no-blank-line", headers[-1].number, headers[-1].text, tuple(headers))
    return NOTHING_WRONG


def lines(outputs: Sequence[Output]) -> list[Line]:
    """Return the lines of an output."""
    found = []
    text, start = "", 0
    for output in outputs:
        *ended, rest = output.text.split("\n")
        for part in ended:
            found.append(Line(text + part, start if text else output.line, True))
            text = ""
        start = start if text else output.line
        text += rest
    return [*found, Line(text, start, False)] if text else found


def holds_header(text: str) -> bool:
    """Return whether a text holds a header that scripts print."""
    return HEADER.search(text) is not None


def _is_header(line: Line) -> bool:
    known = line.text.partition(UNKNOWN)[0]
    return HEADER_LINE.match(known) is not None and len(line.text) <= LONGEST_LINE


def _judge_nph(found: Printed) -> Judgement:
    first = next(iter(lines(found.outputs)), None)
    if first is None or UNKNOWN in first.text or STATUS_LINE.match(first.text) or not first.ended:
        return NOTHING_WRONG
    return Judgement("nph-confusion", first.number, first.text.rstrip("\r"))


def _judge_block(headers: Sequence[Line], number: int) -> Judgement:
    """Judge headers that an empty line ends."""
    if not headers:
        return Judgement("blank-line-first", number)
    values = {}
    for line in headers:
        name, _, value = line.text.partition(":")
        if name != name.rstrip():
            return Judgement("header-characters", line.number, line.text, tuple(headers))
        values[name.lower()] = (value.strip(), line.number)
    status, status_line = values.get("status", ("200", number))
    if UNKNOWN not in status and not STATUS_VALUE.match(status):
        return Judgement("status-malformed", status_line, status, tuple(headers))
    if not values.keys() & {"content-type", "location"} and not status.startswith((*WITHOUT_BODY, UNKNOWN)):
        return Judgement("content-type-missing", headers[0].number, "", tuple(headers))
    return NOTHING_WRONG


def _judge_line(line: Line, headers: tuple[Line, ...], outputs: Sequence[Output]) -> Judgement:
    """Judge a line that is no header, where one should be."""
    text = line.text.rstrip("\r")
    if STATUS_LINE.match(text) and not headers:
        cause = "nph-confusion"
    elif HEADER_LINE.match(text):
        cause = "header-too-long"
    elif ":" in text and not MARKUP.match(text):
        cause = "header-characters"
    elif headers and text[:1] in {" ", "\t"} and text.strip():
        cause = "malformed-header"  # a header folded onto a second line, which httpd takes for one of its own
    elif headers:
        return Judgement("no-blank-line", headers[-1].number, text, headers)
    else:
        later = any(holds_header(output.text) for output in outputs)
        is_debug = INCOMPLETE.match(text) or (later and not MARKUP.match(text))
        cause = "malformed-header" if is_debug else "body-before-headers"
    return Judgement(cause, line.number, text, headers)
