"""The exchange store: the records of the last requests, in files of a folder in memory.

The recorder writes it and everything else reads it. A record is appended in one write and never changed; whole files
go when there are too many. So a reader needs no lock, and a recorder that was killed leaves all that it had written.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDER = Path("/run/lab/exchanges")

# The promise: the last 500 exchanges, and at most 16 MB.
EXCHANGES = 500
BYTES = 16_000_000

# Files are what is removed at once. One is full at 50 records or 1 MB; eleven of them hold 500 records at least, unless
# these are large, and 11 MB at most.
FILE_EXCHANGES = 50
FILE_BYTES = 1_000_000
FILES = EXCHANGES // FILE_EXCHANGES + 1
RECORD_BYTES = 250_000

# A line that is none of a record: the recorder was started again by docker/web/recorder, so it had ended before its
# time, and what it had not yet written is lost. Followed by the time in microseconds since 1970.
RESTARTED = b"!restarted "

END = b"\n\n"


class Writer:
    """Appends records, and removes old ones.

    Args:
        folder: made if it is not there. Files of an earlier writer are kept and counted.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._names = sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal())
        self._open()

    def append(self, record: bytes) -> None:
        """Append one record, or a line that is none; it must not hold an empty line."""
        if self._records >= FILE_EXCHANGES or self._bytes + len(record) > FILE_BYTES:
            self._file.close()
            self._open()
        try:
            self._file.write(record + END)
        except OSError:
            # The memory for it is full: the oldest file makes room. What still does not fit is lost, not the recorder.
            self._remove_oldest()
            with suppress(OSError):
                self._file.write(END + record + END)
        self._records += 1
        self._bytes += len(record) + len(END)

    def close(self) -> None:
        """Close the file that is being written; what is in it stays."""
        self._file.close()

    def _open(self) -> None:
        self._names.append(self._names[-1] + 1 if self._names else 1)
        self._file = (self._folder / str(self._names[-1])).open("ab", buffering=0)
        self._records = 0
        self._bytes = 0
        while len(self._names) > FILES:
            self._remove_oldest()

    def _remove_oldest(self) -> None:
        if len(self._names) > 1:
            (self._folder / str(self._names.pop(0))).unlink(missing_ok=True)


def records(folder: Path = FOLDER) -> list[bytes]:
    """Return the last records, oldest first, at most `EXCHANGES` of them; lines that are none count for nothing."""
    found = list(_all(folder))
    whole = [number for number, record in enumerate(found) if not record.startswith(RESTARTED)]
    return found[whole[-EXCHANGES] :] if len(whole) > EXCHANGES else found


def _all(folder: Path) -> Iterator[bytes]:
    names = sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal()) if folder.is_dir() else []
    for name in names:
        try:
            content = (folder / str(name)).read_bytes()
        except FileNotFoundError:
            continue  # removed since the folder was listed
        *whole, _unfinished = content.split(END)
        yield from filter(None, whole)
