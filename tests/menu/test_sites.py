"""Aliases, virtual hosts and other drop-ins: what takes effect, what does not, and that nothing is lost."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
import requests

from cgilab.project import sites
from tests.support.recorded import recorded
from tests.support.running_lab import RunningLab, running_lab
from tests.support.typed import typed
from tests.support.wire import Answer, send

HOST = "<VirtualHost *:80>\n    ServerName {name}\n    DocumentRoot {folder}\n</VirtualHost>\n"
NO_FOO = (
    "sites/bad.conf, line 1: Invalid command 'Foo', perhaps misspelled or defined by a module not included in the "
    "server configuration"
)
LEFT_OUT = "it is left out"
BEFORE = "the version before stays in force"


@pytest.fixture(scope="module")
def own(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab of these tests alone, with two folders below www/."""
    with running_lab(tmp_path_factory.mktemp("sites"), machine_settings) as running:
        for name in ("shop", "my pages"):
            (running.www / name).mkdir()
            (running.www / name / "index.html").write_text(f"{name}\n", encoding="utf-8")
        yield running


@pytest.fixture
def lab(own: RunningLab) -> Iterator[RunningLab]:
    """The lab without any drop-in, before each test and after it."""
    yield own
    left = [path for path in own.sites.rglob("*") if path.is_file() or path.is_symlink()]
    for path in left:
        path.unlink()
    if left:
        assert sites.bring_into_force(own.compose) == []


def ask(lab: RunningLab, path: str = "/", host: str = "shop.localhost", *, port: int | None = None) -> Answer:
    """Ask for a path under a name, over HTTP/1.0, so that the body is the document."""
    return send(port or lab.port, f"GET {path} HTTP/1.0", f"Host: {host}:{lab.port}")


def report(lab: RunningLab) -> list[dict[str, Any]]:
    """Return what the lab tells of its drop-ins to other programs."""
    told: list[dict[str, Any]] = json.loads(lab.compose.execute("cat", "/run/httpd/sites.json"))
    return told


def reload(lab: RunningLab) -> tuple[int, list[str]]:
    """Do what `lab reload` does; return its exit code and what it says of files that were refused, two lines each."""
    refused = sites.errors(sites.bring_into_force(lab.compose))
    return 1 if refused else 0, [line.strip() for text in refused for line in text.splitlines()]


# --- What is made ---------------------------------------------------------------------------------


def test_there_is_none_at_first(lab: RunningLab) -> None:
    assert report(lab) == []
    assert typed(lab, "vhost").stdout == "vhost: none; make one with:  make vhost ADD=shop DIR=shop\n"
    assert typed(lab, "reload").stdout == "reload: 0 files, 0 refused\n"


def test_reload_says_what_is_in_force_and_what_is_not(lab: RunningLab) -> None:
    (lab.sites / "shop.conf").write_text(HOST.format(name="shop.localhost", folder="/srv/www/shop"), encoding="utf-8")
    (lab.sites / "bad.conf").write_text("Foo\n", encoding="utf-8")
    done = typed(lab, "reload")

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        f"reload: shop         http://shop.localhost:{lab.port}/  www/shop  in force",
        f"reload: {NO_FOO}",
        f"    {LEFT_OUT}",
        "reload: 2 files, 1 refused",
    ]


def test_a_virtual_host_from_its_template(lab: RunningLab) -> None:
    assert ask(lab).body.startswith(b"<!doctype html>\n<title>the index")
    done = typed(lab, "vhost", "add", "shop", "shop")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"vhost: wrote {lab.sites / 'shop.conf'}, change it as you like; it is in force",
        f"vhost: http://shop.localhost:{lab.port}/",
        "vhost: a browser and curl find names that end in .localhost; for another program:",
        f"vhost: curl -H 'Host: shop.localhost' {lab.url}/",
    ]
    assert (ask(lab).status, ask(lab).body) == (200, b"shop\n")
    assert report(lab) == [
        {
            "name": "shop",
            "kind": "vhost",
            "urls": ["http://shop.localhost/"],
            "folder": "www/shop",
            "in_force": True,
            "error": None,
        }
    ]
    assert typed(lab, "vhost").stdout.split() == [
        "shop",
        f"http://shop.localhost:{lab.port}/",
        "www/shop",
        "in",
        "force",
    ]


