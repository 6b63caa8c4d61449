"""From an error log of Apache httpd, 2.2 to 2.4, to the failures of CGI scripts in it.

httpd writes a line for each thing that it has to say, and a line for each line that a script prints on its standard
error. They belong together, but nothing in the log says so. What ends a failure is its *headline*, such as ``End of
script output before headers: hello.py``; what a failure is made of is found by the process and the client that a line
names, else by the script that it names, else because it stands near.

Logs differ in what surrounds a message (2.2, 2.4, Windows, a container's or a journal's prefix) and in how they name
what a script printed:

- 2.2: as if httpd had said it; mod_cgid of most versions: without any prefix at all;
- 2.4 to 2.4.10: ``AH01215: TEXT``; then ``AH01215: TEXT: SCRIPT``; today ``AH01215: stderr from SCRIPT: TEXT``.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import BinaryIO, NamedTuple

from cgilab.diagnosis.model import Evidence
from cgilab.exchanges.escapes import unescape

BLOCK_BYTES = 1 << 18

# Memory stays flat whatever is in a log: so much is kept of a line, of what one script printed, and so many at a time.
# httpd itself cuts a line at 8192 bytes (MAX_STRING_LEN).
LINE_BYTES = 16_384
STDERR_LINE = 2_000
STDERR_BYTES = 32_768
GROUPS = 256
CHUNKS = 32

# In seconds: httpd waits 60 for a silent script, other servers up to 300 (TimeOut); what a script printed is logged
# after the headline where httpd read its output first, and then at once.
OPEN_SECONDS = 300
AFTER_SECONDS = 2
# In lines: what bears no time.
NEAR_LINES = 100
BESIDE_LINES = 2  # an empty one may stand between

# A line that has none of these tells nothing of CGI. Tests of bytes, since most lines of a log are of no interest.
WORDS = (b"cgi", b"cript", b"exec of", b"child process", b"Response header", b"apr_bucket_read", b".py", b".pl")
OF_22 = b"] [error] [client "
# What 2.2 most often says of a client, and no script does.
COMMON = (
    *(b"File does not exist: ", b"client denied", b"Directory index", b"Invalid URI", b"request failed", b"script '"),
    *(b"PHP ", b"user ", b"ModSecurity", b"mod_", b"Hostname ", b"Client sent", b"client sent", b"proxy: "),
)

COLOUR = re.compile(r"\x1b\[[\d;]*m")
# What docker compose, docker logs --timestamps, a journal and a log of several hosts put before a line.
PREFIX = re.compile(
    r"(?:[\w.-]{1,64}(?: {2,}|[-_]\d+ +)\| ?)?"
    r"(?:\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-]\d\d:?\d\d) )?"
    r"(?:(?:[A-Z][a-z]{2} [ \d]\d [\d:]{8} )?[\w.-]{1,64} [\w./@-]{1,64}\[\d+\]: )?"
    r"(?:[\w.-]{1,64}(?::\d+)? (?=\[[A-Z][a-z]{2} ))?"
)
DATED = re.compile(
    r"\[(?P<time>[^\]]{0,40}\d\d:\d\d:\d\d[^\]]{0,20})\] "
    r"(?:\[(?:(?P<module>[\w-]*):)?(?P<level>emerg|alert|crit|error|warn|notice|info|debug|trace\d)\] )?"
    r"(?:\[pid (?P<process>\d+(?::tid \d+)?)\] )?(?P<rest>.*)",
    re.DOTALL,
)
# The lab's own ErrorLogFormat, and its line of the access log, which ends a request.
LAB = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) (?P<module>\w+):(?P<level>[a-z]+\d?) (?P<rest>.*)", re.DOTALL
)
LAB_ACCESS = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?P<client>\S+) \"(?P<request>.*?)\" (?P<status>\d{3}|-) \d+ bytes (?P<ms>\d+) ms "
)
ACCESS = re.compile(r"\S+ (?:\S+ )?\S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:")
CLIENT = re.compile(r"\[(?:client|remote) (?P<client>[^\]]*)\] ")
SYSTEM_ERROR = re.compile(r"(?P<error>\((?:OS )?-?\d+\)[^\[\]]{0,300}?): ")
FILE_OF_HTTPD = re.compile(r"\w+\.c\(\d+\): ")
CODE = re.compile(r"AH\d{5}: ?")
STDERR_FROM = re.compile(r"stderr from (?P<path>.+?):(?: (?P<text>.*))?", re.DOTALL)
REFERER = re.compile(r", referer: .*", re.DOTALL)
ABSOLUTE = re.compile(r"(?:/|[A-Za-z]:[/\\]).")

EXEC = re.compile(r"(?P<error>\(\d+\)[^:]*): exec of '(?P<path>.*)' failed")
EXEC_247 = re.compile(r"error spawning CGI child: exec of '(?P<path>.*)' failed \((?P<error>.*)\)(?:: .*)?")
ERROR_NUMBERS = {"Operation not permitted": 1, "No such file or directory": 2, "Exec format error": 8}
ERROR_NUMBERS |= {"Permission denied": 13, "Text file busy": 26, "Too many levels of symbolic links": 40}

# The headlines, each with the status of the response. `name` is a file name, `path` a whole path.
HEADLINES = tuple(
    (re.compile(pattern, re.DOTALL), status)
    for pattern, status in (
        (r"End of script output before headers: (?P<name>.*)", 500),
        (r"Premature end of script headers: (?P<name>.*)", 500),
        (r"malformed header from script '(?P<name>.*?)': Bad header: ?.*", 500),
        (r"malformed header from script\. Bad header=(?P<header>.*): (?P<name>.*)", 500),
        (r"Invalid status line from script '(?P<name>.*?)': ?.*", 500),
        (r"Script timed out before returning headers: (?P<name>.*)", 504),
        (r"Response header .* contains invalid characters, aborting request", 500),
        (r"(?:couldn't spawn|don't know how to spawn) child process: (?P<path>.*)", 500),
        (r"Options ExecCGI is off in this directory(?:: (?P<path>.*))?", 403),
        (r"(?:script|file) not found or unable to stat(?:: (?P<path>.*))?", 404),
        (r"attempt to invoke directory as script(?:: (?P<path>.*))?", 403),
        (r"attempt to include NPH CGI script(?:: (?P<path>.*))?", 403),
        (r"AcceptPathInfo off disallows user's path(?:: (?P<path>.*))?", 404),
        (r"file permissions deny server execution(?:: (?P<path>.*))?", 403),
        (r"unable to connect to cgi daemon after multiple tries(?:: (?P<path>.*))?", 503),
        (r"ScriptSock .* does not exist(?:: (?P<path>.*))?", 503),
        (r"ap_content_length_filter: apr_bucket_read\(\) failed", 200),
    )
)
# Failures of any file, which count where the file is a CGI script by its folder or its name.
OF_ANY_FILE = tuple(
    (re.compile(pattern, re.DOTALL), status)
    for pattern, status in (
        (r"access to (?P<url>\S*) denied \(filesystem path '(?P<path>.*)'\).*", 403),
        (r"access to (?P<url>\S*) (?:denied|failed)(?: \(filesystem path '(?P<path>.*)'\).*)?", 403),
        (r"(?P<path>\S*)\.htaccess pcfg_openfile: unable to check htaccess file.*", 403),
        (r"Symbolic link not allowed or link target not accessible: (?P<path>.*)", 403),
        (r"client denied by server configuration: (?P<path>.*)", 403),
        (r"file permissions deny server access: (?P<path>.*)", 403),
        (r"File does not exist: (?P<path>.*/cgi-bin/.*)", 404),
    )
)
OF_CGI = re.compile(r"/cgi(?:-bin|-sys)?/|\.(?:py|cgi|pl)(?:/|$)")
# Said before the headline.
CLUES = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"Timeout waiting for output from CGI script (?P<path>.*)",
        r"couldn't create child process: -?\d+: (?P<name>.*)",
        r"(?P<path>.*) is not executable; ensure interpreted scripts have .*",
        r"couldn't set child process attributes: (?P<name>.*)",
        r"Error reading request entity data.*",
    )
)
# The number of the message that a script's own line is.
OF_STDERR = "AH01215"
# The status where the response had begun.
HAD_BEGUN = 200
# The key of what the lab's log says without naming a script.
NAMELESS = "lab "
# How all of these begin, for a test that is cheaper than all of theirs.
STARTS = (
    *("End of script", "Premature end", "malformed header", "Invalid status", "Script timed", "Response header"),
    *(
        "couldn't s",
        "couldn't c",
        "don't know",
        "Options Exec",
        "script not",
        "file not",
        "attempt to in",
        "AcceptPath",
    ),
    *("file permissions", "unable to connect", "ScriptSock", "ap_content", "access to", "Symbolic link"),
    *("client denied", "File does not", "Timeout waiting", "Error reading"),
)
AFTER_A_PATH = ("pcfg_openfile", "is not executable")
TIMEOUT = "Timeout waiting for output"
# What modules of 2.2 say of a request. All else that 2.2 logs as an error of a client may be a script's.
OTHER_MODULES = re.compile(
    r"File does not exist|client denied|Directory index forbidden|Invalid (?:URI|method)|request failed"
    r"|user .* not found|PHP |script '|ModSecurity|mod_|proxy:|Negotiation|Hostname .* provided|Request exceeded"
    r"|[Cc]lient sent|rewrite"
    r"|Symbolic link|need AuthName|configuration error|no acceptable variant|SSL |(?:re-)?negotiation|password mismatch"
    r"|attempt to make remote|(?:client|server) used wrong|unable to include|Digest: "
)
# What httpd writes before its log is open.
OF_START = re.compile(r"AH\d{5}: |(?:httpd|apache2|apachectl)[:(]|Syntax error on line|\(\d+\)Address already in use")

TRACEBACK = "Traceback (most recent call last):"
CHAINED = ("During handling of the above", "The above exception was")
IN_FILE = re.compile(
    r"\s*File \"(?P<path>[^\"]+)\", line \d+|.*can't open file '(?P<named>[^']+)'|.* at (?P<perl>\S+) line \d+"
)

NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTHS = {name: number for number, name in enumerate(NAMES, 1)}
TIME = re.compile(r"(?P<day>.*?)(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.\d+)?(?P<year> \d{4})?")


class Failure(NamedTuple):
    """A failure that a log tells of.

    Attributes:
        time: when, as the log says it; empty where it does not.
        client: address and, where it is logged, port; empty where it is not known.
        path: the script's, or its file name alone where the log has no more; may be empty.
        evidence: what a diagnosis takes. httpd's messages are in the words of 2.4, without what surrounds them; a
            status of 200 says that the response had begun.
        first: the number of the first line that belongs to it, from 1.
        last: that of the last one.
        of_22: whether httpd is older than 2.4, which made two messages of one.
        nearby: lines of several scripts at once, mixed so that nobody can tell whose they are.
    """

    time: str
    client: str
    path: str
    evidence: Evidence
    first: int
    last: int
    of_22: bool = False
    nearby: tuple[str, ...] = ()


class _Lines:
    """Lines of a script's standard error: the first ones, and, where they are too many, the last ones."""

    def __init__(self) -> None:
        self.head: list[str] = []
        self.tail: list[str] = []
        self.size = 0

    def append(self, text: str) -> None:
        text = text[:STDERR_LINE]
        self.size += len(text) + 50  # what Python itself takes counts for short lines
        if self.size <= STDERR_BYTES // 2:
            self.head.append(text)
            return
        self.tail.append(text)
        while self.size > STDERR_BYTES and len(self.tail) > 1:
            self.size -= len(self.tail.pop(0)) + 50

    def all(self) -> list[str]:
        return self.head + self.tail


