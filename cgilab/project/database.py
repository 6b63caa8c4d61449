"""The database of a running lab: its passwords, dumps and snapshots."""

import gzip
import os
import re
import tempfile
import zlib
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple, cast

from cgilab.errors import LabError
from cgilab.project.lab import DB, Lab
from cgilab.project.started import refuse_another_folder, starts_with

SCHEMA = "lab"
PORT = "3306/tcp"

# The accounts, and the file in the container of the database that holds each one's password.
PASSWORDS = {"lab": "/run/secrets/db_password", "root": "/run/secrets/db_root_password"}

PROGRAMS = "/usr/local/lib/cgi-lab"
SNAPSHOTS = "/var/lib/mysql/snapshots"

# What a snapshot may be called: the name of its file, on any system.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

# How dumps start and end, by mariadb-dump and by mysqldump. The first line of newer ones is for the client.
DUMP = re.compile(rb"(/\*M!999999[^\n]*\n)?-- (MariaDB|MySQL) dump ")
END = re.compile(rb"\n-- Dump completed[^\n]*\n*\Z")
# More than the line at either end.
LINE = 400

GZIP = b"\x1f\x8b"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
BLOCK = 1 << 20


class Snapshot(NamedTuple):
    """A dump that is kept in the database's volume.

    Attributes:
        name: what it is called.
        made: when, in the time zone of this machine.
        size: of its file, in bytes.
    """

    name: str
    made: datetime
    size: int