def test_an_alias_from_its_template(lab: RunningLab) -> None:
    done = typed(lab, "alias", "add", "docs", str(lab.www / "my pages"))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1] == f"alias: {lab.url}/docs/"
    assert ask(lab, "/docs/", "localhost").body == b"my pages\n"
    assert ask(lab, "/docs", "localhost").values("Location") == [f"{lab.url}/docs/"]
    assert [(one["kind"], one["urls"], one["folder"]) for one in report(lab)] == [
        ("alias", ["/docs"], "www/my pages"),
    ]
    assert typed(lab, "vhost").stdout == "vhost: none; make one with:  make vhost ADD=shop DIR=shop\n"


def test_an_alias_answers_in_a_virtual_host_too(lab: RunningLab) -> None:
    typed(lab, "vhost", "add", "shop", "shop")
    typed(lab, "alias", "add", "docs", "my pages")

    assert ask(lab, "/docs/").body == b"my pages\n"


def test_services_run_in_a_virtual_host_and_are_recorded(lab: RunningLab) -> None:
    typed(lab, "vhost", "add", "shop", "shop")
    answer = ask(lab, "/cgi-bin/web_03.py?first_name=in-a-host")
    exchange = recorded(lab, "first_name=in-a-host")
    environment = {variable["name"]: variable["value"] for variable in exchange["environment"]}

    assert answer.status == 200
    assert (environment["SERVER_NAME"], environment["DOCUMENT_ROOT"]) == ("shop.localhost", "/srv/www/shop")
    assert exchange["incomplete"] is False


def test_a_failure_in_a_virtual_host_is_explained(lab: RunningLab) -> None:
    typed(lab, "vhost", "add", "shop", "shop")
    answer = ask(lab, "/cgi-bin/none.py?in-a-host-2")

    assert answer.body.startswith(b"404 Not Found: There is no script 'none.py'.\n")
    assert recorded(lab, "in-a-host-2")["explained"]["cause"] == "not-found"


# --- What is not made -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "Shop", "-shop", "shop-", "a b", "a.b", "../shop", "a" * 64, "é", "a\nb"])
def test_a_name_that_is_none(lab: RunningLab, name: str) -> None:
    done = typed(lab, "vhost", "add", "--", name, "shop")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"{name!r} cannot be the name of a virtual host: it takes letters a to z, digits and hyphens between them.",
        "  For example:  make vhost ADD=shop DIR=shop",
    ]
    assert list(lab.sites.glob("*.conf")) == []


@pytest.mark.parametrize("name", ["cgi-bin", "lab", "adminer"])
def test_a_path_of_the_lab_is_no_alias(lab: RunningLab, name: str) -> None:
    done = typed(lab, "alias", "add", name, "shop")

    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"{name!r} cannot be the name of an alias: it is the lab's own."
    assert list(lab.sites.glob("*.conf")) == []


@pytest.mark.parametrize("folder", ["none", "/srv/none", "shop/index.html", "x" * 300, "a\tb"])
def test_a_folder_that_is_not_there(lab: RunningLab, folder: str) -> None:
    done = typed(lab, "alias", "add", "docs", folder)

    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"There is no folder {folder!r} below {lab.www}."
    assert list(lab.sites.glob("*.conf")) == []


