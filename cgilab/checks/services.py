"""Which files of a folder are services, told by their names, their first bytes and their permissions."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cgilab.diagnosis import mend
from cgilab.diagnosis.reaching import SCRIPT_ENDINGS, before_denied_name
from cgilab.diagnosis.script import Script

START_BYTES = 256
MODULE_BYTES = 100_000
EXECUTE = 0o111

# File systems without permissions, such as a drive of Windows, show this mode for whatever they hold.
NO_PERMISSIONS = 0o777

# What lies beside scripts and is read by them. Of other files without a sign of a script, the execute permission tells.
DATA_ENDINGS = (
    ".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".html", ".htm", ".css", ".js", ".xml", ".svg", ".png", ".jpg",
    ".jpeg", ".gif", ".ico", ".webp", ".pdf", ".zip", ".gz", ".db", ".sqlite", ".sqlite3", ".ini", ".cfg", ".conf",
    ".toml", ".yaml", ".yml", ".log", ".tmpl", ".tpl", ".j2", ".dat", ".pickle", ".pyc", ".so", ".dll",
)  # fmt: skip

# The names after `import`, and those before and after it where there is a `from`.
IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+)?import[ \t]+([^#\r\n]+)", re.MULTILINE)
WORD = re.compile(rb"\w+")


class Found(NamedTuple):
    """What a search has found.

    Attributes:
        paths: of the services.
        closed: of the folders that could not be read.
    """

    paths: list[str]
    closed: list[str]


class _File(NamedTuple):
    path: str
    name: str
    mode: int | None
    start: bytes


def find(folder: str) -> Found:
    """Return the services in a folder and in those below it, sorted; a symbolic link to a folder is not followed.

    Left out are ``__pycache__``, whatever is never served by its name, data, and the modules that services import.
    """
    paths: list[str] = []
    closed: list[str] = []
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            closed.append(here)
            continue
        listed = [entry for entry in listed if not is_passed_over(entry.name)]
        waiting += [entry.path for entry in listed if _is_folder(entry)]
        modules: list[str] = []
        imports: set[bytes] = set()
        is_package = any(entry.name == "__init__.py" for entry in listed)
        for entry in listed:
            if _is_folder(entry) or (entry.is_symlink() and os.path.isdir(entry.path)):
                continue
            file = _looked_at(entry)
            if file is None:  # no regular file, or one that cannot be read: whoever judges it says so
                paths.append(entry.path)
            elif is_service(file.name, file.mode, file.start):
                paths.append(file.path)
            elif file.name.endswith(".py"):
                modules.append(file.path)
        if modules and not is_package:
            for path in [*(path for path in paths if os.path.dirname(path) == here), *modules]:
                imports |= _imported(path)
            paths += [path for path in modules if os.path.basename(path)[:-3].encode() not in imports]
    return Found(sorted(paths), sorted(closed))


def is_passed_over(name: str) -> bool:
    """Return whether a file or folder of this name is never served, nor meant to be."""
    return name == "__pycache__" or before_denied_name(Script(name, "file")) is not None


def is_service(name: str, mode: int | None, start: bytes) -> bool:
    """Return whether a file is meant to be run, for certain; a ``.py`` of which this is False may be a module.

    Args:
        name: of the file.
        mode: its permissions; None where the system has no such thing.
        start: its first bytes.
    """
    if _is_script(start):
        return True
    executable = mode is not None and mode != NO_PERMISSIONS and mode & EXECUTE
    ending = os.path.splitext(name)[1].lower()
    if ending == ".py":
        return bool(executable)
    return bool(executable) or ending in SCRIPT_ENDINGS or (mode == NO_PERMISSIONS and ending not in DATA_ENDINGS)


def _is_script(start: bytes) -> bool:
    """Return whether there is a ``#!``, be it hidden from the system by what stands before it."""
    start = start.removeprefix(mend.BYTE_ORDER_MARK)
    wide = start.replace(b"\0", b"")
    return start.startswith(b"#!") or wide[:4].endswith(b"#!") or mend.late_shebang(start) is not None


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _looked_at(entry: "os.DirEntry[str]") -> _File | None:
    try:
        descriptor = os.open(entry.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        start = os.read(descriptor, START_BYTES)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return _File(entry.path, entry.name, None if os.name == "nt" else stat.S_IMODE(status.st_mode), start)


def _imported(path: str) -> set[bytes]:
    """Return all names in the import statements of a file."""
    return {name for statement in _imports(path) for name in WORD.findall(statement)}


def _imports(path: str) -> Iterator[bytes]:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError):
        return
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(MODULE_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    for match in IMPORT.finditer(content):
        yield b" ".join(filter(None, match.groups()))


def of(paths: Iterable[str]) -> Found:
    """Return the services that are named one by one, or whose folders are; each once, in the order in which it came."""
    found: dict[str, None] = {}
    closed: dict[str, None] = {}
    for path in paths:
        if os.path.isdir(path):
            inside = find(path)
            found |= dict.fromkeys(inside.paths)
            closed |= dict.fromkeys(inside.closed)
        else:
            found[path] = None
    return Found(list(found), list(closed))
