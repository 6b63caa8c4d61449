"""A diagnosis as text, as a page, and as data.

Names, lines of a script and what it wrote come from anywhere: characters that could move a terminal's cursor or lead
the eye astray are shown as their bytes, and all is escaped for HTML. Little is imported here: a page starts with each
failure.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from cgilab.diagnosis.model import Diagnosis, Evidence, Exhibit

HTML = "text/html"
PLAIN = "text/plain"
PROBLEM = "application/problem+json"
UNKNOWN = "unknown"

TROUBLESHOOTING = "/lab/troubleshooting"

# A diff is to be read: what is longer is cut.
DIFF_LINES = 40
ALIKE = 3
DIFF_CONTEXT = 2
LINE_LENGTH = 400

HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")
# A line of a fix that ends with a command: two spaces stand before it.
TYPE = re.compile(r"(?P<words>.*?:)  (?P<command>\S.*)", re.DOTALL)


class Failure(NamedTuple):
    """A failure and what is known of it.

    Attributes:
        status: of the response, such as ``500``.
        reason: what it is called.
        identifier: of the exchange, of letters, digits and ``@_-`` alone.
        evidence: what the diagnosis was made from.
        diagnosis: the cause; None where no rule says that anything failed.
        answered: whether the recorder has told what was logged.
        host: by which name and port the client calls this machine; empty where it gave none.
    """

    status: str
    reason: str
    identifier: str
    evidence: Evidence
    diagnosis: Diagnosis | None
    answered: bool = True
    host: str = ""

    @property
    def cause(self) -> str:
        """The cause's name."""
        return self.diagnosis.cause if self.diagnosis else UNKNOWN

    @property
    def sentence(self) -> str:
        """The cause, in one sentence."""
        if self.diagnosis:
            return self.diagnosis.finding.sentence
        return f"The server answered {self.status}, and nothing that it logged says why."

    @property
    def exhibits(self) -> Sequence[Exhibit]:
        """The evidence, which is all that was logged where the cause is not known."""
        if self.diagnosis:
            found = list(self.diagnosis.finding.exhibits)
        else:
            logged = (
                Exhibit("the server logged", self.evidence.messages),
                Exhibit("the script wrote to its standard error", self.evidence.stderr),
            )
            found = [exhibit for exhibit in logged if exhibit.lines]
        if not self.answered:
            found.append(Exhibit("what is missing", ("The recorder did not answer: see what make logs shows.",)))
        return found

    @property
    def link(self) -> str:
        """The page that shows the exchange."""
        return f"/lab/?exchange={self.identifier}"

    @property
    def manual(self) -> str:
        """The section of the manual about this cause."""
        return f"{TROUBLESHOOTING}#{self.cause}"


