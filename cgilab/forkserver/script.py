"""What a forked child does: it becomes the process of a script, as a new interpreter or a new program would be.

What runs here after the fork runs in a copy of the server; so it is short, and imports nothing.
"""

import atexit
import builtins
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType, TracebackType
from urllib.parse import unquote_to_bytes

from cgilab.forkserver import marks

# As in typing, which is not loaded.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

ZONE = b"TZ"

# The exit code where a program cannot be started (APR: exit(-1)), and where what a script printed could not be written.
NOT_STARTED = 255
NOT_WRITTEN = 120

# What a shell would not take literally (ap_escape_shell_cmd in httpd's server/util.c), and how many words there can be
# at most (APACHE_ARG_MAX).
OF_SHELL = frozenset(b"&;`'\"|*?~<>^()[]{}$\\\n")
MOST_WORDS = 4096


def arguments(query: bytes) -> list[bytes]:
    """Return the arguments of a script: the words of a query without an equals sign (RFC 3875, section 4.4)."""
    if not query or b"=" in query:
        return []
    words = map(unquote_to_bytes, query.split(b"+")[:MOST_WORDS])
    return [b"".join(b"\\" + bytes((byte,)) if byte in OF_SHELL else bytes((byte,)) for byte in word) for word in words]


def start_program(path: bytes, environment: Mapping[bytes, bytes], streams: Sequence[int]) -> int:
    """Start a program in a process and a group of its own, which is no copy of this one (posix_spawn(3)).

    Args:
        path: of the program.
        environment: of the program.
        streams: what are to be its standard input, output and error.

    Returns:
        The process.

    Raises:
        OSError, ValueError: it cannot be started.
    """
    os.chdir(path.rpartition(b"/")[0])
    actions = [(os.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(streams)]
    return os.posix_spawn(path, _command(path, environment), environment, file_actions=actions, setpgroup=0)


def become_program(path: bytes, environment: Mapping[bytes, bytes]) -> None:
    """Start a program in the place of this process. Where it cannot be started, say so as httpd does, and end."""
    try:
        os.execve(path, _command(path, environment), dict(environment))
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number) if number else str(error)
        os.write(2, b"(%d)%b: exec of '%b' failed\n" % (number, reason.encode(), path))
    os._exit(NOT_STARTED)


def _command(path: bytes, environment: Mapping[bytes, bytes]) -> list[bytes]:
    return [path, *arguments(environment.get(b"QUERY_STRING", b""))]


def prepare(path: bytes, environment: Mapping[bytes, bytes]) -> ModuleType:
    """Make environment, arguments, working directory, path of modules and main module those of a script.

    The server does it before the fork: to write into memory that is shared costs more than all else here. It changes
    what differs from the script before, so most of a short script's requests change a variable or two.

    Returns:
        The main module.

    Raises:
        OSError: the script's folder cannot be entered.
    """
    for variable in [variable for variable in os.environb if variable not in environment and variable != ZONE]:
        del os.environb[variable]
    for variable, value in environment.items():
        if os.environb.get(variable) != value and variable != ZONE:
            os.environb[variable] = value
    name = os.fsdecode(path)
    sys.argv[:] = [name, *map(os.fsdecode, arguments(environment.get(b"QUERY_STRING", b"")))]
    sys.orig_argv[:] = ["python3", *sys.argv]
    sys.path[0] = name.rpartition("/")[0]
    os.chdir(sys.path[0])
    main = ModuleType("__main__")
    main.__dict__.update(
        __file__=name,
        __builtins__=builtins,
        __loader__=SourceFileLoader("__main__", name),
        __annotations__={},
        __cached__=None,
    )
    sys.modules["__main__"] = main
    return main


def become_script(main: ModuleType, environment: Mapping[bytes, bytes], code: CodeType) -> int:
    """Run a script's code, and return its exit code when all that Python does at its end is done.

    Args:
        main: what `prepare` has returned.
        environment: of the script.
        code: compiled from its file.
    """
    # The time zone of the server is that of the log.
    zone = environment.get(ZONE)
    if zone != os.environb.get(ZONE):
        if zone is None:
            del os.environb[ZONE]
        else:
            os.environb[ZONE] = zone
        time.tzset()
    # The server's objects are none of the script's.
    gc.freeze()
    gc.enable()
    is_interrupted = False
    marks.begin()
    try:
        exec(code, main.__dict__)  # noqa: S102 - the script
        status = 0
    except SystemExit as ended:
        status = _status_of(ended)
    except BaseException as error:
        status = _tell(error, sys.argv[0] if main.__file__ is None else main.__file__)
        is_interrupted = isinstance(error, KeyboardInterrupt)
    status = _finish(main, status)
    marks.end()
    if is_interrupted:
        # Whoever waits for the process learns of it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return status


def _status_of(ended: SystemExit) -> int:
    """Return the exit code that a script asks for; what is no number is printed."""
    if ended.code is None:
        return 0
    if isinstance(ended.code, int):
        return ended.code & 0xFF
    try:
        sys.stdout.flush()
    finally:
        print(ended.code, file=sys.stderr)
    return 1


def _tell(error: BaseException, name: str) -> int:
    """Print a traceback that starts with the script, as its own interpreter would, and return the exit code."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename != name:
        traceback = traceback.tb_next
    error = error.with_traceback(traceback)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback
    hook: Callable[[type[BaseException], BaseException, TracebackType | None], object] | None
    hook = getattr(sys, "excepthook", None)
    if hook is None:
        print("sys.excepthook is missing", file=sys.stderr)
        hook = sys.__excepthook__
    try:
        hook(type(error), error, traceback)
    except SystemExit as ended:
        return _status_of(ended)
    except BaseException as second:
        print("Error in sys.excepthook:", file=sys.stderr)
        own = second.__traceback__ and second.__traceback__.tb_next
        second.__context__ = None
        sys.__excepthook__(type(second), second.with_traceback(own), own)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, traceback)
    return 1


def _finish(main: ModuleType, status: int) -> int:
    """Do what Python does at its end (Py_FinalizeEx), but for the modules that the server has loaded."""
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
    atexit._run_exitfuncs()
    error = _flush(sys.stdout)
    _flush(sys.stderr)
    if error is not None:
        place = "on flushing sys.stdout:" if sys.version_info >= (3, 13) else f"in: {sys.stdout!r}"
        os.write(2, f"Exception ignored {place}\n{type(error).__name__}: {error}\n".encode())
        status = NOT_WRITTEN
    # What only the script refers to is deleted: files are written, and destructors are called.
    main.__dict__.clear()
    gc.collect(1)
    # The streams themselves go last, also those which the script has put others in the place of.
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        _flush(stream)
    return status


def _flush(stream: "TextIO | None") -> BaseException | None:
    """Write what is left in a stream, if it is one and open; return why that could not be."""
    try:
        if stream is not None and not getattr(stream, "closed", False):
            stream.flush()
    except BaseException as error:
        return error
    return None
