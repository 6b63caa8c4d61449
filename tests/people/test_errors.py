"""What the page behind a failure says where the database refuses: each cause met for real, with its mend."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import pytest
import requests

from tests.people.conftest import Database, say
from tests.support.recorded import recorded
from tests.support.running_lab import RunningLab
from tests.support.wait import wait_until

PROBLEM = "application/problem+json"

START = "Start the lab with its database:  make wamp"
ACCOUNT = 'The account of the services is lab, its password is in a file: Path("/run/secrets/db_password").read_text()'
BIND = 'Hand values over beside the SQL: cursor.execute("… WHERE age = %s", (age,))'
LOOK_BEFORE = (
    "Look at what stands right before it: a comma too many, a word misspelt? Was a value pasted into the SQL? "
    "A quote in it ends the text."
)
OPEN = ["Open the lab:  OUTSIDE=1 make up", "With database and PHP:  OUTSIDE=1 make wamp"]
TO_LAB = 'The lab\'s database is called lab: database="lab"'


class Told(NamedTuple):
    """What the page tells.

    Attributes:
        cause: its name.
        sentence: the whole of it, or what follows the place in the script.
        fix: the lines of the mend.
    """

    cause: str
    sentence: str
    fix: list[str]

    def at(self, place: str) -> "Told":
        """Return what is told with a place in a script before the sentence."""
        return self._replace(sentence=f"{place} {self.sentence}")


class Case(NamedTuple):
    """What is asked, and what is to be told of it."""

    asked: str
    told: Told


def case(asked: str, cause: str, words: str, fix: list[str], name: str) -> Any:
    """Return a row of a table of tests."""
    return pytest.param(Case(asked, Told(cause, words, fix)), id=name)


# The beginning of each script that asks by itself; line 7 is the first of what a test adds.
HEAD = """\
#!/usr/bin/env python3
import pymysql
with open("/run/secrets/db_password") as file:
    account = {"host": "db", "user": "lab", "password": file.read(), "database": "lab"}
connection = pymysql.connect(**account, autocommit=True, read_timeout=8)
cursor = connection.cursor()
"""


@pytest.fixture
def script(wamp: RunningLab, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The path of a service for a test to write; removed at the end."""
    path = wamp.cgi_bin / f"{request.node.originalname}.py"
    yield path
    path.unlink(missing_ok=True)


def write(script: Path, text: str, head: str = HEAD) -> str:
    """Write a service, and return the path of its URL."""
    script.write_text(head + dedent(text), encoding="utf-8")
    script.chmod(0o755)
    return f"/cgi-bin/{script.name}"


def problem(lab: RunningLab, path: str, form: Mapping[str, str] | None = None) -> Told:
    """Ask for a service that has to fail, and return what the page tells."""
    method = "POST" if form else "GET"
    answer = requests.request(method, f"{lab.url}{path}", data=form, headers={"Accept": PROBLEM}, timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, PROBLEM)
    told: dict[str, Any] = answer.json()
    return Told(told["cause"], told["detail"], told["fix"])


def line_of(lab: RunningLab, text: str, script: str = "web_05.py") -> str:
    """Return how a sentence names the one line of a script that holds a text."""
    lines = (lab.cgi_bin / script).read_text(encoding="utf-8").splitlines()
    (number,) = (number for number, line in enumerate(lines, start=1) if text in line)
    return f"Line {number} of {script}"


AGAIN = "The database gives the account this password whenever it starts:  docker compose --profile wamp restart db"
WEB_05 = "/cgi-bin/web_05.py"
HOPPER = {"last_name": "Hopper", "first_name": "Grace", "age": "85"}


# --- The way to the database ---------------------------------------------------------------------


@contextmanager
def without_password(database: Database, instead: str | None = None) -> Iterator[None]:
    """Take the password's file away, and put another text in its place; back at the end."""
    execute = database.lab.compose.execute
    execute("mv", "/run/secrets/db_password", "/run/secrets/db_password.kept", server="db")
    try:
        if instead is not None:
            execute("tee", "/run/secrets/db_password", given=instead, server="db")
            execute("chmod", "0640", "/run/secrets/db_password", server="db")
        yield
    finally:
        execute("mv", "/run/secrets/db_password.kept", "/run/secrets/db_password", server="db")


