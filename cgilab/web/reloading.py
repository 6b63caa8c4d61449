"""The user's drop-ins, sites/*.conf, in the image: each is tried before it takes effect.

httpd itself says whether it takes them: by its check of the syntax, which also tells what stands in them, and by a
second httpd that is started with them at a port of its own, since some faults show only then, and then end the server.
Those that pass are put where httpd.conf includes them. Of one that does not pass, the version that did stays in force:
the one that httpd serves, or, when the container has just been started, the one that `lab` has kept on the host.

What took effect is told in sites.json, an object a file, in the order of their names: ``name``, without the ending;
``kind``, alias, vhost or other; ``urls``, a path for an alias, and for a virtual host an address without the port;
``folder``, below the project's www/; ``in_force``, whether any version of it is; ``error``, why the file as it is now
is not, or null.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

HTTPD = "/usr/local/lib/cgi-lab/httpd"
CONFIGURATION = Path("/etc/apache2/httpd.conf")

# Where the project's sites/ is mounted; the folder in it in which `lab` keeps the versions that were in force.
SITES = Path("/srv/sites")
KEPT = ".in-force"
WWW = "/srv/www"

RUN = Path("/run/httpd")
IN_FORCE = RUN / "sites"
TRIED = RUN / "sites.tried"
BEFORE = RUN / "sites.before"
REPORT = RUN / "sites.json"
PID = RUN / "httpd.pid"

# In the folder of a set of drop-ins: the file that httpd.conf includes, which includes them.
LIST = "in-force"

NAME = re.compile(r"(?P<name>[A-Za-z0-9_][\w.-]*)\.conf", re.ASCII)
LARGEST = 65_536  # bytes: a set has to fit twice into the memory of the folder

# What a second httpd may not share with the first, in httpd.conf. Nothing else of it has to be changed.
APART = (
    ("PidFile /run/httpd/httpd.pid", f"PidFile {TRIED}/httpd.pid\nStartServers 1"),
    ("Listen 80", "Listen 127.0.0.1:{port}"),
    ('ErrorLog "|/usr/local/lib/cgi-lab/recorder"', f"ErrorLog {TRIED}/log"),
    (f"IncludeOptional {IN_FORCE}/{LIST}", f"Include {TRIED}/{LIST}"),
)

# Directives that httpd takes, and that would end the lab or never do what is meant.
REFUSED = {
    "listen": ("Listen", "nothing outside the container reaches another port than that of httpd.conf; leave it out"),
    "pidfile": ("PidFile", "the lab finds its server by the file that httpd.conf names; leave it out"),
    "scoreboardfile": ("ScoreBoardFile", "the lab needs none; leave it out"),
}
ADDRESSES = {"*:80", "_default_:80"}
ALIASES = {"alias", "scriptalias"}
NAMES = {"servername", "serveralias"}
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
LOCATION = re.compile(r"# In file: (?P<file>.*)")
LINE = re.compile(r"# +(?P<line>\d+):")

# What httpd says of a wrong configuration: the innermost place stands last, and file and line may come once more.
PLACE = re.compile(r"Syntax error on line (?P<line>\d+) of (?P<file>[^\n]+?):\s+")
AGAIN = re.compile(r"^/[^\n:]+:\d+: ")
# What it tells before the words themselves.
CODES = re.compile(r"^(?:apache2: |AH\d+: |\S+ [\d-]+ [\d:.]+ \w*:\w+ )+|(?<=: )AH\d+: (?:apache2: )?")
# Its last words, after those that say what is wrong.
NOTHING_NEW = re.compile(r"AH000(?:14|15|16|20): ")
# What it takes all the same, although it cannot have been meant.
WARNINGS = re.compile(
    r"The (?P<name>\w+) directive in (?P<file>\S+) at line (?P<line>\d+) will probably never match because it overlaps "
    r"an earlier \w+"
    r"|(?P<undefined>Config variable \$\{.*\} is not defined)"
)

# Seconds: of one run of httpd; until a server answers; between two looks.
PATIENCE = 15.0
INTERVAL = 0.02

# 503 is the health check's own word for services that cannot be read, which is no drop-in's fault.
HEALTHY = {200, 503}

# The header by which the answer to the health check tells the set of drop-ins that it was made with.
MARK = "Sites-In-Force"


@dataclass(frozen=True)
class Directive:
    """A directive, as httpd has read it.

    Attributes:
        file: the drop-in; empty for httpd.conf.
        line: the last one of the directive.
        host: which virtual host it is in, counted from 1; 0 outside of them.
        name: in lower case, a section's with its bracket, such as ``<virtualhost``.
        words: its arguments, without quotes.
        nested: whether it stands in a section other than a virtual host.
    """

    file: str
    line: int
    host: int
    name: str
    words: Sequence[str]
    nested: bool


@dataclass
class Chosen:
    """What takes effect.

    Attributes:
        texts: the versions, by the name of their file.
        newest: the files as they are now.
        errors: why a file as it is now is not among them, by its name.
        directives: of the versions chosen.
    """

    texts: dict[str, bytes] = field(default_factory=dict)
    newest: dict[str, bytes | str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    directives: list[Directive] = field(default_factory=list)


class RefusedError(Exception):
    """A set of drop-ins that may not take effect, and why."""


def main(command: str) -> None:
    """Do what `docker/web/sites` is asked for.

    Args:
        command: ``start`` lays the drop-ins out before httpd starts, and writes errors to standard error as lines of
            the log; ``reload`` lays them out and has the running httpd take them, and ``check`` only tells what would
            be: both write the report to standard output.
    """
    with (RUN / "sites.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if command == "start":
            start()
            return
        chosen = choose(versions())
        if command == "reload":
            take_effect(chosen)
        print(json.dumps(report(chosen)))


def start() -> None:
    """Lay out what passes. Whatever goes wrong, the lab starts."""
    try:
        chosen = choose(versions())
        lay_out(chosen.texts, IN_FORCE)
        told = report(chosen)
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(IN_FORCE, ignore_errors=True)
        told = []
        say(f"no drop-in is in force: {error}")
    REPORT.write_text(json.dumps(told), encoding="utf-8")
    for site in told:
        if site["error"]:
            left = "; the version before stays in force" if site["in_force"] else "; it is left out"
            say(f"{site['error']}{left}")


def say(text: str) -> None:
    """Write a line of the log, in the form of httpd's own."""
    sys.stderr.write(f"{datetime.now():%Y-%m-%d %H:%M:%S.%f} sites:error {text}\n")