def test_a_folder_that_the_container_does_not_see(lab: RunningLab) -> None:
    (lab.www / "link").symlink_to(lab.cgi_bin)
    try:
        answers = [typed(lab, "alias", "add", "docs", folder) for folder in (str(lab.cgi_bin), "link")]
    finally:
        (lab.www / "link").unlink()

    for done in answers:
        assert done.returncode == 1
        assert done.stderr.splitlines() == [
            f"{lab.cgi_bin} is not below {lab.www}, and the container sees no other pages.",
            f"  Copy it there:     cp -r {lab.cgi_bin} {lab.www}/",
            f"  Or serve another:  make up WWW={lab.cgi_bin.parent}",
        ]
    assert list(lab.sites.glob("*.conf")) == []


@pytest.mark.parametrize("kind", ["alias", "vhost"])
def test_a_name_that_is_there_stays_what_it_is(lab: RunningLab, kind: str) -> None:
    typed(lab, "vhost", "add", "shop", "shop")
    before = (lab.sites / "shop.conf").read_bytes()
    done = typed(lab, kind, "add", "shop", "my pages")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"There is a virtual host shop already, and it stays as it is: {lab.sites / 'shop.conf'}",
        "  Choose another name, or type first:  make vhost REMOVE=shop",
    ]
    assert (lab.sites / "shop.conf").read_bytes() == before
    assert ask(lab).body == b"shop\n"


def test_a_template_that_does_not_pass_leaves_nothing(lab: RunningLab) -> None:
    (lab.sites / "mine.conf").write_text(HOST.format(name="shop.localhost", folder="/srv/www"), encoding="utf-8")
    typed(lab, "reload")
    done = typed(lab, "vhost", "add", "shop", "shop")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "sites/shop.conf, line 3: the name shop.localhost is taken by sites/mine.conf, line 2.",
        f"  {lab.sites / 'shop.conf'} is not kept, and nothing has changed.",
    ]
    assert sorted(path.name for path in lab.sites.glob("*.conf")) == ["mine.conf"]
    assert [one["name"] for one in report(lab)] == ["mine"]


# --- What is removed ------------------------------------------------------------------------------


def test_one_that_is_as_it_was_made_is_removed(lab: RunningLab) -> None:
    typed(lab, "vhost", "add", "shop", "shop")
    done = typed(lab, "vhost", "remove", "shop")

    assert (done.returncode, done.stdout) == (0, "vhost: removed shop\n")
    assert [path.name for path in lab.sites.iterdir() if path.is_file()] == []
    assert list((lab.sites / ".in-force").iterdir()) == []
    assert ask(lab).body.startswith(b"<!doctype html>\n<title>the index")
    assert report(lab) == []


def test_one_that_was_changed_stays_beside(lab: RunningLab) -> None:
    changed = []
    for name in ("shop.conf.bak", "shop.conf.bak1"):
        typed(lab, "vhost", "add", "shop", "shop")
        with (lab.sites / "shop.conf").open("a", encoding="utf-8") as file:
            file.write(f"# {name}\n")
        changed.append((lab.sites / "shop.conf").read_text(encoding="utf-8"))
        done = typed(lab, "vhost", "remove", "shop")
        assert done.stdout == f"vhost: removed shop; as it had been changed, it stays as {name}\n"

    assert [(lab.sites / f"shop.conf.bak{number}").read_text(encoding="utf-8") for number in ("", "1")] == changed
    assert report(lab) == []


@pytest.mark.parametrize(
    ("kind", "name", "what"),
    [
        ("vhost", "none", "There is no virtual host 'none' in {}."),
        ("vhost", "../sites/docs", "There is no virtual host '../sites/docs' in {}."),
        ("vhost", "docs", "'docs' is an alias."),
        ("alias", "other", "'other' is a file."),
    ],
)
def test_nothing_else_is_removed(lab: RunningLab, kind: str, name: str, what: str) -> None:
    typed(lab, "alias", "add", "docs", "shop")
    (lab.sites / "other.conf").write_text("# mine\n", encoding="utf-8")
    done = typed(lab, kind, "remove", name)

    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == what.format(lab.sites)
    assert sorted(path.name for path in lab.sites.glob("*.conf")) == ["docs.conf", "other.conf"]


