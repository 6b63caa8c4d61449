"""From a file to a running interpreter: what the kernel and ``env`` refuse."""

import re

from cgilab.diagnosis import mend
from cgilab.diagnosis.model import Evidence, Exhibit, Finding
from cgilab.diagnosis.observed import (
    bytes_exhibit,
    env_failure,
    exec_error,
    line_exhibit,
    log_exhibits,
    said,
    source_line,
)
from cgilab.diagnosis.reaching import quoted
from cgilab.diagnosis.script import Script

NO_SUCH_FILE = 2
PERMISSION_DENIED = 13
FORMAT_ERROR = 8
# No such file, no permission to search a folder, not a folder, too many links: the interpreter's path leads nowhere.
NOWHERE = {2, 20, 36, 40}
# Windows: the system cannot find the file, or the path; access is denied; no valid program.
WINDOWS_NOWHERE = {2, 3, 720002, 720003}
WINDOWS_FORMAT = {8, 193, 720193}

PROGRAMS = {
    b"\x7fELF": "a compiled Linux program",
    b"MZ": "a Windows program",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a compressed file",
    b"\xca\xfe\xba\xbe": "a program for macOS or a Java class",
    b"\xcf\xfa\xed\xfe": "a program for macOS",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
}

FIX = "Or type:  python3 -m cgilab check --fix cgi-bin/{}"

BODY_LINES = 400

SHELLS = {"sh", "bash", "dash", "ash", "ksh", "zsh"}
PYTHON_CODE = re.compile(
    rb"^(?:import [\w., ]+|from [\w.]+ import .+|def \w+\(.*\).*:|print\(.*\)|class \w+.*:)\s*(?:#.*)?$", re.MULTILINE
)
SHELL_CODE = re.compile(rb"^(?:echo .+|fi|done|esac|if \[.*|for \w+ in .*; *do)\s*$", re.MULTILINE)
WINDOWS_PATH = re.compile(r"^\"?[A-Za-z]:|\\|\.exe\b", re.IGNORECASE)
OTHER_LANGUAGES = {
    "PHP": "The lab runs scripts of Python and of the shell under /cgi-bin/; write it in one of them.",
    "Perl": "The container has no perl: write the script in Python or for the shell.",
    "HTML": "A page that nobody computes belongs into the folder www.",
}
FOUND_IN_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")


def first_line(script: Script) -> list[Exhibit]:
    """Return a script's first line as evidence, and its bytes."""
    start = script.content.partition(b"\n")
    line = (start[0] + start[1])[:64]
    return [*line_exhibit(script, 1), bytes_exhibit(line, "its bytes")] if line else []


def empty_file(evidence: Evidence) -> Finding | None:
    """Nothing is in the file."""
    script = evidence.script
    return before_empty_file(script) if script and exec_error(evidence) == FORMAT_ERROR else None


def before_empty_file(script: Script) -> Finding | None:
    """The same, of a file alone; a file of nothing but white space is as empty."""
    if script.kind != "file" or script.content.strip():
        return None
    what = "is empty (0 bytes)" if not script.content else "holds nothing but blank lines"
    return Finding(
        f"{script.name} {what}: it was perhaps never saved.",
        [Exhibit(f"size of {script.name}", (f"{len(script.content)} bytes",))],
        ["Save the script from your editor again, and look whether the disk is full."],
    )


def byte_order_mark(evidence: Evidence) -> Finding | None:
    """Three bytes stand before the first line."""
    script = evidence.script
    started = exec_error(evidence) == FORMAT_ERROR or said(evidence, "#!", "\ufeff", "not found") is not None
    return before_byte_order_mark(script) if script and started else None


def before_byte_order_mark(script: Script) -> Finding | None:
    """The same, of a file alone."""
    if not script.content.startswith(mend.BYTE_ORDER_MARK):
        return None
    return Finding(
        f"{script.name} starts with a byte order mark (BOM): three invisible bytes before the #! of its first line.",
        [bytes_exhibit(script.content[:24], f"the first bytes of {script.name}")],
        ["Save it as 'UTF-8', not as 'UTF-8 with BOM'.", FIX.format(quoted(script.name))],
        mended=mend.byte_order_mark(script.content),
    )