def versions() -> dict[str, list[bytes | str]]:
    """Return, for each drop-in, its versions: the file as it is now, the one in force, the one that `lab` has kept.

    A text in place of bytes says why the file cannot be read.
    """
    found: dict[str, list[bytes | str]] = {}
    for path in sorted(SITES.glob("*.conf")):
        if path.name.startswith("."):
            continue
        found[path.name] = [_read(path)]
        if NAME.fullmatch(path.name):
            for folder in (IN_FORCE, SITES / KEPT):
                earlier = folder / path.name
                if earlier.is_file() and isinstance(text := _read(earlier), bytes):
                    found[path.name].append(text)
    return found


def _read(path: Path) -> bytes | str:
    if not NAME.fullmatch(path.name):
        return f"sites/{path.name}: the name of a drop-in takes letters a to z, digits, '.', '_' and '-'"
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        return f"sites/{path.name} cannot be read by the web server: {error.strerror}"
    if len(text) > LARGEST:
        return f"sites/{path.name} is larger than {LARGEST} bytes"
    # Without a line break at its end, its last line would go on in the next file.
    return text if text.endswith(b"\n") else text + b"\n"


def choose(found: Mapping[str, Sequence[bytes | str]]) -> Chosen:
    """Return the largest set of drop-ins that passes, the newest version of each that does.

    Args:
        found: the versions of each, newest first.
    """
    newest = {name: texts[0] for name, texts in found.items()}
    whole = {name: text for name, text in newest.items() if isinstance(text, bytes)}
    chosen = Chosen(newest=newest)
    if len(whole) == len(newest):
        try:
            return Chosen(whole, newest, {}, tried(whole))
        except RefusedError:
            pass  # of which of them it is, is found out one by one
    # What has been in force already comes first: it is the newcomer that is refused where two cannot go together.
    for name in sorted(found, key=lambda name: (newest[name] not in found[name][1:], len(found[name]) == 1, name)):
        for text in dict.fromkeys(found[name]):
            if isinstance(text, str):
                chosen.errors.setdefault(name, text)
                continue
            try:
                chosen.directives = tried({**chosen.texts, name: text})
            except RefusedError as fault:
                chosen.errors.setdefault(name, str(fault))
            else:
                chosen.texts[name] = text
                break
    return chosen


