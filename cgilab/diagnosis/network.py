"""From a script to other machines: nobody answers, or the lab keeps it in."""

import re

from cgilab.diagnosis.model import Evidence, Finding
from cgilab.diagnosis.observed import Traceback, own_frame, uncaught
from cgilab.diagnosis.running import SOCKET_CALLS, place_of, words_of_exception

# EACCES, EPERM, EADDRINUSE, EADDRNOTAVAIL, ENETUNREACH, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH
ERRORS = {98, 99, 100, 101, 110, 111, 112, 113}
NAMES = {"ConnectionRefusedError", "gaierror", "herror", "ConnectionResetError", "URLError", "timeout"}
NUMBER = re.compile(r"\[Errno (-?\d+)\]")

LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104 - compared, and not bound

# What Python, requests, httpx and aiohttp say of a name that nobody knows, and of a machine that is not reached.
NOT_LOOKED_UP = (
    "Temporary failure in name resolution",
    "Name or service not known",
    "No address associated with hostname",
    "Failed to resolve",
)
NOT_REACHED = (
    "[Errno 101]",
    "[Errno 110]",
    "[Errno 113]",
    "Network is unreachable",
    "No route to host",
    "urlopen error timed out",
    "connect timeout",
    "ConnectTimeout",
    "Can't connect to",
    "server host",
)
# The host in their words, and in the source of a script.
IN_WORDS = re.compile(
    r"socket '([^']+)'|host[= ]'([^':]+)|on '([^':]+)|resolve '([^']+)'|to host ([^\s:]+)|Connection to (\S+) timed out"
)
IN_SOURCE = re.compile(
    r"""\w+://(?:[^/@\s"']*@)?\[?([\w.:-]*?)\]?(?::\d+)?[/"'?]|["']([\w-]*\w(?:\.[\w-]*\w)+)["']|\(["']([\w-]+)["']"""
)

# The addresses of networks that lead to no other machine (RFC 6890, 2.2.2), as texts begin.
PRIVATE = re.compile(r"10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd][0-9a-f]{2}:|fe80:")


def is_beyond(host: str) -> bool:
    """Return whether a host is beyond the lab, as far as its name tells: those of the lab's servers are one word."""
    return host not in LOCAL and not PRIVATE.match(host) and not host.startswith("/") and ("." in host or ":" in host)


def outside_closed(evidence: Evidence) -> Finding | None:
    """It asks a machine beyond the lab, which lets no service out."""
    traceback = uncaught(evidence)
    if traceback is None:
        return None
    looked_up = any(words in traceback.message for words in NOT_LOOKED_UP)
    if not looked_up and not _was_connecting(traceback):
        return None
    host = _host(evidence, traceback)
    if host and not is_beyond(host):
        return None
    place, exhibits = place_of(evidence, traceback)
    how = "whose name cannot be looked up" if looked_up else "which cannot be reached"
    spelling = ["Is its name spelt right? As far as is known, there is none of that name."]
    return Finding(
        f"{place[:1].upper()}{place[1:]} asks {host or 'a machine beyond the lab'}, {how}: "
        "the lab lets no service reach other machines unless it is told to.",
        exhibits,
        [
            *(spelling if "Name or service not known" in traceback.message else []),
            "Open the lab:  OUTSIDE=1 make up",
            "With database and PHP:  OUTSIDE=1 make wamp",
        ],
    )


def _was_connecting(traceback: Traceback) -> bool:
    """Return whether it was on the way to another machine that it failed, and not while it read from one."""
    if any(words in traceback.message for words in NOT_REACHED):
        return True
    last = traceback.frames[-1].source if traceback.frames else ""
    if "timed out" not in traceback.message:
        return False
    return ".connect(" in last or "Can't connect" in traceback.message


def _host(evidence: Evidence, traceback: Traceback) -> str:
    """Return the host that was asked, in small letters; empty where that is not known."""
    frame = own_frame(evidence, traceback)
    match = IN_WORDS.search(traceback.message) or IN_SOURCE.search(frame.source if frame else "")
    return next(filter(None, match.groups()), "").lower() if match else ""


def refused(evidence: Evidence) -> Finding | None:
    """Nobody answers where it connects, or it may not listen there."""
    traceback = uncaught(evidence)
    if traceback is None:
        return None
    number = NUMBER.search(traceback.message)
    by_number = number is not None and (int(number[1]) in ERRORS or int(number[1]) < 0)
    frame = own_frame(evidence, traceback)
    denied = traceback.name in {"PermissionError", "OSError"} and frame and SOCKET_CALLS.search(frame.source)
    words = any(text in traceback.message for text in ("Can't connect to", "onnection refused", "Name or service not"))
    if not (by_number or traceback.name in NAMES or denied or words):
        return None
    place, exhibits = place_of(evidence, traceback)
    calls = [frame.source for frame in traceback.frames]
    if any(re.search(r"\b(?:bind|listen|create_server|HTTPServer|TCPServer)\b", call) for call in calls):
        what = "listens at an address that it may not have"
        advice = "A CGI script never listens by itself: the server does, and starts the script for each request."
    else:
        what = "connects to where nobody answers it"
        advice = "Inside the container, localhost is the container itself: neither this computer nor its database."
        if any(said in traceback.message for said in NOT_LOOKED_UP):
            advice = "No server of the lab has this name: the database's is db, and localhost is the container itself."
    words_said = words_of_exception(traceback)
    return Finding(f"{place[:1].upper()}{place[1:]} {what}: {words_said}.", exhibits, [advice])
