"""From compiled code to its end: exceptions, signals, limits, time."""

import re

from cgilab.diagnosis.model import Evidence, Exhibit, Finding
from cgilab.diagnosis.observed import (
    NO_ANSWER,
    NOTHING,
    ON_OUTPUT,
    PREMATURE,
    Traceback,
    bad_header,
    failed,
    had_headers,
    line_exhibit,
    log_exhibits,
    own_frame,
    said,
    uncaught,
)
from cgilab.diagnosis.parsing import words_of
from cgilab.diagnosis.script import Script

# Seconds of processor time after which one that waits for nothing was computing; on a busy machine they may be few.
BUSY = 0.5

XCPU = 24
KILL = 9
SHELL_SIGNALS = 128
COMMAND_NOT_EXECUTABLE = 126
COMMAND_NOT_FOUND = 127

# Built-in names of Python 2, and what Python 3 has.
PYTHON_2_NAMES = {
    "raw_input": "input",
    "unicode": "str",
    "unichr": "chr",
    "xrange": "range",
    "basestring": "str",
    "long": "int",
    "reduce": "functools.reduce",
    "file": "open",
    "execfile": "exec(open(…).read())",
    "reload": "importlib.reload",
    "cmp": "a key function",
    "intern": "sys.intern",
    "apply": "a call with * and **",
    "buffer": "memoryview",
    "coerce": "nothing",
    "StandardError": "Exception",
}
PYTHON_2_METHODS = {
    "has_key": "the operator in",
    "iteritems": "items",
    "iterkeys": "keys",
    "itervalues": "values",
    "viewitems": "items",
    "viewkeys": "keys",
    "next": "the function next",
    "func_name": "__name__",
    "im_func": "__func__",
    "getheaders": "get_all",
    "gettype": "get_content_type",
}
NO_NAME = re.compile(r"name '(\w+)' is not defined")
NO_METHOD = re.compile(r"'([\w.]+)' object has no attribute '(\w+)'")

# The kernel's names for what waits for a connection, or for what comes over one.
ON_THE_NETWORK = {"wait_woken", "sk_wait_data", "inet_wait_for_connect", "inet_stream_connect"}

# EACCES, EPERM, EROFS
REFUSED_WRITES = re.compile(r"\[Errno (1|13|30)\] ([^:]*)(?:: (.*))?")
SOCKET_CALLS = re.compile(r"\.(?:bind|connect|listen|create_connection|create_server)\(|create_connection|socket")


def place_of(evidence: Evidence, traceback: Traceback) -> tuple[str, list[Exhibit]]:
    """Return where in a script an exception was raised, such as ``line 3 of web_02.py``, and the evidence for it."""
    frame = own_frame(evidence, traceback)
    if frame is None:
        return evidence.name, [words_of(traceback)]
    name = frame.file.rpartition("/")[2]
    shown = line_exhibit(evidence.script, frame.line) if frame.file == evidence.path else []
    return f"line {frame.line} of {name}", [*shown, words_of(traceback)]


def words_of_exception(traceback: Traceback) -> str:
    """Return the class and the first line of the message of an exception."""
    first = traceback.message.partition("\n")[0]
    return f"{traceback.name}: {first}" if first else traceback.name


def timeout_before_headers(evidence: Evidence) -> Finding | None:
    """Nothing came for as long as httpd waits."""
    line = said(evidence, *NO_ANSWER)
    if line is None and evidence.status != 504:  # noqa: PLR2004 - HTTP's number
        return None
    if had_headers(evidence):
        return None
    return Finding(
        f"{evidence.name} printed no header in all the time that the server waits{_seconds(evidence)}, and was ended"
        f"{_doing(evidence)}.",
        [*_process(evidence), *log_exhibits(evidence)],
        [
            "Look for a loop that does not end, for a sleep, or for something that the script waits for.",
            "A long task: print the headers and the first lines early, with flush=True.",
        ],
    )


