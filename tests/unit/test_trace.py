"""The request that the words of `lab trace` make, and how an exchange looks on a terminal and in an archive."""

import io
import json
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from rich.console import Console

from cgilab.__main__ import main
from cgilab.commands.trace import refuse_elsewhere, request, words_of
from cgilab.errors import LabError
from cgilab.exchanges import terminal
from cgilab.exchanges.har import as_har
from cgilab.exchanges.views import as_json
from cgilab.project import remote
from cgilab.project.engine import ROOT
from tests.unit.test_httpd_log import ONE

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

WORDS = [
    pytest.param("/", ("GET", "/", {}, None), id="a path"),
    pytest.param("/a?b=c", ("GET", "/a?b=c", {}, None), id="a query in the path"),
    pytest.param("http://localhost:8080/a?b", ("GET", "/a?b", {}, None), id="a whole URL"),
    pytest.param("/a b=c d=", ("GET", "/a?b=c&d=", {}, None), id="parameters of GET"),
    pytest.param("/a?b=1 c=2", ("GET", "/a?b=1&c=2", {}, None), id="parameters after a query"),
    pytest.param("HEAD /a b=c", ("HEAD", "/a?b=c", {}, None), id="HEAD"),
    pytest.param("POST /a b=c&d e==", ("POST", "/a", FORM, b"b=c%26d&e=%3D"), id="parameters of POST"),
    pytest.param("POST /a?b=1", ("POST", "/a?b=1", FORM, b""), id="POST without parameters"),
    pytest.param("/a X-Lesson:12.3", ("GET", "/a", {"X-Lesson": "12.3"}, None), id="a header"),
    pytest.param("/a X-A:b=c", ("GET", "/a", {"X-A": "b=c"}, None), id="a header with an equals sign"),
    pytest.param("/a b=c:d", ("GET", "/a?b=c%3Ad", {}, None), id="a parameter with a colon"),
    pytest.param("POST /a Content-Type:a/b", ("POST", "/a", {"Content-Type": "a/b"}, b""), id="a type of one's own"),
    pytest.param("POST /a content-type:a/b", ("POST", "/a", {"content-type": "a/b"}, b""), id="small letters"),
    pytest.param("/é b=é", ("GET", "/%C3%A9?b=%C3%A9", {}, None), id="UTF-8"),
]


@pytest.mark.parametrize(("words", "made"), WORDS)
def test_words_make_a_request(words: str, made: tuple[Any, ...]) -> None:
    assert request(words.split()) == made


BYTES = [
    pytest.param(["/x", "n=\udcff"], ("GET", "/x?n=%FF", {}, None), id="a parameter"),
    pytest.param(["POST", "/x", "n=\udcff"], ("POST", "/x", FORM, b"n=%FF"), id="a parameter of POST"),
    pytest.param(["/\udcff?\udcff"], ("GET", "/%FF?%FF", {}, None), id="path and query"),
    pytest.param(["/x", "X:é€\udcff"], ("GET", "/x", {"X": "\xc3\xa9\xe2\x82\xac\xff"}, None), id="a header"),
]


@pytest.mark.parametrize(("words", "made"), BYTES)
def test_bytes_that_are_no_ascii_are_sent_as_they_were_typed(words: list[str], made: tuple[Any, ...]) -> None:
    assert request(words) == made


@pytest.mark.parametrize("value", ["a\nb", "a\r\nX-Forged: b", "a\0b", "a\x7f", "a=\n"])
def test_a_header_that_is_more_than_a_line_is_refused(value: str) -> None:
    with pytest.raises(LabError) as raised:
        request(["/", f"X-A:{value}"])

    assert raised.value.what == (
        f"The header X-A would hold {value!r}: a header is one line without control characters."
    )


@pytest.mark.parametrize(
    "named",
    [
        "/a",
        "/a?b=http://evil/",
        "http://localhost:81/a",
        "http://127.0.0.1:81/a",
        "http://[::1]:81/",
        "http://LOCALHOST:81",
    ],
)
def test_the_lab_may_be_asked_by_all_its_names(named: str) -> None:
    refuse_elsewhere(["HEAD", named], "http://localhost:81")


