"""Why a page of PHP failed. What PHP says of a request, httpd logs with it as one message (AH01071)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from cgilab.diagnosis.model import Evidence, Exhibit, Finding
from cgilab.diagnosis.observed import line_exhibit, log_exhibits, said
from cgilab.diagnosis.reaching import quoted

# What httpd says where it talks to PHP, and nowhere else.
CODES = ("AH01067: ", "AH01070: ", "AH01071: ", "AH01075: ", "AH01079: ", "AH02454: FCGI: ")

EXPIRED = re.compile(r"\(70007\)[^:]*: AH01075: ")
NOT_OPENED = re.compile(r"Unable to open primary script: .* \((?P<reason>[^()]*)\)")
UNKNOWN_SCRIPT = "Primary script unknown"

SAID = re.compile(r"AH01071: Got error '(?P<said>.*)'?", re.DOTALL)
START = re.compile(r"(?:^|; )PHP message: ")
# `PHP Warning:  TEXT in FILE on line 3`. Of what nobody has caught, the place is `in FILE:3`, and more lines follow.
MESSAGE = re.compile(
    r"PHP (?P<kind>(?:Fatal|Parse) error|Warning|Notice|Deprecated):  "
    r"(?P<text>.*?) in (?P<file>/[^\n]*?)(?: on line |:)(?P<line>\d+)(?=\W*(?:$|\n))",
    re.DOTALL,
)
ENDING = ("Fatal error", "Parse error")
TIME_IS_UP = "Maximum execution time"

ROOT = "/srv/www/"


class Said(NamedTuple):
    """An error as PHP words it."""

    kind: str
    text: str
    file: str
    line: int


def is_php(evidence: Evidence) -> bool:
    """Return whether the request was handed on to PHP, and something was logged of that."""
    return any(code in message for message in evidence.messages for code in CODES)


def in_folder(file: str) -> str:
    """Return the path of a page as a user of the lab types it."""
    return f"www/{file.removeprefix(ROOT)}" if file.startswith(ROOT) else file


def not_running(evidence: Evidence) -> Finding | None:
    """Nobody listens at the socket."""
    if said(evidence, "AH01079: ", "AH02454: FCGI: ") is None:
        return None
    return Finding(
        f"PHP does not run, and {evidence.name} needs it.",
        log_exhibits(evidence),
        ["Type:  make wamp", "It starts PHP and the database beside the web server."],
    )


def timeout(evidence: Evidence) -> Finding | None:
    """The page said nothing for too long: httpd gave it up, or PHP ended it."""
    spent = next((one for one in _errors(evidence) if one.text.startswith(TIME_IS_UP)), None)
    if spent:
        return Finding(
            f"{in_folder(spent.file)} computed for too long; at line {spent.line} PHP ended it.",
            [*_line(evidence, spent), *log_exhibits(evidence)],
            ["Look for a loop that does not end."],
        )
    if not any(EXPIRED.search(message) for message in evidence.messages):
        return None
    return Finding(
        f"{evidence.name} sent nothing for ten seconds, so the server gave it up.",
        log_exhibits(evidence),
        [
            "Find what it waits for: a loop, sleep(), another server, a row that is locked in the database.",
            "What is long in the making can be sent piece by piece:  flush()",
        ],
    )


def cannot_open(evidence: Evidence) -> Finding | None:
    """PHP may not read the file, or does not find it."""
    line = said(evidence, "Unable to open primary script", UNKNOWN_SCRIPT)
    if line is None:
        return None
    match = NOT_OPENED.search(line)
    page = in_folder(evidence.path)
    if match and match["reason"] == "Permission denied":
        sentence = f"PHP may not read {page}: its permissions keep all but its owner out."
        fix = [f"Type:  chmod a+r {quoted(page)}"]
    else:
        sentence = f"PHP cannot open {page}, which the web server has found."
        fix = ["A symbolic link is followed within the folder of the pages alone: put the file itself there."]
    return Finding(sentence, log_exhibits(evidence), fix)


def error(evidence: Evidence) -> Finding | None:
    """PHP ended the page."""
    found = next((one for one in _errors(evidence) if one.kind in ENDING), None)
    if found is None:
        return None
    return Finding(
        f"{in_folder(found.file)} failed in line {found.line}: {found.text}",
        [*_line(evidence, found), *log_exhibits(evidence)],
        _mending(found),
        line=found.line if found.file == evidence.path else None,
    )


def header(evidence: Evidence) -> Finding | None:
    """What PHP sent in place of a header."""
    if said(evidence, "AH01070: ") is None:
        return None
    return Finding(
        f"{evidence.name} sent a header that the server could not read.",
        log_exhibits(evidence),
        ["A header is a name, a colon and a value, of 8190 bytes at most:  header('X-Name: value')"],
    )


def ended(evidence: Evidence) -> Finding | None:
    """The process of PHP was gone before it had answered."""
    if said(evidence, "AH01067: ", "AH01075: ") is None:
        return None
    return Finding(
        f"PHP ended while it ran {evidence.name}.",
        log_exhibits(evidence),
        ["What became of it, such as a signal that ended it, stands in PHP's log:  docker compose logs php"],
    )


def warning(evidence: Evidence) -> Finding | None:
    """PHP found something wrong, and went on."""
    found = next(iter(_errors(evidence)), None)
    if found is None:
        return None
    return Finding(
        f"{in_folder(found.file)} went on after line {found.line}, where PHP warned: {found.text}",
        [*_line(evidence, found), *log_exhibits(evidence)],
        line=found.line if found.file == evidence.path else None,
    )


def _errors(evidence: Evidence) -> Iterator[Said]:
    """Yield what PHP said, oldest first; what a page logs by itself (error_log) is none of it."""
    for message in evidence.messages:
        match = SAID.fullmatch(message)
        for piece in START.split(match["said"]) if match else ():
            found = MESSAGE.match(piece)
            if found:
                text = found["text"].removeprefix("Uncaught ").partition("\n")[0]
                yield Said(found["kind"], text, found["file"], int(found["line"]))


def _line(evidence: Evidence, found: Said) -> list[Exhibit]:
    """Return the line that PHP names, where it is one of the page."""
    return line_exhibit(evidence.script, found.line) if found.file == evidence.path else []


def _mending(found: Said) -> list[str]:
    if found.kind == "Parse error":
        return ["Often a ; or a bracket is missing at the end of the line before."]
    if "undefined function" in found.text:
        return ["Correct the name of the function; /lab/phpinfo lists the extensions that PHP has."]
    if "Allowed memory size" in found.text:
        return ["Work on less at a time: one row, one line of a file."]
    if "PDOException" in found.text or "mysqli_sql_exception" in found.text:
        return [
            "The text behind the number is what the database says; its server is called db, and make wamp starts it."
        ]
    return [f"Look at line {found.line} of {in_folder(found.file)}."]