def timeout_after_headers(evidence: Evidence) -> Finding | None:
    """The answer had begun, and nothing more came."""
    if said(evidence, *NO_ANSWER) is None or not had_headers(evidence):
        return None
    return Finding(
        f"{evidence.name} printed its headers, and then nothing for as long as the server waits: "
        "the client got an answer that was cut off.",
        log_exhibits(evidence),
        [
            "Look behind the place where the headers are printed: a loop that does not end, a sleep, a wait?",
            "A long task: print something now and then, with flush=True.",
        ],
    )


def _seconds(evidence: Evidence) -> str:
    return f" ({evidence.seconds:.0f} seconds)" if evidence.seconds and evidence.seconds >= 1 else ""


def _doing(evidence: Evidence) -> str:
    ended = evidence.ended
    if ended is None or not ended.running:
        return ""
    waits = ended.waiting_in not in {"", "0"}
    if ended.cpu_seconds > BUSY and not waits:
        return ": it was computing all the time"
    if "nanosleep" in ended.waiting_in:
        return ": it was asleep"
    if ended.waiting_in in ON_THE_NETWORK:
        return ": it was waiting for an answer over the network, from a database or another machine"
    if "wait" in ended.waiting_in and "poll" not in ended.waiting_in and "futex" not in ended.waiting_in:
        return ": it was waiting for another program"
    return ": it was waiting for something"


def _process(evidence: Evidence) -> list[Exhibit]:
    ended = evidence.ended
    if ended is None:
        return []
    if ended.running:
        what = f"still running, after {ended.cpu_seconds:.1f} s of processor time"
        what += f", waiting in {ended.waiting_in}" if ended.waiting_in not in {"", "0"} else ""
    elif ended.signal is not None:
        what = f"ended by signal {ended.signal} ({signal_name(ended.signal)}), after {ended.cpu_seconds:.1f} s of CPU"
    else:
        what = f"ended with exit code {ended.code}"
    return [Exhibit("its process", (what,))]


def signal_name(number: int) -> str:
    """Return a signal's name, such as ``SIGKILL``."""
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def cpu_limit(evidence: Evidence) -> Finding | None:
    """The kernel ended it, for it had computed for too long."""
    ended = evidence.ended
    text = said(evidence, "CPU time limit exceeded") is not None
    by_shell = ended is not None and ended.code == SHELL_SIGNALS + XCPU
    if not (text or by_shell or (ended is not None and ended.signal == XCPU)):
        return None
    return Finding(
        f"{evidence.name} was ended by the system: it had used up the processor time that it may take.",
        [*_process(evidence), *log_exhibits(evidence)],
        ["Look for a loop that does not end; or raise the limit (RLimitCPU, ulimit -t, setrlimit)."],
    )


def memory_limit(evidence: Evidence) -> Finding | None:
    """No memory was left for it."""
    traceback = uncaught(evidence)
    ended = evidence.ended
    if traceback is not None and traceback.name == "MemoryError":
        place, exhibits = place_of(evidence, traceback)
    elif ended is not None and ended.out_of_memory and (ended.signal == KILL or ended.code == SHELL_SIGNALS + KILL):
        place, exhibits = evidence.name, [*_process(evidence), *log_exhibits(evidence)]
    elif said(evidence, "MemoryError", "Cannot allocate memory", "memory exhausted") and failed(evidence):
        place, exhibits = evidence.name, log_exhibits(evidence)
    else:
        return None
    return Finding(
        f"{evidence.name} needed more memory than it may have: {place} asked for what was not there.",
        exhibits,
        ["Look for a list or a text that grows without end; read large files piece by piece."],
    )


def killed_by_signal(evidence: Evidence) -> Finding | None:
    """A signal ended it."""
    ended = evidence.ended
    crash = said(evidence, "Fatal Python error:", "Segmentation fault", "Aborted (core dumped)")
    number = None
    if ended is not None:
        number = ended.signal
        if number is None and ended.code and SHELL_SIGNALS < ended.code < SHELL_SIGNALS + 65:
            number = ended.code - SHELL_SIGNALS
    if not failed(evidence) or (number is None and crash is None):
        return None
    by = f"signal {number} ({signal_name(number)})" if number is not None else "a crash"
    return Finding(
        f"{evidence.name} was ended by {by} before its answer was complete.",
        [*_process(evidence), *log_exhibits(evidence)],
        [_advice(number)],
    )


