"""Lines for httpd's log, as httpd itself writes them: the recorder takes in both alike.

    KEY DATE TIME MODULE:LEVEL MESSAGE

KEY is the request's UNIQUE_ID and the process of httpd that serves it; see ErrorLogFormat in httpd.conf.
"""

import os
import re
import select
import time
from contextlib import suppress

# Seconds for which a log may be full: the recorder reads many times a second.
PATIENCE = 1.0

# What mod_cgi reads of a line of a script's standard error at once (HUGE_STRING_LEN), without its zero byte.
LINE_BYTES = 8191

# Under which httpd logs what a script writes on its standard error.
STDERR = b"cgi:error AH01215: stderr from "

# ap_escape_errorlog_item in httpd's server/util.c, which leaves quotation marks as they are.
ESCAPED = re.compile(rb"[^ -\[\]-~]")
LETTERS = {8: b"\\b", 10: b"\\n", 13: b"\\r", 9: b"\\t", 11: b"\\v", 92: b"\\\\"}


def open_of(process: int) -> int:
    """Return a descriptor of the log into which a process of httpd writes: its standard error.

    Opened for each request, and not kept: each process of httpd writes into the log of its time, and at a reload httpd
    waits for the last writer of the one before.

    Raises:
        OSError: the process has ended.
    """
    return os.open(f"/proc/{process}/fd/2", os.O_WRONLY | os.O_NONBLOCK)


def write(descriptor: int, lines: bytes) -> None:
    """Write lines into a log; where nobody reads it for too long, or any more, they are lost."""
    with suppress(BrokenPipeError):
        while lines:
            try:
                lines = lines[os.write(descriptor, lines) :]
            except BlockingIOError:
                waiting = select.poll()
                waiting.register(descriptor, select.POLLOUT)
                if not waiting.poll(PATIENCE * 1000):
                    return


def line(key: bytes, text: bytes) -> bytes:
    """Return a line of the log, as of now.

    Args:
        key: whose it is.
        text: module, level and message, already escaped.
    """
    now = time.time_ns() // 1000
    date = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now // 1_000_000))
    return b"%b %b.%06d %b\n" % (key, date.encode(), now % 1_000_000, text)


def of_stderr(key: bytes, script: bytes, written: bytes) -> bytes:
    """Return the lines of the log for lines that a script has written on its standard error.

    As mod_cgi reads them: a carriage return at the end is no part of a line, and what follows a zero byte is lost.
    """
    start = STDERR + escaped(script) + b": "
    texts = []
    for one in written.removesuffix(b"\n").split(b"\n"):
        pieces = [one[place : place + LINE_BYTES] for place in range(0, len(one) or 1, LINE_BYTES)]
        texts += [piece.removesuffix(b"\r").partition(b"\0")[0] for piece in pieces]
    return b"".join(line(key, start + escaped(text)) for text in texts)


def escaped(text: bytes) -> bytes:
    r"""Return a text in which no character can break a line; `\xhh` stands for what has no letter."""
    return ESCAPED.sub(lambda match: LETTERS.get(match[0][0]) or b"\\x%02x" % match[0][0], text)