@pytest.mark.parametrize(
    "named",
    [
        "http://evil/x",
        "https://localhost:81/x",
        "//evil/x",
        "http://localhost/x",
        "http://localhost:82/x",
        "http://localhost:abc/x",
        "http://localhost:81@evil/x",
    ],
)
def test_the_lab_alone_is_asked(named: str) -> None:
    with pytest.raises(LabError) as raised:
        refuse_elsewhere([named, "a=b"], "http://localhost:81")

    assert str(raised.value).splitlines() == [
        f"{named!r} is of another server, and the lab alone is asked: http://localhost:81.",
        "  Type:  lab trace /x",
    ]


@pytest.mark.parametrize(
    "url",
    ["http://localhost:abc", "http://[::1", "http://localhost:99999", "http://a b:1", "http://", "localhost:8080"],
)
def test_an_address_that_is_none(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_URL", url)
    with pytest.raises(LabError) as raised:
        remote.address()

    assert str(raised.value).splitlines() == [
        f"{url!r} is not the address of a lab.",
        "  Type:  export LAB_URL=http://localhost:8080",
    ]


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080/", "http://my-host.local:1"]
)
def test_an_address_that_is_one(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_URL", url)

    assert remote.address() == url.rstrip("/")


LINES = [
    pytest.param("/a?b=1&c=2", ["/a?b=1&c=2"], id="an ampersand"),
    pytest.param(
        "POST /a 'last_name=de la Huche' X-A:b", ["POST", "/a", "last_name=de la Huche", "X-A:b"], id="quotes"
    ),
    pytest.param("/a?$(id)`id`;id|id>x #y $HOME *", ["/a?$(id)`id`;id|id>x", "#y", "$HOME", "*"], id="what shells run"),
]


@pytest.mark.parametrize(("line", "words"), LINES)
def test_a_line_is_taken_apart_and_nothing_of_it_is_run(line: str, words: list[str]) -> None:
    assert words_of(line) == words


@pytest.mark.parametrize("line", ["", "  ", "/a 'b"])
def test_a_line_that_names_no_path(line: str) -> None:
    with pytest.raises(LabError) as raised:
        words_of(line)

    assert raised.value.fix == ("For example:  /cgi-bin/web_03.py age=42",)


RUN = "$(touch ran-1)`touch ran-2`;touch ran-3&touch ran-4|touch ran-5 $(shell touch ran-6) ${shell touch ran-7}"


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")
def test_make_hands_the_words_over_and_runs_none_of_them(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf %s "$LAB_TRACE" >"$PWD/handed-over"\n', encoding="utf-8")
    ensure = tmp_path / "tests" / "environment.sh"
    ensure.parent.mkdir()
    ensure.write_text("#!/bin/sh\n", encoding="utf-8")
    for file in (python, ensure):
        file.chmod(0o755)
    words = f"POST /cgi-bin/web_03.py?last_name=x&age=42 'a=b c' {RUN}"
    done = subprocess.run(["make", "trace", f"URL={words}"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "handed-over").read_text(encoding="utf-8") == words
    assert list(tmp_path.glob("ran-*")) == []


@pytest.mark.parametrize("word", ["-1", "0", "x", "1.5", "²"])
def test_watch_refuses_a_count_that_is_none(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["watch", "--count", word])

    assert raised.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"argument --count: {word!r} is not a number above zero")


@pytest.mark.parametrize("words", ["GET", "web_02.py", "/a b", "/a : "])
def test_words_that_make_none(words: str) -> None:
    with pytest.raises(LabError):
        request(words.split())


def test_no_path_is_none() -> None:
    with pytest.raises(LabError) as raised:
        request([""])

    assert raised.value.what == "'' is not a path: it starts with a slash."


class StandIn(HTTPServer):
    """A server in the place of a lab, which gives each path its answer.

    Attributes:
        protocol: HTTP/1.0 ends each connection.
        answers: by path, as JSON.
        asked: the paths so far.
    """

    def __init__(self, protocol: str, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = protocol
            server: StandIn

            def do_GET(self) -> None:
                self.server.asked.append(self.path)
                content = json.dumps(self.server.answers[self.path]).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_arguments: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    def trace(self) -> dict[str, Any]:
        """Trace a request of /here."""
        Thread(target=self.serve_forever).start()
        try:
            return remote.trace(f"http://127.0.0.1:{self.server_port}", "GET", "/here", {})
        finally:
            self.shutdown()


ASKER = {"client": "192.0.2.1", "port": 1}


def test_nobody_elses_exchange_is_taken_for_the_traced_one() -> None:
    exchanges = [
        {"id": "other", "agent": "same", "client": "192.0.2.1", "port": 2},
        {"id": "another", "agent": "same", "client": "192.0.2.2", "port": 1},
        {"id": "own", "agent": "same", **ASKER},
    ]
    answers = {
        "/lab/exchanges": {"exchanges": [{"id": "before", **ASKER}], "asker": ASKER},
        "/here": {},
        "/lab/exchanges?after=before": {"exchanges": exchanges, "asker": {"client": "192.0.2.1", "port": 2}},
        "/lab/exchanges/own": {"whole": "own"},
    }
    with StandIn("HTTP/1.1", answers) as server:
        assert server.trace() == {"whole": "own"}
        assert server.asked == list(answers)


@pytest.mark.parametrize(
    ("protocol", "answer"),
    [
        pytest.param("HTTP/1.0", {"exchanges": [], "asker": ASKER}, id="connections end"),
        pytest.param("HTTP/1.1", {"exchanges": []}, id="another version"),
    ],
)
def test_a_lab_in_which_no_exchange_could_be_found_is_sent_nothing(protocol: str, answer: dict[str, Any]) -> None:
    with StandIn(protocol, {"/lab/exchanges": answer}) as server:
        with pytest.raises(LabError) as raised:
            server.trace()

        assert server.asked == ["/lab/exchanges"]
    assert raised.value.fix == ("httpd.conf is to say:  KeepAlive On", "Type:  make up")


def shown(one: dict[str, Any], body: bytes | None = None) -> list[str]:
    """Return what a terminal without colours would show."""
    console = Console(file=io.StringIO(), width=200)
    terminal.show(console, one, body)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


# As it comes over HTTP.
EXCHANGE: dict[str, Any] = json.loads(json.dumps(as_json(ONE)))


def test_a_terminal_shows_who_wrote_each_header() -> None:
    lines = shown(EXCHANGE)
    received = lines[lines.index("client received") + 1 : lines.index("time line") - 1]

    assert received == [
        "  status 404",
        "  server  Date: Sun, 22 Nov 2026 13:52:53 GMT",
        "  server  Server: Apache/2.4.71 (Debian)",
        "  script  Connection: X-Lesson, close  changed, the script printed: X-Lesson",
        "  script  Set-Cookie: a=1",
        "  script  Set-Cookie: b=2",
        "  script  X-Twice: 1, 2  changed, the script printed: 1, 2",
        "  server  Transfer-Encoding: chunked",
        "  script  Content-Type: text/plain",
        "  error: AH01215: stderr from /srv/cgi-bin/web_03.py: Oops",
    ]


def test_a_terminal_shows_what_became_of_what_the_script_printed() -> None:
    lines = shown(EXCHANGE)
    printed = lines[lines.index("script printed") + 1 : lines.index("client received") - 1]

    assert printed[:4] == [
        "  Content-Type: text/plain  sent as printed",
        "  Status: 404 Gone Fishing  became the status line",
        "  Content-Length: 99  dropped",
        "  Connection: X-Lesson  changed",
    ]


BODIES = [
    pytest.param(None, ["  body: 6 bytes, not recorded"], id="another client's"),
    pytest.param(b"age=42", ["  body: 6 bytes", "    age=42"], id="its own"),
    pytest.param(b"a\n\x1b[31m\xff", ["  body: 8 bytes", r"    a\n\x1b[31m\xff"], id="bytes that are no text"),
]


@pytest.mark.parametrize(("body", "lines"), BODIES)
def test_a_terminal_shows_the_body_where_it_is_known(body: bytes | None, lines: list[str]) -> None:
    one = {**EXCHANGE, "request_headers": [{"name": "Content-Length", "value": "6"}], "body_length": 6}

    assert shown(one, body)[4:][: len(lines) + 1] == [*lines, ""]


def test_a_terminal_shows_no_body_where_there_is_none() -> None:
    assert [line for line in shown({**EXCHANGE, "body_length": None}, b"") if "body" in line] == []


def test_a_terminal_says_that_a_bodys_length_was_not_announced() -> None:
    assert [line for line in shown({**EXCHANGE, "body_length": None, "chunked": True}) if "body" in line] == [
        "  body: length not announced (chunked), not recorded"
    ]


def test_a_terminal_says_that_the_server_has_seen_nothing_of_the_answer() -> None:
    one = {**EXCHANGE, "nph": True, "printed": [], "sent": [], "messages": []}
    lines = shown(one)
    said = "  a script named nph-… writes the whole answer by itself; the server sees none of it"

    for heading in ("script printed", "client received"):
        assert lines[lines.index(heading) + 1 :][:2] == [said, ""]
    assert terminal.line({**one, "agent": "", "script_time": 1, "client": "a"}).plain.split()[2] == "nph"


def test_a_terminal_says_that_the_beginning_is_missing() -> None:
    lines = shown({**EXCHANGE, "incomplete": True, "printed": []})

    assert lines[1:3] == [
        "incomplete",
        "  The beginning of what was logged is missing, since the recorder had ended: what is not here may have been.",
    ]
    assert lines[lines.index("script printed") + 1] == "  not known"
    assert "incomplete" not in shown(EXCHANGE)


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "a\rb", "\x9b2J", "\u202eleft"])
def test_a_hostile_value_cannot_steer_the_terminal(hostile: str) -> None:
    one = {**EXCHANGE, "target": hostile, "request_headers": [{"name": "X", "value": hostile}]}
    line = terminal.line({**one, "agent": hostile, "script_time": 1, "client": "a"}).plain

    for text in [*shown(one), line]:
        assert not {"\x1b", "\r", "\x9b", "\u202e"} & set(text)


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    assert "  X: [bold]words[/bold]" in shown(
        {**EXCHANGE, "request_headers": [{"name": "X", "value": "[bold]words[/bold]"}]}
    )


PARTS = [
    "time line",
    "  server before the script                                          0.1 ms  ╸",
    f"  interpreter's start, imports, script until its first header      36.2 ms  {'━' * 32}",
    f"  script after it, server                                           8.8 ms  {' ' * 32}{'━' * 8}",
    "  all of it                                                        45.1 ms",
]
APART = {
    "rounds": 5,
    "start": 12_340,
    "imports": [
        {"statement": "import cgi", "time": 20_000},
        {"statement": "import \x1b", "time": 5_000},
        {"statement": "import helper", "time": None},
    ],
}


def test_a_terminal_shows_where_the_time_went() -> None:
    lines = shown(EXCHANGE)

    assert lines[lines.index("time line") :] == [*PARTS, "  256 bytes received, 239 bytes sent; exchange ID"]


def test_a_terminal_tells_what_was_measured_apart_from_what_was_measured_in_the_exchange() -> None:
    lines = shown({**EXCHANGE, "apart": APART})

    assert lines[lines.index("time line") :] == [
        *PARTS,
        "  measured apart, 5 times after it, the median:",
        "    interpreter's start                                            12.3 ms",
        "    imports                                                        25.0 ms",
        "      import cgi                                                   20.0 ms",
        "      import \\x1b                                                   5.0 ms",
        "      import helper                                           not measured",
        "  256 bytes received, 239 bytes sent; exchange ID",
    ]


def test_an_archive_holds_the_exchange() -> None:
    archive = as_har([EXCHANGE])["log"]
    (entry,) = archive["entries"]

    assert (archive["version"], archive["creator"]["name"]) == ("1.2", "cgi-lab")
    assert entry["startedDateTime"] == "2026-11-22T13:52:53.356017+00:00"
    assert (entry["request"]["method"], entry["request"]["url"]) == (
        "POST",
        "http://localhost:8080/cgi-bin/web_03.py?age=2",
    )
    assert entry["request"]["queryString"] == [{"name": "age", "value": "2"}]
    assert (entry["response"]["status"], entry["response"]["content"]["mimeType"]) == (404, "text/plain")
    assert entry["request"]["bodySize"] == 11
    assert entry["_parts"] == EXCHANGE["parts"]
    assert entry["time"] == pytest.approx(entry["timings"]["wait"] + entry["timings"]["receive"])


def test_an_archive_does_not_know_the_size_of_a_chunked_body() -> None:
    (entry,) = as_har([{**EXCHANGE, "body_length": None, "chunked": True}])["log"]["entries"]

    assert entry["request"]["bodySize"] == -1
