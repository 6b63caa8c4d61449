"""The recorder: httpd writes its logs into this program, and it keeps the record of each request.

httpd writes both logs into one pipe (``ErrorLog "|…"``), so the lines of a request come in their order, the access
log's last. Whatever is of use to a person goes on to standard output, which is what `docker compose logs` shows: one
line a request, and what went wrong.

It only sorts lines by their request and appends them to the store; reading them is left to whoever shows them. That
keeps it far cheaper than the requests: see docs/benchmarks.md.
"""

import fcntl
import os
import re
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from cgilab.exchanges import logged, store
from cgilab.exchanges.masking import mask
from cgilab.web.answering import Answers, prepare

READ_BYTES = 1 << 18
LINE_BYTES = 1 << 20

# Seconds in which lines gather once a request has ended. httpd writes each by itself, and where many requests come, to
# wake up for each line costs more than all that is done with it. Before the end nothing waits: a page behind a failure
# may ask.
PAUSE = 0.005

# The largest pipe that a user may ask for: room for what requests write while the recorder is being started again.
PIPE_BYTES = 1 << 20

# Requests under way at most, httpd's MaxRequestWorkers and some whose process was killed before it could log the end.
OPEN = 256

# What one request may log, so that a script that floods its standard error fills neither the memory nor the place of
# the headers: lines of trace, a hundred headers each of client, script and server; other lines, the first and the
# last; and bytes of either.
TRACE_LINES = 600
MESSAGES = 200
LAST_MESSAGES = 40
REQUEST_BYTES = 1_000_000

# Lines of the page behind a failure, which writes two, and more only where it is wrong itself.
KEPT_LINES = 20
# Of the number of its process (PID_MAX_LIMIT is 4194304).
PROCESS_DIGITS = 7

# What is left for the lines of a record beside its last one; no part of a line shorter than this can hold a torn one.
LINES_BYTES = store.RECORD_BYTES - 40_000
TORN_FROM = 4000

# Stands in a record after the time of the last line kept, in the form of httpd's own lines, where some of what was
# logged is not in it.
CUT = b"lab:warn cut: more was logged than is kept of one request"

# What mod_proxy_scgi says where a script has failed, and which says nothing more than httpd or the forkserver has said.
REPEATED = (b"proxy_scgi:error AH00860: ", b"proxy_scgi:error malformed header from script ")
FROM_FORKSERVER = logged.FROM_FORKSERVER.encode()

# Where in a line its module stands, behind `YYYY-MM-DD hh:mm:ss.ssssss `.
MODULE_AT = 27
# Its level ends before this.
LEVEL_WITHIN = 48

# The bytes with which the last line of a request starts: kept, or not (a request of the lab's own pages).
KEPT = b"="
NOT_KEPT = b"~"

# Two processes that write very long lines into a full pipe at once can tear them: one stands in the other. Such a line
# belongs to nobody. This is what the start of a line looks like, where none should be. A client can write the same into
# a header of its own, so the request whose line it may be is told.
TORN_NOTE = b"lab:warn torn: a line of this request held what looks like the start of another line, and was left out"
TORN = re.compile(rb"[\w@-]/\d+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} ")


class Recorder:
    """Sorts lines by request.

    Args:
        writer: where whole records go.
        people: where lines for people go.
        masked: False keeps secrets in the records.
        answers: answers pages behind failures.
    """

    def __init__(
        self, writer: store.Writer, people: BinaryIO, *, masked: bool = True, answers: Answers | None = None
    ) -> None:
        self._writer = writer
        self._people = people
        self._masked = masked
        self._answers = answers or Answers()
        self._open: dict[bytes, Request] = {}
        self._rest = b""

    def take(self, read: bytes) -> bool:
        """Take in what was read from httpd, which may end within a line.

        Returns:
            Whether a request has ended.
        """
        self._answers.reap()
        *lines, rest = (self._rest + read).split(b"\n")
        # httpd writes no longer line: somebody else has opened the pipe.
        self._rest = rest[-LINE_BYTES:]
        people = []
        has_ended = False
        for line in lines:
            key, _, text = line.partition(b" ")
            if key[:1] == KEPT:
                people.append(self._end(line))
                has_ended = True
            elif key[:1] == NOT_KEPT:
                self._open.pop(line[1:], None)
            else:
                request = self._open.get(key)
                if request is None:
                    request = self._open[key] = Request()
                if len(line) >= TORN_FROM and TORN.search(text):
                    request.torn(text)
                elif text.startswith(logged.FROM_PAGE, MODULE_AT):
                    people += self._from_page(request, key, text)
                elif not text.startswith(REPEATED, MODULE_AT) and request.add(text):
                    people.append(mask(text))
        for key in list(self._open)[:-OPEN] if len(self._open) > OPEN else ():
            del self._open[key]
        if people:
            self._people.write(b"\n".join(people) + b"\n")
            self._people.flush()
        return has_ended

    def _from_page(self, request: "Request", key: bytes, line: bytes) -> list[bytes]:
        """Take in a line of the page behind a failure, and answer its question; return what of it is for people."""
        words = line[MODULE_AT + len(logged.FROM_PAGE) :]
        question, _, page = words.rpartition(b" ")
        if question != logged.QUESTION.encode() or not page.isdigit() or len(page) > PROCESS_DIGITS:
            line = mask(line[:MODULE_AT] + logged.FROM_LAB + words)
            request.keep(line)
            return [line]
        self._answers.answer(key.partition(b"/")[0].decode("latin-1"), int(page), request.first, request.messages())
        request.keep(line[:MODULE_AT] + logged.FROM_LAB + question)
        return []

    def _end(self, line: bytes) -> bytes:
        """Write the record of a request whose last line this is; return its line for people."""
        request = self._open.pop(line[1:].partition(b"\t")[0], None)
        record = b"\n".join([*(request.record() if request else []), line])
        self._writer.append(mask(record) if self._masked else record)
        return mask(line.rpartition(b"\t")[2])