class _Group:
    """What is known so far of one run of a script."""

    def __init__(self, number: int, entry: "_Entry") -> None:
        self.client = entry.client
        self.time = entry.time
        self.moment = entry.moment
        self.first = self.last = number
        self.name = ""
        self.path = ""
        self.messages: list[str] = []
        self.stderr = _Lines()
        self.after = _Lines()  # stderr that came after the headline
        self.after_first = self.after_last = number
        self.nearby: tuple[str, ...] = ()
        self.status: int | None = None
        self.ended: float | None = None  # when its headline came
        self.of_lab = entry.of_lab
        self.of_22 = entry.module is None
        self.in_suffix = False  # whether its lines may end with the script's path
        self.url = ""
        self.method = "GET"
        self.seconds: float | None = None

    def is_of(self, name: str, path: str) -> bool:
        """Return whether this may be a run of a script of that name or path; either may be unknown."""
        if path and self.path:
            return path.rstrip("/") == self.path.rstrip("/")
        other = name or _base(path)
        own = self.name or _base(self.path)
        return not other or not own or other == own


class _Entry(NamedTuple):
    """A line of the log, taken apart."""

    time: str
    moment: float
    key: str
    client: str
    module: str | None
    level: str
    error: str
    code: str
    text: str
    of_lab: bool = False


