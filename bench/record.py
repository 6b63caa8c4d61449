"""What recording exchanges costs: `make bench-record`.

Two labs run side by side, one as it is, one whose httpd neither traces nor pipes its logs into the recorder. Rounds of
requests go to each in turn, so a slow moment of the machine meets both; what counts is the ratio within a round.
About a minute and a half.
"""

import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from cgilab.exchanges.store import FILE_EXCHANGES
from cgilab.project.engine import ROOT, prepare
from tests.support.running_lab import RunningLab, running_lab
from tests.support.wire import send

ROUNDS = 15
REQUESTS = 200
CONNECTIONS = 8
SHELL = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nhello\\n'\n"
SERVICES = {"web_02.py": "`web_02.py`", "hello.sh": "a two-line shell script", "../index.html": "a file"}

WITHOUT = """
ErrorLog /dev/stderr
LogFormat "%{%F %T}t %h \\"%r\\" %>s %O bytes %{ms}T ms \\"%{User-Agent}i\\"" readable
CustomLog /dev/stdout readable
"""


def without_recorder(folder: Path) -> Path:
    """Copy what the image is built from, with a configuration that only logs; return the folder."""
    for name in ("compose.yaml", ".dockerignore"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("docker", "cgilab"):
        shutil.copytree(ROOT / name, folder / name)
    configuration = folder / "docker" / "web" / "httpd.conf"
    text = configuration.read_text(encoding="utf-8")
    start = text.index("# Every header:")
    configuration.write_text(text[:start] + WITHOUT, encoding="utf-8")
    return folder


def rate(lab: RunningLab, name: str) -> float:
    """Return how many requests a second a service serves, over new connections."""
    begin = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        request = f"GET /cgi-bin/{name} HTTP/1.0" if not name.startswith("..") else f"GET /{name[3:]} HTTP/1.0"
        statuses = list(threads.map(lambda _: send(lab.port, request).status, range(REQUESTS)))
    if statuses != [200] * REQUESTS:
        raise RuntimeError(f"{name} answered {set(statuses)}")
    return REQUESTS / (time.monotonic() - begin)


def main() -> int:
    """Measure and print."""
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(3)]
        for folder in folders:
            folder.chmod(0o755)
        settings = prepare()
        recording = stack.enter_context(running_lab(folders[0], settings))
        plain_root = without_recorder(folders[2])
        plain = stack.enter_context(running_lab(folders[1], settings, root=plain_root))
        for lab in (recording, plain):
            script = lab.cgi_bin / "hello.sh"
            script.write_text(SHELL, encoding="utf-8")
            script.chmod(0o755)
        print(
            f"| requests a second, {CONNECTIONS} at once | recording | not | ratio, {ROUNDS} rounds | least to most |"
        )
        print("| --- | --- | --- | --- | --- |")
        for name, label in SERVICES.items():
            pairs = [(rate(recording, name), rate(plain, name)) for _ in range(ROUNDS)]
            ratios = [one / other for one, other in pairs]
            ones, others = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(
                f"| {label} | {ones:.0f} | {others:.0f} | {statistics.median(ratios):.3f} "
                f"| {min(ratios):.2f} to {max(ratios):.2f} |"
            )
        print("\n| after | memory of the recorder, MB | store, MB |\n| --- | --- | --- |")
        for served in (2_000, 20_000):
            while recorder_served(recording) < served:
                rate(recording, "../index.html")
            print(f"| {served} exchanges | {recorder_memory(recording):.1f} | {store_size(recording):.1f} |")
    return 0


def recorder_served(lab: RunningLab) -> int:
    """Return about how many exchanges were recorded: the store's files are numbered, and full at 50."""
    newest = lab.compose.execute("sh", "-c", "ls /run/lab/exchanges | sort -n | tail -n 1")
    return (int(newest) - 1) * FILE_EXCHANGES


def recorder_memory(lab: RunningLab) -> float:
    """Return the resident memory of the recorder's process, in MB (proc_pid_status(5))."""
    find = "for p in /proc/[0-9]*; do grep -qsa cgilab.web.recorder $p/cmdline && grep -s VmRSS $p/status; done; true"
    return max(int(line.split()[1]) for line in lab.compose.execute("sh", "-c", find).splitlines()) * 1024 / 1e6


def store_size(lab: RunningLab) -> float:
    """Return the size of the store's files, in MB."""
    return int(lab.compose.execute("sh", "-c", "cat /run/lab/exchanges/* | wc -c")) / 1e6


if __name__ == "__main__":
    sys.exit(main())
