"""Which headers a response has, and who wrote each of them: the chapter's question."""

import pytest

from tests.support.running_lab import RunningLab
from tests.support.wire import Answer, exchange, send

# How the end of the body is told. httpd writes Content-Length where the script had already ended when httpd first
# read from it, else Transfer-Encoding: one of the two, and which one is a matter of microseconds.
FRAMING = {"Content-Length", "Transfer-Encoding"}
SCRIPT = {"Content-Type"}
SERVER = {"Date", "Server"}
FILE = {"Last-Modified", "ETag", "Accept-Ranges", "Content-Type"}

CLOSE = "Connection: close"
HOST = "Host: localhost:8080"


REQUESTS = [
    pytest.param(["GET {} HTTP/1.1", HOST, CLOSE], id="GET"),
    pytest.param(["POST {} HTTP/1.1", HOST, CLOSE, "Content-Length: 0"], id="POST"),
    pytest.param(["OPTIONS {} HTTP/1.1", HOST, CLOSE], id="OPTIONS, which goes to the script"),
    pytest.param(["DELETE {} HTTP/1.1", HOST, CLOSE], id="DELETE, which goes to the script"),
    pytest.param(["INVENTED {} HTTP/1.1", HOST, CLOSE], id="a method that nobody knows, which goes to the script"),
]


@pytest.mark.parametrize("script", ["web_02.py", "web_03.py", "web_04.py"])
@pytest.mark.parametrize("lines", REQUESTS)
def test_a_service_writes_content_type_and_the_server_the_rest(lab: RunningLab, script: str, lines: list[str]) -> None:
    answer = send(lab.port, *(line.format(f"/cgi-bin/{script}") for line in lines))
    printed, _, _ = lab.compose.execute(f"./{script}").partition("\n\n")

    assert {line.partition(": ")[0] for line in printed.splitlines()} == SCRIPT
    assert answer.status == 200
    assert answer.names() - FRAMING == SCRIPT | SERVER | {"Connection"}
    assert len(answer.names() & FRAMING) == 1
    assert len(answer.headers) == len(answer.names()), "a header came twice"


def test_to_an_http_1_0_client_nothing_is_sent_in_chunks(lab: RunningLab) -> None:
    answer = send(lab.port, "GET /cgi-bin/web_02.py HTTP/1.0")

    assert "Transfer-Encoding" not in answer.names()
    assert answer.status_line == "HTTP/1.1 200 OK"


def test_head_is_the_headers_alone(lab: RunningLab) -> None:
    answer = send(lab.port, "HEAD /cgi-bin/web_02.py HTTP/1.1", HOST, CLOSE)

    assert (answer.status, answer.body) == (200, b"")
    assert answer.names() - {"Content-Length"} == SCRIPT | SERVER | {"Connection"}


def test_a_file_is_described_by_the_server_alone(lab: RunningLab) -> None:
    (lab.www / "notes.txt").write_text("words\n", encoding="utf-8")
    answer = send(lab.port, "GET /notes.txt HTTP/1.1", HOST, CLOSE)

    assert (answer.status, answer.body) == (200, b"words\n")
    assert answer.names() == FILE | SERVER | {"Connection", "Content-Length"}
    assert answer.values("Content-Type") == ["text/plain"]


def test_the_server_names_itself_in_full(lab: RunningLab) -> None:
    version = lab.compose.execute("apache2", "-v").splitlines()[0].removeprefix("Server version: ")
    answer = send(lab.port, "GET /cgi-bin/web_02.py HTTP/1.0")

    assert answer.values("Server") == [version]
    assert version.startswith("Apache/2.4.")
    assert version.endswith(" (Debian)")