def tried(texts: Mapping[str, bytes]) -> list[Directive]:
    """Try a set of drop-ins: httpd's check, then what it does not see, then a start.

    Args:
        texts: the last one is the one to be blamed.

    Returns:
        The directives in them.

    Raises:
        RefusedError: the set may not take effect.
    """
    if not texts:
        return []
    blamed = list(texts)[-1]
    try:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        lay_out(texts, TRIED)
        configuration = TRIED / "httpd.conf"
        text = CONFIGURATION.read_text(encoding="utf-8")
        for line, instead in APART:
            text = text.replace(line, instead.format(port=port))
        configuration.write_text(text, encoding="utf-8")
        return _passed(configuration, port, blamed)
    except OSError as error:
        raise RefusedError(f"what is in sites/ cannot be tried: {error.strerror}") from None
    finally:
        shutil.rmtree(TRIED, ignore_errors=True)


def _passed(configuration: Path, port: int, blamed: str) -> list[Directive]:
    """Return the directives of drop-ins that pass, which are in a configuration that listens on a port of its own."""
    found, said = _checked(configuration, blamed)
    for fault in faults(found, blamed):
        raise RefusedError(fault)
    for warning in WARNINGS.finditer(said):
        raise RefusedError(_of_warning(warning, blamed))
    _start(configuration, port, blamed)
    return found


def lay_out(texts: Mapping[str, bytes], folder: Path, mark: str = "") -> None:
    """Write a set of drop-ins to a folder, with the list of them, and the header that tells that it is in force."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    lines = []
    for name, text in texts.items():
        (folder / name).write_bytes(text)
        lines.append(f"Include {folder}/{name}")
    header = f'<Location "/lab/health">\n    Header always set {MARK} "{mark}"\n</Location>'
    (folder / LIST).write_text("\n".join([*lines, header, ""]), encoding="utf-8")


def _checked(configuration: Path, blamed: str) -> tuple[list[Directive], str]:
    """Have httpd check a configuration; return what is in it, and of what httpd warns."""
    info = "LoadModule info_module /usr/lib/apache2/modules/mod_info.so"
    command = [HTTPD, "-t", "-D", "DUMP_CONFIG", "-C", info, "-f", str(configuration)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise RefusedError(f"sites/{blamed}: httpd does not come to the end of it") from None
    said = done.stderr.decode(errors="replace")
    if done.returncode:
        raise RefusedError(explained(said, blamed))
    return directives(done.stdout.decode(errors="replace")), said


def explained(said: str, blamed: str) -> str:
    """Return what httpd says of a wrong configuration, with file and line as the user knows them.

    Args:
        said: on its standard error.
        blamed: the drop-in that it is about, where httpd does not say.
    """
    places = list(PLACE.finditer(said))
    if places:
        own = [place for place in places if _drop_in(place["file"])]
        where = f"sites/{_drop_in(own[-1]['file'])}, line {own[-1]['line']}" if own else f"sites/{blamed}"
        innermost = places[-1]
        if not _drop_in(innermost["file"]) and innermost["file"] != f"{TRIED}/{LIST}":
            where += f", which leads to {innermost['file']}, line {innermost['line']}"
        text = AGAIN.sub("", said[innermost.end() :]).strip().partition("\n")[0]
    else:
        where = f"sites/{blamed}"
        lines = [line for line in said.splitlines() if line.strip() and not NOTHING_NEW.match(line)]
        text = lines[-1] if lines else "httpd does not take it"
    text = CODES.sub("", text).replace(f"{TRIED}/", "sites/").replace("\\n", " ").replace("\\t", " ")
    return _printable(f"{where}: {' '.join(text.split())}")


def _drop_in(path: str) -> str:
    """Return the name of the drop-in that is tried at a path; empty where it is another file."""
    folder, _, name = path.rpartition("/")
    return name if folder == str(TRIED) and NAME.fullmatch(name) and name != CONFIGURATION.name else ""


def _of_warning(warning: re.Match[str], blamed: str) -> str:
    if warning["undefined"]:
        return _printable(f"sites/{blamed}: {warning['undefined']}")
    file = _drop_in(warning["file"])
    return (
        f"sites/{file}, line {warning['line']}: this {warning['name']} would never answer: another one has its path, "
        "or the beginning of it, already"
    )


def _not_there(place: str, path: str) -> str:
    of_the_project = "www/ of the project" + ("" if path.startswith(f"{WWW}/") else f" as {WWW}/")
    return _printable(f"{place}: there is no {path} in the container, which sees {of_the_project}")


def directives(dump: str) -> list[Directive]:
    """Return the directives in a dump of httpd's configuration (mod_info, ``-D DUMP_CONFIG``)."""
    found: list[Directive] = []
    file, line, host, hosts, depth = "", 0, 0, 0, 0
    for text in map(str.strip, dump.splitlines()):
        if location := LOCATION.fullmatch(text):
            file = _drop_in(location["file"])
        elif number := LINE.fullmatch(text):
            line = int(number["line"])
        elif text.lower() == "</virtualhost>":
            host = 0
        elif text.startswith("</"):
            depth -= 1
        elif text:
            name, _, arguments = text.partition(" ")
            name = name.lower()
            if name == "<virtualhost":
                hosts += 1
                host = hosts
            elif name.startswith("<"):
                depth += 1
            words = [quoted or bare for quoted, bare in WORD.findall(arguments.removesuffix(">"))]
            found.append(Directive(file, line, host, name, words, depth > 0))
    return found


