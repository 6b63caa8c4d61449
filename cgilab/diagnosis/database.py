"""From a script to the database and back: what MariaDB or MySQL refuses, told by the number of the error.

The drivers write the same numbers, each in its own way. PyMySQL and mysqlclient: ``(1146, "Table 'lab.x' doesn't
exist")``, also inside a message of SQLAlchemy; mysql.connector: ``1146 (42S02): Table 'lab.x' doesn't exist``. The
numbers are listed at https://mariadb.com/docs/server/reference/error-codes.
"""

import re
from typing import NamedTuple

from cgilab.diagnosis.model import Evidence, Exhibit, Finding
from cgilab.diagnosis.network import LOCAL, is_beyond
from cgilab.diagnosis.observed import Traceback, own_frame, uncaught
from cgilab.diagnosis.running import place_of

# The classes of PEP 249, by which every driver calls its errors.
CLASSES = {
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
}
HAS_NUMBER = re.compile(r"Error[:)] \(?\d{4}\b")
PAIR = re.compile(r"""\((\d{4}), (("|').*?(?<!\\)\3)\)""", re.DOTALL)
NUMBERED = re.compile(r"(\d{4}) ?\(\w{5}\): (.*)|(\d{4}): (.*)", re.DOTALL)

# What stands behind a backslash in a text as Python writes it.
ESCAPED = re.compile(r"\\(.)")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "'": "'", '"': '"', "\\": "\\"}
# Characters of a message that are looked at: hostile ones would take long.
LONGEST = 2000

# The name of the database's server in the lab, and the file that holds the password of its account.
SERVER = "db"
PASSWORD_FILE = "/run/secrets/db_password"  # noqa: S105 - a path
SECRETS = "/run/secrets/"

START = "Start the lab with its database:  make wamp"
USE_ACCOUNT = f'The account of the services is lab, its password is in a file: Path("{PASSWORD_FILE}").read_text()'
BIND = 'Hand values over beside the SQL: cursor.execute("… WHERE age = %s", (age,))'

# Characters of a value that a sentence shows.
SHOWN = 60


class Refusal(NamedTuple):
    """An error of the database that ended a script.

    Attributes:
        number: MariaDB's.
        text: its words.
        place: where in the script, such as ``line 3 of web_05.py``.
        source: that line.
        exhibits: the evidence.
    """

    number: int
    text: str
    place: str
    source: str
    exhibits: list[Exhibit]

    def named(self, pattern: str) -> str:
        """Return what a group of a pattern finds in the words; empty where it finds nothing."""
        match = re.search(pattern, self.text)
        found = next(filter(None, match.groups()), "") if match else ""
        return f"{found[:SHOWN]}…" if len(found) > SHOWN else found

    def finding(self, words: str, *fix: str) -> Finding:
        """Return the finding whose sentence goes on with these words after the place in the script."""
        return Finding(f"{self.place[:1].upper()}{self.place[1:]} {words}", self.exhibits, fix)


def refusal(evidence: Evidence, *numbers: int) -> Refusal | None:
    """Return the error of the database that ended the script, if it has one of these numbers, or whichever it has."""
    if not any(HAS_NUMBER.search(line) for line in evidence.stderr):
        return None
    traceback = uncaught(evidence)
    if traceback is None or traceback.name not in CLASSES:
        return None
    number, text = _number_and_words(traceback.message)
    if number is None or (numbers and number not in numbers):
        return None
    return _at(evidence, traceback, number, text)


def _number_and_words(message: str) -> tuple[int | None, str]:
    message = message[:LONGEST]
    pair = PAIR.search(message)
    if pair:
        return int(pair[1]), ESCAPED.sub(lambda found: ESCAPES.get(found[1], found[0]), pair[2][1:-1])
    match = NUMBERED.match(message)
    if match:
        return int(match[1] or match[3]), match[2] or match[4]
    return None, ""


def _at(evidence: Evidence, traceback: Traceback, number: int, text: str) -> Refusal:
    place, exhibits = place_of(evidence, traceback)
    frame = own_frame(evidence, traceback)
    return Refusal(number, text, place, frame.source if frame else "", exhibits)


# --- The way to the database ---------------------------------------------------------------------


def not_made(evidence: Evidence) -> Finding | None:
    """The password's file is not there, for no database has made it."""
    traceback = uncaught(evidence)
    if traceback is None or traceback.name != "FileNotFoundError" or PASSWORD_FILE not in traceback.message:
        return None
    return _at(evidence, traceback, 0, "").finding(
        "reads the password of the database, and there is none: no database has been started yet.", START
    )


