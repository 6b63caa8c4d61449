"""Dump, restore, snapshots: nothing is lost or changed on the way, and what breaks leaves the old data."""

import gzip
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cgilab.errors import LabError
from cgilab.project.database import Database
from cgilab.project.lab import DB
from tests.database.conftest import Ask
from tests.support.running_lab import RunningLab

Write = Callable[[str | bytes], Path]

# One of each kind of thing that a schema can hold, and values that are easily mangled.
SCHEMA = """
CREATE TABLE parents (id INT PRIMARY KEY, name VARCHAR(50), at TIMESTAMP DEFAULT '2026-07-01 12:00:00');
CREATE TABLE children (
    id INT AUTO_INCREMENT PRIMARY KEY, parent INT, bytes LONGBLOB, text TEXT, number DOUBLE, document JSON,
    doubled DOUBLE AS (number * 2), FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE
);
CREATE TABLE `we``ird name; -- Dump completed` (`co``lumn` INT) COMMENT 'a; b\\nc';
CREATE TABLE log (what VARCHAR(99));
INSERT INTO parents (id, name) VALUES (1, '😀 é \\''), (2, NULL);
INSERT INTO children (parent, bytes, text, number, document) VALUES
    (1, X'00FF0A0D271A5C', CONCAT('a', CHAR(0), '\\r\\n\\\\ ;; \\n-- Dump completed\\nDELIMITER ;;\\n'), 0.1,
        '{"é": 1}'),
    (2, REPEAT(X'00', 3000000), 'DEFINER=`root`@`%`', NULL, NULL);
CREATE VIEW a_first AS SELECT * FROM second WHERE twice(id) > 0;
"""
PROGRAMS = """
DELIMITER //
CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN 2 * x//
CREATE PROCEDURE fill(n INT)
BEGIN
    -- DEFINER=`root`@`%`
    DECLARE i INT DEFAULT 0;
    WHILE i < n DO INSERT INTO log VALUES (CONCAT(i, ';;')); SET i = i + 1; END WHILE;
END//
CREATE TRIGGER counted AFTER INSERT ON parents FOR EACH ROW BEGIN INSERT INTO log VALUES (NEW.name); END//
CREATE DEFINER = lab@'%' TRIGGER shouted BEFORE INSERT ON children FOR EACH ROW SET NEW.text = UPPER(NEW.text)//
CREATE EVENT daily ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO DELETE FROM log//
DELIMITER ;
CREATE VIEW second AS SELECT children.id, parents.name FROM children JOIN parents ON parents.id = children.parent;
"""

# All that there is in the schema, but for who made it.
INVENTORY = """
CHECKSUM TABLE children, log, parents, people, `we``ird name; -- Dump completed`;
SELECT table_name, table_type, table_comment FROM information_schema.tables WHERE table_schema = 'lab' ORDER BY 1;
SELECT * FROM a_first;
SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = 'lab' ORDER BY 1;
SELECT trigger_name, event_object_table, action_timing, action_statement, sql_mode FROM information_schema.triggers
    WHERE trigger_schema = 'lab' ORDER BY 1;
SELECT routine_name, routine_type, routine_definition, sql_mode FROM information_schema.routines
    WHERE routine_schema = 'lab' ORDER BY 1;
SELECT event_name, interval_value, interval_field, starts, event_definition FROM information_schema.events;
SELECT constraint_name, table_name, referenced_table_name, delete_rule
    FROM information_schema.referential_constraints WHERE constraint_schema = 'lab';
SELECT HEX(text), HEX(LEFT(bytes, 9)), LENGTH(bytes), at FROM children JOIN parents ON parents.id = parent ORDER BY 1;
"""

EMPTY = "DROP DATABASE lab; CREATE DATABASE lab; USE lab;"


@pytest.fixture
def database(stack: RunningLab, ask: Ask) -> Database:
    """The database, filled with `SCHEMA`."""
    ask(EMPTY)
    before, view = SCHEMA.split("CREATE VIEW", 1)
    ask(f"{before}CREATE TABLE people (id INT PRIMARY KEY);{PROGRAMS}CREATE VIEW{view}")
    return Database(stack.compose)


