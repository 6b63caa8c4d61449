"""The page behind a failure: which form a client prefers, and what is known of the failure."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, strategies

from cgilab.diagnosis.model import Ended
from cgilab.failures.evidence import ended_of, path_of, split, words_of
from cgilab.web.failure import evidence_from, is_out_of_memory, preferred

TEXT, HTML, PROBLEM = "text/plain", "text/html", "application/problem+json"

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
ACCEPTED = [
    pytest.param("", TEXT, id="nothing said"),
    pytest.param("*/*", TEXT, id="curl"),
    pytest.param(FIREFOX, HTML, id="Firefox"),
    pytest.param(CHROMIUM, HTML, id="Chromium"),
    pytest.param("text/html", HTML, id="HTML"),
    pytest.param("TEXT/HTML", HTML, id="capitals"),
    pytest.param("text/*", TEXT, id="any text"),
    pytest.param("application/json", PROBLEM, id="JSON"),
    pytest.param("application/problem+json", PROBLEM, id="problem details"),
    pytest.param("application/*", PROBLEM, id="any application"),
    pytest.param("application/json, text/plain, */*", PROBLEM, id="axios"),
    pytest.param("text/plain, application/json", TEXT, id="the first of equals"),
    pytest.param("application/json;q=0.5, text/html;q=0.9", HTML, id="weights"),
    pytest.param("text/html;q=0.5, text/plain;q=0.4", HTML, id="small weights"),
    pytest.param("text/html;q=0, */*", TEXT, id="all but HTML"),
    pytest.param("text/plain;q=0, */*", HTML, id="all but text"),
    pytest.param("text/html;level=1", HTML, id="a parameter"),
    pytest.param("text/html ; q=0.2 , application/json ; q=0.3", PROBLEM, id="spaces"),
    pytest.param("image/png", TEXT, id="nothing that there is"),
    pytest.param("text/html;q=0", TEXT, id="nothing at all"),
    pytest.param("text/html;q=much", TEXT, id="a wrong weight"),
    pytest.param("text/html;q=7, application/json", HTML, id="a weight above 1"),
    pytest.param(",;,=/,text/html", HTML, id="garbage"),
]


@pytest.mark.parametrize(("accept", "form"), ACCEPTED)
def test_what_a_client_prefers(accept: str, form: str) -> None:
    assert preferred(accept) == form


@given(strategies.text(max_size=200))
def test_any_accept_has_an_answer(accept: str) -> None:
    assert preferred(accept) in {TEXT, HTML, PROBLEM}


# --- What is known -------------------------------------------------------------------------------

F = "/srv/cgi-bin/a.py"


def test_what_httpd_says_and_what_the_script_wrote() -> None:
    texts = [
        f"AH01215: stderr from {F}: Traceback (most recent call last):",
        f"AH01215: stderr from {F}:   File: stderr from {F}: x",
        "AH01215: stderr from /srv/cgi-bin/first.py: another script of the same request",
        f"AH01215: stderr from {F}: (13)Permission denied: exec of '{F}' failed",
        f"AH02811: stderr from {F}: script not found or unable to stat",
        "End of script output before headers: a.py",
    ]

    assert split(texts, F) == (
        [
            f"(13)Permission denied: exec of '{F}' failed",
            "AH02811: script not found or unable to stat",
            "End of script output before headers: a.py",
        ],
        ["Traceback (most recent call last):", f"  File: stderr from {F}: x"],
    )


ENDED = [
    Ended(code=0),
    Ended(code=255, cpu_seconds=1.5),
    Ended(signal=9, out_of_memory=True),
    Ended(running=True, cpu_seconds=9.5, waiting_in="hrtimer_nanosleep"),
]


@pytest.mark.parametrize("ended", ENDED, ids=str)
def test_how_it_ended_can_be_read_back(ended: Ended) -> None:
    assert ended_of("; ".join(words_of(ended))) == ended


@pytest.mark.parametrize("words", ["", "nothing known", "exit code x", "out of memory", "signal -1"])
def test_words_that_do_not_tell_how_it_ended(words: str) -> None:
    assert ended_of(words) is None


def test_the_path_leads_as_far_as_there_are_folders(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.py").write_text("", encoding="utf-8")
    folder = str(tmp_path)

    assert path_of("/cgi-bin/folder/a.py/more", folder) == f"{folder}/folder/a.py"
    assert path_of("/cgi-bin//folder/none/more", folder) == f"{folder}/folder/none"
    assert path_of("/cgi-bin/", folder) == folder
    assert path_of("/elsewhere", folder) == ""


def test_the_evidence_of_a_page(tmp_path: Path) -> None:
    script = tmp_path / "a.py"
    script.write_bytes(b"print(1)\n")
    environment = {
        "REDIRECT_STATUS": "500",
        "REDIRECT_URL": "/cgi-bin/a.py",
        "REDIRECT_SCRIPT_FILENAME": str(script),
        "REDIRECT_REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": "12",
    }
    logged = [
        "2026-11-22 23:59:59.500000",
        rf"2026-11-22 23:59:59.600000 cgi:error AH01215: stderr from {script}: \xc3\xa9 \"\\",
        "2026-11-23 00:00:01.750000 cgi:error End of script output before headers: a.py",
    ]
    evidence = evidence_from(environment, logged, os.getpid())

    assert evidence.messages == ["End of script output before headers: a.py"]
    assert evidence.stderr == ['é "\\']
    assert (evidence.status, evidence.method, evidence.body_length, evidence.seconds) == (500, "POST", 12, 2.25)
    assert evidence.script is not None
    assert evidence.script.content == b"print(1)\n"


def test_without_an_answer_there_is_what_httpd_passed_on() -> None:
    notes = "End of script output before headers: a.py"
    evidence = evidence_from({"REDIRECT_STATUS": "500", "REDIRECT_ERROR_NOTES": notes}, [], os.getpid())

    assert (evidence.messages, evidence.path, evidence.seconds) == ([notes], "", None)


@pytest.mark.parametrize("line", ["", "x", "a b c", "a b c d", "2026-11-22 1:2 cgi:error x"])
def test_a_line_that_is_none_is_left_out(line: str) -> None:
    assert evidence_from({"REDIRECT_STATUS": "500"}, ["2026-11-22 23:59:59.500000", line], os.getpid()).seconds is None


# --- Was it the kernel, for want of memory? ---------------------------------------------------------


def test_the_kernels_count_is_compared_with_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counter, remembered = tmp_path / "memory.events", tmp_path / "remembered"

    def look(count: int, *, after: float = 0.0) -> bool:
        counter.write_text(f"low 0\noom 9\noom_kill {count}\noom_group_kill 0\n", encoding="ascii")
        now = time.time() + after
        monkeypatch.setattr(time, "time", lambda: now)
        return is_out_of_memory([str(tmp_path / "none"), str(counter)], str(remembered))

    assert look(0) is False
    assert look(1) is True
    assert look(1) is True  # another one of the same moment
    assert look(1, after=60) is False
    assert look(2) is True


def test_without_a_counter_nobody_knows(tmp_path: Path) -> None:
    assert is_out_of_memory([str(tmp_path / "none")], str(tmp_path / "remembered")) is False
