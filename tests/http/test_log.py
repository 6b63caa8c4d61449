"""What `docker compose logs` shows: one line a request, and a script's own words when it fails."""

import re
from pathlib import Path

import requests

from tests.support.running_lab import RunningLab
from tests.support.wait import wait_until


def logged(lab: RunningLab, mark: str) -> list[str]:
    """Return the log's lines that hold a mark; httpd writes them after the response, so this waits for the first."""
    return wait_until(lambda: [line for line in lab.log() if mark in line])


def test_a_request_is_one_readable_line(lab: RunningLab) -> None:
    requests.get(f"{lab.url}/cgi-bin/web_02.py?mark=readable", headers={"User-Agent": "a lesson"}, timeout=10)

    (line,) = logged(lab, "mark=readable")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [0-9.]+ "
        r'"GET /cgi-bin/web_02\.py\?mark=readable HTTP/1\.1" 200 \d+ bytes \d+ ms "a lesson"',
        line,
    )


def test_a_line_cannot_be_forged(lab: RunningLab) -> None:
    agent = 'x" 200\\ "y'
    requests.get(f"{lab.url}/?mark=forged%0A127.0.0.1", headers={"User-Agent": agent}, timeout=10)

    (line,) = logged(lab, "mark=forged")
    assert line.endswith('"x\\" 200\\\\ \\"y"')
    assert "mark=forged%0A127.0.0.1 HTTP/1.1" in line


def test_what_a_script_prints_on_stderr_is_logged_with_its_name(lab: RunningLab, service: Path) -> None:
    service.write_text("#!/bin/sh\necho 'a word from stderr' >&2\nexit 3\n", encoding="utf-8")
    service.chmod(0o755)

    assert requests.get(f"{lab.url}/cgi-bin/{service.name}", timeout=10).status_code == 500
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} cgi:error "
        r"AH01215: stderr from /srv/cgi-bin/\w+\.py: a word from stderr",
        logged(lab, "a word from")[0],
    )
    assert logged(lab, f"End of script output before headers: {service.name}")


def test_the_health_check_leaves_no_line(lab: RunningLab) -> None:
    lab.container.exec_run(["/usr/local/lib/cgi-lab/healthcheck"])
    requests.get(f"{lab.url}/?mark=afterwards", timeout=10)

    logged(lab, "mark=afterwards")
    assert [line for line in lab.log() if "/lab/health" in line and "127.0.0.1" in line] == []
