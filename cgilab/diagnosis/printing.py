"""What a script printed, held against what a CGI response is (RFC 3875, section 6)."""

import re
from typing import NamedTuple

from cgilab.diagnosis import mend
from cgilab.diagnosis.model import Evidence, Exhibit, Finding
from cgilab.diagnosis.observed import (
    NOTHING,
    PREMATURE,
    bad_header,
    ended_well,
    failed,
    line_exhibit,
    log_exhibits,
    said,
    source_line,
)
from cgilab.diagnosis.output import (
    INCOMPLETE,
    LONGEST_LINE,
    MARKUP,
    NOTHING_WRONG,
    STATUS_LINE,
    judge,
    lines,
)
from cgilab.diagnosis.placing import has_blank_line, line_that_prints, place
from cgilab.diagnosis.script import Script
from cgilab.diagnosis.source import UNKNOWN, all_texts, printed

FIRST = ["The first lines that a script prints are its headers, then comes an empty line, then the answer:"]
EXAMPLE = ["    print('Content-Type: text/html')", "    print()"]
NO_BODY = {204, 304}
SEND_IN_BODY = "Send long data in the body, and keep what belongs to a session on the server."
OF_BAD_HEADERS = {"no-blank-line", "malformed-header", "body-before-headers", "unflushed-output"}


class _Cause(NamedTuple):
    """Why a line was taken for a header: the rule, the line of the source that prints it, and the last header's."""

    name: str
    line: int | None = None
    header: int | None = None


def _cause_of_bad_header(evidence: Evidence, bad: str) -> _Cause:
    script = evidence.script
    number = line_that_prints(script, bad)
    if STATUS_LINE.match(bad):
        return _Cause("nph-confusion", number)
    known = judge(script) if script is not None else NOTHING_WRONG
    if known.cause in OF_BAD_HEADERS and known.text[:30].strip() in {"", bad[:30].strip()}:
        return _Cause(known.cause, number or known.line, known.headers[-1].number if known.headers else None)
    return _cause_by_place(script, bad)


def _cause_by_place(script: Script | None, bad: str) -> _Cause:
    """Tell the cause by where in the source the line and the headers stand, when the output cannot be followed."""
    if script is None:
        return _Cause("body-before-headers" if MARKUP.match(bad) else "malformed-header")
    found = place(script, bad)
    if found.line is None and found.program is not None and found.header is not None:
        return _Cause("unflushed-output", found.program, found.header)
    if INCOMPLETE.match(bad) or (INCOMPLETE.search(bad) and not bad.startswith("<")):
        return _Cause("malformed-header", found.line)
    if found.after_headers and not (found.more_headers and not MARKUP.match(bad)):
        return _Cause("no-blank-line", found.line, found.header)
    is_debug = found.after_headers is not None and not MARKUP.match(bad)
    return _Cause("malformed-header" if is_debug else "body-before-headers", found.line)


def _bad(evidence: Evidence, cause: str) -> tuple[str, int | None, int | None] | None:
    """Return the line that is no header, where it stands in the source, and where the last header does."""
    bad = bad_header(evidence)
    if bad is None:
        bad = _name_of_header(evidence)
        by_program = evidence.script is not None and judge(evidence.script).cause == "unflushed-output"
        if bad is None or not (by_program or bad.startswith("<")):
            return None
    found = _cause_of_bad_header(evidence, bad)
    return (bad, found.line, found.header) if found.name == cause else None


def _shown(evidence: Evidence, *numbers: int | None) -> list[Exhibit]:
    exhibits = []
    for number in dict.fromkeys(numbers):
        if number:
            exhibits += line_exhibit(evidence.script, number)
    return [*exhibits, *log_exhibits(evidence)]


def nph_confusion(evidence: Evidence) -> Finding | None:
    """A status line where headers are expected, or none where httpd adds none."""
    found = _bad(evidence, "nph-confusion")
    if found is not None:
        return _status_line(evidence.name, found[0], _shown(evidence, found[1]))
    script = evidence.script
    is_nph = evidence.name.startswith("nph-") and script is not None and not evidence.sent and not failed(evidence)
    if is_nph and evidence.path and script is not None and judge(script).cause == "nph-confusion":
        return _no_status_line(evidence.name, line_exhibit(script, judge(script).line or 0))
    return None


def before_nph_confusion(script: Script) -> Finding | None:
    """The same, of a source alone."""
    found = judge(script)
    if found.cause != "nph-confusion":
        return None
    exhibits = line_exhibit(script, found.line or 0)
    if script.name.startswith("nph-"):
        return _no_status_line(script.name, exhibits)
    return _status_line(script.name, found.text, exhibits)