def test_no_database_has_been_started(wamp: RunningLab, database: Database) -> None:
    with without_password(database):
        told = problem(wamp, WEB_05)

    assert told == Told(
        "database-not-made",
        "reads the password of the database, and there is none: no database has been started yet.",
        [START],
    ).at(line_of(wamp, "db_password"))


def test_the_password_is_empty(wamp: RunningLab, database: Database) -> None:
    with without_password(database, ""):
        told = problem(wamp, WEB_05)

    assert told == Told(
        "database-login",
        "logs in to the database as lab, without a password.",
        [ACCOUNT, AGAIN],
    ).at(line_of(wamp, "pymysql.connect"))


def test_the_password_is_another(wamp: RunningLab, spoilt: Database) -> None:
    spoilt.run("ALTER USER lab@'%' IDENTIFIED BY 'another'")

    assert problem(wamp, WEB_05) == Told(
        "database-login",
        "logs in to the database as lab, with a password that is not the account's.",
        [ACCOUNT, AGAIN],
    ).at(line_of(wamp, "pymysql.connect"))


def test_the_database_has_ended(wamp: RunningLab, database: Database) -> None:
    assert database.run("SELECT 1") == ["1"]
    wamp.compose.compose("stop", "db")
    try:
        told = problem(wamp, WEB_05)
    finally:
        wamp.compose.start()

    assert told == Told(
        "database-absent",
        "asks the database, which does not run ([Errno -3] Temporary failure in name resolution).",
        [
            START,
            "Where it has just been started, ask once more; where it ended, its log says why:  docker compose logs db",
        ],
    ).at(line_of(wamp, "pymysql.connect"))


def test_the_database_does_not_answer(wamp: RunningLab, database: Database) -> None:
    database.container.pause()
    try:
        told = problem(wamp, WEB_05)
    finally:
        database.container.unpause()

    assert told == Told(
        "database-lost",
        "asked the database, and got no answer in the time that it waits.",
        [
            "Does the statement take long, or wait for a lock? See what is under way:  SHOW FULL PROCESSLIST",
            "Whether the database is well:  docker compose ps db",
        ],
    ).at(line_of(wamp, "pymysql.connect"))


ON_THE_WAY = [
    case(
        'pymysql.connect(host="localhost", user="lab", password="hunter2")',
        "database-elsewhere",
        "asks for a database at localhost in the container of the script itself, where there is none: "
        "the lab's has the name db.",
        ['Connect to it: host="db"'],
        name="on localhost",
    ),
    case(
        'pymysql.connect(host="mariadb", user="lab", password="hunter2")',
        "database-elsewhere",
        "asks for a database at mariadb, where there is none: the lab's has the name db.",
        ['Connect to it: host="db"'],
        name="by another name",
    ),
    case(
        'pymysql.connect(host="db.example.com", user="lab", password="hunter2")',
        "outside-closed",
        "asks db.example.com, whose name cannot be looked up: the lab lets no service reach other machines "
        "unless it is told to.",
        OPEN,
        name="beyond the lab",
    ),
    case(
        'pymysql.connect(host="db", user="root", password="hunter2")',
        "database-login",
        "logs in to the database as root, with a password that is not the account's.",
        [ACCOUNT],
        name="as root",
    ),
    case(
        'pymysql.connect(host="db", user="serge", password="hunter2")',
        "database-login",
        "logs in to the database as serge, and the database knows no such account, or not by a password.",
        [ACCOUNT],
        name="as somebody unknown",
    ),
    case(
        'pymysql.connect(**{**account, "database": "shop"})',
        "database-denied",
        "asks as lab for the database shop, which is not there, or not for this account.",
        [TO_LAB],
        name="another database",
    ),
    case(
        'open("/run/secrets/db_root_password").read()',
        "database-login",
        "reads a password that is for the database alone.",
        [ACCOUNT],
        name="the password of root",
    ),
    case(
        "[pymysql.connect(**account) for number in range(200)]",
        "connections-exhausted",
        "asks the database for a connection, and all are taken.",
        ["Close each when its work is done:  with connection: …", "See who holds them:  SHOW PROCESSLIST"],
        name="too many connections",
    ),
    case(
        'cursor.execute("KILL CONNECTION_ID()")',
        "database-lost",
        "lost its connection to the database before it got an answer: Connection was killed.",
        ["Is it still running? Its log says why it ended:  docker compose logs db", START],
        name="ended by somebody",
    ),
    case(
        'import socket; socket.create_connection(("192.0.2.1", 80), timeout=1)',
        "outside-closed",
        "asks 192.0.2.1, which cannot be reached: the lab lets no service reach other machines unless it is told to.",
        OPEN,
        name="an address beyond the lab",
    ),
    case(
        'from urllib.request import urlopen; urlopen("https://www.example.com:8443/prices?q=1")',
        "outside-closed",
        "asks www.example.com, whose name cannot be looked up: the lab lets no service reach other machines "
        "unless it is told to.",
        OPEN,
        name="a page beyond the lab",
    ),
    case(
        "from urllib.request import urlopen; urlopen(''.join(['http:', '//a.example/']))",
        "outside-closed",
        "asks a machine beyond the lab, whose name cannot be looked up: the lab lets no service reach other machines "
        "unless it is told to.",
        OPEN,
        name="a name that the line does not tell",
    ),
    case(
        'import socket; socket.create_connection(("mysql", 3306))',
        "network-refused",
        "connects to where nobody answers it: gaierror: [Errno -3] Temporary failure in name resolution.",
        ["No server of the lab has this name: the database's is db, and localhost is the container itself."],
        name="a name that no server of the lab has",
    ),
]


