"""What is to be run for a request: the code of a Python script, or a program.

Code is run in a fork of this interpreter. A program is started as `mod_cgi` starts it: whatever could tell this
interpreter from a new one is left to a new one.
"""

import marshal
import os
import re
import sys
import time
import warnings
from collections.abc import Collection
from importlib import machinery
from io import BytesIO
from types import CodeType

from cgilab.forkserver.loading import make_immortal

# Scripts whose code is kept.
KEPT = 1000

# A file that has changed within this many nanoseconds may change again without a sign: its time is no finer than the
# kernel's clock tick.
SETTLED = 100_000_000

# What is loaded to compile a script (`compiled`).
OF_COMPILING = ("token", "tokenize")

# What follows the name of a module in the name of its file.
SUFFIXES = frozenset(suffix.encode() for suffix in machinery.all_suffixes())

# What leads to this interpreter, without an option: the kernel takes a path, env a name (PATH is that of the scripts).
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
OWN = "|".join(map(re.escape, ("python3", f"python{VERSION}")))
SHEBANG = re.compile(rf"#![ \t]*(?:/usr/bin/(?:{OWN})|/usr/bin/env[ \t]+(?:{OWN}))[ \t]*\n".encode())


class Programs:
    """Remembers which scripts this interpreter can run, and their code.

    Args:
        loaded: names of modules that are loaded here. A script that has a file of such a name beside it would import
            that, so it is started as a program.
    """

    def __init__(self, loaded: Collection[str]) -> None:
        self._loaded = frozenset(name.encode() for name in (*loaded, *OF_COMPILING))
        self._code: dict[bytes, tuple[tuple[int, ...], CodeType | None]] = {}
        self._folders: dict[bytes, tuple[int, bool]] = {}

    def look_up(self, path: bytes) -> tuple[tuple[int, ...] | None, CodeType | None]:
        """Return the state of a script's file, and its code.

        The state is None where it can only be run as a program: it is not there, may not be executed, or hides a
        module. The code is None where it is not known for this state, or is no Python that this interpreter runs.
        """
        try:
            found = os.stat(path)
            state = (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode, found.st_ctime_ns)
        except (OSError, ValueError):
            return None, None
        known = self._code.get(path)
        if known and known[0] == state:
            usable = known[1] is not None and not self._hides(path.rpartition(b"/")[0])
            return (state, known[1]) if usable else (None, None)
        if self._hides(path.rpartition(b"/")[0]):
            return None, None
        return state, None

    def remember(self, path: bytes, state: tuple[int, ...], code: CodeType | None) -> None:
        """Keep the code of a script for a state of its file; None for one that is run as a program."""
        if time.time_ns() - max(state[0], state[-1]) < SETTLED:
            return
        if code is not None:
            make_immortal([code])
        self._code.pop(path, None)
        self._code[path] = (state, code)
        if len(self._code) > KEPT:
            del self._code[next(iter(self._code))]

    def _hides(self, folder: bytes) -> bool:
        """Return whether a file in a folder is a module of a name that is loaded, or a folder could be one."""
        try:
            changed = os.stat(folder).st_mtime_ns
            known = self._folders.get(folder)
            if known is None or known[0] != changed:
                entries = [entry.partition(b".") for entry in os.listdir(folder)]
                names = {name for name, dot, end in entries if not dot or dot + end in SUFFIXES}
                known = (changed, not self._loaded.isdisjoint(names))
                if time.time_ns() - changed >= SETTLED:
                    self._folders[folder] = known
        except OSError:
            return True
        return known[1]


def compiled(path: bytes) -> CodeType | None:
    """Return the code of a script that this interpreter is to run.

    None where it is started as a program: another interpreter's, one that may not be executed, or one of which Python
    has something to say before it runs (a syntax error, a warning), which a new interpreter says best.
    """
    # Only here, in a child that compiles: every fork would be slower by what it takes in memory.
    import tokenize

    if not os.access(path, os.X_OK):
        return None
    try:
        with open(path, "rb") as file:
            source = file.read()
        if not SHEBANG.match(source):
            return None
        # Of a file Python wants every byte to be a character, and here those of comments need not be.
        source.decode(tokenize.detect_encoding(BytesIO(source).readline)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return compile(source, os.fsdecode(path), "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError, Warning, MemoryError, RecursionError):
        return None


def packed(code: CodeType | None) -> bytes:
    """Return code as bytes; `unpacked` reads it back."""
    return marshal.dumps(code)


def unpacked(content: bytes) -> CodeType | None:
    """Return the code that `packed` has packed; None where it is cut off."""
    try:
        code = marshal.loads(content)  # noqa: S302 - a child of this server has written it, before the script ran
    except (EOFError, ValueError, TypeError):
        return None
    return code if isinstance(code, CodeType) else None
