"""Writes docs/troubleshooting.md from the table of rules: `make docs`."""

import sys
from collections.abc import Iterable

from cgilab.diagnosis import UNKNOWN
from cgilab.diagnosis.model import Rule
from cgilab.diagnosis.rules import CHAPTERS, FORKSERVER, PHP, REACHING, RULES
from cgilab.project.engine import ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"

HEAD = """\
<!-- Generated from the rules in cgilab/diagnosis/rules.py by `make docs`. -->

# Troubleshooting

Each section is a cause for which a CGI script or a PHP page fails under Apache httpd: first the messages by which
people look for it, as httpd's error log, the script or the browser shows them, then what it means and how it is mended.

Three commands say which section is yours. `make check` judges scripts before anything is run, `make check FIX=1` mends
what takes no guessing, and `lab explain`, which is `python3 -m cgilab explain`, reads an error log. When the lab runs,
the page behind a failure says the same.
"""

UNKNOWN_SECTION = f"""\
## <a id="{UNKNOWN}"></a>The cause is not known

No rule fits what was seen, or there was nothing that could be looked at: a pipe, a device, a file that may not be read.
The lab says so rather than guess, and shows all that it has.

**Mend:** start the script as a plain program: `make run SCRIPT=hello.py`.
"""

CAN_SEE = {
    (True, True): "`lab check` finds it beforehand, and `--fix` mends it.",
    (True, False): "`lab check` finds it beforehand, wherever the file alone tells it.",
    (False, False): "`lab check` warns of it; only a run can tell for sure.",
}
CANNOT_SEE = "Only a run can tell: `lab check --run` starts the script in the lab."
ONLY_REQUEST = "Only a request can tell: `lab check` asks for no URL."

# What a started script alone does not show: the way from the URL to the file.
OF_REQUESTS = {rule.cause for rule in (*REACHING, *FORKSERVER, *PHP)}


def page() -> str:
    """Return the whole page."""
    chapters = "\n".join(f"## {title}\n\n" + "\n".join(map(section, rules)) for title, rules in CHAPTERS)
    return f"{HEAD}\n{index(RULES)}\n{chapters}\n{UNKNOWN_SECTION}"


def index(rules: Iterable[Rule]) -> str:
    """Return the table that leads from a message to the causes that it can have."""
    causes: dict[str, list[str]] = {}
    for rule in rules:
        for message in rule.messages:
            causes.setdefault(message, []).append(rule.cause)
    rows = [
        f"| {code(message)} | {', '.join(f'[{cause}](#{cause})' for cause in causes[message])} |"
        for message in sorted(causes, key=_sorted_by)
    ]
    return "\n".join(["| message | causes |", "| --- | --- |", *rows, ""])


def _sorted_by(message: str) -> tuple[str, str]:
    """Letters count, and nothing before the first of them."""
    return message.lower().lstrip("(0123456789)'\"$./#!%^\\"), message


def section(rule: Rule) -> str:
    """Return the section of a rule. Its anchor is the rule's name, and stays when the heading is changed."""
    messages = "\n".join(rule.messages)
    return "\n".join(
        [
            f'### <a id="{rule.cause}"></a>{rule.title}',
            "",
            "```text",
            messages,
            "```",
            "",
            rule.meaning,
            "",
            f"**Mend:** {rule.mend}",
            "",
            beforehand(rule),
            "",
        ]
    )


def beforehand(rule: Rule) -> str:
    """Return what can be known before a request comes."""
    if rule.before is not None:
        return CAN_SEE[rule.certain, rule.certain and rule.mends]
    return ONLY_REQUEST if rule.cause in OF_REQUESTS else CANNOT_SEE


def code(text: str) -> str:
    """Return a text as it stands in a cell of a table, as code."""
    ticks = "``" if "`" in text else "`"
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{space}{text}{space}{ticks}".replace("|", "\\|")


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