# Keep-Alive and Connection are there when, and only when, the client asks for them or the protocol obliges.
KEEP_ALIVE = [
    pytest.param("HTTP/1.1", ["Connection: keep-alive"], ["Keep-Alive"], ["timeout=5, max=100"], id="1.1 asks to keep"),
    pytest.param("HTTP/1.1", [], [], [], id="1.1 says nothing and keeps"),
    pytest.param("HTTP/1.1", ["Connection: close"], ["close"], [], id="1.1 asks to close"),
    pytest.param("HTTP/1.0", [], ["close"], [], id="1.0 says nothing and closes"),
]


@pytest.mark.parametrize(("version", "headers", "connection", "keep_alive"), KEEP_ALIVE)
def test_keep_alive(
    lab: RunningLab, version: str, headers: list[str], connection: list[str], keep_alive: list[str]
) -> None:
    # A second request that asks to close ends the connection also where the first one is kept.
    closing = "GET /missing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    (lab.www / "kept.txt").write_text("kept", encoding="utf-8")
    lines = [f"GET /kept.txt {version}", HOST, *headers]
    answer = send(lab.port, *lines, body=closing.encode())

    assert answer.values("Connection") == connection
    assert answer.values("Keep-Alive") == keep_alive
    assert answer.body.startswith(b"kept")
    assert (b"404 Not Found" in answer.body) == (connection != ["close"])


def test_a_connection_serves_a_hundred_requests_and_no_more(lab: RunningLab) -> None:
    (lab.www / "kept.txt").write_text("kept", encoding="utf-8")
    request = b"GET /kept.txt HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
    first, *others = exchange(lab.port, request * 120).split(b"HTTP/1.1 200 OK\r\n")[1:]

    assert b"Keep-Alive: timeout=5, max=100\r\n" in first
    assert len(others) == 100
    assert b"Keep-Alive: timeout=5, max=1\r\n" in others[-2]
    assert b"Connection: close\r\n" in others[-1]


# What a script prints, and what of it reaches the client. The script decides the status, the type, where to go and
# what to remember; how the bytes travel is the server's, whatever the script says.
OUTPUTS = [
    pytest.param(
        b"Status: 404 Gone Fishing\nContent-Type: text/plain\n\nx",
        "HTTP/1.1 404 Gone Fishing",
        {("Content-Type", "text/plain")},
        id="Status with its own words",
    ),
    pytest.param(
        b"Status: 201\nContent-Type: text/plain\n\nx",
        "HTTP/1.1 201 Created",
        {("Content-Type", "text/plain")},
        id="Status without words",
    ),
    pytest.param(
        b"Content-Type: text/plain\nSet-Cookie: a=1\nSet-Cookie: b=2\n\nx",
        "HTTP/1.1 200 OK",
        {("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")},
        id="two cookies",
    ),
    pytest.param(
        b"Status: 303 See Other\nLocation: /cgi-bin/web_02.py\nContent-Type: text/plain\n\n",
        "HTTP/1.1 303 See Other",
        {("Content-Type", "text/plain"), ("Location", "/cgi-bin/web_02.py")},
        id="Status and a local Location",
    ),
    pytest.param(
        b"Content-Type: text/plain\nX-Lesson: 12.1\n\nx",
        "HTTP/1.1 200 OK",
        {("Content-Type", "text/plain"), ("X-Lesson", "12.1")},
        id="a header of its own",
    ),
    pytest.param(
        b"content-type: text/plain\r\nX-LESSON: 12.1\r\n\r\nx",
        "HTTP/1.1 200 OK",
        {("Content-Type", "text/plain"), ("X-LESSON", "12.1")},
        id="CRLF, and other case",
    ),
    pytest.param(
        b"Content-Type: text/plain\nDate: yesterday\nServer: me\n\nx",
        "HTTP/1.1 200 OK",
        {("Content-Type", "text/plain")},
        id="Date and Server are the server's",
    ),
    pytest.param(
        b"Content-Type: text/plain\nContent-Length: 99\n\nx",
        "HTTP/1.1 200 OK",
        {("Content-Type", "text/plain")},
        id="Content-Length is the server's",
    ),
    pytest.param(
        b"X-Lesson: 12.1\n\nx",
        "HTTP/1.1 200 OK",
        {("Content-Type", "text/x-python"), ("X-Lesson", "12.1")},
        id="no Content-Type: the server goes by the ending .py",
    ),
]


