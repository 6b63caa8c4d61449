"""The model of what a lab is made of: versions, services, pages, sites, and what failed last; and how httpd tells it.

No input and no output here: `cgilab.web.collecting` finds it out in the image, `cgilab.web.home` and `lab describe`
show it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

# `apache2 -v`.
VERSION = re.compile(r"^Server version: Apache/(?P<version>\S+)", re.MULTILINE)
BUILT = re.compile(r"^Server built: +(?P<built>.+)$", re.MULTILINE)

# `apache2 -t` with DUMP_MODULES, DUMP_INCLUDES, DUMP_VHOSTS and DUMP_RUN_CFG: headings at the beginning of a line, and
# below each what is indented.
MODULE = re.compile(r"^ (?P<name>\w+)_module \((?:static|shared)\)$", re.MULTILINE)
INCLUDE = re.compile(r"^ +\([*\d]+\) (?P<path>.+)$", re.MULTILINE)
# Those that only had httpd print this are left out.
DEFINE = re.compile(r"^Define: (?!DUMP_)(?P<define>.+)$", re.MULTILINE)
ALONE = re.compile(r"(?P<address>\S+) +(?P<name>\S+) \((?P<where>.+)\)")
SHARED = re.compile(r"(?P<address>\S+) +is a NameVirtualHost")
NAMED = re.compile(r" +port \S+ namevhost (?P<name>\S+) \((?P<where>.+)\)")
ALIAS = re.compile(r" +(?:wild )?alias (?P<name>\S+)")

# What scripts are, by the setting START.
SCRIPTS = {"spawn": "started anew for each request", "forkserver": "forked from one interpreter"}


@dataclass(frozen=True)
class VirtualHost:
    """A virtual host that httpd serves.

    Attributes:
        name: its ServerName.
        aliases: its further names; ``*`` stands in some.
        address: that it listens to, such as ``*:80``.
        where: the file and the line of its section.
    """

    name: str
    aliases: Sequence[str]
    address: str
    where: str


@dataclass(frozen=True)
class Httpd:
    """The web server.

    Attributes:
        version: such as ``2.4.71``; None where it does not tell.
        built: when.
        banner: the header Server that it sends; None where it did not answer.
        modules: those loaded, without ``_module``, in its order.
        defines: the parameters that it was started with.
        includes: its configuration files.
        virtual_hosts: in the order of its configuration.
    """

    version: str | None
    built: str | None
    banner: str | None
    modules: Sequence[str]
    defines: Sequence[str]
    includes: Sequence[str]
    virtual_hosts: Sequence[VirtualHost]


@dataclass(frozen=True)
class Php:
    """PHP; where `version` is None, `reason` says why nothing is known of it."""

    version: str | None
    extensions: Sequence[str]
    opcache: bool | None
    reason: str | None


@dataclass(frozen=True)
class Database:
    """The database, as the services reach it; where `version` is None, `reason` says why they do not."""

    version: str | None
    reason: str | None


@dataclass(frozen=True)
class Fault:
    """What is wrong with a service: the cause's name, a sentence, whether that is certain, and what mends it."""

    cause: str
    sentence: str
    certain: bool
    fix: Sequence[str]


@dataclass(frozen=True)
class Service:
    """A service.

    Attributes:
        name: its path in the folder of the services.
        url: the path at which it answers.
        level: ``OK``, ``WARN`` or ``ERR``, as `lab check` says it; None where it was not judged.
        faults: the first cause first.
    """

    name: str
    url: str
    level: str | None
    faults: Sequence[Fault]


@dataclass(frozen=True)
class Page:
    """A page or a folder of the document root; `url` is None for a folder without an index, which answers 404."""

    name: str
    url: str | None


@dataclass(frozen=True)
class Site:
    """An alias or a virtual host of the user's; where it is not in force, `error` says why."""

    name: str
    kind: str
    urls: Sequence[str]
    folder: str | None
    in_force: bool
    error: str | None


@dataclass(frozen=True)
class Failed:
    """A recorded exchange that failed: its id, when it began (microseconds since 1970), its request and the cause."""

    id: str
    started: int
    method: str
    target: str
    status: int
    cause: str


