r"""What httpd logged about a request that failed, handed to the page behind the failure while the request lasts.

The page makes a FIFO of the request's name in `FOLDER`, and writes `QUESTION` on its standard error. httpd logs that
line after all that it has logged about the request, under the page's own path, which no script has; so the recorder,
when it comes to that line, has everything, and writes it into the FIFO. Neither ever waits for the other for long.

The page is a CGI program that starts with each failure, so little is imported here.
"""

import os
import re
import select
import stat
import time
from collections.abc import Sequence
from contextlib import suppress

FOLDER = "/run/lab/failures"

# As httpd logs what the page writes to its standard error.
PAGE = "/usr/local/lib/cgi-lab/failure"
FROM_PAGE = f"cgi:error AH01215: stderr from {PAGE}: ".encode()

# The two lines that the page writes, and what stands in a record in place of the words before them.
QUESTION = "What was logged?"
EXPLAINED = "explained: "
FROM_LAB = b"lab:notice "

# mod_unique_id's alphabet, and room to spare: nothing in it leads out of the folder.
IDENTIFIER = re.compile(r"[A-Za-z0-9@_-]{1,64}")

# What a pipe holds where nobody has asked for more (pipe(7)).
ANSWER_BYTES = 65_536

# Seconds. The recorder answers in less than a hundredth of it; one that does not run never does.
PATIENCE = 0.5


def ask(identifier: str, *, folder: str = FOLDER, patience: float = PATIENCE) -> list[str]:
    """Ask the recorder what was logged about a request, by a line on standard error.

    Args:
        identifier: the request's UNIQUE_ID.
        folder: where the FIFO is made.
        patience: seconds after which to go on without an answer.

    Returns:
        The time of the first line (``DATE TIME``), then the messages, oldest first, each as
        ``DATE TIME MODULE:LEVEL MESSAGE`` and still escaped. Empty where there is no answer.
    """
    path = f"{folder}/{identifier}"
    try:
        if not IDENTIFIER.fullmatch(identifier):
            raise FileNotFoundError(identifier)
        if not os.path.isdir(folder):
            os.makedirs(folder, mode=0o700, exist_ok=True)
        os.mkfifo(path, 0o600)
    except OSError:
        # Something else is in its place, or memory is used up. The line still says where the page's own lines begin.
        _write_question()
        return []
    try:
        fifo = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            _write_question()
            answer = _read(fifo, patience)
        finally:
            os.close(fifo)
    except OSError:
        return []
    finally:
        with suppress(OSError):  # a script has removed it
            os.unlink(path)
    first, *newest_first = answer.decode("latin-1").split("\n")[:-1] or [""]
    return [first, *reversed(newest_first)] if first else []


def _write_question() -> None:
    os.write(2, f"{QUESTION}\n".encode())


def _read(fifo: int, patience: float) -> bytes:
    """Return what comes until the other side closes; where that takes too long, what has come by then."""
    poll = select.poll()
    poll.register(fifo, select.POLLIN)
    end = time.monotonic() + patience
    read = b""
    while len(read) <= ANSWER_BYTES and poll.poll(max(0, int((end - time.monotonic()) * 1000))):
        block = os.read(fifo, ANSWER_BYTES)
        if not block:
            break
        read += block
    return read


def answer(identifier: str, first: bytes, messages: Sequence[bytes], *, folder: str = FOLDER) -> None:
    """Tell the page what was logged; see `ask`. Nothing is made, nothing is waited for, and nothing is raised.

    Args:
        identifier: the request's UNIQUE_ID.
        first: the time of its first line.
        messages: the lines, oldest first. Where all do not fit, the last ones are told.
        folder: where the page has made its FIFO.
    """
    if not IDENTIFIER.fullmatch(identifier):
        return
    try:
        fifo = os.open(f"{folder}/{identifier}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return  # nobody reads
    try:
        if stat.S_ISFIFO(os.fstat(fifo).st_mode):
            # The newest first: a pipe may hold less than it should, and what is cut off then is what matters least.
            os.write(fifo, b"\n".join([first, *reversed(messages), b""])[:ANSWER_BYTES])
    except OSError:
        pass  # who asked is gone
    finally:
        os.close(fifo)
