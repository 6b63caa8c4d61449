"""What mod_proxy_scgi sends, read by the forkserver."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgilab.forkserver.scgi import LONGEST_BODY, REQUEST_BYTES, NotARequestError, Request, parse

SENT = (
    (b"SCGI", b"1"),
    (b"SCRIPT_FILENAME", b"proxy:scgi://forkserver/srv/cgi-bin/hello.py"),
    (b"UNIQUE_ID", b"Zx-@1"),
    (b"QUERY_STRING", b""),
)
GIVEN = {
    b"SCRIPT_FILENAME": b"/srv/cgi-bin/hello.py",
    b"UNIQUE_ID": b"Zx-@1",
    b"QUERY_STRING": b"",
    b"GATEWAY_INTERFACE": b"CGI/1.1",
}


def netstring(content: bytes) -> bytes:
    return b"%d:%b," % (len(content), content)


def sent(*variables: tuple[bytes, bytes], length: bytes = b"0", body: bytes = b"") -> bytes:
    """Return a request as it is sent: its variables behind the length of its body, and the body."""
    every = ((b"CONTENT_LENGTH", length), *variables)
    return netstring(b"".join(b"%b\0%b\0" % one for one in every)) + body


def read(received: bytes) -> Request:
    request = parse(received)
    assert request is not None
    return request


def parts(request: Request) -> tuple[Mapping[bytes, bytes], bytes]:
    return request.environment, request.body


@pytest.mark.parametrize("length", [0, 1, 65_536])
def test_a_request(length: int) -> None:
    body = bytes(range(256)) * 256
    request = read(sent(*SENT, length=b"%d" % length, body=body[:length]))

    told = {b"CONTENT_LENGTH": b"%d" % length} if length else {}
    assert parts(request) == ({**GIVEN, **told}, body[:length])
    assert (request.script, request.identifier) == (b"/srv/cgi-bin/hello.py", b"Zx-@1")


def test_one_that_names_neither_script_nor_identifier() -> None:
    request = read(sent())

    assert parts(request) == ({b"GATEWAY_INTERFACE": b"CGI/1.1"}, b"")
    assert (request.script, request.identifier) == (b"", b"-")


def test_it_is_none_before_its_last_byte() -> None:
    whole = sent(*SENT, length=b"3", body=b"a:,")

    assert [parse(whole[:end]) for end in range(len(whole))] == [None] * len(whole)
    assert parts(read(whole)) == ({**GIVEN, b"CONTENT_LENGTH": b"3"}, b"a:,")


def test_what_comes_behind_the_body_is_none_of_it() -> None:
    request = parse(sent(length=b"1", body=b"ab"))

    assert request is not None
    assert request.body == b"a"


REFUSED = {
    "another protocol": b"GET / HTTP/1.0\r\n",
    "no length": b":",
    "a length that is no number": b"-1:",
    "a length without an end": b"123456789",
    "a length of eight digits": b"12345678:",
    "a space before it": b" 24:",
    "more than a request has": b"%d:" % REQUEST_BYTES,
    "nothing in it": netstring(b""),
    "no comma behind it": sent()[:-1] + b";",
    "no zero byte at the end": netstring(b"CONTENT_LENGTH\0001"),
    "a name without a value": netstring(b"CONTENT_LENGTH\0000\0SCGI\0"),
    "another name first": netstring(b"SCGI\x001\0CONTENT_LENGTH\x000\0"),
    "an empty body length": sent(length=b""),
    "a negative body length": sent(length=b"-1"),
    "a body length with a sign": sent(length=b"+1"),
    "a body length that is a word": sent(length=b"one"),
    "a body length of many digits": sent(length=b"0" * 5000),
    "a body that is too long": sent(length=b"%d" % (LONGEST_BODY + 1)),
}


@pytest.mark.parametrize("received", REFUSED.values(), ids=REFUSED)
def test_what_is_no_request(received: bytes) -> None:
    with pytest.raises(NotARequestError):
        parse(received)


PATHS = {
    "as it is": (b"proxy:scgi://forkserver/srv/cgi-bin/a.py", b"/srv/cgi-bin/a.py"),
    "encoded": (b"proxy:scgi://forkserver/srv/cgi-bin/a%20%25%c3%a9%0a.py", b"/srv/cgi-bin/a %\xc3\xa9\n.py"),
    "encoded once": (b"proxy:scgi://forkserver/srv/cgi-bin/a%2520.py", b"/srv/cgi-bin/a%20.py"),
    "not handed over": (b"/srv/cgi-bin/a%20.py", b"/srv/cgi-bin/a%20.py"),
    "a percent sign alone": (b"proxy:scgi://forkserver/srv/cgi-bin/100%", b"/srv/cgi-bin/100%"),
}


@pytest.mark.parametrize(("given", "path"), PATHS.values(), ids=PATHS)
def test_the_path_of_the_script(given: bytes, path: bytes) -> None:
    request = parse(sent((b"SCRIPT_FILENAME", given)))

    assert request is not None
    assert request.script == path


NAMES = {
    "letters, digits, underscores": (b"HTTP_X_1a", b"HTTP_X_1a"),
    "a hyphen": (b"SSL-id", b"SSL_id"),
    "a blank and an equals sign": (b"a b=c", b"a_b_c"),
    "bytes beyond ASCII": (b"\xc3\xa9", b"__"),
}


@pytest.mark.parametrize(("given", "name"), NAMES.values(), ids=NAMES)
def test_a_name_is_made_of_letters_digits_and_underscores(given: bytes, name: bytes) -> None:
    request = parse(sent((given, b"=\n\xff")))

    assert request is not None
    assert request.environment == {name: b"=\n\xff", b"GATEWAY_INTERFACE": b"CGI/1.1"}


def test_what_is_of_the_protocol_is_no_variable_of_the_script() -> None:
    request = parse(sent((b"SCGI", b"1"), (b"proxy-nokeepalive", b"1"), (b"GATEWAY_INTERFACE", b"CGI/1.0")))

    assert request is not None
    assert request.environment == {b"GATEWAY_INTERFACE": b"CGI/1.1"}


VALUES = st.binary(max_size=40).map(lambda value: value.replace(b"\0", b""))


@given(st.dictionaries(st.from_regex(rb"HTTP_[A-Z0-9_]+", fullmatch=True), VALUES), st.binary(max_size=300))
def test_any_request_is_read(variables: dict[bytes, bytes], body: bytes) -> None:
    request = read(sent(*variables.items(), length=b"%d" % len(body), body=body))

    told = {b"CONTENT_LENGTH": b"%d" % len(body)} if body else {}
    assert parts(request) == ({**variables, **told, b"GATEWAY_INTERFACE": b"CGI/1.1"}, body)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(netstring))
def test_any_bytes_are_a_request_or_a_part_of_one_or_none(received: bytes) -> None:
    try:
        request = parse(received)
    except NotARequestError:
        return
    assert request is None or request.environment[b"GATEWAY_INTERFACE"] == b"CGI/1.1"
