"""What the pieces of evidence say, before any rule draws a conclusion from them."""

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from cgilab.diagnosis.model import Evidence, Exhibit
from cgilab.diagnosis.script import Script

FAILED = 400

EXEC = re.compile(
    r"\(?(?:OS )?(\d+)\)?([^:]*):(?: AH\d+:)? (?:couldn't create child process: \d+|exec of '?.*?'? failed)"
)
BAD_HEADER = re.compile(r"malformed header from script.*?Bad header[:=] ?(.*?)(?:: [^:]*)?$", re.DOTALL)
BAD_HEADER_OF = re.compile(r"malformed header from script '.*?': Bad header: (.*)$", re.DOTALL)
NOTHING = "End of script output before headers"
PREMATURE = "Premature end of script headers"
NO_ANSWER = ("Script timed out before returning headers", "Timeout waiting for output from CGI script")

HEADER_LINE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*:")

# env quotes with typographic marks in some languages.
ENV = re.compile(
    "env: ?[\u2018'\"]?(?P<name>.*?)[\u2019'\"]?(?P<tail>\\$'[^']*')?: (?:No such file|Permission denied)", re.DOTALL
)

LINES_SHOWN = 12

# Characters of what a program said that are looked at: hostile ones would take long.
LONGEST_MESSAGE = 600


def said(evidence: Evidence, *parts: str) -> str | None:
    """Return the first line of what httpd and the script said that holds one of these texts; else None."""
    for line in (*evidence.messages, *evidence.stderr):
        if any(part in line for part in parts):
            return line
    return None


def exec_error(evidence: Evidence) -> int | None:
    """Return the number of the error with which the kernel refused to start the script; None where it did not."""
    for line in (*evidence.messages, *evidence.stderr):
        if "exec of " in line or "create child process" in line:
            match = EXEC.search(line[:LONGEST_MESSAGE])
            if match:
                return int(match[1])
    return None


def bad_header(evidence: Evidence) -> str | None:
    """Return the beginning of the line that httpd could not take for a header; None where there was none."""
    line = said(evidence, "malformed header from script")
    if line is None:
        return None
    match = BAD_HEADER_OF.search(line) or BAD_HEADER.search(line)
    return match[1] if match else ""


def env_failure(evidence: Evidence) -> tuple[str, str] | None:
    """Return the name that ``env`` could not start, and what it put behind the closing quote; None where it did not.

    env writes its message piece by piece, and httpd logs as a line of its own whatever it reads at once.
    """
    said_by = ("".join(evidence.stderr)[:LONGEST_MESSAGE], "".join(evidence.messages)[:LONGEST_MESSAGE])
    match = ENV.search(said_by[0]) or ENV.search(said_by[1])
    return (match["name"], match["tail"] or "") if match else None


def had_headers(evidence: Evidence) -> bool:
    """Return whether the script had printed its headers before it failed."""
    if evidence.printed is None:
        # A log does not name the headers, but tells whether the response had begun.
        return evidence.status is not None and evidence.status < FAILED
    return bool(evidence.printed)


def failed(evidence: Evidence) -> bool:
    """Return whether there is something to explain at all: the server, not the script, made the answer a failure."""
    if evidence.status is None:
        return bool(evidence.messages or evidence.stderr)
    return evidence.status >= FAILED and not had_headers(evidence)


def ended_well(evidence: Evidence) -> bool:
    """Return whether nothing is known of the script's end but that it came by itself, without an error."""
    ended = evidence.ended
    return ended is None or not (ended.code or ended.signal or ended.running)


class Frame(NamedTuple):
    """A place in a traceback."""

    file: str
    line: int
    source: str


class Traceback(NamedTuple):
    """An exception as Python writes it.

    Attributes:
        name: of the exception's class.
        message: what comes after the colon.
        frames: outermost first.
        lines: all of it, as it was written.
        complete: whether it ran through code, and is not only the compiler's word about the source.
    """

    name: str
    message: str
    frames: Sequence[Frame]
    lines: Sequence[str]
    complete: bool


FRAME = re.compile(r'\s*File "(.*)", line (\d+)(?:, in .*)?$')
LAST = re.compile(r"((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?:: (.*))?$")
HEAD = "Traceback (most recent call last):"
# What Python draws at the left of the exceptions of a group.
GROUP_MARGIN = re.compile(r"^ *[+|](?: \||-\+-+ \d+ -+)? ?")

# How an exception looks that was printed where the headers are expected; the second is what cgitb prints first.
ON_OUTPUT = re.compile(r"Traceback \(most recent| *File \"|<!--(?:: spam)?")


