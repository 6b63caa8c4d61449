"""What the lab takes from the host that it runs on: its time zone, its user, its ports."""

import os
import re
import shutil
import socket
import stat
import subprocess
from pathlib import Path

LOOPBACK = "127.0.0.1"

# A port that is opened on one of these answers at localhost.
OWN_ADDRESSES = {"", LOOPBACK, "0.0.0.0", "::", "::1"}  # noqa: S104 - compared, not opened

# The state of a listening socket in the kernel's tables, proc_pid_net(5).
LISTENING = "0A"

# Others may read, and others may search.
OTHERS = stat.S_IROTH | stat.S_IXOTH


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


def is_readable_by_all(folder: Path) -> bool:
    """Tell whether users other than the owner may list a folder and open what is in it; on Windows they always may."""
    return os.name == "nt" or folder.stat().st_mode & OTHERS == OTHERS


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
            # Below 1024, and not ours to try. Docker may still bind it, unless somebody answers there.
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as caller:
                return caller.connect_ex((LOOPBACK, port)) == 0
        except OSError:
            return True
    return False


def process_on_port(port: int, proc: Path = Path("/proc")) -> tuple[str, int] | None:
    """Return the name and the id of the process that listens on a TCP port.

    Args:
        port: the port.
        proc: where Linux shows its processes and connections.

    Returns:
        None where the process is another user's, and where the system does not tell (Windows).
    """
    if (proc / "net" / "tcp").is_file():
        return _process_of_linux(port, proc)
    if shutil.which("lsof"):
        command = ["lsof", "-n", "-P", "-F", "pc", f"-iTCP:{port}", "-sTCP:LISTEN"]
        listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        found = re.search(r"^p(?P<id>\d+)\nc(?P<name>.+)$", listing, re.MULTILINE)
        return (found["name"], int(found["id"])) if found else None
    return None


def _process_of_linux(port: int, proc: Path) -> tuple[str, int] | None:
    """Find the process that has a listening socket of this port open; proc_pid_net(5) and proc_pid_fd(5)."""
    sockets = set()
    for table in ("tcp", "tcp6"):
        path = proc / "net" / table
        rows = [line.split() for line in path.read_text(encoding="ascii").splitlines()[1:]] if path.is_file() else []
        sockets |= {f"socket:[{row[9]}]" for row in rows if row[3] == LISTENING and row[1].endswith(f":{port:04X}")}
    for process in proc.glob("[0-9]*"):
        try:
            if any(str(descriptor.readlink()) in sockets for descriptor in (process / "fd").iterdir()):
                return (process / "comm").read_text(encoding="utf-8").strip(), int(process.name)
        except OSError:
            continue  # another user's process, or one that has just ended
    return None
