"""What a lab is made of, from what httpd, PHP and the menu tell: right, cut off, and never told at all."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies

from cgilab.web.description import Php, Site, VirtualHost, address, httpd_of, php_of, sites_of

VERSION = "Server version: Apache/2.4.71 (Debian)\nServer built:   2026-11-11T12:54:19\n"

# As httpd of bookworm and of trixie print it.
DUMP = """\
Included configuration files:
  (*) /etc/apache2/httpd.conf
    (12) /run/httpd/sites/a shop.conf
VirtualHost configuration:
*:80                   is a NameVirtualHost
         default server localhost (/etc/apache2/httpd.conf:149)
         port 80 namevhost localhost (/etc/apache2/httpd.conf:149)
                 alias 127.0.0.1
                 alias ::1
         port 80 namevhost shop.localhost (/run/httpd/sites/a shop.conf:1)
                 wild alias *.shop.localhost
*:81                   alone.localhost (/etc/apache2/more.conf:3)
ServerRoot: "/etc/apache2"
Main DocumentRoot: "/srv/www"
Main ErrorLog: "|/usr/local/lib/cgi-lab/recorder"
Mutex default: dir="/var/run/apache2/" mechanism=default 
PidFile: "/run/httpd/httpd.pid"
Define: FOREGROUND
Define: NAME=a value
Define: DUMP_MODULES
Define: DUMP_VHOSTS
User: name="#-1" id=4294967295 not_used
Group: name="#-1" id=4294967295 not_used
Loaded Modules:
 core_module (static)
 so_module (static)
 mpm_prefork_module (shared)
"""  # noqa: W291 - httpd's own

HOSTS = [
    VirtualHost("localhost", ["127.0.0.1", "::1"], "*:80", "/etc/apache2/httpd.conf:149"),
    VirtualHost("shop.localhost", ["*.shop.localhost"], "*:80", "/run/httpd/sites/a shop.conf:1"),
    VirtualHost("alone.localhost", [], "*:81", "/etc/apache2/more.conf:3"),
]


def test_what_httpd_tells() -> None:
    told = httpd_of(VERSION, DUMP, "Apache/2.4.71 (Debian)")

    assert (told.version, told.built, told.banner) == ("2.4.71", "2026-11-11T12:54:19", "Apache/2.4.71 (Debian)")
    assert told.modules == ["core", "so", "mpm_prefork"]
    assert told.defines == ["FOREGROUND", "NAME=a value"]
    assert told.includes == ["/etc/apache2/httpd.conf", "/run/httpd/sites/a shop.conf"]
    assert told.virtual_hosts == HOSTS


def test_what_it_does_not_tell_is_not_there() -> None:
    told = httpd_of("", "", None)

    assert (told.version, told.built, told.banner) == (None, None, None)
    assert (told.modules, told.defines, told.includes, told.virtual_hosts) == ([], [], [], [])


def test_a_dump_that_breaks_off_tells_its_beginning() -> None:
    told = httpd_of(VERSION, DUMP[: DUMP.index("                 wild")], None)

    assert told.virtual_hosts == [HOSTS[0], replace(HOSTS[1], aliases=[])]
    assert told.modules == []


def test_without_a_virtual_host_there_is_none() -> None:
    dump = 'VirtualHost configuration:\nServerRoot: "/etc/apache2"\nLoaded Modules:\n core_module (static)\n'

    assert (httpd_of(VERSION, dump, None).virtual_hosts, httpd_of(VERSION, dump, None).modules) == ([], ["core"])


def test_what_php_tells() -> None:
    told = {"version": "8.4.28", "extensions": ["curl", "gd"], "opcache": True}

    assert php_of(told) == Php("8.4.28", ["curl", "gd"], True, None)


@pytest.mark.parametrize("told", [None, [], {}, {"version": 8}, "8.4.28"])
def test_what_is_no_word_of_php_is_none(told: object) -> None:
    assert php_of(told) == Php(None, [], None, "PHP does not say its version")


def test_extensions_that_are_no_names_are_left_out() -> None:
    told = {"version": "8.4.28", "extensions": ["curl", 1, None, ["gd"]]}

    assert php_of(told) == Php("8.4.28", ["curl"], False, None)


SITE: dict[str, Any] = {
    "name": "shop",
    "kind": "vhost",
    "urls": ["http://shop.localhost:8080/"],
    "folder": "/srv/shop",
    "in_force": False,
    "error": "Syntax error on line 3",
}


def test_a_site_is_told_whole() -> None:
    assert sites_of([SITE]) == [
        Site("shop", "vhost", ["http://shop.localhost:8080/"], "/srv/shop", False, "Syntax error on line 3")
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"kind": 1}, {"kind": "other"}, id="a kind that is none"),
        pytest.param({"urls": "http://x"}, {"urls": []}, id="addresses that are no list"),
        pytest.param({"urls": [1, "/x/"]}, {"urls": ["/x/"]}, id="an address that is none"),
        pytest.param({"folder": []}, {"folder": None}, id="a folder that is none"),
        pytest.param({"in_force": "yes"}, {"in_force": False}, id="in force, in words"),
        pytest.param({"in_force": True, "error": None}, {"in_force": True, "error": None}, id="in force"),
    ],
)
def test_what_is_no_part_of_a_site_is_left_out(changed: dict[str, Any], expected: dict[str, Any]) -> None:
    (whole,) = sites_of([SITE])

    assert sites_of([SITE | changed]) == [replace(whole, **expected)]


@pytest.mark.parametrize("told", [None, {}, "shop", [None, "shop", {}, {"name": 1}]])
def test_what_is_no_site_is_left_out(told: object) -> None:
    assert sites_of(told) == []


ANYTHING = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
)


@given(ANYTHING)
def test_whatever_is_told_is_told_as_texts(told: object) -> None:
    for site in sites_of([{"name": "x", "urls": told, "folder": told, "kind": told, "error": told}]):
        assert all(isinstance(url, str) for url in site.urls)
        assert site.folder is None or isinstance(site.folder, str)
    assert isinstance(php_of(told).version, str | None)


@pytest.mark.parametrize(
    ("url", "port", "expected"),
    [
        ("http://shop.localhost/", 8080, "http://shop.localhost:8080/"),
        ("http://shop.localhost/", None, "http://shop.localhost/"),
        ("http://shop.localhost:81/", 8080, "http://shop.localhost:81/"),
        ("http://[::1]/x", 8080, "http://[::1]:8080/x"),
        ("/shop/", 8080, "/shop/"),
        ("https://shop.localhost/", 8080, "https://shop.localhost/"),
        ("javascript:x", 8080, "javascript:x"),
        ("http://[", 8080, "http://["),
        ("http://x:port/", 8080, "http://x:port/"),
        ("http:", 8080, "http:"),
    ],
)
def test_the_address_of_a_site_bears_the_labs_port(url: str, port: int | None, expected: str) -> None:
    assert address(url, port) == expected
