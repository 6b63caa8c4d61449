"""The localhost page, and the same as JSON: what it says of a lab, whom it answers, and when there is none."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests

from cgilab.commands.describe import describe
from cgilab.project.engine import inspect
from cgilab.release import USUAL
from tests.support.debian import DEBIAN
from tests.support.recorded import recorded, summaries
from tests.support.running_lab import RunningLab, running_lab
from tests.support.start import FORKSERVER
from tests.support.wire import Answer, send

# What docker/web/httpd defines for the way in which scripts are started.
WAY = ["FORKSERVER"] if FORKSERVER else []

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HELLO = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nhello\\n'\n"
WITHOUT_EMPTY_LINE = '#!/usr/bin/env python3\nprint("Content-Type: text/plain")\nprint("Hello")\n'
NOT_RUNNING = "it does not run; start it with: make wamp"

# What belongs together stays on a line: the formatter would give each its own.
NAMES_OF_DESCRIPTION = [
    "debian", "httpd", "python", "php", "database", "services", "projects", "pages", "sites", "failures",
]  # fmt: skip
NAMES_OF_COMMAND = ["url", "servers", "settings", "docker", "compose", *NAMES_OF_DESCRIPTION]


@pytest.fixture
def home(lab: RunningLab) -> Iterator[RunningLab]:
    """The lab without the index of its document root."""
    index = lab.www / "index.html"
    aside = lab.www.parent / "index.html"
    index.rename(aside)
    yield lab
    aside.rename(index)


@pytest.fixture
def empty(home: RunningLab) -> Iterator[RunningLab]:
    """The same, and no service and no page in it."""
    kept = home.www.parent / "kept"
    kept.mkdir()
    for folder in (home.cgi_bin, home.www):
        (kept / folder.name).mkdir()
        for path in folder.iterdir():
            path.rename(kept / folder.name / path.name)
    yield home
    for folder in (home.cgi_bin, home.www):
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in (kept / folder.name).iterdir():
            path.rename(folder / path.name)
    shutil.rmtree(kept)


def ask(lab: RunningLab, path: str, *, method: str = "GET", host: str = "localhost") -> Answer:
    """Ask for a path, under a name of the server."""
    return send(lab.port, f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", "Content-Length: 0")


def described(lab: RunningLab) -> dict[str, Any]:
    """Return the description."""
    answer = requests.get(f"{lab.url}/lab/describe", timeout=20)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    told: dict[str, Any] = answer.json()
    return told


def settings_of(lab: RunningLab) -> dict[str, str]:
    """Return the settings in which the labs of tests differ from that of a user."""
    return {
        "PORT": str(lab.port),
        "CGI_BIN": str(lab.cgi_bin.resolve()),
        "WWW": str(lab.www.resolve()),
        "SITES": str(Path(lab.compose.settings["SITES"]).resolve()),
        "IMAGE_TAG": lab.compose.settings["IMAGE_TAG"],
        **({} if DEBIAN == USUAL else {"DEBIAN": DEBIAN}),
        **({"START": "forkserver"} if FORKSERVER else {}),
    }


def page(lab: RunningLab, path: str = "/") -> str:
    """Return the page as it is sent."""
    answer = requests.get(f"{lab.url}{path}", timeout=20)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    return answer.text


def items(text: str, section: str) -> list[list[str]]:
    """Return the items of a section's list, each as the texts that it consists of."""
    found = re.search(rf'<section class="[^"]+" aria-labelledby="{section}">(.*?)</section>', text, re.DOTALL)
    assert found
    listed = re.findall(r"<li>(.*?)</li>", found[1], re.DOTALL)
    return [[unescape(part) for part in re.split(r"<[^>]*>", item) if part.strip()] for item in listed]


def write(path: Path, text: str, mode: int = 0o755) -> None:
    """Write a script."""
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


# --- When there is such a page --------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "//", "/?name=value", "/lab/home"])
def test_the_document_root_without_an_index_is_the_localhost_page(home: RunningLab, path: str) -> None:
    assert re.findall("<title>.*</title>", page(home, path)) == ["<title>localhost</title>"]


def test_an_index_of_the_users_own_wins(lab: RunningLab) -> None:
    assert requests.get(lab.url, timeout=10).content == (lab.www / "index.html").read_bytes()


def test_so_does_one_of_php(home: RunningLab) -> None:
    (home.www / "index.php").write_text("no PHP is in it\n", encoding="utf-8")
    try:
        answer = requests.get(home.url, timeout=10)
    finally:
        (home.www / "index.php").unlink()

    assert re.findall("<title>localhost</title>", answer.text) == []