@pytest.fixture
def unchanged(database: Database, ask: Ask) -> Iterator[None]:
    """A test after which the database has to hold what it held before, and no trace of what was tried."""
    assert database
    before = ask(INVENTORY)
    around = ask("SHOW DATABASES; SELECT user, host FROM mysql.user; SELECT db, user FROM mysql.db")
    yield
    assert ask(INVENTORY) == before
    assert ask("SHOW DATABASES; SELECT user, host FROM mysql.user; SELECT db, user FROM mysql.db") == around


@pytest.mark.parametrize("name", ["lab.sql", "lab.sql.gz"])
def test_a_dump_brings_all_back(database: Database, ask: Ask, tmp_path: Path, name: str) -> None:
    before = ask(INVENTORY)
    size = database.dump(tmp_path / name)
    ask(f"{EMPTY} CREATE TABLE other (x INT)")
    database.restore(tmp_path / name)

    assert ask(INVENTORY) == before
    assert size == (tmp_path / name).stat().st_size
    assert (tmp_path / name).read_bytes().startswith(b"\x1f\x8b") is (name == "lab.sql.gz")


def test_what_is_restored_works(database: Database, ask: Ask, tmp_path: Path) -> None:
    database.dump(tmp_path / "lab.sql")
    database.restore(tmp_path / "lab.sql")
    ask("INSERT INTO parents (id, name) VALUES (3, 'new'); INSERT INTO children (parent, text) VALUES (3, 'loud')")
    ask("CALL fill(1); DELETE FROM parents WHERE id = 2")

    assert ask("SELECT what FROM log") == ["new", "0;;"]
    assert ask("SELECT text FROM children WHERE parent = 3") == ["LOUD"]
    assert ask("SELECT COUNT(*) FROM children WHERE parent = 2") == ["0"]
    with pytest.raises(LabError) as raised:
        ask("INSERT INTO children (parent) VALUES (99)")
    assert raised.value.fix[-1].startswith("ERROR 1452 (23000) at line 1: Cannot add or update a child row")


def test_what_is_restored_is_the_services(database: Database, ask: Ask, tmp_path: Path) -> None:
    database.dump(tmp_path / "lab.sql")
    database.restore(tmp_path / "lab.sql")

    assert set(
        ask("""
        SELECT definer FROM information_schema.views WHERE table_schema = 'lab';
        SELECT definer FROM information_schema.triggers WHERE trigger_schema = 'lab';
        SELECT definer FROM information_schema.routines WHERE routine_schema = 'lab';
        SELECT definer FROM information_schema.events;
        """)
    ) == {"lab@%"}


def test_nobody_but_its_owner_reads_a_dump(database: Database, tmp_path: Path) -> None:
    database.dump(tmp_path / "lab.sql")

    assert (tmp_path / "lab.sql").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["lab.sql"]


def test_a_row_that_is_larger_in_a_dump_than_any_statement_may_be_is_restored(
    database: Database, ask: Ask, tmp_path: Path
) -> None:
    ask("INSERT INTO children (bytes) VALUES (REPEAT(X'27', 12000000))")
    before = ask(INVENTORY)
    database.dump(tmp_path / "lab.sql")
    database.restore(tmp_path / "lab.sql")

    assert ask(INVENTORY) == before
    assert ask("SELECT @@max_allowed_packet") == ["16777216"]


def test_what_a_restore_replaces_is_kept(database: Database, ask: Ask, tmp_path: Path) -> None:
    database.dump(tmp_path / "lab.sql")
    ask("INSERT INTO log VALUES ('later')")
    kept = database.restore(tmp_path / "lab.sql")
    assert ask("SELECT what FROM log") == []
    database.rollback(kept)

    assert ask("SELECT what FROM log") == ["later"]


def test_an_empty_database_can_be_kept_and_restored(database: Database, ask: Ask) -> None:
    ask(EMPTY)
    database.snapshot("empty")
    ask("CREATE TABLE other (x INT)")
    database.rollback("empty")

    assert ask("SHOW TABLES") == []
    database.forget("empty")


