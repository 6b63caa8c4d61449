"""What the lab shows of an exchange is what happened: compared with the wire, and with the script's own word."""

import http.client
import itertools
import re
import subprocess
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser

from tests.support.recorded import recorded
from tests.support.running_lab import RunningLab
from tests.support.wire import send

marks = itertools.count()

BROWSER = [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Sec-Fetch-User: ?1",
]

GET = "GET /cgi-bin/web_04.py?{} HTTP/1.0"

# The request line, in which {} stands for a mark, and the headers. Over HTTP/1.0, so that the body is the document.
REQUESTS = [
    pytest.param([GET], id="no header at all"),
    pytest.param([GET, "Host: localhost", "Accept-Encoding: identity"], id="http.client"),
    pytest.param(
        [GET, "Host: localhost:8080", "User-Agent: curl/8.14", "Accept: */*"],
        id="curl",
    ),
    pytest.param([GET, "Host: localhost:8080", *BROWSER], id="a browser"),
    pytest.param([GET, "X-A: 1", "X-A: 2", "x-a: 3"], id="a repeated header"),
    pytest.param([GET, "X-Unknown: yes", "X-Empty:"], id="unknown and empty headers"),
    pytest.param(["GET /cgi-bin/web_04.py/a/b%20c/%C3%A9?{} HTTP/1.0"], id="PATH_INFO"),
    pytest.param(["GET /cgi-bin/web_04.py?{}:/?@!$&'()*+,;=%20%22[] HTTP/1.0"], id="every reserved character"),
    pytest.param([GET, 'X-Odd: "quoted" \\back\\slash\ttab'], id="quotes and tabs"),
    pytest.param([GET, "X-Odd: \xc3\xa9\xe2\x82\xac"], id="UTF-8"),
    pytest.param([GET, "X-Dash: -", "Referer: -"], id="values that are a dash"),
    pytest.param(
        [GET, "X_Under: 1", "X.Dot: 2", "Proxy: 3", "Range: bytes=0-"],
        id="headers that are withheld from scripts",
    ),
    pytest.param([GET, "X-Long: " + "x" * 7000], id="a long header"),
    pytest.param(["POST /cgi-bin/web_04.py?{} HTTP/1.0", "Content-Type: a/b", "Content-Length: 0"], id="POST"),
    pytest.param(["DELETE /cgi-bin/web_04.py?{} HTTP/1.0"], id="DELETE"),
]


@pytest.mark.parametrize("lines", REQUESTS)
def test_the_environment_shown_is_the_one_that_the_script_was_given(lab: RunningLab, lines: list[str]) -> None:
    mark = f"environment-{next(marks)}"
    answer = send(lab.port, lines[0].replace("{}", mark), *lines[1:])
    printed = re.findall(r"^(\w+) : (.*)$", answer.body.decode(), re.MULTILINE)
    exchange = recorded(lab, mark)

    assert answer.status == 200
    assert {variable["name"]: variable["value"] for variable in exchange["environment"]} == dict(printed)


SERVER = "server"
SCRIPT = "script"

