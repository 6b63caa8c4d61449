"""From the lines that httpd logs to an exchange."""

import re
from contextlib import suppress

import pytest
from hypothesis import given, strategies

from cgilab.exchanges.escapes import unescape
from cgilab.exchanges.exchange import Change, Explained, Header, Message, Origin, Printed, Sent, Source, Variable
from cgilab.exchanges.httpd_log import NotARecordError, exchange

STARTED = 1795355573356017  # 2026-11-22 13:52:53.356017 UTC

VARIABLES = {
    "AUTH_TYPE": "-",
    "CONTENT_LENGTH": "11",
    "CONTENT_TYPE": "application/x-www-form-urlencoded",
    "LANG": "C.UTF-8",
    "PATH_INFO": "-",
    "QUERY_STRING": "age=2",
    "REMOTE_ADDR": "172.18.0.1",
    "REQUEST_METHOD": "POST",
    "SCRIPT_FILENAME": "/srv/cgi-bin/web_03.py",
    "SERVER_NAME": "localhost",
    "SERVER_SIGNATURE": "",
}


def access(
    *, key: str = "ID/12", request: str = "POST /cgi-bin/web_03.py?age=2 HTTP/1.1", status: str = "200", **more: str
) -> str:
    """Return the last line of a record."""
    variables = (f"{name}={value}" for name, value in {**VARIABLES, **more}.items())
    fields = [key, str(STARTED), "45090", "172.18.0.1", "40572", request, status, "256", "239", "5"]
    return "=" + "\t".join([*fields, *variables, "a line for people"])


def line(micro: int, text: str, *, level: str = "http:trace4", hour: int = 13) -> str:
    """Return a line of the error log, so many microseconds after 13:52:53."""
    return f"2026-11-22 {hour}:52:53.{micro:06} {level} {text}"


RECORD = [
    line(356114, "Headers received from client:"),
    line(356115, "  Host: localhost:8080"),
    line(356116, r"  X-Odd: a\\\"b\\\\\\\\c\\t\\xc3\\xa9"),
    line(356117, "  Content-Length: 11"),
    line(356118, "  Content-Type: application/x-www-form-urlencoded"),
    line(392192, "Headers from script 'web_03.py':", level="cgi:trace4"),
    line(392314, "  Content-Type: text/plain", level="cgi:trace4"),
    line(392315, "  Status: 404 Gone Fishing", level="cgi:trace4"),
    line(392316, "  Content-Length: 99", level="cgi:trace4"),
    line(392317, "  Connection: X-Lesson", level="cgi:trace4"),
    line(392318, "  Set-Cookie: a=1", level="cgi:trace4"),
    line(392319, "  Set-Cookie: b=2", level="cgi:trace4"),
    line(392320, "  X-Twice: 1", level="cgi:trace4"),
    line(392321, "  X-Twice: 2", level="cgi:trace4"),
    line(392400, "AH01215: stderr from /srv/cgi-bin/web_03.py: Oops", level="cgi:error"),
    line(392418, "Response sent with status 404, headers:", level="http:trace3"),
    line(392447, "  Date: Sun, 22 Nov 2026 13:52:53 GMT", level="http:trace5"),
    line(392448, "  Server: Apache/2.4.71 (Debian)", level="http:trace5"),
    line(392449, "  Connection: X-Lesson, close"),
    line(392450, "  Set-Cookie: a=1"),
    line(392451, "  Set-Cookie: b=2"),
    line(392452, "  X-Twice: 1, 2"),
    line(392453, "  Transfer-Encoding: chunked"),
    line(392454, "  Content-Type: text/plain"),
]
ONE = exchange([*RECORD, access(status="404")])


def test_the_request() -> None:
    assert (ONE.id, ONE.started, ONE.client) == ("ID", STARTED, ("172.18.0.1", 40572))
    assert (ONE.method, ONE.target, ONE.protocol) == ("POST", "/cgi-bin/web_03.py?age=2", "HTTP/1.1")
    assert ONE.path == "/cgi-bin/web_03.py"
    assert ONE.body_length == 11
    assert ONE.request_headers == [
        Header("Host", "localhost:8080"),
        Header("X-Odd", 'a"b\\\\c\té'),
        Header("Content-Length", "11"),
        Header("Content-Type", "application/x-www-form-urlencoded"),
    ]