def test_the_collation_of_the_schema_stays(database: Database, ask: Ask, tmp_path: Path) -> None:
    # Made in the old collation, so the dump changes that of the schema for it, by name.
    ask("CREATE FUNCTION older() RETURNS TEXT RETURN 'x'; ALTER DATABASE lab COLLATE utf8mb4_bin")
    database.dump(tmp_path / "lab.sql")
    database.restore(tmp_path / "lab.sql")

    # What belongs together stays on a line: the formatter would give each its own.
    assert ask("SELECT @@collation_database; SELECT database_collation FROM information_schema.routines"
               " WHERE routine_name = 'older'") == ["utf8mb4_bin", "utf8mb4_unicode_520_ci"]  # fmt: skip


def test_snapshots_are_listed(database: Database) -> None:
    for snapshot in database.snapshots():
        database.forget(snapshot.name)
    database.snapshot("first")
    unnamed = database.snapshot()
    first, second = database.snapshots()

    assert (first.name, second.name) == ("first", unnamed)
    assert first.made <= second.made
    assert first.size > 1000


def test_a_rollback_brings_a_snapshot_back_and_keeps_what_was_there(database: Database, ask: Ask) -> None:
    before = ask(INVENTORY)
    name = database.snapshot()
    ask("DROP VIEW a_first; DELETE FROM parents; INSERT INTO log VALUES ('later')")
    kept = database.rollback(name)

    assert ask(INVENTORY) == before
    database.rollback(kept)
    assert ask("SELECT what FROM log") == ["later"]


@pytest.mark.usefixtures("unchanged")
def test_a_snapshot_of_a_name_that_is_taken_changes_nothing(database: Database) -> None:
    name = database.snapshot()
    before = database.snapshots()
    with pytest.raises(LabError) as raised:
        database.snapshot(name)

    assert raised.value.fix[0] == f"There is a snapshot {name} already, and it stays as it is."
    assert database.snapshots() == before


def test_a_schema_that_is_gone_is_restored(database: Database, ask: Ask) -> None:
    before = ask(INVENTORY)
    name = database.snapshot()
    ask("DROP DATABASE lab")
    with pytest.raises(LabError):
        ask("SELECT 1")
    database.rollback(name)

    assert ask(INVENTORY) == before


def test_a_view_that_has_lost_its_table_does_not_stand_in_the_way(database: Database, ask: Ask) -> None:
    before = ask(INVENTORY)
    name = database.snapshot()
    ask("DROP TABLE children")
    kept = database.rollback(name)
    assert ask(INVENTORY) == before
    database.rollback(kept)

    assert ask("SHOW TABLES LIKE 'p%'") == ["parents", "people"]
    assert ask("SHOW TABLES LIKE 'chi%'") == []


# --- What breaks ---------------------------------------------------------------------------------


@pytest.fixture
def whole(database: Database, tmp_path: Path) -> str:
    """The text of a dump."""
    path = tmp_path / "whole.sql"
    database.dump(path)
    return path.read_text(encoding="utf-8")


REFUSED = "Access denied for user 'lab_restored'@'localhost'"