# --- What httpd or the lab refuses ------------------------------------------------------------------

SSL = "/usr/lib/apache2/modules/mod_ssl.so"
HEALTH = "with it the lab does not answer its own health check, /lab/health, but says 403"
REFUSED = [
    pytest.param(
        "Foo bar\n",
        ", line 1: Invalid command 'Foo', perhaps misspelled or defined by a module not included in the server "
        "configuration",
        id="a broken directive",
    ),
    pytest.param(
        "\n<VirtualHost *:80>\n  ServerName x\n", ", line 2: <VirtualHost> was not closed.", id="an open section"
    ),
    pytest.param("</Directory>\n", ", line 1: </Directory> without matching <Directory> section", id="a stray end"),
    pytest.param(
        "Alias /x\\\n /srv/www\\\n /y\n",
        ", line 3: Alias takes 1-2 arguments, a fakename and a realname, or a realname in a Location",
        id="a directive on three lines",
    ),
    pytest.param(
        "Alias /x\0 /srv/www\n", ", line 1: Alias must have two arguments when used globally", id="a null byte"
    ),
    pytest.param(
        "Include /etc/passwd\n",
        ", which leads to /etc/passwd, line 1: Invalid command 'root:x:0:0:root:/root:/bin/bash', perhaps misspelled "
        "or defined by a module not included in the server configuration",
        id="a file that is no configuration",
    ),
    pytest.param(
        "Include /srv/sites/bad.conf\n",
        ", line 1, which leads to /srv/sites/bad.conf, line 1: Exceeded maximum include depth of 128, There "
        "appears to be a recursion.",
        id="a file that includes itself",
    ),
    pytest.param(
        HOST.format(name="a", folder="/srv/www/none"),
        ", line 3: there is no /srv/www/none in the container, which sees www/ of the project",
        id="a folder that is not there",
    ),
    pytest.param(
        'Alias /x "C:/wamp64/www/x"\n',
        ", line 1: there is no C:/wamp64/www/x in the container, which sees www/ of the project as /srv/www/",
        id="a folder of Windows",
    ),
    pytest.param(
        HOST.format(name="kept.localhost", folder="/srv/www"),
        ", line 2: the name kept.localhost is taken by sites/kept.conf, line 2",
        id="a name that another has",
    ),
    pytest.param(
        HOST.format(name="a", folder="/srv/www") + HOST.format(name="http://A:80", folder="/srv/www"),
        ", line 6: the name a is taken by sites/bad.conf, line 2",
        id="a name twice in one file",
    ),
    pytest.param(
        HOST.format(name="LOCALHOST:8080", folder="/srv/www"),
        ", line 2: the name localhost is taken by the lab itself",
        id="the lab's name",
    ),
    pytest.param(
        "<VirtualHost *:80>\nServerName a\nServerAlias b *\n</VirtualHost>\n",
        ", line 3: the name * is taken by the lab itself",
        id="every name",
    ),
    pytest.param(
        "<VirtualHost *:80>\nDocumentRoot /srv/www\n</VirtualHost>\n",
        ", line 1: this virtual host has no ServerName, so no request would reach it",
        id="no name",
    ),
    pytest.param(
        "<VirtualHost *:8080>\nServerName a\n</VirtualHost>\n",
        ", line 1: <VirtualHost *:8080> never answers: in the container httpd listens on port 80. "
        "Write <VirtualHost *:80>",
        id="the port outside",
    ),
    pytest.param(
        "Alias /kept/ /srv/www\n", ", line 1: the path /kept is taken by sites/kept.conf, line 5", id="a path taken"
    ),
    pytest.param(
        "Alias /cgi-bin /srv/www\n", ", line 1: the path /cgi-bin is taken by the lab itself", id="the lab's path"
    ),
    pytest.param(
        "Alias /more /srv/www\nAlias /more/shop /srv/www/shop\n",
        ", line 2: this Alias would never answer: another one has its path, or the beginning of it, already",
        id="a path below another",
    ),
    pytest.param(
        "Listen 81\n",
        ", line 1: Listen 81: nothing outside the container reaches another port than that of httpd.conf; leave it out",
        id="another port",
    ),
    pytest.param(
        "PidFile /tmp/x\n",
        ", line 1: PidFile /tmp/x: the lab finds its server by the file that httpd.conf names; leave it out",
        id="another PidFile",
    ),
    pytest.param(
        "ErrorLog ${APACHE_LOG_DIR}/error.log\n",
        ": Config variable ${APACHE_LOG_DIR} is not defined",
        id="a variable that is not there",
    ),
    pytest.param(
        "<VirtualHost *:80>\nServerName a\nErrorLog /etc/y\n</VirtualHost>\n",
        ": (30)Read-only file system: could not open error log file /etc/y.",
        id="a log that cannot be written",
    ),
    pytest.param(
        f"LoadModule ssl_module {SSL}\n<VirtualHost *:80>\nServerName a\nSSLEngine on\n</VirtualHost>\n",
        ": Fatal error initialising mod_ssl, exiting.",
        id="TLS without a certificate",
    ),
    pytest.param("<Location /lab/health>\nRequire all denied\n</Location>\n", f": {HEALTH}", id="no health check"),
    pytest.param(
        "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n",
        ": Configuration error: More than one MPM loaded.",
        id="another MPM",
    ),
    pytest.param("#" * 65_537, " is larger than 65536 bytes", id="too large"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_is_refused_is_named_and_the_others_go_on(lab: RunningLab, text: str, said: str) -> None:
    kept = HOST.format(name="kept.localhost", folder="/srv/www/shop") + "Alias /kept /srv/www/shop\n"
    (lab.sites / "kept.conf").write_text(kept, encoding="utf-8")
    assert reload(lab) == (0, [])
    (lab.sites / "bad.conf").write_text(text, encoding="utf-8")
    code, (error, stays) = reload(lab)

    assert (code, stays) == (1, LEFT_OUT)
    assert error == f"sites/bad.conf{said}"
    assert [(one["name"], one["in_force"]) for one in report(lab)] == [("bad", False), ("kept", True)]
    assert ask(lab, host="kept.localhost").body == b"shop\n"
    assert ask(lab, "/cgi-bin/web_02.py", "localhost").status == 200


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a b.conf", "sites/a b.conf: the name of a drop-in takes letters a to z, digits, '.', '_' and '-'"),
        ("*.conf", "sites/*.conf: the name of a drop-in takes letters a to z, digits, '.', '_' and '-'"),
    ],
)
def test_a_file_name_that_httpd_would_read_otherwise(lab: RunningLab, name: str, said: str) -> None:
    (lab.sites / name).write_text("Alias /x /srv/www\n", encoding="utf-8")

    assert reload(lab) == (1, [said, LEFT_OUT])


