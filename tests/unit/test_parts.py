"""Where the time of an exchange went, from what httpd and the forkserver log."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies

from cgilab.exchanges.exchange import Exchange, Marks, Part, Spender, Start
from cgilab.exchanges.httpd_log import exchange
from tests.unit.test_httpd_log import ONE, RECORD, STARTED, access, line

END = 45090
HEADER = 36297
FORKED = "proxy:scgi://forkserver/srv/cgi-bin/web_03.py"
BY_FORKSERVER = access(SCRIPT_FILENAME=FORKED)


def ended(words: str, micro: int = 393000) -> str:
    """Return the line with which the forkserver tells how a script has ended."""
    return line(micro, f"ended: {words}", level="forkserver:debug")


def times(start: int, code: int | str, imports: str, end: int | str) -> str:
    """Return the words that tell the times, from microseconds since the request was received."""
    moments = [STARTED + moment if isinstance(moment, int) else moment for moment in (start, code, end)]
    return f"start {moments[0]}, code {moments[1]}, imports {imports}, end {moments[2]}"


def parts(one: Exchange) -> list[tuple[str, str, int]]:
    """Return the parts of an exchange's time in short: what it went to, whose it was, how long it took."""
    found = one.parts()
    assert [part.start for part in found] == [0, *(part.end for part in found[:-1])]
    assert found[-1].end == one.end
    return [(part.name, part.by.value, part.end - part.start) for part in found]


def test_spawn_shows_nothing_of_what_goes_on_in_the_process() -> None:
    assert (ONE.start, ONE.marks, ONE.request_read) == (Start.SPAWN, None, 97)
    assert parts(ONE) == [
        ("server before the script", "server", 97),
        ("interpreter's start, imports, script until its first header", "interpreter and script", HEADER - 97),
        ("script after it, server", "script and server", END - HEADER),
    ]


def test_the_forkserver_tells_what_went_on_in_the_process() -> None:
    told = ended(f"exit code 0; 0.004000 s of processor time; {times(500, 1900, '2000 and 300', 37000)}")
    one = exchange([*RECORD, told, BY_FORKSERVER])

    assert (one.start, one.script) == (Start.FORKSERVER, "/srv/cgi-bin/web_03.py")
    assert one.marks == Marks(start=500, code=1900, imports=2000, later_imports=300, end=37000)
    assert one.messages == ONE.messages
    assert parts(one) == [
        ("server before the script", "server", 500),
        ("interpreter's start", "interpreter", 1400),
        ("imports", "imports", 2000),
        ("script until its first header", "script", HEADER - 3900),
        ("imports after it", "imports", 300),
        ("script after it", "script", 37000 - HEADER - 300),
        ("server after the script", "server", END - 37000),
    ]


NOT_WATCHED = [
    pytest.param(
        times(500, 1900, "- and -", 37000),
        [
            ("interpreter's start", "interpreter", 1400),
            ("script until its first header", "script", HEADER - 1900),
            ("script after it", "script", 37000 - HEADER),
            ("server after the script", "server", END - 37000),
        ],
        id="imports, by a Python before 3.12",
    ),
    pytest.param(
        times(500, "-", "- and -", "-"),
        [
            (
                "interpreter's start, imports, script until its first header",
                "interpreter and script",
                HEADER - 500,
            ),
            ("script after it", "script", 36983 - HEADER),
            ("server after the script", "server", END - 36983),
        ],
        id="a program in the place of the interpreter",
    ),
    pytest.param(
        times(500, 1900, "0 and 0", "-"),
        [
            ("interpreter's start", "interpreter", 1400),
            ("imports", "imports", 0),
            ("script until its first header", "script", HEADER - 1900),
            ("script after it", "script", 36983 - HEADER),
            ("server after the script", "server", END - 36983),
        ],
        id="the end, of a script that was killed",
    ),
]


@pytest.mark.parametrize(("told", "after_server"), NOT_WATCHED)
def test_what_nobody_has_seen_is_not_made_up(told: str, after_server: list[tuple[str, str, int]]) -> None:
    one = exchange([*RECORD, ended(f"signal 9; 0.1 s of processor time; {told}"), BY_FORKSERVER])

    assert parts(one) == [("server before the script", "server", 500), *after_server]


def test_a_script_that_printed_no_header() -> None:
    failed = [text for text in RECORD if "cgi:trace4" not in text]
    told = ended(f"exit code 1; 0.1 s of processor time; {times(500, 1900, '10 and 0', 37000)}")

    assert parts(exchange([*failed, access()])) == [
        ("server before the script", "server", 97),
        ("interpreter's start, imports, script without a header, server", "interpreter and script", END - 97),
    ]
    assert parts(exchange([*failed, told, BY_FORKSERVER])) == [
        ("server before the script", "server", 500),
        ("interpreter's start", "interpreter", 1400),
        ("imports", "imports", 10),
        ("script without a header", "script", 37000 - 1910),
        ("server after the script", "server", END - 37000),
    ]


def test_a_page_of_php_needs_no_start() -> None:
    one = exchange([*RECORD, access(SCRIPT_FILENAME="proxy:fcgi://php/srv/www/people.php")])

    assert one.start is None
    assert parts(one) == [
        ("server before the script", "server", 97),
        ("script until its first header", "script", HEADER - 97),
        ("script after it, server", "script and server", END - HEADER),
    ]


def test_a_file_is_the_servers_alone() -> None:
    one = exchange([*RECORD, ended(times(1, 2, "3 and 4", 5)), access(SCRIPT_FILENAME="-")])

    assert (one.start, one.marks) == (None, None)
    assert parts(one) == [("server", "server", END)]


def test_of_two_scripts_of_one_request_the_first_counts() -> None:
    first, second = (ended(times(start, start + 5, "0 and 0", start + 9)) for start in (500, 9000))
    one = exchange([*RECORD, first, second, BY_FORKSERVER])

    assert one.marks == Marks(500, 505, 0, 0, 509)


NOT_MARKS = [
    "exit code 0; 0.1 s of processor time",
    "start 1, code 2, imports 3 and 4, end 5",
    f"start -{STARTED}, code {STARTED}, imports 3 and 4, end {STARTED}",
    f"start {STARTED}, code {STARTED}, imports 12345678901 and 4, end {STARTED}",
]


@pytest.mark.parametrize("words", NOT_MARKS)
def test_what_tells_no_times_is_left_out(words: str) -> None:
    assert exchange([*RECORD, ended(words), BY_FORKSERVER]).marks is None


def test_what_a_script_writes_are_no_marks() -> None:
    forged = line(392401, f"AH01215: stderr from a: ended: {times(1, 2, '3 and 4', 5)}", level="cgi:error")

    assert exchange([*RECORD, forged, BY_FORKSERVER]).marks is None


moments = strategies.integers(-100, END + 100)


@given(strategies.builds(Marks, moments, moments | strategies.none(), moments, moments, moments), moments)
def test_whatever_the_marks_the_parts_take_all_of_the_time(marks: Marks, header: int) -> None:
    found = replace(ONE, marks=marks, first_header=header).parts()

    assert [part.start for part in found] == [0, *(part.end for part in found[:-1])]
    assert found[-1].end == END
    assert all(part.start <= part.end for part in found)


def test_a_part_has_a_spender() -> None:
    assert ONE.parts()[0] == Part("server before the script", Spender.SERVER, 0, 97)