@pytest.mark.parametrize("case", ON_THE_WAY)
@pytest.mark.usefixtures("database")
def test_on_the_way(wamp: RunningLab, script: Path, case: Case) -> None:
    assert problem(wamp, write(script, f"{case.asked}\n")) == case.told.at(f"Line 7 of {script.name}")


# --- What is asked -------------------------------------------------------------------------------


def test_the_table_is_not_there(wamp: RunningLab, spoilt: Database) -> None:
    spoilt.run("RENAME TABLE people TO others")

    assert problem(wamp, WEB_05) == Told(
        "table-missing",
        "asks for the table lab.people, which is not there.",
        [
            "See which there are, capital letters count:  SHOW TABLES",
            "docker/db/init/people.sql has made it with the database: run what is in that file.",
        ],
    ).at(line_of(wamp, "cursor.execute(FIND"))


def test_the_column_is_not_there(wamp: RunningLab, spoilt: Database) -> None:
    spoilt.run("ALTER TABLE people RENAME COLUMN age TO years")

    assert problem(wamp, WEB_05) == Told(
        "column-missing",
        "asks for the column age, which is not there.",
        ["See which there are:  DESCRIBE table", f"Was age to be a value? Without quotes a word is a name. {BIND}"],
    ).at(line_of(wamp, "cursor.execute(FIND"))


SPOILT_COLUMNS = [
    case(
        "ALTER TABLE people MODIFY last_name VARCHAR(11) NOT NULL",
        "data-too-long",
        "gives the column last_name a value that is too long for it.",
        [
            "Say so to the client before: len(text) counts as the column does, in characters.",
            "Or make room:  ALTER TABLE … MODIFY … VARCHAR(200)",
        ],
        name="too long",
    ),
    case(
        "ALTER TABLE people MODIFY age TINYINT NOT NULL",
        "out-of-range",
        "gives the column age a number that is too large or too small for it.",
        ["Compare it with the column's type: TINYINT UNSIGNED holds 0 to 255, INT up to 2147483647."],
        name="out of range",
    ),
    case(
        "ALTER TABLE people CONVERT TO CHARACTER SET latin1",
        "text-charset",
        r"gives the column lab.people.first_name a character that its encoding does not have: \xF0\x9F\x90\x98.",
        ["Give the table one that has all of Unicode:  ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4"],
        name="an encoding without emoji",
    ),
    case(
        "DELETE FROM people; ALTER TABLE people MODIFY age DATE",
        "value-type",
        "gives the column lab.people.age 150, which is no date.",
        ["Turn it into the type before, and tell the client where that cannot be: int(text), date.fromisoformat(text)"],
        name="another type",
    ),
    case(
        "ALTER TABLE people ADD COLUMN town VARCHAR(10) NOT NULL",
        "value-missing",
        "gives the column town no value, and it has to have one.",
        ["None becomes NULL: look at where the value comes from. A parameter that the client did not send is None."],
        name="a column more",
    ),
    case(
        "UPDATE people SET last_name = 'Quinn-Harley' WHERE id = 1; ALTER TABLE people ADD UNIQUE (last_name)",
        "duplicate-key",
        "adds a second row with Quinn-Harley, and the key last_name_2 allows one.",
        [
            "Leave a column out that the database counts by itself (AUTO_INCREMENT).",
            "Or change the row that is there: INSERT … ON DUPLICATE KEY UPDATE …",
        ],
        name="a name that is there",
    ),
]