def test_the_environment_and_where_each_variable_comes_from() -> None:
    assert ONE.script == "/srv/cgi-bin/web_03.py"
    assert ONE.environment == [
        Variable("CONTENT_LENGTH", "11", Source.REQUEST_HEADERS),
        Variable("CONTENT_TYPE", "application/x-www-form-urlencoded", Source.REQUEST_HEADERS),
        Variable("HTTP_HOST", "localhost:8080", Source.REQUEST_HEADERS),
        Variable("HTTP_X_ODD", 'a"b\\\\c\té', Source.REQUEST_HEADERS),
        Variable("LANG", "C.UTF-8", Source.CONFIGURATION),
        Variable("QUERY_STRING", "age=2", Source.REQUEST_LINE),
        Variable("REMOTE_ADDR", "172.18.0.1", Source.CONNECTION),
        Variable("REQUEST_METHOD", "POST", Source.REQUEST_LINE),
        Variable("SCRIPT_FILENAME", "/srv/cgi-bin/web_03.py", Source.REQUEST_LINE),
        Variable("SERVER_NAME", "localhost", Source.REQUEST_HEADERS),
        Variable("SERVER_SIGNATURE", "", Source.CONFIGURATION),
    ]


def test_what_became_of_what_the_script_printed() -> None:
    assert ONE.printed == [
        Printed("Content-Type", "text/plain", Change.NONE),
        Printed("Status", "404 Gone Fishing", Change.STATUS),
        Printed("Content-Length", "99", Change.DROPPED),
        Printed("Connection", "X-Lesson", Change.CHANGED),
        Printed("Set-Cookie", "a=1", Change.NONE),
        Printed("Set-Cookie", "b=2", Change.NONE),
        Printed("X-Twice", "1", Change.CHANGED),
        Printed("X-Twice", "2", Change.CHANGED),
    ]


def test_who_wrote_what_the_client_received() -> None:
    assert (ONE.status, ONE.bytes_received, ONE.bytes_sent) == (404, 256, 239)
    assert ONE.sent == [
        Sent("Date", "Sun, 22 Nov 2026 13:52:53 GMT", Origin.SERVER),
        Sent("Server", "Apache/2.4.71 (Debian)", Origin.SERVER),
        Sent("Connection", "X-Lesson, close", Origin.SCRIPT, "X-Lesson"),
        Sent("Set-Cookie", "a=1", Origin.SCRIPT),
        Sent("Set-Cookie", "b=2", Origin.SCRIPT),
        Sent("X-Twice", "1, 2", Origin.SCRIPT, "1, 2"),
        Sent("Transfer-Encoding", "chunked", Origin.SERVER),
        Sent("Content-Type", "text/plain", Origin.SCRIPT),
    ]