def test_what_is_no_file_is_refused(lab: RunningLab) -> None:
    (lab.sites / "folder.conf").mkdir()
    (lab.sites / "link.conf").symlink_to("nowhere.conf")
    try:
        code, lines = reload(lab)
    finally:
        (lab.sites / "folder.conf").rmdir()

    assert (code, lines[::2]) == (
        1,
        [
            "sites/folder.conf cannot be read by the web server: Is a directory",
            "sites/link.conf cannot be read by the web server: No such file or directory",
        ],
    )


@pytest.mark.parametrize("name", ["README.md", "shop.conf.bak", "shop.CONF", ".hidden.conf", "conf"])
def test_other_files_are_not_read(lab: RunningLab, name: str) -> None:
    (lab.sites / name).write_text("Foo bar\n", encoding="utf-8")

    assert reload(lab) == (0, [])
    assert report(lab) == []


def test_the_newcomer_is_refused_whatever_its_name(lab: RunningLab) -> None:
    (lab.sites / "z.conf").write_text(HOST.format(name="a", folder="/srv/www/shop"), encoding="utf-8")
    assert reload(lab) == (0, [])
    (lab.sites / "a.conf").write_text(HOST.format(name="a", folder="/srv/www"), encoding="utf-8")

    assert reload(lab) == (1, ["sites/a.conf, line 2: the name a is taken by sites/z.conf, line 2", LEFT_OUT])
    assert ask(lab, host="a").body == b"shop\n"


