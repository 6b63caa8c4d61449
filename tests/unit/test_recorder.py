"""The recorder and its store: lines go in, records come out."""

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, strategies

from cgilab.exchanges import store
from cgilab.exchanges.masking import mask
from cgilab.exchanges.store import Writer, records
from cgilab.web.recorder import CUT, LAST_MESSAGES, MESSAGES, OPEN, REQUEST_BYTES, TORN_NOTE, TRACE_LINES, Recorder


class People(io.BytesIO):
    """Where lines for people go."""

    def lines(self) -> list[bytes]:
        """Return the lines so far."""
        return self.getvalue().splitlines()


def last(key: str, people: str = "GET / 200") -> bytes:
    """Return the last line of a request."""
    return f"={key}\t1\t2\t{people}\n".encode()


def trace(key: str, text: str) -> bytes:
    """Return a line of a request, of httpd's trace log."""
    return f"{key} DATE TIME http:trace4 {text}\n".encode()


@pytest.fixture
def people() -> People:
    """Where the recorder writes for people."""
    return People()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    """A store in tmp_path."""
    with closing(Writer(tmp_path)) as made:
        yield made


@pytest.fixture
def recorder(writer: Writer, people: People) -> Recorder:
    """A recorder that writes its records into tmp_path."""
    return Recorder(writer, people)


def test_each_request_has_its_own_lines(recorder: Recorder, tmp_path: Path) -> None:
    recorder.take(trace("a", "1") + trace("b", "1") + trace("a", "2") + last("b") + trace("a", "3") + last("a"))

    assert records(tmp_path) == [
        b"DATE TIME http:trace4 1\n=b\t1\t2\tGET / 200",
        b"DATE TIME http:trace4 1\nDATE TIME http:trace4 2\nDATE TIME http:trace4 3\n=a\t1\t2\tGET / 200",
    ]


@given(strategies.data())
def test_it_does_not_matter_where_a_read_ends(data: strategies.DataObject) -> None:
    whole = trace("a", "1") + trace("b", "2") + last("b") + last("a")
    cuts = sorted(data.draw(strategies.lists(strategies.integers(0, len(whole)), max_size=5)))
    written: list[bytes] = []

    class Kept(Writer):
        def __init__(self) -> None:
            pass

        def append(self, record: bytes) -> None:
            written.append(record)

    recorder = Recorder(Kept(), People())
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        recorder.take(whole[begin:end])

    assert written == [
        b"DATE TIME http:trace4 2\n=b\t1\t2\tGET / 200",
        b"DATE TIME http:trace4 1\n=a\t1\t2\tGET / 200",
    ]


def test_people_see_a_line_a_request_and_what_is_no_trace(recorder: Recorder, people: People) -> None:
    recorder.take(trace("a", "  Host: x") + b"a DATE TIME cgi:error AH01215: Oops\n" + last("a", "GET /a 500"))

    assert people.lines() == [b"DATE TIME cgi:error AH01215: Oops", b"GET /a 500"]


def test_people_do_not_see_what_httpd_does_for_php(recorder: Recorder, tmp_path: Path, people: People) -> None:
    line = b"DATE TIME proxy_fcgi:debug AH01060: set r->filename to proxy:fcgi://php/srv/www/a.php"
    recorder.take(b"a " + line + b"\n" + last("a", "GET /a.php 200"))

    assert people.lines() == [b"GET /a.php 200"]
    assert records(tmp_path) == [line + b"\n=a\t1\t2\tGET /a.php 200"]


def test_a_request_of_the_labs_own_pages_is_not_kept(recorder: Recorder, tmp_path: Path, people: People) -> None:
    recorder.take(trace("a", "  Host: x") + b"~a\n" + last("a"))

    assert records(tmp_path) == [last("a").rstrip()]
    assert len(people.lines()) == 1