def _status_line(name: str, line: str, exhibits: list[Exhibit]) -> Finding:
    status = " ".join(line.split()[1:]) or "200 OK"
    return Finding(
        f"{name} prints a status line ({line.strip()}), which is the server's to write: a script prints headers only.",
        exhibits,
        [f"In its place print:  Status: {status}", "Only a script whose name starts with nph- writes all by itself."],
    )


def _no_status_line(name: str, exhibits: list[Exhibit]) -> Finding:
    return Finding(
        f"The name of {name} starts with nph-, so the server adds nothing, and the script prints no status line.",
        exhibits,
        ["Give it a name that does not start with nph-;", "or print first:  HTTP/1.1 200 OK"],
    )


def unflushed_output(evidence: Evidence) -> Finding | None:
    """Another program's output came before the headers, which were still in the script's buffer."""
    found = _bad(evidence, "unflushed-output")
    return (
        _unflushed_output(evidence.name, _shown(evidence, found[2], found[1]), evidence.script, found[1])
        if found
        else None
    )


def before_unflushed_output(script: Script) -> Finding | None:
    """The same, of a source alone: only a run can tell whether the program prints anything."""
    found = judge(script)
    if found.cause != "unflushed-output":
        return None
    exhibits = line_exhibit(script, found.line or 0)
    return _unflushed_output(script.name, exhibits, script, found.line)


def _unflushed_output(name: str, exhibits: list[Exhibit], script: Script | None, line: int | None) -> Finding:
    mended = None
    if script is not None and line and script.whole:
        imports_sys = re.search(rb"^import .*\bsys\b", script.content, re.MULTILINE) is not None
        flush = "sys.stdout.flush()" if imports_sys else "print(end='', flush=True)"
        mended = mend.line_before(script.content, line, flush)
    return Finding(
        f"{name} starts another program, or writes past print, while its own headers are still in Python's buffer: "
        "what comes later is sent first.",
        exhibits,
        ["Before that line:  sys.stdout.flush()", "or print the headers with  flush=True"],
        mended=mended,
    )


def body_before_headers(evidence: Evidence) -> Finding | None:
    """The answer comes where the headers should be."""
    found = _bad(evidence, "body-before-headers")
    if found is not None:
        return _body_first(evidence.name, found[0], _shown(evidence, found[1]))
    script = evidence.script
    if script is None or said(evidence, PREMATURE) is None or not failed(evidence) or not ended_well(evidence):
        return None
    # A line of the answer held a colon, so that httpd took it for a header.
    outputs = all_texts(script)
    if place(script, "").after_headers is not None or not outputs:
        return None
    return _body_first(evidence.name, outputs[0].text.partition(UNKNOWN)[0], _shown(evidence, outputs[0].line))


def before_body_before_headers(script: Script) -> Finding | None:
    """The same, of a source alone."""
    found = judge(script)
    if found.cause != "body-before-headers":
        return None
    return _body_first(script.name, found.text, line_exhibit(script, found.line or 0))


def _body_first(name: str, text: str, exhibits: list[Exhibit]) -> Finding:
    return Finding(
        f"{name} prints its answer where its headers should be: the server got {text[:30]!r} before any header.",
        exhibits,
        [*FIRST, *EXAMPLE],
    )


def no_blank_line(evidence: Evidence) -> Finding | None:
    """Headers, and no empty line that ends them."""
    bad = _bad(evidence, "no-blank-line")
    script = evidence.script
    if bad is not None:
        text, line, header = bad
        return _no_blank_line(evidence.name, text, _shown(evidence, header, line), script, header)
    if said(evidence, PREMATURE, NOTHING) is None or not failed(evidence) or not ended_well(evidence):
        return None
    known = judge(script) if script is not None else NOTHING_WRONG
    if known.cause == "no-blank-line":
        return _no_blank_line(evidence.name, "", _shown(evidence, known.line), script, known.line)
    found = place(script, "") if script is not None else None
    if said(evidence, PREMATURE) is None or (found is not None and found.after_headers is None):
        return None  # nothing in the source is a header: what httpd took for one was none
    header = found.header if found is not None else None
    return _no_blank_line(evidence.name, "", _shown(evidence, header), script, header)


def before_no_blank_line(script: Script) -> Finding | None:
    """The same, of a source alone."""
    found = judge(script)
    if found.cause != "no-blank-line":
        return None
    header = found.headers[-1].number
    text = found.text if found.text != found.headers[-1].text else ""
    return _no_blank_line(script.name, text, line_exhibit(script, header), script, header)


