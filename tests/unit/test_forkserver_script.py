"""A forked child becomes the process of a script: what it does is compared with what Python itself does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgilab.forkserver.script import MOST_WORDS, arguments
from cgilab.project.engine import ROOT

# --- Its arguments --------------------------------------------------------------------------------

QUERIES = {
    "nothing": (b"", []),
    "a word": (b"one", [b"one"]),
    "words": (b"one+two", [b"one", b"two"]),
    "an encoded blank": (b"one%20two+three", [b"one two", b"three"]),
    "an encoded plus": (b"one%2btwo", [b"one+two"]),
    "an encoded equals sign": (b"one%3D2", [b"one=2"]),
    "an equals sign": (b"a=1+two", []),
    "one that ends it": (b"one+two=", []),
    "empty words": (b"one++two+", [b"one", b"", b"two", b""]),
    "a plus": (b"+", [b"", b""]),
    "a percent sign that encodes nothing": (b"100%+%zz", [b"100%", b"%zz"]),
    "bytes beyond ASCII": (b"%c3%a9", [b"\xc3\xa9"]),
    "what a shell takes for its own": (b"$HOME;*", [rb"\$HOME\;\*"]),
    "an ampersand": (b"a&b", [rb"a\&b"]),
    "a line feed": (b"a%0ab", [b"a\\\nb"]),
    "a backslash": (b"%5C", [rb"\\"]),
    "as many words as there can be": (b"+".join([b"a"] * MOST_WORDS), [b"a"] * MOST_WORDS),
    "one more": (b"+".join([b"a"] * (MOST_WORDS + 1)), [b"a"] * MOST_WORDS),
}


@pytest.mark.parametrize(("query", "words"), QUERIES.values(), ids=QUERIES)
def test_arguments(query: bytes, words: list[bytes]) -> None:
    assert arguments(query) == words


@given(st.binary(max_size=50))
def test_arguments_of_any_query(query: bytes) -> None:
    words = arguments(query)

    assert len(words) == (query.count(b"+") + 1 if query and b"=" not in query else 0)


# --- Its process ----------------------------------------------------------------------------------

# Becomes the script that is its argument, as a child of the forkserver does.
CHILD = """
import os, signal, sys, time
from cgilab.forkserver import script
from cgilab.forkserver.loading import load, share
from cgilab.forkserver.programs import compiled

load()
share()
path = os.fsencode(sys.argv[1])
environment = dict(os.environb)
os.environb.clear()
os.environb[b"LEFT_OVER"] = b"of the request before"
time.tzset()
main = script.prepare(path, environment)
child = os.fork()
if child == 0:
    status = script.NOT_STARTED
    try:
        status = script.become_script(main, environment, compiled(path))
    finally:
        os._exit(status)