NORMALISED = [
    ("Content-Type", ["Text/HTML"], "text/html"),
    ("Last-Modified", ["Sunday, 06-Nov-94 08:49:37 GMT"], "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("Vary", ["X", "Y"], "X,Y"),
]


@pytest.mark.parametrize(("name", "values", "value"), NORMALISED)
def test_what_the_server_writes_in_another_way_is_still_the_scripts(name: str, values: list[str], value: str) -> None:
    printed = [line(1, "Headers from script 'a':"), *(line(2, f"  {name}: {one}") for one in values)]
    sent = [line(3, "Response sent with status 200, headers:"), line(4, f"  {name}: {value}")]
    one = exchange([*printed, *sent, access()])

    assert [header.change for header in one.printed] == [Change.CHANGED] * len(values)
    assert one.sent == [Sent(name, value, Origin.SCRIPT, ", ".join(values))]


def test_a_dash_is_a_value_where_a_variable_is_always_there() -> None:
    record = [line(1, "Headers received from client:"), line(2, "  Content-Type: -")]
    one = exchange([*record, access(QUERY_STRING="-", CONTENT_TYPE="-", PATH_INFO="-")])
    seen = {variable.name: variable.value for variable in one.environment}

    assert (seen["QUERY_STRING"], seen["CONTENT_TYPE"], "PATH_INFO" in seen) == ("-", "-", False)


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Date", "Server"])
def test_how_the_bytes_travel_is_the_servers_also_where_both_say_the_same(name: str) -> None:
    printed = [line(1, "Headers from script 'a':"), line(2, f"  {name}: 1")]
    sent = [line(3, "Response sent with status 200, headers:"), line(4, f"  {name}: 1")]
    one = exchange([*printed, *sent, access()])

    assert one.printed == [Printed(name, "1", Change.DROPPED)]
    assert one.sent == [Sent(name, "1", Origin.SERVER)]


def test_the_time_line() -> None:
    assert (ONE.first_header, ONE.response, ONE.end) == (36297, 36401, 45090)
    assert ONE.messages == [Message(36383, "error", "AH01215: stderr from /srv/cgi-bin/web_03.py: Oops")]


@pytest.mark.parametrize("hour", [0, 5, 14, 23], ids="local time {}".format)
def test_the_time_line_in_another_time_zone(hour: int) -> None:
    record = [re.sub(r" 13:", f" {hour:02}:", text) for text in RECORD]

    assert exchange([*record, access()]).response == ONE.response


def test_a_file_has_neither_script_nor_environment() -> None:
    one = exchange([access(SCRIPT_FILENAME="-", request="GET / HTTP/1.1")])

    assert (one.script, one.environment, one.printed, one.first_header, one.response) == (None, [], [], None, None)


@pytest.mark.parametrize(
    ("line_logged", "request_line"),
    [
        pytest.param("GET /cgi-bin/web_02.py", ("GET", "/cgi-bin/web_02.py", ""), id="HTTP/0.9"),
        pytest.param("GARBAGE", ("GARBAGE", "", ""), id="one word"),
        pytest.param("-", ("-", "", ""), id="nothing"),
        pytest.param(r"\x16\x03\x01", ("\x16\x03\x01", "", ""), id="the start of HTTPS"),
        pytest.param(r"GET /\"\\\xff HTTP/1.1", ("GET", '/"\\\\xff', "HTTP/1.1"), id="escapes"),
    ],
)
def test_request_lines(line_logged: str, request_line: tuple[str, str, str]) -> None:
    one = exchange([access(request=line_logged)])

    assert (one.method, one.target, one.protocol) == request_line


ASKED = line(392500, "What was logged?", level="lab:notice")
SAID = line(
    392501, r"explained: It is \"empty\" [1]. [empty-file; exit code 255; 0.5 s of processor time]", level="lab:notice"
)
PAGE = [
    line(392600, "Headers from script 'failure':", level="cgi:trace4"),
    line(392601, "  Content-Type: text/html", level="cgi:trace4"),
    line(392602, "Response sent with status 500, headers:", level="http:trace3"),
    line(392603, "  Content-Type: text/html"),
]


def test_what_the_page_behind_a_failure_prints_is_not_the_scripts() -> None:
    failed = [line(1, "Headers from script 'a':"), line(2, "  Content-Type: text/plain"), line(3, "  no header")]
    one = exchange([*failed, ASKED, SAID, *PAGE, access(status="500")])

    assert one.printed == [Printed("Content-Type", "text/plain", Change.DROPPED)]
    assert one.sent == [Sent("Content-Type", "text/html", Origin.SERVER)]
    assert one.messages == []


def test_what_the_page_behind_a_failure_has_said() -> None:
    one = exchange([ASKED, SAID, access()])

    assert one.explained == Explained("empty-file", 'It is "empty" [1].', "exit code 255; 0.5 s of processor time")


@pytest.mark.parametrize("text", ["explained: ", "explained: x", "explained: x []", "explained: x [A b]", "asked"])
def test_other_words_of_the_lab_are_messages(text: str) -> None:
    one = exchange([line(1, text, level="lab:warn"), access()])

    assert (one.explained, [message.text for message in one.messages]) == (None, [text])


@pytest.mark.parametrize("text", ["What was logged?", "explained: x [empty-file]"])
def test_a_script_cannot_say_what_the_lab_says(text: str) -> None:
    one = exchange([line(1, f"AH01215: stderr from /srv/cgi-bin/a: {text}", level="cgi:error"), *PAGE, access()])

    assert (one.explained, one.sent[0].origin) == (None, Origin.SCRIPT)


# What a script's `Status:` says, what the logs say of it, and what stands on the wire.
STATUSES = [
    pytest.param("204", "204", "204", 204, id="one that httpd knows"),
    pytest.param("777", "777", "777", 777, id="one that nobody knows"),
    pytest.param("20", "20", "20", 500, id="too small"),
    pytest.param("1000", "1000", "1000", 500, id="too large"),
    pytest.param("abc", "0", "-", 500, id="no number"),
    pytest.param("-5", "-5", "-", 500, id="below zero"),
]


@pytest.mark.parametrize(("printed", "traced", "logged", "status"), STATUSES)
def test_the_status_is_the_one_that_httpd_sends(printed: str, traced: str, logged: str, status: int) -> None:
    headers = [line(1, "Headers from script 'a':"), line(2, f"  Status: {printed}")]
    one = exchange([*headers, line(3, f"Response sent with status {traced}, headers:"), access(status=logged)])

    assert one.status == status
    assert [header.change for header in one.printed] == [Change.STATUS if str(status) == printed else Change.DROPPED]


def test_a_status_that_is_none_is_the_500_that_httpd_sends() -> None:
    assert exchange([access(status="-")]).status == 500


OWN_PAGE = "text/html; charset=iso-8859-1"
ELSEWHERE = "Location: http://x/"
# What a script prints, the status, and the origin of the type that the client is sent: first the rows in which httpd
# writes the document itself.
DOCUMENTS = [
    pytest.param(["Content-Type: text/plain", ELSEWHERE], 302, OWN_PAGE, "server", id="a redirect"),
    pytest.param([f"Content-Type: {OWN_PAGE}", ELSEWHERE], 302, OWN_PAGE, "server", id="a redirect, the same type"),
    pytest.param(["Status: 200", f"Content-Type: {OWN_PAGE}", ELSEWHERE], 302, OWN_PAGE, "server", id="after Status"),
    pytest.param(["Content-Type: text/plain"], 500, OWN_PAGE, "server", id="a malformed header"),
    pytest.param(["Content-Type: text/html"], 412, OWN_PAGE, "server", id="a precondition"),
    pytest.param(["Content-Type: text/plain", "Location: /index.html"], 200, "text/html", "server", id="a file"),
    pytest.param(["Content-Type: text/html", "Location: /index.html"], 200, "text/html", "server", id="the same"),
    pytest.param(["Content-Type: text/plain", "Location: /missing"], 404, OWN_PAGE, "server", id="no file"),
    pytest.param(["Status: 404", "Content-Type: text/plain"], 404, "text/plain", "script", id="its own error"),
    pytest.param(["Status: 404", f"Content-Type: {OWN_PAGE}"], 404, OWN_PAGE, "script", id="its own like httpd's"),
    pytest.param(["Status: 404", "Content-Type: Text/HTML;charset=ISO-8859-1"], 404, OWN_PAGE, "script", id="its way"),
    pytest.param(
        ["Status: 302", "Content-Type: text/plain", ELSEWHERE], 302, "text/plain", "script", id="its redirect"
    ),
    pytest.param(["Status: 201", "Content-Type: text/plain", "Location: /new"], 201, "text/plain", "script", id="201"),
    pytest.param(["Status: 20", f"Content-Type: {OWN_PAGE}"], 500, OWN_PAGE, "script", id="a status that is none"),
    pytest.param([f"Content-Type: {OWN_PAGE}"], 200, OWN_PAGE, "script", id="a page of that type"),
]


@pytest.mark.parametrize(("printed", "status", "sent", "origin"), DOCUMENTS)
def test_the_type_is_of_whoever_wrote_the_document(printed: list[str], status: int, sent: str, origin: str) -> None:
    traced = 20 if "Status: 20" in printed else status
    record = [
        line(1, "Headers from script 'a':"),
        *(line(2, f"  {header}") for header in [*printed, "X-A: b"]),
        line(3, f"Response sent with status {traced}, headers:"),
        line(4, "  X-A: b"),
        line(5, f"  Content-Type: {sent}"),
    ]
    one = exchange([*record, access(status=str(traced))])

    changes = {header.name: header.change for header in one.printed}
    assert (one.status, [header.origin.value for header in one.sent]) == (status, ["script", origin])
    assert (changes["Content-Type"] == Change.DROPPED) == (origin == "server")
    assert changes["X-A"] == Change.NONE


def test_after_a_local_redirect_the_type_is_the_last_scripts() -> None:
    first = [line(1, "Headers from script 'a':"), line(2, "  Content-Type: text/html"), line(3, "  Location: /b")]
    second = [line(4, "Headers from script 'b':"), line(5, "  Content-Type: text/plain")]
    sent = [line(6, "Response sent with status 200, headers:"), line(7, "  Content-Type: text/plain")]
    one = exchange([*first, *second, *sent, access()])

    assert [header.change for header in one.printed] == [Change.DROPPED, Change.DROPPED, Change.NONE]
    assert one.sent == [Sent("Content-Type", "text/plain", Origin.SCRIPT)]


READ = line(1, "Headers received from client:")
ANSWERED = line(3, "Response sent with status 200, headers:")


@pytest.mark.parametrize(
    ("headers", "chunked", "length"),
    [
        pytest.param(["Transfer-Encoding: chunked"], True, None, id="chunked"),
        pytest.param(["transfer-encoding: gzip, Chunked"], True, None, id="the last of two"),
        pytest.param(["Transfer-Encoding: chunked", "Content-Length: 3"], True, None, id="with a length too"),
        pytest.param(["Content-Length: 3"], False, 3, id="a length"),
        pytest.param(["X-Transfer-Encoding: chunked"], False, None, id="another header"),
        pytest.param([], False, None, id="no body"),
    ],
)
def test_a_body_whose_length_was_not_announced(headers: list[str], chunked: bool, length: int | None) -> None:
    one = exchange([READ, *(line(2, f"  {header}") for header in headers), access()])

    assert (one.chunked, one.body_length) == (chunked, length)


@pytest.mark.parametrize(
    ("script", "logged", "nph"),
    [
        pytest.param("/srv/cgi-bin/nph-a.py", [], True, id="nph-"),
        pytest.param("/srv/cgi-bin/nph-a.py", [ANSWERED], False, id="httpd has answered in its place"),
        pytest.param("/srv/cgi-bin/a.py", [], False, id="HTTP/0.9, an answer without headers"),
        pytest.param("/srv/nph-bin/a.py", [], False, id="a folder of that name"),
        pytest.param("-", [], False, id="no script"),
    ],
)
def test_a_script_that_writes_the_whole_answer_by_itself(script: str, logged: list[str], nph: bool) -> None:
    assert exchange([READ, *logged, access(SCRIPT_FILENAME=script)]).nph == nph


@pytest.mark.parametrize(
    ("logged", "status", "script", "incomplete"),
    [
        pytest.param([READ, ANSWERED], "200", "/a", False, id="whole"),
        pytest.param([READ], "200", "/a", False, id="HTTP/0.9"),
        pytest.param([ANSWERED], "200", "/a", True, id="the beginning is lost"),
        pytest.param([], "200", "-", True, id="all is lost, of a file"),
        pytest.param([], "404", "-", True, id="all is lost, of nothing"),
        pytest.param([], "400", "-", False, id="what httpd refuses before it has read it"),
        pytest.param([], "400", "/a", True, id="a script that says so itself"),
    ],
)
def test_what_was_logged_is_incomplete(logged: list[str], status: str, script: str, incomplete: bool) -> None:
    assert exchange([*logged, access(status=status, SCRIPT_FILENAME=script)]).incomplete == incomplete


def test_the_size_of_the_body() -> None:
    assert ONE.body_sent == 5


def test_a_request_without_an_id_is_named_by_time_and_process() -> None:
    assert exchange([access(key="-/12")]).id == f"{STARTED}-12"


@pytest.mark.parametrize(
    "name", ["Authorization", "Proxy-Authorization", "Proxy", "X_Under", "X.Dot", "Content-Type", "Content-Length"]
)
def test_headers_that_become_no_http_variable(name: str) -> None:
    record = [line(1, "Headers received from client:"), line(2, f"  {name}: a"), access()]

    assert [variable for variable in exchange(record).environment if variable.name.startswith("HTTP_")] == []


FORGED = [
    "Response sent with status 200, headers:",
    "  Set-Cookie: forged=1",
    "Headers received from client:",
    access(),
]


@pytest.mark.parametrize("text", FORGED)
def test_a_script_that_writes_log_lines_on_stderr_forges_nothing(text: str) -> None:
    forged = line(392401, f"AH01215: stderr from /srv/cgi-bin/web_03.py: {text}", level="cgi:error")
    one = exchange([*RECORD[:15], forged, *RECORD[15:], access(status="404")])

    assert (one.sent, one.request_headers) == (ONE.sent, ONE.request_headers)
    assert len(one.messages) == 2


@pytest.mark.parametrize(
    "last",
    ["", "=", "ID/12\t1", line(1, "Headers received from client:"), access()[1:], access(status="20x"), "=\t" * 20],
)
def test_what_does_not_end_with_a_line_of_the_access_log_is_no_record(last: str) -> None:
    with pytest.raises(NotARecordError):
        exchange([*RECORD, last])


@given(strategies.lists(strategies.text(strategies.characters(max_codepoint=255), max_size=80), max_size=30))
def test_arbitrary_lines_never_stop_it(lines: list[str]) -> None:
    one = exchange([*lines, access()])

    assert (one.id, one.status, one.method) == ("ID", 200, "POST")


@given(strategies.text(strategies.characters(max_codepoint=255), max_size=300))
def test_an_arbitrary_last_line_is_an_exchange_or_none(last: str) -> None:
    with suppress(NotARecordError):
        assert exchange([last]).status >= 0


@given(strategies.binary(max_size=60))
def test_unescape_is_the_inverse_of_httpds_escape(value: bytes) -> None:
    named = {8: r"\b", 9: r"\t", 10: r"\n", 11: r"\v", 13: r"\r", 34: r"\"", 92: "\\\\"}
    escaped = "".join(named.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in value)

    assert unescape(escaped) == value.decode("utf-8", errors="backslashreplace")


# --- A page that PHP runs --------------------------------------------------------------------------

OF_PHP = [
    line(356114, "Headers received from client:"),
    line(356115, "  Host: localhost:8080"),
    line(356200, "canonicalising URL //php/srv/www/a.php", level="proxy_fcgi:trace1"),
    line(356201, "AH01060: set r->filename to proxy:fcgi://php/srv/www/a.php", level="proxy_fcgi:debug"),
    line(356202, "AH01076: url: fcgi://php/srv/www/a.php proxyname: (null) proxyport: 0", level="proxy_fcgi:debug"),
    line(392192, "AH01071: Got error 'PHP message: PHP Warning:  a\\nb'", level="proxy_fcgi:error"),
    line(392193, "Headers from script 'a.php':", level="proxy_fcgi:trace4"),
    line(392314, "  X-Powered-By: PHP/8.4.28", level="proxy_fcgi:trace4"),
    line(392315, "  Content-type: text/html; charset=UTF-8", level="proxy_fcgi:trace4"),
    line(392418, "Response sent with status 200, headers:", level="http:trace3"),
    line(392447, "  Date: Sun, 22 Nov 2026 13:52:53 GMT", level="http:trace5"),
    line(392448, "  X-Powered-By: PHP/8.4.28"),
    line(392449, "  Content-Type: text/html; charset=UTF-8"),
]
PAGE_OF_PHP = exchange(
    [*OF_PHP, access(request="GET /a.php HTTP/1.1", SCRIPT_FILENAME="proxy:fcgi://php/srv/www/a.php")]
)


def test_a_page_of_php_has_the_path_that_php_is_given() -> None:
    given = {variable.name: variable.value for variable in PAGE_OF_PHP.environment}

    assert PAGE_OF_PHP.script == given["SCRIPT_FILENAME"] == "/srv/www/a.php"


def test_the_headers_of_php_are_told_apart_from_the_servers() -> None:
    assert PAGE_OF_PHP.printed == [
        Printed("X-Powered-By", "PHP/8.4.28", Change.NONE),
        Printed("Content-type", "text/html; charset=UTF-8", Change.NONE),
    ]
    assert PAGE_OF_PHP.sent == [
        Sent("Date", "Sun, 22 Nov 2026 13:52:53 GMT", Origin.SERVER),
        Sent("X-Powered-By", "PHP/8.4.28", Origin.SCRIPT),
        Sent("Content-Type", "text/html; charset=UTF-8", Origin.SCRIPT),
    ]


def test_what_httpd_does_for_php_is_no_message() -> None:
    assert PAGE_OF_PHP.messages == [Message(36175, "error", "AH01071: Got error 'PHP message: PHP Warning:  a\nb'")]


def test_what_a_script_has_printed_may_be_logged_in_the_middle_of_what_is_sent() -> None:
    """The forkserver logs by itself, and httpd goes on meanwhile."""
    own = [one for one in RECORD if "cgi:trace4" in one]
    others = [one for one in RECORD if "cgi:trace4" not in one]
    expected = exchange([*RECORD, access()])
    response = next(place for place, one in enumerate(others) if "Response sent" in one)
    for place in range(response, len(others) + 1):
        found = exchange([*others[:place], *own, *others[place:], access()])
        assert (found.printed, found.sent) == (expected.printed, expected.sent)