def utf_16(evidence: Evidence) -> Finding | None:
    """Two bytes a character."""
    script = evidence.script
    failed = exec_error(evidence) == FORMAT_ERROR or said(evidence, "null bytes") is not None
    return before_utf_16(script) if script and failed else None


def before_utf_16(script: Script) -> Finding | None:
    """The same, of a file alone."""
    encoding = mend.encoding_of_utf_16(script.content)
    if encoding is None:
        return None
    return Finding(
        f"{script.name} is saved as UTF-16 ('Unicode' in some Windows editors), two bytes a character.",
        [bytes_exhibit(script.content[:24], f"the first bytes of {script.name}")],
        ["Save it as 'UTF-8'.", FIX.format(quoted(script.name))],
        mended=mend.utf_16(script.content) if script.whole else None,
    )


def foreign_program(evidence: Evidence) -> Finding | None:
    """Something that is not a script, and no program for this system."""
    script = evidence.script
    return before_foreign_program(script, failed=True) if script and exec_error(evidence) in {FORMAT_ERROR, 2} else None


def before_foreign_program(script: Script, *, failed: bool = False) -> Finding | None:
    """The same, of a file alone; a Linux program is only known to be foreign once it has failed."""
    kind = next((kind for magic, kind in PROGRAMS.items() if script.content.startswith(magic)), None)
    if kind is None or (script.content.startswith(b"\x7fELF") and not failed and _is_for_this_machine(script)):
        return None
    return Finding(
        f"{script.name} is {kind}, which this system cannot run.",
        [bytes_exhibit(script.content[:24], f"the first bytes of {script.name}")],
        ["Put a script there, or a program that was compiled for Linux and this machine's processor."],
    )


def _is_for_this_machine(script: Script) -> bool:
    """Compare the processor of an ELF file (``e_machine``, elf(5)) with this machine's."""
    import platform

    numbers = {"x86_64": 62, "amd64": 62, "aarch64": 183, "arm64": 183}
    mine = numbers.get(platform.machine().lower())
    return mine is None or int.from_bytes(script.content[18:20], "little") == mine


def no_shebang(evidence: Evidence) -> Finding | None:
    """No ``#!`` at the very beginning."""
    error = exec_error(evidence)
    if error not in {FORMAT_ERROR, *WINDOWS_FORMAT} and said(evidence, "don't know how to spawn child process") is None:
        return None
    if evidence.script is not None:
        return before_no_shebang(evidence.script)
    return Finding(
        f"{evidence.name} could not be run as it is: its first line does not begin with #! and an interpreter, or "
        "something invisible stands before it.",
        log_exhibits(evidence),
        [f"The first line is to be:  {mend.SHEBANG.decode()}"],
    )


def before_no_shebang(script: Script) -> Finding | None:
    """The same, of a file alone."""
    if script.kind != "file" or script.content.startswith((b"#!", *PROGRAMS)) or not script.content.strip():
        return None
    if misspelt := re.match(rb"(?:!#|#\s+!|#)[ \t]*(/[\w/.-]+[^\r\n]*)", script.content):
        line = f"#!{misspelt[1].decode(errors='replace')}"
        return Finding(
            f"The first line of {script.name} is meant to name its interpreter, but does not begin with #!.",
            first_line(script),
            [f"The first line is to be:  {line}"],
            mended=mend.replaced_line(script.content, 1, line),
        )
    late = mend.late_shebang(script.content)
    if late is not None:
        place = script.content.count(b"\n", 0, len(script.content) - len(late)) + 1
        where = "the very first line" if place > 1 else "the very first character of the line"
        sentence = f"The #! of {script.name} stands on line {place}, and not in {where}, so the system does not see it."
        return Finding(sentence, first_line(script), ["Remove what stands before #!."], mended=late)
    mended = mend.shebang(script.content, "python3") if script.name.lower().endswith(".py") else None
    return Finding(
        f"{script.name} does not say what is to run it: its first line does not begin with #! and an interpreter.",
        first_line(script),
        [f"Put this before its first line:  {mend.SHEBANG.decode()}"],
        mended=mended,
    )


