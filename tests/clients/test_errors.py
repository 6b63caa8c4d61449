"""The clients against servers that stand in for the lab, right and mostly wrong ones; no engine is needed."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from requests.utils import default_headers

from tests.clients.programs import (
    ALL_PROGRAMS,
    ASKING_ONCE,
    CLIENTS,
    ONE_OF_EACH_KIND,
    REQUESTS_PROGRAMS,
    ROOT,
    SENTENCE,
    environment,
    failure,
    run,
    run_with_constant,
    start,
)
from tests.clients.stand_in import CONTENTS, StandIn, answer, chunked, right_answers, stand_in

MIB = 1024 * 1024

SEE_WHY = 'To see why: "docker compose logs web".\n'
SEE_PORT = '"docker compose ps" shows the port of the lab.\n'

EXPECTED = {
    "client_web_02.py": "a date and time such as 31/12/26 23:59:59",
    "client_web_03_get.py": "the three parameters that were sent",
    "client_web_03_post.py": "the three parameters that were sent",
    "client_web_04.py": "the environment of a CGI program, one NAME : value a line",
    "client_web_05.py": "people: last name, first name and age, a line each",
}


def unexpected(expected: str) -> tuple[int, str]:
    question = "Was the service changed, or does another server answer?"
    return 1, f"The answer is not {expected}. {question} {SEE_PORT}"


def status(text: str) -> tuple[int, str]:
    return 1, f"The server answered {text}, not 200 OK. {SEE_WHY}"


def closed(url: str) -> tuple[int, str]:
    return 1, f"The server at {url} closed the connection before the end of its answer. {SEE_WHY}"


def no_http(url: str) -> tuple[int, str]:
    return 1, f"The server at {url} does not speak HTTP. {SEE_PORT}"


def refused(url: str) -> tuple[int, str]:
    how = '"make up", or "docker compose up --build --wait" where there is no make'
    return 1, f"No server listens at {url}. To start the lab: {how}.\n"


def bad_address(address: str) -> tuple[int, str]:
    return 1, (
        f"The address {address!r} is not of the form http://HOST:PORT (PORT: 1 to 65535). "
        "Give one such as http://localhost:8080 after the program's name, or set LAB_URL to it.\n"
    )


@pytest.fixture
def right(program: Path) -> Iterator[StandIn]:
    """A server that answers as the service does which the program calls."""
    answers = [answer(CONTENTS[program.name], "Content-Type: text/plain")]
    if program.name == "client_web_05.py":
        answers += right_answers()[1:]
    with stand_in(*answers) as server:
        yield server


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nothing listens: its port is taken, so that no other program can start to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


# --- All is well ---------------------------------------------------------------------------------


def request_lines(program: Path, server: StandIn) -> list[str]:
    """Return the log of the request that this program has to send."""
    headers = {
        "http_client": {"Accept-Encoding": "identity"},
        "requests": {name: str(value) for name, value in default_headers().items()},
    }[program.parent.name]
    path, query = f"/cgi-bin/{program.name[7:13]}.py", "last_name=de+la+Huche&first_name=Jean-Paul&age=42"
    method = "GET"
    if program.name == "client_web_03_get.py":
        path += f"?{query}"
    if program.name == "client_web_03_post.py":
        method = "POST"
        headers |= {"Content-Length": "49", "Content-Type": "application/x-www-form-urlencoded"}
    lines = [f"{method} {path} HTTP/1.1", f"Host: {server.url[7:]}", *(f"{name}: {headers[name]}" for name in headers)]
    sent = ["\r\n".join([*lines, "", ""]).encode()]
    if method == "POST":
        sent.append(query.encode())
    return [f"send: {part!r}" for part in sent]


def response_lines(program: Path) -> list[str]:
    """Return the log of the answer of the fixture `right`."""
    size = len(CONTENTS[program.name])
    return ["reply: 'HTTP/1.1 200 OK\\r\\n'", f"header: Content-Length: {size}", "header: Content-Type: text/plain"]


RESULTS = {
    "client_web_02.py": [
        "------",
        "14/02/12 15:51:07",
        "-----",
        "",
        "Day=14,Month=02,Year=12,Hours=15,Minutes=51,Seconds=07",
    ],
    "client_web_03_get.py": [SENTENCE],
    "client_web_03_post.py": [SENTENCE],
    "client_web_04.py": [
        "SERVER_SIGNATURE : ",
        "REQUEST_METHOD : GET",
        "QUERY_STRING : ",
        "GATEWAY_INTERFACE : CGI/1.1",
    ],
}


@pytest.mark.parametrize("program", ASKING_ONCE)
def test_right_answer_is_shown_with_the_log(program: Path, right: StandIn) -> None:
    finished = run(program, right.url)
    log = [*request_lines(program, right), *response_lines(program)]
    # The chapter's client_web_04 has no log.
    shown = RESULTS[program.name] if program.name == "client_web_04.py" else [*log, *RESULTS[program.name]]
    assert (finished.stdout, finished.stderr, finished.returncode) == ("\n".join([*shown, ""]), "", 0)


@pytest.mark.parametrize("program", ASKING_ONCE)
def test_log_is_what_went_over_the_wire(program: Path, right: StandIn) -> None:
    run(program, right.url)
    sent = [line.removeprefix("send: ") for line in request_lines(program, right)]
    received = right.requests[0]
    head, separator, body = received.partition(b"\r\n\r\n")
    assert [repr(head + separator), *([repr(body)] if body else [])] == sent


@pytest.mark.parametrize("program", ASKING_ONCE)
def test_server_is_asked_once(program: Path, right: StandIn) -> None:
    run(program, right.url)
    assert len(right.requests) == 1


@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_answer_in_chunks_is_put_together(program: Path) -> None:
    content = CONTENTS[program.name]
    with stand_in(chunked(content[:3], content[3:], b"")) as server:
        finished = run(program, server.url)
    shown = finished.stdout.splitlines()[-len(RESULTS[program.name]) :]
    assert (shown, finished.stderr, finished.returncode) == (RESULTS[program.name], "", 0)


@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_answer_without_size_ends_with_the_connection(program: Path) -> None:
    with stand_in(b"HTTP/1.0 200 OK\r\n\r\n" + CONTENTS[program.name]) as server:
        finished = run(program, server.url)
    assert (finished.stderr, finished.returncode) == ("", 0)


@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_proxy_is_not_asked_for_the_lab(program: Path, right: StandIn, nobody: str) -> None:
    finished = run(program, right.url, HTTP_PROXY=nobody, http_proxy=nobody, NO_PROXY="", no_proxy="")
    assert (finished.stderr, finished.returncode) == ("", 0)


@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_character_that_the_output_lacks_is_written_as_its_code(program: Path) -> None:
    with stand_in(answer("é\n".encode())) as server:
        finished = run(program, server.url, PYTHONIOENCODING="ascii")
    assert "\\xe9" in finished.stdout.splitlines()
    assert failure(finished) == unexpected(EXPECTED[program.name])


# --- How a learner starts it ---------------------------------------------------------------------


@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
@pytest.mark.parametrize("folder", ["root", "clients", "own folder", "elsewhere"])
def test_starts_in_any_folder(program: Path, right: StandIn, folder: str, tmp_path: Path) -> None:
    where = {"root": ROOT, "clients": CLIENTS, "own folder": program.parent, "elsewhere": tmp_path}[folder]
    name = str(program) if folder == "elsewhere" else str(program.relative_to(where))
    finished = start([name, right.url], where, {})
    assert (finished.stderr, finished.returncode) == ("", 0)


@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_folder_requests_does_not_hide_the_library(program: Path, right: StandIn) -> None:
    finished = run(program, right.url, PYTHONPATH=str(CLIENTS))
    assert (finished.stderr, finished.returncode) == ("", 0)


@pytest.mark.parametrize(
    "python_path", [pytest.param("", id="as is"), pytest.param(str(CLIENTS), id="clients on path")]
)
@pytest.mark.parametrize("program", REQUESTS_PROGRAMS)
def test_missing_library_is_named(program: Path, python_path: str) -> None:
    # -S: without the folder of installed libraries.
    finished = start(["-S", str(program)], ROOT, {"PYTHONPATH": python_path})
    python = "py" if sys.platform == "win32" else "python3"
    sentence = (
        f'This client needs the library requests: "{python} -m pip install requests". '
        "The client of the same name in clients/http_client needs no library.\n"
    )
    assert (finished.stdout, *failure(finished)) == ("", 1, sentence)


@pytest.mark.parametrize("program", ALL_PROGRAMS)
def test_help_begins_with_the_usage(program: Path) -> None:
    finished = run(program, "--help")
    assert finished.stdout.splitlines()[0] == f"usage: {program.name} [-h] [URL]"
    assert (finished.stderr, finished.returncode) == ("", 0)


@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_unknown_option_exits_with_2(program: Path) -> None:
    finished = run(program, "--colour")
    assert finished.stderr.splitlines()[-1] == f"{program.name}: error: unrecognized arguments: --colour"
    assert (finished.stdout, finished.returncode) == ("", 2)


# --- The server's address ------------------------------------------------------------------------


@pytest.mark.parametrize("program", ALL_PROGRAMS)
def test_address_is_taken_from_lab_url(program: Path, right: StandIn) -> None:
    finished = run(program, LAB_URL=right.url)
    assert (finished.stderr, finished.returncode) == ("", 0)


@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_argument_wins_over_lab_url(program: Path, right: StandIn, nobody: str) -> None:
    finished = run(program, right.url, LAB_URL=nobody)
    assert (finished.stderr, finished.returncode) == ("", 0)


@pytest.mark.parametrize("variables", [pytest.param({}, id="not set"), pytest.param({"LAB_URL": ""}, id="empty")])
@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_default_address_is_used_when_lab_url_is(program: Path, right: StandIn, variables: dict[str, str]) -> None:
    finished = run_with_constant(program, "DEFAULT_ADDRESS", right.url, **variables)
    assert (finished.stderr, finished.returncode) == ("", 0)


@pytest.mark.parametrize("spelling", ["{url}/", "{upper}", "http://localhost:{port}"])
@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_good_address(program: Path, right: StandIn, spelling: str) -> None:
    port = right.url.rpartition(":")[2]
    address = spelling.format(url=right.url, upper=right.url.upper(), port=port)
    finished = run(program, address)
    assert (finished.stderr, finished.returncode) == ("", 0)


BAD_ADDRESSES = {
    "no scheme": "localhost:8080",
    "ftp": "ftp://localhost:8080",
    "https": "https://localhost:8443",
    "one slash": "http:/localhost:8080",
    "empty": "",
    "empty host": "http://",
    "empty host with port": "http://:8080",
    "port zero": "http://localhost:0",
    "port too large": "http://localhost:65536",
    "port of six digits": "http://localhost:008080",
    "negative port": "http://localhost:-1",
    "port in words": "http://localhost:http",
    "port of other digits": "http://localhost:٨٠٨٠",
    "port missing after colon": "http://localhost:",
    "path of a service": "http://localhost:8080/cgi-bin/web_02.py",
    "query": "http://localhost:8080?a=1",
    "fragment": "http://localhost:8080#top",
    "user and password": "http://me:secret@localhost:8080",
    "space in host": "http://local host:8080",
    "space before": " http://localhost:8080",
    "line break after": "http://localhost:8080\n",
    "header smuggled in": "http://localhost\r\nX-Header: 1",
    "empty label": "http://a..b:8080",
    "label too long": f"http://{'a' * 64}:8080",
    "open bracket": "http://[::1:8080",
}


@pytest.mark.parametrize("address", [pytest.param(address, id=name) for name, address in BAD_ADDRESSES.items()])
@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_bad_address(program: Path, address: str) -> None:
    # Python's own encoding of the sentence must not depend on the machine's.
    finished = run(program, address, PYTHONIOENCODING="utf-8", PYTHONUTF8="1")
    assert (finished.stdout, *failure(finished)) == ("", *bad_address(address))


@pytest.mark.parametrize("program", ALL_PROGRAMS)
def test_bad_address_in_every_program(program: Path) -> None:
    assert failure(run(program, "localhost:8080")) == bad_address("localhost:8080")


@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_bad_lab_url(program: Path) -> None:
    assert failure(run(program, LAB_URL="localhost:8080")) == bad_address("localhost:8080")


# --- There is no answer --------------------------------------------------------------------------


@pytest.mark.parametrize("program", ALL_PROGRAMS)
def test_nobody_listens(program: Path, nobody: str) -> None:
    finished = run(program, nobody)
    assert (finished.stdout, *failure(finished)) == ("", *refused(nobody))


@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_name_that_does_not_resolve(program: Path) -> None:
    # RFC 6761, section 6.4: no name under invalid ever exists.
    finished = run(program, "http://lab.invalid:8080")
    sentence = (
        "The host of http://lab.invalid:8080 is not known. "
        "Check its spelling; a lab on this machine is at http://localhost:8080.\n"
    )
    assert (finished.stdout, *failure(finished)) == ("", 1, sentence)


@pytest.mark.parametrize("program", ALL_PROGRAMS)
def test_server_that_says_nothing(program: Path) -> None:
    with stand_in(None) as server:
        finished = run_with_constant(program, "TIMEOUT", 0.2, server.url)
    sentence = f"The server at {server.url} did not answer within 0.2 seconds. {SEE_WHY}"
    assert failure(finished) == (1, sentence)


@pytest.fixture
def ctrl_c_not_ignored() -> Iterator[None]:
    """Programs inherit it when a shell ignores Ctrl-C, as it does for tests that it runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_not_ignored")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to all programs of a console, tests included")
