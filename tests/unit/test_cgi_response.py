"""A script's output, taken apart as a CGI response (RFC 3875, section 6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgilab.checks.cgi_response import LONGEST_LINE, Fault, Response, parse

TYPE = ("Content-Type", "text/plain")

RESPONSES = {
    "a document": (b"Content-Type: text/plain\n\nHello", "document", 200, (TYPE,), b"Hello"),
    "line ends of HTTP": (b"Content-Type: text/plain\r\n\r\nHello", "document", 200, (TYPE,), b"Hello"),
    "no space after the colon": (b"Content-Type:text/plain\n\n", "document", 200, (TYPE,), b""),
    "spaces around the value": (b"Content-Type: \ttext/plain \n\n", "document", 200, (TYPE,), b""),
    "a status": (b"Status: 404 Not Found\n\n", "document", 404, (("Status", "404 Not Found"),), b""),
    "a status without a reason": (b"status: 418\n\n", "document", 418, (("status", "418"),), b""),
    "no header": (b"\nHello", "document", 200, (), b"Hello"),
    "a local redirect": (b"Location: /a\n\n", "local-redirect", 200, (("Location", "/a"),), b""),
    "a client redirect": (b"Location: http://a/\n\n", "client-redirect", 302, (("Location", "http://a/"),), b""),
    "a path with a status": (
        b"Status: 303 See Other\nLocation: /a\n\n",
        "client-redirect",
        303,
        (("Status", "303 See Other"), ("Location", "/a")),
        b"",
    ),
    "a client redirect with a document": (
        b"Location: http://a/\nContent-Type: text/plain\n\nHello",
        "client-redirect-document",
        302,
        (("Location", "http://a/"), TYPE),
        b"Hello",
    ),
    "a line as long as may be": (
        b"X: " + b"a" * (LONGEST_LINE - 3) + b"\n\n",
        "document",
        200,
        (("X", "a" * (LONGEST_LINE - 3)),),
        b"",
    ),
}


@pytest.mark.parametrize(("output", "kind", "status", "headers", "body"), RESPONSES.values(), ids=RESPONSES)
def test_responses(output: bytes, kind: str, status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> None:
    assert parse(output) == Response(kind, status, headers, len(output) - len(body))


FAULTS = {
    "nothing": (b"", Fault("nothing")),
    "a line that does not end": (b"Content-Type: text/plain", Fault("nothing", "Content-Type: text/plain")),
    "no empty line": (b"Content-Type: text/plain\n", Fault("unended")),
    "a line that is too long": (b"A: b\nX: " + b"a" * LONGEST_LINE + b"\n\n", Fault("unended", "X: " + "a" * 27)),
    "a first line that is too long": (b"X: " + b"a" * LONGEST_LINE + b"\n\n", Fault("nothing", "X: " + "a" * 27)),
    "no colon": (b"Content-Type: text/plain\ndebug\n\n", Fault("malformed", "debug")),
    "the answer first": (b"<h1>" + b"a" * 40 + b"</h1>\n", Fault("malformed", "<h1>" + "a" * 26)),
    "a status line": (b"HTTP/1.1 200 OK\n\n", Fault("malformed", "HTTP/1.1 200 OK")),
    "a blank in a name": (b"Content Type: text/plain\n\n", Fault("name", "Content Type")),
    "a blank after a name": (b"Content-Type : text/plain\n\n", Fault("name", "Content-Type ")),
    "no name": (b": a\n\n", Fault("name", "")),
    "a control character": (b"X: a\x01b\n\n", Fault("value", "X", "a\x01b")),
    "a status that is a word": (b"Status: OK\n\n", Fault("status", "OK")),
    "a status of two digits": (b"Status: 99\n\n", Fault("status", "99")),
}


@pytest.mark.parametrize(("output", "fault"), FAULTS.values(), ids=FAULTS)
def test_faults(output: bytes, fault: Fault) -> None:
    assert parse(output).fault == fault


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", "nph", id="a status line"),
        pytest.param(b"HTTP/1.0 404\n\n", "nph", id="no reason"),
        pytest.param(b"Content-Type: text/plain\n\n", "", id="none"),
        pytest.param(b"", "", id="nothing"),
    ],
)
def test_a_script_that_parses_no_headers(output: bytes, kind: str) -> None:
    assert parse(output, "nph-hello.py").kind == kind


@pytest.mark.parametrize(
    ("output", "has_type"),
    [
        pytest.param(b"content-type: text/html\n\n", True, id="a type"),
        pytest.param(b"Location: /\n\n", True, id="a redirect"),
        pytest.param(b"Status: 204 No Content\n\n", True, id="no body"),
        pytest.param(b"X: 1\n\nHello", False, id="none"),
    ],
)
def test_a_body_has_a_type(output: bytes, has_type: bool) -> None:
    assert parse(output).has_type is has_type


@given(st.binary(max_size=300), st.sampled_from(["a.py", "nph-a.py"]))
def test_any_output_is_judged(output: bytes, name: str) -> None:
    response = parse(output, name)

    assert (response.kind == "") is (response.fault is not None)
    assert 0 <= response.body <= len(output)
