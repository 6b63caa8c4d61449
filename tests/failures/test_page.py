"""The page behind a failure, as clients get it."""

import http.client
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from cgilab.web.failure import CONTENT_SECURITY_POLICY
from tests.support.copy import copy_project
from tests.support.recorded import recorded
from tests.support.running_lab import RunningLab, running_lab
from tests.support.wait import wait_until
from tests.support.wire import Answer, send

MANUAL = "/lab/troubleshooting"
SILENT = "#!/bin/sh\nexit 3\n"
SERVERS_OWN = {"Date", "Server", "Connection", "Transfer-Encoding", "Content-Length"}
PAGES_OWN = {
    "Cache-Control",
    "Content-Security-Policy",
    "Content-Type",
    "Referrer-Policy",
    "Vary",
    "X-Content-Type-Options",
}
BARE = "text/html; charset=iso-8859-1"


def write(path: Path, content: str | bytes, mode: int = 0o755) -> None:
    """Make a script."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


@pytest.fixture
def script(lab: RunningLab) -> Iterator[Path]:
    """A script of a fixed name, which is not there yet."""
    path = lab.cgi_bin / "failing.sh"
    yield path
    path.unlink(missing_ok=True)


def ask(lab: RunningLab, path: str, *headers: str, method: str = "GET", host: str = "localhost:8080") -> Answer:
    """Ask for a path under /cgi-bin/, over HTTP/1.0, so that the body is the document."""
    return send(lab.port, f"{method} /cgi-bin/{path} HTTP/1.0", f"Host: {host}", *headers)


# --- What it says ----------------------------------------------------------------------------------


def test_as_text(lab: RunningLab, script: Path) -> None:
    write(script, SILENT, 0o644)
    answer = ask(lab, script.name)
    body = re.sub(r"exchange=[\w@-]+", "exchange=ID", answer.body.decode())

    assert (answer.status_line, answer.values("Content-Type")) == (
        "HTTP/1.1 500 Internal Server Error",
        ["text/plain; charset=utf-8"],
    )
    assert body == (
        "500 Internal Server Error: failing.sh has no execute permission, so the server cannot start it.\n"
        "\n"
        "Permissions of failing.sh:\n"
        "  -rw-r--r-- (0644)\n"
        "\n"
        "The server logged:\n"
        "  (13)Permission denied: exec of '/srv/cgi-bin/failing.sh' failed\n"
        "  End of script output before headers: failing.sh\n"
        "\n"
        "To mend it:\n"
        "  Type:  chmod +x cgi-bin/failing.sh\n"
        "\n"
        "The exchange: http://localhost:8080/lab/?exchange=ID\n"
        f"More about it: http://localhost:8080{MANUAL}#not-executable\n"
    )


def test_as_problem_details(lab: RunningLab, script: Path) -> None:
    write(script, SILENT, 0o644)
    answer = ask(lab, f"{script.name}?problem", "Accept: application/json")
    identifier = recorded(lab, "?problem")["id"]

    assert (answer.status, answer.values("Content-Type")) == (500, ["application/problem+json"])
    assert json.loads(answer.body) == {
        "type": f"{MANUAL}#not-executable",
        "title": "No execute permission",
        "status": 500,
        "detail": "failing.sh has no execute permission, so the server cannot start it.",
        "instance": f"/lab/exchanges/{identifier}",
        "cause": "not-executable",
        "evidence": [
            {"heading": "permissions of failing.sh", "lines": ["-rw-r--r-- (0644)"]},
            {
                "heading": "the server logged",
                "lines": [
                    "(13)Permission denied: exec of '/srv/cgi-bin/failing.sh' failed",
                    "End of script output before headers: failing.sh",
                ],
            },
        ],
        "fix": ["Type:  chmod +x cgi-bin/failing.sh"],
        "diff": [],
    }


def test_as_html(lab: RunningLab, script: Path) -> None:
    write(script, "#!/bin/sh\r\necho\r\n")
    answer = ask(lab, f"{script.name}?html", "Accept: text/html,*/*;q=0.8")
    body = answer.body.decode()
    identifier = recorded(lab, "?html")["id"]

    assert (answer.status, answer.values("Content-Type")) == (500, ["text/html; charset=utf-8"])
    assert re.findall("<h1>(.*)</h1>", body) == [json_of(lab, script.name)["detail"].replace("'", "&#x27;")]
    assert re.findall('<a href="(.*?)">', body) == [
        "/lab/",
        f"/lab/?exchange={identifier}",
        f"{MANUAL}#windows-line-endings",
    ]
    assert "<del>- #!/bin/sh\\x0d</del><ins>+ #!/bin/sh</ins>" in body


def json_of(lab: RunningLab, name: str) -> dict[str, str]:
    """Return the answer to a request as problem details."""
    answer: dict[str, str] = json.loads(ask(lab, name, "Accept: application/json").body)
    return answer


def test_the_headers_are_these_and_no_others(lab: RunningLab, script: Path) -> None:
    write(script, SILENT)
    answer = ask(lab, script.name)

    assert answer.names() - SERVERS_OWN == PAGES_OWN
    assert answer.values("Content-Security-Policy") == [CONTENT_SECURITY_POLICY]
    assert (answer.values("Vary"), answer.values("Cache-Control")) == (["Accept"], ["no-store"])
    assert answer.values("X-Content-Type-Options") == ["nosniff"]


def test_nothing_that_a_script_controls_is_html(lab: RunningLab) -> None:
    name = "<img src=x onerror=alert(1)>&amp;.sh"
    path = lab.cgi_bin / name
    write(path, b"#!/bin/sh\necho '<script>alert(2)</script> \x1b[31m \xe2\x80\xae \xff' >&2\nexit 1\n")
    try:
        quoted = requests.utils.quote(name, safe="")  # type: ignore[attr-defined] # it ships no types of it
        html, text = (ask(lab, quoted, f"Accept: {accept}").body.decode() for accept in ("text/html", "text/plain"))
    finally:
        path.unlink()

    assert re.findall("<(?:img|script)", html) == []
    assert "&lt;img src=x onerror=alert(1)&gt;&amp;amp;.sh" in html
    assert "&lt;script&gt;alert(2)&lt;/script&gt; \\x1b[31m \\xe2\\x80\\xae \\xff" in html
    assert "<script>alert(2)</script> \\x1b[31m \\xe2\\x80\\xae \\xff" in text


# --- Which failures it stands behind ----------------------------------------------------------------


def refused(lab: RunningLab) -> dict[str, tuple[int, str]]:
    """Make what httpd refuses in each of its ways; return the status and the cause of each path."""
    closed = lab.cgi_bin / "closed"
    closed.mkdir(exist_ok=True)
    write(closed / "a.sh", SILENT)
    write(lab.cgi_bin / "copy.bak", SILENT)
    loop = lab.cgi_bin / "loop.py"
    if not loop.is_symlink():
        loop.symlink_to("loop.py")
    closed.chmod(0)
    return {
        "none.py": (404, "not-found"),
        "none.py/more": (404, "not-found"),
        "__pycache__/a.pyc": (403, "denied-name"),
        "copy.bak": (403, "denied-name"),
        "closed/a.sh": (403, "folder-closed"),
        "loop.py": (403, "link-not-followed"),
        "": (403, "is-a-directory"),
    }


def test_what_httpd_refuses(lab: RunningLab) -> None:
    expected = refused(lab)
    try:
        answers = {path: ask(lab, path, "Accept: application/json") for path in expected}
    finally:
        for name in ("copy.bak", "loop.py"):
            (lab.cgi_bin / name).unlink()
        (lab.cgi_bin / "closed").chmod(0o755)

    found = {path: (answer.status, json.loads(answer.body)["cause"]) for path, answer in answers.items()}
    assert found == expected


def test_a_script_that_takes_too_long(lab: RunningLab, script: Path) -> None:
    write(script, "#!/bin/sh\nexec sleep 60\n")
    answer = ask(lab, script.name, "Accept: application/json")

    assert (answer.status, json.loads(answer.body)["cause"]) == (504, "timeout-before-headers")


ELSEWHERE = ["/", "/none.html", "/.hidden", "/lab/none", "/lab/exchanges/none", "/lab/failure/more"]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_elsewhere_there_is_no_such_page(lab: RunningLab, path: str) -> None:
    answer = send(lab.port, f"POST {path} HTTP/1.0", "Host: localhost", "Content-Length: 0")

    assert answer.values("Vary") == []


def test_asked_for_by_itself_it_has_nothing_to_say(lab: RunningLab) -> None:
    answer = send(lab.port, "GET /lab/failure HTTP/1.0", "Host: localhost")

    assert (answer.status, answer.body) == (
        404,
        b"This page is shown where a script has failed; nobody has to ask for it.\n",
    )


# --- How it is asked for ------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "[::1]:8080"])
def test_the_names_of_this_machine_get_the_page(lab: RunningLab, script: Path, host: str) -> None:
    write(script, SILENT)

    assert ask(lab, script.name, host=host).values("Vary") == ["Accept"]


def test_a_client_that_names_no_host_gets_the_page(lab: RunningLab, script: Path) -> None:
    write(script, SILENT)

    assert send(lab.port, f"GET /cgi-bin/{script.name} HTTP/1.0").values("Vary") == ["Accept"]


@pytest.mark.parametrize("host", ["example.org", "localhost.example.org", "192.0.2.1:8080"])
@pytest.mark.parametrize(("path", "status"), [("failing.sh", 500), ("none.py", 404), ("copy.bak", 403)])
def test_other_names_get_httpds_own_message(lab: RunningLab, script: Path, host: str, path: str, status: int) -> None:
    write(script, SILENT)
    answer = ask(lab, path, host=host)

    assert (answer.status, answer.values("Content-Type")) == (status, [BARE])
    assert answer.names() - SERVERS_OWN == {"Content-Type"}
    assert b"ErrorDocument" not in answer.body


def test_head_has_no_body(lab: RunningLab, script: Path) -> None:
    write(script, SILENT)
    answer = ask(lab, script.name, method="HEAD")

    assert (answer.status, answer.values("Vary"), answer.body) == (500, ["Accept"], b"")


def test_a_body_that_nobody_has_read_does_no_harm(lab: RunningLab, script: Path) -> None:
    write(script, SILENT)
    body = b"x" * 1_000_000
    answer = send(
        lab.port,
        f"POST /cgi-bin/{script.name} HTTP/1.0",
        "Host: localhost",
        f"Content-Length: {len(body)}",
        body=body,
    )

    assert (answer.status, answer.values("Vary")) == (500, ["Accept"])


def test_the_connection_can_be_used_again(lab: RunningLab) -> None:
    """Httpd keeps it open after a 404; after a 500 it closes every connection."""
    connection = http.client.HTTPConnection("localhost", lab.port, timeout=30)
    bodies = []
    for path in ("/cgi-bin/none.py", "/cgi-bin/web_02.py", "/cgi-bin/none.py"):
        connection.request("POST", path, body="a=1")
        response = connection.getresponse()
        bodies.append((response.status, response.read()[:14]))
        assert response.will_close is False
    connection.close()

    assert [status for status, _ in bodies] == [404, 200, 404]
    assert bodies[0][1] == bodies[2][1] == b"404 Not Found:"


def test_many_failures_at_once_are_each_their_own(lab: RunningLab) -> None:
    names = [f"at_once_{number}.sh" for number in range(64)]
    for number, name in enumerate(names):
        write(lab.cgi_bin / name, f"#!/bin/sh\necho word-{number}. >&2\nexit {number + 1}\n")
    try:
        with ThreadPoolExecutor(len(names)) as threads:
            answers = list(threads.map(lambda name: ask(lab, name), names))
    finally:
        for name in names:
            (lab.cgi_bin / name).unlink()

    for number, answer in enumerate(answers):
        assert answer.status == 500
        assert re.findall(r"word-\d+\.", answer.body.decode())[:1] == [f"word-{number}."]
        assert f"exit code {number + 1}\n" in answer.body.decode()


# --- What is recorded of it ------------------------------------------------------------------------------


def test_the_exchange_is_that_of_the_script_that_failed(lab: RunningLab, script: Path) -> None:
    write(script, "#!/bin/sh\nprintf 'X-Before: 1\\nno header\\n'\nexit 3\n")
    ask(lab, f"{script.name}?recorded-1=a", "X-Lesson: 12")
    exchange = recorded(lab, "recorded-1")
    environment = {variable["name"]: variable["value"] for variable in exchange["environment"]}

    assert (exchange["status"], exchange["script"]) == (500, "/srv/cgi-bin/failing.sh")
    assert environment["QUERY_STRING"] == "recorded-1=a"
    assert environment["HTTP_X_LESSON"] == "12"
    assert not [name for name in environment if name.startswith("REDIRECT_")]
    assert exchange["printed"] == [{"name": "X-Before", "value": "1", "change": "dropped"}]
    assert {header["origin"] for header in exchange["sent"]} == {"server"}


def test_the_exchange_says_what_the_page_said(lab: RunningLab, script: Path) -> None:
    write(script, SILENT, 0o644)
    problem = json.loads(ask(lab, f"{script.name}?said", "Accept: application/json").body)
    exchange = recorded(lab, "?said")
    found = exchange["diagnosis"]

    assert exchange["explained"] == {
        "cause": problem["cause"],
        "sentence": problem["detail"],
        "ended": "exit code 255",
    }
    assert (found["cause"], found["sentence"], found["title"]) == (
        problem["cause"],
        problem["detail"],
        problem["title"],
    )
    assert (found["evidence"], found["fix"], found["diff"]) == (problem["evidence"], problem["fix"], problem["diff"])
    assert [message["text"] for message in exchange["messages"] if "What was logged" in message["text"]] == []


def test_what_was_said_stays_said_when_the_script_is_mended(lab: RunningLab, script: Path) -> None:
    write(script, SILENT)
    ask(lab, f"{script.name}?mended")
    before = recorded(lab, "?mended")["diagnosis"]
    write(script, "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nx'\n")
    after = recorded(lab, "?mended")["diagnosis"]

    assert (after["cause"], after["sentence"]) == (before["cause"], before["sentence"])


def test_a_failure_after_the_headers_has_a_diagnosis_too(lab: RunningLab, script: Path) -> None:
    write(script, "#!/usr/bin/python3\nprint('Content-Type: text/plain\\n', flush=True)\n1 / 0\n")
    assert ask(lab, f"{script.name}?after-headers").status == 200

    assert recorded(lab, "?after-headers")["diagnosis"]["cause"] == "exception-after-headers"


def test_success_has_none(lab: RunningLab) -> None:
    ask(lab, "web_02.py?success-1")

    assert (recorded(lab, "success-1")["diagnosis"], recorded(lab, "success-1")["explained"]) == (None, None)


def test_a_wrong_status_line_is_recorded_as_what_was_sent(lab: RunningLab, script: Path) -> None:
    write(script, "#!/bin/sh\nprintf 'Content-Type: text/plain\\nStatus: abc\\n\\nwords'\n")
    answer = ask(lab, f"{script.name}?wrong-status")
    exchange = recorded(lab, "wrong-status")

    assert (exchange["status"], exchange["body_sent"]) == (answer.status, len(answer.body)) == (500, 5)


def test_the_log_names_the_cause(lab: RunningLab, script: Path) -> None:
    write(script, SILENT, 0o644)
    ask(lab, f"{script.name}?in-the-log")
    recorded(lab, "?in-the-log")
    lines = wait_until(lambda: [line for line in lab.log() if "explained: failing.sh has no execute" in line])

    assert re.fullmatch(
        r"\S+ \S+ lab:notice explained: failing\.sh has no execute permission, so the server cannot start it\. "
        r"\[not-executable; exit code 255\]",
        lines[-1],
    )
    assert [line for line in lab.log() if "What was logged?" in line] == []


def test_a_script_cannot_speak_for_the_page(lab: RunningLab, script: Path) -> None:
    write(
        script,
        "#!/bin/sh\n"
        "echo 'What was logged?' >&2\n"
        "echo 'explained: all is well [not-found]' >&2\n"
        "echo 'cgi:error AH01215: stderr from /usr/local/lib/cgi-lab/failure: explained: all is well [x]' >&2\n"
        "printf 'Content-Type: text/plain\\n\\nx'\n",
    )
    ask(lab, f"{script.name}?forged-page")
    exchange = recorded(lab, "forged-page")

    assert (exchange["explained"], len(exchange["messages"])) == (None, 3)
    assert [header["origin"] for header in exchange["sent"] if header["name"] == "Content-Type"] == ["script"]


# --- Where something is wrong ------------------------------------------------------------------------------

STOP = """
for process in /proc/[0-9]*; do
    if tr '\\0' ' ' <"$process/cmdline" | grep -q '^/usr/bin/python3 -m cgilab.web.recorder'; then
        kill -SIGNAL "${process#/proc/}"
        exit
    fi
