"""What the drivers of MariaDB say, word for word, and what the lab makes of it; tests/people meets it for real."""

import time

import pytest

from cgilab.diagnosis import diagnose
from cgilab.diagnosis.model import Diagnosis, Ended, Evidence

SCRIPT = "/srv/cgi-bin/asks.py"


def judged(said: str, source: str = "cursor.execute(sql)") -> Diagnosis:
    """Return what is made of a script whose line 7 ends with an exception."""
    head = ["Traceback (most recent call last):", f'  File "{SCRIPT}", line 7, in <module>', f"    {source}"]
    found = diagnose(Evidence(path=SCRIPT, status=500, stderr=[*head, *said.split("\n")]))
    assert found is not None
    return found


# The cause, the last line of the traceback, and how the sentence goes on after the place.
SAID = (
    ('database-absent', 'pymysql.err.OperationalError: (2003, "Can\'t connect to MySQL server on \'db\' ([Errno 111] Connection refused)")', 'asks the database, which does not run ([Errno 111] Connection refused).'),
    ('database-absent', 'MySQLdb.OperationalError: (2002, "Can\'t connect to server on \'db\' (115)")', 'asks the database, which does not run (115).'),
    ('database-absent', 'MySQLdb.OperationalError: (2005, "Unknown server host \'db\' (-3)")', 'asks the database, which does not run (-3).'),
    ('database-absent', "mysql.connector.errors.DatabaseError: 2003 (HY000): Can't connect to MySQL server on 'db:3306' (-3)", 'asks the database, which does not run (-3).'),
    ('database-absent', "mysql.connector.errors.InterfaceError: 2003: Can't connect to MySQL server on 'db:3306' (111 Connection refused)", 'asks the database, which does not run (111 Connection refused).'),
    ('database-absent', 'sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (2003, "Can\'t connect to MySQL server on \'db\' (timed out)")\n(Background on this error at: https://sqlalche.me/e/20/e3q8)', 'asks the database, which does not run (timed out).'),
    ('database-elsewhere', 'pymysql.err.OperationalError: (2003, "Can\'t connect to MySQL server on \'127.0.0.1\' ([Errno 111] Connection refused)")', "asks for a database at 127.0.0.1 in the container of the script itself, where there is none: the lab's has the name db."),
    ('database-elsewhere', 'pymysql.err.OperationalError: (2003, "Can\'t connect to MySQL server on \'172.18.0.3\' (timed out)")', "asks for a database at 172.18.0.3, where there is none: the lab's has the name db."),
    ('database-elsewhere', 'MySQLdb.OperationalError: (2002, "Can\'t connect to local server through socket \'/run/mysqld/mysqld.sock\' (2)")', "asks for a database at /run/mysqld/mysqld.sock in the container of the script itself, where there is none: the lab's has the name db."),
    ('database-elsewhere', "mysql.connector.errors.DatabaseError: 2003 (HY000): Can't connect to MySQL server on 'localhost:3306' (111)", "asks for a database at localhost in the container of the script itself, where there is none: the lab's has the name db."),
    ('outside-closed', "mysql.connector.errors.DatabaseError: 2005 (HY000): Unknown MySQL server host 'db.example.com' (-3)", 'asks db.example.com, which cannot be reached: the lab lets no service reach other machines unless it is told to.'),
    ('outside-closed', 'MySQLdb.OperationalError: (2002, "Can\'t connect to server on \'192.0.2.1\' (110)")', 'asks 192.0.2.1, which cannot be reached: the lab lets no service reach other machines unless it is told to.'),
    ('database-lost', "pymysql.err.OperationalError: (2013, 'Lost connection to MySQL server during query')", 'lost its connection to the database before it got an answer: Lost connection to MySQL server during query.'),
    ('database-lost', 'pymysql.err.OperationalError: (2006, "MySQL server has gone away (BrokenPipeError(32, \'Broken pipe\'))")', "lost its connection to the database before it got an answer: MySQL server has gone away (BrokenPipeError(32, 'Broken pipe'))."),
    ('database-lost', "mysql.connector.errors.OperationalError: 2055: Lost connection to MySQL server at 'db:3306', system error: 104", "lost its connection to the database before it got an answer: Lost connection to MySQL server at 'db:3306', system error: 104."),
    ('database-lost', "MySQLdb.OperationalError: (1927, 'Connection was killed')", 'lost its connection to the database before it got an answer: Connection was killed.'),
    ('database-login', 'pymysql.err.OperationalError: (1045, "Access denied for user \'lab\'@\'172.18.0.2\' (using password: YES)")', "logs in to the database as lab, with a password that is not the account's."),
    ('database-login', "mysql.connector.errors.ProgrammingError: 1045 (28000): Access denied for user 'root'@'172.18.0.2' (using password: NO)", 'logs in to the database as root, without a password.'),
    ('database-login', 'pymysql.err.OperationalError: (1698, "Access denied for user \'root\'@\'172.18.0.2\'")', 'logs in to the database as root, and the database knows no such account, or not by a password.'),
    ('database-unknown', 'pymysql.err.OperationalError: (1049, "Unknown database \'shop\'")', 'asks for the database shop, which is not there.'),
    ('database-unknown', 'mysql.connector.errors.ProgrammingError: 1046 (3D000): No database selected', 'does not say which database it means.'),
    ('database-denied', 'pymysql.err.OperationalError: (1044, "Access denied for user \'lab\'@\'%\' to database \'shop\'")', 'asks as lab for the database shop, which is not there, or not for this account.'),
    ('database-denied', 'MySQLdb.OperationalError: (1142, "SELECT command denied to user \'lab\'@\'172.18.0.2\' for table `mysql`.`user`")', 'does in the database what lab may not: SELECT on mysql.user.'),
    ('database-denied', "pymysql.err.OperationalError: (1227, 'Access denied; you need (at least one of) the SUPER privilege(s) for this operation')", 'does in the database what its account may not: SUPER.'),
    ('connections-exhausted', "pymysql.err.OperationalError: (1040, 'Too many connections')", 'asks the database for a connection, and all are taken.'),
    ('connections-exhausted', 'pymysql.err.OperationalError: (1203, "User lab already has more than \'max_user_connections\' active connections")', 'asks the database for a connection, and all are taken.'),
    ('table-missing', 'pymysql.err.ProgrammingError: (1146, "Table \'lab.persons\' doesn\'t exist")', 'asks for the table lab.persons, which is not there.'),
    ('table-missing', "mysql.connector.errors.ProgrammingError: 1146 (42S02): Table 'lab.persons' doesn't exist", 'asks for the table lab.persons, which is not there.'),
    ('table-missing', 'pymysql.err.OperationalError: (1051, "Unknown table \'lab.persons\'")', 'asks for the table lab.persons, which is not there.'),
    ('table-missing', 'sqlalchemy.exc.ProgrammingError: (pymysql.err.ProgrammingError) (1146, "Table \'lab.persons\' doesn\'t exist")\n[SQL: SELECT age FROM persons]\n(Background on this error at: https://sqlalche.me/e/20/f405)', 'asks for the table lab.persons, which is not there.'),
    ('column-missing', 'pymysql.err.OperationalError: (1054, "Unknown column \'name\' in \'SELECT\'")', 'asks for the column name, which is not there.'),
    ('sql-syntax', 'pymysql.err.ProgrammingError: (1064, \'You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near \\\'Neill\\\' and "a"\\nGROUP BY 1\\\' at line 1\')', 'sends SQL that goes wrong at: Neill\' and "a" GROUP BY 1.'),
    ('sql-syntax', 'pymysql.err.ProgrammingError: (1064, "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near \'\' at line 1")', 'sends SQL that ends too early.'),
    ('sql-syntax', "pymysql.err.OperationalError: (1065, 'Query was empty')", 'sends SQL that is empty.'),
    ('duplicate-key', 'pymysql.err.IntegrityError: (1062, "Duplicate entry \'Lovelace\' for key \'last_name\'")', 'adds a second row with Lovelace, and the key last_name allows one.'),
    ('data-too-long', 'pymysql.err.DataError: (1406, "Data too long for column \'last_name\' at row 1")', 'gives the column last_name a value that is too long for it.'),
    ('data-too-long', 'pymysql.err.OperationalError: (1153, "Got a packet bigger than \'max_allowed_packet\' bytes")', 'sends more at once than the database takes (max_allowed_packet).'),
    ('out-of-range', 'pymysql.err.DataError: (1264, "Out of range value for column \'age\' at row 1")', 'gives the column age a number that is too large or too small for it.'),
    ('out-of-range', 'pymysql.err.DataError: (1690, "BIGINT UNSIGNED value is out of range in \'1 - 2\'")', 'gives a result a number that is too large or too small for it.'),
    ('text-charset', 'pymysql.err.DataError: (1366, "Incorrect string value: \'\\\\xF0\\\\x9F\\\\x98\\\\x80\' for column `lab`.`guests`.`name` at row 1")', 'gives the column lab.guests.name a character that its encoding does not have: \\xF0\\x9F\\x98\\x80.'),
    ('text-charset', 'pymysql.err.OperationalError: (1300, "Invalid utf8mb4 character string: \'\\\\xE9\'")', 'gives the database a character that its encoding does not have: \\xE9.'),
    ('value-type', 'pymysql.err.DataError: (1366, "Incorrect integer value: \'abc\' for column `lab`.`people`.`age` at row 1")', 'gives the column lab.people.age abc, which is no integer.'),
    ('value-type', 'pymysql.err.OperationalError: (1292, "Truncated incorrect DOUBLE value: \'abc\'")', 'gives a comparison abc, which is no double.'),
    ('value-type', 'pymysql.err.DataError: (1265, "Data truncated for column \'color\' at row 1")', 'gives the column color a value that is none of its type.'),
    ('value-missing', 'pymysql.err.IntegrityError: (1048, "Column \'last_name\' cannot be null")', 'gives the column last_name no value, and it has to have one.'),
    ('value-missing', 'pymysql.err.OperationalError: (1364, "Field \'age\' doesn\'t have a default value")', 'gives the column age no value, and it has to have one.'),
    ('foreign-key', "pymysql.err.IntegrityError: (1451, 'Cannot delete or update a parent row: a foreign key constraint fails (`lab`.`ch`, CONSTRAINT `x` FOREIGN KEY (`p`) REFERENCES `pa` (`id`))')", 'removes or changes a row to which others refer (p refers to pa).'),
    ('foreign-key', "pymysql.err.IntegrityError: (1452, 'Cannot add or update a child row: a foreign key constraint fails (`lab`.`ch`, CONSTRAINT `x` FOREIGN KEY (`p`) REFERENCES `pa` (`id`))')", 'adds a row that refers to one which is not there (p refers to pa).'),
    ('lock-timeout', "pymysql.err.OperationalError: (1205, 'Lock wait timeout exceeded; try restarting transaction')", 'waited for a row that another transaction keeps locked, until the database gave it up.'),
    ('deadlock', "pymysql.err.OperationalError: (1213, 'Deadlock found when trying to get lock; try restarting transaction')", 'changes rows that another transaction changes too, each waiting for the other: the database undid this one.'),
    ('disk-full', 'pymysql.err.OperationalError: (1021, \'Disk full (/tmp/#sql-temptable-1.MAI); waiting for someone to free some space... (errno: 28 "No space left on device")\')', 'gives the database something to keep, and there is no room.'),
    ('disk-full', 'pymysql.err.OperationalError: (1114, "The table \'people\' is full")', 'gives the database something to keep, and there is no room in the table people.'),
    ('disk-full', 'pymysql.err.InternalError: (1030, \'Got error 28 "No space left on device" from storage engine InnoDB\')', 'gives the database something to keep, and there is no room.'),
    ('database-refuses', 'pymysql.err.InternalError: (1030, \'Got error 168 "Unknown (generic) error from engine" from storage engine InnoDB\')', 'asks the database for what it refuses: Got error 168 "Unknown (generic) error from engine" from storage engine InnoDB (error 1030).'),
    ('database-refuses', 'pymysql.err.OperationalError: (1136, "Column count doesn\'t match value count at row 1")', "asks the database for what it refuses: Column count doesn't match value count at row 1 (error 1136)."),
    ('database-refuses', "mysql.connector.errors.DatabaseError: 1052 (23000): Column 'id' in SELECT is ambiguous", "asks the database for what it refuses: Column 'id' in SELECT is ambiguous (error 1052)."),
)  # fmt: skip


