"""The part of `lab check --run` in the container: starts scripts as mod_cgi does, and tells exactly what they did.

Sent there as it is, as the program of `python3 -c`. On its standard input it finds the paths as a list (JSON); on its
standard output it writes, for each, a line (JSON) in the order in which they ended.
"""

import base64
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

FOLDER = "/srv/cgi-bin/"

# httpd waits this long for the next byte (CGIScriptTimeout), in seconds.
SILENCE = 10.0
# A script that speaks all the time is ended after this, in seconds; that is no fault of it.
LONGEST = 30.0

# What is kept of an output: enough for all headers that httpd takes, and for a message. The rest is counted.
KEPT_BYTES = 1_000_000
STDERR_BYTES = 20_000
# A script that never stops to print is ended after this.
MOST_BYTES = 50_000_000

AT_ONCE = 4

OOM_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def environment_of(path: str, own: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a GET without a query (RFC 3875, 4.1), and those that httpd.conf passes on.

    Args:
        path: of the script, in the container.
        own: the environment of the container.
    """
    name = "/cgi-bin/" + path.removeprefix(FOLDER)
    variables = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "Apache",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REQUEST_METHOD": "GET",
        "REQUEST_SCHEME": "http",
        "REQUEST_URI": name,
        "SCRIPT_NAME": name,
        "SCRIPT_FILENAME": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "49152",
        "HTTP_HOST": "localhost",
    }
    return variables | {variable: own[variable] for variable in ("PATH", "LANG", "TZ") if variable in own}


def killed_for_memory() -> int:
    """Return how many processes of the container the kernel has ended for want of memory."""
    for path in OOM_FILES:
        try:
            with open(path, encoding="ascii") as file:
                return sum(int(line.split()[1]) for line in file if line.startswith("oom_kill "))
        except (OSError, ValueError):
            continue
    return 0


class Kept:
    """The beginning of a stream, and how long it is."""

    def __init__(self, most: int) -> None:
        self.content = b""
        self.length = 0
        self._most = most

    def add(self, block: bytes) -> None:
        """Add what came next."""
        self.length += len(block)
        if len(self.content) < self._most:
            self.content += block[: self._most - len(self.content)]


def run(path: str) -> dict[str, Any]:
    """Start one script and follow it to its end, or until it is given up."""
    begin = time.monotonic()
    killed_before = killed_for_memory()
    folder = os.path.dirname(path)
    if not os.access(folder, os.X_OK):
        return {"path": path, "closed": folder}
    try:
        process = subprocess.Popen(
            [path],
            cwd=folder,
            env=environment_of(path, os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return {"path": path, "errno": getattr(error, "errno", None) or 2}
    assert process.stdin is not None  # noqa: S101 - for mypy
    process.stdin.close()
    output, errors = Kept(KEPT_BYTES), Kept(STDERR_BYTES)
    why = follow(process, output, errors, begin)
    waiting_in = ""
    if why:
        waiting_in = kernel_name(process.pid)
    # Whatever it has started belongs to it.
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    _, status, used = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
    return {
        "path": path,
        "output": base64.b64encode(output.content).decode(),
        "length": output.length,
        "stderr": base64.b64encode(errors.content).decode(),
        "ended": why,
        "code": code if code >= 0 and not why else None,
        "signal": -code if code < 0 and not why else None,
        "cpu": used.ru_utime + used.ru_stime,
        "waiting_in": waiting_in,
        "out_of_memory": killed_for_memory() > killed_before,
        "seconds": time.monotonic() - begin,
    }


def follow(process: "subprocess.Popen[bytes]", output: Kept, errors: Kept, begin: float) -> str:
    """Read what a script writes until it has ended.

    Returns:
        Empty where it ended by itself, else why it is given up: ``silence``, ``time`` or ``length``.
    """
    with selectors.DefaultSelector() as selector:
        for stream, kept in ((process.stdout, output), (process.stderr, errors)):
            if stream:
                selector.register(stream, selectors.EVENT_READ, kept)
        last = time.monotonic()
        while selector.get_map():
            now = time.monotonic()
            if now - last >= SILENCE:
                return "silence"
            if now - begin >= LONGEST:
                return "time"
            if output.length + errors.length > MOST_BYTES:
                return "length"
            for key, _ in selector.select(min(SILENCE - (now - last), LONGEST - (now - begin))):
                block = os.read(key.fd, 65536)
                if not block:
                    selector.unregister(key.fileobj)
                    continue
                key.data.add(block)
                last = time.monotonic()
    return wait_for_end(process.pid)


def wait_for_end(process: int) -> str:
    """Wait for a process that has closed its output, which keeps no client waiting: its exit code is of interest.

    It is left unreaped, for its processor time is asked for later.

    Returns:
        Empty where it has ended, else ``silence``.
    """
    begin = time.monotonic()
    while time.monotonic() - begin < SILENCE:
        if os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            return ""
        time.sleep(0.002)
    return "silence"


def kernel_name(process: int) -> str:
    """Return the kernel's name for what a process is waiting in; empty where it does not tell."""
    try:
        with open(f"/proc/{process}/wchan", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def main() -> None:
    """Run all, some at once."""
    paths = json.load(sys.stdin)
    lock = threading.Lock()
    user = os.getuid()

    def one(path: str) -> None:
        found = run(path)
        with lock:
            print(json.dumps({**found, "user": user}), flush=True)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(one, paths))


if __name__ == "__main__":
    main()
