"""The processes in a lab's container, told apart by what they are there for."""

import re
from collections import Counter

from tests.support.running_lab import RunningLab
from tests.support.wait import wait_until

# How a process of the lab's own shows itself, and what it is.
OWN = {
    r"/sbin/docker-init -- .*": "init",
    r"apache2 .*": "httpd",
    r"(/bin/sh /usr/local/lib/cgi-lab/recorder|/usr/bin/python3 -m cgilab\.web\.recorder)": "recorder",
    r"/bin/sh /usr/local/lib/cgi-lab/forkserver": "shell",
    r"/usr/bin/python3 -m cgilab\.forkserver": "forkserver",
}


def processes(lab: RunningLab) -> list[tuple[int, int, str]]:
    """Return number, parent's number and command of each process, with the machine's numbers."""
    listed = lab.container.top(ps_args="-eo pid,ppid,args")["Processes"]
    return [(int(process), int(parent), command) for process, parent, command in listed]


def others(lab: RunningLab) -> Counter[str]:
    """Return what runs beside the lab's own processes, and how often.

    A script's process bears the forkserver's command, so there have to be two of those: the keeper and its server.
    """
    names = Counter(
        next((name for pattern, name in OWN.items() if re.fullmatch(pattern, command)), command)
        for _, _, command in processes(lab)
    )
    for name in ("init", "httpd", "recorder", "shell"):
        del names[name]
    names["forkserver"] -= 2
    return Counter({name: count for name, count in names.items() if count})


def wait_for_silence(lab: RunningLab) -> None:
    """Wait until nothing runs but the lab's own processes; also the health check is over then."""
    wait_until(lambda: not others(lab) or None, timeout=30)


FORKSERVERS = """
for process in /proc/[0-9]*; do
    case $(tr '\\0' ' ' <"$process/cmdline") in
        '/usr/bin/python3 -m cgilab.forkserver ')
            while read -r name value; do [ "$name" = PPid: ] && echo "${process#/proc/} $value"; done <"$process/status"
    esac
done 2>/dev/null
"""


def forkserver(lab: RunningLab) -> tuple[int, int]:
    """Return the numbers that the keeper of the forkserver and its server have in the container, once both are there.

    No script may run meanwhile.
    """
    both = wait_until(lambda: _forkserver(lab))
    return both[0], both[1]


def _forkserver(lab: RunningLab) -> tuple[int, ...]:
    rows = lab.compose.execute("sh", "-c", f"{FORKSERVERS}true").splitlines()
    parents = {int(process): int(parent) for process, parent in map(str.split, rows)}
    return next(((parent, process) for process, parent in parents.items() if parent in parents), ())


def kill(lab: RunningLab, process: int) -> None:
    """End a process of the container, by the number that it has there."""
    lab.compose.execute("sh", "-c", f"kill -KILL {process}")