def from_the_script(answer: Answer) -> set[tuple[str, str]]:
    """Leave out what the server writes into every response of this table."""
    return {(name, value) for name, value in answer.headers if name not in SERVER | FRAMING | {"Connection"}}


@pytest.mark.parametrize(("output", "status_line", "headers"), OUTPUTS)
def test_what_a_script_prints_reaches_the_client(
    lab: RunningLab, output: bytes, status_line: str, headers: set[tuple[str, str]]
) -> None:
    answer = send(
        lab.port, "POST /cgi-bin/output.py HTTP/1.1", HOST, CLOSE, f"Content-Length: {len(output)}", body=output
    )

    assert answer.status_line == status_line
    assert from_the_script(answer) == headers
    assert answer.values("Server") != ["me"]
    assert answer.values("Date") != ["yesterday"]
    assert answer.values("Connection") == ["close"]
    assert answer.values("Content-Length") != ["99"]


def test_a_connection_header_of_the_script_is_sent_beside_the_servers(lab: RunningLab) -> None:
    output = b"Content-Type: text/plain\nConnection: X-Lesson\n\nx"
    answer = send(
        lab.port, "POST /cgi-bin/output.py HTTP/1.1", HOST, CLOSE, f"Content-Length: {len(output)}", body=output
    )

    assert answer.values("Connection") == ["X-Lesson, close"]


def test_a_location_elsewhere_is_a_redirect(lab: RunningLab) -> None:
    output = b"Location: http://localhost/elsewhere\n\n"
    answer = send(lab.port, "POST /cgi-bin/output.py HTTP/1.0", f"Content-Length: {len(output)}", body=output)

    assert (answer.status_line, answer.values("Location")) == ("HTTP/1.1 302 Found", ["http://localhost/elsewhere"])


def test_a_local_location_is_answered_by_the_server_itself(lab: RunningLab) -> None:
    """RFC 3875, section 6.2.2: the client never sees this redirect."""
    output = b"Location: /notes.txt\n\n"
    (lab.www / "notes.txt").write_text("words\n", encoding="utf-8")
    answer = send(lab.port, "POST /cgi-bin/output.py HTTP/1.0", f"Content-Length: {len(output)}", body=output)

    assert (answer.status, answer.values("Location"), answer.body) == (200, [], b"words\n")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_a_response_without_a_body_has_no_framing(lab: RunningLab, status: str) -> None:
    output = f"Status: {status}\n\n".encode()
    answer = send(lab.port, "POST /cgi-bin/output.py HTTP/1.0", f"Content-Length: {len(output)}", body=output)

    assert (answer.status_line, answer.names(), answer.body) == (f"HTTP/1.1 {status}", SERVER | {"Connection"}, b"")


BROKEN = [
    pytest.param(b"", id="nothing at all"),
    pytest.param(b"Content-Type: text/plain\nwords", id="no blank line"),
    pytest.param(b"words\n\n", id="words where a header belongs"),
]


@pytest.mark.parametrize("output", BROKEN)
def test_broken_output_is_a_500_of_the_server(lab: RunningLab, output: bytes) -> None:
    """Asked by a name that is not this machine's own, so that no page of the lab stands in place of httpd's."""
    request = ["POST /cgi-bin/output.py HTTP/1.0", "Host: example.org", f"Content-Length: {len(output)}"]
    answer = send(lab.port, *request, body=output)

    assert answer.status_line == "HTTP/1.1 500 Internal Server Error"
    assert answer.names() == SERVER | {"Connection", "Content-Length", "Content-Type"}
    assert answer.values("Content-Type") == ["text/html; charset=iso-8859-1"]