def _advice(number: int | None) -> str:
    return {
        6: "It gave itself up (abort): look at what it, or a module written in C, had found wrong.",
        9: "Somebody killed it: the script itself, another program, or a limit of the machine.",
        11: "It read memory that is not its own: look at modules written in C, and at ctypes.",
        15: "Somebody asked it to end: the script itself, another program, or the server while it stopped.",
    }.get(number or 0, "Look for what sent the signal: the script itself, a module written in C, or another program.")


def python_2_name(evidence: Evidence) -> Finding | None:
    """A name that only Python 2 has."""
    traceback = uncaught(evidence)
    if traceback is None:
        return None
    instead = None
    asked = ""
    if traceback.name == "NameError" and (match := NO_NAME.search(traceback.message)):
        asked, instead = match[1], PYTHON_2_NAMES.get(match[1])
    elif traceback.name == "AttributeError" and (match := NO_METHOD.search(traceback.message)):
        asked, instead = match[2], PYTHON_2_METHODS.get(match[2])
    elif traceback.name == "AttributeError" and traceback.message in PYTHON_2_METHODS:
        asked, instead = traceback.message, PYTHON_2_METHODS[traceback.message]  # as cgi.FieldStorage says it
    if instead is None:
        return None
    place, exhibits = place_of(evidence, traceback)
    return Finding(
        f"{place[:1].upper()}{place[1:]} uses {asked}, which only Python 2 has; Python 3 has {instead}.",
        exhibits,
        [f"Use {instead} in place of {asked}."],
    )


def before_python_2_name(script: Script) -> Finding | None:
    """The same, of a source alone: names that nothing in it defines."""
    import ast

    from cgilab.diagnosis.source import Problem, parse, unsure

    if not script.is_python or not script.whole:
        return None
    if not any(name.encode() in script.content for name in (*PYTHON_2_NAMES, "has_key", "iteritems")):
        return None
    tree = parse(script)
    if isinstance(tree, Problem):
        return None
    nodes = list(ast.walk(tree))
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    stored |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    stored |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))}
    stored |= {
        (name.asname or name.name).partition(".")[0]
        for node in nodes
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in node.names
    }
    if "*" in stored:
        return None
    may_not_run = unsure(tree)
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in PYTHON_2_NAMES and node.id not in stored:
            asked, instead = node.id, PYTHON_2_NAMES[node.id]
        elif isinstance(node, ast.Attribute) and node.attr in {"has_key", "iteritems", "iterkeys", "itervalues"}:
            asked, instead = node.attr, PYTHON_2_METHODS[node.attr]
            if asked in stored:
                continue  # a class of the script's own has it
        else:
            continue
        if any(first <= node.lineno <= last for first, last in may_not_run):
            continue
        return Finding(
            f"Line {node.lineno} of {script.name} uses {asked}, which only Python 2 has; Python 3 has {instead}.",
            line_exhibit(script, node.lineno),
            [f"Use {instead} in place of {asked}."],
            line=node.lineno,
        )
    return None


def text_encoding(evidence: Evidence) -> Finding | None:
    """A text that has no bytes in the encoding of the output."""
    traceback = uncaught(evidence)
    if traceback is None or traceback.name != "UnicodeEncodeError":
        return None
    place, exhibits = place_of(evidence, traceback)
    codec = re.search(r"'([\w-]+)' codec can't encode characters? '?(\\?[^']*)'?", traceback.message)
    what = f" as {codec[1]}" if codec else ""
    return Finding(
        f"{place[:1].upper()}{place[1:]} prints a text that cannot be encoded{what}.",
        exhibits,
        [
            "Print UTF-8, and say so:  sys.stdout.reconfigure(encoding='utf-8')  and  Content-Type: …; charset=utf-8",
            "Lone surrogates (\\ud800 to \\udfff) are no characters: look at where the text was decoded.",
        ],
    )


