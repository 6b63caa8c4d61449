"""What the start of an interpreter and the imports of a script take, measured apart from any request.

Under spawn nobody outside of a script's process sees where its interpreter's start ends and its code begins, and
nothing is put into the process to tell. So the same is done once more beside it: the script's interpreter is started a
few times, and runs the import statements of the script's source, and nothing else of it. What is measured is of now,
on this machine as busy as it is now, and no part of the exchange.
"""

import ast
import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from cgilab.diagnosis.script import Script, read

ROUNDS = 5

# Seconds for all rounds together; httpd ends this page after ten that are silent.
TIME_LIMIT = 6.0

# What of the environment a script gets that is the same for all requests, and tells Python how to start.
INHERITED = ("LANG", "PATH", "TZ")

# What the interpreter runs. The last line that it prints says when it began, and how long each statement took. What it
# imports itself every interpreter has loaded at its start. A statement that failed took -1.
PROGRAM = """
import time
began = time.monotonic_ns()
import os, sys
took = []
for statement in sys.argv[1:]:
    begin = time.monotonic_ns()
    try:
        exec(statement, {})
        took.append(time.monotonic_ns() - begin)
    except BaseException:
        took.append(-1)
print()
print([began, *took], flush=True)
os._exit(0)
"""


class NotMeasuredError(Exception):
    """It cannot be measured; the message says why."""


@dataclass(frozen=True)
class Import:
    """An import statement of a script, and the microseconds that it takes.

    None for one that was not run, or failed. What two statements both need counts for the first.
    """

    statement: str
    time: int | None


@dataclass(frozen=True)
class Apart:
    """Medians of some rounds, in microseconds.

    Attributes:
        rounds: how many.
        start: from the start of the interpreter's process to its first line.
        imports: each statement.
    """

    rounds: int
    start: int
    imports: Sequence[Import]


def measure(path: str, before: float, rounds: int = ROUNDS) -> Apart:
    """Measure a script's interpreter and its imports; the script is read, and not run.

    Modules beside the script are the user's own, and what they do when they are imported is not known: they are left
    out.

    Args:
        path: of the script.
        before: the time, in seconds since 1970, after which the file must not have been changed.
        rounds: how often.

    Raises:
        NotMeasuredError: it is no script in Python, has been changed, or the interpreter did not do it in time.
    """
    script = read(path)
    if script.kind != "file":
        raise NotMeasuredError("the script is not there any more")
    if script.modified > before:
        raise NotMeasuredError("the script has been changed since")
    interpreter = _interpreter(script)
    try:
        tree = ast.parse(script.content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotMeasuredError("the script is no Python that can be read") from None
    own = {name.partition(".")[0] for name in script.neighbours}
    statements = {ast.unparse(one): _modules(one).isdisjoint(own) for one in imports_of(tree.body)}
    measured = [statement for statement, is_measured in statements.items() if is_measured]
    end = time.monotonic() + TIME_LIMIT
    found = [_round(interpreter, measured, end) for _ in range(rounds)]
    starts, *times = zip(*found, strict=True)
    of_statements = {
        statement: _median(took) if min(took) >= 0 else None for statement, took in zip(measured, times, strict=True)
    }
    imports = [Import(statement, of_statements.get(statement)) for statement in statements]
    return Apart(rounds, _median(starts), imports)


def imports_of(body: Iterable[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Return the import statements of a script's top level, in their order, also those that it tries."""
    for one in body:
        if isinstance(one, ast.Import) or (isinstance(one, ast.ImportFrom) and not one.level):
            yield one
        elif isinstance(one, ast.Try):
            yield from imports_of(one.body)


def _modules(statement: ast.Import | ast.ImportFrom) -> set[str]:
    names = [statement.module] if isinstance(statement, ast.ImportFrom) else [name.name for name in statement.names]
    return {name.partition(".")[0] for name in names if name}


def _interpreter(script: Script) -> list[str]:
    """Return the program that the first line of a script names, with its option, as the kernel reads it."""
    if not script.language.startswith("python"):
        raise NotMeasuredError("the script is none that Python runs")
    return os.fsdecode(script.shebang).split(None, 1)


def _round(interpreter: Sequence[str], statements: Sequence[str], end: float) -> list[int]:
    """Return the nanoseconds of one start, and of each statement."""
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    begin = time.monotonic_ns()
    try:
        done = subprocess.run(
            [*interpreter, "-c", PROGRAM, *statements],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=max(end - time.monotonic(), 0),
            cwd="/",
            env=environment,
            check=True,
        )
        began, *took = ast.literal_eval(done.stdout.splitlines()[-1].decode())
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        raise NotMeasuredError("the interpreter could not be started, or did not end in time") from None
    return [began - begin, *took]


def _median(times: Iterable[int]) -> int:
    """Return the median in microseconds, of nanoseconds."""
    return round(median(times) / 1000)
