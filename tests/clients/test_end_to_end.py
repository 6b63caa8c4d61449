"""The clients against the running lab: what they show is the chapter's transcript, in the words of Python 3."""

import re
from pathlib import Path
from typing import Protocol

import pytest
from requests.utils import default_headers

from tests.clients.programs import SENTENCE, programs, run


class Lab(Protocol):
    """What these tests need of the running lab: its address."""

    url: str


# What differs from run to run: the day, the release of httpd, and what Docker assigns.
MASKS = [
    (r"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$", "Date: DATE"),
    (r"Apache/2\.4\.\d+ \(Debian\)$", "Apache/VERSION"),
    (r"^\d\d/\d\d/\d\d \d\d:\d\d:\d\d$", "dd/mm/yy HH:MM:SS"),
    (r"(Day|Month|Year|Hours|Minutes|Seconds)=\d\d\b", r"\1=NN"),
    (r"^(REMOTE_ADDR|SERVER_ADDR) : [0-9a-f.:]+$", r"\1 : ADDRESS"),
    (r"^REMOTE_PORT : \d+$", "REMOTE_PORT : PORT"),
    (r"^TZ : \S+$", "TZ : ZONE"),
    (r"^UNIQUE_ID : [\w@-]{27}$", "UNIQUE_ID : ID"),
]

LIBRARY_HEADERS = {
    "http_client": {"Accept-Encoding": "identity"},
    "requests": {name: str(value) for name, value in default_headers().items()},
}


def shown_by(program: Path, lab: Lab) -> list[str]:
    """Run a program against the lab, and return the lines of its output with what differs from run to run masked."""
    finished = run(program, lab.url)
    assert (finished.stderr, finished.returncode) == ("", 0)
    port = lab.url.rpartition(":")[2]
    lines = finished.stdout.replace(f"localhost:{port}", "localhost:PORT").split("\n")
    masks = [*MASKS, (rf"^SERVER_PORT : {port}$", "SERVER_PORT : PORT")]
    for pattern, mask in masks:
        lines = [re.sub(pattern, mask, line) for line in lines]
    return lines


def without_framing(lines: list[str], size: int) -> list[str]:
    """Take out the one header that says where the content ends.

    httpd counts the content and sends its size where the script has ended by the time that its output is passed on;
    otherwise it sends chunks. Which of the two is a matter of milliseconds, for the same script.
    """
    framing = [line for line in lines if line.startswith(("header: Content-Length:", "header: Transfer-Encoding:"))]
    assert framing in (["header: Transfer-Encoding: chunked"], [f"header: Content-Length: {size}"])
    return [line for line in lines if line not in framing]


def sent(program: Path, request_line: str, **headers: str) -> str:
    """Return the log of a request's head, with the headers that the program's library adds by itself."""
    every = {"Host": "localhost:PORT", **LIBRARY_HEADERS[program.parent.name], **headers}
    head = "\r\n".join([request_line, *(f"{name}: {value}" for name, value in every.items()), "", ""])
    return f"send: {head.encode()!r}"


def received(program: Path) -> list[str]:
    """Return the log of the answer's head, but for the header that says where the content ends."""
    # httpd speaks of keeping the connection only to a client that speaks of it, as requests does.
    kept = ["header: Keep-Alive: timeout=5, max=100", "header: Connection: Keep-Alive"]
    return [
        "reply: 'HTTP/1.1 200 OK\\r\\n'",
        "header: Date: DATE",
        "header: Server: Apache/VERSION",
        *(kept if program.parent.name == "requests" else []),
        "header: Content-Type: text/plain",
    ]


@pytest.mark.parametrize("program", programs("client_web_02.py"))
def test_client_web_02_shows_the_chapters_transcript(program: Path, lab: Lab) -> None:
    size = len("dd/mm/yy HH:MM:SS\n")
    assert without_framing(shown_by(program, lab), size) == [
        sent(program, "GET /cgi-bin/web_02.py HTTP/1.1"),
        *received(program),
        "------",
        "dd/mm/yy HH:MM:SS",
        "-----",
        "",
        "Day=NN,Month=NN,Year=NN,Hours=NN,Minutes=NN,Seconds=NN",
        "",
    ]


@pytest.mark.parametrize("program", programs("client_web_02.py"))
def test_client_web_02_takes_apart_what_it_received(program: Path, lab: Lab) -> None:
    lines = run(program, lab.url).stdout.splitlines()
    content = lines[lines.index("------") + 1]
    assert re.findall(r"\d\d", lines[-1]) == re.findall(r"\d\d", content)


@pytest.mark.parametrize("program", programs("client_web_03_get.py"))
def test_client_web_03_get_shows_the_chapters_transcript(program: Path, lab: Lab) -> None:
    url = "/cgi-bin/web_03.py?last_name=de+la+Huche&first_name=Jean-Paul&age=42"
    assert without_framing(shown_by(program, lab), len(SENTENCE) + 1) == [
        sent(program, f"GET {url} HTTP/1.1"),
        *received(program),
        SENTENCE,
        "",
    ]


@pytest.mark.parametrize("program", programs("client_web_03_post.py"))
def test_client_web_03_post_shows_the_chapters_transcript(program: Path, lab: Lab) -> None:
    form = {"Content-Length": "49", "Content-Type": "application/x-www-form-urlencoded"}
    assert without_framing(shown_by(program, lab), len(SENTENCE) + 1) == [
        sent(program, "POST /cgi-bin/web_03.py HTTP/1.1", **form),
        "send: b'last_name=de+la+Huche&first_name=Jean-Paul&age=42'",
        *received(program),
        SENTENCE,
        "",
    ]


@pytest.mark.parametrize("program", programs("client_web_04.py"))
def test_client_web_04_shows_the_whole_environment(program: Path, lab: Lab) -> None:
    headers = {"Host": "localhost:PORT", **LIBRARY_HEADERS[program.parent.name]}
    environment = {
        "CONTEXT_DOCUMENT_ROOT": "/srv/cgi-bin/",
        "CONTEXT_PREFIX": "/cgi-bin/",
        "DOCUMENT_ROOT": "/srv/www",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "QUERY_STRING": "",
        "REMOTE_ADDR": "ADDRESS",
        "REMOTE_PORT": "PORT",
        "REQUEST_METHOD": "GET",
        "REQUEST_SCHEME": "http",
        "REQUEST_URI": "/cgi-bin/web_04.py",
        "SCRIPT_FILENAME": "/srv/cgi-bin/web_04.py",
        "SCRIPT_NAME": "/cgi-bin/web_04.py",
        "SERVER_ADDR": "ADDRESS",
        "SERVER_ADMIN": "admin@localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "PORT",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SIGNATURE": "",
        "SERVER_SOFTWARE": "Apache/VERSION",
        "TZ": "ZONE",
        "UNIQUE_ID": "ID",
        # Each header that the client sent is a variable (RFC 3875, section 4.1.18).
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    # The order of the variables means nothing.
    *lines, last = shown_by(program, lab)
    assert sorted(lines) == sorted(f"{name} : {value}" for name, value in environment.items())
    assert last == ""
