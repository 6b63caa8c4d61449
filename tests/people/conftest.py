"""The lab's database as its administrator sees it, and the table of people as it was made, for each test."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from docker.models.containers import Container

from tests.support.running_lab import RunningLab
from tests.support.wait import wait_until

# What the database runs when it is made, and whenever it starts: the table, and the accounts with their passwords.
TABLE = "/usr/local/lib/cgi-lab/init/people.sql"
ACCOUNTS = "/run/mysqld/accounts.sql"

CLIENT = ("mariadb", "--batch", "--raw", "--skip-column-names", "lab")


@dataclass(frozen=True)
class Database:
    """The database of a lab.

    Attributes:
        lab: in which it runs.
        container: in which its server runs.
    """

    lab: RunningLab
    container: Container

    def run(self, sql: str) -> list[str]:
        """Run statements as administrator, and return the rows of their results, with tabs between the columns."""
        code, printed = self.container.exec_run([*CLIENT, "--execute", sql])
        text = bytes(printed).decode()  # type: ignore[arg-type] # without stream=True it is bytes
        assert code == 0, text
        return text.splitlines()

    def password(self) -> str:
        """Return the password of the services' account."""
        return self.lab.compose.execute("cat", "/run/secrets/db_password", server="db")

    def remove_added(self) -> None:
        """Remove all people but the two with whom the table was made."""
        self.run("DELETE FROM people WHERE id > 2")

    def restore(self) -> None:
        """Make tables and accounts anew, as they are after the first start."""
        drop = "".join(f"DROP TABLE `{name}`;" for name in self.run("SHOW TABLES"))
        self.run(f"SET foreign_key_checks = 0; {drop} SOURCE {TABLE}; SOURCE {ACCOUNTS};")

    def hold(self, sql: str) -> "subprocess.Popen[str]":
        """Start a transaction in a connection of its own, run statements, and leave it open."""
        command = ["docker", "exec", "--interactive", str(self.container.id), *CLIENT, "--unbuffered"]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        say(holder, f"START TRANSACTION; {sql}; SELECT 'held';")
        assert holder.stdout is not None
        wait_until(lambda: holder.stdout and holder.stdout.readline() == "held\n")
        return holder


def say(holder: "subprocess.Popen[str]", sql: str) -> None:
    """Hand over statements to a connection that is held open."""
    assert holder.stdin is not None
    holder.stdin.write(f"{sql}\n")
    holder.stdin.flush()


@pytest.fixture(scope="session")
def server(wamp: RunningLab) -> Database:
    """The database of the lab with all servers."""
    return Database(wamp, wamp.server("db"))


@pytest.fixture
def database(server: Database) -> Iterator[Database]:
    """The database with two people, those with whom it was made; whoever a test adds is removed at its end."""
    server.remove_added()
    yield server
    server.remove_added()


@pytest.fixture
def spoilt(server: Database) -> Iterator[Database]:
    """The database for a test that spoils it: at the end, tables and accounts are made anew."""
    server.remove_added()
    yield server
    server.restore()
