"""What is there before the fork: modules that are loaded, and kept in memory that forks share.

The kernel copies a page of memory when a fork writes to it, and that takes most of the time of a short script. Python
writes in two cases where a program does not: it counts references to an object, and it adapts code to what the code
has been used for (PEP 659). So what is loaded is made immortal (PEP 683), which ends the counting, and is used a few
times before.
"""

import ctypes
import gc
import importlib
import os
import sys
import warnings
from collections.abc import Iterable
from contextlib import redirect_stdout, suppress
from types import FrameType

from cgilab.forkserver import script

# What services usually import. Each module makes all forks a little slower, so what few of them need is left to those.
USUAL = ("cgi", "datetime", "html", "json", "random", "traceback", "urllib.parse")

# What services usually do with them.
SERVICE = """
import cgi, datetime, html, json, time, urllib.parse
form = cgi.FieldStorage()
print("Content-Type: text/plain\\n")
print(form.getlist("a"), form.getfirst("b"), form.getvalue("c"), "a" in form, html.escape("<b>"))
print(json.dumps(json.loads('{"a": [1, "b", null]}')), urllib.parse.parse_qs("a=1"), urllib.parse.quote("a b"))
print(datetime.datetime.now().strftime("%d"), time.strftime("%d/%m/%y", time.localtime()))
"""

# As often as the interpreter watches code before it adapts it, and then some.
TIMES = 20

# The reference count of an immortal object, in the lower half of the field with which each object starts, and the
# versions of Python in which that is so.
IMMORTAL = 0xFFFF_FFFF
VERSIONS = ((3, 12), (3, 13))


def load(names: Iterable[str] = USUAL) -> None:
    """Load modules, and leave out those that are not there."""
    with warnings.catch_warnings():
        # Python 3.11 says that cgi is to go.
        warnings.simplefilter("ignore")
        for name in names:
            with suppress(ImportError):
                importlib.import_module(name)


def use() -> None:
    """Run a service as a fork would."""
    environment = dict(os.environb)
    variables = {b"HTTP_%d" % number: b"value" for number in range(30)}
    request = {b"REQUEST_METHOD": b"GET", b"QUERY_STRING": b"a=1&b=%20&a=3"}
    code = compile(SERVICE, "hello.py", "exec")
    with open(os.devnull, "w", encoding="utf-8") as nothing, redirect_stdout(nothing):
        for _ in range(TIMES):
            main = script.prepare(b"/srv/cgi-bin/hello.py", {**environment, **variables, **request})
            script.become_script(main, environment, code)
    gc.disable()


def share() -> None:
    """Make all that is loaded immortal, and take it away from the garbage collector."""
    gc.collect()
    make_immortal(gc.get_objects())
    gc.freeze()


def make_immortal(objects: list[object]) -> None:
    """Make objects, and all that they refer to, immortal; does nothing in a Python that has no immortal objects."""
    if not VERSIONS[0] <= sys.version_info[:2] <= VERSIONS[1]:
        return
    seen: set[int] = set()
    left = list(objects)
    own = {id(seen), id(left)}
    while left:
        one = left.pop()
        if id(one) in seen or id(one) in own or isinstance(one, FrameType):
            continue
        seen.add(id(one))
        left += gc.get_referents(one)
        ctypes.c_uint32.from_address(id(one)).value = IMMORTAL