def _host(error: Refusal) -> str:
    """Return the host that was asked, in small letters; a path where it was asked by a socket."""
    return error.named(r"(?:on|host) '([^']*?)(?::\d+)?'|socket '([^']*)'").lower()


def absent(evidence: Evidence) -> Finding | None:
    """The database does not run."""
    error = refusal(evidence, 2002, 2003, 2005)
    if error is None or _host(error) not in {SERVER, ""}:
        return None
    reason = error.named(r".*\((.*)\)")
    return error.finding(
        f"asks the database, which does not run{f' ({reason})' if reason else ''}.",
        START,
        "Where it has just been started, ask once more; where it ended, its log says why:  docker compose logs db",
    )


def elsewhere(evidence: Evidence) -> Finding | None:
    """The database is asked for where it is not."""
    error = refusal(evidence, 2002, 2003, 2005)
    host = _host(error) if error else ""
    if error is None or host in {SERVER, ""} or is_beyond(host):
        return None
    where = " in the container of the script itself" if host in LOCAL or "/" in host else ""
    return error.finding(
        f"asks for a database at {host}{where}, where there is none: the lab's has the name {SERVER}.",
        f'Connect to it: host="{SERVER}"',
    )


def lost(evidence: Evidence) -> Finding | None:
    """The connection ended before the answer."""
    error = refusal(evidence, 2006, 2013, 2055, 1053, 1927)
    if error is None:
        return None
    if "timed out" in error.text:
        return error.finding(
            "asked the database, and got no answer in the time that it waits.",
            "Does the statement take long, or wait for a lock? See what is under way:  SHOW FULL PROCESSLIST",
            "Whether the database is well:  docker compose ps db",
        )
    too_much = ["Or was more sent at once than the database takes (max_allowed_packet)? Send large values in parts."]
    return error.finding(
        f"lost its connection to the database before it got an answer: {error.text}.",
        "Is it still running? Its log says why it ended:  docker compose logs db",
        START,
        *(too_much if re.search("pipe|reset", error.text) else []),
    )


def login(evidence: Evidence) -> Finding | None:
    """The database does not know the account, or not this password."""
    error = refusal(evidence, 1045, 1698)
    if error is None:
        return _password_of_root(evidence)
    account = error.named(r"user '([^']*)'")
    given = "without a password" if "using password: NO" in error.text else "with a password that is not the account's"
    if error.number == 1698:  # noqa: PLR2004 - MariaDB's number
        given = "and the database knows no such account, or not by a password"
    again = "The database gives the account this password whenever it starts:  docker compose --profile wamp restart db"
    return error.finding(
        f"logs in to the database as {account}, {given}.", USE_ACCOUNT, *([again] if account == "lab" else [])
    )


def _password_of_root(evidence: Evidence) -> Finding | None:
    traceback = uncaught(evidence)
    if traceback is None or traceback.name != "PermissionError" or SECRETS not in traceback.message:
        return None
    return _at(evidence, traceback, 0, "").finding("reads a password that is for the database alone.", USE_ACCOUNT)


def unknown(evidence: Evidence) -> Finding | None:
    """There is no database of that name, or none was named."""
    error = refusal(evidence, 1046, 1049)
    if error is None:
        return None
    name = error.named(r"database '([^']*)'")
    words = f"asks for the database {name}, which is not there." if name else "does not say which database it means."
    return error.finding(words, 'The lab\'s database is called lab: database="lab"')


def denied(evidence: Evidence) -> Finding | None:
    """The account may not do that."""
    error = refusal(evidence, 1044, 1142, 1143, 1227, 1370)
    if error is None:
        return None
    account = error.named(r"user '([^']*)'") or "its account"
    database = error.named(r"to database '([^']*)'")
    if database:
        return error.finding(
            f"asks as {account} for the database {database}, which is not there, or not for this account.",
            'The lab\'s database is called lab: database="lab"',
        )
    what = error.named(r"(\w[\w ,]*) command denied") or error.named(r"of\) the (.*?) privilege") or "that"
    name = error.named(r"for (?:table|column|routine) (.*)$")
    return error.finding(
        f"does in the database what {account} may not: {what}{f' on {_plain(name)}' if name else ''}.",
        "The account lab may do everything in the database lab, and nothing beside it.",
    )


def exhausted(evidence: Evidence) -> Finding | None:
    """All connections are taken."""
    error = refusal(evidence, 1040, 1203, 1226)
    if error is None:
        return None
    return error.finding(
        "asks the database for a connection, and all are taken.",
        "Close each when its work is done:  with connection: …",
        "See who holds them:  SHOW PROCESSLIST",
    )