@pytest.mark.parametrize("length", [5, 8000], ids=["short lines", "8 KB lines"])
def test_a_script_that_floods_its_stderr_takes_no_place_of_the_headers(
    recorder: Recorder, tmp_path: Path, length: int
) -> None:
    for _ in range(10 * MESSAGES):
        recorder.take(b"a DATE TIME cgi:error " + b"x" * length + b"\n")
    recorder.take(trace("a", "  Server: me") + last("a"))

    (record,) = records(tmp_path)
    lines = record.split(b"\n")
    header = lines.index(b"DATE TIME http:trace4   Server: me")
    assert lines[-2:] == [b"DATE TIME " + CUT, last("a").rstrip()]
    assert 0 < header <= MESSAGES
    assert len(lines[header + 1 : -2]) == LAST_MESSAGES
    assert len(record) <= store.RECORD_BYTES


def test_a_request_of_many_long_lines_keeps_the_start_of_each(recorder: Recorder, tmp_path: Path) -> None:
    for number in range(100):
        recorder.take(trace("a", f"  X-{number}: " + "x" * 8000))
    recorder.take(last("a"))

    (record,) = records(tmp_path)
    *lines, cut, _ = record.split(b"\n")
    assert len(record) <= store.RECORD_BYTES
    assert cut == b"DATE TIME " + CUT
    assert [line[:32].split(b":")[-2].split()[-1] for line in lines] == [
        f"X-{number}".encode() for number in range(100)
    ]


def test_a_request_takes_a_megabyte_of_memory_at_most(recorder: Recorder, tmp_path: Path) -> None:
    for _ in range(TRACE_LINES):
        recorder.take(trace("a", "x" * 8000))
    recorder.take(last("a"))

    (record,) = records(tmp_path)
    assert record.count(b"\n") == REQUEST_BYTES // 8022 + 1


def test_that_lines_are_missing_is_said_with_the_time_of_the_last_one_kept(recorder: Recorder, tmp_path: Path) -> None:
    for number in range(2 * MESSAGES):
        recorder.take(f"a 2026-11-22 14:52:53.{number:06} cgi:error Oops\n".encode())
    recorder.take(last("a"))

    (record,) = records(tmp_path)
    *_, kept, cut, _ = record.split(b"\n")
    assert (kept[-4:], cut) == (b"Oops", kept.removesuffix(b"cgi:error Oops") + CUT)


def test_a_request_of_which_nothing_can_be_kept_has_its_last_line(recorder: Recorder, tmp_path: Path) -> None:
    recorder.take(trace("a", "x" * (REQUEST_BYTES + 1)) + last("a"))

    assert records(tmp_path) == [last("a").rstrip()]


@pytest.mark.parametrize("times", [1, 3], ids=["one", "several"])
def test_a_line_that_stands_in_another_belongs_to_nobody_and_is_noted_once(
    recorder: Recorder, tmp_path: Path, times: int
) -> None:
    torn = b"a/1 DATE TIME http:trace4   X: " + b"x" * 5000 + b"b/2 2026-11-22 13:52:53.356114 http:trace4   Cookie: s"
    recorder.take((torn + b"\n") * times + last("a/1"))

    assert records(tmp_path) == [b"DATE TIME " + TORN_NOTE + b"\n" + last("a/1").rstrip()]


def test_a_time_in_a_long_header_is_no_start_of_a_line(recorder: Recorder, tmp_path: Path) -> None:
    header = "  X: " + "x" * 5000 + " /12 2026-11-22 15:54:38.123456 "
    recorder.take(trace("a/1", header) + last("a/1"))

    assert records(tmp_path) == [f"DATE TIME http:trace4 {header}\n".encode() + last("a/1").rstrip()]


def test_a_value_made_of_secret_words_does_not_hold_the_recorder_up() -> None:
    """With unbounded names this took 28 ms for each 8 KB, so 30 s here; the limit of the whole run would end it."""
    value = b"D T http:trace4   X: " + b"token" * 1600
    for _ in range(1000):
        assert mask(value) == value


