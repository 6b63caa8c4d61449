"""The environment that a script is given: what CGI and httpd promise, and what the client adds by what it sends."""

import http.client
import os
import re
import subprocess
from collections.abc import Callable

import pytest
import requests

from tests.support.running_lab import RunningLab
from tests.support.wire import send

# RFC 3875, section 4.1, as far as a request without a body and without a log-in has them.
RFC_3875 = {
    "GATEWAY_INTERFACE",
    "QUERY_STRING",
    "REMOTE_ADDR",
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "SERVER_SOFTWARE",
}

# What httpd adds of itself: ap_add_common_vars and ap_add_cgi_vars, and mod_unique_id.
HTTPD = {
    "CONTEXT_DOCUMENT_ROOT",
    "CONTEXT_PREFIX",
    "DOCUMENT_ROOT",
    "PATH",
    "REMOTE_PORT",
    "REQUEST_SCHEME",
    "REQUEST_URI",
    "SCRIPT_FILENAME",
    "SERVER_ADDR",
    "SERVER_ADMIN",
    "SERVER_SIGNATURE",
    "UNIQUE_ID",
}

# The directive PassEnv.
CONFIGURED = {"LANG", "TZ"}

PATH = "/cgi-bin/web_04.py"


def environment(document: str) -> dict[str, str]:
    """Take what web_04.py sends apart: NAME : value, a line each."""
    matches = [re.fullmatch(r"(\w+) : (.*)", line) for line in document.splitlines()]
    assert all(matches), document
    names = [match[1] for match in matches if match]
    assert len(names) == len(set(names)), "a variable came twice"
    return {match[1]: match[2] for match in matches if match}


def by_http_client(lab: RunningLab) -> str:
    connection = http.client.HTTPConnection("localhost", lab.port, timeout=10)
    connection.request("GET", PATH)
    document = connection.getresponse().read().decode()
    connection.close()
    return document


def by_requests(lab: RunningLab) -> str:
    return requests.get(lab.url + PATH, timeout=10).text


def by_curl(lab: RunningLab) -> str:
    command = ["curl", "--silent", "--max-time", "10", lab.url + PATH]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def by_browser(lab: RunningLab) -> str:
    """Send what Firefox sends when one types an address."""
    answer = send(
        lab.port,
        f"GET {PATH} HTTP/1.1",
        f"Host: localhost:{lab.port}",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Language: en-US,en;q=0.5",
        "Accept-Encoding: gzip, deflate, br, zstd",
        "Connection: close",
        "Upgrade-Insecure-Requests: 1",
        "Sec-Fetch-Dest: document",
        "Sec-Fetch-Mode: navigate",
        "Sec-Fetch-Site: none",
        "Sec-Fetch-User: ?1",
        "Priority: u=0, i",
    )
    body = answer.body
    if "Transfer-Encoding" in answer.names():
        body = b"".join(re.split(rb"(?:\A|\r\n)[0-9a-f]+\r\n", body)).rstrip(b"\r\n")
    return body.decode()


# Which variables come from the client's request headers, and so tell something about the client.
CLIENTS = [
    pytest.param(by_http_client, {"HTTP_HOST", "HTTP_ACCEPT_ENCODING"}, id="http.client says nothing about itself"),
    pytest.param(
        by_requests,
        {"HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT", "HTTP_CONNECTION"},
        id="requests",
    ),
    pytest.param(by_curl, {"HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT"}, id="curl"),
    pytest.param(
        by_browser,
        {
            "HTTP_HOST",
            "HTTP_USER_AGENT",
            "HTTP_ACCEPT",
            "HTTP_ACCEPT_LANGUAGE",
            "HTTP_ACCEPT_ENCODING",
            "HTTP_CONNECTION",
            "HTTP_UPGRADE_INSECURE_REQUESTS",
            "HTTP_SEC_FETCH_DEST",
            "HTTP_SEC_FETCH_MODE",
            "HTTP_SEC_FETCH_SITE",
            "HTTP_SEC_FETCH_USER",
            "HTTP_PRIORITY",
        },
        id="a browser says most",
    ),
]


@pytest.mark.parametrize(("client", "variables"), CLIENTS)
def test_the_variables_are_those_promised_and_those_of_the_clients_headers(
    lab: RunningLab, client: Callable[[RunningLab], str], variables: set[str]
) -> None:
    assert set(environment(client(lab))) == RFC_3875 | HTTPD | CONFIGURED | variables


