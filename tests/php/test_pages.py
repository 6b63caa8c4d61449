"""Pages that PHP runs: what they are given, and what they may do."""

import json
import os
from pathlib import Path

import pytest
import requests

from tests.support.running_lab import RunningLab
from tests.support.wait import wait_until
from tests.support.wire import send

LIMIT = 16 * 1024 * 1024


def run(lab: RunningLab, page: Path, code: str, **options: object) -> str:
    """Write a page of this code, ask for it, and return what it says."""
    page.write_text(f"<?php\n{code}\n", encoding="utf-8")
    method = "POST" if {"data", "files"} & options.keys() else "GET"
    # The options go through as they are; requests has a type for each.
    answer = requests.request(method, f"{lab.url}/{page.name}", timeout=20, **options)  # type: ignore[arg-type]
    assert answer.status_code == 200
    return answer.text


def test_what_a_page_is_given(wamp: RunningLab, page: Path) -> None:
    page.write_text("<?php echo json_encode([$_SERVER, $_GET]);", encoding="utf-8")
    answer = send(
        wamp.port,
        f"GET /{page.name}/more/%C3%A9?a=1&b%5B%5D=2 HTTP/1.0",
        "Host: localhost:8080",
        "X-Own: 1",
        "Proxy: http://attacker",
        "Authorization: Basic c2VjcmV0",
    )
    given, query = json.loads(answer.body)
    expected = {
        "SCRIPT_FILENAME": f"/srv/www/{page.name}",
        "SCRIPT_NAME": f"/{page.name}",
        "PATH_INFO": "/more/é",
        "PHP_SELF": f"/{page.name}/more/é",
        "DOCUMENT_ROOT": "/srv/www",
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": "a=1&b%5B%5D=2",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "HTTP_HOST": "localhost:8080",
        "HTTP_X_OWN": "1",
    }

    assert {name: given[name] for name in expected} == expected
    assert query == {"a": "1", "b": ["2"]}
    assert not {"HTTP_PROXY", "HTTP_AUTHORIZATION", "PHP_AUTH_USER"} & given.keys()


def test_a_saved_page_is_served_by_the_next_request(wamp: RunningLab, page: Path) -> None:
    said = [run(wamp, page, f"echo '{'x' * number}';") for number in range(3)]

    assert said == ["", "x", "xx"]


def test_settings_beside_a_page_hold_soon_and_open_no_other_folder(wamp: RunningLab, page: Path) -> None:
    settings = wamp.www / ".user.ini"
    ask = "echo ini_get('memory_limit'), (int) @is_file('/etc/hostname');"
    settings.write_text("memory_limit = 64M\nopen_basedir = /\n", encoding="utf-8")
    try:
        wait_until(lambda: run(wamp, page, ask) == "64M0")
        settings.write_text("memory_limit = 65M\n", encoding="utf-8")
        wait_until(lambda: run(wamp, page, ask) == "65M0")
    finally:
        settings.unlink()

    wait_until(lambda: run(wamp, page, ask) == "128M0")


def test_the_time_zone_is_that_of_the_services(wamp: RunningLab, page: Path) -> None:
    assert run(wamp, page, "echo date_default_timezone_get();") == wamp.compose.execute("printenv", "TZ")


def test_a_body_of_the_largest_size_comes_whole(wamp: RunningLab, page: Path) -> None:
    count = "echo strlen(file_get_contents('php://input'));"

    assert run(wamp, page, count, data=b"x" * LIMIT, headers={"Content-Type": "text/plain"}) == str(LIMIT)


def test_fields_and_a_file_are_taken_in(wamp: RunningLab, page: Path) -> None:
    content = os.urandom(1_000_000)
    code = "echo json_encode([$_POST, $_FILES['f']['name'], md5_file($_FILES['f']['tmp_name'])]);"
    said = run(wamp, page, code, data={"name": "Zoë"}, files={"f": ("a é.bin", content)})
    digest = run(wamp, page, "echo md5(file_get_contents('php://input'));", data=content)

    assert json.loads(said) == [{"name": "Zoë"}, "a é.bin", digest]


def test_a_file_that_was_sent_is_gone_afterwards(wamp: RunningLab, page: Path) -> None:
    said = run(wamp, page, "echo $_FILES['f']['tmp_name'];", files={"f": ("a", b"x")})

    assert said.startswith("/tmp/")
    assert wamp.server("php").exec_run(["test", "-e", said]).exit_code == 1


