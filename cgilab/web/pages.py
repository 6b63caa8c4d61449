"""The lab's own pages, which are CGI programs as well. httpd lets only this machine's own names call them.

- ``GET /lab/`` is the page that shows them in a browser.
- ``GET /lab/troubleshooting`` is the manual of failures; the page behind a failure leads to its sections.
- ``GET /lab/exchanges`` lists the recorded exchanges, oldest first; ``?after=ID`` those that came after one. It also
  says which address and port the question came from, by which a program can find what it sends next.
- ``GET /lab/exchanges/ID`` is one of them, whole.
- ``GET /lab/exchanges/ID/apart`` is what its interpreter's start and its imports take, measured when it is asked for.

The last three are JSON; docs/exchanges.md describes it.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cgilab.diagnosis.model import Diagnosis, Finding
from cgilab.exchanges import store
from cgilab.exchanges.exchange import Exchange, Spender
from cgilab.exchanges.httpd_log import exchange
from cgilab.exchanges.views import as_json, as_summary
from cgilab.failures.evidence import evidence_of, judge, may_have_failed
from cgilab.failures.explanation import Failure, as_data
from cgilab.failures.troubleshooting import as_html as troubleshooting_page

# In the image, the files of docker/web/lab/ lie beside this package.
PAGE = Path(__file__).parents[2] / "lab" / "index.html"

# What the page shows came from anywhere. Should any of it ever be taken for HTML, then still no script runs that is not
# the page's own, nothing is loaded from elsewhere or sent there, and no other site can show the page in a frame.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def page(environment: Mapping[str, str] = os.environ, file: Path = PAGE) -> None:
    """Answer a request for /lab/ with the HTML in `file`; its style sheet and its script are files of their own."""
    answer_page(environment, lambda: file.read_text(encoding="utf-8"))


def troubleshooting(environment: Mapping[str, str] = os.environ) -> None:
    """Answer a request for /lab/troubleshooting."""
    answer_page(environment, troubleshooting_page)


def exchanges(environment: Mapping[str, str] = os.environ) -> None:
    """Answer a request for /lab/exchanges."""
    if environment["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        answer("405 Method Not Allowed", {"error": "exchanges can only be read", "allow": "GET, HEAD"})
        return
    kept, restarted = read()
    wanted, _, apart = environment.get("PATH_INFO", "").strip("/").partition("/")
    if wanted:
        found = next((one for one in kept if one.id == wanted), None)
        if found and apart == "apart":
            answer_apart(found)
        elif found and not apart:
            answer("200 OK", as_json(found, diagnosis_of(found)))
        else:
            answer("404 Not Found", {"error": f"no exchange {wanted}: there is none of that id, or no longer"})
        return
    after = parse_qs(environment.get("QUERY_STRING", "")).get("after", [""])[0]
    places = [place for place, one in enumerate(kept) if one.id == after]
    newer = kept[places[-1] + 1 :] if places else kept
    asker = {"client": environment["REMOTE_ADDR"], "port": int(environment["REMOTE_PORT"])}
    summaries = [as_summary(one, cause_of(one)) for one in newer]
    answer("200 OK", {"exchanges": summaries, "restarted": restarted, "asker": asker})


def answer_apart(one: Exchange) -> None:
    """Answer a request for what is measured apart from an exchange, for those of whose time one part may be that."""
    # Here, since what it imports would slow down all pages.
    from cgilab.web.apart import NotMeasuredError, measure  # noqa: PLC0415

    if one.script is None or not any(part.by is Spender.INTERPRETER_AND_SCRIPT for part in one.parts()):
        answer("404 Not Found", {"error": "nothing was measured: the exchange itself tells it"})
        return
    try:
        answer("200 OK", asdict(measure(one.script, (one.started + one.end) / 1e6)))
    except NotMeasuredError as error:
        answer("404 Not Found", {"error": f"nothing was measured: {error}"})


def diagnosis_of(one: Exchange) -> dict[str, Any] | None:
    """Return why an exchange failed, as data; None where it did not.

    What the page behind a failure has said stays said, also where the script has been changed since: its sentence, and
    that alone where another cause would be found now.
    """
    if not may_have_failed(one):
        return None
    evidence = evidence_of(one)
    diagnosis = judge(evidence)
    said = one.explained
    if said and diagnosis and diagnosis.cause == said.cause:
        diagnosis = diagnosis._replace(finding=diagnosis.finding._replace(sentence=said.sentence))
    elif said:
        diagnosis = Diagnosis(said.cause, said.sentence, Finding(said.sentence))
    if diagnosis is None:
        return None
    return as_data(Failure(str(one.status), "", one.id, evidence, diagnosis))


def cause_of(one: Exchange) -> str | None:
    """Return the name of the cause, for a list: as the page said it, else found now; None where nothing failed."""
    if one.explained:
        return one.explained.cause
    diagnosis = judge(evidence_of(one), quiet=True) if may_have_failed(one) else None
    return diagnosis.cause if diagnosis else None


def read() -> tuple[list[Exchange], list[int]]:
    """Return the recorded exchanges, oldest first, and when the recorder had to be started again.

    The times are in microseconds since 1970.
    """
    kept = []
    restarted = []
    for record in store.records():
        if record.startswith(store.RESTARTED):
            restarted.append(int(record.removeprefix(store.RESTARTED)))
        elif one := exchange_of(record):
            kept.append(one)
    return kept, restarted


def exchange_of(record: bytes) -> Exchange | None:
    """Return a recorded exchange; None for what is none, such as a line that says when the recorder was started."""
    try:
        return exchange(record.decode("latin-1").split("\n"))
    except (ValueError, IndexError):
        return None  # torn by two processes that wrote a very long line at once, or no record of httpd's at all


def answer_page(environment: Mapping[str, str], make: Callable[[], str]) -> None:
    """Answer a request with the HTML that `make` returns; whatever is no question for it, with a 405."""
    if environment["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        answer("405 Method Not Allowed", {"error": "the page can only be read", "allow": "GET, HEAD"})
        return
    sys.stdout.write(
        "Content-Type: text/html; charset=utf-8\nCache-Control: no-store\nX-Content-Type-Options: nosniff\n"
        f"Referrer-Policy: no-referrer\nContent-Security-Policy: {CONTENT_SECURITY_POLICY}\n\n{make()}"
    )


def answer(status: str, content: dict[str, Any]) -> None:
    """Answer a request with a status line's code and words, and JSON."""
    sys.stdout.write(
        f"Status: {status}\nContent-Type: application/json\nCache-Control: no-store\n"
        f"X-Content-Type-Options: nosniff\n\n{json.dumps(content)}\n"
    )