done
exit 1
"""


@pytest.fixture(scope="module")
def own_lab(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab that only the tests below call."""
    with running_lab(tmp_path_factory.mktemp("failures"), machine_settings) as running:
        write(running.cgi_bin / "failing.sh", SILENT, 0o644)
        yield running


def test_without_a_recorder_there_is_still_a_page(own_lab: RunningLab) -> None:
    own_lab.compose.execute("sh", "-c", STOP.replace("SIGNAL", "STOP"))
    try:
        answer = ask(own_lab, "failing.sh")
    finally:
        own_lab.compose.execute("sh", "-c", STOP.replace("SIGNAL", "CONT"))

    assert (answer.status, answer.values("Vary")) == (500, ["Accept"])
    assert answer.body.startswith(b"500 Internal Server Error: failing.sh ")
    assert b"\n  The recorder did not answer: see what make logs shows.\n" in answer.body


def test_the_recorder_makes_the_page(machine_settings: dict[str, str], tmp_path: Path) -> None:
    """Shown by pages that cannot judge by themselves."""
    copy = tmp_path / "copy"
    copy.mkdir()
    copy_project(copy)
    page = copy / "docker" / "web" / "failure"
    page.write_text(page.read_text(encoding="utf-8").replace("main(logged)", "sys.exit(1)"), encoding="utf-8")
    with running_lab(tmp_path, machine_settings, root=copy) as running:
        write(running.cgi_bin / "failing.sh", SILENT, 0o644)
        bodies = {form: ask(running, "failing.sh", f"Accept: {form}").body for form in ("*/*", "text/html")}
        running.compose.execute("sh", "-c", STOP.replace("SIGNAL", "STOP"))
        without = ask(running, "failing.sh").body
        running.compose.execute("sh", "-c", STOP.replace("SIGNAL", "CONT"))

    assert bodies["*/*"].startswith(b"500 Internal Server Error: failing.sh has no execute permission")
    assert b"<h1>failing.sh has no execute permission" in bodies["text/html"]
    assert without.startswith(b"500: ")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("rm -r /run/lab/failures", id="the folder is gone"),
        pytest.param("rm -r /run/lab/failures; echo x >/run/lab/failures", id="a file in its place"),
        pytest.param("rm -r /run/lab/failures; ln -s /nowhere /run/lab/failures", id="a link to nowhere"),
        pytest.param("rm -rf /run/lab/failures; mkdir -m 0 /run/lab/failures", id="a folder that is closed"),
    ],
)
def test_whatever_is_planted_there_is_still_a_page(own_lab: RunningLab, command: str) -> None:
    own_lab.compose.execute("sh", "-c", command)
    try:
        answer = ask(own_lab, "failing.sh")
    finally:
        own_lab.compose.execute("sh", "-c", "rm -rf /run/lab/failures; mkdir -m 700 /run/lab/failures")

    assert (answer.status, answer.values("Vary")) == (500, ["Accept"])
    assert answer.body.startswith(b"500 Internal Server Error: failing.sh ")