def _no_blank_line(name: str, text: str, exhibits: list[Exhibit], script: Script | None, line: int | None) -> Finding:
    what = f": right after them came {text[:30]!r}" if text else ""
    source = (source_line(script, line) or "") if line else ""
    fix = ["An empty line ends the headers.  Python: print()   Shell: echo"]
    mended = None
    if "/n" in source and "\\n" not in source:
        fix = ["A line break in a text is a backslash and an n: \\n, not /n."]
    elif re.search(r"""\br["'].*\\n""", source):
        fix = ["In a text that starts with r, \\n is no line break: take the r away."]
    elif re.match(r"\s*echo\s+-e\b", source) and script is not None and script.language in {"sh", "dash"}:
        fix = ["echo of /bin/sh knows no -e: use printf, or make the first line  #!/bin/bash"]
    elif script is not None and line:
        mended = _with_blank_line(script, line, source.strip())
    if text.startswith(("b'", 'b"')):
        fix.append(
            "print() shows bytes as b'…': write them with  sys.stdout.buffer.write(…), after sys.stdout.flush()."
        )
    return Finding(f"{name} prints no empty line after its headers{what}.", exhibits, fix, mended=mended)


def _with_blank_line(script: Script, line: int, source: str) -> bytes | None:
    """Return the content with an empty line printed behind a line; None where that would not mend it."""
    one_line = source.startswith(("print(", "echo ")) and source.count("(") == source.count(")")
    if not script.whole or not one_line or "end=" in source or "echo -n" in source or has_blank_line(script, line):
        return None
    mended = mend.line_after(script.content, line, "print()" if script.is_python else "echo")
    return None if judge(script._replace(content=mended)).cause == "no-blank-line" else mended


def malformed_header(evidence: Evidence) -> Finding | None:
    """A line among the headers that is none."""
    found = _bad(evidence, "malformed-header")
    return _malformed(evidence.name, found[0], _shown(evidence, found[1])) if found else None


def before_malformed_header(script: Script) -> Finding | None:
    """The same, of a source alone."""
    found = judge(script)
    if found.cause != "malformed-header":
        return None
    return _malformed(script.name, found.text, line_exhibit(script, found.line or 0))


def _malformed(name: str, text: str, exhibits: list[Exhibit]) -> Finding:
    header = re.match(r"((?i:content-type|status|location|set-cookie|cache-control))\b\s*[=\s]\s*(.*)", text)
    fix = [
        f"Put a colon behind the name:  {header[1]}: {header[2]}"
        if header
        else "Print it after the empty line that ends the headers, or to sys.stderr, which the lab shows."
    ]
    return Finding(
        f"{name} prints a line among its headers that is no header: {text[:30]!r}.",
        exhibits,
        [*fix, "A header is a name, a colon, and a value."],
    )


def header_too_long(evidence: Evidence) -> Finding | None:
    """A header of more bytes than httpd takes."""
    script, ended = evidence.script, evidence.ended
    if said(evidence, PREMATURE, NOTHING) is None or script is None or not ended_well(evidence):
        return None
    if found := before_header_too_long(script):
        return found._replace(exhibits=[*found.exhibits, *log_exhibits(evidence)])
    # It has printed something for certain, and httpd took it for nothing: the line was longer than it reads.
    following = printed(script)
    first = lines(following.outputs)[:1] if following is not None and ended is not None and ended.code == 0 else []
    if not first or said(evidence, NOTHING) is None or not first[0].ended or UNKNOWN not in first[0].text:
        return None
    return Finding(
        f"{evidence.name} prints a header that is longer than the server takes: {LONGEST_LINE} bytes.",
        _shown(evidence, first[0].number),
        [SEND_IN_BODY],
    )


def before_header_too_long(script: Script) -> Finding | None:
    """The same, of a source alone."""
    found = judge(script)
    if found.cause != "header-too-long":
        return None
    return Finding(
        f"{script.name} prints a header of {len(found.text)} bytes or more; the server takes {LONGEST_LINE}.",
        line_exhibit(script, found.line or 0),
        [SEND_IN_BODY],
    )


def _name_of_header(evidence: Evidence) -> str | None:
    """Return the name of the header that holds what it may not; None where httpd found none."""
    line = said(evidence, "contains invalid characters", "AH02428", "AH02429", "AH02430")
    if line is None:
        return None
    match = re.search(r"header (?:name )?'(.*?)'", line)
    return match[1] if match else ""


def header_characters(evidence: Evidence) -> Finding | None:
    """A header with bytes that no header may hold."""
    name = _name_of_header(evidence)
    if name is None:
        return None
    part = "value" if said(evidence, "AH02430", "' value of '") else "name"
    number = line_that_prints(evidence.script, name) if name else None
    return _characters(evidence.name, name, part, _shown(evidence, number))


def before_header_characters(script: Script) -> Finding | None:
    """The same, of a source alone."""
    found = judge(script)
    if found.cause != "header-characters":
        return None
    return _characters(script.name, found.text.partition(":")[0], "name", line_exhibit(script, found.line or 0))