def read_only_place(evidence: Evidence) -> Finding | None:
    """It writes where nothing may be written."""
    traceback = uncaught(evidence)
    shell = said(evidence, "Read-only file system")
    if traceback is None:
        if shell is None or not failed(evidence):
            return None
        return _read_only(evidence.name, "", log_exhibits(evidence))
    match = REFUSED_WRITES.search(traceback.message)
    if match is None or traceback.name not in {"OSError", "PermissionError", "IOError"}:
        sqlite = ("readonly database", "unable to open database file")
        if traceback.name != "OperationalError" or not any(words in traceback.message for words in sqlite):
            return None
        match = None
    frame = own_frame(evidence, traceback)
    source = frame.source if frame else ""
    if match is not None and match[1] != "30" and (SOCKET_CALLS.search(source) or not _writes(source)):
        return None
    place, exhibits = place_of(evidence, traceback)
    return _read_only(place, match[3] or "" if match else "", exhibits)


def _writes(source: str) -> bool:
    return bool(
        re.search(r"""open\(.*,\s*(?:mode\s*=\s*)?[rbuf]*["'][^"']*[wax+]""", source)
        or re.search(r"\.(?:write\w*|touch|mkdir|makedirs|rename|replace|unlink|remove|symlink\w*|rmdir)\(", source)
        or re.search(
            r"\b(?:mkdir|makedirs|remove|unlink|rename|rmdir|copy\w*|move|symlink|chmod|chown|mknod)\(", source
        )
        or re.search(r"shelve\.open|sqlite3\.connect|\.execute\(|logging|FileHandler|NamedTemporary", source)
    )


def _read_only(place: str, name: str, exhibits: list[Exhibit]) -> Finding:
    what = f" {name}" if name else ""
    return Finding(
        f"{place[:1].upper()}{place[1:]} writes{what}, where a script may not write: the container is read-only.",
        exhibits,
        ["Write to a file in /tmp, which is emptied when the lab stops; or give the data to a database."],
    )


def input_missing(evidence: Evidence) -> Finding | None:
    """It reads more than there is."""
    traceback = uncaught(evidence)
    if traceback is None or traceback.name != "EOFError":
        return None
    place, exhibits = place_of(evidence, traceback)
    length = "no body" if not evidence.body_length else f"a body of {evidence.body_length} bytes"
    return Finding(
        f"{place[:1].upper()}{place[1:]} reads more input than there is: the request had {length}.",
        exhibits,
        [
            "Nobody types into a CGI script: its standard input is the body of the request.",
            "Take parameters from QUERY_STRING (GET), or read CONTENT_LENGTH bytes (POST): see cgi-bin/web_03.py",
        ],
    )


def exception_before_headers(evidence: Evidence) -> Finding | None:
    """An exception that nobody caught, before anything was answered."""
    traceback = uncaught(evidence)
    if traceback is not None and not had_headers(evidence):
        return _exception(evidence, traceback, "before it had printed its headers")
    bad = bad_header(evidence) or _header_of_cgitb(evidence)
    if bad is None or not ON_OUTPUT.match(bad):
        return None
    if bad.startswith("<!--"):
        return Finding(
            f"{evidence.name} failed with an exception before its headers, and cgitb printed it where they should be.",
            log_exhibits(evidence),
            [
                "Take cgitb.enable() out: the exception is shown here then.",
                "Or print the headers, and the empty line, before anything that can fail.",
            ],
        )
    return Finding(
        f"{evidence.name} failed with an exception, and printed the traceback where its headers should be.",
        log_exhibits(evidence),
        ["Print tracebacks to sys.stderr: they are shown here then."],
    )


def _header_of_cgitb(evidence: Evidence) -> str | None:
    """Return how cgitb's page starts, where httpd took that for the name of a header."""
    return "<!--" if said(evidence, "header name '<!--' contains") is not None else None