class Database:
    """The database of a lab, which has to run.

    Args:
        lab: the lab.

    Raises:
        LabError: its database does not run, or is that of another folder.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        container = lab.container(DB)
        if container is None or not container["State"]["Running"]:
            raise LabError("The database is down.", f"Type:  {starts_with(DB, container)}")
        refuse_another_folder({DB: container})
        self._container = container

    def password(self, account: str) -> str:
        """Return the password of an account: ``lab`` or ``root``."""
        return self._run("cat", PASSWORDS[account])

    def published(self) -> str | None:
        """Return the port of this machine at which the database answers too; None where it does not."""
        bindings = self._container["NetworkSettings"]["Ports"].get(PORT)
        return bindings[0]["HostPort"] if bindings else None

    def shell(self, statements: IO[str]) -> bool:
        """Let the user talk to the client program of MariaDB, as the administrator of the database.

        Args:
            statements: a terminal, or a file of statements.

        Returns:
            Whether the client succeeded; if not, it has said why.
        """
        terminal = [] if statements.isatty() else ["--no-TTY"]
        try:
            self._lab.compose("exec", *terminal, DB, "mariadb", SCHEMA, watched=True, given=statements)
        except LabError:
            return False
        return True

    def dump(self, path: Path) -> int:
        """Write the database as statements into a file, which gets its name when it is whole, and its owner's rights.

        Args:
            path: a file that is not there yet; it is packed where its name ends with ``.gz``.

        Returns:
            Its size in bytes.

        Raises:
            LabError: it is there already, or cannot be written, or the database cannot be dumped; nothing is left.
        """
        # Path.exists() fails where the folder may not be entered; to write there then fails with a reason.
        if os.path.lexists(path):
            raise LabError(f"{path} is there already, and stays as it is.", "Choose another name.")
        pack = ["--gzip"] if path.suffix == ".gz" else []
        try:
            descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    self._lab.compose("exec", "--no-TTY", DB, f"{PROGRAMS}/dump", *pack, into=file)
                    os.fsync(file.fileno())
                _refuse_part(Path(name))
                Path(name).replace(path)
            finally:
                with suppress(FileNotFoundError):
                    Path(name).unlink()
        except OSError as error:
            raise LabError(f"{path} cannot be written: {error.strerror}.") from None
        except LabError as error:
            raise LabError("The database cannot be dumped.", *error.fix) from None
        return path.stat().st_size

    def restore(self, path: Path) -> str:
        """Put a dump in the place of the database, once it is loaded beside it and known to be whole.

        Args:
            path: the dump, packed by gzip or not.

        Returns:
            The name of the snapshot that holds what was there.

        Raises:
            LabError: it is no dump, or not whole, or cannot be loaded; what was there is there still.
        """
        refuse_no_dump(path)
        kept = f"before-restore-{_now()}"
        with path.open("rb") as file:
            self._restore(str(path), kept, given=file)
        return kept

    def snapshot(self, name: str = "") -> str:
        """Keep the database as it is now, in its own volume.

        Args:
            name: what to call it; by default the time.

        Returns:
            Its name.

        Raises:
            LabError: it cannot be called that, or there is one of that name.
        """
        name = name or _now()
        _refuse_name(name)
        try:
            self._run(f"{PROGRAMS}/snapshot", name)
        except LabError as error:
            raise LabError("There is no new snapshot.", *error.fix) from None
        return name

    def snapshots(self) -> list[Snapshot]:
        """Return all snapshots, the oldest first."""
        listing = self._run("find", SNAPSHOTS, "-name", "*.sql.gz", "-printf", r"%T@ %s %f\n")
        rows = [line.split(" ", 2) for line in sorted(listing.splitlines())]
        return [
            Snapshot(file.removesuffix(".sql.gz"), datetime.fromtimestamp(float(made)).astimezone(), int(size))
            for made, size, file in rows
        ]

    def rollback(self, name: str) -> str:
        """Put a snapshot in the place of the database.

        Returns:
            The name of the snapshot that holds what was there.

        Raises:
            LabError: there is none of that name, or it cannot be loaded; what was there is there still.
        """
        self._refuse_unknown(name)
        kept = f"before-rollback-{_now()}"
        self._restore(name, kept, name)
        return kept

    def forget(self, name: str) -> None:
        """Remove a snapshot.

        Raises:
            LabError: there is none of that name.
        """
        self._refuse_unknown(name)
        self._run("rm", f"{SNAPSHOTS}/{name}.sql.gz")

    def _refuse_unknown(self, name: str) -> None:
        if name not in {snapshot.name for snapshot in self.snapshots()}:
            raise LabError(f"There is no snapshot {name!r}.", "To see those that there are:  make db-snapshots")

    def _restore(self, what: str, *arguments: str, given: IO[bytes] | str = "") -> None:
        try:
            self._lab.compose("exec", "--no-TTY", DB, f"{PROGRAMS}/restore", *arguments, given=given)
        except LabError as error:
            raise LabError(f"{what} is not restored.", *error.fix) from None

    def _run(self, *command: str) -> str:
        return self._lab.execute(*command, server=DB)


def refuse_no_dump(path: Path) -> None:
    """Raise an error that says what is wrong with a file that does not start as a dump does."""
    try:
        with _opened(path) as file:
            start = file.read(LINE)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise LabError(f"{path} cannot be read: {reason}.") from None
    if not start:
        raise LabError(f"{path} is empty, so there is nothing to restore.")
    if start.startswith(UTF_16):
        raise LabError(
            f"{path} is UTF-16, as PowerShell's > writes it, and no dump any more.",
            "Type:  py -m cgilab db dump FILE   which writes the file itself",
        )
    if not DUMP.match(start):
        raise LabError(
            f"{path} is no dump: it does not begin as mariadb-dump and mysqldump do.",
            f"To run its statements in the database all the same:  python3 -m cgilab db shell < {path}",
        )


def _refuse_part(path: Path) -> None:
    """Raise an error where a dump is not whole."""
    tail = b""
    try:
        with _opened(path) as file:
            while block := file.read(BLOCK):
                tail = (tail + block)[-LINE:]
    except (EOFError, gzip.BadGzipFile, zlib.error):
        tail = b""
    if not END.search(tail):
        raise LabError("", "What Docker handed over is not whole.")


def _opened(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacked where it is packed."""
    file = path.open("rb")
    if file.peek(len(GZIP)).startswith(GZIP):
        file.close()
        return cast("IO[bytes]", gzip.open(path))
    return file


def _refuse_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise LabError(
            f"{name!r} cannot be a snapshot's name: it takes letters a to z, digits, dots, dashes and underscores.",
            "For example:  make db-snapshot NAME=before-lesson-3",
        )


def _now() -> str:
    """Return the time to the millisecond, as a name."""
    return datetime.now().astimezone().strftime("%Y%m%d-%H%M%S.%f")[:-3]