def faults(found: Sequence[Directive], blamed: str = "") -> Iterator[str]:
    """Yield what httpd does not see in drop-ins, or sees too late.

    Args:
        found: the directives, those of httpd.conf too.
        blamed: the file that is named for what is there twice.
    """
    for directive in found:
        if directive.file:
            yield from _faults_of(directive, found)
    # Who has a path or a name: those of httpd.conf, then the others', then those of the file that is to be blamed.
    paths: dict[str, Directive] = {}
    names: dict[str, Directive] = {}
    for directive in sorted(found, key=lambda one: (one.file != "", one.file == blamed)):
        if directive.name in ALIASES and not directive.host and not directive.nested:
            yield from _taken(directive, "path", directive.words[0].rstrip("/"), paths)
        elif directive.name in NAMES and (directive.host or not directive.file):
            for word in directive.words:
                yield from _taken(directive, "name", host_name(word), names)


def _faults_of(directive: Directive, found: Sequence[Directive]) -> Iterator[str]:
    place = _place(directive)
    words = directive.words
    if directive.name in REFUSED:
        name, why = REFUSED[directive.name]
        yield f"{place}: {' '.join([name, *words])}: {why}"
    if directive.name == "<virtualhost":
        if not ADDRESSES.intersection(words):
            yield (
                f"{place}: <VirtualHost {' '.join(words)}> never answers: in the container httpd listens on port 80. "
                "Write <VirtualHost *:80>"
            )
        if not any(one.host == directive.host and one.name in NAMES for one in found):
            yield f"{place}: this virtual host has no ServerName, so no request would reach it"
    path = _served(directive)
    if path and not Path(CONFIGURATION.parent, path).exists():
        yield _not_there(place, path)


def _taken(directive: Directive, what: str, key: str, holders: dict[str, Directive]) -> Iterator[str]:
    """Yield who has a path or a name already; else it is this directive's from now on."""
    holder = holders.setdefault(key, directive)
    if directive.file and holder is not directive and (what == "path" or holder.host != directive.host):
        by = f"sites/{holder.file}, line {holder.line}" if holder.file else "the lab itself"
        yield f"{_place(directive)}: the {what} {key} is taken by {by}"


def _place(directive: Directive) -> str:
    return f"sites/{directive.file}, line {directive.line}"


def host_name(word: str) -> str:
    """Return the name in a ServerName, which may have a scheme and a port."""
    name = word.lower().rpartition("://")[2]
    return re.sub(r"(?<!:):\d+$", "", name)


def _served(directive: Directive) -> str:
    """Return the file or folder that a directive serves; empty where it serves none, or where the request decides."""
    if directive.name in {"documentroot", *ALIASES} and directive.words:
        return "" if re.search(r"[$%]\{", directive.words[-1]) else directive.words[-1]
    return ""