def exception_after_body(evidence: Evidence) -> Finding | None:
    """The same, in the middle of the answer."""
    traceback = uncaught(evidence)
    if traceback is None or not had_headers(evidence) or not evidence.body_sent:
        return None
    return _exception(evidence, traceback, "when a part of its answer had been sent")


def exception_after_headers(evidence: Evidence) -> Finding | None:
    """The same, between headers and body."""
    traceback = uncaught(evidence)
    if traceback is None or not had_headers(evidence):
        return None
    return _exception(evidence, traceback, "after its headers, and the client got an answer without a body")


# What helps with the exceptions that beginners meet most: name of the class, a pattern of the line or the message.
HINTS = (
    ("KeyError", r"form\[|FieldStorage|params\[|query\[", "The request did not bring it: form.getfirst('name', '')"),
    ("KeyError", r"environ", "The server does not set it for each request: os.environ.get('NAME', '')"),
    ("TypeError", r"NoneType.*(?:int|\+|concat)", "A parameter that is not in the request is None: give it a default."),
    ("ValueError", r"invalid literal for int\(\)", "Look first whether the text is a number: text.isdecimal()"),
    ("FileNotFoundError", r"[A-Za-z]:\\", "In the container, a path of Windows means nothing."),
    ("FileNotFoundError", r"", "A relative path counts from the script's own folder, which is all the container sees."),
    ("TypeError", r"must be str, not bytes", "Bytes go to sys.stdout.buffer, texts to sys.stdout."),
    ("TypeError", r"bytes-like object is required|can't concat", "Texts and bytes do not mix: encode() or decode()."),
    ("RecursionError", r"", "A function calls itself without end."),
    ("AttributeError", r"'NoneType' object", "Something returned None: look at where the value comes from."),
)  # fmt: skip


def _exception(evidence: Evidence, traceback: Traceback, when: str) -> Finding:
    place, exhibits = place_of(evidence, traceback)
    frame = own_frame(evidence, traceback)
    known = f"{frame.source if frame else ''}\n{traceback.message}"
    hints = [hint for name, pattern, hint in HINTS if name == traceback.name and re.search(pattern, known)]
    return Finding(
        f"{evidence.name} failed with {words_of_exception(traceback)} at {place}, {when}.",
        exhibits,
        [f"Look at {place}.", *hints[:1]],
    )


def program_failed(evidence: Evidence) -> Finding | None:
    """A program that is not Python says itself what is wrong."""
    script = evidence.script
    ended = evidence.ended
    if script is not None and script.is_python:
        return None
    if not failed(evidence) or not evidence.stderr or (ended is not None and not ended.code):
        return None
    if script is None and not any(re.match(r".*: (?:line )?\d+: ", line) for line in evidence.stderr):
        return None
    code = f" and ended with exit code {ended.code}" if ended is not None and ended.code is not None else ""
    return Finding(
        f"{evidence.name} failed by its own account: {evidence.stderr[0].strip()}{code}.",
        [*_line_named(evidence), *_process(evidence), *log_exhibits(evidence)],
        [_advice_on_program(ended.code if ended is not None else None)],
    )


def _advice_on_program(code: int | None) -> str:
    """Return advice by the exit code with which a shell tells what it could not start."""
    if code == COMMAND_NOT_FOUND:
        return "The container does not have this program: it has a shell, awk, sed, Python, and the usual small tools."
    if code == COMMAND_NOT_EXECUTABLE:
        return "That file may not be executed:  chmod +x FILE"
    return "Look at the line that the message names."


def _line_named(evidence: Evidence) -> list[Exhibit]:
    match = re.search(r": (?:line )?(\d+): ", evidence.stderr[0])
    return line_exhibit(evidence.script, int(match[1])) if match else []