def visible(text: str) -> str:
    r"""Return a text in which what cannot be seen, or would change how the rest is seen, stands as ``\xhh``."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else "".join(f"\\x{byte:02x}" for byte in character.encode(errors="surrogatepass"))
        for character in text
    )


def shown(line: str) -> str:
    """Return a line of evidence, with tabs as they are and not longer than is of use."""
    text = "\t".join(map(visible, line[:LINE_LENGTH].split("\t")))
    return f"{text} …" if len(line) > LINE_LENGTH else text


def diff(failure: Failure) -> list[str]:
    """Return the change that mends the script, line by line; empty where there is none to show."""
    script = failure.evidence.script
    mended = failure.diagnosis.finding.mended if failure.diagnosis else None
    if mended is None or script is None or not script.whole or mended == script.content or b"\0" in script.content:
        return []
    before, after = (content.removesuffix(b"\n").split(b"\n") for content in (script.content, mended))
    # What is equal at the beginning and at the end is left out first: to compare all of a large script takes long.
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    first = max(start - DIFF_CONTEXT, 0)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    lines = [f"  {_line(line)}" for line in before[first:start]]
    if len(old) == len(new):
        # Many changed lines are one and the same change, such as of all line endings.
        limit = DIFF_LINES if len(old) <= ALIKE else ALIKE
        for one, other in zip(old[:limit], new[:limit], strict=True):
            lines += [f"  {_line(one)}"] if one == other else [f"- {_line(one)}", f"+ {_line(other)}"]
    else:
        limit = DIFF_LINES
        lines += [f"- {_line(line)}" for line in old[:DIFF_LINES]] + [f"+ {_line(line)}" for line in new[:DIFF_LINES]]
    rest = max(len(old), len(new)) - limit
    if rest > 0:
        lines.append(f"  … and {rest} more lines in the same way")
    else:
        lines += [f"  {_line(line)}" for line in before[len(before) - end :][:DIFF_CONTEXT]]
    return [f"  line {first + 1} of {visible(script.name)}:", *lines]


def _line(line: bytes) -> str:
    return shown(line.decode(errors="backslashreplace"))


def as_text(failure: Failure) -> str:
    """Return the page as plain text."""
    lines = [f"{failure.status} {failure.reason}: {visible(failure.sentence)}", ""]
    for exhibit in failure.exhibits:
        lines += [f"{_capital(visible(exhibit.heading))}:", *(f"  {shown(line)}" for line in exhibit.lines), ""]
    fix = list(failure.diagnosis.finding.fix) if failure.diagnosis else []
    if fix:
        lines += ["To mend it:", *(f"  {visible(line)}" for line in fix), ""]
    change = diff(failure)
    if change:
        lines += ["The change:", *(f"  {line}" for line in change), ""]
    server = f"http://{failure.host}" if HOST.fullmatch(failure.host) else ""
    if failure.identifier:
        lines.append(f"The exchange: {server}{failure.link}")
    lines.append(f"More about it: {server}{failure.manual}")
    return "\n".join(lines) + "\n"


def as_data(failure: Failure) -> dict[str, Any]:
    """Return the diagnosis for programs. Texts are made visible here as well: what shows them need not know how."""
    finding = failure.diagnosis.finding if failure.diagnosis else None
    return {
        "cause": failure.cause,
        "title": failure.diagnosis.title if failure.diagnosis else failure.reason,
        "sentence": visible(failure.sentence),
        "certain": bool(failure.diagnosis and failure.diagnosis.certain),
        "evidence": [
            {"heading": visible(exhibit.heading), "lines": list(map(shown, exhibit.lines))}
            for exhibit in failure.exhibits
        ],
        "fix": list(map(visible, finding.fix)) if finding else [],
        "diff": diff(failure),
        "manual": failure.manual,
    }


def as_problem(failure: Failure) -> dict[str, Any]:
    """Return the page as problem details (RFC 9457)."""
    data = as_data(failure)
    return {
        "type": failure.manual,
        "title": data["title"],
        "status": int(failure.status),
        "detail": data["sentence"],
        "instance": f"/lab/exchanges/{failure.identifier}",
        "cause": failure.cause,
        "evidence": data["evidence"],
        "fix": data["fix"],
        "diff": data["diff"],
    }


def as_html(failure: Failure) -> str:
    """Return the page as HTML; its styles are /lab/lab.css and /lab/failure.css."""
    request = f"{failure.evidence.method} {failure.evidence.url}"
    status = f'<span class="code bad">{_text(failure.status)}</span> {_text(failure.reason)}'
    parts = [
        f'<p class="request">{status} <span class="target">{_text(request)}</span></p>',
        f"<h1>{_text(failure.sentence)}</h1>",
    ]
    fix = list(failure.diagnosis.finding.fix) if failure.diagnosis else []
    change = diff(failure)
    if fix or change:
        steps = "".join(map(_step, fix))
        parts.append(f'<section class="fix" aria-labelledby="fix"><h2 id="fix">To mend it</h2>{steps}')
        if change:
            parts.append(_block("The change", "".join(map(_change, change)), "diff"))
        parts.append("</section>")
    if failure.exhibits:
        parts.append('<section class="evidence" aria-labelledby="evidence"><h2 id="evidence">How that is known</h2>')
        for exhibit in failure.exhibits:
            lines = "\n".join(_escaped(shown(line)) for line in exhibit.lines)
            parts.append(_block(_capital(exhibit.heading), lines))
        parts.append("</section>")
    links = [f'<a href="{_text(failure.manual)}">More about this cause</a>']
    if failure.identifier:
        links.insert(0, f'<a href="{_text(failure.link)}">The whole exchange</a>')
    return PAGE.format(
        title=_text(f"{failure.status}: {failure.sentence}"), content="\n".join(parts), links="\n  ".join(links)
    )


def _escaped(text: str) -> str:
    import html  # noqa: PLC0415 - only for a page

    return html.escape(text)


def _text(text: str) -> str:
    return _escaped(visible(text))


def _capital(text: str) -> str:
    """Return a heading with a capital letter, unless it begins with a name."""
    return text[:1].upper() + text[1:] if text.partition(" ")[0].isalpha() else text


def _block(heading: str, content: str, kind: str = "") -> str:
    return (
        f"<figure><figcaption>{_text(heading)}</figcaption>"
        f'<pre class="{kind}" tabindex="0" role="region" aria-label="{_text(heading)}">{content}</pre></figure>'
    )


def _step(line: str) -> str:
    match = TYPE.fullmatch(line)
    if not match:
        return f"<p>{_text(line)}</p>"
    return f'<p>{_text(match["words"])}</p><pre class="type" tabindex="0">{_text(match["command"])}</pre>'


def _change(line: str) -> str:
    kind = {"-": "del", "+": "ins"}.get(line[:1], "span")
    return f"<{kind}>{_escaped(line)}</{kind}>"


PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/lab/lab.css">
<link rel="stylesheet" href="/lab/failure.css">
</head>
<body class="failure">
<header class="top"><p><a href="/lab/">cgi-lab</a></p></header>
<main>
{content}
<p class="links">
  {links}
</p>
</main>
</body>
</html>
"""
