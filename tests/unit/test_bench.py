"""What `make bench` makes of what its programs print, and of what it has measured."""

import pytest

from bench import floors, load, report
from bench.cases import BUSY, FORM, MEGABYTE, SHELL, TIME, Case, Script
from bench.floors import EXECUTED, Reached
from bench.load import Load
from bench.measuring import Figures, Measured
from bench.report import Spread
from cgilab.errors import LabError

# As wrk 4.1 prints it with load.lua.
PRINTED = """Running 1s test @ http://127.0.0.1:80/cgi-bin/web_02.py
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    45.91ms   11.70ms  75.60ms   69.88%
    Req/Sec   166.20     28.62   210.00     60.00%
  150 requests in 2.00s, 33.40KB read
  Non-2xx or 3xx responses: 5
Requests/sec:     75.00
Transfer/sec:     33.33KB
"""
FIGURES = (
    '{{"requests": 150, "microseconds": 2000000, "p50": 45824, "p99": 75600, "connect": 1, "read": {read}, '
    '"write": 2, "timeout": 3, "status": 5}}\n'
)


def test_the_figures_of_wrk_are_read() -> None:
    assert load.parse(PRINTED + FIGURES.format(read=4), ends_by_closing=False) == Load(
        requests=150, rate=75.0, p50=45.824, p99=75.6, errors=15
    )


@pytest.mark.parametrize(
    ("read", "errors"),
    [
        pytest.param(150, 11, id="each answer ended with its connection"),
        pytest.param(154, 15, id="and four more connections broke off"),
        pytest.param(0, 11, id="none is counted below nothing"),
    ],
)
def test_an_answer_that_ends_with_its_connection_is_no_failure(read: int, errors: int) -> None:
    assert load.parse(FIGURES.format(read=read), ends_by_closing=True).errors == errors


@pytest.mark.parametrize(
    "printed",
    ["", "unable to connect to 127.0.0.1:80 Connection refused\n", PRINTED],
    ids=["nothing", "a complaint", "no figures of load.lua"],
)
def test_wrk_that_measured_nothing_is_told(printed: str) -> None:
    with pytest.raises(LabError) as caught:
        load.parse(printed, ends_by_closing=False)

    assert str(caught.value) == "\n".join(["wrk printed no figures.", *(f"  {line}" for line in printed.splitlines())])


PREFIX = "Information received from the web service "


@pytest.mark.parametrize(
    ("script", "body", "is_right"),
    [
        (TIME, "22/11/26 13:42:46\n", True),
        (TIME, "22/11/26 13:42:46\nmore\n", False),
        (FORM, f"{PREFIX}[first_name=['Jean-Paul'],last_name=['de la Huche'],age=['42']]\n", True),
        (FORM, f"{PREFIX}[first_name=[],last_name=[],age=[]]\n", False),
        (SHELL, "hello\n", True),
        (SHELL, "", False),
        (MEGABYTE, "x" * 1_000_000 + "\n", True),
        (MEGABYTE, "x" * 999_999 + "\n", False),
    ],
)
def test_a_wrong_body_is_seen(script: Script, body: str, is_right: bool) -> None:
    assert script.is_answered_by(body) is is_right


def test_a_floor_is_read() -> None:
    assert floors.parse('{"done": 400, "seconds": 2.0, "processor": 0.5}\n') == Reached(rate=200.0, processor=1.25)


def test_a_ratio_is_that_of_the_medians_with_the_extremes_of_the_rounds() -> None:
    assert report.ratio([10, 30, 20], [5, 6, 20]) == Spread(median=20 / 6, least=1.0, most=5.0)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1234.4, "1234"),
        (123.45, "123"),
        (12.34, "12.3"),
        (9.87, "9.87"),
        (98.7, "98.7"),
        (0.5, "0.50"),
        (-4.0, "-4.00"),
    ],
)
def test_figures_have_the_digits_that_count(value: float, written: str) -> None:
    assert report.number(value) == written


def figures(*rounds: tuple[float, float, float, float]) -> list[Figures]:
    """Return the figures of rounds, each of a rate, p50, p99 and processor time."""
    return [Figures(Load(100, rate, p50, p99, 0), processor) for rate, p50, p99, processor in rounds]


CASE = Case(TIME, BUSY)
MEASURED = Measured(
    servers=["spawn", "apache", "lighttpd"],
    figures={
        (CASE, "spawn"): figures((150, 50, 90, 10), (120, 60, 95, 12), (180, 40, 99, 11)),
        (CASE, "apache"): figures((100, 70, 120, 20), (110, 80, 140, 21), (90, 75, 130, 22)),
        (CASE, "lighttpd"): figures((200, 35, 60, 8), (160, 45, 80, 9), (150, 40, 70, 7)),
    },
    floors={EXECUTED[TIME]: [Reached(160, 9.0), Reached(150, 10.0), Reached(200, 11.0)]},
)


def test_the_table_of_throughput() -> None:
    assert report.throughput(MEASURED).splitlines() == [
        "| requests a second | cgi-lab, spawn | Apache, mod_cgid | lighttpd, mod_cgi |",
        "| --- | --- | --- | --- |",
        "| `web_02.py`, 8 connections | 150 (120 to 180) | 100 (90.0 to 110) | 160 (150 to 200) |",
    ]


def test_the_table_against_the_best_peer() -> None:
    assert report.against_peers(MEASURED).splitlines() == [
        "| ratio | the best peer | cgi-lab, spawn against it | spawn against Apache, mod_cgid |",
        "| --- | --- | --- | --- |",
        "| `web_02.py`, 8 connections | lighttpd, mod_cgi | 0.94 (0.75 to 1.20) | 1.50 (1.09 to 2.00) |",
    ]


def test_the_table_of_times() -> None:
    assert report.latencies(MEASURED).splitlines()[2] == (
        "| `web_02.py`, 8 connections | 50.0 / 95.0 | 75.0 / 130 | 40.0 / 70.0 |"
    )


def test_the_table_of_floors() -> None:
    assert report.floors(MEASURED).splitlines() == [
        "| floor, 8 processes at once | times a second | milliseconds of processor time |",
        "| --- | --- | --- |",
        "| execution of `web_02.py` | 160 (150 to 200) | 10.0 |",
        "",
        "| 8 connections | against | requests a second, ratio | processor time a request, ratio |",
        "| --- | --- | --- | --- |",
        "| spawn, `web_02.py` | execution of `web_02.py` | 0.94 (0.80 to 0.94) | 1.10 (1.00 to 1.20) |",
    ]


def test_failed_requests_are_told() -> None:
    failed = [Figures(Load(100, 1.0, 1.0, 1.0, errors=3), 1.0), Figures(Load(100, 1.0, 1.0, 1.0, errors=4), 1.0)]

    assert report.failures(MEASURED) == "No request failed."
    assert (
        report.failures(Measured(["spawn", "apache"], {(CASE, "apache"): failed}))
        == "Apache, mod_cgid: 7 requests failed."
    )


def test_the_section_alone_is_replaced() -> None:
    page = f"before\n\n{report.BEGIN}\nold\n{report.END}\n\nafter\n"

    assert report.write_into(page, "new\n") == f"before\n\n{report.BEGIN}\n\nnew\n\n{report.END}\n\nafter\n"


@pytest.mark.parametrize("page", ["", report.BEGIN, report.END, f"{report.END}\n{report.BEGIN}"])
def test_a_page_without_the_marks_is_told(page: str) -> None:
    with pytest.raises(LabError, match=r"^docs/benchmarks\.md lacks the lines "):
        report.write_into(page, "new")