# --- What is asked -------------------------------------------------------------------------------


def _plain(name: str) -> str:
    """Return a name without the marks in which MariaDB sets each part."""
    return name.replace("`", "").replace("'", "")


def table_missing(evidence: Evidence) -> Finding | None:
    """There is no such table."""
    error = refusal(evidence, 1146, 1051)
    if error is None:
        return None
    table = error.named(r"[Tt]able '([^']*)'")
    fix = ["See which there are, capital letters count:  SHOW TABLES"]
    if table == "lab.people":
        fix.append("docker/db/init/people.sql has made it with the database: run what is in that file.")
    return error.finding(f"asks for the table {table}, which is not there.", *fix)


def column_missing(evidence: Evidence) -> Finding | None:
    """There is no such column."""
    error = refusal(evidence, 1054)
    if error is None:
        return None
    column = error.named(r"column '([^']*)'")
    return error.finding(
        f"asks for the column {column}, which is not there.",
        "See which there are:  DESCRIBE table",
        f"Was {column} to be a value? Without quotes a word is a name. {BIND}",
    )


def syntax(evidence: Evidence) -> Finding | None:
    """It is no SQL."""
    error = refusal(evidence, 1064, 1065, 1149)
    if error is None:
        return None
    near = error.named(r"(?s)near '(.*)' at line").replace("\n", " ")
    # MariaDB's number for a query that is empty.
    where = f"goes wrong at: {near}" if near else "ends too early" if error.number != 1065 else "is empty"  # noqa: PLR2004
    return error.finding(
        f"sends SQL that {where}.",
        "Look at what stands right before it: a comma too many, a word misspelt? Was a value pasted into the SQL? "
        "A quote in it ends the text.",
        BIND,
    )


PLACEHOLDERS = {
    "not all arguments converted during string formatting": "more values than the SQL has places for them",
    "not enough arguments for format string": "fewer values than the SQL has places for them",
    "format requires a mapping": "a list of values, and the SQL has named places",
}


def placeholder(evidence: Evidence) -> Finding | None:
    """The driver finds no place for a value in the SQL."""
    traceback = uncaught(evidence)
    if traceback is None or traceback.name not in {"TypeError", "ValueError", "ProgrammingError"}:
        return None
    if not any(re.search(r"/(?:pymysql|MySQLdb|mysql/connector)/", frame.file) for frame in traceback.frames):
        return None
    counted = PLACEHOLDERS.get(traceback.message)
    if counted is None and not re.search("format character|a real number|be real number", traceback.message):
        return None
    found = _at(evidence, traceback, 0, "")
    fix = ["The place of a value is %s, without quotes, whatever its type; not ? and not %d."]
    if counted is None or "LIKE" in found.source.upper() or "fewer" in counted:
        fix.append("Where values are handed over, a % of the SQL itself is %%.")
    return found.finding(f"hands over {counted or 'values, and the SQL has a % that marks no place for one'}.", *fix)


# --- What is to be kept --------------------------------------------------------------------------


def _column(error: Refusal) -> str:
    return _plain(error.named(r"[Cc]olumn '([^']*)'|column ((?:`[^`]*`\.?)+)|Field '([^']*)'"))


def duplicate(evidence: Evidence) -> Finding | None:
    """A value is there already that may be there once."""
    error = refusal(evidence, 1062, 1586)
    if error is None:
        return None
    value, key = error.named(r"entry '(.*)' for key"), error.named(r"for key '(.*)'")
    return error.finding(
        f"adds a second row with {value}, and the key {key} allows one.",
        "Leave a column out that the database counts by itself (AUTO_INCREMENT).",
        "Or change the row that is there: INSERT … ON DUPLICATE KEY UPDATE …",
    )


def too_long(evidence: Evidence) -> Finding | None:
    """A value does not fit into its column, or not into what is sent at once."""
    error = refusal(evidence, 1406, 1153)
    if error is None:
        return None
    if error.number == 1153:  # noqa: PLR2004 - MariaDB's number
        return error.finding(
            "sends more at once than the database takes (max_allowed_packet).", "Send large values in parts."
        )
    return error.finding(
        f"gives the column {_column(error)} a value that is too long for it.",
        "Say so to the client before: len(text) counts as the column does, in characters.",
        "Or make room:  ALTER TABLE … MODIFY … VARCHAR(200)",
    )


def out_of_range(evidence: Evidence) -> Finding | None:
    """A number does not fit into its column."""
    error = refusal(evidence, 1264, 1690)
    if error is None:
        return None
    column = _column(error)
    return error.finding(
        f"gives {f'the column {column}' if column else 'a result'} a number that is too large or too small for it.",
        "Compare it with the column's type: TINYINT UNSIGNED holds 0 to 255, INT up to 2147483647.",
    )