@pytest.mark.parametrize("case", SPOILT_COLUMNS)
def test_the_column_does_not_take_it(wamp: RunningLab, spoilt: Database, case: Case) -> None:
    spoilt.run(case.asked)
    form = {"last_name": "Quinn-Harley", "first_name": "\U0001f418", "age": "150"}

    assert problem(wamp, WEB_05, form) == case.told.at(line_of(wamp, "(ADD"))


ASKED = [
    case(
        """name = "O'Neill"; cursor.execute(f"SELECT age FROM people WHERE last_name = '{name}'")""",
        "sql-syntax",
        "sends SQL that goes wrong at: Neill'.",
        [
            LOOK_BEFORE,
            BIND,
        ],
        name="a value pasted in",
    ),
    case(
        'cursor.execute("SELECT age FROM people WHERE id = ?", (1,))',
        "sql-placeholder",
        "hands over more values than the SQL has places for them.",
        ["The place of a value is %s, without quotes, whatever its type; not ? and not %d."],
        name="a question mark",
    ),
    case(
        """cursor.execute("SELECT age FROM people WHERE last_name LIKE '%e' AND id = %s", (1,))""",
        "sql-placeholder",
        "hands over values, and the SQL has a % that marks no place for one.",
        [
            "The place of a value is %s, without quotes, whatever its type; not ? and not %d.",
            "Where values are handed over, a % of the SQL itself is %%.",
        ],
        name="a percent sign",
    ),
    case(
        'cursor.execute("SELECT * FROM mysql.user")',
        "database-denied",
        "does in the database what lab may not: SELECT on mysql.user.",
        ["The account lab may do everything in the database lab, and nothing beside it."],
        name="a table of others",
    ),
    case(
        'cursor.execute("CREATE USER serge")',
        "database-denied",
        "does in the database what its account may not: CREATE USER.",
        ["The account lab may do everything in the database lab, and nothing beside it."],
        name="an account more",
    ),
    case(
        'cursor.execute("INSERT INTO people VALUES (NULL, %s, %s, %s)", (None, 1, 1))',
        "value-missing",
        "gives the column last_name no value, and it has to have one.",
        ["None becomes NULL: look at where the value comes from. A parameter that the client did not send is None."],
        name="None",
    ),
    case(
        'cursor.execute("CREATE TEMPORARY TABLE small (t CHAR(250)) ENGINE MEMORY SELECT 1 t FROM seq_1_to_40000")',
        "disk-full",
        "gives the database something to keep, and there is no room in the table small.",
        [
            "Nothing that was kept is lost. See how much room Docker has:  docker system df",
            "Remove what is not needed: rows, or images and volumes of other projects.",
        ],
        name="a table that is full",
    ),
    case(
        "import tempfile; tempfile.TemporaryFile().write(bytes(80_000_000))",
        "disk-full",
        "writes a file, and there is no room for it.",
        ["The folder for files, /tmp, has room for 64 MB of all services: remove what is done with (tempfile does)."],
        name="a file without room",
    ),
    case(
        'cursor.execute("INSERT INTO people (last_name) VALUES (1, 2)")',
        "database-refuses",
        "asks the database for what it refuses: Column count doesn't match value count at row 1 (error 1136).",
        ["The number leads to its description:  https://mariadb.com/docs/server/reference/error-codes"],
        name="whatever else",
    ),
]


