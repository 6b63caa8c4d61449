"""Judge scripts before anything is run: what is wrong, how that is known, what mends it."""

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from cgilab import release
from cgilab.checks import judging, services
from cgilab.diagnosis.model import Diagnosis, Evidence, Exhibit
from cgilab.diagnosis.programs import image
from cgilab.diagnosis.reaching import before_link_not_followed
from cgilab.diagnosis.rules import RULES
from cgilab.diagnosis.script import Script, neighbours_of, read
from cgilab.errors import LabError
from cgilab.failures.explanation import Failure, as_data, shown, visible
from cgilab.project.engine import ROOT

MANUAL = "docs/troubleshooting.md"
SETTING = re.compile(r"^\s*(?:export\s+)?CGI_BIN\s*[=:]\s*(?P<value>.*?)\s*$", re.MULTILINE)

COLOURS = {"OK": "\033[32m", "WARN": "\033[33m", "ERR": "\033[31m"}
BOLD, PLAIN = "\033[1m", "\033[0m"

# What an exhibit or a fix shows at most, in lines.
MOST_LINES = 12


class Report(NamedTuple):
    """What is to be said of one script.

    Attributes:
        path: as it was named, or found.
        script: as it was read last.
        found: what is wrong, the first cause first; empty where all is well.
        changes: what was mended, for people.
        backup: the path of what was there before; empty where there is none.
        kept: why it could not be mended; else empty.
        seen: what a run has shown, in a few words; else empty.
    """

    path: str
    script: Script
    found: Sequence[Diagnosis]
    changes: Sequence[str] = ()
    backup: str = ""
    kept: str = ""
    seen: str = ""

    @property
    def level(self) -> str:
        """``OK``, ``WARN`` or ``ERR``."""
        return judging.level(self.found)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab check [--fix] [--run] [--json] [PATH …]`."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="a script or a folder; else the folder of the services"
    )
    parser.add_argument(
        "--fix", action="store_true", help="mend what can be mended without guessing, and keep a backup"
    )
    parser.add_argument(
        "--run", action="store_true", help="also start each script in the running lab, and judge its output"
    )
    parser.add_argument("--json", action="store_true", help="print an array of objects")
    parser.epilog = "The exit code is 1 where a script is sure to fail, 2 for wrong arguments, else 0."


def run(arguments: argparse.Namespace) -> int:
    """Judge, mend and start what is asked for, and print what is to be said."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a console of Windows has few characters
    paths = arguments.paths or [str(default_folder())]
    found = services.of(paths)
    _beside.cache_clear()
    with judging.without_collector():
        reports = [judged(path, fix=arguments.fix) for path in found.paths]
    reports += [_closed(path) for path in found.closed]
    if arguments.run:
        reports = tried(reports)
    try:
        if arguments.json:
            print(json.dumps([data for report in reports for data in as_objects(report)], indent=2))
        else:
            for report in reports:
                print(*as_lines(report, coloured=is_coloured()), sep="\n")
            print(summary(reports, paths))
    except BrokenPipeError:
        # Whoever read the output has seen enough; so that Python does not complain at its end either:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1 if any(report.level == "ERR" for report in reports) else 0


def default_folder() -> Path:
    """Return the folder of the services: that of the setting CGI_BIN, of the environment or of .env, else cgi-bin/.

    Raises:
        LabError: it is not there.
    """
    named = os.environ.get("CGI_BIN") or _of_env_file(ROOT / ".env") or "cgi-bin"
    folder = ROOT / named
    if not folder.is_dir():
        raise LabError(f"There is no folder {visible(str(folder))} to check.", "Set CGI_BIN to one that is there.")
    try:
        return Path(os.path.relpath(folder))
    except ValueError:  # on another drive
        return folder


def _of_env_file(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = [match["value"].strip("\"'") for match in SETTING.finditer(text)]
    return found[-1] if found else ""


# --- What is judged -------------------------------------------------------------------------------


def judged(path: str, *, fix: bool) -> Report:
    """Judge one script, and mend it first where that is asked for."""
    programs = _programs()
    script = read(path, programs=programs, neighbours=None if fix else _beside(os.path.dirname(path)))
    if not fix or script.kind != "file":
        return Report(path, script, faults(script))
    from cgilab.checks import mending  # noqa: PLC0415 - what is needed to write is loaded where something is written

    try:
        whole = mending.whole(script)
        change = mending.plan(whole)
        if change is None:
            return Report(path, script, faults(script))
        backup = mending.apply(whole, change)
    except mending.NotMended as reason:
        return Report(path, script, faults(script), kept=str(reason))
    mended = read(path, programs=programs)
    return Report(path, mended, faults(mended), change.lines, backup)


@lru_cache(maxsize=1)
def _programs() -> frozenset[str]:
    """Return the interpreters that the lab has, by the release of Debian that it is made of."""
    return image(release.asked(release.settings_of(ROOT)))


@lru_cache(maxsize=1)
def _beside(folder: str) -> frozenset[str]:
    return neighbours_of(os.path.join(folder, "."))


def faults(script: Script) -> list[Diagnosis]:
    """Return what is wrong with a script, the first cause first."""
    link = _leads_out(script)
    return judging.faults(script) if link is None else [link]


def _leads_out(script: Script) -> Diagnosis | None:
    """Return what is wrong with a link out of the folder of the services: the container has nothing there."""
    if not os.path.islink(script.path):
        return None
    folder = next((folder for folder in _served() if _is_below(os.path.abspath(script.path), folder)), None)
    if folder is None:
        return None
    target = str(Path(script.path).readlink())
    if not target.startswith(("/", "\\")) and _is_below(os.path.realpath(script.path), os.path.realpath(folder)):
        return None
    if target.startswith("/srv/cgi-bin/") or script.kind == "loop":
        return None
    outside = script._replace(kind="missing", neighbours=script.neighbours | {script.name})
    finding = before_link_not_followed(outside)
    if finding is None:
        return None
    shows = Exhibit("it leads to", (f"{target}, which is not there in the container: that has the folder alone",))
    rule = next(rule for rule in RULES if rule.cause == "link-not-followed")
    return Diagnosis(rule.cause, rule.title, finding._replace(exhibits=[shows]))


def _served() -> list[str]:
    try:
        return [os.path.abspath(default_folder())]
    except LabError:
        return []


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _closed(path: str) -> Report:
    sentence = f"The folder {visible(path)} cannot be read, so nothing in it is judged."
    fix = [f"Type:  chmod a+rx {visible(path)}"] if os.name != "nt" else []
    return Report(path, Script(path, "directory"), [judging.made("folder-closed", sentence, fix=fix)])


def tried(reports: Sequence[Report]) -> list[Report]:
    """Start each script that is not sure to fail, and return all reports with what came of it.

    Raises:
        LabError: the lab does not run.
    """
    from cgilab.checks import trial  # noqa: PLC0415 - what asks Docker is loaded where Docker is asked
    from cgilab.project.lab import Lab  # noqa: PLC0415 - the check itself needs no lab

    lab = Lab()
    if lab.url() is None:
        raise LabError("The lab is down, so nothing can be started.", "Type:  make up")
    wanted = [report.script for report in reports if report.level != "ERR"]
    told = trial.start(wanted, str(lab.folders()["CGI_BIN"]), lab)
    done = []
    for report in reports:
        one = told.get(report.path)
        if one is None:
            seen = "" if report.level == "ERR" else "not started: it does not lie in the folder that the lab serves"
            done.append(report._replace(seen=seen))
            continue
        found = list(trial.warnings_left(report.found, one))
        if one.diagnosis is not None:
            found = [one.diagnosis, *(other for other in found if other.cause != one.diagnosis.cause)]
        done.append(report._replace(found=found, seen=one.seen))
    return done


# --- What is said ---------------------------------------------------------------------------------


def called(path: str) -> str:
    """Return a path in which nothing can move a terminal's cursor, and what is no text stands as its bytes."""
    return visible(os.fsencode(path).decode(errors="backslashreplace"))


def is_coloured() -> bool:
    """Return whether colours are wanted (https://no-color.org) and can be shown."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return False
    if os.name == "nt":
        os.system("")  # noqa: S605 - switches a console of Windows to understand colours
    return True


def as_lines(report: Report, *, coloured: bool) -> list[str]:
    """Return what is said of a script."""

    def head(level: str, text: str) -> str:
        colour, plain = (COLOURS[level], PLAIN) if coloured else ("", "")
        return f"{colour}{level:4}{plain} {text}"

    name = called(report.path)
    lines = []
    for one in report.found:
        level = "ERR" if one.certain else "WARN"
        bold, plain = (BOLD, PLAIN) if coloured else ("", "")
        lines.append(head(level, f"{bold}{name}{plain}: {shown(one.finding.sentence)}"))
        for exhibit in one.finding.exhibits:
            lines.append(f"       {visible(exhibit.heading)}:")
            lines += [f"         {line}" for line in _shortened(exhibit.lines)]
        fix = one.finding.fix
        if fix:
            lines += ["       to mend it:", *(f"         {line}" for line in _shortened(fix))]
        lines.append(f"       more about it: {MANUAL}#{one.cause}")
    if not report.found:
        lines.append(head("OK", name))
    if report.seen:
        lines.append(
            f"       started: {visible(report.seen)}" if not report.seen.startswith("not ") else f"       {report.seen}"
        )
    if report.changes:
        lines += ["       mended:", *(f"         {line}" for line in report.changes)]
    if report.backup:
        lines.append(f"       what was there: {called(report.backup)}")
    if report.kept:
        lines.append(f"       not mended. {visible(report.kept)}")
    return lines


def _shortened(lines: Sequence[str]) -> list[str]:
    listed = [shown(line) for text in lines for line in text.split("\n")]
    return (
        listed if len(listed) <= MOST_LINES else [*listed[:MOST_LINES], f"… and {len(listed) - MOST_LINES} more lines"]
    )


def summary(reports: Sequence[Report], paths: Sequence[str]) -> str:
    """Return the last line."""
    if not reports:
        return f"check: no script in {', '.join(map(called, paths))}"
    levels = [report.level for report in reports]
    counted = ", ".join(f"{levels.count(level)} {level}" for level in ("OK", "WARN", "ERR"))
    return f"{len(reports)} script{'s' if len(reports) > 1 else ''}: {counted}"


def as_objects(report: Report) -> list[dict[str, Any]]:
    """Return what is said of a script for programs: an object for each fault, or one where there is none."""
    path = os.fsencode(report.path).decode(errors="backslashreplace")
    more: dict[str, Any] = {}
    if report.changes or report.kept:
        more = {"mended": list(report.changes), "backup": report.backup or None, "not_mended": report.kept or None}
    if report.seen:
        more["started"] = report.seen
    if not report.found:
        nothing: dict[str, Any] = {
            "cause": None,
            "title": None,
            "sentence": None,
            "evidence": [],
            "fix": [],
            "diff": [],
            "section": None,
        }
        return [{"path": path, "level": "OK", **nothing, "section": None, **more}]
    objects = []
    for one in report.found:
        data = as_data(Failure("", one.title, "", Evidence(path=report.path, script=report.script), one))
        told = {key: data[key] for key in ("cause", "title", "sentence", "evidence", "fix", "diff")}
        level = "ERR" if one.certain else "WARN"
        objects.append({"path": path, "level": level, **told, "section": f"{MANUAL}#{one.cause}", **more})
    return objects