FROM_PAGE = "2026-11-22 13:52:53.356114 cgi:error AH01215: stderr from /usr/local/lib/cgi-lab/failure: "
FROM_LAB = "2026-11-22 13:52:53.356114 lab:notice "


def test_lines_gather_only_where_a_request_has_ended_since_a_page_may_ask_before(recorder: Recorder) -> None:
    reads = (
        trace("a", "1"),
        last("b"),
        b"a DATE TIME cgi:error x\n",
        trace("a", "2"),
        trace("c", "1") + last("a"),
        b"",
    )

    assert [recorder.take(read) for read in reads] == [False, True, False, False, True, False]


def test_the_question_of_the_page_is_kept_and_shown_to_nobody(
    recorder: Recorder, tmp_path: Path, people: People
) -> None:
    recorder.take(f"a/1 {FROM_PAGE}What was logged? 17\n".encode() + last("a/1"))

    assert records(tmp_path) == [f"{FROM_LAB}What was logged?\n".encode() + last("a/1").rstrip()]
    assert people.lines() == [b"GET / 200"]


def test_what_the_page_says_is_kept_and_shown_also_after_a_flood(
    recorder: Recorder, tmp_path: Path, people: People
) -> None:
    for _ in range(10 * MESSAGES):
        recorder.take(b"a/1 DATE TIME cgi:error x\n")
    recorder.take(f"a/1 {FROM_PAGE}explained: x [unknown]\n".encode() + last("a/1"))

    (record,) = records(tmp_path)
    assert f"{FROM_LAB}explained: x [unknown]".encode() in record.split(b"\n")
    assert people.lines()[-2:] == [f"{FROM_LAB}explained: x [unknown]".encode(), b"GET / 200"]


def test_a_script_cannot_write_as_the_page(recorder: Recorder, tmp_path: Path) -> None:
    line = (
        "2026-11-22 13:52:53.356114 cgi:error AH01215: stderr from /srv/cgi-bin/a: "
        + FROM_PAGE[27:]
        + "explained: x [y]"
    )
    recorder.take(f"a/1 {line}\n".encode() + last("a/1"))

    assert records(tmp_path) == [line.encode() + b"\n" + last("a/1").rstrip()]


def test_requests_that_never_end_are_forgotten(recorder: Recorder, tmp_path: Path) -> None:
    for number in range(2 * OPEN):
        recorder.take(trace(str(number), "1"))
    recorder.take(last("0") + last(str(2 * OPEN - 1)))

    first, second = records(tmp_path)
    assert (first, second.count(b"\n")) == (last("0").rstrip(), 1)


# --- The store -----------------------------------------------------------------------------------


def test_the_store_keeps_the_last_500(writer: Writer, tmp_path: Path) -> None:
    for number in range(1234):
        writer.append(str(number).encode())

    assert records(tmp_path) == [str(number).encode() for number in range(734, 1234)]


def test_the_store_stays_below_16_mb(writer: Writer, tmp_path: Path) -> None:
    for _ in range(500):
        writer.append(b"x" * store.RECORD_BYTES)

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= store.BYTES
    assert len(records(tmp_path)) >= 30


def test_a_record_that_is_being_written_is_not_read(writer: Writer, tmp_path: Path) -> None:
    writer.append(b"whole")
    with (tmp_path / "1").open("ab") as file:
        file.write(b"half")

    assert records(tmp_path) == [b"whole"]


def test_a_new_writer_goes_on_after_the_old_one(writer: Writer, tmp_path: Path) -> None:
    writer.append(b"1")
    with closing(Writer(tmp_path)) as second:
        second.append(b"2")

    assert records(tmp_path) == [b"1", b"2"]


def test_a_store_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert records(tmp_path / "none") == []


# --- Secrets -------------------------------------------------------------------------------------