@pytest.mark.parametrize(("cause", "said", "words"), SAID)
def test_what_a_driver_says_is_explained(cause: str, said: str, words: str) -> None:
    found = judged(said)

    assert (found.cause, found.finding.sentence) == (cause, f"Line 7 of asks.py {words}")


# What looks like it and is none of it.
OTHERS = (
    "KeyError: (1146, \"Table 'lab.x' doesn't exist\")",
    "ValueError: 1146 (42S02): Table 'lab.x' doesn't exist",
    "sqlite3.OperationalError: no such table: people",
    'psycopg2.errors.UndefinedTable: relation "people" does not exist',
    "pymysql.err.InterfaceError: (0, '')",
    "OperationalError: 12 (34): x",
    "FileNotFoundError: [Errno 2] No such file or directory: '/run/secrets/other'",
    "TypeError: not all arguments converted during string formatting",
)


@pytest.mark.parametrize("said", OTHERS)
def test_what_no_database_says_is_an_exception_like_others(said: str) -> None:
    assert judged(said).cause == "exception-before-headers"


@pytest.mark.parametrize(
    ("said", "source", "host"),
    [
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", 'connect(("a.example", 80))', "a.example"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", 'get("https://a.example/b")', "a.example"),
        (
            "socket.gaierror: [Errno -3] Temporary failure in name resolution",
            'get("http://me@a.example:81?q")',
            "a.example",
        ),
        (
            "socket.gaierror: [Errno -3] Temporary failure in name resolution",
            "get(address)",
            "a machine beyond the lab",
        ),
        ("httpx.ConnectError: [Errno -3] Temporary failure in name resolution", "get(url)", "a machine beyond the lab"),
        ("OSError: [Errno 101] Network is unreachable", 'connect(("192.0.2.1", 80))', "192.0.2.1"),
        ("urllib.error.URLError: <urlopen error timed out>", 'urlopen("http://192.0.2.1/")', "192.0.2.1"),
        (
            "aiohttp.ClientConnectorError: Cannot connect to host a.example:443 ssl:default [Temporary failure in name resolution]",
            "get(url)",
            "a.example",
        ),
    ],
)
def test_a_machine_beyond_the_lab_is_named(said: str, source: str, host: str) -> None:
    found = judged(said, source)

    assert found.cause == "outside-closed"
    assert found.finding.sentence.partition(", wh")[0] == f"Line 7 of asks.py asks {host}"
    assert list(found.finding.fix) == [
        "Open the lab:  OUTSIDE=1 make up",
        "With database and PHP:  OUTSIDE=1 make wamp",
    ]


