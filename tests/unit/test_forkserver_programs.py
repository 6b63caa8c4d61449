"""Which scripts the forkserver runs itself, which it starts as programs, and what it remembers of them."""

import os
import sys
import time
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import CodeType

import pytest

from cgilab.forkserver.programs import KEPT, SETTLED, Programs, compiled, packed, unpacked

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHER = f"{sys.version_info.major}.{sys.version_info.minor + 1}"
CODE = "print('Hello')\n"

needs_modes = pytest.mark.skipif(os.name == "nt", reason="Windows has no permission to execute a file")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The path of a script in a folder of its own."""
    folder = tmp_path / "cgi-bin"
    folder.mkdir()
    return folder / "hello.py"


def write(path: Path, content: str | bytes) -> bytes:
    """Write a script, and return its path."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o755)
    return os.fsencode(path)


# --- What is run here -----------------------------------------------------------------------------

RUN_HERE: dict[str, str | bytes] = {
    "python3": f"#!/usr/bin/python3\n{CODE}",
    "its version": f"#!/usr/bin/python{VERSION}\n{CODE}",
    "env": f"#!/usr/bin/env python3\n{CODE}",
    "env and its version": f"#!/usr/bin/env python{VERSION}\n{CODE}",
    "blanks": f"#! \t/usr/bin/env \t python3 \t\n{CODE}",
    "nothing behind it": "#!/usr/bin/python3\n",
    "a coding": f"#!/usr/bin/python3\n# -*- coding: latin-1 -*-\n{CODE}# \xe9".encode("latin-1"),
    "UTF-8 in a comment": f"#!/usr/bin/python3\n# \xe9\n{CODE}",
    "CRLF below the first line": f"#!/usr/bin/python3\n{CODE}\r\n",
}

STARTED: dict[str, str | bytes] = {
    "nothing in it": "",
    "no first line": CODE,
    "a first line without an end": "#!/usr/bin/python3",
    "CRLF": f"#!/usr/bin/python3\r\n{CODE}",
    "a byte order mark": f"\ufeff#!/usr/bin/python3\n{CODE}",
    "a blank before": f" #!/usr/bin/python3\n{CODE}",
    "an empty line before": f"\n#!/usr/bin/python3\n{CODE}",
    "an option": f"#!/usr/bin/python3 -u\n{CODE}",
    "an option behind env": f"#!/usr/bin/env -S python3 -u\n{CODE}",
    "an option of env alone": f"#!/usr/bin/env -S python3\n{CODE}",
    "a variable behind env": f"#!/usr/bin/env A=b python3\n{CODE}",
    "python": f"#!/usr/bin/python\n{CODE}",
    "another version": f"#!/usr/bin/python{OTHER}\n{CODE}",
    "another folder": f"#!/usr/local/bin/python3\n{CODE}",
    "a name alone": f"#!python3\n{CODE}",
    "another interpreter": "#!/bin/sh\necho\n",
    "no text": b"\x7fELF\x02\x01\x01\0",
    "a syntax error": "#!/usr/bin/python3\nprint 'Hello'\n",
    "an indent too many": "#!/usr/bin/python3\n  print('Hello')\n",
    "a syntax warning": "#!/usr/bin/python3\nprint(1 is 1)\n",
    "an escape that is none": "#!/usr/bin/python3\nprint('\\d')\n",
    "Latin-1 in a comment": f"#!/usr/bin/python3\n{CODE}{CODE}# \xe9\n".encode("latin-1"),
    "Latin-1 in a text": "#!/usr/bin/python3\nprint('\xe9')\n".encode("latin-1"),
    "a coding that is none": f"#!/usr/bin/python3\n# coding: klingon\n{CODE}",
    "a zero byte": f"#!/usr/bin/python3\n{CODE}\0\n",
    "too deep": f"#!/usr/bin/python3\n{'(' * 1000}{')' * 1000}\n",
}


@pytest.mark.parametrize("content", RUN_HERE.values(), ids=RUN_HERE)
def test_code_that_is_run_here(script: Path, content: str | bytes) -> None:
    code = compiled(write(script, content))

    assert code is not None
    assert (code.co_filename, code.co_name) == (str(script), "<module>")


@pytest.mark.parametrize("content", STARTED.values(), ids=STARTED)
def test_what_is_started_as_a_program(script: Path, content: str | bytes) -> None:
    assert compiled(write(script, content)) is None


@needs_modes
def test_one_that_may_not_be_executed(script: Path) -> None:
    path = write(script, RUN_HERE["python3"])
    script.chmod(0o644)

    assert compiled(path) is None


def test_one_that_is_not_there(script: Path) -> None:
    path = os.fsencode(script)

    assert compiled(path) is None
    assert Programs([]).look_up(path) == (None, None)


def test_the_options_of_this_package_are_none_of_a_script_s(script: Path) -> None:
    """`from __future__ import …` holds for the file in which it stands."""
    code = compiled(write(script, "#!/usr/bin/python3\n"))

    assert code is not None
    assert code.co_flags & 0xFFFF0000 == 0


# --- What is remembered ---------------------------------------------------------------------------

