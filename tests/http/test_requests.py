"""Requests at and beyond the limits, and requests that are wrong."""

import hashlib

import pytest
import requests

from tests.support.running_lab import RunningLab
from tests.support.wire import send

HOST = "Host: localhost"
CLOSE = "Connection: close"
MEBIBYTE = 1024 * 1024


def seen(body: bytes, content_length: int | None, transfer_encoding: str | None = None) -> str:
    """Return what the service body.py prints when it has read exactly this."""
    return (
        f"{len(body)} {hashlib.sha256(body).hexdigest()}\nCONTENT_LENGTH {content_length}\n"
        f"CONTENT_TYPE None\nHTTP_TRANSFER_ENCODING {transfer_encoding}\n"
    )


@pytest.mark.parametrize("size", [0, 1, 39, MEBIBYTE, 16 * MEBIBYTE], ids=lambda size: f"{size} bytes")
def test_a_body_up_to_the_limit_reaches_the_script(lab: RunningLab, size: int) -> None:
    body = bytes(index % 251 for index in range(size % MEBIBYTE)) + b"a" * (size - size % MEBIBYTE)
    answer = requests.post(f"{lab.url}/cgi-bin/body.py", data=body, headers={"Content-Length": str(size)}, timeout=30)

    assert (answer.status_code, answer.text) == (200, seen(body, size))


def test_a_body_over_the_limit_is_refused_before_it_is_sent(lab: RunningLab) -> None:
    answer = send(lab.port, "POST /cgi-bin/body.py HTTP/1.0", f"Content-Length: {16 * MEBIBYTE + 1}")

    assert answer.status_line == "HTTP/1.1 413 Request Entity Too Large"


def test_a_chunked_body_over_the_limit_is_refused(lab: RunningLab) -> None:
    size = 16 * MEBIBYTE + 1
    body = b"%x\r\n" % size + b"a" * size + b"\r\n0\r\n\r\n"
    answer = send(lab.port, "POST /cgi-bin/body.py HTTP/1.1", HOST, CLOSE, "Transfer-Encoding: chunked", body=body)

    assert answer.status_line == "HTTP/1.1 413 Request Entity Too Large"


BODIES = [
    pytest.param(["Content-Length: 2"], b"hello", seen(b"he", 2), id="Content-Length too small: the rest is not read"),
    pytest.param([], b"", seen(b"", None), id="no Content-Length: no body"),
    pytest.param(
        ["Transfer-Encoding: chunked"],
        b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        seen(b"hello", None, "chunked"),
        id="chunked: the script sees no Content-Length, and no chunks",
    ),
    pytest.param(
        ["Transfer-Encoding: chunked", "Content-Length: 3"],
        b"2\r\nhe\r\n0\r\n\r\n",
        seen(b"he", None, "chunked"),
        id="chunked wins over Content-Length (RFC 9112, 6.3)",
    ),
]


@pytest.mark.parametrize(("headers", "body", "document"), BODIES)
def test_where_a_body_ends(lab: RunningLab, headers: list[str], body: bytes, document: str) -> None:
    # A framed response would come in chunks; over HTTP/1.0 the body ends with the connection.
    answer = send(lab.port, "POST /cgi-bin/body.py HTTP/1.0", HOST, *headers, body=body)

    assert (answer.status, answer.body.decode()) == (200, document)