@pytest.mark.parametrize("case", ASKED)
@pytest.mark.usefixtures("database")
def test_what_is_asked(wamp: RunningLab, script: Path, case: Case) -> None:
    assert problem(wamp, write(script, f"{case.asked}\n")) == case.told.at(f"Line 7 of {script.name}")


REFERRING = [
    case(
        "INSERT INTO citizens VALUES (7)",
        "foreign-key",
        "adds a row that refers to one which is not there (town refers to towns).",
        ["Add the row of towns first."],
        name="nothing to refer to",
    ),
    case(
        "DELETE FROM towns",
        "foreign-key",
        "removes or changes a row to which others refer (town refers to towns).",
        ["Remove those first, or say with the key what becomes of them: ON DELETE CASCADE, ON DELETE SET NULL"],
        name="still referred to",
    ),
]


@pytest.mark.parametrize("case", REFERRING)
def test_a_row_refers_to_another(wamp: RunningLab, spoilt: Database, script: Path, case: Case) -> None:
    spoilt.run("CREATE TABLE towns (id INT PRIMARY KEY); INSERT INTO towns VALUES (1)")
    spoilt.run("CREATE TABLE citizens (town INT, FOREIGN KEY (town) REFERENCES towns (id))")
    spoilt.run("INSERT INTO citizens VALUES (1)")

    path = write(script, f'cursor.execute("{case.asked}")\n')
    assert problem(wamp, path) == case.told.at(f"Line 7 of {script.name}")


# --- Two at once ---------------------------------------------------------------------------------


def ended(holder: "subprocess.Popen[str]") -> None:
    """Close a connection that was held open, which undoes its transaction."""
    holder.communicate(timeout=30)


def test_a_row_stays_locked(wamp: RunningLab, database: Database) -> None:
    holder = database.hold("SELECT * FROM people FOR UPDATE")
    try:
        told = problem(wamp, WEB_05, HOPPER)
    finally:
        ended(holder)

    assert told == Told(
        "lock-timeout",
        "waited for a row that another transaction keeps locked, until the database gave it up.",
        ["Does something change rows, and wait before its commit()? See what is under way:  SHOW FULL PROCESSLIST"],
    ).at(line_of(wamp, "(ADD"))


def test_two_transactions_wait_for_each_other(wamp: RunningLab, spoilt: Database, script: Path) -> None:
    # The database undoes the transaction that has changed less: that of the script.
    spoilt.run("CREATE TABLE one (n INT); CREATE TABLE many (n INT); INSERT INTO one VALUES (1)")
    spoilt.run("INSERT INTO many SELECT seq FROM seq_1_to_100")
    holder = spoilt.hold("UPDATE many SET n = n + 1")
    path = write(script, 'for sql in ("BEGIN", "UPDATE one SET n = 2", "UPDATE many SET n = 2"): cursor.execute(sql)\n')
    try:
        with ThreadPoolExecutor(1) as threads:
            asking = threads.submit(problem, wamp, path)
            waiting = "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
            wait_until(lambda: spoilt.run(waiting))
            say(holder, "UPDATE one SET n = 3;")
            told = asking.result()
    finally:
        ended(holder)

    assert told == Told(
        "deadlock",
        "changes rows that another transaction changes too, each waiting for the other: the database undid this one.",
        [
            "Nothing of it was kept: start the transaction again, as the database says.",
            "It is met seldom where all transactions are short, and change rows in the same order.",
        ],
    ).at(f"Line 7 of {script.name}")


# --- No password is shown ------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["text/html", "text/plain", PROBLEM])
def test_no_page_and_no_record_shows_a_password(
    wamp: RunningLab, database: Database, script: Path, accept: str
) -> None:
    known = database.password()
    path = write(script, f'pymysql.connect(host="db", user="lab", password="hunter2{known}")\n')
    mark = f"mark={accept.replace('/', '-').replace('+', '-')}"
    answer = requests.get(f"{wamp.url}{path}?{mark}", headers={"Accept": accept}, timeout=30)
    kept = json.dumps(recorded(wamp, mark))
    logged = "\n".join(wamp.log())

    assert answer.status_code == 500
    assert "using password: YES" in answer.text
    assert "using password: YES" in kept
    for shown in (answer.text, kept, logged):
        assert known not in shown
        assert "hunter2" not in shown
