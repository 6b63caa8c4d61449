"""`lab check`: what is judged, what is said of it, what is mended, and that no input makes it fail or hang."""

import json
import os
import re
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cgilab.__main__ import main
from cgilab.checks import mending, services
from cgilab.commands import check as command
from cgilab.diagnosis.mend import BYTE_ORDER_MARK
from cgilab.diagnosis.programs import IMAGE
from cgilab.diagnosis.script import read
from cgilab.project.engine import ROOT

SOUND = b"#!/usr/bin/env python3\nprint('Content-Type: text/plain')\nprint()\nprint('Hello')\n"
LATE = b"#!/usr/bin/env python3\nprint('Content-Type: text/plain\\n')\nprint 'Hello'\n"
UNTYPED = b"#!/usr/bin/env python3\nprint('X-Lesson: 12')\nprint()\nprint('Hello')\n"

# What a Windows folder has not: permissions, and names of any bytes.
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
NOT_ROOT = pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read and write whatever the permissions say"
)

# A hang is a failure, and not the end of the test run.
SECONDS = 20


def put(path: Path, content: bytes = SOUND, mode: int = 0o755) -> Path:
    """Write a file of these permissions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def typed(*words: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Type `lab check` in a process of its own, which has to end in time and without a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "cgilab", "check", *words],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="strict",
        timeout=SECONDS,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def objects(*words: str) -> list[dict[str, object]]:
    """Return what `lab check --json` prints."""
    found: list[dict[str, object]] = json.loads(typed("--json", *words).stdout)
    return found


def heads(printed: str) -> list[str]:
    """Return the lines that tell of a script, and the last one."""
    return [line for line in printed.splitlines() if not line.startswith("  ")]


# --- What is said --------------------------------------------------------------------------------


def test_the_services_of_the_project_are_sound() -> None:
    done = typed(environment={"CGI_BIN": ""})

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"OK   {Path('cgi-bin', 'web_02.py')}",
        f"OK   {Path('cgi-bin', 'web_03.py')}",
        f"OK   {Path('cgi-bin', 'web_04.py')}",
        f"OK   {Path('cgi-bin', 'web_05.py')}",
        "4 scripts: 4 OK, 0 WARN, 0 ERR",
    ]


def test_the_folder_of_the_setting_is_what_is_judged(tmp_path: Path) -> None:
    put(tmp_path / "hello.py")

    assert heads(typed(environment={"CGI_BIN": str(tmp_path)}).stdout)[-1] == "1 script: 1 OK, 0 WARN, 0 ERR"


def test_a_folder_of_the_setting_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = typed(environment={"CGI_BIN": str(tmp_path / "gone")})

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"There is no folder {tmp_path / 'gone'} to check.",
        "  Set CGI_BIN to one that is there.",
    ]


def test_a_line_a_script_and_the_evidence_below_it(tmp_path: Path) -> None:
    put(tmp_path / "good.py")
    late = put(tmp_path / "late.py", LATE)
    untyped = put(tmp_path / "untyped.py", UNTYPED)
    done = typed(str(tmp_path))

    assert done.returncode == 1
    assert heads(done.stdout) == [
        f"OK   {tmp_path / 'good.py'}",
        f"ERR  {late}: {command.faults(read(str(late), programs=IMAGE))[0].finding.sentence}",
        f"WARN {untyped}: {command.faults(read(str(untyped), programs=IMAGE))[0].finding.sentence}",
        "3 scripts: 1 OK, 1 WARN, 1 ERR",
    ]
    assert "         print 'Hello'" in done.stdout.splitlines()
    assert "       more about it: docs/troubleshooting.md#python-2-syntax" in done.stdout.splitlines()


def test_a_warning_alone_is_no_failure(tmp_path: Path) -> None:
    put(tmp_path / "untyped.py", UNTYPED)

    assert typed(str(tmp_path)).returncode == 0


def test_wrong_arguments_are_exit_code_2() -> None:
    assert typed("--mend").returncode == 2


def test_json_has_all_that_is_shown(tmp_path: Path) -> None:
    put(tmp_path / "a.py")
    path = put(tmp_path / "b.py", b"#!/usr/bin/env python\nprint('Content-Type: text/plain\\n')\n")
    good, bad = objects(str(tmp_path))

    assert good == {
        "path": str(tmp_path / "a.py"),
        "level": "OK",
        "cause": None,
        "title": None,
        "sentence": None,
        "evidence": [],
        "fix": [],
        "diff": [],
        "section": None,
    }
    assert set(bad) == set(good)
    assert (bad["path"], bad["level"], bad["cause"]) == (str(path), "ERR", "interpreter-missing")
    assert bad["section"] == "docs/troubleshooting.md#interpreter-missing"
    assert bad["diff"]


@pytest.mark.parametrize(
    ("terminal", "no_color", "coloured"),
    [(True, "", True), (True, "1", False), (False, "", False)],
    ids=["a terminal", "a terminal, NO_COLOR", "a pipe"],
)
def test_colours_are_for_terminals(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, no_color: str, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)

    assert command.is_coloured() is coloured


def test_an_output_that_nobody_reads_any_more_is_no_failure(tmp_path: Path) -> None:
    for number in range(300):
        put(tmp_path / f"{number}.py", LATE)
    program = f"{sys.executable} -m cgilab check {tmp_path} | head -n 1"
    done = subprocess.run(["sh", "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=True)

    assert done.stderr == ""


# --- What is a service ---------------------------------------------------------------------------

TREE = {
    # name: content, permissions, whether it is judged
    "hello.py": (SOUND, 0o755, True),
    "deep/er/hello.py": (SOUND, 0o755, True),
    "no_permission.py": (SOUND, 0o644, True),
    "no_shebang.py": (b"print('Content-Type: text/plain\\n')\n", 0o644, True),
    "empty.py": (b"", 0o644, True),
    "hello.sh": (b"echo\n", 0o644, True),
    "with_mark": (BYTE_ORDER_MARK + SOUND, 0o644, True),
    "wide": (SOUND.decode().encode("utf-16"), 0o644, True),
    "late": (b"\n" + SOUND, 0o644, True),
    "runnable.txt": (b"text", 0o755, True),
    "text_with_shebang.txt": (SOUND, 0o644, True),
    "program": (b"\x7fELF", 0o755, True),
    "data.txt": (b"text", 0o644, False),
    "rows.csv": (b"a,b\n", 0o644, False),
    "state.json": (b"{}", 0o666, False),
    "page.html": (b"<p>", 0o644, False),
    "style.css": (b"p {}", 0o644, False),
    "README": (b"read me", 0o644, False),
    "everything_allowed.json": (b"{}", 0o777, False),
    "importing.py": (b"#!/usr/bin/env python3\nfrom tools import greet\nimport shop.basket as b, more\n", 0o755, True),
    "tools.py": (b"def greet(): pass\nimport deeper\n", 0o644, False),
    "more.py": (b"A = 1\n", 0o644, False),
    "deeper.py": (b"B = 1\n", 0o644, False),
    "shop/__init__.py": (b"", 0o644, False),
    "shop/basket.py": (b"C = 1\n", 0o644, False),
    "__pycache__/tools.cpython-313.pyc": (b"\0", 0o755, False),
    ".git/hooks/commit": (SOUND, 0o755, False),
    ".hidden.py": (SOUND, 0o755, False),
    "hello.py.bak": (SOUND, 0o755, False),
    "hello.py.bak2": (SOUND, 0o755, False),
    "hello.py~": (SOUND, 0o755, False),
}


@POSIX
def test_a_folder_is_the_services_in_it(tmp_path: Path) -> None:
    for name, (content, mode, _) in TREE.items():
        put(tmp_path / name, content, mode)
    found = {Path(path).relative_to(tmp_path).as_posix() for path in services.find(str(tmp_path)).paths}

    assert found == {name for name, (_, _, judged) in TREE.items() if judged}


@POSIX
def test_what_is_named_is_judged_whatever_it_is(tmp_path: Path) -> None:
    text = put(tmp_path / "data.txt", b"text", 0o644)

    assert [one["cause"] for one in objects(str(text))] == ["not-executable"]


def test_nothing_is_judged_twice(tmp_path: Path) -> None:
    path = put(tmp_path / "hello.py")

    assert len(objects(str(path), str(path), str(tmp_path))) == 1


@pytest.mark.parametrize("name", ["importing.py", "tools.py"])
def test_where_there_are_no_permissions_a_module_is_told_by_who_imports_it(name: str) -> None:
    content = TREE[name][0]

    assert services.is_service(name, None, content) is (name == "importing.py")


# --- What is mended ------------------------------------------------------------------------------

WINDOWS = b"#!C:\\Python27\\python.exe\r\nprint('Content-Type: text/plain\\n')\r\nprint('Hello')\r\n"
MENDED = b"#!/usr/bin/env python3\nprint('Content-Type: text/plain\\n')\nprint('Hello')\n"
# What belongs together stays on a line: the formatter would give each its own.
FAULTY = {
    "line endings": SOUND.replace(b"\n", b"\r\n"),
    "byte order mark": BYTE_ORDER_MARK + SOUND,
    "UTF-16, little endian": b"\xff\xfe" + SOUND.decode().encode("utf-16-le"),
    "UTF-16, big endian": b"\xfe\xff" + SOUND.decode().encode("utf-16-be"),
    "interpreter missing": SOUND.replace(b"python3", b"python"),
    "interpreter of Windows": SOUND.replace(b"/usr/bin/env python3", b"C:/Python313/python.exe"),
    "mark and line endings": BYTE_ORDER_MARK + SOUND.replace(b"\n", b"\r\n"),
    "UTF-16 and line endings": SOUND.replace(b"\n", b"\r\n").decode().encode("utf-16"),
    "all of them": (
        BYTE_ORDER_MARK + SOUND.replace(b"/usr/bin/env python3", b"/usr/local/bin/python").replace(b"\n", b"\r\n")
    ).decode().encode("utf-16"),
}  # fmt: skip


@pytest.mark.parametrize("content", FAULTY.values(), ids=FAULTY)
def test_fix_mends_until_nothing_is_left(tmp_path: Path, content: bytes) -> None:
    path = put(tmp_path / "hello.py", content, 0o644)
    done = typed("--fix", str(tmp_path))

    assert done.returncode == 0
    assert path.read_bytes() == SOUND
    assert (tmp_path / "hello.py.bak").read_bytes() == content
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["hello.py", "hello.py.bak"]


@pytest.mark.parametrize("content", FAULTY.values(), ids=FAULTY)
def test_a_second_fix_changes_nothing(tmp_path: Path, content: bytes) -> None:
    put(tmp_path / "hello.py", content, 0o644)
    typed("--fix", str(tmp_path))
    before = {entry.name: entry.stat().st_mtime_ns for entry in tmp_path.iterdir()}

    assert heads(typed("--fix", str(tmp_path)).stdout)[-1] == "1 script: 1 OK, 0 WARN, 0 ERR"
    assert {entry.name: entry.stat().st_mtime_ns for entry in tmp_path.iterdir()} == before


def test_fix_shows_what_it_changes(tmp_path: Path) -> None:
    path = put(tmp_path / "hello.py", BYTE_ORDER_MARK + WINDOWS)

    assert typed("--fix", str(tmp_path)).stdout.splitlines() == [
        f"OK   {path}",
        "       mended:",
        "         removes the byte order mark",
        "         changes 3 line endings from CRLF to LF",
        "         --- hello.py",
        "         +++ hello.py (mended)",
        "         @@ -1,4 +1,4 @@",
        "         -#!C:\\Python27\\python.exe",
        "         +#!/usr/bin/env python3",
        "          print('Content-Type: text/plain\\n')",
        "          print('Hello')",
        "          ",
        f"       what was there: {path}.bak",
        "1 script: 1 OK, 0 WARN, 0 ERR",
    ]
    assert path.read_bytes() == MENDED


def test_fix_leaves_what_takes_a_guess(tmp_path: Path) -> None:
    path = put(tmp_path / "late.py", LATE)

    assert typed("--fix", str(tmp_path)).returncode == 1
    assert path.read_bytes() == LATE
    assert [entry.name for entry in tmp_path.iterdir()] == ["late.py"]


def test_earlier_backups_stay(tmp_path: Path) -> None:
    put(tmp_path / "hello.py", WINDOWS)
    put(tmp_path / "hello.py.bak", b"first")
    put(tmp_path / "hello.py.bak1", b"second")
    typed("--fix", str(tmp_path))

    backups = [(tmp_path / f"hello.py.bak{number}").read_bytes() for number in ("", 1, 2)]
    assert backups == [b"first", b"second", WINDOWS]


@POSIX
def test_the_permission_alone_needs_no_backup(tmp_path: Path) -> None:
    path = put(tmp_path / "hello.py", mode=0o640)
    typed("--fix", str(tmp_path))

    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert [entry.name for entry in tmp_path.iterdir()] == ["hello.py"]


@POSIX
def test_permissions_are_kept(tmp_path: Path) -> None:
    path = put(tmp_path / "hello.py", WINDOWS, 0o711)
    typed("--fix", str(tmp_path))

    assert stat.S_IMODE(path.stat().st_mode) == 0o711


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root alone can give files away")
def test_the_owner_is_kept(tmp_path: Path) -> None:
    path = put(tmp_path / "hello.py", WINDOWS)
    os.chown(path, 4242, 4243)
    typed("--fix", str(tmp_path))

    assert (path.read_bytes(), path.stat().st_uid, path.stat().st_gid) == (MENDED, 4242, 4243)


@POSIX
def test_a_symbolic_link_is_not_mended_but_named(tmp_path: Path) -> None:
    target = put(tmp_path / "elsewhere" / "hello.py", WINDOWS)
    link = tmp_path / "services" / "hello.py"
    link.parent.mkdir()
    link.symlink_to(target)
    done = typed("--fix", str(link))

    reason = f"not mended. It is a symbolic link. Mend what it leads to:  lab check --fix {target}"
    assert reason in [line.strip() for line in done.stdout.splitlines()]
    assert (done.returncode, link.is_symlink(), target.read_bytes()) == (1, True, WINDOWS)


def test_a_large_script_is_mended_to_its_end(tmp_path: Path) -> None:
    content = SOUND + b"# filler\n" * 200_000
    path = put(tmp_path / "large.py", content.replace(b"\n", b"\r\n"))
    typed("--fix", str(tmp_path))

    assert path.read_bytes() == content


def test_a_script_that_was_changed_meanwhile_stays(tmp_path: Path) -> None:
    path = put(tmp_path / "hello.py", WINDOWS)
    script = read(str(path), programs=IMAGE)
    change = mending.plan(script)
    assert change is not None
    path.write_bytes(b"#!/bin/sh\n")

    with pytest.raises(mending.NotMended, match="changed meanwhile"):
        mending.apply(script, change)
    assert path.read_bytes() == b"#!/bin/sh\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["hello.py"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("number", [1, 2])
def test_nothing_is_lost_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    path = put(tmp_path / "hello.py", WINDOWS)
    real, calls = getattr(os, step), iter(range(1, 10))

    def full(*arguments: object) -> object:
        if next(calls) == (number if step == "fsync" else 1):
            raise OSError(28, "No space left on device")
        return real(*arguments)

    monkeypatch.setattr(os, step, full)
    report = command.judged(str(path), fix=True)

    assert report.kept == "It cannot be written: No space left on device."
    assert (report.level, path.read_bytes()) == ("ERR", WINDOWS)
    assert [entry.name for entry in tmp_path.iterdir()] == ["hello.py"]


@POSIX
@NOT_ROOT
def test_nothing_is_lost_in_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    path = put(tmp_path / "closed" / "hello.py", WINDOWS)
    path.parent.chmod(0o555)
    report = command.judged(str(path), fix=True)
    path.parent.chmod(0o755)

    assert report.kept == "It cannot be written: Permission denied."
    assert path.read_bytes() == WINDOWS


@POSIX
def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "hello.py", WINDOWS)

    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", refuse)

    assert command.judged(str(path), fix=True).kept == "It cannot be written: Read-only file system."


# --- Bad input -----------------------------------------------------------------------------------

NAMES = {
    "a space": "my script.py",
    "quotes": 'it\'s "mine".py',
    "a line break": "two\nlines.py",
    "an escape sequence": "\x1b[31mred\x1b]0;title\x07.py",
    "HTML": "<b onclick=alert(1)>.py",
    "from right to left": "evil\u202eyp.exe.py",
    "no UTF-8": os.fsdecode(b"caf\xe9.py"),
    "a hyphen first": "--fix.py",
}


@POSIX
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("content", [SOUND, LATE, WINDOWS], ids=["sound", "wrong", "mended"])
def test_any_name_is_printed_safely(tmp_path: Path, name: str, content: bytes) -> None:
    put(tmp_path / name, content)
    done = typed(str(tmp_path))
    fixed = typed("--fix", str(tmp_path))

    assert len(heads(done.stdout)) == 2
    for line in (done.stdout + fixed.stdout + done.stderr + fixed.stderr).splitlines():
        assert line.isprintable(), repr(line)
    assert [one["level"] for one in objects(str(tmp_path))] == ["ERR" if content == LATE else "OK"]


def deep(text: str, count: int) -> bytes:
    """Return a script that repeats something that the compiler has to keep in mind."""
    return f"#!/usr/bin/env python3\nx = {text * count}1\n".encode()


# What belongs together stays on a line: the formatter would give each its own.
LARGE = {
    "10 MB": SOUND + b"# a comment as long as a line of a program is\n" * 220_000,
    "10 MB of statements": SOUND + b"x = 1\n" * 1_700_000,
    "one line of 5 MB": b"#!/usr/bin/env python3\nx = '" + b"a" * 5_000_000 + b"'\n",
    "a first line of 5 MB": b"#!/usr/bin/env " + b"a" * 5_000_000 + b"\n",
    "5 MB of shell in one line": b"#!/bin/sh\necho " + b"a" * 5_000_000 + b"\n",
    "900 KB of statements": SOUND + b"x = 1\n" * 150_000,
    "one line of 900 KB": b"#!/usr/bin/env python3\nprint('" + b"a" * 900_000 + b"')\n",
    "one sum of 100 000": b"#!/usr/bin/env python3\nx = 1" + b"+1" * 100_000 + b"\n",
    "5 MB of nulls": b"\0" * 5_000_000,
    "nulls in a source": b"#!/usr/bin/env python3\nx = '\0'\n",
    "brackets": deep("(", 5_000),
    "many brackets": deep("(", 100_000),
    "signs": deep("-", 50_000),
    "not": deep("not ", 100_000),
    "lambdas": deep("lambda: ", 20_000),
    "attributes": b"#!/usr/bin/env python3\nx = a" + b".a" * 100_000 + b"\n",
    "calls": b"#!/usr/bin/env python3\nx = a" + b"()" * 100_000 + b"\n",
    "texts added": b"#!/usr/bin/env python3\nprint(" + b"'a' + " * 3_000 + b"'')\n",
    "blocks": b"#!/usr/bin/env python3\n" + b"".join(b" " * n + b"if 1:\n" for n in range(2_000)) + b"\n",
    "else if": b"#!/usr/bin/env python3\nif 1: pass\n" + b"elif 1: pass\n" * 20_000,
    "blanks before #!": b" " * 900_000 + SOUND,
    "line breaks before #!": b"\n" * 900_000 + SOUND,
    "comments before #!": b"#\n" * 400_000 + SOUND,
    "carriage returns": b"#!/usr/bin/env python3\r" + b"\r" * 900_000,
    "opened quotes": b"#!/bin/sh\n" + b"echo \"" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("content", LARGE.values(), ids=LARGE)
@pytest.mark.parametrize("options", [(), ("--fix",)], ids=["judged", "mended"])
def test_large_and_deep_scripts_are_judged_in_time(tmp_path: Path, content: bytes, options: tuple[str, ...]) -> None:
    path = put(tmp_path / "large.py", content)
    done = typed(*options, str(path))

    assert (done.returncode in {0, 1}, done.stderr) == (True, "")
    assert re.fullmatch(r"1 script: . OK, . WARN, . ERR", heads(done.stdout)[-1])
    assert len(done.stdout) < 20_000


@POSIX
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")

    assert [(one["level"], one["cause"]) for one in objects(str(tmp_path))] == [("ERR", "unknown")]
    assert [(one["level"], one["cause"]) for one in objects("--fix", str(tmp_path / "pipe.py"))] == [("ERR", "unknown")]


@POSIX
def test_a_device_without_end_is_not_read() -> None:
    assert [(one["level"], one["cause"]) for one in objects("--fix", "/dev/zero")] == [("ERR", "unknown")]


LINKS = {
    "a loop": ("loop.py", "loop.py", "link-not-followed"),
    "a loop of folders": ("folder", ".", None),
    "nowhere": ("gone.py", "missing.py", "link-not-followed"),
    "out of the folder": ("out.py", "../outside.py", "link-not-followed"),
    "out of the folder, as a whole path": ("whole.py", "/bin/true", "link-not-followed"),
    "a neighbour": ("same.py", "hello.py", "ok"),
    "a path of the container": ("there.py", "/srv/cgi-bin/hello.py", "link-not-followed"),
}


@POSIX
@pytest.mark.parametrize(("name", "target", "cause"), LINKS.values(), ids=LINKS)
def test_symbolic_links(tmp_path: Path, name: str, target: str, cause: str | None) -> None:
    put(tmp_path / "outside.py")
    folder = tmp_path / "services"
    put(folder / "hello.py")
    (folder / name).symlink_to(target)
    done = typed("--json", str(folder), environment={"CGI_BIN": str(folder)})
    found = {Path(one["path"]).name: one["cause"] or "ok" for one in json.loads(done.stdout)}

    assert found == {"hello.py": "ok"} | ({name: cause} if cause else {})


@POSIX
@NOT_ROOT
def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    put(tmp_path / "closed" / "hello.py")
    put(tmp_path / "hello.py")
    (tmp_path / "closed").chmod(0)
    found = [(one["level"], one["cause"]) for one in objects(str(tmp_path))]
    (tmp_path / "closed").chmod(0o755)

    assert found == [("OK", None), ("ERR", "folder-closed")]


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)

    assert services.of([str(tmp_path)]) == services.Found([], [str(tmp_path)])
    assert main(["check", str(tmp_path)]) == 1


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    put(tmp_path / "hello.py")

    assert [(one["level"], one["cause"]) for one in objects(str(tmp_path / "helo.py"))] == [("ERR", "not-found")]


@pytest.mark.parametrize("path", ["a\0b", "", "x" * 5000, "\udcff", "/" * 5000], ids=ascii)
def test_a_path_that_no_file_can_have(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", path]) in {0, 1}
    assert len(capsys.readouterr().out) > 0


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    done = typed(str(tmp_path))

    assert (done.returncode, done.stdout) == (0, f"check: no script in {tmp_path}\n")
    assert objects(str(tmp_path)) == []


def test_a_script_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = put(tmp_path / "hello.py")
    end = threading.Event()

    def write() -> None:
        for content in iter(lambda: (SOUND, b"", WINDOWS * 1000, LATE)[time.monotonic_ns() % 4], None):
            path.write_bytes(content)
            if end.is_set():
                break

    writer = threading.Thread(target=write)
    writer.start()
    try:
        levels = {report.level for report in (command.judged(str(path), fix=True) for _ in range(200))}
    finally:
        end.set()
        writer.join()

    assert levels <= {"OK", "WARN", "ERR"}
    assert not [entry.name for entry in tmp_path.iterdir() if entry.name.endswith(".new")]


# What belongs together stays on a line: the formatter would give each its own.
PIECES = st.sampled_from(
    [b"#!", b"/usr/bin/env ", b"python3", b"\n", b"\r\n", b"\r", b" ", b"\t", b"print(", b"'Content-Type: text/html",
     b"'", b'"', b")", b":", b"{", b"}", b"%s", b"\\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"import ", b"cgi",
     b"def f",
     b"(", b"sys.exit(", b"os.system(", b"print ", b"\xc3\xa9", b"\xe9", b"#", b"echo ", b"/bin/sh", b"-u", b"\\x",
     b"f'",
     b"C:\\Python27\\python.exe", b"subprocess.run(", b"sys.stdout.write(", b"if __name__ == '__main__'", b"    ",
     b"raise ", b"* 99999999", b"from . import ", b".format(", b"from x import *", b"class A", b"else", b"$(", b"`"]
)  # fmt: skip
SOURCES = st.one_of(
    st.binary(max_size=200),
    st.lists(PIECES, max_size=25).map(b"".join),
    st.lists(PIECES, max_size=25).map(lambda parts: b"#!/usr/bin/env python3\n" + b"".join(parts)),
    st.lists(PIECES, max_size=25).map(lambda parts: b"#!/bin/sh\n" + b"".join(parts)),
    st.text(max_size=80).map(lambda text: text.encode("utf-16", errors="surrogatepass")),
)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=SOURCES, name=st.sampled_from(["a.py", "a.sh", "a", "nph-a.py", "a.txt", "A.PY"]))
@example(content=b"#!\n", name="a.py")
@example(content=b"#!/usr/bin/env\n", name="a.py")
@example(content=b"#! \r\n", name="a")
@example(content=b"#!/bin/sh\n" + b"\r\n", name="a.sh")
def test_any_bytes_are_judged_and_mended(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    path.chmod(0o644)
    first = command.judged(str(path), fix=True)
    second = command.judged(str(path), fix=True)

    assert second.changes == ()
    assert all(
        line.isprintable()
        for line in "\n".join(command.as_lines(first, coloured=False)).split("\n")
        if "\t" not in line
    )
    assert json.dumps(command.as_objects(second))
    for left in tmp_path.iterdir():
        left.unlink()