# What a script prints, and the origin of each header that the client receives, besides the server's own.
OUTPUTS = [
    pytest.param(b"Content-Type: text/plain\n\nx", {"Content-Type": SCRIPT}, id="Content-Type"),
    pytest.param(b"CONTENT-type: text/plain\n\nx", {"Content-Type": SCRIPT}, id="folded case"),
    pytest.param(b"X-A: b\n\nx", {"Content-Type": SERVER, "X-A": SCRIPT}, id="no Content-Type"),
    pytest.param(b"Status: 404 Gone Fishing\nContent-Type: text/plain\n\nx", {"Content-Type": SCRIPT}, id="Status"),
    pytest.param(
        b"Status: 302 Found\nLocation: http://localhost/\nContent-Type: text/plain\n\n",
        {"Content-Type": SCRIPT, "Location": SCRIPT},
        id="Location",
    ),
    pytest.param(
        b"Content-Type: text/plain\nDate: yesterday\nServer: me\n\nx", {"Content-Type": SCRIPT}, id="Date and Server"
    ),
    pytest.param(
        b"Content-Type: text/plain\nConnection: X-Lesson\n\nx",
        {"Content-Type": SCRIPT, "Connection": SCRIPT},
        id="Connection",
    ),
    pytest.param(
        b"Content-Type: text/plain\nX-A: 1\nX-A: 2\n\nx", {"Content-Type": SCRIPT, "X-A": SCRIPT}, id="duplicates"
    ),
    pytest.param(
        b"Content-Type: text/plain\nContent-Length: 1\n\nx", {"Content-Type": SCRIPT}, id="a right Content-Length"
    ),
    pytest.param(
        b"Content-Type: text/plain\nContent-Length: 9\n\nx", {"Content-Type": SCRIPT}, id="a wrong Content-Length"
    ),
    pytest.param(b"Content-Type: text/plain\nX-A:\n\nx", {"Content-Type": SCRIPT, "X-A": SCRIPT}, id="an empty value"),
    pytest.param(
        b"Content-Type: text/plain\n" + b"".join(b"X-%d: %d\n" % (n, n) for n in range(100)) + b"\nx",
        {"Content-Type": SCRIPT, **{f"X-{n}": SCRIPT for n in range(100)}},
        id="100 headers",
    ),
    pytest.param(
        b'Content-Type: text/plain\nX-Odd: "a\\b" \xc3\xa9\n\nx',
        {"Content-Type": SCRIPT, "X-Odd": SCRIPT},
        id="quotes, backslash and UTF-8",
    ),
    pytest.param(b"Status: 20\nContent-Type: text/plain\n\nx", {"Content-Type": SCRIPT}, id="a status that is none"),
    pytest.param(b"Status: abc\nContent-Type: text/plain\n\nx", {"Content-Type": SCRIPT}, id="no number for a status"),
    pytest.param(
        b"Content-Type: text/plain\nX-A: b\nLocation: http://x/\n\nx",
        {"Content-Type": SERVER, "X-A": SCRIPT, "Location": SCRIPT},
        id="a redirect, of which httpd writes the page",
    ),
    pytest.param(
        b"Content-Type: text/html; charset=iso-8859-1\nLocation: http://x/\n\nx",
        {"Content-Type": SERVER, "Location": SCRIPT},
        id="a redirect and the type of httpd's pages",
    ),
    pytest.param(
        b"Content-Type: text/plain\nX-A: b\nLocation: /missing\n\nx",
        {"Content-Type": SERVER, "X-A": SCRIPT},
        id="a local redirect to nothing",
    ),
    pytest.param(
        b"Status: 412\nContent-Type: text/plain\n\nx", {"Content-Type": SCRIPT}, id="an error that the script tells"
    ),
]


@pytest.mark.parametrize(("output", "origins"), OUTPUTS)
def test_who_wrote_each_header(lab: RunningLab, output: bytes, origins: dict[str, str]) -> None:
    mark = f"origins-{next(marks)}"
    length = f"Content-Length: {len(output)}"
    answer = send(
        lab.port, f"POST /cgi-bin/output.py?{mark} HTTP/1.1", "Host: a", "Connection: close", length, body=output
    )
    exchange = recorded(lab, mark)
    wire = {(name, value.encode("latin-1").decode()) for name, value in answer.headers}
    printed = output.partition(b"\n\n")[0].decode().splitlines()
    framing = answer.names() & {"Content-Length", "Transfer-Encoding"}

    assert exchange["status"] == answer.status
    assert {(header["name"], header["value"]) for header in exchange["sent"]} == wire
    assert [
        f"{header['name']}:{' ' * bool(header['value'])}{header['value']}" for header in exchange["printed"]
    ] == printed
    assert {header["name"]: header["origin"] for header in exchange["sent"]} == {
        "Connection": SERVER,
        "Date": SERVER,
        "Server": SERVER,
        **dict.fromkeys(framing, SERVER),
        **origins,
    }


