"""The page behind a failure as it starts: it asks the recorder, and passes on the answer.

Nothing is imported but what is part of the interpreter: to import `os` would take half as long as the start.
"""

import posix
import select
import time

from cgilab.exchanges.logged import FOLDER, QUESTION, TIME_LIMIT, is_identifier, lines_of, parts

# Seconds. The recorder begins to answer in a thousandth of it, later on a busy machine; one that has ended never does.
PATIENCE = 5.0

BLOCK_BYTES = 65_536
ANSWER_BYTES = 2_000_000

# An answer that is whole: the lines, the words for httpd's log, the response, and an empty part that ends it.
PARTS = 4


def ask(
    identifier: str | None = None, *, folder: str = FOLDER, patience: float = PATIENCE
) -> tuple[list[str], bytes, bytes]:
    """Ask the recorder what was logged about a request, by a line on standard error.

    Args:
        identifier: the request's UNIQUE_ID; by default that of the environment.
        folder: where the FIFO is made.
        patience: seconds after which to go on without an answer.

    Returns:
        What was logged, as `cgilab.exchanges.logged.lines_of` returns it, empty where there is no answer; what is to be
        written on standard error; and the whole response, empty where the recorder could not make it.
    """
    name = posix.environ.get(b"UNIQUE_ID", b"").decode("latin-1") if identifier is None else identifier
    path = f"{folder}/{name}"
    try:
        if not is_identifier(name):
            raise FileNotFoundError(name)
        _make(folder, path)
    except OSError:
        # Something else is in its place, or memory is used up. The line still says where the page's own lines begin.
        _write_question()
        return [], b"", b""
    try:
        fifo = posix.open(path, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_NOFOLLOW | posix.O_CLOEXEC)
        try:
            _write_question()
            told = parts(_read(fifo, patience))
        finally:
            posix.close(fifo)
    except OSError:
        told = []
    try:  # noqa: SIM105 - contextlib takes as long as all the rest
        posix.unlink(path)
    except OSError:
        pass  # a script has removed it
    words, response = told[1:3] if len(told) == PARTS else (b"", b"")
    return lines_of(told[0]) if told else [], words, response


def _make(folder: str, path: str) -> None:
    try:
        posix.mkfifo(path, 0o600)
    except FileNotFoundError:
        posix.mkdir(folder, 0o700)
        posix.mkfifo(path, 0o600)


def _write_question() -> None:
    posix.write(2, f"{QUESTION} {posix.getpid()}\n".encode())


def _read(fifo: int, patience: float) -> bytes:
    """Return what comes until the other side closes; where that takes too long, what has come by then."""
    poll = select.poll()
    poll.register(fifo, select.POLLIN)
    end = time.monotonic() + patience
    read = b""
    while len(read) < ANSWER_BYTES and poll.poll(max(0, int((end - time.monotonic()) * 1000))):
        block = posix.read(fifo, BLOCK_BYTES)
        if not block:
            break
        if not read:
            end += TIME_LIMIT
        read += block
    return read


def give(words: bytes, response: bytes) -> None:
    """Write what the recorder has answered, and end at once: what Python does at its end is not needed."""
    for stream, content in ((2, words), (1, response)):
        written = 0
        while written < len(content):
            written += posix.write(stream, content[written:])
    posix._exit(0)
