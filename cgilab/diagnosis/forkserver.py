"""Why a script was not run, or not to its end, where the lab forks it (START=forkserver)."""

from cgilab.diagnosis.model import Evidence, Finding
from cgilab.diagnosis.observed import log_exhibits, said

# What the page behind a failure notes where the forkserver has not told how the script ended.
LOST = "the forkserver ended before the script did"

AGAIN = "Send the request again: it is started anew within a second. `make logs` says what became of it."


def not_running(evidence: Evidence) -> Finding | None:
    """Nobody listens at the socket."""
    if said(evidence, "AH00866: ", "AH02454: SCGI: ") is None:
        return None
    return Finding(f"The forkserver, which is to start {evidence.name}, does not run.", log_exhibits(evidence), [AGAIN])


def ended(evidence: Evidence) -> Finding | None:
    """The forkserver went, and its scripts with it."""
    if said(evidence, LOST) is None:
        return None
    sentence = f"The forkserver ended while {evidence.name} ran, and the script was ended with it."
    return Finding(sentence, log_exhibits(evidence), [AGAIN])


def body_missing(evidence: Evidence) -> Finding | None:
    """The client announced a body and did not send it."""
    if said(evidence, "AH00859: ") is None:
        return None
    length = f" of {evidence.body_length} bytes" if evidence.body_length is not None else ""
    return Finding(
        f"The client announced a body{length} and did not send all of it in time, so {evidence.name} was not started.",
        log_exhibits(evidence),
        ["The client: send as many bytes as its header Content-Length says."],
    )