def test_a_folder_without_an_index_is_none(home: RunningLab) -> None:
    (home.www / "folder").mkdir()
    status = ask(home, "/folder/").status
    (home.www / "folder").rmdir()

    assert status == 404


# --- Whom it answers ------------------------------------------------------------------------------


def test_the_page_may_use_nothing_but_its_own_files(home: RunningLab) -> None:
    answer = ask(home, "/")

    assert answer.status == 200
    assert answer.values("Content-Security-Policy") == [POLICY]
    assert answer.values("X-Content-Type-Options") == ["nosniff"]
    assert answer.values("Referrer-Policy") == ["no-referrer"]
    assert answer.values("Cache-Control") == ["no-store"]


@pytest.mark.parametrize("path", ["/", "/lab/home", "/lab/describe", "/lab/home.css"])
def test_it_answers_to_the_names_of_this_machine_alone(home: RunningLab, path: str) -> None:
    hosts = ("localhost", "127.0.0.1:8080", "[::1]", "example.org", "localhost.example.org")

    assert [ask(home, path, host=host).status for host in hosts] == [200, 200, 200, 403, 403]


def test_whom_it_does_not_answer_is_recorded_with_the_reason(home: RunningLab) -> None:
    ask(home, "/?mark=another-name", host="example.org")

    assert recorded(home, "mark=another-name")["diagnosis"]["sentence"] == (
        "The lab's own pages answer to the names of this machine alone, and the request called it by another."
    )


@pytest.mark.parametrize("path", ["/", "/lab/home", "/lab/describe"])
def test_it_can_only_be_read(home: RunningLab, path: str) -> None:
    assert [ask(home, path, method=method).status for method in ("POST", "HEAD")] == [405, 200]


@pytest.mark.parametrize("path", ["/lab/home/", "/lab/home/more", "/lab/describe/more", "/lab/home.css/more"])
def test_there_is_nothing_else(lab: RunningLab, path: str) -> None:
    assert ask(lab, path).status == 404


def test_its_style_sheet_is_one(lab: RunningLab) -> None:
    answer = ask(lab, "/lab/home.css")

    assert (answer.status, answer.values("Content-Type")) == (200, ["text/css"])
    assert answer.values("Cache-Control") == ["no-store"]


def test_none_of_it_is_recorded(home: RunningLab) -> None:
    before = summaries(home)[-1:]
    for path in ("/", "/lab/home", "/lab/describe"):
        ask(home, path)
    requests.get(f"{home.url}/cgi-bin/web_02.py?mark=after-home", timeout=10)
    after = recorded(home, "mark=after-home")["id"]

    # Recorded after its response, and after all that was asked before it.
    newer = summaries(home, before[0]["id"] if before else "")
    assert [one["id"] for one in newer] == [after]