def exit_before_output(evidence: Evidence) -> Finding | None:
    """It ended itself before it had printed anything."""
    ended = evidence.ended
    if not failed(evidence) or said(evidence, NOTHING, PREMATURE) is None or (ended is not None and ended.running):
        return None
    line = _exit_line(evidence.script) or _first_exit(evidence.script)
    drops = _drops_buffer(evidence.script)
    if ended is None or ended.code is None:
        if line is None:
            return None
        code = ""
    elif not ended.code and line is None and drops is None:
        return None
    else:
        code = f" with exit code {ended.code}"
    number = drops or line
    where = f" at line {number}" if number else ""
    when = (
        "before its headers were complete" if said(evidence, PREMATURE) else "before anything that it printed was sent"
    )
    return Finding(
        f"{evidence.name} ended itself{where}{code}, {when}.",
        [*(line_exhibit(evidence.script, number) if number else []), *_process(evidence), *log_exhibits(evidence)],
        [
            "Print the headers and an answer before sys.exit(): a client always waits for one.",
            *(["os._exit() throws away what print() has not sent yet: use sys.exit()."] if drops else []),
        ],
    )


def _exit_line(script: Script | None) -> int | None:
    if script is None:
        return None
    from cgilab.diagnosis.source import printed

    found = printed(script)
    if found is None or found.outputs:
        return None
    return found.exit_line


def _first_exit(script: Script | None) -> int | None:
    """Return the line of the first call that ends a Python script, where nothing is printed above it."""
    if script is None or not script.is_python:
        return None
    from cgilab.diagnosis.source import all_texts, exits

    first = min((output.line for output in all_texts(script)), default=None)
    return next((line for line in exits(script) if first is None or line < first), None)


def _drops_buffer(script: Script | None) -> int | None:
    """Return the line of a call of ``os._exit``, which throws away what is in the buffers."""
    if script is None or not script.is_python:
        return None
    for number, line in enumerate(script.lines, start=1):
        if b"os._exit(" in line.partition(b"#")[0]:
            return number
    return None


def only_stderr(evidence: Evidence) -> Finding | None:
    """All that it wrote went to standard error."""
    if not failed(evidence) or said(evidence, NOTHING) is None or not evidence.stderr:
        return None
    ended = evidence.ended
    if ended is not None and (ended.code or ended.signal or ended.running):
        return None
    fix = "Print without file=sys.stderr (in a shell: without >&2); headers first, then a blank line."
    if said(evidence, "was never awaited") is not None:
        fix = "An async function does nothing when it is only called: asyncio.run(main())"
    return Finding(
        f"{evidence.name} wrote to its standard error only: the server sends what is printed on standard output.",
        log_exhibits(evidence),
        [fix],
    )


def no_output(evidence: Evidence) -> Finding | None:
    """Not a byte was printed."""
    if not failed(evidence) or said(evidence, NOTHING) is None or evidence.stderr:
        return None
    ended = evidence.ended
    if ended is not None and (ended.code or ended.signal or ended.running):
        return None
    return Finding(
        f"{evidence.name} ran to its end and printed nothing: no header, no blank line, no answer.",
        [*_process(evidence), *log_exhibits(evidence)],
        [
            "The least that a script prints is a header, a blank line, and a text:",
            "    print('Content-Type: text/plain')",
            "    print()",
            "    print('Hello')",
            "Is the function that prints them called at all?",
        ],
    )


def before_no_output(script: Script) -> Finding | None:
    """The same, of a source that can be followed to its end."""
    from cgilab.diagnosis.source import printed

    found = printed(script)
    if found is None or found.outputs or not found.complete or found.exit_line or b"logging" in script.content:
        return None
    return Finding(
        f"{script.name} prints nothing: no header, no blank line, no answer.",
        (),
        ["The least that a script prints is a header, a blank line, and a text. Is the function that does it called?"],
    )


def before_exit(script: Script) -> Finding | None:
    """A script that ends itself before it prints."""
    line = _exit_line(script)
    if line is None:
        return None
    return Finding(
        f"{script.name} ends itself at line {line}, before it has printed anything.",
        line_exhibit(script, line),
        ["Print the headers and an answer before: a client always waits for one."],
    )
