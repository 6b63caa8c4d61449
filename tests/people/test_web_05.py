"""The service of people: what it lists, adds and finds, and what it refuses."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
import requests
from hypothesis import HealthCheck, given, settings, strategies

from tests.people.conftest import Database
from tests.support.running_lab import RunningLab
from tests.support.wire import Answer, send

PATH = "/cgi-bin/web_05.py"
FORM = "application/x-www-form-urlencoded"
PLAIN = "text/plain; charset=utf-8"
MADE = ["de la Huche\tJean-Paul\t42", "Lovelace\tAda\t36"]
LONGEST = 100


def people(lab: RunningLab, **parameters: str) -> list[str]:
    """Return the lines that the service lists."""
    answer = requests.get(f"{lab.url}{PATH}", params=parameters, timeout=20)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, PLAIN)
    return answer.content.decode().removesuffix("\n").split("\n") if answer.content else []


def add(lab: RunningLab, last_name: str = "Hopper", first_name: str = "Grace", age: str = "85") -> tuple[int, str]:
    """Have the service add a person, and return status and text of its answer."""
    form = {"last_name": last_name, "first_name": first_name, "age": age}
    answer = requests.post(f"{lab.url}{PATH}", data=form, timeout=20)
    assert answer.headers["Content-Type"] == PLAIN
    return answer.status_code, answer.content.decode()


def rows(database: Database) -> list[str]:
    """Return all rows, the names as the bytes that are stored."""
    return database.run("SELECT HEX(last_name), HEX(first_name), age FROM people WHERE id > 2 ORDER BY id")


def row(last_name: str, first_name: str, age: int) -> str:
    """Return what `rows` has to tell of a person."""
    return "\t".join([last_name.encode().hex().upper(), first_name.encode().hex().upper(), str(age)])


# --- It lists, adds and finds --------------------------------------------------------------------


def test_all_people_are_listed_by_name(wamp: RunningLab, database: Database) -> None:
    database.run(
        "INSERT INTO people (last_name, first_name, age) VALUES ('Äbi', 'Z', 1), ('abi', 'A', 2), ('Z', 'Z', 3)"
    )

    assert people(wamp) == ["abi\tA\t2", "Äbi\tZ\t1", *MADE, "Z\tZ\t3"]


def test_a_person_is_added_and_sent_back(wamp: RunningLab, database: Database) -> None:
    assert add(wamp) == (201, "Hopper\tGrace\t85\n")
    assert rows(database) == [row("Hopper", "Grace", 85)]
    assert people(wamp) == [MADE[0], "Hopper\tGrace\t85", MADE[1]]


def test_an_empty_list_is_an_empty_answer(wamp: RunningLab, database: Database) -> None:
    database.run("RENAME TABLE people TO others; CREATE TABLE people LIKE others")
    try:
        assert people(wamp) == []
    finally:
        database.run("DROP TABLE people; RENAME TABLE others TO people")


@pytest.mark.parametrize(
    ("part", "found"),
    [
        pytest.param("", MADE, id="no part"),
        pytest.param(" ", MADE, id="a space"),
        pytest.param("Lovelace", MADE[1:], id="a last name"),
        pytest.param("Jean-Paul", MADE[:1], id="a first name"),
        pytest.param("huche", MADE[:1], id="small letters"),
        pytest.param("HÜCHE", MADE[:1], id="an accent more"),
        pytest.param("a", MADE, id="a part of the last name of the one, of both of the other"),
        pytest.param("de l", MADE[:1], id="a space within"),
        pytest.param("Hopper", [], id="nobody"),
        pytest.param("LovelaceAda", [], id="a part of both names at once"),
        pytest.param("36", [], id="an age"),
    ],
)
@pytest.mark.usefixtures("database")
def test_people_are_found_by_a_part_of_either_name(wamp: RunningLab, part: str, found: list[str]) -> None:
    assert people(wamp, find=part) == found


@pytest.mark.parametrize("mark", ["%", "_", "!", "\\", "%%", "!%", "\\%", "[a-z]", "*", "?"])
def test_what_is_a_wildcard_elsewhere_is_a_character(wamp: RunningLab, database: Database, mark: str) -> None:
    assert people(wamp, find=mark) == []
    add(wamp, last_name=f"a{mark}b")

    assert people(wamp, find=mark) == [f"a{mark}b\tGrace\t85"]
    assert rows(database) == [row(f"a{mark}b", "Grace", 85)]


def header_names(answer: Answer) -> set[str]:
    """Return the names of all headers but of the one that tells where the content ends: httpd has two for that."""
    return answer.names() - {"Content-Length", "Transfer-Encoding"}


@pytest.mark.parametrize(
    ("lines", "body", "status_line"),
    [
        pytest.param([f"GET {PATH} HTTP/1.1"], b"", "HTTP/1.1 200 OK", id="list"),
        pytest.param(
            [f"POST {PATH} HTTP/1.1", "Content-Length: 32"],
            b"last_name=a&first_name=b&age=007",
            "HTTP/1.1 201 Created",
            id="add",
        ),
        pytest.param([f"POST {PATH} HTTP/1.1", "Content-Length: 0"], b"", "HTTP/1.1 400 Bad Request", id="refuse"),
    ],
)
@pytest.mark.usefixtures("database")
def test_the_headers_are_those_of_any_service(
    wamp: RunningLab, lines: list[str], body: bytes, status_line: str
) -> None:
    answer = send(wamp.port, *lines, "Host: localhost", "Connection: close", body=body)

    assert answer.status_line == status_line
    assert header_names(answer) == {"Date", "Server", "Connection", "Content-Type"}
    assert answer.values("Content-Type") == [PLAIN]


def test_a_form_in_chunks_is_read_to_its_end(wamp: RunningLab, database: Database) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (b"last_name=Li&first", b"_name=Wei&age=7", b""))
    answer = send(
        wamp.port, f"POST {PATH} HTTP/1.0", f"Content-Type: {FORM}", "Transfer-Encoding: chunked", body=chunks
    )

    assert (answer.status, answer.body) == (201, b"Li\tWei\t7\n")
    assert rows(database) == [row("Li", "Wei", 7)]


def test_the_query_string_of_a_post_adds_nothing(wamp: RunningLab, database: Database) -> None:
    answer = requests.post(f"{wamp.url}{PATH}?last_name=a&first_name=b&age=1", timeout=20)

    assert (answer.status_code, answer.text) == (400, "last_name is missing.\n")
    assert rows(database) == []


def test_a_get_adds_nothing(wamp: RunningLab, database: Database) -> None:
    assert people(wamp, last_name="a", first_name="b", age="1") == MADE
    assert rows(database) == []


def test_people_are_added_at_the_same_time(wamp: RunningLab, database: Database) -> None:
    names = [f"{number:02}" for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda name: add(wamp, last_name=name), names))

    assert answers == [(201, f"{name}\tGrace\t85\n") for name in names]
    assert sorted(rows(database)) == [row(name, "Grace", 85) for name in names]


@pytest.mark.usefixtures("database")
def test_as_a_plain_program_it_lists_people(wamp: RunningLab) -> None:
    printed = wamp.compose.execute("./web_05.py")

    assert printed == "\n".join(["Status: 200 OK", f"Content-Type: {PLAIN}", "", *MADE])


def test_it_is_short_enough_for_a_page_of_a_book(wamp: RunningLab) -> None:
    lines = (wamp.cgi_bin / "web_05.py").read_text(encoding="utf-8").splitlines()

    assert lines[0] == "#!/usr/bin/env python3"
    assert len(lines) <= 70


# --- Whatever is text stays text -----------------------------------------------------------------

SQL = [
    "'",
    '"',
    "`",
    "\\",
    "\\'",
    "O'Neill",
    "' OR '1'='1",
    "'; DROP TABLE people; --",
    "x', 'y', 1), ('z",
    "Robert'); DELETE FROM people; --",
    "%s %(part)s %d %",
    "/* a */ -- b # c",
    "NULL",
    "{0} {age} $(id) `id`",
    "\\x27 \\u0027 &#39; %27",
    "\uff07 \u02bc \u2019",
]


@pytest.mark.parametrize("text", SQL)
def test_sql_in_a_name_is_a_name(wamp: RunningLab, database: Database, text: str) -> None:
    assert add(wamp, last_name=text) == (201, f"{text}\tGrace\t85\n")
    assert add(wamp, first_name=text) == (201, f"Hopper\t{text}\t85\n")
    assert rows(database) == [row(text, "Grace", 85), row("Hopper", text, 85)]
    assert sorted(people(wamp, find=text)) == sorted([f"{text}\tGrace\t85", f"Hopper\t{text}\t85"])


@pytest.mark.parametrize("text", SQL)
def test_sql_in_what_is_looked_for_finds_nobody(wamp: RunningLab, database: Database, text: str) -> None:
    assert people(wamp, find=text) == []
    assert people(wamp) == MADE
    assert rows(database) == []


UNICODE = [
    "😀",
    "👩‍👩‍👧‍👦",
    "🇫🇷",
    "Zoé",
    "Zoe\u0301",
    "李",
    "नमस्ते",
    "שלום",
    "\U0001d49c\U0001d4b9",
    "\u00a0",
    "ß",
    "ﬁ",
    "a" * LONGEST,
    "🐘" * LONGEST,
]


@pytest.mark.parametrize("text", UNICODE, ids=ascii)
def test_any_character_of_unicode_is_kept(wamp: RunningLab, database: Database, text: str) -> None:
    assert add(wamp, last_name=text, first_name=text) == (201, f"{text}\t{text}\t85\n")
    assert rows(database) == [row(text, text, 85)]
    # Others may be found as well: the collation takes letters for the same that differ in nothing but their looks.
    assert f"{text}\t{text}\t85" in people(wamp, find=text)


def test_one_emoji_is_not_taken_for_another(wamp: RunningLab, database: Database) -> None:
    add(wamp, last_name="😀")
    add(wamp, last_name="😁")

    assert people(wamp, find="😀") == ["😀\tGrace\t85"]
    assert rows(database) == [row("😀", "Grace", 85), row("😁", "Grace", 85)]


# What may be a name: characters that are text, without spaces at either end.
NAMES = (
    strategies.text(
        strategies.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufffd"),
        max_size=LONGEST,
    )
    .map(lambda text: text.strip(" "))
    .filter(bool)
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(last_name=NAMES, first_name=NAMES, age=strategies.integers(0, 150))
def test_whoever_is_added_is_found(
    wamp: RunningLab, database: Database, last_name: str, first_name: str, age: int
) -> None:
    person = f"{last_name}\t{first_name}\t{age}"

    assert add(wamp, last_name, first_name, str(age)) == (201, f"{person}\n")
    assert rows(database)[-1] == row(last_name, first_name, age)
    for name in (last_name, first_name):
        assert person in people(wamp, find=name)


# --- What is refused -----------------------------------------------------------------------------

GOOD = {"last_name": "Hopper", "first_name": "Grace", "age": "85"}


def refused(lab: RunningLab, form: str) -> tuple[int, str]:
    """Return the answer to a form, encoded as it is."""
    answer = requests.post(f"{lab.url}{PATH}", data=form, headers={"Content-Type": FORM}, timeout=30)
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    "given", ["{}2=x", "{}=", "{}=+++", "{}"], ids=["not at all", "empty", "spaces", "a name alone"]
)
def test_a_field_that_is_missing_is_named(wamp: RunningLab, database: Database, given: str) -> None:
    for field in GOOD:
        others = urlencode({name: value for name, value in GOOD.items() if name != field})

        assert refused(wamp, f"{given.format(field)}&{others}") == (400, f"{field} is missing.\n")
    assert rows(database) == []


@pytest.mark.parametrize(
    "body", ['{"last_name": "a", "first_name": "b", "age": 1}', "\x00", "&&&", "=", "last_name", "%"]
)
def test_a_body_that_is_no_form_is_refused(wamp: RunningLab, database: Database, body: str) -> None:
    assert refused(wamp, body) == (400, "last_name is missing.\n")
    assert rows(database) == []


WRONG_AGES = [
    *("-1", "151", "255", "256", "300", "4294967296", "1" * 100, "4.5", "4,5", "1e1", "0x10", "ten", "42 years"),
    *(
        "+5",
        "--5",
        "5-",
        "٤٢",
        "\uff14\uff12",
        "½",
        "²",
        "NaN",
        "None",
        "' OR 1=1 --",
        "1); DROP TABLE people; --",
        "1 1",
        "😀",
    ),
]


@pytest.mark.parametrize("age", WRONG_AGES)
def test_an_age_that_is_none_is_refused(wamp: RunningLab, database: Database, age: str) -> None:
    assert add(wamp, age=age) == (400, "age is not a whole number from 0 to 150.\n")
    assert rows(database) == []


@pytest.mark.parametrize(("age", "kept"), [("0", 0), ("150", 150), (" 42 ", 42), ("007", 7)])
def test_an_age_is_a_number_from_0_to_150(wamp: RunningLab, database: Database, age: str, kept: int) -> None:
    assert add(wamp, age=age) == (201, f"Hopper\tGrace\t{kept}\n")
    assert rows(database) == [row("Hopper", "Grace", kept)]


MIB = 1024 * 1024


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a" * (LONGEST + 1), id="one too many"),
        pytest.param("🐘" * (LONGEST + 1), id="of four bytes"),
        pytest.param("a" * 2 * MIB, id="2 MiB"),
        pytest.param("9" * 5000, id="a number of 5000 digits"),
        pytest.param("'" * 2 * MIB, id="2 MiB of quotes, 6 MiB encoded"),
    ],
)
def test_a_text_that_is_too_long_is_refused(wamp: RunningLab, database: Database, text: str) -> None:
    for field in GOOD:
        assert add(wamp, **{**GOOD, field: text}) == (400, f"{field} has more than 100 characters.\n")
    assert rows(database) == []


def test_a_body_that_httpd_refuses_adds_nobody(wamp: RunningLab, database: Database) -> None:
    form = urlencode({**GOOD, "last_name": "a" * 17 * MIB})
    head = [f"POST {PATH} HTTP/1.0", f"Content-Type: {FORM}", f"Content-Length: {len(form)}"]

    assert send(wamp.port, *head).status == 413
    assert rows(database) == []


NO_TEXT = {
    "NUL": "%00",
    "a line end": "%0A",
    "a carriage return": "%0D",
    "a tab": "%09",
    "an escape": "%1B%5B31m",
    "DEL": "%7F",
    "NEL": "%C2%85",
    "a line separator": "%E2%80%A8",
    "a paragraph separator": "%E2%80%A9",
    "Latin-1": "%E9",
    "a surrogate": "%ED%A0%80",
    "half a character": "%F0%9F%98",
    "beyond Unicode": "%F4%90%80%80",
    "an overlong NUL": "%C0%80",
}


@pytest.mark.parametrize("encoded", [pytest.param(encoded, id=name) for name, encoded in NO_TEXT.items()])
def test_what_is_no_text_is_refused(wamp: RunningLab, database: Database, encoded: str) -> None:
    for field in GOOD:
        others = urlencode({name: value for name, value in GOOD.items() if name != field})
        said = f"{field} holds a character that is not text.\n"

        assert refused(wamp, f"{field}={encoded}&{others}") == (400, said)
        assert refused(wamp, f"{field}=a{encoded}b&{others}") == (400, said)
    assert rows(database) == []


@pytest.mark.parametrize("encoded", [pytest.param(encoded, id=name) for name, encoded in NO_TEXT.items()])
@pytest.mark.usefixtures("database")
def test_what_is_no_text_is_not_looked_for(wamp: RunningLab, encoded: str) -> None:
    answer = requests.get(f"{wamp.url}{PATH}?find={encoded}", timeout=20)

    assert (answer.status_code, answer.text) == (400, "find holds a character that is not text.\n")


@pytest.mark.parametrize("body", [b"last_name=\xff&first_name=a&age=1", b"last_name=\x00a&first_name=a&age=1"])
def test_bytes_that_are_not_encoded_are_judged_as_well(wamp: RunningLab, database: Database, body: bytes) -> None:
    answer = send(wamp.port, f"POST {PATH} HTTP/1.0", f"Content-Length: {len(body)}", body=body)

    assert (answer.status, answer.body) == (400, b"last_name holds a character that is not text.\n")
    assert rows(database) == []


@pytest.mark.usefixtures("database")
def test_more_than_a_name_is_not_looked_for(wamp: RunningLab) -> None:
    answer = requests.get(f"{wamp.url}{PATH}", params={"find": "%" * 101}, timeout=20)

    assert (answer.status_code, answer.text) == (400, "find has more than 100 characters.\n")


def test_what_is_wrong_is_said_without_the_database(lab: RunningLab) -> None:
    said = "age is not a whole number from 0 to 150.\n"

    assert refused(lab, "last_name=a&first_name=b&age=c") == (400, said)