@pytest.fixture(scope="module")
def online(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab that others can reach, without an index."""
    with running_lab(tmp_path_factory.mktemp("online"), {**machine_settings, "ONLINE": "1"}) as running:
        (running.www / "index.html").unlink()
        yield running


@pytest.mark.parametrize("path", ["/", "/lab/home", "/lab/describe", "/lab/home.css"])
def test_online_there_is_nothing(online: RunningLab, path: str) -> None:
    assert ask(online, path).status == 404


def test_online_the_command_still_tells(online: RunningLab) -> None:
    told = describe(online.compose)

    assert list(told) == NAMES_OF_COMMAND
    assert told["settings"] == settings_of(online) | {"ONLINE": "1"}
    assert told["httpd"]["defines"] == [*WAY, "ONLINE", "FOREGROUND"]
    assert told["php"] == {
        "version": None,
        "extensions": [],
        "opcache": None,
        "reason": "the lab's pages are off, and PHP tells of itself in one of them",
    }


# --- What it says ---------------------------------------------------------------------------------


def test_what_httpd_and_python_are(lab: RunningLab) -> None:
    told = described(lab)
    modules = lab.compose.execute("apache2", "-M", "-f", "httpd.conf").splitlines()[1:]

    assert list(told) == NAMES_OF_DESCRIPTION
    assert told["httpd"] | {"virtual_hosts": None} == {
        "version": lab.compose.execute("apache2", "-v").split()[2].removeprefix("Apache/"),
        "built": re.findall("Server built: *(.*)", lab.compose.execute("apache2", "-v"))[0],
        "banner": ask(lab, "/lab/home").values("Server")[0],
        "modules": [module.split()[0].removesuffix("_module") for module in modules],
        "defines": [*WAY, "LAB_PAGES", "FOREGROUND"],
        "includes": ["/etc/apache2/httpd.conf"],
        "virtual_hosts": None,
    }
    assert [(host["name"], host["aliases"], host["address"]) for host in told["httpd"]["virtual_hosts"]] == [
        ("localhost", ["127.0.0.1", "::1"], "*:80"),
        ("localhost", ["*"], "*:80"),
    ]
    assert told["python"] == lab.compose.execute("python3", "--version").removeprefix("Python ")
    assert told["debian"] == lab.compose.execute("sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME")


def test_the_command_says_the_same_and_what_the_host_knows(lab: RunningLab) -> None:
    told = describe(lab.compose)
    image = inspect("image", f"cgi-lab/web:{lab.compose.settings['IMAGE_TAG']}")

    assert list(told) == NAMES_OF_COMMAND
    assert {name: told[name] for name in NAMES_OF_DESCRIPTION} == described(lab)
    assert (told["url"], told["settings"]) == (lab.url, settings_of(lab))
    web = told["servers"][0]
    assert (web["name"], web["state"], web["health"]) == ("web", "running", "healthy")
    assert (web["image"], web["image_bytes"]) == (image["RepoTags"][0], image["Size"])


def test_the_page_says_the_same(lab: RunningLab) -> None:
    told = described(lab)
    text = page(lab, "/lab/home")

    known = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text)
    assert dict(known[:4]) == {
        "Apache httpd": told["httpd"]["version"],
        "Server": told["httpd"]["banner"],
        "Python": told["python"],
        "Scripts": "forked from one interpreter" if FORKSERVER else "started anew for each request",
    }
    assert items(text, "inside")[: len(told["httpd"]["modules"])] == [[name] for name in told["httpd"]["modules"]]


def test_each_service_is_told_with_its_health(empty: RunningLab) -> None:
    write(empty.cgi_bin / "sound.sh", HELLO)
    write(empty.cgi_bin / "broken.py", WITHOUT_EMPTY_LINE)
    write(empty.cgi_bin / "closed.sh", HELLO, 0o644)
    (empty.cgi_bin / "below").mkdir()
    write(empty.cgi_bin / "below" / "sound.sh", HELLO)

    fault: dict[str, Any] = {
        "cause": "no-blank-line",
        "sentence": "broken.py prints no empty line after its headers: right after them came 'Hello'.",
        "certain": True,
        "fix": ["An empty line ends the headers.  Python: print()   Shell: echo"],
    }
    closed: dict[str, Any] = {
        "cause": "not-executable",
        "sentence": "closed.sh has no execute permission, so the server cannot start it.",
        "certain": True,
        "fix": ["Type:  chmod +x cgi-bin/closed.sh"],
    }
    assert described(empty)["services"] == [
        {"name": "below/sound.sh", "url": "/cgi-bin/below/sound.sh", "level": "OK", "faults": []},
        {"name": "broken.py", "url": "/cgi-bin/broken.py", "level": "ERR", "faults": [fault]},
        {"name": "closed.sh", "url": "/cgi-bin/closed.sh", "level": "ERR", "faults": [closed]},
        {"name": "sound.sh", "url": "/cgi-bin/sound.sh", "level": "OK", "faults": []},
    ]
    assert items(page(empty), "services") == [
        ["below/sound.sh", "OK", "Trace", " below/sound.sh"],
        ["broken.py", "ERR", "Trace", " broken.py", f"{fault['sentence']} ", "Why", " no-blank-line", *fault["fix"]],
        ["closed.sh", "ERR", "Trace", " closed.sh", f"{closed['sentence']} ", "Why", " not-executable", *closed["fix"]],
        ["sound.sh", "OK", "Trace", " sound.sh"],
    ]


HOSTILE = ["<script>alert(1)<", "a b.sh", "grüße.sh", "'\"&.sh", "100%.sh", "?query.sh", "\x1b[2Jx.sh", "javascript:x"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_service_of_any_name_is_shown_and_can_be_opened(empty: RunningLab, name: str) -> None:
    write(empty.cgi_bin / name, HELLO)
    text = page(empty)

    ((shown, level, *_),) = items(text, "services")
    assert (shown, level) == (name.replace("\x1b", "\\x1b"), "OK")
    assert re.findall("<(script|img|iframe)", text) == []
    (address,) = re.findall(r'<a class="value" href="(/cgi-bin/[^"]*)"', text)
    assert requests.get(f"{empty.url}{unescape(address)}", timeout=10).text == "hello\n"


def test_a_name_that_is_no_utf_8_can_be_opened(empty: RunningLab) -> None:
    path = os.fsencode(empty.cgi_bin) + b"/\xff.sh"
    write(Path(os.fsdecode(path)), HELLO)

    assert described(empty)["services"] == [{"name": "\\xff.sh", "url": "/cgi-bin/%FF.sh", "level": "OK", "faults": []}]
    assert requests.get(f"{empty.url}/cgi-bin/%FF.sh", timeout=10).text == "hello\n"


def test_three_hundred_services(empty: RunningLab) -> None:
    for number in range(300):
        write(empty.cgi_bin / f"{number:03}.py", WITHOUT_EMPTY_LINE if number % 3 else HELLO)

    found = items(page(empty), "services")
    assert [(name, level) for name, level, *_ in found] == [
        (f"{number:03}.py", "ERR" if number % 3 else "OK") for number in range(300)
    ]


def test_without_any_it_says_how_to_begin(empty: RunningLab) -> None:
    text = page(empty)

    assert (items(text, "services"), items(text, "pages")) == ([], [])
    assert "There is none yet: <code>make new NAME=hello</code> makes one in <code>cgi-bin/</code>." in text
    assert "There is none yet. What is put into <code>www/</code> is sent as it is." in text


def test_folders_and_pages_are_told_and_nothing_that_is_never_served(empty: RunningLab) -> None:
    for folder in ("shop", "pictures", "of php", ".git", "<b>"):
        (empty.www / folder).mkdir()
    (empty.www / "shop" / "index.html").write_text("shop", encoding="utf-8")
    (empty.www / "of php" / "index.php").write_text("php", encoding="utf-8")
    for name in ("Über.html", "people.php", "old.HTM", ".hidden.html", "x.html.bak", "style.css", "<i>.html"):
        (empty.www / name).write_text("page", encoding="utf-8")
    told = described(empty)

    assert told["projects"] == [
        {"name": "<b>", "url": None},
        {"name": "of php", "url": "/of%20php/"},
        {"name": "pictures", "url": None},
        {"name": "shop", "url": "/shop/"},
    ]
    assert told["pages"] == [
        {"name": "<i>.html", "url": "/%3Ci%3E.html"},
        {"name": "old.HTM", "url": "/old.HTM"},
        {"name": "people.php", "url": "/people.php"},
        {"name": "Über.html", "url": "/%C3%9Cber.html"},
    ]
    assert items(page(empty), "pages") == [
        ["<b>/", "has no index"],
        ["of php/"],
        ["pictures/", "has no index"],
        ["shop/"],
        ["<i>.html"],
        ["old.HTM"],
        ["people.php"],
        ["Über.html"],
    ]


def test_the_last_failures_are_told_with_their_cause(home: RunningLab, service: Path) -> None:
    write(service, WITHOUT_EMPTY_LINE)
    path = f"/cgi-bin/{service.name}"
    for target in (f"{path}?mark=failed-1", "/cgi-bin/none.py?<b>mark=failed-2", "/none.html?mark=no-failure"):
        requests.get(f"{home.url}{target}", timeout=10)
    first, second = (recorded(home, mark) for mark in ("mark=failed-1", "mark=failed-2"))
    recorded(home, "mark=no-failure")

    keys = ("id", "started", "method", "target", "status")
    expected = [
        {key: one[key] for key in keys} | {"cause": cause}
        for one, cause in ((second, "not-found"), (first, "no-blank-line"))
    ]
    assert described(home)["failures"][:2] == expected
    text = page(home)
    shown = items(text, "last-failures")
    assert [item[1:] for item in shown[:2]] == [
        [f"GET {second['target']}", "404", "not-found"],
        [f"GET {first['target']}", "500", "no-blank-line"],
    ]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", item[0]) for item in shown)
    assert re.findall(r'href="(/lab/\?exchange=[^"]+)"', text)[:2] == [
        f"/lab/?exchange={second['id']}",
        f"/lab/?exchange={first['id']}",
    ]


def test_ten_failures_are_told_at_most(home: RunningLab) -> None:
    for number in range(11):
        requests.get(f"{home.url}/cgi-bin/none-{number}.py", timeout=10)
    recorded(home, "/cgi-bin/none-10.py")

    assert [one["target"] for one in described(home)["failures"]] == [
        f"/cgi-bin/none-{number}.py" for number in range(10, 0, -1)
    ]


SITES = [
    {"name": "shop", "kind": "alias", "urls": ["/shop/"], "folder": "/srv/shop", "in_force": True, "error": None},
    {"name": "b", "kind": "vhost", "urls": ["http://b.localhost/"], "folder": None, "in_force": True, "error": None},
    {
        "name": "<b>",
        "kind": "vhost",
        "urls": ["javascript:alert(1)"],
        "folder": None,
        "in_force": False,
        "error": "<i>",
    },
]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(json.dumps(SITES), SITES, id="an alias and a virtual host"),
        pytest.param("[", [], id="cut off"),
        pytest.param('{"name": "shop"}', [], id="no list"),
        pytest.param('["shop", {"name": 1}]', [], id="no sites"),
    ],
)
def test_aliases_and_virtual_hosts_are_told(home: RunningLab, written: str, expected: list[dict[str, Any]]) -> None:
    read = "cat /run/httpd/sites.json 2>/dev/null || true"
    before = home.compose.execute("sh", "-c", read)
    put = "cat >/run/httpd/sites.json"
    home.compose.execute("sh", "-c", put, given=written)
    try:
        told, text = described(home)["sites"], page(home)
    finally:
        home.compose.execute("sh", "-c", put if before else "rm /run/httpd/sites.json", given=before)

    assert told == expected
    shown = [
        ["shop", "in force", "/shop/", "/srv/shop"],
        ["b", "in force", f"http://b.localhost:{home.port}/"],
        ["<b>", "not in force", "javascript:alert(1)", "<i>"],
    ]
    assert items(text, "aliases-and-virtual-hosts") == (shown if expected else [])
    assert 'href="javascript' not in text


# --- PHP and the database -------------------------------------------------------------------------


def test_the_web_server_alone_says_what_starts_the_others(machine_settings: dict[str, str], tmp_path: Path) -> None:
    with running_lab(tmp_path, machine_settings) as alone:
        told = described(alone)
        text = page(alone, "/lab/home")

    assert told["database"] == {"version": None, "reason": NOT_RUNNING}
    assert told["php"] == {"version": None, "extensions": [], "opcache": None, "reason": NOT_RUNNING}
    assert f'<dt>PHP</dt><dd><span class="absent">{NOT_RUNNING}</span></dd>' in text
    assert f'<dt>MariaDB</dt><dd><span class="absent">{NOT_RUNNING}</span></dd>' in text
    assert re.findall('href="(/adminer/|/lab/phpinfo)"', text) == []


def test_php_is_told_as_it_tells_of_itself(wamp: RunningLab) -> None:
    answer = requests.get(f"{wamp.url}/lab/php.json", timeout=10)
    version = re.match(r"PHP (\S+)", wamp.compose.execute("php-fpm", "-v", server="php"))

    assert answer.status_code == 200
    assert version
    assert described(wamp)["php"] == {**answer.json(), "version": version[1], "reason": None}
    text = page(wamp, "/lab/home")
    assert f"<dt>PHP</dt><dd>{version[1]}, with OPcache</dd>" in text
    assert items(text, "inside")[-len(answer.json()["extensions"]) :] == [[one] for one in answer.json()["extensions"]]
    assert re.findall('href="(/adminer/|/lab/phpinfo)"', text) == ["/adminer/", "/lab/phpinfo"]


def test_the_database_is_told(wamp: RunningLab) -> None:
    version = wamp.compose.execute("mariadb", "--skip-column-names", "--execute", "SELECT VERSION()", server="db")

    assert described(wamp)["database"] == {"version": version.partition("-MariaDB")[0], "reason": None}
    assert f"<dt>MariaDB</dt><dd>{version.partition('-MariaDB')[0]}</dd>" in page(wamp, "/lab/home")


def test_the_password_is_not_told(wamp: RunningLab) -> None:
    password = wamp.compose.execute("cat", "/run/secrets/db_password")

    assert len(password) == 32
    assert password not in json.dumps(described(wamp))
    assert password not in page(wamp, "/lab/home")


def test_a_database_that_has_ended_is_told(machine_settings: dict[str, str], tmp_path: Path) -> None:
    with running_lab(tmp_path, machine_settings, servers=("web", "db")) as running:
        running.server("db").stop()
        told = described(running)["database"]

    assert told["version"] is None
    assert told["reason"].startswith("it does not let the services in: Can't connect to MySQL server on 'db' (")
    assert told["reason"].endswith("; start it with: make wamp")
