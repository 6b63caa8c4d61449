"""The page behind a failure, /lab/failure: httpd asks for it when a script or PHP could not answer (ErrorDocument).

It is a CGI program of its own, started while the failed script is still a zombie of the same httpd process. What is
here looks how the script ended, and says why it failed, in the form that the client prefers. A child of the recorder
does that for the page (`cgilab.web.answering`); where there is none, the page does it itself. Whatever goes wrong here,
docker/web/failure then sends httpd's own words.
"""

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence

from cgilab.diagnosis.forkserver import LOST
from cgilab.diagnosis.model import Diagnosis, Ended, Evidence
from cgilab.diagnosis.script import read
from cgilab.exchanges.escapes import OF_FORKSERVER, OF_PHP, path_of_script, unescape
from cgilab.exchanges.logged import ENDED, EXPLAINED, FROM_FORKSERVER
from cgilab.failures.evidence import ended_of, judge, path_of, split, words_of
from cgilab.failures.explanation import HTML, PLAIN, PROBLEM, Failure, as_html, as_problem, as_text, visible

REASONS = {
    "403": "Forbidden",
    "404": "Not Found",
    "500": "Internal Server Error",
    "502": "Bad Gateway",
    "503": "Service Unavailable",
    "504": "Gateway Timeout",
}

# What httpd says where a forked script has ended too early; and the forkserver, where there is none that could.
EARLY = "End of script output before headers"
NOT_FORKED = "couldn't create child process"

# What mod_proxy_scgi calls a 500, as all that fails behind it, and what it is.
STATUS_OF = {"forkserver-ended": "503"}

# Nothing is loaded but the style sheet, and no script runs, whatever should ever be taken for HTML.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# By how much is preferred where the client does not care: programs read text, and only browsers ask for HTML by name.
OFFERED = {PLAIN: PLAIN, HTML: HTML, PROBLEM: PROBLEM, "application/json": PROBLEM}

SENTENCE_LENGTH = 1000
SECONDS = 2.0

# How often the kernel has ended a process because memory was used up: cgroup version 2, version 1.
OUT_OF_MEMORY = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
REMEMBERED = "/run/lab/out-of-memory"
SIGKILL = 9
# Seconds in which scripts that the kernel ended together fail one after the other.
TOGETHER = 2.0


