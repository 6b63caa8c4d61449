"""From what is known of a failure to the evidence that `cgilab.diagnosis` judges.

Both the page behind a failure, while it happens, and the pages that show an exchange, later, make theirs here, so both
say the same. The former starts with each failure, so little is imported here.
"""

import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cgilab.diagnosis.model import Diagnosis, Ended, Evidence
from cgilab.diagnosis.observed import ENV
from cgilab.diagnosis.reaching import SCRIPT_ENDINGS
from cgilab.diagnosis.script import read

if TYPE_CHECKING:
    from cgilab.exchanges.exchange import Exchange

SERVICES = "/srv/cgi-bin"
URL_OF_SERVICES = "/cgi-bin/"

# What httpd says of a script before anything has started, or instead: it stands behind `stderr from F` all the same.
EXEC_FAILED = re.compile(r"\(\d+\)[^:]*: exec of '.*' failed", re.DOTALL)
FROM_SCRIPT = re.compile(r"(?P<code>AH0\d+): stderr from (?P<path>.*?): (?P<text>.*)", re.DOTALL)
STDERR = "AH01215"

FAILED = 400

# Characters of a message that are judged; longer ones say nothing more.
TEXT_LENGTH = 2000
DIED_OF = "signal "
EXITED = "exit code "
RUNNING = "still running"
WAITING = "waiting in "
OUT_OF_MEMORY = "out of memory"
PROCESSOR = " s of processor time"

# Less processor time than this says nothing about why a script failed.
CPU_SECONDS = 0.5


def judge(evidence: Evidence, *, quiet: bool = False) -> Diagnosis | None:
    """Return the diagnosis; None where there is none, also where the rules themselves fail.

    Args:
        evidence: what is known.
        quiet: whether to say nothing on standard error when they fail.
    """
    try:
        from cgilab.diagnosis import diagnose  # noqa: PLC0415 - what is wrong with a rule stays there

        return diagnose(evidence)
    except Exception as error:  # whatever it is, the evidence is shown
        if not quiet:
            sys.stderr.write(f"the diagnosis failed: {error!r}\n")
        return None


def split(texts: Sequence[str], path: str) -> tuple[list[str], list[str]]:
    """Sort what was logged: what httpd said, and what a script wrote to its standard error.

    Args:
        texts: the messages, without time and level, unescaped.
        path: of the script. What another one of the same request wrote is left out.
    """
    messages: list[str] = []
    stderr: list[str] = []
    texts = [text[:TEXT_LENGTH] for text in _joined(texts, path)]
    own = f"{STDERR}: stderr from {path}: "
    for text in texts:
        if text.startswith(own):
            line = text[len(own) :]
            (messages if EXEC_FAILED.fullmatch(line) else stderr).append(line)
            continue
        match = FROM_SCRIPT.fullmatch(text)
        if match is None:
            messages.append(text)
        elif match["code"] != STDERR:
            messages.append(f"{match['code']}: {match['text']}")
    return messages, stderr


def _joined(texts: Sequence[str], path: str) -> list[str]:
    """Put together what ``env`` says, which it writes piece by piece, so that httpd may log each as a line."""
    own = f"{STDERR}: stderr from {path}: "
    starts = [number for number, text in enumerate(texts) if text.rstrip() == f"{own}env:"]
    if not starts:
        return list(texts)
    start = starts[0]
    end = start
    while end < len(texts) and texts[end].startswith(own.rstrip()) and "No such file" not in texts[end]:
        end += 1
    pieces = [text[len(own) :] for text in texts[start : end + 1]]
    said = f"{own}env: {''.join(pieces[1:]).lstrip()}"
    return [*texts[:start], said, *texts[end + 1 :]] if ENV.search(said[:TEXT_LENGTH]) else list(texts)


