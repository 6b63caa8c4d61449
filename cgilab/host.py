"""What the lab takes from the host that it runs on: its time zone, its user, its ports."""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

LOOPBACK = "127.0.0.1"


def time_zone(localtime: Path = Path("/etc/localtime"), timezone: Path = Path("/etc/timezone")) -> str | None:
    """Return the host's time zone as a name of the tz database, such as ``Europe/Paris``.

    Args:
        localtime: usually a symbolic link into the tz database, whose target ends with the name (localtime(5)).
        timezone: Debian's file that holds the name alone, for hosts where `localtime` is a copy.

    Returns:
        The name, or None where the host does not tell (Windows).
    """
    _, found, name = str(localtime.resolve()).partition("zoneinfo/")
    if found:
        return name
    return timezone.read_text(encoding="ascii").strip() if timezone.is_file() else None


def owner(folder: Path) -> str | None:
    """Return ``uid:gid`` of a folder's owner, as Docker's option ``user`` takes it.

    Returns:
        None where the owner is root, as which the server never runs, and on Windows, which has no such numbers.
    """
    status = folder.stat()
    if os.name == "nt" or status.st_uid == 0:
        return None
    return f"{status.st_uid}:{status.st_gid}"


def is_port_taken(port: int) -> bool:
    """Tell whether a program of this machine already listens on a TCP port of the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name != "nt":
            # A port whose last connections are only fading out (TIME_WAIT) is free. On Windows the same
            # option means something else: it would let two programs share a port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError:
            return False  # below 1024, and not ours to try: Docker may still bind it
        except OSError:
            return True
    return False


def process_on_port(port: int) -> tuple[str, int] | None:
    """Return the name and the id of the process that listens on a TCP port, as ``ss`` or ``lsof`` tell them.

    Returns:
        None where neither program is there, or where the process is another user's.
    """
    if shutil.which("ss"):
        listing = _output("ss", "-H", "-l", "-t", "-n", "-p", f"sport = :{port}")
        found = re.search(r'users:\(\("(?P<name>[^"]+)",pid=(?P<id>\d+)', listing)
    elif shutil.which("lsof"):
        listing = _output("lsof", "-n", "-P", "-F", "pc", f"-iTCP:{port}", "-sTCP:LISTEN")
        found = re.search(r"^p(?P<id>\d+)\nc(?P<name>.+)$", listing, re.MULTILINE)
    else:
        return None
    return (found["name"], int(found["id"])) if found else None


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