def test_a_session_is_kept_and_no_other_name_is_taken_for_one(wamp: RunningLab, page: Path) -> None:
    page.write_text(
        "<?php session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; echo $_SESSION['n'];", encoding="utf-8"
    )
    with requests.Session() as client:
        answers = [client.get(f"{wamp.url}/{page.name}", timeout=10) for _ in range(2)]
    cookie = answers[0].headers["Set-Cookie"]
    fixed = requests.get(f"{wamp.url}/{page.name}", cookies={"PHPSESSID": "chosen"}, timeout=10)

    assert [answer.text for answer in answers] == ["1", "2"]
    assert cookie.partition(";")[2] == " path=/; HttpOnly; SameSite=Lax"
    assert fixed.headers["Set-Cookie"].partition(";")[0] != "PHPSESSID=chosen"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("include '/etc/hostname';", id="a file of the system"),
        pytest.param("include '/srv/cgi-bin/web_02.py';", id="a service"),
        pytest.param("include 'http://example.org/';", id="a file of another machine"),
        pytest.param("echo file_get_contents('/proc/self/environ');", id="the environment"),
        pytest.param("ini_set('open_basedir', '/'); include '/etc/hostname';", id="after it has asked for more"),
    ],
)
def test_a_page_includes_no_file_of_elsewhere(wamp: RunningLab, page: Path, code: str) -> None:
    assert run(wamp, page, f"error_reporting(0); {code} echo '|end';") == "|end"


def test_a_page_includes_another_one(wamp: RunningLab, page: Path) -> None:
    (wamp.www / "part.inc").write_text("<?php $part = 'of the page';", encoding="utf-8")

    assert run(wamp, page, "include 'part.inc'; echo $part;") == "of the page"


@pytest.mark.parametrize("folder", ["/srv/www", "/usr/local/lib/cgi-lab", "/etc", "/run/secrets"])
def test_a_page_can_write_nowhere_but_in_memory(wamp: RunningLab, page: Path, folder: str) -> None:
    said = run(wamp, page, f"var_dump(@file_put_contents('{folder}/written', 'x'), file_put_contents('/tmp/x', 'x'));")

    assert said == "bool(false)\nint(1)\n"


def test_a_picture_is_not_run_whatever_stands_behind_its_name(wamp: RunningLab) -> None:
    picture = wamp.www / "picture.jpg"
    picture.write_bytes(b"\xff\xd8\xff<?php echo 'run'; ?>")
    statuses = {}
    for more in ("", "/x.php", "/.php", "%00.php", "%0a.php", "?.php", ";.php", "/..%2fpicture.php"):
        answer = send(wamp.port, f"GET /picture.jpg{more} HTTP/1.0", "Host: localhost")
        statuses[more] = answer.status
        assert b"run" not in answer.body.replace(picture.read_bytes(), b"")

    assert statuses == {
        "": 200,
        "/x.php": 404,
        "/.php": 404,
        "%00.php": 404,
        "%0a.php": 404,
        "?.php": 200,
        ";.php": 404,
        "/..%2fpicture.php": 404,
    }


# What a service could ask PHP-FPM, past httpd: the socket is there for it too, since it runs as the server's user.
ASK_FPM = """
import socket, struct, sys
def record(kind, content):
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content
parameters = b""
for name, value in (pair.split("=", 1) for pair in sys.argv[1:]):
    parameters += bytes([len(name), len(value)]) + name.encode() + value.encode()
with socket.socket(socket.AF_UNIX) as fpm:
    fpm.connect("/run/php/fpm.sock")
    fpm.sendall(record(1, struct.pack(">HB5x", 1, 0)) + record(4, parameters) + record(4, b"") + record(5, b""))
    answer = b""
    while block := fpm.recv(65536):
        answer += block
sys.stdout.write(answer.decode("latin-1"))
"""


@pytest.mark.parametrize("file", ["/srv/www/picture.jpg", "/srv/www/picture.jpg/x.php", "/etc/hostname"])
def test_php_itself_runs_no_file_of_another_name(wamp: RunningLab, file: str) -> None:
    (wamp.www / "picture.jpg").write_bytes(b"<?php echo 'it was ' . 'run';")
    said = wamp.compose.execute(
        "python3", "-c", ASK_FPM, "REQUEST_METHOD=GET", f"SCRIPT_FILENAME={file}", "SCRIPT_NAME=/x.php"
    )

    assert "it was run" not in said
    assert "Access denied." in said or "No input file specified." in said or "File not found." in said