class Request:
    """What has been logged of a request under way."""

    __slots__ = ("_bytes_left", "_kept", "_last", "_lines", "_lines_left", "_torn", "_whole")

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        # What of messages came when their place was taken: the newest of it, since a traceback's last line says most.
        self._last: deque[bytes] = deque(maxlen=LAST_MESSAGES)
        self._kept = 0
        # By whether it is a message: neither kind takes the other's place.
        self._lines_left = {True: MESSAGES, False: TRACE_LINES}
        self._bytes_left = {True: REQUEST_BYTES, False: REQUEST_BYTES}
        self._whole = True
        self._torn = False

    def torn(self, text: bytes) -> None:
        """Note, once, that a line was left out."""
        if not self._torn:
            self._torn = True
            self._lines.append(b" ".join([*text.split(b" ", 2)[:2], TORN_NOTE]))

    def add(self, text: bytes) -> bool:
        """Keep a line, within the limits; return whether it is for people too."""
        message = is_message(text)
        self._lines_left[message] -= 1
        self._bytes_left[message] -= len(text)
        if self._lines_left[message] >= 0 and self._bytes_left[message] >= 0:
            self._lines.append(text)
        elif message:
            self._whole = self._whole and len(self._last) < LAST_MESSAGES
            self._last.append(text)
        else:
            self._whole = False
        return message

    def keep(self, text: bytes) -> None:
        """Keep a line whatever the limits, of which there are few."""
        if self._kept < KEPT_LINES:
            self._lines.append(text)
            self._kept += 1

    @property
    def first(self) -> bytes:
        """The date and the time of its first line; empty where there is none."""
        return self._lines[0][: MODULE_AT - 1] if self._lines else b""

    def messages(self) -> list[bytes]:
        """Return the lines that are no trace, and what the forkserver tells, without secrets."""
        lines = [*self._lines, *self._last]
        return [mask(line) for line in lines if is_message(line) or line.startswith(FROM_FORKSERVER, MODULE_AT)]

    def record(self) -> list[bytes]:
        """Return its lines. Long ones are shortened where all together would not fit into a record."""
        lines = [*self._lines, *self._last]
        if sum(map(len, lines)) + len(lines) > LINES_BYTES:
            share = LINES_BYTES // len(lines) - 1
            lines = [line[:share] for line in lines]
            self._whole = False
        if self._whole or not lines:
            return lines
        return [*lines, b" ".join([*lines[-1].split(b" ", 2)[:2], CUT])]


def is_message(line: bytes) -> bool:
    """Return whether a line is for people, and not one that tells what httpd does (LogLevel debug and trace)."""
    start = line[:LEVEL_WITHIN]
    return b":trace" not in start and b":debug" not in start


def main(environment: Mapping[str, str] = os.environ) -> None:
    """Record until httpd closes the pipe."""
    # httpd ends it by closing the pipe, after the last request; a signal would come before.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    fcntl.fcntl(sys.stdin.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    Path(logged.FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
    writer = store.Writer()
    if environment.get("RECORDER_HAD_ENDED"):
        writer.append(store.RESTARTED + str(time.time_ns() // 1000).encode())
    masked = environment.get("SHOW_SECRETS") != "1"
    recorder = Recorder(writer, sys.stdout.buffer, masked=masked, answers=Answers(prepare()))
    while read := os.read(sys.stdin.fileno(), READ_BYTES):
        if recorder.take(read):
            time.sleep(PAUSE)


if __name__ == "__main__":
    main()