# Each is answered by the server itself: the script is not started.
REFUSED = [
    pytest.param(["GARBAGE"], 400, id="a request line of one word"),
    pytest.param(["\x16\x03\x01\x02\x00"], 400, id="the start of HTTPS"),
    pytest.param(["GET /cgi-bin/\x01 HTTP/1.1", HOST], 400, id="a control character in the request line"),
    pytest.param(["GET /cgi-bin/web_02.py#top HTTP/1.1", HOST], 400, id="a fragment"),
    pytest.param(["GET /cgi-bin/web_02.py HTTP/1.1"], 400, id="no Host"),
    pytest.param(["GET /cgi-bin/web_02.py HTTP/1.1", HOST, "Host: other"], 400, id="two Hosts"),
    pytest.param(["GET /cgi-bin/web_02.py HTTP/1.1", "Host: a b"], 400, id="a Host with a space"),
    pytest.param(["GET /cgi-bin/web_02.py HTTP/1.1", HOST, "words"], 400, id="a header without a colon"),
    pytest.param(["GET /cgi-bin/web_02.py HTTP/1.1", HOST, "X-A : b"], 400, id="a space before the colon"),
    pytest.param(["GET /cgi-bin/web_02.py HTTP/1.1", HOST, "X-A: a\0b"], 400, id="a NUL in a header"),
    pytest.param(["GET /?" + "a" * 8200 + " HTTP/1.1", HOST], 414, id="a request line over 8190 bytes"),
    pytest.param(["GET / HTTP/1.1", HOST, "X-A: " + "a" * 8200], 400, id="a header over 8190 bytes"),
    pytest.param(["GET / HTTP/1.1", HOST, *(f"X-{i}: a" for i in range(100))], 400, id="over 100 headers"),
    pytest.param(["POST /cgi-bin/body.py HTTP/1.1", HOST, "Content-Length: -1"], 400, id="Content-Length: -1"),
    pytest.param(["POST /cgi-bin/body.py HTTP/1.1", HOST, "Content-Length: abc"], 400, id="Content-Length: abc"),
    pytest.param(
        ["POST /cgi-bin/body.py HTTP/1.1", HOST, "Content-Length: 2", "Content-Length: 3"],
        400,
        id="two lengths that differ",
    ),
    pytest.param(["POST /cgi-bin/body.py HTTP/1.1", HOST, "Transfer-Encoding: gzip"], 400, id="an unknown encoding"),
    pytest.param(["POST /cgi-bin/body.py HTTP/1.1", HOST, "Expect: miracles"], 417, id="an unknown expectation"),
    pytest.param(["TRACE /cgi-bin/web_02.py HTTP/1.1", HOST], 405, id="TRACE"),
    pytest.param(["CONNECT localhost:80 HTTP/1.1", HOST], 405, id="CONNECT"),
    pytest.param(["PUT /new.txt HTTP/1.1", HOST, "Content-Length: 0"], 405, id="PUT of a file"),
    pytest.param(["DELETE /index.html HTTP/1.1", HOST], 405, id="DELETE of a file"),
    pytest.param(["INVENTED / HTTP/1.1", HOST], 501, id="an unknown method for a file"),
]


@pytest.mark.parametrize(("lines", "status"), REFUSED)
def test_the_server_refuses(lab: RunningLab, lines: list[str], status: int) -> None:
    answer = send(lab.port, *lines, *([CLOSE] if len(lines) > 1 else []))

    assert answer.status == status
    assert answer.values("Content-Type") == ["text/html; charset=iso-8859-1"]


ACCEPTED = [
    pytest.param(["GET /cgi-bin/web_02.py?" + "a" * 8100 + " HTTP/1.1", HOST], id="a long query string"),
    pytest.param(["GET /cgi-bin/web_02.py HTTP/1.1", HOST, "X-A: " + "a" * 8180], id="a long header"),
    pytest.param(["GET /cgi-bin/web_02.py HTTP/1.1", HOST, *(f"X-{i}: a" for i in range(98))], id="100 headers"),
    pytest.param(["GET /cgi-bin/web_02.py HTTP/1.1", HOST, "X-A: \xe9"], id="a byte over 127 in a header"),
    pytest.param(["GET http://localhost/cgi-bin/web_02.py HTTP/1.1", HOST], id="a whole URL as target"),
]


@pytest.mark.parametrize("lines", ACCEPTED)
def test_the_server_accepts(lab: RunningLab, lines: list[str]) -> None:
    assert send(lab.port, *lines, CLOSE).status == 200


def test_a_broken_chunk_is_a_bad_request(lab: RunningLab) -> None:
    lines = ["POST /cgi-bin/body.py HTTP/1.1", HOST, CLOSE, "Transfer-Encoding: chunked"]

    assert send(lab.port, *lines, body=b"zz\r\nhe\r\n0\r\n\r\n").status == 400


def test_the_server_says_when_it_is_ready_for_a_body(lab: RunningLab) -> None:
    lines = ["POST /cgi-bin/body.py HTTP/1.1", HOST, CLOSE, "Expect: 100-continue", "Content-Length: 2"]
    answer = send(lab.port, *lines, body=b"he")

    assert answer.status_line == "HTTP/1.1 100 Continue"
    assert answer.body.startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_is_sent_before_http_1_0_is_answered_in_its_way(lab: RunningLab) -> None:
    """HTTP/0.9 has no headers: the answer is the document alone."""
    (lab.www / "notes.txt").write_text("words\n", encoding="utf-8")

    assert send(lab.port, "GET /notes.txt").status_line == "words\n"