@pytest.mark.usefixtures("unchanged")
# What belongs together stays on a line: the formatter would give each its own.
@pytest.mark.parametrize(
    ("added", "said"),
    [
        pytest.param("USE lab;", f"ERROR 1044 (42000) at line 1: {REFUSED} to database 'lab'", id="USE"),
        pytest.param("DROP DATABASE lab;", f"ERROR 1044 (42000) at line 1: {REFUSED} to database 'lab'", id="DROP"),
        pytest.param(
            "CREATE DATABASE IF NOT EXISTS lab;", f"ERROR 1044 (42000) at line 1: {REFUSED} to database 'lab'",
            id="CREATE DATABASE",
        ),
        pytest.param(
            "CREATE DATABASE labXrestored;", f"ERROR 1044 (42000) at line 1: {REFUSED} to database 'labXrestored'",
            id="a schema whose name is almost its own",
        ),
        pytest.param(
            "GRANT ALL ON *.* TO evil@'%' IDENTIFIED BY 'x';",
            f"ERROR 1045 (28000) at line 1: {REFUSED} (using password: YES)", id="GRANT",
        ),
        pytest.param(
            "CREATE USER evil@'%' IDENTIFIED BY 'x';",
            "ERROR 1227 (42000) at line 1: Access denied", id="CREATE USER",
        ),
        pytest.param(
            "CREATE DEFINER=root@'%' PROCEDURE evil() DROP DATABASE lab;",
            "ERROR 1227 (42000) at line 1: Access denied", id="a program in another's name",
        ),
        pytest.param(
            "DELETE FROM lab.people;",
            "ERROR 1142 (42000) at line 1: DELETE command denied to user 'lab_restored'@'localhost' for table"
            " `lab`.`people`", id="the table of another schema",
        ),
        pytest.param(
            "SET GLOBAL max_connections = 1;",
            "ERROR 1227 (42000) at line 1: Access denied", id="SET GLOBAL",
        ),
        pytest.param(
            "LOAD DATA LOCAL INFILE '/run/secrets/db_root_password' INTO TABLE people;",
            "ERROR 4166 (HY000) at line 1: The used command is not allowed because the MariaDB server or client has"
            " disabled the local infile capability", id="a file of the container",
        ),
        pytest.param("\\! id", "ERROR at line 1: Unknown command '\\!'.", id="a program of the container"),
        pytest.param("INSERT INTO nowhere VALUES (1);",
            "ERROR 1146 (42S02) at line 1: Table 'lab_restored.nowhere' doesn't exist", id="a statement that fails"),
    ],
)  # fmt: skip
def test_a_dump_that_does_what_none_may(
    database: Database, whole: str, text_file: Write, added: str, said: str
) -> None:
    lines = whole.split("\n")
    path = text_file("\n".join([*lines[:6], added, *lines[6:]]))
    with pytest.raises(LabError) as raised:
        database.restore(path)

    assert raised.value.what == f"{path} is not restored."
    # What rights it would take differs by the version of the server.
    error = raised.value.fix[0].partition("; you need")[0]
    assert (error, raised.value.fix[-1]) == (said, "The database is as it was.")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.9999])
def test_a_dump_that_is_cut_off(database: Database, whole: str, text_file: Write, share: float) -> None:
    path = text_file(whole[: int(len(whole) * share)])
    with pytest.raises(LabError) as raised:
        database.restore(path)

    assert raised.value.what == f"{path} is not restored."
    assert raised.value.fix[-1] == "The database is as it was."


@pytest.mark.usefixtures("unchanged")
def test_a_dump_without_its_last_line_is_not_whole(database: Database, whole: str, text_file: Write) -> None:
    with pytest.raises(LabError) as raised:
        database.restore(text_file("".join(whole.splitlines(keepends=True)[:-1])))

    assert raised.value.fix == (
        "It is not whole: its last line is not that of a dump, '-- Dump completed'.",
        "The database is as it was.",
    )


@pytest.mark.usefixtures("unchanged")
def test_a_packed_dump_that_is_cut_off(database: Database, whole: str, text_file: Write) -> None:
    packed = gzip.compress(whole.encode())
    # All of the text is there, and the last line of it too: the check sum that follows is not.
    with pytest.raises(LabError) as raised:
        database.restore(text_file(packed[:-4]))

    assert raised.value.fix == ("gzip: stdin: unexpected end of file", "The database is as it was.")


@pytest.mark.usefixtures("unchanged")
def test_a_packed_dump_with_a_changed_byte(database: Database, whole: str, text_file: Write) -> None:
    packed = bytearray(gzip.compress(whole.encode()))
    packed[-6] ^= 1
    with pytest.raises(LabError) as raised:
        database.restore(text_file(bytes(packed)))

    assert raised.value.fix[-2:] == ("gzip: stdin: invalid compressed data--crc error", "The database is as it was.")


