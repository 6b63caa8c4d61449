"""Work with the database: password, shell, dumps and snapshots."""

import argparse
import sys
from pathlib import Path

from cgilab.errors import LabError
from cgilab.project.database import Database
from cgilab.project.lab import Lab


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab db ACTION`."""
    actions = parser.add_subparsers(title="actions", dest="action", required=True, metavar="ACTION")
    password = actions.add_parser("password", help="show account and password, and where they hold")
    password.add_argument("--root", action="store_true", help="those of the administrator")
    actions.add_parser("shell", help="open MariaDB's client as the administrator, or run standard input in it")
    dump = actions.add_parser("dump", help="write the database into a file as statements")
    dump.add_argument("file", type=Path, metavar="FILE", help="packed where it ends with .gz")
    restore = actions.add_parser("restore", help="put a dump in the place of the database")
    restore.add_argument("file", type=Path, metavar="FILE", help="the dump, packed by gzip or not")
    snapshot = actions.add_parser("snapshot", help="keep the database as it is now, in its own volume")
    snapshot.add_argument("name", nargs="?", default="", metavar="NAME", help="by default the time")
    snapshot.add_argument("--remove", action="store_true", help="remove the snapshot NAME instead")
    actions.add_parser("snapshots", help="list the snapshots")
    rollback = actions.add_parser("rollback", help="put a snapshot in the place of the database")
    rollback.add_argument("name", metavar="NAME", help="the snapshot")


def run(arguments: argparse.Namespace) -> int:
    """Do it; the exit code is 0 where it succeeded."""
    if getattr(arguments, "file", None) == Path():
        raise LabError("No file is named.", f"For example:  make db-{arguments.action} FILE=lab.sql")
    database = Database(Lab())
    if arguments.action == "shell":
        return 0 if database.shell(sys.stdin) else 1
    if arguments.action == "password":
        show_password(database, "root" if arguments.root else "lab")
    elif arguments.action == "snapshots":
        show_snapshots(database)
    elif arguments.action == "dump":
        size = database.dump(arguments.file)
        print(f"db: {arguments.file} holds the database, {readable(size)}")
    elif arguments.action == "restore":
        kept = database.restore(arguments.file)
        print(f"db: the database is that of {arguments.file}; what was there is the snapshot {kept}")
    elif arguments.action == "rollback":
        kept = database.rollback(arguments.name)
        print(f"db: the database is that of the snapshot {arguments.name}; what was there is the snapshot {kept}")
    elif arguments.remove:
        database.forget(arguments.name)
        print(f"db: removed the snapshot {arguments.name}")
    else:
        print(f"db: made the snapshot {database.snapshot(arguments.name)}")
    return 0


def show_password(database: Database, account: str) -> None:
    """Print an account, its password, and the addresses at which it holds."""
    port = database.published()
    print(f"account   {account}")
    print(f"password  {database.password(account)}")
    print("schema    lab" if account == "lab" else "schema    all")
    print("host      db, port 3306, in services and in PHP pages")
    print(
        f"          127.0.0.1, port {port}, on this machine"
        if port
        else "          nowhere else; to reach it from this machine too:  make wamp DB_PORT=3306"
    )


def show_snapshots(database: Database) -> None:
    """Print name, time and size of each snapshot."""
    snapshots = database.snapshots()
    if not snapshots:
        print("db: there is no snapshot; to make one:  make db-snapshot NAME=before-lesson-3")
    width = max((len(snapshot.name) for snapshot in snapshots), default=0)
    for name, made, size in snapshots:
        print(f"{name:{width}}  {made:%Y-%m-%d %H:%M:%S}  {readable(size)}")


def readable(size: int) -> str:
    """Return a number of bytes as people read it, such as ``1.5 MB``."""
    number = float(size)
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:  # noqa: PLR2004 - the units are decimal
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