def python_traceback(lines: Sequence[str]) -> Traceback | None:
    """Return the last exception that Python wrote into these lines; None where there is none, or no whole one.

    An exception that was ignored (``Exception ignored in``) is none: the script went on.
    """
    if any("Exception Group Traceback" in line for line in lines):
        lines = [GROUP_MARGIN.sub("", line) for line in lines]
    starts = [number for number, line in enumerate(lines) if line.startswith(HEAD)]
    if not starts:
        starts = [
            number
            for number, line in enumerate(lines)
            if FRAME.match(line) and (number == 0 or not lines[number - 1].startswith(" "))
        ][-1:]
    if not starts:
        return None
    start = starts[-1]
    if start and lines[start - 1].startswith("Exception ignored"):
        return None
    frames: list[Frame] = []
    for number in range(start, len(lines)):
        line = lines[number]
        match = FRAME.match(line)
        if match:
            source = lines[number + 1].strip() if number + 1 < len(lines) else ""
            frames.append(Frame(match[1], int(match[2]), source))
        elif frames and line[:1] not in {" ", ""} and not line.startswith(HEAD):
            last = LAST.match(line)
            if last:
                whole = tuple(lines[start : number + 1])
                more = _continued(lines, number + 1)
                message = "\n".join([last[2] or "", *more]).strip()
                return Traceback(last[1].rpartition(".")[2], message, tuple(frames), (*whole, *more), whole[0] == HEAD)
    return None


def _continued(lines: Sequence[str], start: int) -> list[str]:
    """Return the lines of a message that has more than one."""
    more = []
    for line in lines[start : start + LINES_SHOWN]:
        if line.startswith((HEAD, "During handling", "The above exception")) or FRAME.match(line):
            break
        more.append(line)
    return [] if len(more) == LINES_SHOWN else more


def own_frame(evidence: Evidence, traceback: Traceback) -> Frame | None:
    """Return the innermost place of a traceback that is in the script's own folder; else the innermost of all."""
    folder = os.path.dirname(evidence.path)
    own = [frame for frame in traceback.frames if folder and os.path.dirname(frame.file) == folder]
    found = own or list(traceback.frames)
    return found[-1] if found else None


def source_line(script: Script | None, number: int) -> str | None:
    """Return a line of a script, from 1; None where it has no such line."""
    if script is None or not 0 < number <= len(script.lines):
        return None
    return script.lines[number - 1].decode(errors="backslashreplace")


def line_exhibit(script: Script | None, number: int, name: str = "") -> list[Exhibit]:
    """Return one line of a script as evidence, with its number, and without a password that stands in it."""
    from cgilab.exchanges.masking import mask_source

    text = source_line(script, number)
    if script is None or text is None:
        return []
    return [Exhibit(f"line {number} of {name or script.name}", (mask_source(text[:1000])[:300],))]


def bytes_exhibit(content: bytes, what: str) -> Exhibit:
    """Return bytes as evidence: as numbers, and as text where they are such."""
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in content)  # noqa: PLR2004 - ASCII's visible ones
    return Exhibit(what, (f"{content.hex(' ')}   {text}",))


def log_exhibits(evidence: Evidence) -> list[Exhibit]:
    """Return what httpd and the script said, as evidence."""
    found = []
    if evidence.stderr:
        found.append(Exhibit("the script wrote to its standard error", tuple(evidence.stderr[-LINES_SHOWN * 2 :])))
    if evidence.messages:
        found.append(Exhibit("the server logged", tuple(evidence.messages[-LINES_SHOWN:])))
    return found


def uncaught(evidence: Evidence) -> Traceback | None:
    """Return the exception that ended a Python script.

    None where there was none, where the script went on after it, and where the script had printed something wrong
    before: that is the first cause then.
    """
    traceback = python_traceback(evidence.stderr)
    bad = bad_header(evidence)
    if traceback is None or not traceback.complete or (bad is not None and not ON_OUTPUT.match(bad)):
        return None
    if failed(evidence):
        return traceback
    # The script had answered. What it logged of an exception that it had caught looks the same as one that ended it.
    from cgilab.diagnosis.source import is_caught

    if evidence.stderr and evidence.stderr[-1] not in traceback.lines:
        return None
    outermost = [frame for frame in traceback.frames if frame.file == evidence.path]
    if not outermost or evidence.script is None or any(is_caught(evidence.script, frame.line) for frame in outermost):
        return None
    return traceback