LINE = b"D T http:trace4   "
SECRETS = [
    pytest.param(LINE + b"Authorization: Basic YTpi", LINE + b"Authorization: (masked)", id="log-in"),
    pytest.param(LINE + b"authorization: x", LINE + b"authorization: (masked)", id="small letters"),
    pytest.param(LINE + b"Proxy-Authorization: x", LINE + b"Proxy-Authorization: (masked)", id="proxy"),
    pytest.param(LINE + b"Cookie: a=1; b=2", LINE + b"Cookie: (masked)", id="cookies"),
    pytest.param(LINE + b"Set-Cookie: a=1", LINE + b"Set-Cookie: (masked)", id="a new cookie"),
    pytest.param(LINE + b"Set-Cookie:a=1", LINE + b"Set-Cookie:(masked)", id="without a space"),
    pytest.param(LINE + b"Set-Cookie a=1", LINE + b"Set-Cookie (masked)", id="without a colon"),
    pytest.param(
        b"D T cgi:error malformed header from script 'a.py': Bad header: Set-Cookie a=1",
        b"D T cgi:error malformed header from script 'a.py': Bad header: Set-Cookie (masked)",
        id="a cookie without colon",
    ),
    pytest.param(
        b"D T http:error AH02430: Response header 'Set-Cookie' value of 'a=\\x01' contains invalid characters",
        b"D T http:error AH02430: Response header 'Set-Cookie' value of '(masked)' contains invalid characters",
        id="a cookie with a control character",
    ),
    pytest.param(b"=a\tGET /?password=x&b=1 HTTP", b"=a\tGET /?password=(masked)&b=1 HTTP", id="a password"),
    pytest.param(b"=a\tQUERY_STRING=user_pwd=x\tB=1", b"=a\tQUERY_STRING=user_pwd=(masked)\tB=1", id="in a variable"),
    pytest.param(b"=a\t/?a=1&API-Key=x;y&c=2", b"=a\t/?a=1&API-Key=(masked)&c=2", id="a key with a semicolon"),
    pytest.param(b"=a\t/?user[password]=x&b", b"=a\t/?user[password]=(masked)&b", id="in brackets"),
    pytest.param(b"=a\t/?user%5Bpassword%5D=x&b", b"=a\t/?user%5Bpassword%5D=(masked)&b", id="in encoded brackets"),
    pytest.param(b"=a\t/?pass=x&access_key=y", b"=a\t/?pass=(masked)&access_key=(masked)", id="short names"),
    pytest.param(b'=a\t"GET /?pwd=a\\"b" 200', b'=a\t"GET /?pwd=(masked)" 200', id="an escaped quote"),
    pytest.param(b'=a\t"GET /?access_token=x" 200', b'=a\t"GET /?access_token=(masked)" 200', id="a token"),
]
HARMLESS = [
    b"D T cgi:error malformed header from script 'a.py': Bad header: Cookie-Law yes",
    b"D T cgi:error AH01215: stderr from a.py: a cookie too many",
    b"D T http:trace4   Accept: */*",
    b"D T http:trace4   X-Cookie-Law: yes",
    b"D T http:trace4   Cookie-Law: yes",
    b"=a\tGET /?name=secret&passage=12 HTTP",
    b"=a\tPATH=/usr/bin\tQUERY_STRING=",
]


@pytest.mark.parametrize(("logged", "kept"), SECRETS)
def test_secrets_are_masked(logged: bytes, kept: bytes) -> None:
    assert mask(b"before\n" + logged + b"\nafter") == b"before\n" + kept + b"\nafter"


@pytest.mark.parametrize("logged", HARMLESS)
def test_what_is_no_secret_stays(logged: bytes) -> None:
    assert mask(logged) == logged


def test_secrets_are_kept_where_that_is_asked_for(writer: Writer, tmp_path: Path, people: People) -> None:
    recorder = Recorder(writer, people, masked=False)
    recorder.take(trace("a", "  Cookie: a=1") + last("a"))

    assert b"Cookie: a=1" in records(tmp_path)[0]
