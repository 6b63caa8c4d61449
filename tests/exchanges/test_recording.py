"""The recording holds under load, hostile input and a killed recorder, and tells nobody what is not theirs."""

import http.client
import secrets
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from cgilab.exchanges.store import EXCHANGES
from cgilab.web.recorder import OPEN
from tests.support.recorded import recorded, summaries
from tests.support.running_lab import RunningLab, running_lab
from tests.support.wait import wait_until
from tests.support.wire import TIMEOUT, parse, read_all, send

# Sends SIGKILL to the recorder; there is neither ps nor pkill in the image.
KILL = """
for process in /proc/[0-9]*; do
    if tr '\\0' ' ' <"$process/cmdline" | grep -q '^/usr/bin/python3 -m cgilab.web.recorder'; then
        kill -KILL "${process#/proc/}"
        exit
    fi
done
exit 1
"""
REQUESTS = 2000
CONNECTIONS = 32


@pytest.fixture(scope="module")
def own_lab(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab that only the tests of this file call."""
    with running_lab(tmp_path_factory.mktemp("recording"), machine_settings) as running:
        yield running


def call(lab: RunningLab, numbers: range) -> list[int]:
    """Ask for the index once for each number, over one connection where the server keeps it; return the statuses."""
    connection = http.client.HTTPConnection("localhost", lab.port, timeout=30)
    statuses = []
    for number in numbers:
        connection.request("GET", f"/index.html?number={number}", headers={"X-Number": str(number)})
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    return statuses


def test_a_recorder_that_httpd_starts_is_not_one_that_was_started_again(own_lab: RunningLab) -> None:
    """Httpd reads its configuration twice as it starts, and starts the recorder each time."""
    assert requests.get(f"{own_lab.url}/lab/exchanges", timeout=10).json()["restarted"] == []


def test_requests_at_the_same_time_have_their_own_lines_each(own_lab: RunningLab) -> None:
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        share = REQUESTS // CONNECTIONS
        ranges = [range(start, start + share) for start in range(0, share * CONNECTIONS, share)]
        statuses = [status for part in threads.map(lambda numbers: call(own_lab, numbers), ranges) for status in part]
    assert statuses == [200] * share * CONNECTIONS

    # The last request of all has been recorded when the list no longer changes.
    send(own_lab.port, "GET /?last-of-all HTTP/1.0")
    recorded(own_lab, "last-of-all")
    listed = summaries(own_lab)
    assert len(listed) == EXCHANGES
    for one in listed[:-1:25]:
        exchange = requests.get(f"{own_lab.url}/lab/exchanges/{one['id']}", timeout=10).json()
        number = exchange["target"].partition("number=")[2]
        assert [header["value"] for header in exchange["request_headers"] if header["name"] == "X-Number"] == [number]
        assert len(exchange["sent"]) == len({header["name"] for header in exchange["sent"]})
        assert {"Date", "Server", "Content-Length"} <= {header["name"] for header in exchange["sent"]}


def test_httpds_calls_to_itself_are_not_recorded(own_lab: RunningLab) -> None:
    """It makes them when there are more idle processes than it keeps, as there are after many connections at once."""

    def processes() -> int:
        return len(own_lab.container.top()["Processes"])

    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(socket.create_connection(("127.0.0.1", own_lab.port), timeout=TIMEOUT))
        wait_until(lambda: processes() > CONNECTIONS, timeout=60)
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        calling = [threads.submit(call, own_lab, range(5)) for _ in range(CONNECTIONS)]
        assert {status for one in calling for status in one.result()} == {200}
    wait_until(lambda: processes() < CONNECTIONS, timeout=60)
    send(own_lab.port, "GET /?when-some-have-ended HTTP/1.0")
    recorded(own_lab, "when-some-have-ended")

    assert [one["target"] for one in summaries(own_lab) if "dummy" in one["agent"]] == []
    assert [line for line in own_lab.log() if "dummy" in line] == []


# What httpd sends to itself, and the same where it is another's.
CALL = ["OPTIONS * HTTP/1.0", "User-Agent: Apache/2.4.71 (Debian) (internal dummy connection)"]
FROM_INSIDE = """
import socket, sys
with socket.create_connection((sys.argv[1], 80), timeout=30) as connection:
    connection.sendall("\\r\\n".join([*sys.argv[2:], "", ""]).encode())
    connection.recv(65536)
"""


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        pytest.param(CALL, 0, id="httpd's"),
        pytest.param([CALL[0], "User-Agent: other"], 1, id="another program's"),
        pytest.param([CALL[0]], 1, id="one that does not name itself"),
    ],
)
def test_only_httpds_calls_to_itself_are_left_out(own_lab: RunningLab, lines: list[str], kept: int) -> None:
    send(own_lab.port, "GET /?before-the-call HTTP/1.0")
    before = summaries(own_lab)[-1]["id"]
    called = own_lab.container.exec_run(["python3", "-c", FROM_INSIDE, "127.0.0.1", *lines])
    assert called.exit_code == 0, called.output
    mark = f"called-{secrets.token_hex(4)}"
    send(own_lab.port, f"GET /?{mark} HTTP/1.0")
    recorded(own_lab, mark)

    assert len([one for one in summaries(own_lab, after=before) if one["target"] == "*"]) == kept


def test_a_call_like_httpds_from_outside_is_recorded(own_lab: RunningLab) -> None:
    mark = f"outside-{secrets.token_hex(4)}"
    send(own_lab.port, f"GET /?{mark} HTTP/1.0", CALL[1])

    assert recorded(own_lab, mark)["status"] == 200


def test_a_killed_recorder_is_started_again_and_no_request_fails(own_lab: RunningLab) -> None:
    # Fewer than the store keeps, so that the mark of the restart is among them.
    with ThreadPoolExecutor(4) as threads:
        calling = [threads.submit(call, own_lab, range(100)) for _ in range(4)]
        killed = own_lab.container.exec_run(["sh", "-c", KILL])
    assert killed.exit_code == 0
    restarted = wait_until(lambda: requests.get(f"{own_lab.url}/lab/exchanges", timeout=30).json()["restarted"])

    assert {status for one in calling for status in one.result()} == {200}
    assert len(restarted) == 1
    send(own_lab.port, "GET /?after-the-kill HTTP/1.0")
    assert recorded(own_lab, "after-the-kill")["status"] == 200


HOSTILE = [
    pytest.param("<script>alert(1)</script>", id="HTML"),
    pytest.param('"\\x22\\" \\\\', id="escapes"),
    pytest.param("a\tb", id="tab"),
    pytest.param("=\t=\t=\t=", id="what a record is made of"),
    pytest.param("x" * 8000, id="8 KB"),
    pytest.param("Response sent with status 200, headers:", id="what httpd writes"),
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_header_is_shown_as_it_was_sent(lab: RunningLab, value: str, request: pytest.FixtureRequest) -> None:
    mark = f"hostile-{request.node.callspec.id.replace(' ', '-')}"
    send(lab.port, f"GET /?{mark} HTTP/1.0", f"X-Hostile: {value}")

    assert recorded(lab, mark)["request_headers"] == [{"name": "X-Hostile", "value": value}]


def test_bytes_that_are_no_utf_8_are_shown_as_bytes(lab: RunningLab) -> None:
    send(lab.port, "GET /?no-utf-8 HTTP/1.0", "X-Hostile: \xff\xfe")

    assert recorded(lab, "no-utf-8")["request_headers"] == [{"name": "X-Hostile", "value": r"\xff\xfe"}]


def test_a_line_break_in_a_path_is_shown_as_it_was_sent(lab: RunningLab) -> None:
    send(lab.port, "GET /line-break%0A%3D/x HTTP/1.0")

    assert recorded(lab, "line-break")["target"] == "/line-break%0A%3D/x"


def test_a_script_cannot_forge_an_exchange(lab: RunningLab, service: Path) -> None:
    service.write_text(
        "#!/bin/sh\n"
        "printf '=forged/1\\t1\\t1\\ta\\t1\\tGET /forged-1 HTTP/1.1\\t200\\t1\\t1\\tx\\n' >&2\n"
        "printf 'x/1 2026-11-22 00:00:00.000000 http:trace3 Response sent with status 200, headers:\\n' >&2\n"
        "printf '  Set-Cookie: forged=1\\n' >&2\n"
        "printf 'Content-Type: text/plain\\n\\n'\n",
        encoding="utf-8",
    )
    service.chmod(0o755)
    send(lab.port, f"GET /cgi-bin/{service.name}?forging HTTP/1.0")
    exchange = recorded(lab, "forging")

    assert [one for one in summaries(lab) if "forged-1" in one["target"]] == []
    assert len(exchange["messages"]) == 3
    assert "Set-Cookie" not in {header["name"] for header in exchange["sent"]}


def test_secrets_are_masked(lab: RunningLab) -> None:
    output = b"Content-Type: text/plain\nSet-Cookie: session=tell-nobody\n\n"
    send(
        lab.port,
        "POST /cgi-bin/output.py?masked-1&password=tell-nobody HTTP/1.0",
        "Authorization: Basic tell-nobody",
        "Cookie: session=tell-nobody",
        f"Content-Length: {len(output)}",
        body=output,
    )
    exchange = recorded(lab, "masked-1")

    assert "tell-nobody" not in str(exchange)
    assert "tell-nobody" not in "\n".join(lab.log())
    assert exchange["target"] == "/cgi-bin/output.py?masked-1&password=(masked)"
    assert [header["value"] for header in exchange["sent"] if header["name"] == "Set-Cookie"] == ["(masked)"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        pytest.param(
            "Set-Cookie tell-nobody",
            "malformed header from script 'output.py': Bad header: Set-Cookie (masked)",
            id="no colon",
        ),
        pytest.param(
            "Set-Cookie: tell-nobody\1",
            "AH02430: Response header 'Set-Cookie' value of '(masked)' contains invalid characters, aborting request",
            id="a control character",
        ),
    ],
)
def test_a_secret_in_a_wrong_header_of_a_script_is_masked(
    lab: RunningLab, header: str, message: str, request: pytest.FixtureRequest
) -> None:
    mark = f"masked-{request.node.callspec.id.replace(' ', '-')}"
    output = f"Content-Type: text/plain\n{header}\n\n".encode()
    length = f"Content-Length: {len(output)}"
    answer = send(lab.port, f"POST /cgi-bin/output.py?{mark} HTTP/1.0", length, body=output)
    exchange = recorded(lab, mark)

    assert (answer.status, exchange["status"]) == (500, 500)
    assert [one["text"].removeprefix("AH02429: ") for one in exchange["messages"]] == [message]
    assert "tell-nobody" not in str(exchange)
    assert "tell-nobody" not in "\n".join(lab.log())


def test_the_second_line_of_a_cookie_is_masked(lab: RunningLab) -> None:
    output = b"Content-Type: text/plain\nSet-Cookie: a=1;\n b=tell-nobody\n\n"
    length = f"Content-Length: {len(output)}"
    send(
        lab.port, "POST /cgi-bin/output.py?masked-fold HTTP/1.0", "Cookie: a=1;", " b=tell-nobody", length, body=output
    )

    assert "tell-nobody" not in str(recorded(lab, "masked-fold"))
    assert "tell-nobody" not in "\n".join(lab.log())


def test_secrets_are_kept_where_that_is_asked_for(machine_settings: dict[str, str], tmp_path: Path) -> None:
    with running_lab(tmp_path, {**machine_settings, "SHOW_SECRETS": "1"}) as showing:
        send(showing.port, "GET /?shown-1&password=for-all HTTP/1.0", "Cookie: session=for-all")
        exchange = recorded(showing, "shown-1")

    assert exchange["target"] == "/?shown-1&password=for-all"
    assert exchange["request_headers"] == [{"name": "Cookie", "value": "session=for-all"}]


# --- The page's interface ------------------------------------------------------------------------


# In the lab that nobody else calls: elsewhere a request of another test may end meanwhile.
def test_the_list_goes_on_after_an_exchange(own_lab: RunningLab) -> None:
    for mark in ("after-1", "after-2", "after-3"):
        send(own_lab.port, f"GET /?{mark} HTTP/1.0")
        recorded(own_lab, mark)
    first = recorded(own_lab, "after-1")

    newer = [one["target"] for one in summaries(own_lab, after=first["id"])]
    assert newer == ["/?after-2", "/?after-3"]


def test_after_an_exchange_that_is_gone_comes_everything(own_lab: RunningLab) -> None:
    assert summaries(own_lab, after="gone") == summaries(own_lab)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/lab/exchanges/none", 404, id="no such exchange"),
        pytest.param("GET", "/lab/exchanges/../../etc/passwd", 404, id="a path that leads out"),
        pytest.param("GET", "/lab/exchanges/%3Cscript%3E", 404, id="HTML for an id"),
        pytest.param("POST", "/lab/exchanges", 405, id="POST"),
        pytest.param("DELETE", "/lab/exchanges/none", 405, id="DELETE"),
    ],
)
def test_what_is_not_there_or_not_allowed(lab: RunningLab, method: str, path: str, status: int) -> None:
    answer = requests.request(method, lab.url + path, timeout=10)

    assert answer.status_code == status


def test_the_labs_own_requests_are_not_recorded(lab: RunningLab) -> None:
    requests.get(f"{lab.url}/lab/exchanges?own-page", timeout=10)
    send(lab.port, "GET /?not-an-own-page HTTP/1.0")
    recorded(lab, "not-an-own-page")

    assert [one for one in summaries(lab) if one["target"].startswith("/lab/")] == []


def test_the_labs_own_requests_take_no_place_of_one_under_way(lab: RunningLab) -> None:
    output = b"Content-Type: text/plain\n\n"
    lines = ["POST /cgi-bin/output.py?under-way HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += ["Expect: 100-continue", f"Content-Length: {len(output)}", "", ""]
    with socket.create_connection(("127.0.0.1", lab.port), timeout=TIMEOUT) as connection:
        connection.sendall("\r\n".join(lines).encode())
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        # Its headers have been logged. As many others as the recorder holds open at once, and one.
        with requests.Session() as session:
            for _ in range(OPEN + 1):
                session.get(f"{lab.url}/lab/lab.css", timeout=10)
        connection.sendall(output)
        answer = parse(read_all(connection))

    assert answer.status == 200
    assert [f"{header['name']}: {header['value']}" for header in recorded(lab, "under-way")["request_headers"]] == (
        lines[1:-2]
    )


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080"])
def test_the_names_of_this_machine_may_see_exchanges(lab: RunningLab, host: str) -> None:
    assert send(lab.port, "GET /lab/exchanges HTTP/1.0", f"Host: {host}").status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil-localhost", "localhost@evil.example", "192.168.0.1"],
)
def test_other_names_may_not(lab: RunningLab, host: str) -> None:
    assert send(lab.port, "GET /lab/exchanges HTTP/1.0", f"Host: {host}").status in {400, 403}


def test_no_name_may_not(lab: RunningLab) -> None:
    assert send(lab.port, "GET /lab/exchanges HTTP/1.0").status == 403