@pytest.mark.usefixtures("unchanged")
def test_a_dump_whose_bytes_are_not_utf_8(database: Database, whole: str, text_file: Write) -> None:
    with pytest.raises(LabError) as raised:
        database.restore(text_file(whole.replace("😀", "\udce9").encode("utf-8", "surrogateescape")))

    assert "Incorrect string value: '\\xE9" in raised.value.fix[0]
    assert raised.value.fix[-1] == "The database is as it was."


def test_a_dump_in_another_character_set_says_so_itself(database: Database, ask: Ask, text_file: Write) -> None:
    ask("DELETE FROM parents")
    dumped = "-- MariaDB dump of old\nSET NAMES latin1;\nCREATE TABLE t (x VARCHAR(9));\nINSERT INTO t VALUES ('é');\n"
    database.restore(text_file(f"{dumped}-- Dump completed\n".encode("latin-1")))

    assert ask("SELECT HEX(x) FROM t") == ["C3A9"]


@pytest.mark.usefixtures("unchanged")
def test_a_view_that_cannot_be_dumped_is_named(database: Database, ask: Ask, tmp_path: Path) -> None:
    ask("CREATE VIEW broken AS SELECT * FROM log; RENAME TABLE log TO log2")
    try:
        with pytest.raises(LabError) as raised:
            database.dump(tmp_path / "lab.sql")
    finally:
        ask("RENAME TABLE log2 TO log; DROP VIEW broken")

    assert raised.value.what == "The database cannot be dumped."
    assert "View 'lab.broken' references invalid table(s)" in raised.value.fix[0]
    assert list(tmp_path.iterdir()) == []


# --- What is interrupted -------------------------------------------------------------------------


# The state in which each kill has left the database, as SQL of its administrator.
RESTORED = """
CREATE DATABASE lab_whole COLLATE utf8mb4_unicode_520_ci; CREATE TABLE lab_whole.restored (x INT);
INSERT INTO lab_whole.restored VALUES (1); CREATE TABLE lab_whole.`~swap` (x INT);
"""
MOVED = "DROP DATABASE lab; CREATE DATABASE lab; RENAME TABLE lab_whole.restored TO lab.restored,"
MOVED += " lab_whole.`~swap` TO lab.`~swap`;"
JOURNAL = "CREATE OR REPLACE DEFINER=lab@'%' VIEW seen AS SELECT x FROM restored;"


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(RESTORED, id="before the old schema is dropped"),
        pytest.param(f"{RESTORED} DROP DATABASE lab;", id="after the old schema is dropped"),
        pytest.param(f"{RESTORED} DROP DATABASE lab; CREATE DATABASE lab;", id="before the tables are moved"),
        pytest.param(f"{RESTORED} {MOVED}", id="after the tables are moved"),
        pytest.param(f"{RESTORED} {MOVED} USE lab; {JOURNAL}", id="after the views are made"),
        pytest.param(
            f"{RESTORED} {MOVED} USE lab; {JOURNAL} DROP DATABASE lab_whole;", id="before the mark is removed"
        ),
    ],
)
def test_a_swap_that_was_interrupted_is_finished_by_the_next_start(
    stack: RunningLab, database: Database, ask: Ask, state: str
) -> None:
    assert database
    ask(state)
    stack.compose.execute("tee", "/var/lib/mysql/swap.sql", given=JOURNAL, server=DB)
    stack.server(DB).kill("SIGKILL")
    stack.compose.compose("up", "--no-build", "--wait", DB)

    assert ask("SHOW TABLES; SELECT * FROM seen") == ["restored", "seen", "1"]
    assert ask("SHOW DATABASES") == ["information_schema", "lab", "mysql", "performance_schema", "sys"]
    code, _ = stack.server(DB).exec_run(["test", "-e", "/var/lib/mysql/swap.sql"])
    assert code == 1


@pytest.mark.usefixtures("unchanged")
def test_a_restore_that_was_interrupted_before_the_swap_leaves_nothing(
    stack: RunningLab, database: Database, ask: Ask
) -> None:
    assert database
    ask(f"{RESTORED} CREATE DATABASE lab_restored; CREATE USER lab_restored@localhost")
    stack.server(DB).kill("SIGKILL")
    stack.compose.compose("up", "--no-build", "--wait", DB)


