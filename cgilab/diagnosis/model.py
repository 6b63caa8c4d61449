"""What the rules are given, and what they return. No input and no output here.

Named tuples, not dataclasses: the page behind a failure is a CGI script of its own, and to import `dataclasses` would
take it as long as to start.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cgilab.diagnosis.script import Script


class Ended(NamedTuple):
    """How a script's process ended, or what it was doing when the server gave it up.

    Attributes:
        code: its exit code; None where a signal ended it, or where it had not ended.
        signal: the number of the signal that ended it, or None.
        running: whether it had not ended.
        cpu_seconds: the processor time that it had used.
        waiting_in: the kernel's name for what a running one was waiting in (``/proc/PID/wchan``); else empty.
        out_of_memory: whether the kernel ended it because the lab's memory was used up.
    """

    code: int | None = None
    signal: int | None = None
    running: bool = False
    cpu_seconds: float = 0.0
    waiting_in: str = ""
    out_of_memory: bool = False


class Evidence(NamedTuple):
    """All that is known of one failure. Whatever is not known has its default.

    Attributes:
        path: the script's path as the server names it; empty where no script was found.
        script: its file; None where it is not at hand, as when only a log is.
        status: of the response, or of the one that would have been sent; None where it is not known.
        messages: what httpd said, without time, level and the ``stderr from`` of a script; oldest first.
        stderr: what the script wrote to its standard error, line by line.
        printed: the headers that the script printed, as name and value; None where that is not known.
        sent: the headers of the response, as name and value.
        body_sent: bytes of the response's body; None where that is not known.
        ended: None where that is not known.
        seconds: how long the request took until it failed; None where that is not known.
        method: of the request.
        url: the path of the request, without its query.
        body_length: of the request, in bytes; None where it announced none.
        server_uid: the user that scripts run as; None where that is not known.
    """

    path: str = ""
    script: Script | None = None
    status: int | None = None
    messages: Sequence[str] = ()
    stderr: Sequence[str] = ()
    printed: Sequence[tuple[str, str]] | None = None
    sent: Sequence[tuple[str, str]] = ()
    body_sent: int | None = None
    ended: Ended | None = None
    seconds: float | None = None
    method: str = "GET"
    url: str = ""
    body_length: int | None = None
    server_uid: int | None = None

    @property
    def name(self) -> str:
        """The script's file name."""
        return self.path.rstrip("/").rpartition("/")[2] or self.url.rstrip("/").rpartition("/")[2]


class Exhibit(NamedTuple):
    """A piece of evidence: a heading that says what it is, such as ``line 3 of web_02.py``, and its lines."""

    heading: str
    lines: Sequence[str]


class Finding(NamedTuple):
    """What a rule has recognised.

    Attributes:
        sentence: names the cause, in one sentence.
        exhibits: the evidence for it.
        fix: what to type or to change, a line each.
        mended: the script's content after the change; None where that is not to be told without guessing.
        executable: whether the change is to set the execute permission.
        line: of the script, where one is at fault; else None.
    """

    sentence: str
    exhibits: Sequence[Exhibit] = ()
    fix: Sequence[str] = ()
    mended: bytes | None = None
    executable: bool = False
    line: int | None = None


class Rule(NamedTuple):
    """A cause of failure: how it is recognised, what it means, how it is mended.

    Attributes:
        cause: its name, in lower case with hyphens; the heading of its section in docs/troubleshooting.md has it.
        title: a heading.
        messages: the literal messages by which people look for it.
        meaning: what it means and where it comes from; a paragraph.
        mend: how it is mended in general; a paragraph.
        after: recognises it from a failure.
        before: recognises it from the script alone, before it is run; None where only a run can tell.
        certain: whether what `before` finds is sure to fail: an error, else a warning.
        mends: whether the change that it finds is right without guessing, so that `lab check --fix` may make it.
    """

    cause: str
    title: str
    messages: Sequence[str]
    meaning: str
    mend: str
    after: Callable[[Evidence], Finding | None]
    before: Callable[[Script], Finding | None] | None = None
    certain: bool = True
    mends: bool = False


class Diagnosis(NamedTuple):
    """The answer: the first cause, or that it is not known. Views show it.

    Attributes:
        cause: the rule's name, or ``unknown``.
        title: the rule's.
        finding: what it has recognised.
        certain: False for what is likely to fail, and not sure to.
        mends: whether the change that it tells is right without guessing.
    """

    cause: str
    title: str
    finding: Finding
    certain: bool = True
    mends: bool = False