@dataclass(frozen=True)
class Description:
    """What a lab is made of.

    Attributes:
        debian: the release that httpd and Python are of, such as ``trixie``.
        httpd, python, php, database: the servers.
        services: those that httpd can be asked for, and those that only should be.
        projects, pages: the folders and the pages of the document root.
        sites: the aliases and the virtual hosts of the user's.
        failures: the last one first.
    """

    debian: str | None
    httpd: Httpd
    python: str
    php: Php
    database: Database
    services: Sequence[Service]
    projects: Sequence[Page]
    pages: Sequence[Page]
    sites: Sequence[Site]
    failures: Sequence[Failed]


def httpd_of(version: str, dump: str, banner: str | None) -> Httpd:
    """Return what httpd tells of itself.

    Args:
        version: what ``apache2 -v`` prints.
        dump: what ``apache2 -t`` prints with DUMP_MODULES, DUMP_INCLUDES, DUMP_VHOSTS and DUMP_RUN_CFG.
        banner: the header Server of a response.
    """
    number, built = VERSION.search(version), BUILT.search(version)
    return Httpd(
        version=number["version"] if number else None,
        built=built["built"] if built else None,
        banner=banner,
        modules=MODULE.findall(dump),
        defines=DEFINE.findall(dump),
        includes=INCLUDE.findall(dump),
        virtual_hosts=_virtual_hosts(dump),
    )


def _virtual_hosts(dump: str) -> list[VirtualHost]:
    _, _, section = dump.partition("VirtualHost configuration:\n")
    found: list[VirtualHost] = []
    address = ""
    for line in section.splitlines():
        if line.startswith("ServerRoot:"):
            break
        if shared := SHARED.fullmatch(line):
            address = shared["address"]
        elif alone := ALONE.fullmatch(line):
            address = alone["address"]
            found.append(VirtualHost(alone["name"], [], address, alone["where"]))
        elif named := NAMED.fullmatch(line):
            found.append(VirtualHost(named["name"], [], address, named["where"]))
        elif (alias := ALIAS.fullmatch(line)) and found:
            last = found.pop()
            found.append(VirtualHost(last.name, [*last.aliases, alias["name"]], last.address, last.where))
    return found


def php_of(told: object) -> Php:
    """Return what PHP tells of itself.

    Args:
        told: what /lab/php.json held.
    """
    known = told if isinstance(told, Mapping) else {}
    version = known.get("version")
    if not isinstance(version, str):
        return Php(None, [], None, "PHP does not say its version")
    return Php(version, _texts(known.get("extensions")), bool(known.get("opcache")), None)


def sites_of(told: object) -> list[Site]:
    """Return the aliases and virtual hosts; whatever is none, since anybody may have written it, is left out.

    Args:
        told: what /run/httpd/sites.json held.
    """
    sites = []
    for one in told if isinstance(told, list) else []:
        if isinstance(one, Mapping) and isinstance(one.get("name"), str):
            in_force = one.get("in_force") is True
            sites.append(
                Site(
                    name=one["name"],
                    kind=_text(one, "kind") or "other",
                    urls=_texts(one.get("urls")),
                    folder=_text(one, "folder"),
                    in_force=in_force,
                    error=_text(one, "error"),
                )
            )
    return sites


def address(url: str, port: int | None) -> str:
    """Return the address of a site as this machine calls it: that of a virtual host is told without a port.

    Args:
        url: as it is told.
        port: the one at which the lab answers.
    """
    try:
        parts = urlsplit(url)
        known = parts.port
    except ValueError:
        return url
    if port is None or known is not None or parts.scheme != "http" or not parts.hostname:
        return url
    return urlunsplit(parts._replace(netloc=f"{parts.netloc}:{port}"))


def _text(told: Mapping[Any, Any], name: str) -> str | None:
    value = told.get(name)
    return value if isinstance(value, str) else None


def _texts(told: object) -> list[str]:
    return [one for one in told if isinstance(one, str)] if isinstance(told, list) else []