@pytest.mark.parametrize("delay", range(0, 480, 80), ids=lambda delay: f"after {delay} ms")
def test_a_kill_at_any_moment_leaves_the_old_or_the_new(
    stack: RunningLab, database: Database, ask: Ask, tmp_path: Path, delay: int
) -> None:
    old = ask(INVENTORY)
    database.dump(tmp_path / "lab.sql")
    ask("DROP TRIGGER shouted; DROP VIEW a_first; INSERT INTO log VALUES ('another')")
    ask("CREATE VIEW a_first AS SELECT 1 AS one")
    new = ask(INVENTORY)
    timer = threading.Timer(delay / 1000, stack.server(DB).kill, ["SIGKILL"])
    timer.start()
    with suppress(LabError):
        database.restore(tmp_path / "lab.sql")
    timer.join()
    stack.compose.compose("up", "--no-build", "--wait", DB)

    assert ask(INVENTORY) in (old, new)
    assert ask("SHOW DATABASES") == ["information_schema", "lab", "mysql", "performance_schema", "sys"]


# Inserts one row after another, each committed, and says which the server has acknowledged, until it is cut off.
INSERTER = """
import itertools, pymysql
connection = pymysql.connect(
    host="db", user="lab", database="lab", password=open("/run/secrets/db_password").read(), autocommit=True
)
with connection.cursor() as cursor:
    try:
        for number in itertools.count(1):
            cursor.execute("INSERT INTO meanwhile VALUES (%s)", number)
            print(number, flush=True)
    except pymysql.Error:
        pass
"""


def test_what_is_acknowledged_until_the_swap_is_in_the_snapshot(
    stack: RunningLab, database: Database, ask: Ask, tmp_path: Path
) -> None:
    database.dump(tmp_path / "lab.sql")
    ask("CREATE TABLE meanwhile (number INT PRIMARY KEY)")
    command = ["docker", "exec", str(stack.container.id), "python3", "-c", INSERTER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as inserter:
        assert inserter.stdout is not None
        acknowledged = [int(inserter.stdout.readline())]
        kept = database.restore(tmp_path / "lab.sql")
        acknowledged += [int(line) for line in inserter.stdout]
    assert ask("SHOW TABLES LIKE 'meanwhile'") == []
    database.rollback(kept)
    stored = [int(row) for row in ask("SELECT number FROM meanwhile ORDER BY number")]

    assert acknowledged == list(range(1, len(acknowledged) + 1))
    # The last one may have been written, and the connection been cut off before the server said so.
    assert stored in (acknowledged, [*acknowledged, len(acknowledged) + 1])
    ask("DROP TABLE meanwhile")


def test_two_restores_at_once_are_one(stack: RunningLab, database: Database, tmp_path: Path) -> None:
    database.dump(tmp_path / "lab.sql")
    # It holds the lock until its standard input ends.
    holder = ["flock", "/run/mysqld/restore.lock", "sh", "-c", "echo held; cat"]
    command = ["docker", "exec", "--interactive", str(stack.server(DB).id), *holder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as held:
        assert held.stdout is not None
        assert held.stdout.readline() == b"held\n"
        with pytest.raises(LabError) as raised:
            database.restore(tmp_path / "lab.sql")
        held.communicate()

    assert raised.value.fix == ("Another restore is under way.", "The database is as it was.")


def test_a_database_that_is_down(stack: RunningLab, ask: Ask) -> None:
    assert ask("SELECT 1") == ["1"]
    stack.compose.compose("stop", DB)
    try:
        with pytest.raises(LabError) as raised:
            Database(stack.compose)
    finally:
        stack.compose.start()

    assert str(raised.value).splitlines() == ["The database is down.", "  Type:  make start SERVER=db"]


def test_a_dump_into_a_folder_that_is_not_there(stack: RunningLab, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "lab.sql"
    with pytest.raises(LabError) as raised:
        Database(stack.compose).dump(path)

    assert raised.value.what == f"{path} cannot be written: No such file or directory."
