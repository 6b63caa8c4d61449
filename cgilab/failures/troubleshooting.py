"""The page /lab/troubleshooting, made from the rules, as `cgilab.failures.manual` makes docs/troubleshooting.md."""

import re
from collections.abc import Sequence
from html import escape

from cgilab.diagnosis import UNKNOWN
from cgilab.diagnosis.model import Rule
from cgilab.diagnosis.rules import CHAPTERS

# Words between ticks are code, in Markdown as in HTML.
CODE = re.compile(r"`([^`]+)`")

UNKNOWN_SECTION = f"""\
<section id="{UNKNOWN}" aria-labelledby="title-{UNKNOWN}"><h2 id="title-{UNKNOWN}">The cause is not known</h2>
<p>No rule fits what was seen. The lab says so rather than guess, and shows all that it has.</p>
<p>Start the script as a plain program: <code>make run SCRIPT=hello.py</code></p></section>
"""

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Troubleshooting</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/lab/lab.css">
<link rel="stylesheet" href="/lab/failure.css">
</head>
<body class="failure">
<header class="top"><p><a href="/lab/">cgi-lab</a></p></header>
<main>
<h1>Troubleshooting</h1>
<p>Each section is a cause for which a CGI script or a PHP page fails: the messages by which it shows, what they mean,
and what mends it.</p>
{content}
</main>
</body>
</html>
"""


def as_html() -> str:
    """Return the manual as a page of the lab: a list of the causes, then a section each, with the cause as its id."""
    parts = []
    for title, rules in CHAPTERS:
        links = "".join(f'<li><a href="#{rule.cause}">{escape(rule.title)}</a></li>' for rule in rules)
        parts.append(f"<h2>{escape(title)}</h2><ul>{links}</ul>")
    for _, rules in CHAPTERS:
        parts += _sections(rules)
    parts.append(UNKNOWN_SECTION)
    return PAGE.format(content="\n".join(parts))


def _sections(rules: Sequence[Rule]) -> list[str]:
    return [
        f'<section id="{rule.cause}" aria-labelledby="title-{rule.cause}">'
        f'<h2 id="title-{rule.cause}">{escape(rule.title)}</h2>'
        f'<pre tabindex="0" role="region" aria-label="messages of {rule.cause}">'
        f"{escape(chr(10).join(rule.messages))}</pre>"
        f"<p>{_text(rule.meaning)}</p><p>{_text(rule.mend)}</p></section>"
        for rule in rules
    ]


def _text(text: str) -> str:
    return CODE.sub(r"<code>\1</code>", escape(text, quote=False))
