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
from collections.abc import Mapping
from typing import BinaryIO

from cgilab import store

READ_BYTES = 1 << 18

# The largest pipe that a user may ask for: room for what requests write while the recorder is being started again.
PIPE_BYTES = 1 << 20

# Requests under way at most, httpd's MaxRequestWorkers and some whose process was killed before it could log the end.
OPEN = 256

CUT = b"- - - - cut: more was logged than the store takes of one request"

# Lines of one request at most: a hundred headers each of client, script and server, and as many messages. A script
# that floods its standard error must not fill the memory.
LINES = 600

# The bytes with which the last line of a request starts: kept, or not (a request of the lab's own pages).
KEPT = b"="
NOT_KEPT = b"~"

# What is not to be seen by whoever looks over a shoulder, and where it can stand.
SECRET_HEADER = re.compile(
    rb"^(\S+ \S+ \S+ +(?:proxy-)?authorization: |\S+ \S+ \S+ +(?:set-)?cookie2?: ).+$", re.IGNORECASE | re.MULTILINE
)
SECRET_PARAMETER = re.compile(
    rb"((?:^|[?&;\t= \"])[\w.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key)[\w.-]*=)[^&;\s\"]+",
    re.IGNORECASE,
)
MASK = rb"\1(masked)"
HINTS = (b"authorization", b"cookie", b"pass", b"pwd", b"secret", b"token", b"api")


def mask(record: bytes) -> bytes:
    """Replace the values of headers and parameters that are secret by their nature."""
    lower = record.lower()
    if any(hint in lower for hint in HINTS):
        record = SECRET_HEADER.sub(MASK, record)
        record = SECRET_PARAMETER.sub(MASK, record)
    return record


class Recorder:
    """Sorts lines by request.

    Args:
        writer: where whole records go.
        people: where lines for people go.
        masked: False keeps secrets in the records.
    """

    def __init__(self, writer: store.Writer, people: BinaryIO, *, masked: bool = True) -> None:
        self._writer = writer
        self._people = people
        self._masked = masked
        self._open: dict[bytes, list[bytes]] = {}
        self._rest = b""

    def take(self, read: bytes) -> None:
        """Take in what was read from httpd, which may end within a line."""
        *lines, self._rest = (self._rest + read).split(b"\n")
        people = []
        for line in lines:
            key, _, text = line.partition(b" ")
            if key[:1] == KEPT:
                people.append(self._end(line))
            elif key[:1] == NOT_KEPT:
                self._open.pop(line[1:], None)
            else:
                kept = self._open.setdefault(key, [])
                if len(kept) < LINES:
                    kept.append(text)
                if b":trace" not in text[:48]:
                    people.append(mask(text))
        if len(self._open) > OPEN:
            for key in list(self._open)[:-OPEN]:
                del self._open[key]
        if people:
            self._people.write(b"\n".join(people) + b"\n")
            self._people.flush()

    def _end(self, line: bytes) -> bytes:
        """Write the record of a request whose last line this is; return its line for people."""
        lines = self._open.pop(line[1:].partition(b"\t")[0], [])
        size = sum(map(len, lines)) + len(lines) + len(line)
        while size > store.RECORD_BYTES and lines:
            size -= len(lines.pop()) + 1
            lines[-1:] = [CUT]
        record = b"\n".join([*lines, line])
        self._writer.append(mask(record) if self._masked else record)
        return mask(line.rpartition(b"\t")[2])


def main(environment: Mapping[str, str] = os.environ) -> None:
    """Record until httpd closes the pipe."""
    # httpd ends it by closing the pipe, after the last request; a signal would come before.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    fcntl.fcntl(sys.stdin.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    writer = store.Writer()
    if not writer.was_empty:
        writer.append(store.RESTARTED + str(time.time_ns() // 1000).encode())
    recorder = Recorder(writer, sys.stdout.buffer, masked=environment.get("SHOW_SECRETS") != "1")
    while read := os.read(sys.stdin.fileno(), READ_BYTES):
        recorder.take(read)


if __name__ == "__main__":
    main()