signal.signal(signal.SIGINT, signal.SIG_DFL)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
os.kill(os.getpid(), -status) if status < 0 else os._exit(status)
"""

FILE = "import os; file = open(os.environ['FILE'], 'w'); file.write('written')\n"
THREAD = "import threading, time\ndef late():\n    time.sleep(0.1)\n    print('late', flush=True)\n"
SCRIPTS = {
    "prints": "print('Hello')",
    "prints in pieces": "import sys\nsys.stdout.write('a')\nsys.stderr.write('b\\n')\nsys.stdout.write('c')",
    "its arguments": "import sys\nprint(sys.argv, sys.orig_argv[1:])",
    "its environment": "import os\nprint(sorted(os.environ.items()), os.getcwd(), os.getenv('LEFT_OVER'))",
    "its time zone": "import time\nprint(time.tzname, time.localtime(0).tm_hour)",
    "its names": "print(sorted(globals()), __name__, __file__, __doc__, __package__, __spec__, __cached__)",
    "its documentation": "'''What it says.'''\nprint(__doc__)",
    "its annotations": "a: int = 1\nprint(__annotations__)",
    "its module": "import sys\na = 1\nprint(sys.modules['__main__'].a, sys.modules['__main__'].__dict__ is globals())",
    "its source": "import inspect\ndef f(): pass\nprint(inspect.getsource(f))",
    "its path of modules": "import sys\nprint(sys.path)",
    "what it has pickled": "import pickle\nclass C: pass\nprint(type(pickle.loads(pickle.dumps(C()))) is C)",
    "its own module": "import neighbour\nprint(neighbour.NAME)",
    "exits": "raise SystemExit",
    "exits with none": "raise SystemExit(None)",
    "exits with 0": "import sys\nsys.exit(0)",
    "exits with a number": "import sys\nsys.exit(3)",
    "exits with a large number": "import sys\nsys.exit(256 + 3)",
    "exits with a negative number": "import sys\nsys.exit(-1)",
    "exits with true": "import sys\nsys.exit(True)",
    "exits with a text": "import sys\nprint('before')\nsys.exit('a text')",
    "exits with an object": "import sys\nsys.exit([1, 'b'])",
    "exits with two": "raise SystemExit(1, 2)",
    "exits without a word": "print('unwritten')\nimport os\nos._exit(4)",
    "an exception": "print('before')\n1 / 0",
    "an exception in a function": "def f():\n    raise ValueError('text')\nf()",
    "an exception of another": "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError from error",
    "an exception during another": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError",
    "an exception of another module": "import json\njson.loads('{')",
    "an exception of its own": "class Own(Exception):\n    pass\nraise Own('text')",
    "a group of exceptions": "raise ExceptionGroup('some', [ValueError(1), TypeError(2)])",
    "an exception with a note": "error = ValueError(1)\nerror.add_note('a note')\nraise error",
    "an exception that cannot be shown": "class Own(Exception):\n    def __str__(self): 1 / 0\nraise Own",
    "a name that is none": "import json\nprint(jsn)",
    "too deep": "def f():\n    f()\ntry:\n    f()\nexcept RecursionError as error:\n    print(error)",
    "an interrupt": "raise KeyboardInterrupt",
    "a hook of its own": "import sys\nsys.excepthook = lambda *what: print('hook', what[0].__name__)\n1 / 0",
    "a hook that fails": "import sys\ndef hook(*what):\n    raise ValueError\nsys.excepthook = hook\n1 / 0",
    "a hook that exits": "import sys\ndef hook(*what):\n    sys.exit(5)\nsys.excepthook = hook\n1 / 0",
    "no hook": "import sys\ndel sys.excepthook\n1 / 0",
    "at its end": "import atexit\natexit.register(print, 'a')\natexit.register(print, 'b')\nprint('c')",
    "at the end of one that fails": "import atexit\natexit.register(print, 'a')\n1 / 0",
    "at the end of one that exits": "import atexit, sys\natexit.register(print, 'a')\nsys.exit(3)",
    "at its end an exception": "import atexit\natexit.register(lambda: 1 / 0)\natexit.register(print, 'a')",
    "a destructor": "class C:\n    def __del__(self): print('deleted')\nc = C()",
    "a destructor in a circle": "class C:\n    def __del__(self): print('deleted')\nc = C()\nc.c = c\ndel c",
    "a weak reference": "import weakref\nclass C: pass\nc = C()\nweakref.finalize(c, print, 'ended')",
    "a context": "import contextlib\nwith contextlib.ExitStack() as stack: stack.callback(print, 'left')",
    "a file that is not closed": FILE,
    "a file that is not closed when it fails": f"{FILE}1 / 0",
    "a file that is not closed when it exits": f"{FILE}raise SystemExit(3)",
    "a file that a function has": f"def f():\n    {FILE}    global g\n    g = file\nf()",
    "a thread": f"{THREAD}threading.Thread(target=late).start()\nprint('early')",
    "a thread of one that fails": f"{THREAD}threading.Thread(target=late).start()\n1 / 0",
    "a thread that is not waited for": f"{THREAD}threading.Thread(target=late, daemon=True).start()\nprint('early')",
    "a thread that fails": f"{THREAD}threading.Thread(target=lambda: 1 / 0, name='t').start()",
    "threads of a pool": "from concurrent.futures import ThreadPoolExecutor\n"
    "ThreadPoolExecutor().submit(print, 'pool')",
    "a child": "import os\nif os.fork() == 0:\n    print('child')\nelse:\n    os.wait()\n    print('parent')",
    "a child of multiprocessing": "import multiprocessing\nif __name__ == '__main__':\n"
    "    p = multiprocessing.get_context('fork').Process(target=print, args=('child',))\n    p.start()\n    p.join()",
    "a closed output": "import sys\nprint('a')\nsys.stdout.close()",
    "no output": "import sys\nprint('a')\nsys.stdout = None",
    "another output": "import sys, io\nsys.stdout = io.StringIO()\nprint('a')",
    "another output behind the first": "import sys, io\nprint('a')\nsys.stdout = io.StringIO()\nprint('b')",
    "an output of another encoding": "import sys, io\nprint('a')\n"
    "sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding='latin-1')\nprint('\xe9')",
    "a second output": "import sys, io\n"
    "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='latin-1')\nprint('\xe9')",
    "an output that is closed below": "import os\nprint('a')\nos.close(1)",
    "a closed error": "import sys\nsys.stderr.close()\n1 / 0",
    "an output that takes no letter": "print('\\ud800')",
    "a signal": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
    "an abortion": "import os\nos.abort()",
    "its input": "import sys\nprint(repr(sys.stdin.read()))",
    "a warning": "import warnings\nwarnings.warn('text')\nwarnings.warn('text', DeprecationWarning)",
    "a future": "from __future__ import annotations\na: b = 1\nprint(__annotations__)",
    "a coroutine that nobody awaits": "async def f(): pass\nf()",
    "asyncio": "import asyncio\nasync def f(): print('a')\nasyncio.run(f())",
    "a dataclass": "import dataclasses\n@dataclasses.dataclass\nclass C:\n    a: int\nprint(C(1))",
}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The path of a script, with a module beside it."""
    folder = tmp_path / "cgi-bin"
    folder.mkdir()
    (folder / "neighbour.py").write_text("NAME = __name__\n", encoding="utf-8")
    return folder / "hello.py"


def run(folder: Path, *command: str) -> tuple[int, str, str, str]:
    """Run a program as a script is run; return its exit code, what it has printed, and what is in its file."""
    file = folder / "file"
    environment = {"FILE": str(file), "TZ": "Asia/Tokyo", "QUERY_STRING": "one+two%20three", "LANG": "C.UTF-8"}
    file.write_text("", encoding="utf-8")
    done = subprocess.run(
        [*command],
        cwd=folder,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)},
        input="",
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=60,
        check=False,
    )
    # Where something is in memory, and how often it is referred to, is a process's own.
    error = re.sub(r"0x[0-9a-f]+|(?<=refcount : )\d+", "…", done.stderr)
    return done.returncode, done.stdout, error, file.read_text(encoding="utf-8")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the forkserver runs in the container, which has fork")
@pytest.mark.parametrize("code", SCRIPTS.values(), ids=SCRIPTS)
def test_it_does_what_python_does(script: Path, code: str) -> None:
    script.write_text(f"#!/usr/bin/env python3\n{code}\n", encoding="utf-8")
    script.chmod(0o755)

    forked = run(script.parent, sys.executable, "-c", CHILD, str(script))
    assert forked == run(script.parent, sys.executable, str(script), "one", "two three")
