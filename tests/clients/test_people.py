"""The clients of web_05.py, which ask three times: against stand-ins, and against the lab with its database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from requests.utils import default_headers

from tests.clients.programs import failure, programs, run
from tests.clients.stand_in import StandIn, answer, right_answers, stand_in
from tests.support.running_lab import RunningLab

PEOPLE = "client_web_05.py"
BODY = "last_name=O%27Neill&first_name=Zo%C3%A9&age=29"
FORM = {"Content-Length": str(len(BODY)), "Content-Type": "application/x-www-form-urlencoded"}
SEE_WHY = 'To see why: "docker compose logs web".\n'
QUESTION = 'Was the service changed, or does another server answer? "docker compose ps" shows the port of the lab.\n'
ADDED = "O'Neill\tZoé\t29"


def request_of(program: Path, host: str, line: str, **more: str) -> bytes:
    """Return a request as it goes over the wire; one of the library requests names itself and what it takes."""
    own = {"http_client": {"Accept-Encoding": "identity"}, "requests": dict(default_headers())}[program.parent.name]
    headers = {"Host": host, **own, **more}
    return "\r\n".join([line, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()


def requests_of(program: Path, host: str) -> list[list[bytes]]:
    """Return the three requests, each with its body as a part of its own, as the log shows them."""
    return [
        [request_of(program, host, "GET /cgi-bin/web_05.py HTTP/1.1")],
        [request_of(program, host, "POST /cgi-bin/web_05.py HTTP/1.1", **FORM), BODY.encode()],
        [request_of(program, host, "GET /cgi-bin/web_05.py?find=O%27Ne HTTP/1.1")],
    ]


@pytest.fixture
def right() -> Iterator[StandIn]:
    """A server that answers as web_05.py does."""
    with stand_in(*right_answers()) as server:
        yield server


@pytest.mark.parametrize("program", programs(PEOPLE))
def test_each_answer_is_shown_with_its_log(program: Path, right: StandIn) -> None:
    finished = run(program, right.url, PYTHONIOENCODING="utf-8", PYTHONUTF8="1")
    replies = ("200 OK", "201 Created", "200 OK")
    shown = ["Lovelace\tAda\t36\nO'Neill\tZoé\t29", ADDED, f"{ADDED}\n{ADDED}"]
    lines = []
    for parts, reply, text in zip(requests_of(program, right.url[7:]), replies, shown, strict=True):
        lines += [f"send: {part!r}" for part in parts]
        lines += [f"reply: 'HTTP/1.1 {reply}\\r\\n'", f"header: Content-Length: {len(text.encode()) + 1}"]
        lines += ["header: Content-Type: text/plain", *text.split("\n"), ""]

    assert (finished.stdout.split("\n")[:-1], finished.stderr, finished.returncode) == (lines, "", 0)


@pytest.mark.parametrize("program", programs(PEOPLE))
def test_what_went_over_the_wire_is_three_requests(program: Path, right: StandIn) -> None:
    run(program, right.url)

    assert right.requests == [b"".join(parts) for parts in requests_of(program, right.url[7:])]


LIST, ADD, FIND = right_answers()
PERSON = "The answer is not the person that was sent. "
FOUND = "The answer is not people of that name, with the one who was added among them. "
PEOPLE_EACH = "The answer is not people: last name, first name and age, a line each. "

WRONG = [
    pytest.param([answer(b"Lovelace\tAda\t36")], PEOPLE_EACH + QUESTION, id="no end of the last line"),
    pytest.param([answer(b"Lovelace\tAda\n")], PEOPLE_EACH + QUESTION, id="no age"),
    pytest.param([answer(b"Lovelace\tAda\tmany\n")], PEOPLE_EACH + QUESTION, id="an age in words"),
    pytest.param([answer(b"\n")], PEOPLE_EACH + QUESTION, id="an empty line"),
    pytest.param([LIST, FIND], "The server answered 200 OK, not 201 Created. " + SEE_WHY, id="added with 200"),
    pytest.param(
        [LIST, answer(b"age is missing.\n", status="400 Bad Request")],
        "The server answered 400 Bad Request, not 201 Created. " + SEE_WHY,
        id="refused",
    ),
    pytest.param([LIST, answer(b"", status="201 Created")], PERSON + QUESTION, id="nobody added"),
    pytest.param(
        [LIST, answer("O'Neill\tZoé\t30\n".encode(), status="201 Created")], PERSON + QUESTION, id="another added"
    ),
    pytest.param([LIST, ADD, answer(b"")], FOUND + QUESTION, id="nobody found"),
    pytest.param([LIST, ADD, answer(b"Lovelace\tAda\t36\n")], FOUND + QUESTION, id="another found"),
    pytest.param([LIST, ADD, answer("McO'Neill\tZoé\t29\n".encode())], FOUND + QUESTION, id="a longer name found"),
    pytest.param(
        [LIST, ADD, answer(b"", status="500 Internal Server Error")],
        "The server answered 500 Internal Server Error, not 200 OK. " + SEE_WHY,
        id="failed at last",
    ),
]


@pytest.mark.parametrize(("answers", "sentence"), WRONG)
@pytest.mark.parametrize("program", programs(PEOPLE))
def test_a_wrong_answer_is_said_in_a_sentence(program: Path, answers: list[bytes], sentence: str) -> None:
    with stand_in(*answers) as server:
        finished = run(program, server.url)

    assert failure(finished) == (1, sentence)


@pytest.mark.parametrize("program", programs(PEOPLE))
def test_an_empty_list_is_a_list(program: Path) -> None:
    with stand_in(answer(b""), ADD, FIND) as server:
        finished = run(program, server.url)

    assert (finished.stderr, finished.returncode) == ("", 0)


@pytest.mark.parametrize("program", programs(PEOPLE))
def test_the_lab_lists_adds_and_finds(program: Path, wamp: RunningLab) -> None:
    finished = run(program, wamp.url, PYTHONIOENCODING="utf-8", PYTHONUTF8="1")
    said = [line for line in finished.stdout.split("\n") if not line.startswith(("send: ", "header: "))]
    start, created, found = (number for number, line in enumerate(said) if line.startswith("reply: "))

    assert (finished.stderr, finished.returncode) == ("", 0)
    assert "Lovelace\tAda\t36" in said[start:created]
    assert said[created:found] == ["reply: 'HTTP/1.1 201 Created\\r\\n'", ADDED, ""]
    assert set(said[found:]) == {"reply: 'HTTP/1.1 200 OK\\r\\n'", ADDED, ""}