def test_what_httpd_takes_is_the_users(lab: RunningLab) -> None:
    """Modules of the image, definitions, conditions, several things in one file."""
    text = (
        "LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so\n"
        "Define FOLDER /srv/www/shop\n"
        "<VirtualHost *:80>\n"
        "    ServerName first.localhost\n"
        "    ServerAlias second.localhost *.first.localhost\n"
        "    DocumentRoot ${FOLDER}\n"
        "    RewriteEngine On\n"
        "    RewriteRule ^/time$ /cgi-bin/web_02.py [PT]\n"
        "    <IfModule nothing_module>\n        Foo bar\n    </IfModule>\n"
        "</VirtualHost>\n"
        'Alias /mine "/srv/www/my pages/index.html"'
    )
    (lab.sites / "all.conf").write_text(text, encoding="utf-8")

    assert reload(lab) == (0, [])
    for host in ("first.localhost", "second.localhost", "x.first.localhost"):
        assert ask(lab, host=host).body == b"shop\n"
    assert ask(lab, "/time", "first.localhost").status == 200
    assert ask(lab, "/mine", "localhost").body == b"my pages\n"
    assert (report(lab)[0]["kind"], report(lab)[0]["urls"]) == ("vhost", ["http://first.localhost/", "/mine"])


def test_a_check_changes_nothing(lab: RunningLab) -> None:
    (lab.sites / "shop.conf").write_text(HOST.format(name="shop.localhost", folder="/srv/www/shop"), encoding="utf-8")
    (lab.sites / "bad.conf").write_text("Foo\n", encoding="utf-8")
    done = typed(lab, "httpd", "check")

    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "httpd: the configuration in force is sound",
        f"httpd: {NO_FOO}",
        "httpd: 2 files in sites/, 1 to be refused",
    ]
    assert report(lab) == []
    assert ask(lab).body.startswith(b"<!doctype html>\n<title>the index")


# --- What was in force stays --------------------------------------------------------------------------


def broken(lab: RunningLab) -> None:
    """Break a virtual host that is in force."""
    typed(lab, "vhost", "add", "shop", "shop")
    (lab.sites / "shop.conf").write_text(
        "<VirtualHost *:80>\nServerName shop.localhost\nFoo\n</VirtualHost>\n", encoding="utf-8"
    )


def test_the_version_before_stays_in_force(lab: RunningLab) -> None:
    broken(lab)
    code, (error, stays) = reload(lab)

    assert (code, stays) == (1, BEFORE)
    assert error.startswith("sites/shop.conf, line 3: Invalid command 'Foo', ")
    assert ask(lab).body == b"shop\n"
    assert [(one["in_force"], one["error"]) for one in report(lab)] == [(True, error)]
    assert reload(lab) == (1, [error, BEFORE])


def test_a_mended_file_takes_the_place_of_the_version_before(lab: RunningLab) -> None:
    broken(lab)
    reload(lab)
    (lab.sites / "shop.conf").write_text(
        HOST.format(name="shop.localhost", folder='"/srv/www/my pages"'), encoding="utf-8"
    )

    assert reload(lab) == (0, [])
    assert ask(lab).body == b"my pages\n"