def test_what_the_server_changed_is_shown_with_what_was_printed(lab: RunningLab) -> None:
    output = (
        b"Content-Type: text/plain\nStatus: 201\nConnection: X-Lesson\nX-A: 1\nX-A: 2\n"
        b"Server: me\nContent-Length: 9\n\nx"
    )
    send(lab.port, "POST /cgi-bin/output.py?changed-1 HTTP/1.0", f"Content-Length: {len(output)}", body=output)
    exchange = recorded(lab, "changed-1")

    assert [(header["name"], header["change"]) for header in exchange["printed"]] == [
        ("Content-Type", "sent as printed"),
        ("Status", "became the status line"),
        ("Connection", "changed"),
        ("X-A", "changed"),
        ("X-A", "changed"),
        ("Server", "dropped"),
        ("Content-Length", "dropped"),
    ]
    assert {header["name"]: header["printed"] for header in exchange["sent"] if header["printed"]} == {
        "Connection": "X-Lesson",
        "X-A": "1, 2",
    }


def test_the_time_line_is_in_order(lab: RunningLab) -> None:
    send(lab.port, "GET /cgi-bin/web_02.py?timeline-1 HTTP/1.0")
    exchange = recorded(lab, "timeline-1")

    assert 0 < exchange["first_header"] <= exchange["response"] <= exchange["end"]


def test_a_request_that_the_server_refuses_is_recorded_too(lab: RunningLab) -> None:
    send(lab.port, "GET /refused-1 HTTP/1.1")
    exchange = recorded(lab, "refused-1")

    assert (exchange["status"], exchange["script"], exchange["environment"]) == (400, None, [])


def test_what_the_script_wrote_on_stderr_is_with_its_exchange(lab: RunningLab) -> None:
    send(lab.port, "POST /cgi-bin/output.py?stderr-1 HTTP/1.0")
    exchange = recorded(lab, "stderr-1")

    assert exchange["status"] == 500
    assert [message["text"].rpartition(": ")[2] for message in exchange["messages"]][-2:] == [
        "'CONTENT_LENGTH'",
        "output.py",
    ]


def by_http_client(url: str) -> str:
    """Ask with the standard library."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    document = connection.getresponse().read().decode()
    connection.close()
    return document


def by_curl(url: str) -> str:
    """Ask with curl."""
    return subprocess.run(["curl", "-s", "-m", "10", url], capture_output=True, text=True, check=True).stdout


def by_requests(url: str) -> str:
    """Ask with the library requests."""
    return requests.get(url, timeout=10).text


def assert_the_environment_is_shown(lab: RunningLab, client: Callable[[str], str]) -> None:
    """Ask for the environment, and compare what the service printed with what was recorded."""
    mark = f"client-{next(marks)}"
    printed = re.findall(r"^(\w+) : (.*)$", client(f"{lab.url}/cgi-bin/web_04.py?{mark}"), re.MULTILINE)
    exchange = recorded(lab, mark)

    assert {variable["name"]: variable["value"] for variable in exchange["environment"]} == dict(printed)


@pytest.mark.parametrize("client", [by_http_client, by_requests, by_curl])
def test_the_environment_shown_for_a_real_client(lab: RunningLab, client: Callable[[str], str]) -> None:
    assert_the_environment_is_shown(lab, client)


def test_the_environment_shown_for_a_real_browser(lab: RunningLab, browser: Browser) -> None:
    def by_chromium(url: str) -> str:
        with closing(browser.new_context()) as context:
            response = context.new_page().goto(url)
            assert response is not None
            return response.text()

    assert_the_environment_is_shown(lab, by_chromium)