@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_ctrl_c_ends_the_wait_for_a_server(program: Path) -> None:
    with (
        stand_in(None) as server,
        subprocess.Popen(
            [sys.executable, str(program), server.url],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            assert server.asked.wait(timeout=60)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
        finally:
            # A program that did not end must not keep the test from failing.
            process.kill()
    assert "Traceback" not in stdout
    assert (stderr, process.returncode) == ("", 130)


# --- The answer is broken ------------------------------------------------------------------------

BROKEN_OFF = {
    "nothing": b"",
    "content with a size": answer(b"14/02/12 15:51:07\n")[:-1],
    "no content though a size": answer(b"14/02/12 15:51:07\n")[:-18],
    "inside a chunk": chunked(b"14/02/12 15:51:07\n")[:-4],
    "between chunks": chunked(b"14/02/12 ", b"15:51:07\n"),
}


@pytest.mark.parametrize("sent", [pytest.param(sent, id=name) for name, sent in BROKEN_OFF.items()])
@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_connection_closed_before_the_end(program: Path, sent: bytes) -> None:
    with stand_in(sent) as server:
        finished = run(program, server.url)
    assert failure(finished) == closed(server.url)


NO_HTTP = {
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "MySQL": b"\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00",
    "status in words": b"HTTP/1.1 fine OK\r\n\r\n",
    "endless line": b"a" * 100_000,
    "endless headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
}


@pytest.mark.parametrize("sent", [pytest.param(sent, id=name) for name, sent in NO_HTTP.items()])
@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_server_that_does_not_speak_http(program: Path, sent: bytes) -> None:
    with stand_in(sent) as server:
        finished = run(program, server.url)
    assert failure(finished) == no_http(server.url)


STATUSES = [
    "500 Internal Server Error",
    "504 Gateway Timeout",
    "404 Not Found",
    "403 Forbidden",
    "201 Created",
    "599",
]


@pytest.mark.parametrize("text", STATUSES)
@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_status_other_than_200(program: Path, text: str) -> None:
    with stand_in(answer(CONTENTS[program.name], status=text)) as server:
        finished = run(program, server.url)
    assert failure(finished) == status(text)


@pytest.mark.parametrize("program", ALL_PROGRAMS)
def test_redirect_is_not_followed(program: Path, right: StandIn) -> None:
    with stand_in(answer(b"", f"Location: {right.url}", status="302 Found")) as server:
        finished = run(program, server.url)
    assert (failure(finished), right.requests) == (status("302 Found"), [])


@pytest.mark.parametrize("program", REQUESTS_PROGRAMS)
def test_content_that_cannot_be_unpacked(program: Path) -> None:
    with stand_in(answer(b"not packed", "Content-Encoding: gzip")) as server:
        finished = run(program, server.url)
    returncode, stderr = failure(finished)
    # In the middle stand the library's own words, which change from one release to the next.
    assert (returncode, stderr.count("\n")) == (1, 1)
    assert stderr.startswith(f"The server at {server.url} cannot be used: ")
    assert stderr.endswith(f" {SEE_PORT}")


# --- The answer is whole, but not the lab's ------------------------------------------------------


@pytest.mark.parametrize("program", ASKING_ONCE)
def test_an_empty_answer_is_none_of_the_service(program: Path) -> None:
    with stand_in(answer(b"")) as server:
        finished = run(program, server.url)
    assert failure(finished) == unexpected(EXPECTED[program.name])


@pytest.mark.parametrize("program", ALL_PROGRAMS)
def test_another_server_answers(program: Path) -> None:
    content = b"<h1>It works!</h1>\n"
    with stand_in(answer(content)) as server:
        finished = run(program, server.url)
    assert failure(finished) == unexpected(EXPECTED[program.name])


@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_content_that_is_not_utf_8(program: Path) -> None:
    with stand_in(answer(b"\xe9t\xe9\n")) as server:
        finished = run(program, server.url)
    assert failure(finished) == unexpected("text in UTF-8")


TOO_LONG = {
    "one byte too many": answer(b"x" * (MIB + 1)),
    "chunk of 2 GiB announced": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80000000\r\n" + b"x" * 4 * MIB,
    "small chunks": chunked(*[b"x" * 65536] * 64),
    "2 GiB announced": b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n" + b"x" * 4 * MIB,
    "without size": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 4 * MIB,
}


@pytest.mark.parametrize("sent", [pytest.param(sent, id=name) for name, sent in TOO_LONG.items()])
@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_content_that_is_too_long(program: Path, sent: bytes) -> None:
    with stand_in(sent) as server:
        finished = run(program, server.url)
    assert failure(finished) == unexpected("text of at most 1 MiB")


@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_content_of_1_mib_is_still_read(program: Path) -> None:
    with stand_in(answer(b"x" * MIB)) as server:
        finished = run(program, server.url)
    assert failure(finished) == unexpected(EXPECTED[program.name])


ALMOST_RIGHT = [
    ("client_web_02.py", "as printed in the chapter", b"02/14/12 3:51:07 PM\n"),
    ("client_web_02.py", "day of one digit", b"4/02/12 15:51:07\n"),
    ("client_web_02.py", "year of four digits", b"14/02/2012 15:51:07\n"),
    ("client_web_02.py", "no seconds", b"14/02/12 15:51\n"),
    ("client_web_02.py", "text before", b"Now: 14/02/12 15:51:07\n"),
    ("client_web_02.py", "text after", b"14/02/12 15:51:07 UTC\n"),
    ("client_web_03_get.py", "other first name", SENTENCE.replace("Jean-Paul", "Jean").encode()),
    ("client_web_03_get.py", "not decoded", SENTENCE.replace("de la Huche", "de+la+Huche").encode()),
    ("client_web_03_get.py", "twice", f"{SENTENCE}\n{SENTENCE}\n".encode()),
    ("client_web_03_post.py", "parameters did not arrive", SENTENCE.split("[", maxsplit=1)[0].encode() + b"[]\n"),
    ("client_web_03_post.py", "as printed in the chapter", b"[['Jean-Paul'],['de la Huche'],['42']]\n"),
    ("client_web_04.py", "no GATEWAY_INTERFACE", b"REQUEST_METHOD : GET\n"),
    ("client_web_04.py", "as printed in the chapter", b"GATEWAY_INTERFACE: CGI/1.1\n"),
    ("client_web_04.py", "line without separator", b"GATEWAY_INTERFACE : CGI/1.1\nREQUEST_METHOD\n"),
    ("client_web_04.py", "line without name", b"GATEWAY_INTERFACE : CGI/1.1\n : GET\n"),
    ("client_web_04.py", "empty line between", b"GATEWAY_INTERFACE : CGI/1.1\n\nREQUEST_METHOD : GET\n"),
    ("client_web_04.py", "only a value has the name", b"NAME : GATEWAY_INTERFACE : CGI/1.1\n"),
]


@pytest.mark.parametrize(
    ("program", "content"),
    [
        pytest.param(CLIENTS / folder / name, content, id=f"{folder}/{name}: {what}")
        for folder in ("http_client", "requests")
        for name, what, content in ALMOST_RIGHT
    ],
)
def test_answer_that_is_almost_right(program: Path, content: bytes) -> None:
    with stand_in(answer(content)) as server:
        finished = run(program, server.url)
    assert failure(finished) == unexpected(EXPECTED[program.name])


# --- The output cannot be written ----------------------------------------------------------------


@pytest.mark.parametrize(
    "buffering", [pytest.param({}, id="lines"), pytest.param({"PYTHONUNBUFFERED": "1"}, id="none")]
)
@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_reader_of_the_output_has_gone(program: Path, right: StandIn, buffering: dict[str, str]) -> None:
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    try:
        finished = subprocess.run(
            [sys.executable, str(program), right.url],
            env=environment(**buffering),
            stdout=writing_end,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writing_end)
    assert (finished.stderr, finished.returncode) == ("", 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("program", ONE_OF_EACH_KIND)
def test_disk_is_full(program: Path, right: StandIn) -> None:
    with Path("/dev/full").open("w") as full:
        finished = subprocess.run(
            [sys.executable, str(program), right.url],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert (finished.stderr, finished.returncode) == ("The output cannot be written: No space left on device.\n", 1)