def windows_interpreter(evidence: Evidence) -> Finding | None:
    """A path of Windows, where there is none."""
    script = evidence.script
    failed = exec_error(evidence) in NOWHERE or env_failure(evidence) is not None
    return before_windows_interpreter(script) if script and failed else None


def before_windows_interpreter(script: Script) -> Finding | None:
    """The same, of a file alone."""
    shebang = script.shebang.decode(errors="replace").rstrip("\r")
    if not WINDOWS_PATH.search(shebang):
        return None
    return Finding(
        f"{script.name} names an interpreter of Windows: {shebang}",
        first_line(script),
        [f"The first line is to be:  {mend.SHEBANG.decode()}"],
        mended=mend.shebang(mend.line_endings(script.content), script.language.rstrip("\r")),
    )


def windows_line_endings(evidence: Evidence) -> Finding | None:
    """A carriage return that became part of the interpreter's name, of an option, or of a shell's words."""
    script = evidence.script
    stopped = exec_error(evidence) in NOWHERE
    name, tail = env_failure(evidence) or ("", "")
    by_env = "\\r" in tail or name.endswith(("\r", "\\r"))
    by_shell = bool(evidence.stderr) and script is not None and script.language in SHELLS
    by_option = said(evidence, "Unknown option: -", "unknown option -", "invalid option") is not None
    if script is None:
        if not by_env:
            return None
        return Finding(
            f"{evidence.name} was saved with Windows line endings: a carriage return became part of the "
            "interpreter's name.",
            log_exhibits(evidence),
            ["Save it with Unix line endings (LF).", f"Or type:  sed -i 's/\\r$//' {evidence.name}"],
        )
    by_file = said(evidence, "can't open file") is not None
    return before_windows_line_endings(script) if stopped or by_env or by_shell or by_option or by_file else None


def before_windows_line_endings(script: Script) -> Finding | None:
    """The same, of a file alone. Python takes them in all lines but the first; a shell takes them in none."""
    first = script.content.partition(b"\n")[0]
    # `env -S` splits what it is given at white space, and a carriage return is that.
    splits = re.match(rb"#!\s*\S*/env\s+-\w*S", first) is not None
    in_first = first.startswith(b"#!") and first.endswith(b"\r") and not splits
    in_shell = script.language in SHELLS and b"\r\n" in script.content
    if not (in_first or in_shell):
        return None
    number = 1 if in_first else script.content[: script.content.index(b"\r\n")].count(b"\n") + 1
    line = script.lines[number - 1][:64] + b"\r\n"
    count = script.content.count(b"\r\n")
    of_what = "the interpreter's name" if in_first else "the command"
    return Finding(
        f"{script.name} was saved with Windows line endings (CRLF): the carriage return at the end of line {number} "
        f"becomes part of {of_what}.",
        [*line_exhibit(script, number), bytes_exhibit(line, "its bytes: 0d is the carriage return")],
        [
            f"Save it with Unix line endings (LF) in your editor: {count} lines have others.",
            FIX.format(quoted(script.name)),
        ],
        mended=mend.line_endings(script.content) if script.whole else None,
    )


def interpreter_arguments(evidence: Evidence) -> Finding | None:
    """``env`` takes all that follows it for one name."""
    if evidence.script is not None:
        return before_interpreter_arguments(evidence.script) if evidence.stderr else None
    name, _ = env_failure(evidence) or ("", "")
    if " " not in name.strip():
        return None
    return Finding(
        f"The first line of {evidence.name} gives env more than one word, which Linux passes on as one: {name}",
        log_exhibits(evidence),
        [f"The first line is to be:  #!/usr/bin/env -S {name}"],
    )


