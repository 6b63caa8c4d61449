"""Who may do what in the database, and what a client meets that asks for nothing in particular."""

import pytest

from cgilab.project.lab import DB
from tests.database.conftest import asking
from tests.support.running_lab import RunningLab

# A service, in short: it connects as PyMySQL does without further words, runs statements, and prints the rows.
SERVICE = """
import sys, pymysql
connection = pymysql.connect(host="db", user="lab", database="lab", password=open("/run/secrets/db_password").read())
try:
    with connection.cursor() as cursor:
        for statement in sys.stdin.read().split(";"):
            cursor.execute(statement)
            for row in cursor.fetchall():
                print(*row, sep="\\t")
    connection.commit()
except pymysql.Error as error:
    print(error.args[0])
"""

# The same in PHP, whose mysqli asks for no character set either.
PAGE = """
$connection = new mysqli("db", "lab", trim(file_get_contents("/run/secrets/db_password")), "lab");
foreach ($connection->query(stream_get_contents(STDIN)) as $row) { echo implode("\\t", $row), "\\n"; }
"""


def served(lab: RunningLab, statements: str) -> list[str]:
    """Return what a service prints that runs these statements: the rows, or the number of the error."""
    return lab.compose.execute("python3", "-c", SERVICE, given=statements).splitlines()


def test_the_accounts(wamp: RunningLab) -> None:
    assert sorted(asking(wamp)("SELECT user, host FROM mysql.user")) == [
        "database\tlocalhost",
        "lab\t%",
        "mariadb.sys\tlocalhost",
        "root\t%",
        "root\tlocalhost",
    ]


def test_the_rights_of_the_services(wamp: RunningLab) -> None:
    usage, rights = asking(wamp)("SHOW GRANTS FOR lab@'%'")

    assert usage.startswith("GRANT USAGE ON *.* TO `lab`@`%` IDENTIFIED BY PASSWORD '*")
    assert rights == "GRANT ALL PRIVILEGES ON `lab`.* TO `lab`@`%`"


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        pytest.param("SELECT * FROM mysql.user", 1142, id="read accounts"),
        pytest.param("CREATE DATABASE other", 1044, id="make another schema"),
        pytest.param("CREATE USER other IDENTIFIED BY 'x'", 1227, id="make an account"),
        pytest.param("GRANT ALL ON lab.* TO root@'%'", 1044, id="hand on its rights"),
        pytest.param("SET GLOBAL max_connections = 1", 1227, id="change the server"),
        pytest.param("SELECT 1 INTO OUTFILE '/tmp/x'", 1227, id="write a file"),
        pytest.param("LOAD DATA INFILE '/tmp/x' INTO TABLE people", 1045, id="read a file of the server's"),
        pytest.param("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE people", 4166, id="read a file of its own"),
        pytest.param("SHUTDOWN", 1227, id="end the server"),
    ],
)
def test_what_the_services_may_not(wamp: RunningLab, statement: str, error: int) -> None:
    assert served(wamp, statement) == [str(error)]


def test_a_file_of_the_server_is_not_read(wamp: RunningLab) -> None:
    assert served(wamp, "SELECT LOAD_FILE('/run/secrets/db_root_password')") == ["None"]


@pytest.mark.parametrize("account", ["lab", "root", "database", "mariadb.sys"])
@pytest.mark.parametrize("password", ["", "root", "lab"])
def test_nobody_gets_in_with_a_password_that_can_be_guessed(wamp: RunningLab, account: str, password: str) -> None:
    login = f"import pymysql\ntry:\n pymysql.connect(host='db', user='{account}', password='{password}')\n"
    printed = wamp.compose.execute("python3", "-c", login + "except pymysql.Error as error:\n print(error.args[0])")

    assert printed == "1045"


def test_the_administrator_gets_in_with_the_password_that_is_shown(wamp: RunningLab) -> None:
    password = wamp.compose.execute("cat", "/run/secrets/db_root_password", server=DB)
    login = "import pymysql, sys\nc = pymysql.connect(host='db', user='root', password=sys.stdin.read()).cursor()\n"

    assert wamp.compose.execute("python3", "-c", f"{login}print(c.execute('SHOW GRANTS'))", given=password) == "1"


def test_the_table_of_people_is_there(wamp: RunningLab) -> None:
    assert served(wamp, "SELECT last_name, first_name, age FROM people ORDER BY id LIMIT 2") == [
        "de la Huche\tJean-Paul\t42",
        "Lovelace\tAda\t36",
    ]


def test_a_service_that_asks_for_no_character_set_is_given_all_of_unicode(wamp: RunningLab) -> None:
    statements = "CREATE TEMPORARY TABLE t (x VARCHAR(9)); INSERT INTO t VALUES ('é😀'); SELECT x, HEX(x) FROM t"

    assert served(wamp, statements) == ["é😀\tC3A9F09F9880"]


def test_a_page_that_asks_for_no_character_set_is_given_all_of_unicode(wamp: RunningLab) -> None:
    printed = wamp.compose.execute(
        "php", "-r", PAGE, given="SELECT 'é😀' AS x, HEX('é😀'), @@character_set_client", server="php"
    )

    assert printed == "é😀\tC3A9F09F9880\tutf8mb4"


@pytest.mark.parametrize("variable", ["client", "connection", "database", "results", "server"])
def test_the_character_set_is_that_of_unicode(wamp: RunningLab, variable: str) -> None:
    assert served(wamp, f"SELECT @@character_set_{variable}") == ["utf8mb4"]


def test_what_does_not_fit_is_refused(wamp: RunningLab) -> None:
    assert served(wamp, "CREATE TEMPORARY TABLE t (x VARCHAR(2)); INSERT INTO t VALUES ('abc')") == ["1406"]


def test_times_of_places_are_known(wamp: RunningLab) -> None:
    assert served(wamp, "SELECT CONVERT_TZ('2026-07-01 12:00:00', 'UTC', 'Asia/Kolkata')") == ["2026-07-01 17:30:00"]


def test_the_time_is_that_of_the_place(wamp: RunningLab, machine_settings: dict[str, str]) -> None:
    zone = machine_settings.get("TZ", "UTC")

    assert served(wamp, f"SELECT TIMESTAMPDIFF(MINUTE, NOW(), CONVERT_TZ(UTC_TIMESTAMP(), 'UTC', '{zone}'))") == ["0"]