def main(logged: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Answer, where the recorder has not made the answer.

    Args:
        logged: as `respond` takes it.
        environment: of this program.
    """
    words, response = respond(environment, logged, os.getpid(), seconds=SECONDS)
    sys.stderr.write(words)
    sys.stderr.flush()
    sys.stdout.buffer.write(response)
    sys.stdout.buffer.flush()


def respond(
    environment: Mapping[str, str], logged: Sequence[str], page: int, *, seconds: float | None = None
) -> tuple[str, bytes]:
    """Make the answer.

    Args:
        environment: of the page's process.
        logged: what `cgilab.exchanges.logged.lines_of` returns.
        page: the number of its process.
        seconds: after which to give up the diagnosis, and to show the evidence alone; None for no limit.

    Returns:
        What it has to write on its standard error, and the response.
    """
    status = environment.get("REDIRECT_STATUS", "")
    if status not in REASONS:
        text = "This page is shown where a script has failed; nobody has to ask for it.\n"
        return "", _response("404", PLAIN, text)
    identifier = environment.get("UNIQUE_ID", "")
    evidence = evidence_from(environment, logged, page)
    diagnosis = judge(evidence) if seconds is None else _judge_within(seconds, evidence)
    status = STATUS_OF.get(diagnosis.cause, status) if diagnosis else status
    host = environment.get("HTTP_HOST", "")
    failure = Failure(status, REASONS[status], identifier, evidence, diagnosis, bool(logged), host)
    form = preferred(environment.get("HTTP_ACCEPT", ""))
    if form == HTML:
        response = _response(status, f"{HTML}; charset=utf-8", as_html(failure))
    elif form == PROBLEM:
        import json  # noqa: PLC0415 - only where it is asked for

        response = _response(status, PROBLEM, f"{json.dumps(as_problem(failure), indent=2)}\n")
    else:
        response = _response(status, f"{PLAIN}; charset=utf-8", as_text(failure))
    return f"{_line(failure)}\n", response


def _judge_within(seconds: float, evidence: Evidence) -> Diagnosis | None:
    """Return the diagnosis; None also where it takes longer, as with a script that was made to be slow to judge."""
    import signal  # noqa: PLC0415 - only where the recorder has not made the answer

    def give_up(_number: int, _frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return judge(evidence)
    except TimeoutError:
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def evidence_from(environment: Mapping[str, str], logged: Sequence[str], page: int) -> Evidence:
    """Return what is known of the failure.

    Args:
        environment: of the page; what starts with ``REDIRECT_`` tells of the request that failed.
        logged: what `cgilab.exchanges.logged.lines_of` returns.
        page: the number of its process.
    """
    first, *messages = list(logged) or [""]
    url = _text(environment.get("REDIRECT_URL", ""))
    started = environment.get("REDIRECT_SCRIPT_FILENAME", "")
    path = os.fsdecode(path_of_script(os.fsencode(started).decode("latin-1")).encode("latin-1"))
    path = path or path_of(environment.get("REDIRECT_URL", ""))
    # Date, time and level stand before the text.
    split_messages = [parts for parts in (message.split(" ", 3) for message in messages) if parts[3:]]
    texts = [unescape(parts[3]) for parts in split_messages if parts[2] != FROM_FORKSERVER.rstrip()]
    told = [unescape(parts[3]) for parts in split_messages if parts[2] == FROM_FORKSERVER.rstrip()]
    notes = environment.get("REDIRECT_ERROR_NOTES")
    ended = _ended(started, told, page)
    if (
        started.startswith(OF_FORKSERVER)
        and not ended
        and any(EARLY in text for text in texts)
        and not any(NOT_FORKED in text for text in texts)
    ):
        texts.append(LOST)
    said, stderr = split(texts or ([_text(notes)] if notes else []), _text(path))
    length = environment.get("REDIRECT_CONTENT_LENGTH", environment.get("CONTENT_LENGTH", ""))
    return Evidence(
        path=_text(path),
        script=read(path) if path else None,
        status=int(environment["REDIRECT_STATUS"]),
        messages=said,
        stderr=stderr,
        ended=ended,
        seconds=_seconds(first, messages[-1]) if messages else None,
        method=environment.get("REDIRECT_REQUEST_METHOD", "GET"),
        url=url,
        body_length=int(length.lstrip("0")[:18] or "0") if length.isdecimal() else None,
        server_uid=os.getuid(),
    )


def _ended(started: str, told: Sequence[str], page: int) -> Ended | None:
    """Return how the failed script ended.

    Args:
        started: SCRIPT_FILENAME of the request that failed.
        told: what the forkserver has logged about it.
        page: the number of the page's process.
    """
    if not started or started.startswith(OF_PHP):
        return None
    if not started.startswith(OF_FORKSERVER):
        return how_it_ended(page)
    ended = next((ended_of(line.removeprefix(ENDED)) for line in told if line.startswith(ENDED)), None)
    if ended and ended.signal == SIGKILL:
        return ended._replace(out_of_memory=is_out_of_memory())
    return ended


def preferred(accept: str) -> str:
    """Return the media type of the answer that a client prefers (RFC 9110, section 12.5.1).

    Args:
        accept: the header Accept; empty where there is none.
    """
    ranges = [_range(place, one) for place, one in enumerate(accept.split(","))]
    best, found = (0.0, 0, 0), PLAIN
    for offered, form in OFFERED.items():
        main_type = offered.partition("/")[0]
        for name in (offered, f"{main_type}/*", "*/*"):
            matching = [rank for named, rank in ranges if named == name]
            if matching:  # the most specific range counts, also where it forbids
                quality, place = matching[0]
                rank = (quality, name.count("/") + 2 - name.count("*"), -place)
                if quality > 0 and rank > best:
                    best, found = rank, form
                break
    return found


def _range(place: int, one: str) -> tuple[str, tuple[float, int]]:
    name, *parameters = (part.strip().lower() for part in one.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = min(max(float(parameter[2:]), 0.0), 1.0)
            except ValueError:
                quality = 0.0
    return name, (quality, place)


def how_it_ended(page: int) -> Ended | None:
    """Return how the youngest other child of the httpd process that started a page has ended: the failed script.

    Args:
        page: the number of the page's process.
    """
    own = _stat(str(page))
    youngest: tuple[int, str, list[str]] | None = None
    for name in os.listdir("/proc"):
        if not name.isdecimal() or int(name) == page:
            continue
        fields = _stat(name)
        if own and fields and fields[1] == own[1] and (youngest is None or int(fields[19]) >= youngest[0]):
            youngest = int(fields[19]), name, fields
    if youngest is None:
        return None
    _, name, fields = youngest
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    if fields[0] not in {"Z", "X"}:
        return Ended(running=True, cpu_seconds=seconds, waiting_in=_content(f"/proc/{name}/wchan").strip("0\n"))
    code = os.waitstatus_to_exitcode(int(fields[49]))
    if code >= 0:
        return Ended(code=code, cpu_seconds=seconds)
    return Ended(signal=-code, cpu_seconds=seconds, out_of_memory=-code == SIGKILL and is_out_of_memory())


def is_out_of_memory(counters: Iterable[str] = OUT_OF_MEMORY, remembered: str = REMEMBERED) -> bool:
    """Return whether the kernel has ended a process of the lab, for want of memory, since this was last asked."""
    words = " ".join(map(_content, counters)).split()
    counts = [int(words[place + 1]) for place, word in enumerate(words[:-1]) if word == "oom_kill"]
    before = _content(remembered)
    if not counts or counts[0] == 0:
        return False
    if counts[0] == (int(before) if before.isdecimal() else 0):
        try:
            return time.time() - os.stat(remembered).st_mtime < TOGETHER
        except OSError:
            return False
    try:
        with open(remembered, "w", encoding="ascii") as file:
            file.write(str(counts[0]))
    except OSError:
        pass  # /run/lab is full
    return True


def _stat(process: str) -> list[str]:
    """Return the fields of a process from the third on (proc_pid_stat(5)); none where it has gone."""
    # The second field, the program's name in brackets, can hold anything.
    return _content(f"/proc/{process}/stat").rpartition(")")[2].split()


def _content(path: str) -> str:
    try:
        with open(path, encoding="latin-1") as file:
            return file.read(4096)
    except OSError:
        return ""


def _seconds(first: str, last: str) -> float | None:
    """Return what lies between two times of the log, ``DATE hh:mm:ss.ssssss``."""
    times = []
    for line in (first, last):
        try:
            hours, minutes, seconds = line.split(" ")[1].split(":")
            times.append(int(hours) * 3600 + int(minutes) * 60 + float(seconds))
        except (ValueError, IndexError):
            return None
    return (times[1] - times[0]) % 86400


def _text(value: str) -> str:
    r"""Return a value of the environment as text; bytes that are no UTF-8 are shown as ``\xhh``, as in the log."""
    return os.fsencode(value).decode(errors="backslashreplace")


def _line(failure: Failure) -> str:
    """Return the line that the recorder keeps; `cgilab.exchanges.httpd_log` reads it."""
    cause = failure.diagnosis.cause if failure.diagnosis else "unknown"
    words = [cause, *(words_of(failure.evidence.ended) if failure.evidence.ended else [])]
    return f"{EXPLAINED}{visible(failure.sentence)[:SENTENCE_LENGTH]} [{'; '.join(words)}]"


def _response(status: str, media_type: str, content: str) -> bytes:
    return (
        f"Status: {status} {REASONS[status]}\nContent-Type: {media_type}\nVary: Accept\nCache-Control: no-store\n"
        f"X-Content-Type-Options: nosniff\nReferrer-Policy: no-referrer\n"
        f"Content-Security-Policy: {CONTENT_SECURITY_POLICY}\n\n{content}"
    ).encode(errors="backslashreplace")
