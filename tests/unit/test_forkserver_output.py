"""What a script prints, as the forkserver passes it on and logs it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgilab.checks import cgi_response
from cgilab.forkserver.output import LINE_BYTES, Output

HEADERS = b"cgi:trace4 Headers from script 'hello.py':"
MALFORMED = b"cgi:error malformed header from script 'hello.py': Bad header: "
TYPE = b"Content-Type: text/plain\n"
LONG = b"X: " + b"a" * LINE_BYTES


def moved(location: bytes) -> bytes:
    """Return what httpd says of a document that is elsewhere."""
    return (
        b"Status: 302 Found\nContent-Type: text/html; charset=iso-8859-1\n\n"
        b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\n'
        b"<html><head>\n<title>302 Found</title>\n</head><body>\n"
        b'<h1>Found</h1>\n<p>The document has moved <a href="' + location + b'">here</a>.</p>\n</body></html>\n'
    )


# What is printed, what httpd gets, and the headers that are logged.
OUTPUTS: dict[str, tuple[bytes, bytes, list[bytes]]] = {
    "nothing": (b"", b"", []),
    "a document": (TYPE + b"\nHello", TYPE + b"\nHello", [b"Content-Type: text/plain"]),
    "line ends of HTTP": (b"A: b\r\n\r\nHello\r\n", b"A: b\r\n\r\nHello\r\n", [b"A: b"]),
    "no header": (b"\nHello", b"\nHello", []),
    "a body that looks like headers": (b"A: b\n\nDate: c\nno colon\n", b"A: b\n\nDate: c\nno colon\n", [b"A: b"]),
    "headers without an end": (b"A: b\n", b"A: b\n", [b"A: b"]),
    "a header without an end": (b"A: b\nC: d", b"A: b\nC: d", [b"A: b", b"C: d"]),
    "date and server": (
        b"Date: now\nA: b\nSERVER: own\nServer-Timing: x\n\nHello",
        b"A: b\nServer-Timing: x\n\nHello",
        [b"Date: now", b"A: b", b"SERVER: own", b"Server-Timing: x"],
    ),
    "a zero byte in a header": (b"A: b\0c\n\n", b"A: b\0c\n\n", [b"A: b"]),
    "a zero byte that ends the headers": (b"A: b\n\0c\nHello", b"A: b\n\0c\nHello", [b"A: b"]),
    "what has to be escaped": (b'A: "\\\x1b\xe9\tb\n\n', b'A: "\\\x1b\xe9\tb\n\n', [rb'A: "\\\x1b\xe9\tb']),
    "a location on the server": (
        b"A: b\nLocation: /c?d\n\nHello",
        b"A: b\nLocation: /c?d\n\n",
        [b"A: b", b"Location: /c?d"],
    ),
    "a location on the server, of line ends of HTTP": (
        b"Location: /c\r\n\r\n",
        b"Location: /c\r\n\r\n",
        [b"Location: /c"],
    ),
    "a location elsewhere": (
        b'A: b\nContent-Type: text/plain\nContent-Length: 5\nETag: "e"\nLocation: http://c/?d=<"&>\n\nHello',
        b'A: b\nLocation: http://c/?d=<"&>\n' + moved(b"http://c/?d=&lt;&quot;&amp;&gt;"),
        [b"A: b", b"Content-Type: text/plain", b"Content-Length: 5", rb'ETag: "e"', rb'Location: http://c/?d=<"&>'],
    ),
    "a location with a status of success": (
        b"Status: 200 OK\nLocation: http://c/\n\nHello",
        b"Location: http://c/\n" + moved(b"http://c/"),
        [b"Status: 200 OK", b"Location: http://c/"],
    ),
    "a location with a status": (
        b"Status: 303 See Other\nLocation: /c\n\nHello",
        b"Status: 303 See Other\nLocation: /c\n\nHello",
        [b"Status: 303 See Other", b"Location: /c"],
    ),
    "a location with a status of more digits": (
        b"Status: 2000\nLocation: /c\n\nHello",
        b"Status: 2000\nLocation: /c\n\nHello",
        [b"Status: 2000", b"Location: /c"],
    ),
    "a location without an end": (b"Location: /c\n", b"Location: /c\n", [b"Location: /c"]),
}


def passed_on(*pieces: bytes) -> tuple[bytes, list[bytes]]:
    """Return what httpd gets of an output that comes in pieces, and what is logged of it."""
    output = Output(b"hello.py")
    to_httpd = b"".join(output.take(piece) for piece in pieces) + output.end()
    return to_httpd, output.logged


def logged(headers: list[bytes]) -> list[bytes]:
    return [HEADERS, *(b"cgi:trace4   " + header for header in headers)] if headers else []


@pytest.mark.parametrize(("printed", "to_httpd", "headers"), OUTPUTS.values(), ids=OUTPUTS)
def test_what_is_passed_on(printed: bytes, to_httpd: bytes, headers: list[bytes]) -> None:
    assert passed_on(printed) == (to_httpd, logged(headers))


FAULTS = {
    "a line that is too long": (
        LONG + b"\n\nHello",
        LONG + b"\n",
        [LONG[:LINE_BYTES], LONG[LINE_BYTES:]],
        LONG[LINE_BYTES:],
    ),
    "no colon": (TYPE + b"debug\nA: b\n\nHello", TYPE + b"debug\n", [TYPE[:-1], b"debug"], b"debug"),
    "the answer first": (
        b"<h1>" + b"a" * 40 + b"\n\n",
        b"<h1>" + b"a" * 40 + b"\n",
        [b"<h1>" + b"a" * 40],
        b"<h1>" + b"a" * 26,
    ),
    "not even a line": (b"Hello", b"Hello", [b"Hello"], b"Hello"),
    "a carriage return alone": (b"\r\r\n\r\n", b"\r\r\n", [rb"\r"], rb"\r"),
    "what has to be escaped": (b"'\\\"\n", b"'\\\"\n", [b"'\\\\\""], b"'\\\\\""),
}


@pytest.mark.parametrize(("printed", "to_httpd", "headers", "bad"), FAULTS.values(), ids=FAULTS)
def test_a_line_without_a_colon_ends_it(printed: bytes, to_httpd: bytes, headers: list[bytes], bad: bytes) -> None:
    assert passed_on(printed) == (to_httpd, [*logged(headers), MALFORMED + bad])


EVERY = {
    **{name: row[0] for name, row in OUTPUTS.items()},
    **{f"fault: {name}": row[0] for name, row in FAULTS.items()},
}


@pytest.mark.parametrize("printed", EVERY.values(), ids=EVERY)
def test_it_does_not_matter_in_which_pieces_it_comes(printed: bytes) -> None:
    expected = passed_on(printed)
    cuts = range(len(printed) + 1) if len(printed) < 500 else [*range(20), *range(LINE_BYTES - 3, len(printed) + 1)]

    for cut in cuts:
        assert passed_on(printed[:cut], printed[cut:]) == expected, cut
    assert passed_on(*(bytes([byte]) for byte in printed)) == expected


def test_headers_wait_for_their_end_and_the_body_does_not() -> None:
    output = Output(b"hello.py")

    assert [output.take(piece) for piece in (b"A: b\n", b"\n", b"Hel", b"lo")] == [b"", b"A: b\n\n", b"Hel", b"lo"]
    assert output.end() == b""


def test_a_location_waits_for_the_end_of_the_script() -> None:
    output = Output(b"hello.py")

    assert [output.take(piece) for piece in (b"Location: /\n\n", b"Hello")] == [b"", b""]
    assert output.end() == b"Location: /\n\n"


def test_the_name_of_the_script_is_escaped() -> None:
    output = Output(b"'\n.py")
    output.take(b"A: b\n")

    assert output.logged[0] == rb"cgi:trace4 Headers from script ''\n.py':"


PIECES = st.lists(
    st.sampled_from([b"A: b", b"C:d", b"\n", b"\n\n", b"\r\n", b"no colon", b"\0", b":", b" ", b"Date: x"])
)


@given(PIECES)
def test_lab_check_sees_the_same_faults(pieces: list[bytes]) -> None:
    """`cgilab.checks` reads an output that is complete; a line of which the end is missing is none there."""
    printed = b"".join(pieces) + b"\n"
    response = cgi_response.parse(printed)
    _, texts = passed_on(printed)

    is_malformed = response.fault is not None and response.fault.kind == "malformed"
    assert [text for text in texts if text.startswith(b"cgi:error")] == (
        [MALFORMED + str(response.fault and response.fault.text).encode()] if is_malformed else []
    )


@given(
    st.lists(st.tuples(st.from_regex(r"[A-CE-Z][a-z]{0,5}", fullmatch=True), st.from_regex("[a-z ]*", fullmatch=True))),
    st.binary(max_size=50),
)
def test_a_document_is_passed_on_as_it_was_printed(headers: list[tuple[str, str]], body: bytes) -> None:
    printed = "".join(f"{name}: {value}\n" for name, value in headers).encode() + b"\n" + body
    to_httpd, _ = passed_on(printed)

    assert cgi_response.parse(printed).kind == "document" or "Status" in dict(headers)
    assert to_httpd == printed