Later = Callable[[int], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Lets so many nanoseconds pass, as far as the forkserver looks at a clock."""
    passed = 0

    def let_pass(nanoseconds: int) -> None:
        nonlocal passed
        passed += nanoseconds

    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + passed)
    return let_pass


def code_of(path: bytes) -> CodeType:
    code = compiled(path)
    assert code is not None
    return code


def remembered(programs: Programs, path: bytes) -> CodeType:
    """Have the code of a script remembered."""
    state, _ = programs.look_up(path)
    assert state is not None
    code = code_of(path)
    programs.remember(path, state, code)
    return code


def test_code_is_known_once_it_is_remembered(script: Path, later: Later) -> None:
    path = write(script, RUN_HERE["python3"])
    programs = Programs(["json"])
    later(SETTLED)
    state, before = programs.look_up(path)
    code = remembered(programs, path)

    assert (state is None, before) == (False, None)
    assert programs.look_up(path) == (state, code)


def test_a_program_is_known_as_one(script: Path, later: Later) -> None:
    path = write(script, STARTED["another interpreter"])
    programs = Programs([])
    later(SETTLED)
    state, _ = programs.look_up(path)
    assert state is not None
    programs.remember(path, state, compiled(path))

    assert programs.look_up(path) == (None, None)


def test_a_file_that_has_just_changed_is_not_remembered(script: Path, later: Later) -> None:
    """It may change again within the same tick of the kernel's clock."""
    path = write(script, RUN_HERE["python3"])
    programs = Programs([])
    remembered(programs, path)
    at_once = programs.look_up(path)
    later(SETTLED)
    remembered(programs, path)

    assert at_once[1] is None
    assert programs.look_up(path)[1] is not None


@pytest.mark.parametrize("how", ["written", "replaced", "touched", "closed"])
def test_a_file_that_is_not_as_it_was_is_looked_at_anew(script: Path, later: Later, how: str) -> None:
    path = write(script, "#!/usr/bin/python3\n'old'\n")
    programs = Programs([])
    later(SETTLED)
    remembered(programs, path)
    state, _ = programs.look_up(path)
    before = script.stat()
    if how == "written":
        write(script, "#!/usr/bin/python3\n'new'\n")
        os.utime(script, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif how == "replaced":
        new = script.with_suffix(".new")
        write(new, "#!/usr/bin/python3\n'new'\n")
        os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
        new.replace(script)
    elif how == "touched":
        os.utime(script, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    else:
        script.chmod(0o700)
    changed, code = programs.look_up(path)

    assert (changed == state, code) == (False, None)


def test_code_of_a_file_that_was_replaced_meanwhile_is_not_taken_for_the_new_one_s(script: Path, later: Later) -> None:
    path = write(script, "#!/usr/bin/python3\n'old'\n")
    programs = Programs([])
    later(SETTLED)
    state, _ = programs.look_up(path)
    assert state is not None
    code = code_of(path)
    new = script.with_suffix(".new")
    write(new, "#!/usr/bin/python3\n'new'\n")
    new.replace(script)
    programs.remember(path, state, code)

    assert programs.look_up(path)[1] is None


def test_the_code_of_so_many_scripts_is_kept(script: Path, later: Later) -> None:
    paths = [write(script.with_name(f"{number}.py"), RUN_HERE["python3"]) for number in range(KEPT + 1)]
    programs = Programs([])
    later(SETTLED)
    for path in paths:
        remembered(programs, path)

    assert [path for path in paths if programs.look_up(path)[1] is None] == paths[:1]


# --- What hides a module --------------------------------------------------------------------------

HIDING = {
    "a module": ("json.py", True),
    "compiled": ("json.pyc", True),
    "an extension": (f"json{EXTENSION_SUFFIXES[0]}", True),
    "a folder": ("json", True),
    "what a script is compiled with": ("tokenize.py", True),
    "a file that is none": ("json.txt", False),
    "one of two endings": ("json.py.txt", False),
    "another name": ("json_of_mine.py", False),
    "a name of another case": ("JSON.py", False),
    "a module that is not loaded": ("csv.py", False),
}


@pytest.mark.parametrize(("name", "hides"), HIDING.values(), ids=HIDING)
def test_a_neighbour_hides_a_module(script: Path, name: str, hides: bool) -> None:
    path = write(script, RUN_HERE["python3"])
    script.with_name(name).mkdir()

    assert (Programs(["json", "html"]).look_up(path) == (None, None)) is hides


def test_a_neighbour_that_comes_hides_a_module_of_a_script_that_is_known(script: Path, later: Later) -> None:
    path = write(script, RUN_HERE["python3"])
    programs = Programs(["json"])
    later(SETTLED)
    code = remembered(programs, path)
    script.with_name("json.py").touch()
    hidden = programs.look_up(path)
    script.with_name("json.py").unlink()

    assert hidden == (None, None)
    assert programs.look_up(path)[1] is code


def test_a_folder_that_has_just_changed_is_looked_at_again(script: Path) -> None:
    """A neighbour may come within the same tick of the kernel's clock."""
    path = write(script, RUN_HERE["python3"])
    programs = Programs(["json"])
    before = script.parent.stat()
    assert programs.look_up(path)[0] is not None
    script.with_name("json.py").touch()
    os.utime(script.parent, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert programs.look_up(path) == (None, None)


# --- What goes from a child to the server ---------------------------------------------------------


def test_code_is_packed_and_unpacked(script: Path) -> None:
    code = code_of(write(script, RUN_HERE["python3"]))

    assert unpacked(packed(code)) == code
    assert unpacked(packed(None)) is None


def test_code_that_is_cut_off_is_none(script: Path) -> None:
    content = packed(code_of(write(script, RUN_HERE["python3"])))

    assert [unpacked(content[:end]) for end in range(len(content))] == [None] * len(content)


def test_what_is_no_code_is_none() -> None:
    assert unpacked(b"i\x01\0\0\0") is None
