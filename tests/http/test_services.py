"""The chapter's three services: what each of them answers."""

import re
from ast import literal_eval
from datetime import datetime

import pytest
import requests
from hypothesis import HealthCheck, given, settings, strategies

from tests.support.running_lab import RunningLab
from tests.support.wire import send

SENTENCE = "Information received from the web service [first_name={},last_name={},age={}]\n"
FORM = "application/x-www-form-urlencoded"


def test_web_02_sends_the_local_date_and_time(lab: RunningLab) -> None:
    before = lab.compose.execute("date", "+%y%m%d%H%M%S")
    answer = requests.get(f"{lab.url}/cgi-bin/web_02.py", timeout=10)
    after = lab.compose.execute("date", "+%y%m%d%H%M%S")

    assert answer.status_code == 200
    assert re.fullmatch(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d\n", answer.text)
    sent = datetime.strptime(answer.text, "%d/%m/%y %H:%M:%S\n").strftime("%y%m%d%H%M%S")
    assert before <= sent <= after


# What the service tells of the three parameters, for a query string (GET) or a body (POST) of the same form.
FORMS = [
    pytest.param("", ([], [], []), id="no parameter"),
    pytest.param(
        "last_name=de+la+Huche&first_name=Jean-Paul&age=42",
        (["Jean-Paul"], ["de la Huche"], ["42"]),
        id="the chapter's",
    ),
    pytest.param("age=1&age=2&age=3", ([], [], ["1", "2", "3"]), id="one parameter three times"),
    pytest.param("first_name=a&first_name=b&last_name=c", (["a", "b"], ["c"], []), id="two, one and none"),
    pytest.param("first_name=a%2Bb%26c%3Dd%25", (["a+b&c=d%"], [], []), id="encoded + & = %"),
    pytest.param("first_name=a+b%20c", (["a b c"], [], []), id="a space as + and as %20"),
    pytest.param("first_name=Zo%C3%A9&last_name=%E2%82%AC%F0%9F%90%8D", (["Zoé"], ["€🐍"], []), id="UTF-8"),
    pytest.param("first_name=%FF", (["\ufffd"], [], []), id="not UTF-8"),
    pytest.param("first_name=&age=", ([], [], []), id="empty values"),
    pytest.param("first_name", ([], [], []), id="a name alone"),
    pytest.param("&&first_name=a&", (["a"], [], []), id="empty pairs"),
    pytest.param("first_name=%zz%4", (["%zz%4"], [], []), id="broken percent signs"),
    pytest.param("first_name=%3Cscript%3E", (["<script>"], [], []), id="HTML, which is no danger in text/plain"),
    pytest.param("FIRST_NAME=a&other=b", ([], [], []), id="other names"),
]


@pytest.mark.parametrize(("form", "values"), FORMS)
def test_web_03_reads_a_query_string(lab: RunningLab, form: str, values: tuple[list[str], ...]) -> None:
    answer = requests.get(f"{lab.url}/cgi-bin/web_03.py?{form}", timeout=10)

    assert (answer.status_code, answer.content.decode()) == (200, SENTENCE.format(*values))


@pytest.mark.parametrize(("form", "values"), FORMS)
def test_web_03_reads_a_posted_form(lab: RunningLab, form: str, values: tuple[list[str], ...]) -> None:
    answer = requests.post(f"{lab.url}/cgi-bin/web_03.py", data=form, headers={"Content-Type": FORM}, timeout=10)

    assert (answer.status_code, answer.content.decode()) == (200, SENTENCE.format(*values))


# What urlencode can encode: any text but lone surrogates. A NUL never reaches a browser's form, but may reach a script.
TEXT = strategies.text(strategies.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=strategies.lists(TEXT, max_size=3))
def test_web_03_receives_whatever_a_client_encodes(lab: RunningLab, values: list[str]) -> None:
    answer = requests.post(f"{lab.url}/cgi-bin/web_03.py", data={"first_name": values}, timeout=10)
    before, after = SENTENCE.format("|", [], []).split("|")

    # Read back, not compared as text: how a character is printed depends on the Unicode tables of each Python.
    text = answer.content.decode()
    assert literal_eval(text.removeprefix(before).removesuffix(after)) == values


def test_web_03_takes_the_query_string_and_the_body_together(lab: RunningLab) -> None:
    answer = requests.post(f"{lab.url}/cgi-bin/web_03.py?age=1", data={"age": "2", "first_name": "a"}, timeout=10)

    assert (answer.status_code, answer.text) == (200, SENTENCE.format(["a"], [], ["2", "1"]))


def test_web_03_reads_a_multipart_form(lab: RunningLab) -> None:
    parts = {"first_name": (None, "Zoé"), "age": (None, "42")}
    answer = requests.post(f"{lab.url}/cgi-bin/web_03.py", files=parts, timeout=10)

    assert (answer.status_code, answer.content.decode()) == (200, SENTENCE.format(["Zoé"], [], ["42"]))


def test_web_03_reads_a_form_sent_in_chunks(lab: RunningLab) -> None:
    answer = send(
        lab.port,
        "POST /cgi-bin/web_03.py HTTP/1.0",
        f"Content-Type: {FORM}",
        "Transfer-Encoding: chunked",
        body=b"5\r\nage=4\r\n1\r\n2\r\n0\r\n\r\n",
    )

    assert (answer.status, answer.body.decode()) == (200, SENTENCE.format([], [], ["42"]))


def test_web_03_takes_the_chapters_body_without_a_content_type(lab: RunningLab) -> None:
    """The chapter's POST client names no Content-Type; the body is taken for a form all the same."""
    body = b"last_name=de+la+Huche&age=42&first_name=Jean-Paul"
    answer = send(lab.port, "POST /cgi-bin/web_03.py HTTP/1.0", f"Content-Length: {len(body)}", body=body)

    assert answer.body.decode() == SENTENCE.format(["Jean-Paul"], ["de la Huche"], ["42"])


def test_web_03_stops_reading_at_the_content_length(lab: RunningLab) -> None:
    """39 is the length that the chapter prints; the body that it prints is 49 bytes long."""
    body = b"last_name=de+la+Huche&age=42&first_name=Jean-Paul"
    answer = send(lab.port, "POST /cgi-bin/web_03.py HTTP/1.0", "Content-Length: 39", body=body)

    assert answer.body.decode() == SENTENCE.format([], ["de la Huche"], ["42"])


@pytest.mark.parametrize("script", ["web_02.py", "web_03.py", "web_04.py"])
def test_a_service_is_a_program_that_can_be_started_by_hand(lab: RunningLab, script: str) -> None:
    assert lab.compose.execute(f"./{script}").startswith("Content-Type: text/plain\n\n")


@pytest.mark.parametrize("script", ["web_02.py", "web_03.py", "web_04.py"])
def test_a_service_is_short_enough_for_a_book(lab: RunningLab, script: str) -> None:
    lines = (lab.cgi_bin / script).read_text(encoding="utf-8").splitlines()

    assert lines[0] == "#!/usr/bin/env python3"
    assert len(lines) <= 20