def before_interpreter_arguments(script: Script) -> Finding | None:
    """The same, of a file alone."""
    words = script.shebang.decode(errors="replace").rstrip("\r").split()
    by_env = bool(words) and words[0].endswith("/env")
    if by_env and (len(words) < 3 or words[1].startswith("-") or "=" in words[1]):  # noqa: PLR2004 - env, NAME, …
        return None
    # Two words are an interpreter and an option; perl reads the line again by itself.
    if not by_env and (len(words) < 2 or (len(words) == 2 and words[1][0] != "#") or "perl" in words[0]):  # noqa: PLR2004
        return None
    program = words[1] if by_env else words[0].rpartition("/")[2]
    arguments = " ".join(words[2 if by_env else 1 :]).partition("#")[0].strip()
    fixed = f"#!/usr/bin/env -S {program} {arguments}" if arguments else f"#!{' '.join(words[: 2 if by_env else 1])}"
    if not by_env:
        return Finding(
            f"The first line of {script.name} gives {program} more than one word, and Linux passes them on as one: "
            f"{' '.join(words[1:])!r} is nothing that {program} knows.",
            line_exhibit(script, 1),
            [f"The first line is to be:  {fixed}"],
            mended=mend.replaced_line(script.content, 1, fixed),
        )
    return Finding(
        f"The first line of {script.name} gives env more than one word, and Linux passes them on as one: "
        f"{' '.join(words[1:])!r} is no program.",
        line_exhibit(script, 1),
        [f"The first line is to be:  {fixed}"],
        mended=mend.replaced_line(script.content, 1, fixed),
    )


def interpreter_missing(evidence: Evidence) -> Finding | None:
    """No file is where the first line leads."""
    error = exec_error(evidence)
    name, _ = env_failure(evidence) or ("", "")
    script = evidence.script
    if error not in NOWHERE | WINDOWS_NOWHERE and (not name or " " in name):
        return None
    if script is None or not script.shebang:
        return Finding(
            f"The interpreter that the first line of {evidence.name} names was not found{f': {name}' if name else ''}.",
            log_exhibits(evidence),
            [
                f"The first line is to be:  {mend.SHEBANG.decode()}",
                "Where the path looks right, the line may end in a carriage return (Windows line endings).",
            ],
        )
    return _missing(script, name or script.interpreter, log_exhibits(evidence))


def before_interpreter_missing(script: Script) -> Finding | None:
    """The same, of a file alone."""
    if not script.content.startswith(b"#!"):
        return None
    interpreter = script.interpreter
    name = interpreter.rpartition("/")[2]
    if interpreter and interpreter.startswith("/") and script.has_program(interpreter):
        wanted = script.language
        if name != "env" or not wanted or any(script.has_program(f"{folder}/{wanted}") for folder in FOUND_IN_PATH):
            return None
        return _missing(script, wanted, [])
    if interpreter and script.programs is None and _is_there(interpreter):
        return None  # a folder, or a file that may not be executed: another rule's
    return _missing(script, interpreter, [])


def _is_there(path: str) -> bool:
    import os

    return path.startswith("/") and os.path.exists(path)


def _missing(script: Script, name: str, exhibits: list[Exhibit]) -> Finding:
    language = script.language.rstrip("\r")
    mended = mend.shebang(script.content, language) if language else None
    if name.rpartition("/")[2] == "python" or language == "python":
        why = "there is no `python`, only `python3`"
    elif name and not name.startswith("/") and script.interpreter == name:
        why = "it is no path from / on, and nobody searches for it"
    else:
        why = "there is none of that name"
    return Finding(
        f"The interpreter that the first line of {script.name} names is not there: {name or '(none)'}; {why}.",
        [*line_exhibit(script, 1), *exhibits],
        [f"The first line is to be:  {(mended or mend.SHEBANG).splitlines()[0].decode()}"],
        mended=mended,
    )


