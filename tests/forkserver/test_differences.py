"""What a script can tell of the way in which it was started: all that differs stands in docs/forkserver.md."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cgilab.forkserver.loading import USUAL
from cgilab.forkserver.marks import TOOL
from cgilab.project.engine import ROOT
from tests.support.debian import PYTHON
from tests.support.running_lab import RunningLab
from tests.support.wire import send

# What a script looks at, by name.
FACTS = {
    "environment": "dict(os.environ)",
    "arguments": "sys.argv",
    "arguments of the interpreter": "sys.orig_argv",
    "command line": "open('/proc/self/cmdline').read().split('\\0')",
    "interpreter": "sys.executable, sys.prefix, sys.base_prefix, sys.version, sys.platform",
    "working directory": "os.getcwd()",
    "umask": "os.umask(0o77)",
    "signals": "{number: str(signal.getsignal(number)) for number in signal.valid_signals()}",
    "blocked signals": "[line for line in open('/proc/self/status') if line.startswith('SigBlk')]",
    "ignored signals": "[line for line in open('/proc/self/status') if line.startswith('SigIgn')]",
    "wakeup descriptor": "signal.set_wakeup_fd(-1)",
    "alarms": "signal.getitimer(signal.ITIMER_REAL)",
    "descriptors": "{name: kind(name) for name in ('0', '1', '2')}, len(os.listdir('/proc/self/fd'))",
    "descriptors are inherited": "[os.get_inheritable(number) for number in range(3)]",
    "descriptors wait": "[os.get_blocking(number) for number in range(3)]",
    "flags": "str(sys.flags)",
    "options": "sys._xoptions, sys.warnoptions",
    "path of modules": "sys.path",
    "finders of modules": "str(sys.meta_path), len(sys.path_hooks)",
    "loaded modules": "sorted(sys.modules)",
    "bytecode": "sys.dont_write_bytecode, sys.pycache_prefix",
    "encodings": "[(one.encoding, one.errors, one.line_buffering, one.name, one.mode, one.write_through, "
    "one.newlines, one.isatty()) for one in (sys.stdin, sys.stdout, sys.stderr)]",
    "standard streams": "[one is other for one, other in ((sys.stdin, sys.__stdin__), (sys.stdout, sys.__stdout__), "
    "(sys.stderr, sys.__stderr__))], [type(one.buffer).__name__ for one in (sys.stdin, sys.stdout, sys.stderr)]",
    "locale": "locale.setlocale(locale.LC_ALL), locale.getlocale(), locale.getencoding()",
    "encoding of files": "sys.getfilesystemencoding(), sys.getfilesystemencodeerrors(), sys.getdefaultencoding()",
    "names of the script": "sorted(name for name in NAMES)",
    "values of the script's names": "{name: kind_of(value) for name, value in NAMES.items()}",
    "the script as a module": "sys.modules['__main__'].__dict__ is globals(), __name__, __file__, __doc__",
    "resource limits": "{name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) "
    "if name.startswith('RLIMIT')}",
    "time zone": "time.tzname, time.timezone, time.localtime(0).tm_hour",
    "user": "os.getresuid(), os.getresgid(), sorted(os.getgroups())",
    "capabilities": "[line for line in open('/proc/self/status') if line.startswith(('Cap', 'NoNewPrivs', 'Seccomp'))]",
    "priority": "os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), sorted(os.sched_getaffinity(0))",
    "out-of-memory score": "open('/proc/self/oom_score_adj').read()",
    "process group": "os.getpgid(0) == os.getpid()",
    "session": "os.getsid(0) == os.getpid()",
    "parent": "open(f'/proc/{os.getppid()}/comm').read()",
    "children": "open(f'/proc/self/task/{os.getpid()}/children').read()",
    "threads": "threading.active_count(), threading.main_thread().name, threading.get_native_id() == os.getpid(), "
    "threading.main_thread() is threading.current_thread()",
    "garbage collector": "gc.isenabled(), gc.get_threshold(), gc.get_debug()",
    "objects left out by the garbage collector": "gc.get_freeze_count()",
    "filters of warnings": "[str(one) for one in warnings.filters]",
    "limits of the interpreter": "sys.getrecursionlimit(), sys.getswitchinterval(), sys.get_int_max_str_digits()",
    "hooks": "[one is other for one, other in ((sys.excepthook, sys.__excepthook__), (sys.displayhook, "
    "sys.__displayhook__), (sys.unraisablehook, sys.__unraisablehook__))], sys.gettrace(), sys.getprofile()",
    "exits": "atexit._ncallbacks()",
    "an exception under way": "str(sys.exc_info()), hasattr(sys, 'last_value')",
    "stack": "len(inspect.stack())",
    "input": "sys.stdin.read()",
}

# What differs, with what it is in each of the two ways and the reason; what is no fact above, other tests show. The
# same stands in docs/forkserver.md.
DIFFERENCES = {
    "command line": (
        "`python3 /srv/cgi-bin/NAME`",
        "`/usr/bin/python3 -m cgilab.forkserver`",
        "`ps` and `/proc` show the program that was forked; `sys.argv` and `sys.orig_argv` are the script's",
    ),
    "parent": ("httpd", "the forkserver", "who forks is the parent"),
    "process group": (
        "httpd's",
        "its own",
        "what the script has started is ended with it; a script that sends a signal to its group does not reach httpd",
    ),
    "children that outlive the script": (
        "go on",
        "are ended, also where they have a session of their own",
        "nothing of a request runs on behind it",
    ),
    "processes of another group whose parent has ended": (
        "go on",
        "are ended as soon as any script ends, also where theirs still runs",
        "nobody can tell then whose they are",
    ),
    "loaded modules": (
        "those that Python needs to start",
        "`cgi`, `json`, `datetime` and others, and what they import",
        "that is what makes it fast; where a file beside the script has such a name, the script is run as under spawn",
    ),
    "stack": (
        "the script is at its bottom",
        "some calls of the forkserver are below",
        "`inspect.stack()` shows them, and the limit of recursion is reached so much earlier; tracebacks do not",
    ),
    "objects left out by the garbage collector": (
        "none",
        "those that the forkserver has loaded",
        "to look at them would copy the memory that they are in",
    ),
    "signals": (
        "none has a handler but Python's own",
        "the last one, SIGRTMAX, has one",
        "by it the forkserver learns that who keeps it running has ended; in a script it does nothing",
    ),
    "signal 33, in a program": (
        "has no handler",
        "is ignored",
        "so posix_spawn(3) leaves it in glibc, which keeps this signal for itself",
    ),
    "tools of `sys.monitoring`": (
        "none",
        "number 4, `forkserver`, since Python 3.12",
        "it notes how long imports take, for [`make trace`](exchanges.md#where-the-time-went) and `/lab/`",
    ),
    "seed of hashes": (
        "new for each request",
        "the same until the next start",
        "it is drawn when an interpreter starts; the order of a set of texts depends on it. `random` is seeded anew",
    ),
    "warnings of imported modules": (
        "Python 3.11 says for each request that `cgi` is deprecated",
        "it does not",
        "a module warns when it is loaded, which is before the request",
    ),
    "a small body that stalls": (
        "408",
        "500",
        "mod_proxy_scgi says so of all that fails while it reads a request; the page behind it names the cause",
    ),
    "a request under way when the forkserver is killed": (
        "does not happen",
        "503",
        "scripts end with it; the page behind it says so, and the next request is served",
    ),
}

SCRIPT = f"""#!/usr/bin/env python3
NAMES = {{name: value for name, value in globals().items()}}
import json, os, sys
import atexit, gc, inspect, locale, resource, signal, threading, time, warnings