def test_where_the_lab_is_online_there_is_nothing_of_it(machine_settings: dict[str, str], tmp_path: Path) -> None:
    with running_lab(tmp_path, {**machine_settings, "ONLINE": "1"}) as online:
        write(online.cgi_bin / "failing.sh", SILENT)
        answer = ask(online, "failing.sh")
        statuses = {path: requests.get(online.url + path, timeout=10).status_code for path in PATHS_OF_THE_LAB}

        assert (answer.status, answer.values("Content-Type"), answer.values("Vary")) == (500, [BARE], [])
        assert statuses == dict.fromkeys(PATHS_OF_THE_LAB, 404) | {"/lab/health": 403}


PATHS_OF_THE_LAB = (
    "/lab",
    "/lab/",
    "/lab/exchanges",
    "/lab/failure",
    "/lab/failure.css",
    "/lab/health",
    "/lab/lab.css",
    "/lab/lab.js",
)


def test_online_the_labs_pages_can_be_asked_for_by_name(machine_settings: dict[str, str], tmp_path: Path) -> None:
    with running_lab(tmp_path, {**machine_settings, "ONLINE": "1", "LAB_PAGES": "1"}) as online:
        answer = ask(online, "none.py")

        assert (answer.status, answer.values("Content-Type"), answer.values("Vary")) == (404, [BARE], [])
        assert requests.get(f"{online.url}/lab/", timeout=10).status_code == 200
        assert requests.get(f"{online.url}/lab/exchanges", timeout=10).status_code == 200