def _start(configuration: Path, port: int, blamed: str) -> None:
    """Start a second httpd and have it answer the health check."""
    with (TRIED / "said").open("w+b") as said:
        command = [HTTPD, "-D", "FOREGROUND", "-f", str(configuration)]
        # A session of its own: httpd ends its whole process group.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
        try:
            end = time.monotonic() + PATIENCE
            status, _ = None, ""
            while status is None and process.poll() is None and time.monotonic() < end:
                status, _ = health(port)
                if status is None:
                    time.sleep(INTERVAL)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        said.seek(0)
        words = said.read().decode(errors="replace")
    if status is None:
        log = TRIED / "log"
        logged = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        lines = [line for line in logged.splitlines() if not re.search(r":(?:trace\d|debug|info|notice|warn) ", line)]
        raise RefusedError(explained("\n".join([words, *lines]), blamed))
    if status not in HEALTHY:
        raise RefusedError(
            f"sites/{blamed}: with it the lab does not answer its own health check, /lab/health, but says {status}"
        )


def health(port: int) -> tuple[int | None, str]:
    """Ask for the health check; return the status, None where nobody answers, and the mark of what is in force."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(b"GET /lab/health HTTP/1.0\r\n\r\n")
            answer = b""
            while block := connection.recv(4096):
                answer += block
    except OSError:
        return None, ""
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    status = re.match(r"HTTP/1\.[01] (\d{3})", head)
    mark = re.search(rf"^{MARK}: (.*?)\r?$", head, re.MULTILINE)
    return int(status[1]) if status else None, mark[1] if mark else ""


def take_effect(chosen: Chosen) -> None:
    """Have the running httpd take a set of drop-ins; where it does not answer then, go back to the one before.

    httpd's word for it is graceful: no request under way is lost, and none that comes meanwhile.
    """
    shutil.rmtree(BEFORE, ignore_errors=True)
    if IN_FORCE.is_dir():
        IN_FORCE.rename(BEFORE)
    try:
        _reload(chosen.texts)
    except (RefusedError, OSError) as fault:
        earlier = {path.name: path.read_bytes() for path in sorted(BEFORE.glob("*.conf"))}
        for name, text in chosen.texts.items():
            if earlier.get(name) != text:
                chosen.errors.setdefault(name, f"sites/{name}: {fault}")
        chosen.texts = earlier
        chosen.directives = [directive for directive in chosen.directives if directive.file in earlier]
        _reload(earlier)
    finally:
        shutil.rmtree(BEFORE, ignore_errors=True)
    REPORT.write_text(json.dumps(report(chosen)), encoding="utf-8")


def _reload(texts: Mapping[str, bytes]) -> None:
    mark = str(time.time_ns())
    lay_out(texts, IN_FORCE, mark)
    os.kill(int(PID.read_text(encoding="ascii")), signal.SIGUSR1)
    end = time.monotonic() + PATIENCE
    while (answer := health(80))[1] != mark:
        if time.monotonic() > end:
            raise RefusedError("with it the server does not answer in time")
        time.sleep(INTERVAL)
    if answer[0] not in HEALTHY:
        raise RefusedError(f"with it the lab does not answer its own health check, /lab/health, but says {answer[0]}")


def report(chosen: Chosen) -> list[dict[str, Any]]:
    """Return what is in force and what is not, as this module's docstring says."""
    told = []
    for name in sorted({*chosen.texts, *chosen.errors}):
        of_it = [directive for directive in chosen.directives if directive.file == name]
        hosts = [directive for directive in of_it if directive.host and directive.name == "servername"]
        aliases = [directive for directive in of_it if not directive.host and directive.name in ALIASES]
        urls = [f"http://{host_name(directive.words[0])}/" for directive in hosts if directive.words]
        urls += [directive.words[0] for directive in aliases if len(directive.words) > 1]
        folders = [folder for directive in of_it if (folder := _served(directive))]
        told.append(
            {
                "name": name.removesuffix(".conf"),
                "kind": _kind(chosen.texts.get(name, chosen.newest.get(name, b""))),
                "urls": urls,
                "folder": folders[0].replace(f"{WWW}/", "www/", 1) if folders else None,
                "in_force": name in chosen.texts,
                "error": chosen.errors.get(name),
            }
        )
    return told


def _kind(text: bytes | str) -> str:
    if isinstance(text, bytes):
        for kind, start in (("vhost", rb"<VirtualHost\b"), ("alias", rb"(?:Script)?Alias\b")):
            if re.search(rb"^\s*" + start, text, re.IGNORECASE | re.MULTILINE):
                return kind
    return "other"


def _printable(text: str) -> str:
    """Return a text in which nothing can move a terminal's cursor or change its colours."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
