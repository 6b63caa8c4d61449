"""Starts scripts in the running lab and judges what they print: `lab check --run`."""

import base64
import json
import os
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

from cgilab.checks import cgi_response, runner
from cgilab.checks.cgi_response import Fault, Response
from cgilab.diagnosis import diagnose
from cgilab.diagnosis.model import Diagnosis, Ended, Evidence, Exhibit, Finding
from cgilab.diagnosis.rules import RULES
from cgilab.diagnosis.script import Script
from cgilab.errors import LabError
from cgilab.project.lab import Lab

SOURCE = Path(runner.__file__)

# What the client gets all the same, and what therefore is a warning.
HARMLESS = {"content-type-missing", "content-length-wrong"}

# What a run decides: whether the program that a script starts prints anything, whether a module is there.
DECIDED = {"content-type-missing", "unflushed-output", "missing-module", "shadowed-module"}


class Trial(NamedTuple):
    """What came of a script that was started.

    Attributes:
        seen: in a few words, such as ``200, document, 19 bytes``.
        diagnosis: why it failed; None where it did not.
    """

    seen: str
    diagnosis: Diagnosis | None


def start(scripts: Iterable[Script], folder: str, lab: Lab) -> dict[str, Trial]:
    """Start scripts in the running lab, all with one command, and return what came of each, by its path.

    Args:
        scripts: which to start. One that does not lie in the folder of the services is left out.
        folder: of the services, on this machine.
        lab: a running one.

    Raises:
        LabError: the lab does not run, or what it answers is none.
    """
    inside = {path: script for script in scripts if (path := in_container(script.path, folder))}
    if not inside:
        return {}
    program = SOURCE.read_text(encoding="utf-8")
    answer = lab.execute("python3", "-c", program, given=json.dumps(list(inside)))
    try:
        told = {one["path"]: one for one in map(json.loads, answer.splitlines())}
        return {inside[path].path: judge(inside[path], one) for path, one in told.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(f"What the lab answered cannot be read: {error!r}", "Type:  make logs") from None


def in_container(path: str, folder: str) -> str:
    """Return the path of a script in the container; empty where it does not lie in the folder of the services."""
    whole = os.path.join(os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path))
    relative = os.path.relpath(whole, os.path.realpath(folder)) if _same_drive(whole, folder) else ".."
    if relative == ".." or relative.startswith(f"..{os.sep}"):
        return ""
    return runner.FOLDER + relative.replace(os.sep, "/")


def _same_drive(path: str, other: str) -> bool:
    return os.path.splitdrive(path)[0].lower() == os.path.splitdrive(os.path.realpath(other))[0].lower()


def judge(script: Script, told: dict[str, Any]) -> Trial:
    """Judge one script by what `cgilab.checks.runner` tells of it."""
    path = told["path"]
    url = f"/cgi-bin/{path.removeprefix(runner.FOLDER)}"
    known = Evidence(path=path, script=script, url=url, server_uid=told["user"])
    if "closed" in told:
        message = f"AH00035: access to {url} denied because search permissions are missing on a component of the path"
        return _trial("403 Forbidden", known._replace(status=403, messages=[message]))
    if "errno" in told:
        message = f"({told['errno']}){os.strerror(told['errno'])}: exec of '{path}' failed"
        nothing = f"End of script output before headers: {known.name}"
        return _trial(_named(500), known._replace(status=500, messages=[message, nothing]))
    output = base64.b64decode(told["output"])
    stderr = base64.b64decode(told["stderr"]).decode(errors="backslashreplace").splitlines()
    given_up = told["ended"]
    ended = Ended(
        told["code"],
        told["signal"],
        bool(given_up),
        told["cpu"],
        told["waiting_in"],
        out_of_memory=told["out_of_memory"],
    )
    response = cgi_response.parse(output, known.name)
    known = known._replace(stderr=stderr, ended=ended, seconds=told["seconds"])
    if response.fault is not None:
        status, messages = _refused(response.fault, known, silent=given_up == "silence")
        if not messages:
            return _without_status_line(known, response.fault)
        printed = None if response.fault.kind != "status" else response.headers
        return _trial(_named(status), known._replace(status=status, messages=messages, printed=printed))
    length = told["length"] - response.body
    seen = f"{_named(response.status)}, {response.kind}, {length} bytes"
    if response.kind == "nph":
        return _trial(seen, known._replace(status=response.status, stderr=[], printed=response.headers))
    messages = []
    if given_up == "silence":
        messages = [
            f"(70007)The timeout specified has expired: AH01220: Timeout waiting for output from CGI script {path}"
        ]
    return _trial(
        seen if given_up in {"", "silence"} else f"{seen}, and more when it was ended",
        known._replace(
            status=response.status,
            messages=messages,
            printed=response.headers,
            sent=_sent(response),
            body_sent=length if not given_up else None,
        ),
    )


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _sent(response: Response) -> list[tuple[str, str]]:
    """Return what the client would get, as far as the script decides it."""
    return [(name, value) for name, value in response.headers if name.lower() != "status"] or [("Server", "Apache")]


def _refused(fault: Fault, known: Evidence, *, silent: bool) -> tuple[int, list[str]]:
    """Return the status and the words with which httpd refuses an output; no words where it refuses nothing."""
    name = known.name
    if silent and fault.kind in {"nothing", "unended"}:
        return 504, [f"Script timed out before returning headers: {name}"]
    words = {
        "nothing": f"End of script output before headers: {name}",
        "unended": f"Premature end of script headers: {name}",
        "malformed": f"malformed header from script '{name}': Bad header: {fault.text}",
        "status": f"Invalid status line from script '{name}': {fault.text}",
        "name": f"AH02429: Response header name '{fault.text}' contains invalid characters, aborting request",
        "value": f"AH02430: Response header '{fault.text}' value of '{fault.value}' contains invalid characters, "
        "aborting request",
    }
    return 500, [words[fault.kind]] if fault.kind in words else []


def _trial(seen: str, evidence: Evidence) -> Trial:
    found = diagnose(evidence)
    if found is None:
        return Trial(seen, None)
    # Nobody has said it: these are the words that httpd would have.
    exhibits = [
        exhibit._replace(heading="httpd would say") if exhibit.heading == "the server logged" else exhibit
        for exhibit in found.finding.exhibits
    ]
    return Trial(
        seen,
        found._replace(finding=found.finding._replace(exhibits=exhibits), certain=found.cause not in HARMLESS),
    )


def _without_status_line(known: Evidence, fault: Fault) -> Trial:
    """A script whose name says that it writes the whole answer, and that does not."""
    trial = _trial("no status line", known._replace(status=None, messages=[]))
    if trial.diagnosis is not None:
        return trial
    rule = next(rule for rule in RULES if rule.cause == "nph-confusion")
    finding = Finding(
        f"The name of {known.name} starts with nph-, so the server adds nothing, and the script prints no status line.",
        [Exhibit("its first line", (fault.text,))],
        ["Give it a name that does not start with nph-;", "or print first:  HTTP/1.1 200 OK"],
    )
    return Trial("no status line", Diagnosis(rule.cause, rule.title, finding))


def warnings_left(warnings: Iterable[Diagnosis], trial: Trial) -> Iterator[Diagnosis]:
    """Yield the warnings that a run has not refuted."""
    for warning in warnings:
        if not (trial.diagnosis is None and warning.cause in DECIDED):
            yield warning