class _Event(NamedTuple):
    """What a line tells of a CGI script: a headline, where it has a status, else a clue, or what the script printed."""

    text: str
    name: str = ""
    path: str = ""
    url: str = ""
    status: int | None = None
    from_script: bool = False
    in_suffix: bool = False


class _Chunk:
    """Lines without a time, as mod_cgid's scripts write them: as far as they seem to be of one script."""

    def __init__(self, number: int) -> None:
        self.lines = _Lines()
        self.first = self.last = number
        self.names: set[str] = set()
        self.path = ""
        self.tracebacks = 0
        self.previous = ""
        self.in_traceback = False
        self.mixed = False
        self.shown = False


def failures(source: BinaryIO | Iterable[bytes]) -> Iterator[Failure]:
    """Read a log, and say what failed in it.

    Args:
        source: a file opened for bytes, or blocks of bytes; read once, from its beginning to its end.

    Yields:
        Each failure when nothing more can belong to it, so about in the order of the log.

    Raises:
        OSError: the source could not be read.
    """
    return Reader().read(source)


class Reader:
    """Reads one log.

    Attributes:
        lines: how many have been read.
        dated: whether any line was of an error log's form.
        accesses: how many lines were of an access log's form.
    """

    def __init__(self) -> None:
        self.lines = 0
        self.dated = False
        self.accesses = 0
        self._groups: OrderedDict[str, _Group] = OrderedDict()
        self._chunks: list[_Chunk] = []
        self._found: list[Failure] = []

    def read(self, source: BinaryIO | Iterable[bytes]) -> Iterator[Failure]:
        """Yield the failures; see `failures`."""
        for number, line in self._candidates(source):
            self._line(number, line)
            yield from self._take()
        yield from self.rest()

    def rest(self) -> Iterator[Failure]:
        """Yield what has not been yielded, as if the log ended here."""
        while self._groups:
            self._finish(next(iter(self._groups)))
        for chunk in self._chunks:
            self._finish_chunk(chunk)
        self._chunks.clear()
        yield from self._take()

    def _take(self) -> Iterator[Failure]:
        # One at a time, since Ctrl-C may come between any two.
        while self._found:
            yield self._found.pop(0)

    def _candidates(self, source: BinaryIO | Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        carry = b""
        cut = False  # whether the line that goes on is longer than what is kept of it
        for block in _blocks(source):
            lines = block.split(b"\n")
            if cut:
                lines[0] = b""
            lines[0] = carry + lines[0]
            carry = lines.pop()
            cut = (cut and not lines) or len(carry) > LINE_BYTES
            carry = carry[:LINE_BYTES]
            yield from self._of_interest(lines)
        if carry:
            self.lines += 1
            yield self.lines, carry

    def _of_interest(self, lines: list[bytes]) -> Iterator[tuple[int, bytes]]:
        """Yield the lines that may tell of CGI, each with its number. Nearly all of the time is spent here."""
        number = self.lines
        self.lines += len(lines)
        self.dated = self.dated or any(b"] [" in line[:60] for line in lines[:10])
        whole = b"\n".join(lines)
        of_22 = OF_22 in whole
        # A search through a whole block costs a fraction of one in each line.
        words = [word for word in WORDS if word in whole]
        if not of_22 and whole[:1] == b"[" and whole.count(b"\n[") == len(lines) - 1:
            yield from _lines_with(words, whole, number)
            return
        for line in lines:
            number += 1
            client = line.find(OF_22) if of_22 else -1
            if client >= 0:
                wanted = not line.startswith(COMMON, line.find(b"] ", client + len(OF_22)) + 2)
            else:
                wanted = bool(line) and line[:1] != b"[" and b"] [" not in line
            if wanted or any([word in line for word in words]):  # noqa: C419 - a list is built faster than a generator
                yield number, line

    # --- A line --------------------------------------------------------------------------------------

    def _line(self, number: int, line: bytes) -> None:
        text = line[:LINE_BYTES].decode("latin-1").rstrip("\r")
        if "\x1b" in text:
            text = COLOUR.sub("", text)
        prefix = PREFIX.match(text)
        text = text[prefix.end() :] if prefix else text
        if match := DATED.match(text):
            self.dated = True
            self._said(number, _classic(match))
        elif match := LAB.match(text):
            self.dated = True
            self._said(number, _of_lab(match))
        elif match := LAB_ACCESS.match(text):
            self._answered(match)
        elif ACCESS.match(text):
            self.accesses += 1
        elif not OF_START.match(text):
            self._raw(number, text.encode("latin-1").decode("utf-8", errors="backslashreplace"))

    def _said(self, number: int, entry: _Entry) -> None:
        self._sweep(number, entry.moment)
        event = _event(entry)
        if event is None:
            return
        if event.status is not None:
            self._end(number, entry, event)
        elif event.from_script:
            self._printed(number, entry, event)
        else:
            self._clue(number, entry, event)

    # --- What belongs together -----------------------------------------------------------------------

    def _group(self, number: int, entry: _Entry, name: str, path: str) -> _Group:
        """Return the open group to which an entry belongs; begin one where there is none."""
        key = entry.key or f"exec {name or _base(path)}"
        group = self._groups.get(key)
        if group is not None and (
            group.ended is not None or not group.is_of(name, path) or entry.moment - group.moment > OPEN_SECONDS
        ):
            self._finish(key)
            group = None
        if group is None:
            group = self._groups[key] = _Group(number, entry)
            if len(self._groups) > GROUPS:
                self._finish(next(iter(self._groups)))
        self._groups.move_to_end(key)
        group.name = group.name or name or _base(path)
        group.path = group.path or path
        group.moment = max(group.moment, entry.moment)
        group.last = number
        return group

    def _clue(self, number: int, entry: _Entry, event: _Event) -> None:
        if entry.key == NAMELESS and (event.name or event.path):
            # The headline of the same script, which names it too, is to be found with it.
            entry = entry._replace(key=NAMELESS + (event.name or _base(event.path)))
        group = self._group(number, entry, event.name, event.path)
        if len(group.messages) < NEAR_LINES:
            group.messages.append(event.text)

    def _printed(self, number: int, entry: _Entry, event: _Event) -> None:
        ended = self._groups.get(entry.key)
        if (
            ended is not None
            and ended.ended is not None
            and ended.is_of("", event.path)
            and entry.moment - ended.ended <= AFTER_SECONDS
        ):
            # Of the run that has just ended, or of the next one: its headline, if one comes, tells.
            if not ended.after.size:
                ended.after_first = number
            ended.after.append(event.text)
            ended.after_last = number
            ended.path = ended.path or event.path
            ended.in_suffix = ended.in_suffix or event.in_suffix
            return
        group = self._group(number, entry, "", event.path)
        group.stderr.append(event.text)
        group.in_suffix = group.in_suffix or event.in_suffix

    def _end(self, number: int, entry: _Entry, event: _Event) -> None:
        name, path = event.name, event.path
        if entry.key == NAMELESS:
            entry = entry._replace(key=NAMELESS + (name or _base(path)))
        before = self._groups.get(entry.key)
        if event.status == HAD_BEGUN and not (before and before.messages and before.ended is None):
            return  # a client that went away, or a file
        after, first, in_suffix = None, number, False
        if before is not None and before.ended is not None and before.stderr.size and before.after.size:
            # The run before had its own lines already, so these are of this one.
            after, first, in_suffix = before.after, before.after_first, before.in_suffix
            before.after = _Lines()
        group = self._group(number, entry, name, path)
        if after is not None:
            group.stderr, group.first, group.in_suffix = after, first, in_suffix
        group.name = name or group.name
        group.url = event.url
        self._join_exec(group, entry)
        if not group.stderr.size:
            self._join_chunks(number, group)
        group.time = entry.time
        group.of_22 = entry.module is None and not entry.code
        group.client = group.client or entry.client
        group.messages.append(event.text)
        group.status = event.status
        group.ended = entry.moment

    def _join_exec(self, group: _Group, entry: _Entry) -> None:
        """Take what mod_cgid's daemon said, which knows no client, of the script that was to be started."""
        key = f"exec {group.name}"
        other = self._groups.get(key)
        if other is None or other is group:
            return
        del self._groups[key]
        if entry.moment - other.moment <= OPEN_SECONDS:
            group.messages = other.messages + group.messages
            group.path = group.path or other.path
            group.first = min(group.first, other.first)

    def _join_chunks(self, number: int, group: _Group) -> None:
        """Take the lines without time that are this script's."""
        near = [chunk for chunk in self._chunks if number - chunk.last <= NEAR_LINES]
        sound = [chunk for chunk in near if not chunk.mixed]
        taken = [chunk for chunk in sound if group.name and group.name in chunk.names][:1]
        if not taken:
            taken = [chunk for chunk in sound if not chunk.names]
        if not taken and len(near) == 1 and sound and not group.name.endswith(".py"):
            taken = sound  # a program that starts another one
        for chunk in taken:
            self._chunks.remove(chunk)
            for text in chunk.lines.all():
                group.stderr.append(text)
            group.first = min(group.first, chunk.first)
            if not group.path and _base(chunk.path) == group.name:
                group.path = chunk.path
        if not taken:
            mixed = [chunk for chunk in near if chunk.mixed]
            for chunk in mixed:
                chunk.shown = True
            group.nearby = tuple(text for chunk in mixed for text in chunk.lines.all())

    def _raw(self, number: int, text: str) -> None:
        if match := EXEC.match(text):
            name = _base(match["path"])
            entry = _Entry("", 0.0, f"exec {name}", "", None, "", "", "", text)
            self._clue(number, entry, _Event(match[0], path=match["path"]))
            return
        self._drop_old_chunks(number)
        if not text.strip():
            return
        chunk = self._chunks[-1] if self._chunks else None
        begins = text.startswith(TRACEBACK)
        if chunk is not None:
            chained = begins and chunk.previous.startswith(CHAINED)
            if begins and chunk.in_traceback and not chained:
                chunk.mixed = True  # the one before has not come to its end
            elif (number - chunk.last > BESIDE_LINES and not chunk.in_traceback) or (
                begins and not chained and chunk.tracebacks
            ):
                chunk = None
        if chunk is None:
            chunk = _Chunk(number)
            self._chunks.append(chunk)
        chunk.lines.append(text)
        chunk.last = number
        chunk.tracebacks += begins
        # It ends with the line of the exception, which is not indented.
        chunk.in_traceback = begins or (chunk.in_traceback and text[0] == " ")
        chunk.previous = text
        if not chunk.path and ("line " in text or "open file" in text) and (match := IN_FILE.match(text)):
            chunk.path = match["path"] or match["named"] or match["perl"]
            chunk.names.add(_base(chunk.path))

    def _answered(self, match: re.Match[str]) -> None:
        """Take the lab's line of the access log, which comes last of a request."""
        method, _, rest = match["request"].partition(" ")
        url = unescape(rest.partition(" ")[0].partition("?")[0])
        parts = url.split("/")
        keys = [key for key, group in self._groups.items() if group.of_lab and group.name and group.name in parts]
        nameless = self._groups.get(NAMELESS)
        if nameless is not None and nameless.ended is not None:
            # httpd's message named no script: this request's, with what its script printed.
            printed = self._groups.pop(keys[0]) if keys and self._groups[keys[0]].ended is None else None
            if printed is not None:
                nameless.stderr, nameless.path, nameless.first = printed.stderr, printed.path, printed.first
            keys = [NAMELESS]
        for key in keys[:1]:
            group = self._groups[key]
            if match["status"] != "-":
                group.status = int(match["status"])
            group.url, group.method, group.client = url, method, match["client"]
            group.name = group.name or _base(url)
            group.seconds = int(match["ms"]) / 1000
            self._finish(key)

    # --- The end of a group --------------------------------------------------------------------------

    def _sweep(self, number: int, moment: float) -> None:
        """Finish what nothing more can belong to."""
        old = []
        for key, group in self._groups.items():
            limit = OPEN_SECONDS if group.ended is None else AFTER_SECONDS
            if moment - group.moment <= limit and not (
                group.of_lab and group.ended and number - group.last > NEAR_LINES
            ):
                break
            if group.moment:
                old.append(key)
        for key in old:
            self._finish(key)
        self._drop_old_chunks(number)

    def _drop_old_chunks(self, number: int) -> None:
        while self._chunks and (number - self._chunks[0].last > NEAR_LINES or len(self._chunks) > CHUNKS):
            self._finish_chunk(self._chunks.pop(0))

    def _finish_chunk(self, chunk: _Chunk) -> None:
        if chunk.tracebacks and not chunk.shown:
            evidence = Evidence(path=chunk.path, status=200, stderr=tuple(chunk.lines.all()))
            self._found.append(Failure("", "", chunk.path, evidence, chunk.first, chunk.last))

    def _finish(self, key: str) -> None:
        group = self._groups.pop(key)
        stderr = group.stderr.all() + group.after.all()
        path = group.path
        if group.in_suffix:
            stderr, suffix = _without_suffix(stderr, group.name)
            path = path or suffix
        if group.ended is None and not group.messages and not any(line.startswith(TRACEBACK) for line in stderr):
            return  # a script that printed something, and went on
        if group.status is None:
            # Without a headline the headers were in order, but where it could not even be started.
            said_no_more = any(TIMEOUT in message for message in group.messages) or not group.messages
            group.status = 200 if said_no_more else 500
        if not path:
            paths = (match["path"] for match in map(IN_FILE.match, stderr) if match)
            path = next((one for one in paths if one and _base(one) == group.name), group.name)
        evidence = Evidence(
            path=path,
            status=group.status,
            messages=tuple(group.messages),
            stderr=tuple(stderr),
            method=group.method,
            url=group.url,
            seconds=group.seconds,
        )
        last = max(group.last, group.after_last if group.after.size else 0)
        self._found.append(
            Failure(group.time, group.client, path, evidence, group.first, last, group.of_22, group.nearby)
        )


def _blocks(source: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    read = getattr(source, "read1", None) or getattr(source, "read", None)
    if read is None:
        yield from source
        return
    while block := read(BLOCK_BYTES):
        yield block


def _lines_with(words: list[bytes], block: bytes, before: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a block that have one of the words, each with its number, after so many lines before."""
    starts: set[int] = set()
    for word in words:
        position = block.find(word)
        while position >= 0:
            starts.add(block.rfind(b"\n", 0, position) + 1)
            end = block.find(b"\n", position)
            position = block.find(word, end) if end >= 0 else -1
    previous, number = 0, before + 1
    for start in sorted(starts):
        number += block.count(b"\n", previous, start)
        previous = start
        end = block.find(b"\n", start)
        yield number, block[start:] if end < 0 else block[start:end]


def _classic(match: re.Match[str]) -> _Entry:
    rest, client, error = match["rest"], "", ""
    # The client stands before or after the system's error, by version.
    for pattern in (FILE_OF_HTTPD, SYSTEM_ERROR, CLIENT, SYSTEM_ERROR):
        found = pattern.match(rest)
        if found and not (pattern is SYSTEM_ERROR and error):
            rest = rest[found.end() :]
            client = client or found.groupdict().get("client") or ""
            error = error or found.groupdict().get("error") or ""
    code, text = _code(rest)
    process = match["process"] or ""
    return _Entry(
        time=match["time"],
        moment=_moment(match["time"]),
        key=f"{process} {client}" if client else "",
        client=client,
        module=match["module"],
        level=match["level"] or "",
        error=unescape(error).strip(),
        code=code,
        text=text,
    )


def _of_lab(match: re.Match[str]) -> _Entry:
    rest, error = match["rest"], ""
    if found := SYSTEM_ERROR.match(rest):
        rest, error = rest[found.end() :], found["error"]
    code, text = _code(rest)
    named = STDERR_FROM.fullmatch(text)
    return _Entry(
        time=match["time"],
        moment=_moment(match["time"]),
        key=NAMELESS + (_base(named["path"]) if named else ""),
        client="",
        module=match["module"],
        level=match["level"],
        error=unescape(error).strip(),
        code=code,
        text=text,
        of_lab=True,
    )


def _code(rest: str) -> tuple[str, str]:
    """Take the number off a message, and the referer, and undo httpd's escapes."""
    text = REFERER.sub("", rest)
    found = CODE.match(text)
    code = found[0][:7] if found else ""
    return code, unescape(text[found.end() :] if found else text)


def _event(entry: _Entry) -> _Event | None:
    """Return what an entry tells; None where that is nothing of CGI."""
    text, path = entry.text, ""
    if match := STDERR_FROM.fullmatch(text):
        path, text = match["path"], match["text"] or ""
    if exec_failed := _exec_failed(entry.error, text):
        return _Event(exec_failed[0], path=exec_failed[1])
    if entry.code == OF_STDERR:
        # A script may print what reads like a headline, so none is looked for.
        return _Event(text, path=path, from_script=True, in_suffix=not path)
    of_server = _of_server(entry, text, path)
    if of_server is not None:
        return of_server
    of_22 = entry.module is None and entry.level == "error" and entry.client and not OTHER_MODULES.match(text)
    if not entry.code and (of_22 or entry.module in {"cgi", "cgid"}):
        return _Event(": ".join(part for part in (entry.error, text) if part), from_script=True)
    return None


def _of_server(entry: _Entry, text: str, path: str) -> _Event | None:
    """Return what httpd itself says of a script."""
    if not text.startswith(STARTS) and not any(words in text for words in AFTER_A_PATH):
        return None
    message = ": ".join(part for part in (entry.error, entry.code, text) if part)
    for pattern, status in HEADLINES:
        if match := pattern.fullmatch(text):
            fields = match.groupdict()
            if fields.get("header") is not None:
                message = f"malformed header from script '{fields['name']}': Bad header: {fields['header']}"
            return _Event(message, fields.get("name") or "", fields.get("path") or path, status=status)
    for pattern in CLUES:
        if match := pattern.fullmatch(text):
            fields = match.groupdict()
            return _Event(message, fields.get("name") or "", fields.get("path") or path)
    for pattern, status in OF_ANY_FILE:
        if match := pattern.fullmatch(text):
            fields = match.groupdict()
            url, file = fields.get("url") or "", fields.get("path") or ""
            if OF_CGI.search(file) or OF_CGI.search(url):
                return _Event(message, path=file or url, url=url, status=status)
            return None
    return None


def _exec_failed(error: str, text: str) -> tuple[str, str] | None:
    """Return the message and the path of a script that could not be started, in the words that 2.2 and 2.4 share."""
    whole = f"{error}: {text}" if error else text
    if match := EXEC.match(whole):
        return match[0], match["path"]
    if match := EXEC_247.fullmatch(text):
        number = ERROR_NUMBERS.get(match["error"])
        reason = f"({number}){match['error']}" if number else match["error"]
        return f"{reason}: exec of '{match['path']}' failed", match["path"]
    return None


def _without_suffix(lines: list[str], name: str) -> tuple[list[str], str]:
    """Take the script's path off the end of lines, where httpd has put it at the end of each."""
    tails = {line.rpartition(": ")[2] for line in lines}
    tail = next(iter(tails)) if len(tails) == 1 else ""
    if (
        not ABSOLUTE.match(tail)
        or (name and _base(tail) != name)
        or not all(line.endswith(f": {tail}") for line in lines)
    ):
        return lines, ""
    return [line.removesuffix(f": {tail}") for line in lines], tail


def _base(path: str) -> str:
    return path.rstrip("/").replace("\\", "/").rpartition("/")[2]


def _moment(text: str) -> float:
    """Return a time in seconds, from any fixed moment on; 0 where it cannot be read."""
    match = TIME.match(text)
    if not match:
        return 0.0
    seconds = int(match["hour"]) * 3600 + int(match["minute"]) * 60 + int(match["second"])
    return _day(match["day"].strip(), (match["year"] or "").strip()) * 86400.0 + seconds


@lru_cache(maxsize=64)
def _day(day: str, year: str) -> int:
    numbers = [int(number) for number in re.findall(r"\d{1,4}", day)][:3]
    month = next((MONTHS[word] for word in re.findall(r"[A-Z][a-z]{2}", day) if word in MONTHS), 0)
    try:
        if month and numbers:
            return date(int(year) if year else 1, month, numbers[0]).toordinal()
        return date(*numbers).toordinal() if len(numbers) == 3 else 1  # noqa: PLR2004 - year, month and day
    except (ValueError, TypeError):
        return 1


__all__ = ["Failure", "Reader", "failures"]
