"""What a lab is made of, found out in the web server's container; `python3 -m cgilab.web.collecting` prints it as JSON.

Whatever does not run is said not to run, and every wait has an end: the page that shows this is there to be called when
something is amiss.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlsplit

from cgilab.checks import judging, services
from cgilab.diagnosis.model import Diagnosis
from cgilab.diagnosis.script import neighbours_of, read
from cgilab.exchanges import store
from cgilab.failures.evidence import SERVICES, URL_OF_SERVICES
from cgilab.failures.explanation import visible
from cgilab.web import description
from cgilab.web.description import Database, Description, Failed, Fault, Page, Php, Service, Site
from cgilab.web.pages import cause_of, exchange_of

DOCUMENT_ROOT = "/srv/www"
PID_FILE = Path("/run/httpd/httpd.pid")
SITES = Path("/run/httpd/sites.json")
PASSWORD = Path("/run/secrets/db_password")
ASKED_PHP = "http://127.0.0.1/lab/php.json"
DATABASE = "db"

# In seconds: for an answer of httpd, of PHP and of the database, which are asked at the same time; and for judging
# services. Together they are less than the ten that httpd waits for a script.
ANSWER_TIMEOUT = 2.0
JUDGING_TIME = 3.0

STARTED_BY = "start it with: make wamp"
LAST_FAILURES = 10
INDEXES = ("index.html", "index.php")
PAGE_ENDINGS = (".html", ".htm", ".php")
DUMPS = ("DUMP_MODULES", "DUMP_INCLUDES", "DUMP_VHOSTS", "DUMP_RUN_CFG")

Answer = TypeVar("Answer")


class Asked(Generic[Answer]):
    """A question that is being asked while the program goes on.

    Args:
        ask: asks it; it handles its errors by itself.
        otherwise: the answer where there is none in time.
    """

    def __init__(self, ask: Callable[[], Answer], otherwise: Answer) -> None:
        self._answer = otherwise
        self._end = time.monotonic() + ANSWER_TIMEOUT
        # A name that is looked up cannot be told to hurry; the program ends without it.
        self._thread = Thread(target=self._run, args=(ask,), daemon=True)
        self._thread.start()

    def _run(self, ask: Callable[[], Answer]) -> None:
        self._answer = ask()

    def answer(self) -> Answer:
        """Return the answer, as soon as it is there or the time is over."""
        self._thread.join(max(self._end - time.monotonic(), 0))
        return self._answer


def collect() -> Description:
    """Return what this lab is made of."""
    silent = f"it does not answer within {ANSWER_TIMEOUT:.0f} seconds"
    nothing: tuple[Php, str | None] = (Php(None, [], None, silent), None)
    php = Asked(php_and_banner, nothing)
    database = Asked(database_of, Database(None, silent))
    judged = services_in()
    projects, pages = pages_in()
    failed = failures()
    version, dump = httpd_says()
    told, banner = php.answer()
    return Description(
        httpd=description.httpd_of(version, dump, banner),
        debian=platform.freedesktop_os_release().get("VERSION_CODENAME"),
        python=platform.python_version(),
        php=told,
        database=database.answer(),
        services=judged,
        projects=projects,
        pages=pages,
        sites=sites_in(),
        failures=failed,
    )


def as_data(found: Description) -> dict[str, Any]:
    """Return a description for programs; the names are those of `cgilab.web.description`."""
    return asdict(found)


# --- The servers ----------------------------------------------------------------------------------


def httpd_says(pid_file: Path = PID_FILE) -> tuple[str, str]:
    """Return what ``apache2 -v`` prints, and what ``apache2 -t`` prints of the configuration that the server runs with.

    Args:
        pid_file: holds the server's process, whose arguments say which configuration that is.
    """
    arguments = ["-f", "httpd.conf"]
    try:
        process = int(pid_file.read_text(encoding="ascii"))
        words = Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8").split("\0")
        if words[0] == "apache2":
            arguments = [word for word in words[1:] if word]
    except (OSError, ValueError):
        pass  # it is just starting again
    dumps = [word for dump in DUMPS for word in ("-D", dump)]
    return _printed("apache2", "-v"), _printed("apache2", "-t", *arguments, *dumps)


def _printed(*command: str) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=ANSWER_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def php_and_banner(address: str = ASKED_PHP) -> tuple[Php, str | None]:
    """Return what PHP tells of itself, and the header Server of the response.

    Args:
        address: at which PHP answers behind httpd. Such a request is not recorded.
    """
    parts = urlsplit(address)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_TIMEOUT)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        content = response.read()
    except (OSError, HTTPException) as error:
        return Php(None, [], None, f"it could not be asked: {error}"), None
    finally:
        connection.close()
    banner = response.getheader("Server")
    if response.status == HTTPStatus.OK:
        try:
            return description.php_of(json.loads(content)), banner
        except ValueError:
            return Php(None, [], None, "what it says of itself is no JSON"), banner
    if response.status == HTTPStatus.NOT_FOUND:
        return Php(None, [], None, "the lab's pages are off, and PHP tells of itself in one of them"), banner
    return Php(None, [], None, f"it does not run; {STARTED_BY}"), banner


def database_of(password: Path = PASSWORD, host: str = DATABASE) -> Database:
    """Return what the database tells of itself to a service that logs in.

    Args:
        password: the file that holds it.
        host: the name of the database's machine.
    """
    try:
        word = password.read_text(encoding="ascii")
    except FileNotFoundError:
        return Database(None, f"it does not run; {STARTED_BY}")
    except (OSError, ValueError) as error:
        return Database(None, f"its password cannot be read: {error}")
    # Only here, as it takes longer to load than all else together, and a lab need not have a database.
    import pymysql  # noqa: PLC0415

    try:
        connection = pymysql.connect(
            host=host,
            user="lab",
            password=word,
            database="lab",
            connect_timeout=ANSWER_TIMEOUT,
            read_timeout=ANSWER_TIMEOUT,
        )
    except pymysql.err.MySQLError as error:
        said = str(error.args[-1]) if error.args else "it gives no reason"
        return Database(None, f"it does not let the services in: {said}; {STARTED_BY}")
    with connection:
        # Such as 11.8.9-MariaDB-0+deb13u1 from Debian; before version 11 with another in front, for old programs.
        return Database(connection.get_server_info().removeprefix("5.5.5-").partition("-MariaDB")[0], None)


# --- The user's own -------------------------------------------------------------------------------


def services_in(folder: str = SERVICES, seconds: float = JUDGING_TIME) -> list[Service]:
    """Return the services of a folder, each with what `lab check` says of it.

    Args:
        folder: where they are.
        seconds: after which the rest is listed without being judged.
    """
    end = time.monotonic() + seconds
    found = services.find(folder)
    beside: dict[str, frozenset[str]] = {}
    listed = []
    with judging.without_collector():
        for path in found.paths:
            if time.monotonic() >= end:
                listed.append(_service(path, folder, None))
                continue
            parent = path.rpartition("/")[0]
            if parent not in beside:
                beside[parent] = neighbours_of(path)
            listed.append(_service(path, folder, judging.faults(read(path, neighbours=beside[parent]))))
    for path in found.closed:
        sentence = "This folder cannot be read, so nothing in it is judged."
        listed.append(_service(path, folder, [judging.made("folder-closed", sentence)]))
    return listed


def _service(path: str, folder: str, found: list[Diagnosis] | None) -> Service:
    name = os.fsencode(os.path.relpath(path, folder))

    def told(text: str) -> str:
        # As the folder is called on the user's machine.
        return visible(text.replace(f"{folder}/", "cgi-bin/"))

    return Service(
        name=_readable(name),
        url=URL_OF_SERVICES + quote(name),
        level=None if found is None else judging.level(found),
        faults=[
            Fault(one.cause, told(one.finding.sentence), one.certain, list(map(told, one.finding.fix)))
            for one in found or []
        ],
    )


def pages_in(folder: str = DOCUMENT_ROOT) -> tuple[list[Page], list[Page]]:
    """Return the folders of the document root, and its pages; what is never served is left out."""
    try:
        listed = sorted(Path(folder).iterdir())
    except OSError:
        return [], []
    projects = []
    pages = []
    for path in listed:
        name = os.fsencode(path.name)
        if services.is_passed_over(path.name):
            continue
        if path.is_dir():
            has_index = any((path / index).is_file() for index in INDEXES)
            projects.append(Page(_readable(name), f"/{quote(name)}/" if has_index else None))
        elif path.name.lower().endswith(PAGE_ENDINGS) and path.is_file():
            pages.append(Page(_readable(name), f"/{quote(name)}"))
    return projects, pages


def sites_in(file: Path = SITES) -> list[Site]:
    """Return the aliases and virtual hosts; none where there is no such file."""
    try:
        return description.sites_of(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


def failures() -> list[Failed]:
    """Return the last recorded exchanges that failed, the last one first.

    Left out are files that are not there, or not for everyone: browsers ask for some by themselves.
    """
    found: list[Failed] = []
    for record in reversed(store.records()):
        one = exchange_of(record)
        if one is None:
            continue
        is_services = bool(one.script) or one.path.startswith(URL_OF_SERVICES)
        cause = cause_of(one) if is_services or one.status >= HTTPStatus.INTERNAL_SERVER_ERROR else None
        if cause:
            found.append(Failed(one.id, one.started, one.method, one.target, one.status, cause))
        if len(found) == LAST_FAILURES:
            break
    return found


def _readable(name: bytes) -> str:
    return visible(name.decode(errors="backslashreplace"))


def main() -> None:
    """Print what this lab is made of, as JSON."""
    sys.stdout.write(json.dumps(as_data(collect())) + "\n")


if __name__ == "__main__":
    main()
