"""www/people.php, the page that lists what the database holds."""

import re
import shutil
from collections.abc import Iterator
from html import unescape

import pytest
import requests

from cgilab.project.engine import ROOT
from tests.support.running_lab import RunningLab

HOSTILE = "<script>alert('\"&amp;é🐘</script>"
INSERT_HOSTILE = """INSERT INTO people (last_name, first_name, age)
    VALUES ('<script>alert(''"&amp;é🐘</script>', '<script>alert(''"&amp;é🐘</script>', 7)"""


@pytest.fixture(autouse=True)
def page(wamp: RunningLab) -> Iterator[None]:
    """The page, in the document root of the tests."""
    shutil.copy(ROOT / "www" / "people.php", wamp.www)
    yield
    (wamp.www / "people.php").unlink()


def execute(lab: RunningLab, statement: str) -> None:
    """Execute a statement of SQL."""
    done = lab.server("db").exec_run(["mariadb", "--default-character-set=utf8mb4", "lab", "--execute", statement])
    assert done.exit_code == 0, done.output


def rows(lab: RunningLab) -> list[tuple[str, ...]]:
    """Return the rows of the page's table."""
    answer = requests.get(f"{lab.url}/people.php", timeout=10)
    assert answer.status_code == 200
    found = re.findall("<tr>\n<td>(.*)</td>\n<td>(.*)</td>\n<td>(.*)</td>\n</tr>", answer.text)
    return [tuple(map(unescape, row)) for row in found]


def test_it_lists_the_table(wamp: RunningLab) -> None:
    listed = [row for row in rows(wamp) if row[0] in {"de la Huche", "Lovelace"}]

    assert listed == [("de la Huche", "Jean-Paul", "42"), ("Lovelace", "Ada", "36")]


def test_a_name_is_no_markup(wamp: RunningLab) -> None:
    execute(wamp, INSERT_HOSTILE)
    try:
        text = requests.get(f"{wamp.url}/people.php", timeout=10).text
        listed = [row for row in rows(wamp) if row[2] == "7"]
    finally:
        execute(wamp, "DELETE FROM people WHERE age = 7")

    assert listed == [(HOSTILE, HOSTILE, "7")]
    assert "<script" not in text


def test_without_its_table_it_says_why_and_shows_no_password(wamp: RunningLab) -> None:
    execute(wamp, "RENAME TABLE people TO elsewhere")
    try:
        text = requests.get(f"{wamp.url}/people.php?missing", timeout=10).text
    finally:
        execute(wamp, "RENAME TABLE elsewhere TO people")

    assert "Table &#039;lab.people&#039; doesn&#039;t exist" in text or "Table 'lab.people' doesn't exist" in text
    assert wamp.compose.execute("cat", "/run/secrets/db_password") not in text
