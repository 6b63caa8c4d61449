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
    for name in ("init", "httpd", "recorder"):
        del names[name]
    names["forkserver"] -= 2
    return Counter({name: count for name, count in names.items() if count})


def wait_for_silence(lab: RunningLab) -> None:
    """Wait until nothing runs but the lab's own processes; also the health check is over then."""
    wait_until(lambda: not others(lab) or None, timeout=30)
