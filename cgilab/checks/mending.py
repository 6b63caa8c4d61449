"""Mends the files of scripts, where that takes no guessing: `lab check --fix`.

Nothing is lost on the way: what was there is kept beside the script, the new content is written to a file of its own,
which takes the script's place once it is whole.
"""

import difflib
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

from cgilab.diagnosis import mend
from cgilab.diagnosis.model import Finding
from cgilab.diagnosis.rules import RULES
from cgilab.diagnosis.script import Script
from cgilab.failures.explanation import DIFF_LINES, shown, visible

# Rules after the last that mends would only be asked in vain.
MENDING = RULES[: max(number for number, rule in enumerate(RULES) if rule.mends) + 1]

# Several faults can lie upon each other; a rule that undoes another's work is not followed for ever.
MOST_CHANGES = 10

# What is mended at most, in bytes: no script is larger, and all of it is held in memory.
LARGEST = 64_000_000


class NotMended(Exception):  # noqa: N818 - a reason, which is told, and no error of the program
    """Why a script stays as it is; a sentence."""


class Change(NamedTuple):
    """What is to be written.

    Attributes:
        content: the script's new content; None where it stays.
        mode: its new permissions; None where they stay.
        lines: what is changed, for people.
    """

    content: bytes | None
    mode: int | None
    lines: Sequence[str]


def plan(script: Script) -> Change | None:
    """Return all that can be mended without guessing; None where that is nothing.

    Args:
        script: read to its end.
    """
    now = script
    lines: list[str] = []
    for _ in range(MOST_CHANGES):
        finding = _first(now)
        if finding is None:
            break
        if finding.executable:
            mode = _executable(now.mode or 0)
            lines.append(f"permissions {now.mode or 0:04o} become {mode:04o}")
            now = now._replace(mode=mode)
        elif finding.mended is not None and finding.mended != now.content:
            lines += described(script.name, now.content, finding.mended)
            now = now._replace(content=finding.mended)
        else:
            break
    if not lines:
        return None
    return Change(
        now.content if now.content != script.content else None, now.mode if now.mode != script.mode else None, lines
    )


def _first(script: Script) -> Finding | None:
    """Return the first fault of a script, if it can be mended."""
    for rule in MENDING:
        finding = rule.before(script) if rule.before and rule.certain else None
        if finding is not None:
            return finding if rule.mends else None
    return None


def _executable(mode: int) -> int:
    """Return permissions by which whoever may read a file may also execute it."""
    return mode | (mode & 0o444) >> 2 | 0o100


def described(name: str, before: bytes, after: bytes) -> list[str]:
    """Return a change as lines: in words where it cannot be seen, else as a unified diff."""
    lines = []
    encoding = mend.encoding_of_utf_16(before)
    if encoding is not None:
        lines.append("turns UTF-16 into UTF-8")
        before = mend.utf_16(before) or after
    if before.startswith(mend.BYTE_ORDER_MARK) and not after.startswith(mend.BYTE_ORDER_MARK):
        lines.append("removes the byte order mark")
        before = before.removeprefix(mend.BYTE_ORDER_MARK)
    count = before.count(b"\r\n") - after.count(b"\r\n")
    if count > 0 and b"\r\n" not in after:
        lines.append(f"changes {count} line ending{'s' if count > 1 else ''} from CRLF to LF")
        before = mend.line_endings(before)
    if before != after:
        lines += _unified(name, before, after)
    return lines


def _unified(name: str, before: bytes, after: bytes) -> list[str]:
    old, new = ([shown(line.decode(errors="backslashreplace")) for line in one.split(b"\n")] for one in (before, after))
    # These changes are of the first lines: to compare the rest of a large script takes long.
    context = 3
    while len(old) > context and len(new) > context and old[-context - 1 :] == new[-context - 1 :]:
        old.pop()
        new.pop()
    lines = list(difflib.unified_diff(old, new, visible(name), f"{visible(name)} (mended)", lineterm=""))
    return lines if len(lines) <= DIFF_LINES else [*lines[:DIFF_LINES], f"… and {len(lines) - DIFF_LINES} more lines"]


def whole(script: Script) -> Script:
    """Return a script read to its end.

    Raises:
        NotMended: it cannot be read, or it is too large.
    """
    if script.whole:
        return script
    try:
        with open(script.path, "rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise NotMended(f"It cannot be read: {error.strerror}.") from None
    if len(content) > LARGEST:
        raise NotMended(f"It is larger than {LARGEST // 1_000_000} MB.")
    return script._replace(content=content, whole=True)


def apply(script: Script, change: Change) -> str:
    """Write a change.

    Args:
        script: as it was when the change was planned, read to its end.
        change: what is to be written.

    Returns:
        The path of the backup; empty where the content stays.

    Raises:
        NotMended: the script stays as it was, and nothing is left beside it.
    """
    if os.path.islink(script.path):
        target = os.path.realpath(script.path)
        raise NotMended(f"It is a symbolic link. Mend what it leads to:  lab check --fix {visible(target)}")
    try:
        if change.content is None:
            _refuse_changed(script)
            os.chmod(script.path, change.mode or 0)
            return ""
        return _replace(script, change.content, change.mode)
    except OSError as error:
        raise NotMended(f"It cannot be written: {error.strerror or error}.") from None


def _refuse_changed(script: Script) -> None:
    """Compare a script with what it was.

    Raises:
        NotMended: somebody has changed it.
    """
    with open(script.path, "rb") as file:
        now = file.read(len(script.content) + 1)
    if now != script.content or os.path.islink(script.path):
        raise NotMended("It was changed meanwhile. Type the command again.")


def _replace(script: Script, content: bytes, mode: int | None) -> str:
    folder, name = os.path.split(os.path.abspath(script.path))
    status = os.stat(script.path)
    # A name with a dot first: the server serves none of these, should a power cut leave it behind.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name[:40]}.", suffix=".new", dir=folder)
    backup = ""
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _copy_rights(script.path, temporary, status, mode)
        backup = _back_up(script, folder, name)
        _refuse_changed(script)
        os.replace(temporary, script.path)
    except BaseException:
        for left in filter(None, (temporary, backup)):
            if os.path.exists(left):
                os.unlink(left)
        raise
    return backup


def _copy_rights(path: str, to: str, status: os.stat_result, mode: int | None) -> None:
    """Give a new file the owner, the group and the permissions of the one whose place it takes.

    Raises:
        NotMended: the owner cannot be kept, which only root could.
    """
    shutil.copystat(path, to)
    if hasattr(os, "chown"):
        new = os.stat(to)
        if (new.st_uid, new.st_gid) != (status.st_uid, status.st_gid):
            try:
                os.chown(to, status.st_uid, status.st_gid)
            except PermissionError:
                raise NotMended("It belongs to another user or group, who would lose it.") from None
        os.chmod(to, stat.S_IMODE(status.st_mode) if mode is None else mode)
    os.utime(to)


def _back_up(script: Script, folder: str, name: str) -> str:
    """Write what was there to a new file: NAME.bak, NAME.bak1 where there is one, and so on."""
    number = 0
    while True:
        path = os.path.join(folder, f"{name}.bak{number or ''}")
        try:
            with open(path, "xb") as file:
                try:
                    file.write(script.content)
                    file.flush()
                    os.fsync(file.fileno())
                    shutil.copystat(script.path, path)
                except BaseException:
                    file.close()
                    os.unlink(path)
                    raise
        except FileExistsError:
            number += 1
            continue
        return path
