"""A script's file: what is in it, who may do what with it, and what stands beside it."""

import os
import stat
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

# What is read of a script at most. A larger one is judged by its beginning, and never said to be wrong for its end.
READ_BYTES = 1_000_000

# What counts for a kernel that starts a program: the rest of a longer first line is cut off (Linux, BINPRM_BUF_SIZE).
SHEBANG_BYTES = 256

PYTHON = ("python", "pypy")


class Script(NamedTuple):
    """A script as it was found.

    Attributes:
        path: of its file.
        kind: ``file``, ``missing``, ``directory``, ``loop`` (of symbolic links), ``unreadable``, or ``special`` (a
            FIFO, a device, a socket).
        content: what was read of it.
        whole: whether that is all.
        mode: its permissions, such as 0o755; None where the system has no such thing (Windows).
        owner: its owner's number; None where the system has no such thing.
        modified: when it was last changed, in seconds since 1970.
        neighbours: the names of all that is in the same folder.
        programs: the interpreters that are there when it is run; None to look at this machine's file system.
    """

    path: str
    kind: str
    content: bytes = b""
    whole: bool = True
    mode: int | None = None
    owner: int | None = None
    modified: float = 0.0
    neighbours: frozenset[str] = frozenset()
    programs: frozenset[str] | None = None

    @property
    def name(self) -> str:
        """Its file name."""
        return os.path.basename(self.path)

    @property
    def shebang(self) -> bytes:
        """The first line without its ``#!``, as the kernel reads it; empty where there is none."""
        if not self.content.startswith(b"#!"):
            return b""
        return self.content[2:SHEBANG_BYTES].partition(b"\n")[0].strip(b" \t")

    @property
    def interpreter(self) -> str:
        """The path of the shebang; empty where there is none."""
        words = self.shebang.split(None, 1)
        return words[0].decode(errors="backslashreplace") if words else ""

    @property
    def language(self) -> str:
        """The interpreter's name, that which ``env`` looks for included, such as ``python3``; empty without one."""
        return _language(self.shebang)

    @property
    def is_python(self) -> bool:
        """Whether it is a source of Python: its shebang says so or, where there is none, its name."""
        if self.content.partition(b"\n")[2].startswith(b"PK\x03\x04"):
            return False  # an archive that Python runs (zipapp)
        return self.language.startswith(PYTHON) if self.language else self.name.lower().endswith(".py")

    @property
    def python(self) -> tuple[int, int]:
        """The version of the Python that runs it, where it is one of Python: this one's, where no programs are told."""
        minors = [path.rpartition("/python3.")[2] for path in self.programs or () if "/python3." in path]
        return (3, int(minors[0])) if minors else sys.version_info[:2]

    @property
    def lines(self) -> list[bytes]:
        """Its lines, without their ends."""
        return self.content.splitlines()

    def has_program(self, path: str) -> bool:
        """Return whether there is a program of this path where the script is run."""
        if self.programs is not None:
            return path in self.programs
        return os.path.isfile(path)


# Each rule asks, and the scripts of a folder have few first lines.
@lru_cache(maxsize=16)
def _language(shebang: bytes) -> str:
    words = shebang.decode(errors="replace").replace("\\", "/").split()
    names = [word.rpartition("/")[2].lower().removesuffix(".exe") for word in words]
    if names[:1] == ["env"]:
        names = [name for name in names[1:] if not name.startswith("-") and "=" not in name]
    return names[0] if names else ""


def read(path: str, *, programs: Iterable[str] | None = None, neighbours: frozenset[str] | None = None) -> Script:
    """Read a script. Whatever is there is told, never raised, and never waited for.

    Args:
        path: of its file.
        programs: the paths of the interpreters that are there when it is run; by default this machine's.
        neighbours: the names of all that is in the same folder, where somebody has looked already.
    """
    known = None if programs is None else frozenset(programs)
    has_modes = os.name != "nt"
    kind, content, found = "file", b"", None
    try:
        # A FIFO without a writer would block, and what is no file is not to be read: it may never end.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode):
                with os.fdopen(os.dup(descriptor), "rb") as file:
                    content = file.read(READ_BYTES + 1)
        finally:
            os.close(descriptor)
    except ValueError:
        kind = "missing"  # no file name holds a null byte
    except OSError as error:
        kind = _kind_of(error)
    if found is None:
        found = _stat(path)
    if found is not None and not stat.S_ISREG(found.st_mode):
        kind = "directory" if stat.S_ISDIR(found.st_mode) else "special"
    return Script(
        path=path,
        kind=kind,
        content=content[:READ_BYTES],
        whole=len(content) <= READ_BYTES,
        mode=stat.S_IMODE(found.st_mode) if found and has_modes else None,
        owner=found.st_uid if found and has_modes else None,
        modified=found.st_mtime if found else 0.0,
        neighbours=neighbours_of(path) if neighbours is None else neighbours,
        programs=known,
    )


def _kind_of(error: OSError) -> str:
    import errno

    if error.errno == errno.ELOOP:
        return "loop"
    if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL}:
        return "missing"
    return "special" if error.errno == errno.ENXIO else "unreadable"


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None


def neighbours_of(path: str) -> frozenset[str]:
    """Return the names of all that is in the folder of a file; none where that cannot be told."""
    try:
        return frozenset(os.listdir(os.path.dirname(path) or "."))
    except (OSError, ValueError):
        return frozenset()