def _characters(script: str, name: str, part: str, exhibits: list[Exhibit]) -> Finding:
    rule = (
        "A name holds letters, digits and hyphens only, and nothing stands between it and the colon (RFC 9110, 5.1)."
        if part == "name"
        else "A value holds no control characters, and so no line break (RFC 9110, 5.5)."
    )
    return Finding(
        f"{script} prints the header {name!r}, whose {part} holds characters that may not be there.", exhibits, [rule]
    )


def status_malformed(evidence: Evidence) -> Finding | None:
    """A Status header without a number that HTTP knows."""
    line = said(evidence, "Invalid status line from script")
    if line is None:
        return None
    value = line.rpartition("': ")[2]
    return _status(evidence.name, value, _shown(evidence, line_that_prints(evidence.script, f"Status: {value}")))


def before_status_malformed(script: Script) -> Finding | None:
    """The same, of a source alone."""
    found = judge(script)
    if found.cause != "status-malformed":
        return None
    return _status(script.name, found.text, line_exhibit(script, found.line or 0))


def _status(name: str, value: str, exhibits: list[Exhibit]) -> Finding:
    return Finding(
        f"{name} prints the header Status with {value!r}, which is no status of HTTP.",
        exhibits,
        ["Three digits, a blank, and a reason:  Status: 404 Not Found"],
    )


def blank_line_first(evidence: Evidence) -> Finding | None:
    """The headers end before they have begun."""
    nothing = evidence.printed is not None and not evidence.printed
    answered = bool(evidence.path) and evidence.status == 200 and bool(evidence.sent)  # noqa: PLR2004 - HTTP's number
    if not (nothing and answered) or evidence.name.startswith("nph-") or evidence.body_sent == 0:
        return None
    number = None
    if evidence.script is not None:
        known = judge(evidence.script)
        number = known.line if known.cause == "blank-line-first" else None
    return _blank_first(evidence.name, _shown(evidence, number))


def before_blank_line_first(script: Script) -> Finding | None:
    """The same, of a source alone."""
    found = judge(script)
    return (
        _blank_first(script.name, line_exhibit(script, found.line or 0)) if found.cause == "blank-line-first" else None
    )


def _blank_first(name: str, exhibits: list[Exhibit]) -> Finding:
    return Finding(
        f"{name} prints an empty line before its headers: that ends them, and the headers are shown as text.",
        exhibits,
        ["Remove the empty line, or the line break with which the text begins: '''Content-Type: … right after '''."],
    )


def content_type_missing(evidence: Evidence) -> Finding | None:
    """Headers that do not say what the answer is."""
    if not evidence.printed or not evidence.path or evidence.name.startswith("nph-"):
        return None
    names = {name.lower() for name, _ in evidence.printed}
    if names & {"content-type", "location"} or evidence.status in NO_BODY or not evidence.body_sent:
        return None
    guessed = next((value for name, value in evidence.sent if name.lower() == "content-type"), None)
    return _no_type(evidence.name, guessed, _shown(evidence))


def before_content_type_missing(script: Script) -> Finding | None:
    """The same, of a source alone."""
    found = judge(script)
    if found.cause != "content-type-missing":
        return None
    return _no_type(script.name, None, line_exhibit(script, found.line or 0))


def _no_type(name: str, guessed: str | None, exhibits: list[Exhibit]) -> Finding:
    what = f"; the server guessed {guessed} from the script's name" if guessed else ""
    return Finding(
        f"{name} prints no Content-Type, so the client is not told what the answer is{what}.",
        exhibits,
        ["Print a header such as  Content-Type: text/html; charset=utf-8  (RFC 3875, 6.3.1)"],
    )


def content_length_wrong(evidence: Evidence) -> Finding | None:
    """A length that is not the body's."""
    if not evidence.printed or evidence.body_sent is None or evidence.method == "HEAD" or evidence.status in NO_BODY:
        return None
    lengths = [value.strip() for name, value in evidence.printed if name.lower() == "content-length"]
    if not lengths or not evidence.body_sent or lengths[0] == str(evidence.body_sent):
        return None
    return Finding(
        f"{evidence.name} prints Content-Length: {lengths[0]}, but its answer has {evidence.body_sent} bytes.",
        _shown(evidence, line_that_prints(evidence.script, f"Content-Length: {lengths[0]}")),
        [
            "Count the encoded bytes, not the characters: len(text.encode()). The line break of print() counts too.",
            "Or leave the header out: the server adds the right one. Others, less careful, cut the answer off.",
        ],
    )


def unexplained(evidence: Evidence) -> bool:
    """Return whether httpd made the answer a failure, though no rule knows why."""
    return failed(evidence) and (evidence.status is not None or said(evidence, NOTHING, PREMATURE) is not None)