def path_of(url: str, folder: str = SERVICES) -> str:
    """Return the path that httpd looks for when it is asked for a URL: as far as it leads through folders.

    Args:
        url: the path of the request, decoded.
        folder: of the services.
    """
    if not url.startswith(URL_OF_SERVICES):
        return ""
    path = folder
    for name in url[len(URL_OF_SERVICES) :].split("/"):
        if name:
            path = f"{path}/{name}"
            if not os.path.isdir(path):
                break
    return path


def words_of(ended: Ended) -> list[str]:
    """Return how a script ended, in words that `ended_of` reads back."""
    words = []
    if ended.code is not None:
        words.append(f"{EXITED}{ended.code}")
    if ended.signal is not None:
        words.append(f"{DIED_OF}{ended.signal}")
    if ended.running:
        words.append(RUNNING)
    if ended.waiting_in:
        words.append(f"{WAITING}{ended.waiting_in}")
    if ended.out_of_memory:
        words.append(OUT_OF_MEMORY)
    if ended.cpu_seconds >= CPU_SECONDS:
        words.append(f"{ended.cpu_seconds:.1f}{PROCESSOR}")
    return words


def ended_of(words: str) -> Ended | None:
    """Return how a script ended, from words separated by ``; ``; None where they do not tell."""
    ended = Ended()
    for word in words.split("; "):
        if word.startswith(EXITED) and word[len(EXITED) :].isdecimal():
            ended = ended._replace(code=int(word[len(EXITED) :]))
        elif word.startswith(DIED_OF) and word[len(DIED_OF) :].isdecimal():
            ended = ended._replace(signal=int(word[len(DIED_OF) :]))
        elif word == RUNNING:
            ended = ended._replace(running=True)
        elif word.startswith(WAITING):
            ended = ended._replace(waiting_in=word[len(WAITING) :])
        elif word == OUT_OF_MEMORY:
            ended = ended._replace(out_of_memory=True)
        elif word.endswith(PROCESSOR):
            ended = ended._replace(cpu_seconds=float(word[: -len(PROCESSOR)]))
    return ended if ended.code is not None or ended.signal is not None or ended.running else None


def evidence_of(one: "Exchange") -> Evidence:
    """Return what is known of a recorded exchange; the script's file only where it has not been changed since."""
    from urllib.parse import unquote  # noqa: PLC0415 - not for the page behind a failure

    url = unquote(one.path, errors="backslashreplace")
    path = one.script or path_of(url)
    messages, stderr = split([message.text for message in one.messages], path)
    script = read(path) if path else None
    if script and script.modified > (one.started + one.end) / 1e6:
        # It has been saved since: what is in it now says nothing about this exchange.
        script = script._replace(kind="changed", content=b"")
    return Evidence(
        path=path,
        script=script,
        status=one.status,
        messages=messages,
        stderr=stderr,
        # As the page had it: the headers of a script that failed before the last of them are no headers of a response.
        printed=None
        if one.explained or not one.script or one.nph or one.incomplete
        else [(header.name, header.value) for header in one.printed],
        sent=[(header.name, header.value) for header in one.sent],
        body_sent=None if one.explained else one.body_sent,
        ended=ended_of(one.explained.ended) if one.explained else None,
        seconds=one.end / 1e6,
        method=one.method,
        url=url,
        body_length=one.body_length,
        server_uid=os.getuid() if hasattr(os, "getuid") else None,
    )


def may_have_failed(one: "Exchange") -> bool:
    """Return whether an exchange is worth a diagnosis: something in it is wrong, or may be."""
    if not one.script:
        return one.status >= FAILED or one.path.lower().endswith(SCRIPT_ENDINGS)
    if one.status >= FAILED or any(message.level in {"error", "crit", "alert", "emerg"} for message in one.messages):
        return True
    if one.nph or one.incomplete:
        return one.nph  # what it printed is not known; of the former, the source tells how it begins
    names = {header.name.lower() for header in one.printed}
    return not names & {"content-type", "location"} or "content-length" in names