def kind(name):
    return os.readlink("/proc/self/fd/" + name).partition(":")[0]


def kind_of(value):
    return value if isinstance(value, (str, type(None))) else type(value).__name__


facts = {FACTS!r}
found = {{name: eval(code) for name, code in facts.items()}}
print("Content-Type: application/json\\n")
print(json.dumps(found, default=str))
"""


def facts(lab: RunningLab) -> dict[str, Any]:
    """Return what the script sees in a lab; what is each request's own is left out."""
    write(lab.cgi_bin / "facts.py", SCRIPT)
    lines = ("GET /cgi-bin/facts.py/a%20b?one+two%20three HTTP/1.0", "Host: localhost", "X-Lesson: 12", "Cookie: a=b")
    answer = send(lab.port, *lines)
    assert answer.status == 200
    found: dict[str, Any] = json.loads(answer.body)
    for name in ("REMOTE_ADDR", "REMOTE_PORT", "SERVER_ADDR", "UNIQUE_ID"):
        found["environment"][name] = ""
    return found


def test_a_script_can_tell_these_things_and_no_others(lab: RunningLab, spawn: RunningLab) -> None:
    new, forked = facts(spawn), facts(lab)

    assert {name for name in FACTS if new[name] != forked[name]} == set(DIFFERENCES) & set(FACTS)
    assert (new["command line"], forked["command line"]) == (
        ["python3", "/srv/cgi-bin/facts.py", "one", "two three", ""],
        ["/usr/bin/python3", "-m", "cgilab.forkserver", ""],
    )
    assert (new["process group"], forked["process group"]) == (False, True)
    assert {number for number in new["signals"] if new["signals"][number] != forked["signals"][number]} == {"64"}
    assert set(USUAL) - set(forked["loaded modules"]) == set()


def test_what_the_seed_of_hashes_is(lab: RunningLab, spawn: RunningLab) -> None:
    code = "print(hash('a text'))"

    assert len({printed(spawn, code) for _ in range(2)}) == 2
    assert len({printed(lab, code) for _ in range(2)}) == 1


@pytest.mark.skipif(PYTHON < (3, 12), reason="Python 3.11 has no tools")
def test_the_tool_that_watches_imports(lab: RunningLab, spawn: RunningLab) -> None:
    code = "import sys; print([sys.monitoring.get_tool(number) for number in range(6)])"
    none = [None] * 6

    assert printed(spawn, code) == f"{none}\n"
    assert printed(lab, code) == f"{[*none[:TOOL], 'forkserver', *none[TOOL + 1 :]]}\n"


def test_what_is_drawn_at_random_is_drawn_anew(lab: RunningLab) -> None:
    code = "import random, tempfile, uuid; print(random.random(), uuid.uuid4(), next(tempfile._get_candidate_names()))"
    values = [printed(lab, code).split() for _ in range(5)]

    assert [len(set(column)) for column in zip(*values, strict=True)] == [5, 5, 5]


def test_what_differs_is_written_down() -> None:
    text = (ROOT / "docs" / "forkserver.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## What differs\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]

    assert {row[0]: tuple(row[1:]) for row in rows[2:]} == DIFFERENCES


def printed(lab: RunningLab, code: str) -> str:
    """Return what a script prints behind its headers."""
    write(lab.cgi_bin / "printing.py", f"#!/usr/bin/env python3\nprint('Content-Type: text/plain\\n')\n{code}\n")
    answer = send(lab.port, "GET /cgi-bin/printing.py HTTP/1.0", "Host: localhost")
    assert answer.status == 200
    return answer.body.decode()


def write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
    path.chmod(0o755)
