"""What `lab check` says of a script, whatever is wrong with it: also of what cannot be read, or judged."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cgilab.diagnosis import check
from cgilab.diagnosis.model import Diagnosis, Exhibit, Finding
from cgilab.diagnosis.rules import RULES
from cgilab.diagnosis.script import Script
from cgilab.failures.explanation import visible

SPECIAL = "It is no file, but a pipe, a socket or a device: nothing of it is read."


def faults(script: Script) -> list[Diagnosis]:
    """Return what is wrong with a script, the first cause first; also with what cannot be read at all."""
    if script.kind in {"special", "unreadable"}:
        named = visible(script.name or script.path)
        what = (
            SPECIAL
            if script.kind == "special"
            else "It cannot be read: this user may not, or there is a fault of the disk."
        )
        return [made("unknown", f"{named} cannot be judged.", [Exhibit("the reason", (what,))])]
    try:
        return check(script)
    except RecursionError:
        return [made("unknown", f"{visible(script.name)} is nested too deeply to be judged.", certain=False)]
    except Exception as error:
        return [
            made("unknown", f"{visible(script.name)} could not be judged: {visible(repr(error))[:200]}", certain=False)
        ]


def made(
    cause: str, sentence: str, exhibits: Sequence[Exhibit] = (), fix: Sequence[str] = (), *, certain: bool = True
) -> Diagnosis:
    """Return a diagnosis that no rule makes, since there is nothing that a rule could look at."""
    title = next((rule.title for rule in RULES if rule.cause == cause), "It cannot be judged")
    return Diagnosis(cause, title, Finding(sentence, exhibits, fix), certain)


def level(found: Sequence[Diagnosis]) -> str:
    """Return ``OK`` where nothing was found, ``ERR`` where something is sure to fail, else ``WARN``."""
    if not found:
        return "OK"
    return "ERR" if any(one.certain for one in found) else "WARN"


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep Python from looking for cycles of objects: syntax trees have none, and it would look at each a few times."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