def interpreter_not_executable(evidence: Evidence) -> Finding | None:
    """The first line leads to something that is no program."""
    script = evidence.script
    if script is None or exec_error(evidence) != PERMISSION_DENIED or not script.mode or not script.mode & 0o111:
        return None
    if not script.interpreter:
        return None
    return Finding(
        f"The first line of {script.name} leads to {script.interpreter}, which is no program that may be executed.",
        [*line_exhibit(script, 1), *log_exhibits(evidence)],
        [f"The first line is to be:  {mend.SHEBANG.decode()}"],
        mended=mend.shebang(script.content, "python3") if script.name.endswith(".py") else None,
    )


def before_interpreter_not_executable(script: Script) -> Finding | None:
    """The same, of a file alone: a folder, or a name that is never a program's."""
    interpreter = script.interpreter
    if not interpreter.startswith("/") or script.has_program(interpreter):
        return None
    if not (interpreter.endswith("/") or interpreter in {"/usr/bin", "/bin", "/usr/local/bin", "/etc/passwd"}):
        return None
    return Finding(
        f"The first line of {script.name} leads to {interpreter}, which is no program that may be executed.",
        line_exhibit(script, 1),
        [f"The first line is to be:  {mend.SHEBANG.decode()}"],
        mended=mend.shebang(script.content, "python3") if script.name.endswith(".py") else None,
    )


def wrong_interpreter(evidence: Evidence) -> Finding | None:
    """The first line names one language, the rest is another."""
    script = evidence.script
    if script is not None and evidence.stderr:
        return before_wrong_interpreter(script)
    line = said(evidence, "import: not found", "import: command not found", "from: not found", "from: can't read")
    if line is None:
        return None
    return Finding(
        f"A shell tried to run {evidence.name}, which is written in Python.",
        log_exhibits(evidence),
        [f"The first line is to be:  {mend.SHEBANG.decode()}"],
    )


def before_wrong_interpreter(script: Script) -> Finding | None:
    """The same, of a file alone."""
    # Its beginning tells, and hostile lines would take long.
    body = b"\n".join(line[: mend.LONGEST_LINE] for line in script.lines[1:BODY_LINES])
    written = ""
    hands_over = re.search(rb"""^['"]*exec\b.*python""", body, re.MULTILINE) is not None
    is_shell = script.language in SHELLS and not hands_over and b"<<" not in body and not SHELL_CODE.search(body)
    if is_shell and PYTHON_CODE.search(body):
        written = "Python"
    elif script.is_python and re.match(rb"\s*<\?php", body):
        written = "PHP"
    elif script.is_python and re.search(
        rb"^[ \t]*use (?:strict|warnings|CGI)\b.*;|^[ \t]*my [$@%]\w+", body, re.MULTILINE
    ):
        written = "Perl"
    elif script.is_python and re.match(rb"\s*(?:<!doctype|<html)", body, re.IGNORECASE):
        written = "HTML"
    elif script.is_python and SHELL_CODE.search(body) and not PYTHON_CODE.search(body) and _is_no_python(script):
        written = "the shell's language"
    if not written or not script.content.startswith(b"#!"):
        return None
    line = next((number for number, text in enumerate(script.lines[1:], start=2) if _tells(text)), 2)
    mended = mend.shebang(script.content, {"Python": "python3", "the shell's language": "sh"}.get(written, ""))
    shown = line_exhibit(script, line) if source_line(script, line) else []
    return Finding(
        f"The first line of {script.name} names {script.language}, but the rest is written in {written}.",
        [*line_exhibit(script, 1), *shown],
        [f"The first line is to be:  {mended.splitlines()[0].decode()}"]
        if mended
        else [OTHER_LANGUAGES.get(written, "")],
        mended=mended,
    )


def _tells(line: bytes) -> bool:
    return bool(PYTHON_CODE.match(line) or SHELL_CODE.match(line) or line.lstrip().startswith(b"<"))


def _is_no_python(script: Script) -> bool:
    from cgilab.diagnosis.source import Problem, parse

    return isinstance(parse(script), Problem)
