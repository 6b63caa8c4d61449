"""Scripts that ask a database, or a machine beyond the lab, and are refused.

The museum's lab has no database, so most raise what the driver raises. That a real one says the same is what tests/people
shows.
"""

from tests.museum.piece import Piece, Sound, script

# One a cause: what PyMySQL raises, as the class of its error and what that is made with. The words of other drivers are
# in tests/unit/test_database.py.
RAISED = (
    ("database-absent", "OperationalError", '2003, "Can\'t connect to MySQL server on \'db\' ([Errno 111] Connection refused)"'),
    ("database-elsewhere", "OperationalError", '2003, "Can\'t connect to MySQL server on \'127.0.0.1\' ([Errno 111] Connection refused)"'),
    ("database-lost", "OperationalError", "2013, 'Lost connection to MySQL server during query'"),
    ("database-login", "OperationalError", '1045, "Access denied for user \'lab\'@\'172.18.0.2\' (using password: YES)"'),
    ("database-unknown", "OperationalError", '1049, "Unknown database \'shop\'"'),
    ("database-denied", "OperationalError", '1044, "Access denied for user \'lab\'@\'%\' to database \'shop\'"'),
    ("connections-exhausted", "OperationalError", "1040, 'Too many connections'"),
    ("table-missing", "ProgrammingError", '1146, "Table \'lab.persons\' doesn\'t exist"'),
    ("column-missing", "OperationalError", '1054, "Unknown column \'name\' in \'SELECT\'"'),
    ("sql-syntax", "ProgrammingError", r'''1064, "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near 'Neill' and \"a\"\nGROUP BY 1' at line 1"'''),
    ("duplicate-key", "IntegrityError", '1062, "Duplicate entry \'Lovelace\' for key \'last_name\'"'),
    ("data-too-long", "DataError", '1406, "Data too long for column \'last_name\' at row 1"'),
    ("out-of-range", "DataError", '1264, "Out of range value for column \'age\' at row 1"'),
    ("text-charset", "DataError", r'''1366, "Incorrect string value: '\\xF0\\x9F\\x98\\x80' for column `lab`.`guests`.`name` at row 1"'''),
    ("value-type", "DataError", '1366, "Incorrect integer value: \'abc\' for column `lab`.`people`.`age` at row 1"'),
    ("value-missing", "IntegrityError", '1048, "Column \'last_name\' cannot be null"'),
    ("foreign-key", "IntegrityError", "1451, 'Cannot delete or update a parent row: a foreign key constraint fails (`lab`.`ch`, CONSTRAINT `x` FOREIGN KEY (`p`) REFERENCES `pa` (`id`))'"),
    ("lock-timeout", "OperationalError", "1205, 'Lock wait timeout exceeded; try restarting transaction'"),
    ("deadlock", "OperationalError", "1213, 'Deadlock found when trying to get lock; try restarting transaction'"),
    ("disk-full", "OperationalError", r'''1021, "Disk full (/tmp/#sql-temptable-1.MAI); waiting for someone to free some space... (errno: 28 \"No space left on device\")"'''),
    ("database-refuses", "InternalError", '1030, \'Got error 168 "Unknown (generic) error from engine" from storage engine InnoDB\''),
)  # fmt: skip