def test_a_name_that_is_not_known_may_be_misspelt() -> None:
    found = judged("socket.gaierror: [Errno -2] Name or service not known", 'connect(("a.exmaple", 80))')

    assert found.cause == "outside-closed"
    assert found.finding.fix[0] == "Is its name spelt right? As far as is known, there is none of that name."


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("ConnectionRefusedError: [Errno 111] Connection refused", 'connect(("127.0.0.1", 80))'),
        ("OSError: [Errno 113] No route to host", 'connect(("192.168.1.7", 80))'),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", 'connect(("mysql", 80))'),
        ("urllib.error.URLError: <urlopen error timed out>", 'urlopen("http://localhost:8000/")'),
    ],
)
def test_what_is_not_beyond_the_lab_is_not_taken_for_it(said: str, source: str) -> None:
    assert judged(said, source).cause == "network-refused"


@pytest.mark.parametrize("part", ["(1146, '", '(1146, "\\', "1146 (42S02): ", "near '", "command denied ", "((", "\\'"])
def test_hostile_words_are_read_in_linear_time(part: str) -> None:
    """A bound far above what it takes, and far below what it would take if it looked at each character often."""
    began = time.process_time()
    for said in ("pymysql.err.OperationalError: (1064, 'near " + part * 20_000, f"a.OperationalError: {part * 20_000}"):
        judged(said)

    assert time.process_time() - began < 2


@pytest.mark.parametrize("waiting_in", ["wait_woken", "sk_wait_data", "inet_wait_for_connect", "inet_stream_connect"])
def test_a_script_that_was_given_up_may_have_waited_for_the_network(waiting_in: str) -> None:
    ended = Ended(running=True, waiting_in=waiting_in)
    found = diagnose(
        Evidence(path=SCRIPT, status=504, messages=["Script timed out before returning headers: asks.py"], ended=ended)
    )

    assert found is not None
    assert found.finding.sentence == (
        "asks.py printed no header in all the time that the server waits, and was ended: "
        "it was waiting for an answer over the network, from a database or another machine."
    )