def text_charset(evidence: Evidence) -> Finding | None:
    """A text has a character that its column cannot hold."""
    error = refusal(evidence, 1366, 1300)
    if error is None or not re.search("string value|character string", error.text):
        return None
    column, value = _column(error), error.named(r"(?:value|string): '([^']*)'")
    return error.finding(
        f"gives {f'the column {column}' if column else 'the database'} a character that its encoding does not have: "
        f"{value}.",
        "Give the table one that has all of Unicode:  ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4",
    )


def other_type(evidence: Evidence) -> Finding | None:
    """A value is of another type than its column."""
    error = refusal(evidence, 1366, 1292, 1265)
    if error is None:
        return None
    column = _column(error)
    kind, value = error.named(r"(?:Incorrect|Truncated incorrect) (\w+) value"), error.named(r"value: '([^']*)'")
    what = f"{value}, which is no {kind.lower()}" if value else "a value that is none of its type"
    return error.finding(
        f"gives {f'the column {column}' if column else 'a comparison'} {what}.",
        "Turn it into the type before, and tell the client where that cannot be: int(text), date.fromisoformat(text)",
    )


def value_missing(evidence: Evidence) -> Finding | None:
    """A column has to have a value, and got none."""
    error = refusal(evidence, 1048, 1364)
    if error is None:
        return None
    return error.finding(
        f"gives the column {_column(error)} no value, and it has to have one.",
        "None becomes NULL: look at where the value comes from. A parameter that the client did not send is None.",
    )


def foreign_key(evidence: Evidence) -> Finding | None:
    """A row refers to one that is not there, or is referred to."""
    error = refusal(evidence, 1216, 1217, 1451, 1452)
    if error is None:
        return None
    key, table = error.named(r"FOREIGN KEY \(([^)]*)\)"), error.named(r"REFERENCES `([^`]*)`")
    between = f" ({_plain(key)} refers to {table})" if key and table else ""
    if error.number in {1216, 1452}:
        return error.finding(
            f"adds a row that refers to one which is not there{between}.",
            f"Add the row of {table or 'the other table'} first.",
        )
    return error.finding(
        f"removes or changes a row to which others refer{between}.",
        "Remove those first, or say with the key what becomes of them: ON DELETE CASCADE, ON DELETE SET NULL",
    )


def lock_timeout(evidence: Evidence) -> Finding | None:
    """Another transaction keeps the row locked."""
    error = refusal(evidence, 1205)
    if error is None:
        return None
    return error.finding(
        "waited for a row that another transaction keeps locked, until the database gave it up.",
        "Does something change rows, and wait before its commit()? See what is under way:  SHOW FULL PROCESSLIST",
    )


def deadlock(evidence: Evidence) -> Finding | None:
    """Two transactions wait for each other."""
    error = refusal(evidence, 1213, 1020)
    if error is None:
        return None
    return error.finding(
        "changes rows that another transaction changes too, each waiting for the other: the database undid this one.",
        "Nothing of it was kept: start the transaction again, as the database says.",
        "It is met seldom where all transactions are short, and change rows in the same order.",
    )


def disk_full(evidence: Evidence) -> Finding | None:
    """There is no room left: for the database, or for the script itself."""
    error = refusal(evidence, 1021, 1026, 1030, 1114)
    if error is None:
        return _own_disk_full(evidence)
    if error.number in {1026, 1030} and "28" not in error.text and "space" not in error.text:
        return None
    table = error.named(r"table '([^']*)'")
    return error.finding(
        f"gives the database something to keep, and there is no room{f' in the table {table}' if table else ''}.",
        "Nothing that was kept is lost. See how much room Docker has:  docker system df",
        "Remove what is not needed: rows, or images and volumes of other projects.",
    )


def _own_disk_full(evidence: Evidence) -> Finding | None:
    traceback = uncaught(evidence)
    if traceback is None or "[Errno 28]" not in traceback.message:
        return None
    return _at(evidence, traceback, 0, "").finding(
        "writes a file, and there is no room for it.",
        "The folder for files, /tmp, has room for 64 MB of all services: remove what is done with (tempfile does).",
    )


def refused(evidence: Evidence) -> Finding | None:
    """The database refuses for another reason."""
    error = refusal(evidence)
    if error is None:
        return None
    return error.finding(
        f"asks the database for what it refuses: {error.text} (error {error.number}).",
        "The number leads to its description:  https://mariadb.com/docs/server/reference/error-codes",
    )