# Of each: the cause, the name of the piece, what it does, and a part of what is logged.
DONE = (
    ("database-not-made", "no_password.py", 'password = open("/run/secrets/db_password").read()\nprint("Content-Type: text/plain\\n")\n', "FileNotFoundError: "),
    (
        "database-absent",
        "no_database_runs.py",
        'import pymysql\n\npymysql.connect(host="db", user="lab", password="hunter2", connect_timeout=3)\n',
        "Can't connect to MySQL server on 'db'",
    ),
    (
        "database-elsewhere",
        "no_database_on_localhost.py",
        'import pymysql\n\npymysql.connect(user="root", password="", database="test")\n',
        "Can't connect to MySQL server on 'localhost'",
    ),
    (
        "outside-closed",
        "database_of_a_provider.py",
        'import pymysql\n\npymysql.connect(host="mysql.example.com", user="lab", password="hunter2")\n',
        "Can't connect to MySQL server on 'mysql.example.com'",
    ),
    ("outside-closed", "page_of_others.py", 'from urllib.request import urlopen\n\nurlopen("https://example.com/")\n', "URLError: "),
    ("outside-closed", "mail_of_others.py", 'import smtplib\n\nsmtplib.SMTP("mail.example.com", 25)\n', "gaierror: "),
    (
        "outside-closed",
        "address_of_others.py",
        'import http.client\n\nhttp.client.HTTPConnection("192.0.2.1", timeout=1).request("GET", "/")\n',
        "TimeoutError: timed out",
    ),
    (
        "outside-closed",
        "requests_of_others.py",
        "class ConnectionError(OSError): pass\n\nraise ConnectionError(\"HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded with url: / (Caused by NameResolutionError('Failed to resolve'))\")\n",
        "Max retries exceeded",
    ),
    ("network-refused", "no_such_server.py", 'import socket\n\nsocket.create_connection(("mysql", 3306))\n', "gaierror: "),
    (
        "network-refused",
        "slow_server_here.py",
        'raise TimeoutError("[Errno 110] http://127.0.0.1:8000/ did not answer: Connection timed out")\n',
        "TimeoutError: ",
    ),
    (
        "sql-placeholder",
        "question_mark.py",
        'from pymysql.cursors import Cursor\n\nCursor.mogrify(type("", (), {"_get_db": lambda self: None, "_escape_args": lambda self, args, _: args})(), "id = ?", (1,))\n',
        "not all arguments converted",
    ),
    ("disk-full", "too_much_for_tmp.py", "import tempfile\n\ntempfile.TemporaryFile().write(bytes(80_000_000))\n", "[Errno 28]"),
    # What looks like an error of a database and is none.
    ("exception-before-headers", "number_of_a_pair.py", "raise KeyError((1146, \"Table 'lab.x' doesn't exist\"))\n", "KeyError: "),
    (
        "exception-before-headers",
        "error_of_sqlite.py",
        'import sqlite3\n\nsqlite3.connect(":memory:").execute("SELECT 1 FROM people")\nprint("Content-Type: text/plain\\n")\n',
        "no such table: people",
    ),
    ("exception-before-headers", "percent_of_its_own.py", 'print("%d years" % (1, 2))\n', "not all arguments converted"),
    ("exception-before-headers", "closed_before.py", 'import pymysql\n\nraise pymysql.err.InterfaceError(0, "")\n', "InterfaceError: (0, "),
)  # fmt: skip

REFUSED = (
    *(
        Piece(
            f"refused_{cause.replace('-', '_')}.py",
            script(f"import pymysql\n\nraise pymysql.err.{name}({arguments})\n"),
            cause=cause,
            says=f"{name}: ",
        )
        for cause, name, arguments in RAISED
    ),
    *(Piece(name, script(text), cause=cause, says=says) for cause, name, text, says in DONE),
)

PREPARED = (
    Sound(
        "tells_that_the_database_is_down.py",
        script(
            r"""
            import logging

            import pymysql

            print("Content-Type: text/plain\n")
            try:
                pymysql.connect(host="db", user="lab", password="hunter2", connect_timeout=3)
            except pymysql.err.OperationalError:
                logging.exception("no database")
                print("Come again tomorrow.")
            """
        ),
        body=b"Come again tomorrow.\n",
    ),
    Sound(
        "notes_an_error_of_the_database.py",
        script(
            r"""
            import sys

            print("Content-Type: text/plain\n")
            print("pymysql.err.ProgrammingError: (1146, \"Table 'lab.x' doesn't exist\")", file=sys.stderr)
            print("Hello")
            """
        ),
        body=b"Hello\n",
    ),
    Sound(
        "can_do_without_others.py",
        script(
            r"""
            import socket

            try:
                socket.getaddrinfo("www.example.com", 80)
            except socket.gaierror:
                pass
            print("Content-Type: text/plain\n")
            print("Hello")
            """
        ),
        body=b"Hello\n",
    ),
)
