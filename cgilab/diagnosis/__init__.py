"""Why a CGI script or a PHP page failed: rules that name the first cause, the evidence for it, and what mends it."""

from cgilab.diagnosis import php, printing
from cgilab.diagnosis.model import Diagnosis, Evidence, Finding, Rule
from cgilab.diagnosis.observed import log_exhibits
from cgilab.diagnosis.rules import PHP, RULES
from cgilab.diagnosis.script import Script

UNKNOWN = "unknown"


def diagnose(evidence: Evidence) -> Diagnosis | None:
    """Name the first cause of a failure.

    Args:
        evidence: all that is known of it.

    Returns:
        The answer of the first rule that recognises it; ``unknown``, with all evidence, where none does; None where
        nothing failed.
    """
    is_php = php.is_php(evidence)
    for rule in PHP if is_php else RULES:
        finding = rule.after(evidence)
        if finding is not None:
            return _diagnosis(rule, finding, certain=True)
    if not printing.unexplained(evidence):
        return None
    return Diagnosis(
        UNKNOWN,
        "The cause is not known",
        Finding(
            f"{evidence.name or 'The script'} failed, and no rule of the lab knows why. This is all that was seen.",
            log_exhibits(evidence),
            ["PHP's own log may say more:  docker compose logs php"]
            if is_php
            else ["Start it as a plain program:  make run SCRIPT=" + (evidence.name or "NAME")],
        ),
    )


def check(script: Script) -> list[Diagnosis]:
    """Find what is wrong with a script before it is run.

    Returns:
        The first thing that is sure to fail, if there is one, then all that is likely to; empty where all seems well.
    """
    errors: list[Diagnosis] = []
    warnings: list[Diagnosis] = []
    for rule in RULES:
        if rule.before is None or (errors and rule.certain and not _is_rival(rule, errors[0])):
            continue
        finding = rule.before(script)
        if finding is None:
            continue
        found = _diagnosis(rule, finding, certain=rule.certain)
        if not rule.certain:
            warnings.append(found)
        elif not errors or (finding.line or 0) < (errors[0].finding.line or 0):
            errors = [found]
    return errors + warnings


def _is_rival(rule: Rule, first: Diagnosis) -> bool:
    """Return whether a rule may name an earlier line: of two names that are not there, the upper one fails first."""
    return first.cause == "removed-module" and rule.cause == "python-2-name"


def _diagnosis(rule: Rule, finding: Finding, *, certain: bool) -> Diagnosis:
    return Diagnosis(rule.cause, rule.title, finding, certain, rule.mends)