def test_what_only_the_running_server_shows_is_taken_back(lab: RunningLab) -> None:
    """The trial is at another port: here the health check fails at the lab's own alone."""
    typed(lab, "vhost", "add", "shop", "shop")
    condition = "<If \"%{SERVER_PORT} == '80'\">\nRequire all denied\n</If>"
    (lab.sites / "late.conf").write_text(f"<Location /lab/health>\n{condition}\n</Location>\n", encoding="utf-8")

    assert reload(lab) == (1, [f"sites/late.conf: {HEALTH}", LEFT_OUT])
    assert ask(lab).body == b"shop\n"
    assert lab.container.exec_run(["/usr/local/lib/cgi-lab/healthcheck"]) == (0, b"ok\n")
    assert [(one["name"], one["in_force"]) for one in report(lab)] == [("late", False), ("shop", True)]


# --- No request is lost -----------------------------------------------------------------------------


def test_no_request_is_lost_while_it_reloads(lab: RunningLab) -> None:
    ended = Event()

    def call() -> list[int]:
        statuses: list[int] = []
        while not ended.is_set() and len(statuses) < 5000:
            statuses.append(requests.get(f"{lab.url}/cgi-bin/web_02.py?during", timeout=30).status_code)
        return statuses

    def sleep() -> tuple[int, dict[str, Any]]:
        status = requests.get(f"{lab.url}/cgi-bin/sleeping.py?6", timeout=30).status_code
        # At once, before the others have pushed it out of what is kept.
        return status, recorded(lab, "sleeping.py?6")

    with ThreadPoolExecutor() as threads:
        # One that was under way before, and ends after.
        slow = threads.submit(sleep)
        callers = [threads.submit(call) for _ in range(3)]
        for number in range(3):
            done = typed(lab, "vhost", "add", f"host-{number}", "shop")
            assert (done.returncode, done.stderr) == (0, "")
        ended.set()
        statuses = [status for caller in callers for status in caller.result()]

    assert set(statuses) == {200}
    status, exchange = slow.result()
    assert status == 200
    # The recorder of before goes on until its last request has ended, and loses none either.
    assert requests.get(f"{lab.url}/lab/exchanges", timeout=10).json()["restarted"] == []
    assert exchange["incomplete"] is False


# --- A start of the container, after which Docker has chosen another port ------------------------------


def port_of(lab: RunningLab) -> int:
    """Return the port of a lab that was started again."""
    return int((lab.compose.url() or "").rpartition(":")[2])


def test_it_stays_over_a_restart_of_the_container(lab: RunningLab) -> None:
    broken(lab)
    log_before = len(lab.log())
    done = typed(lab, "restart", "web")
    log = [line for line in lab.log()[log_before:] if " sites:error " in line]

    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} sites:error sites/shop\.conf, line 3: Invalid command 'Foo', .*; "
        r"the version before stays in force",
        log[0],
    )
    assert done.stdout.splitlines()[0] == "web: restarted, and healthy"
    assert done.stdout.splitlines()[1].startswith("sites: sites/shop.conf, line 3: Invalid command 'Foo'")
    assert ask(lab, port=port_of(lab)).body == b"shop\n"


def test_a_broken_file_keeps_no_lab_from_starting(lab: RunningLab) -> None:
    (lab.sites / "shop.conf").write_text(HOST.format(name="shop.localhost", folder="/srv/www/shop"), encoding="utf-8")
    (lab.sites / "bad.conf").write_text("Foo\n", encoding="utf-8")
    done = typed(lab, "restart")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["web: restarted, and healthy", f"sites: {NO_FOO}", f"    {LEFT_OUT}"]
    assert ask(lab, port=port_of(lab)).body == b"shop\n"
    assert [(one["name"], one["in_force"]) for one in report(lab)] == [("bad", False), ("shop", True)]
    assert f"{NO_FOO}; it is left out" in [line.partition(" sites:error ")[2] for line in lab.log()]