def test_the_values(lab: RunningLab) -> None:
    seen = environment(by_http_client(lab))
    # Requests arrive through this network, in which the port is published.
    network = lab.container.attrs["NetworkSettings"]["Networks"][f"{lab.compose.project}_default"]

    assert re.fullmatch(r"\d+", seen.pop("REMOTE_PORT"))
    assert re.fullmatch(r"[\w@-]{27}", seen.pop("UNIQUE_ID"))
    assert seen == {
        "CONTEXT_DOCUMENT_ROOT": "/srv/cgi-bin/",
        "CONTEXT_PREFIX": "/cgi-bin/",
        "DOCUMENT_ROOT": "/srv/www",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "HTTP_ACCEPT_ENCODING": "identity",
        "HTTP_HOST": f"localhost:{lab.port}",
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "QUERY_STRING": "",
        "REMOTE_ADDR": network["Gateway"],
        "REQUEST_METHOD": "GET",
        "REQUEST_SCHEME": "http",
        "REQUEST_URI": PATH,
        "SCRIPT_FILENAME": "/srv/cgi-bin/web_04.py",
        "SCRIPT_NAME": PATH,
        "SERVER_ADDR": network["IPAddress"],
        "SERVER_ADMIN": "admin@localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": str(lab.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SIGNATURE": "",
        "SERVER_SOFTWARE": lab.compose.execute("apache2", "-v").splitlines()[0].removeprefix("Server version: "),
        "TZ": lab.compose.settings.get("TZ") or os.environ.get("TZ") or "UTC",
    }


# One request each, over HTTP/1.0 so that the body is the document; and the variables that differ by it.
DIFFERENCES = [
    pytest.param(
        ["GET /cgi-bin/web_04.py HTTP/1.0"],
        {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": None, "SERVER_PROTOCOL": "HTTP/1.0"},
        id="no Host: the server's own name and port",
    ),
    pytest.param(
        ["GET /cgi-bin/web_04.py HTTP/1.0", "Host: example.org"],
        {"SERVER_NAME": "example.org", "SERVER_PORT": "80", "HTTP_HOST": "example.org"},
        id="Host decides SERVER_NAME and SERVER_PORT, 80 as in the chapter",
    ),
    pytest.param(
        ["GET /cgi-bin/web_04.py/a/b%20c?x=%20+&y HTTP/1.0"],
        {
            "PATH_INFO": "/a/b c",
            "PATH_TRANSLATED": "/srv/www/a/b c",
            "QUERY_STRING": "x=%20+&y",
            "REQUEST_URI": "/cgi-bin/web_04.py/a/b%20c?x=%20+&y",
            "SCRIPT_NAME": "/cgi-bin/web_04.py",
        },
        id="PATH_INFO is decoded, QUERY_STRING is not",
    ),
    pytest.param(
        ["GET /cgi-bin/web_04.py?:/?@!$&'()*+,;= HTTP/1.0"],
        {"QUERY_STRING": ":/?@!$&'()*+,;="},
        id="every reserved character that a query string may hold",
    ),
    pytest.param(
        ["GET /cgi-bin/web_04.py HTTP/1.0", "X-Lesson: 12.3", "X-Lesson: again"],
        {"HTTP_X_LESSON": "12.3, again"},
        id="an unknown header, sent twice",
    ),
    pytest.param(["GET /cgi-bin/web_04.py HTTP/1.0", "Cookie: a=1; b=2"], {"HTTP_COOKIE": "a=1; b=2"}, id="a cookie"),
    pytest.param(
        ["GET /cgi-bin/web_04.py HTTP/1.0", "Proxy: http://evil.example/"],
        {"HTTP_PROXY": None},
        id="Proxy never becomes HTTP_PROXY (httpoxy)",
    ),
    pytest.param(
        ["GET /cgi-bin/web_04.py HTTP/1.0", "Authorization: Basic YTpi"],
        {"HTTP_AUTHORIZATION": None, "REMOTE_USER": None},
        id="a password is not handed to scripts (CGIPassAuth is off)",
    ),
    pytest.param(
        ["GET /cgi-bin/web_04.py HTTP/1.0", "X-Under_score: a", "X.Dot: b"],
        {"HTTP_X_UNDER_SCORE": None, "HTTP_X_DOT": None},
        id="a header name with other characters than letters, digits and - is dropped",
    ),
    pytest.param(
        ["POST /cgi-bin/web_04.py HTTP/1.0", "Content-Type: a/b", "Content-Length: 0"],
        {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "a/b", "CONTENT_LENGTH": "0", "HTTP_CONTENT_TYPE": None},
        id="Content-Type and Content-Length lose their HTTP_",
    ),
]


@pytest.mark.parametrize(("lines", "expected"), DIFFERENCES)
def test_what_a_request_changes(lab: RunningLab, lines: list[str], expected: dict[str, str | None]) -> None:
    seen = environment(send(lab.port, *lines).body.decode())

    assert {name: seen.get(name) for name in expected} == expected


def test_started_by_hand_the_environment_is_another(lab: RunningLab) -> None:
    """The chapter's remark: depending on the execution context, the environment is not the same."""
    by_hand = environment(lab.compose.execute("./web_04.py").partition("\n\n")[2])

    assert set(by_hand) & (RFC_3875 | HTTPD | CONFIGURED) == {"PATH"} | CONFIGURED
