"""What is served from the two folders, and what never is."""

import os
from pathlib import Path

import pytest
import requests

from tests.support.running_lab import RunningLab
from tests.support.wire import send

SOURCE_MARK = b"#!/usr/bin/env python3"


def status_of(lab: RunningLab, target: str) -> int:
    """Ask for a target as it stands, without a client that would tidy it first, and make sure no source comes back."""
    answer = send(lab.port, f"GET {target} HTTP/1.0")
    assert SOURCE_MARK not in answer.body
    assert b"root:" not in answer.body
    return answer.status


def test_the_document_root_has_an_index(lab: RunningLab) -> None:
    answer = requests.get(lab.url, timeout=10)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
    assert answer.content == (lab.www / "index.html").read_bytes()


@pytest.mark.parametrize(
    ("target", "status"),
    [
        pytest.param("/missing", 404, id="a file that is not there"),
        pytest.param("/cgi-bin/missing.py", 404, id="a service that is not there"),
        pytest.param("/cgi-bin/WEB_02.PY", 404, id="a service in other case"),
        pytest.param("/cgi-bin/", 403, id="the folder of the services"),
        pytest.param("/cgi-bin", 404, id="the folder of the services without its slash"),
        pytest.param("/pictures/", 404, id="a folder without an index: never a listing"),
        pytest.param("/pictures", 301, id="a folder without its slash"),
        pytest.param("/lab/health", 403, id="the health check, from outside"),
        pytest.param("/server-status", 404, id="a page of httpd's that shows its inside"),
        pytest.param("/icons/", 404, id="a folder that Debian's own configuration serves"),
    ],
)
def test_paths(lab: RunningLab, target: str, status: int) -> None:
    (lab.www / "pictures").mkdir(exist_ok=True)

    assert status_of(lab, target) == status


LEFTOVERS = [
    ".hidden.py",
    "web_02.py~",
    "#web_02.py#",
    "web_02.py.bak",
    "web_02.py.BAK",
    "web_02.py.bak1",
    "web_02.py.bak12",
    "web_02.py.save",
    "web_02.py.old",
    "web_02.py.orig",
    ".web_02.py.swp",
    "web_02.py.swp",
    "__pycache__/web_02.cpython-313.pyc",
    ".git/config",
    ".vscode/settings.json",
]


@pytest.mark.parametrize("folder", ["cgi-bin", "www"])
@pytest.mark.parametrize("leftover", LEFTOVERS)
def test_what_editors_and_tools_leave_behind_is_not_served(lab: RunningLab, folder: str, leftover: str) -> None:
    path = (lab.cgi_bin if folder == "cgi-bin" else lab.www) / leftover
    path.parent.mkdir(exist_ok=True)
    path.write_bytes((lab.cgi_bin / "web_02.py").read_bytes())
    path.chmod(0o755)
    prefix = "/cgi-bin/" if folder == "cgi-bin" else "/"

    assert status_of(lab, prefix + leftover.replace("#", "%23")) == 403


@pytest.mark.parametrize(
    ("target", "status"),
    [
        pytest.param("/../cgi-bin/web_02.py", 400, id="dots"),
        pytest.param("/%2e%2e/cgi-bin/web_02.py", 400, id="encoded dots"),
        pytest.param("/..%2fcgi-bin/web_02.py", 404, id="an encoded slash"),
        pytest.param("/..%5ccgi-bin/web_02.py", 403, id="an encoded backslash"),
        pytest.param("/%252e%252e/etc/passwd", 404, id="dots encoded twice"),
        pytest.param("/cgi-bin/../../etc/passwd", 400, id="dots below cgi-bin"),
        pytest.param("/cgi-bin/.%2e/.%2e/etc/passwd", 400, id="half-encoded dots (CVE-2021-41773)"),
        pytest.param("/cgi-bin/.%%32%65/.%%32%65/etc/passwd", 400, id="dots encoded in parts (CVE-2021-42013)"),
        pytest.param("/cgi-bin/..%2f..%2fetc/passwd", 404, id="encoded slashes below cgi-bin"),
        pytest.param("/cgi-bin/..%c0%afetc/passwd", 403, id="an overlong UTF-8 slash"),
        pytest.param("/cgi-bin/web_02.py%00", 404, id="a NUL after the name"),
        pytest.param("/cgi-bin/web_02.py%20", 404, id="a space after the name"),
        pytest.param("/cgi-bin/web_02.py.", 404, id="a dot after the name"),
        pytest.param("/cgi-bin/web_02.py::$DATA", 404, id="a stream of a Windows file system"),
        pytest.param("/cgi-bin/%zz", 400, id="a broken percent sign"),
    ],
)
def test_no_path_leads_out_of_the_folders(lab: RunningLab, target: str, status: int) -> None:
    assert status_of(lab, target) == status


@pytest.mark.parametrize("target", ["/cgi-bin//web_02.py", "//cgi-bin/web_02.py", "/cgi-bin/./web_02.py"])
def test_another_spelling_of_a_services_path_runs_it(lab: RunningLab, target: str) -> None:
    assert status_of(lab, target) == 200


def test_a_link_to_a_neighbour_is_followed(lab: RunningLab) -> None:
    (lab.www / "notes.txt").write_text("words\n", encoding="utf-8")
    (lab.www / "linked.txt").unlink(missing_ok=True)
    (lab.www / "linked.txt").symlink_to("notes.txt")

    assert status_of(lab, "/linked.txt") == 200


def test_a_link_to_somebody_elses_file_is_not_followed(lab: RunningLab) -> None:
    link = lab.www / "accounts.txt"
    link.unlink(missing_ok=True)
    link.symlink_to("/etc/passwd")
    if os.geteuid() == 0:  # root's own link would lead to root's own file
        os.lchown(link, 1000, 1000)

    assert status_of(lab, "/accounts.txt") == 403


def test_a_service_is_live(lab: RunningLab, service: Path) -> None:
    for words in ("first", "second, longer", "third"):
        service.write_text(f"#!/bin/sh\necho 'Content-Type: text/plain'\necho\necho '{words}'\n", encoding="utf-8")
        service.chmod(0o755)

        assert requests.get(f"{lab.url}/cgi-bin/{service.name}", timeout=10).text == f"{words}\n"


def test_a_removed_service_is_gone(lab: RunningLab, service: Path) -> None:
    service.write_bytes((lab.cgi_bin / "web_02.py").read_bytes())
    service.chmod(0o755)
    assert status_of(lab, f"/cgi-bin/{service.name}") == 200
    service.unlink()

    assert status_of(lab, f"/cgi-bin/{service.name}") == 404


def test_a_page_is_live(lab: RunningLab) -> None:
    page = lab.www / "live.html"
    for words in ("first", "second, longer", "third"):
        page.write_text(words, encoding="utf-8")

        assert requests.get(f"{lab.url}/live.html", timeout=10).text == words


def test_a_file_of_cgi_bin_that_is_no_program_is_not_sent(lab: RunningLab, service: Path) -> None:
    service.write_bytes(SOURCE_MARK + b"\nprint('secret')\n")
    service.chmod(0o644)

    assert status_of(lab, f"/cgi-bin/{service.name}") == 500
