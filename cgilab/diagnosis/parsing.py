"""From a running interpreter to compiled code and its modules: what Python refuses to read."""

import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from cgilab.diagnosis import mend
from cgilab.diagnosis.model import Evidence, Exhibit, Finding
from cgilab.diagnosis.observed import (
    NOTHING,
    PREMATURE,
    Traceback,
    bad_header,
    line_exhibit,
    log_exhibits,
    own_frame,
    python_traceback,
    said,
    uncaught,
)
from cgilab.diagnosis.script import Script, read
from cgilab.diagnosis.source import Problem, imports, parse, unsure

if TYPE_CHECKING:
    import ast

# What an older Python than the lab's cannot read, though there is nothing wrong with it: PEP 695, PEP 701.
NEWER = re.compile(
    r"""^\s*type\s+\w+.*=|^\s*(?:async\s+)?(?:def|class)\s+\w+\[|\bf(["'])[^"']*\{[^}]*\1[^}]*\}""", re.IGNORECASE
)

# Codecs that Python has, in which nobody writes a source, and which take long.
NO_ENCODINGS_OF_SOURCES = {"punycode", "idna", "unicode_escape", "raw_unicode_escape", "unicode-escape"}

SYNTAX = {"SyntaxError", "IndentationError", "TabError"}
ENCODING = (
    "Non-UTF-8 code starting with",
    "encoding problem",
    "unknown encoding",
    "(unicode error) 'utf-8' codec can't decode",
)

# Python's words for what Python 2 allowed.
PYTHON_2_WORDS = (
    "Missing parentheses in call to 'print'",
    "Missing parentheses in call to 'exec'",
    "multiple exception types must be parenthesized",
    "leading zeros in decimal integer literals are not permitted",
    "parameters cannot be parenthesized",
    "parameter expression cannot be parenthesized",
    "expressions cannot be parenthesized",
)
PRINT_TO_FILE = "unsupported operand type(s) for >>: 'builtin_function_or_method'"

# Modules that Python 3 renamed, that left the standard library, or that were made for Python 2 alone.
REPLACED: Mapping[str, str] = {
    "httplib": "http.client",
    "urllib2": "urllib.request",
    "urlparse": "urllib.parse",
    "StringIO": "io",
    "cStringIO": "io",
    "ConfigParser": "configparser",
    "Cookie": "http.cookies",
    "cookielib": "http.cookiejar",
    "HTMLParser": "html.parser",
    "htmlentitydefs": "html.entities",
    "BaseHTTPServer": "http.server",
    "CGIHTTPServer": "http.server",
    "SimpleHTTPServer": "http.server",
    "SocketServer": "socketserver",
    "Queue": "queue",
    "cPickle": "pickle",
    "commands": "subprocess",
    "md5": "hashlib",
    "sha": "hashlib",
    "sets": "set, which is built in",
    "thread": "threading",
    "Tkinter": "tkinter",
    "xmlrpclib": "xmlrpc.client",
    "DocXMLRPCServer": "xmlrpc.server",
    "SimpleXMLRPCServer": "xmlrpc.server",
    "robotparser": "urllib.robotparser",
    "rfc822": "email",
    "mimetools": "email",
    "MimeWriter": "email",
    "mimify": "email",
    "anydbm": "dbm",
    "dbhash": "dbm",
    "whichdb": "dbm",
    "copy_reg": "copyreg",
    "repr": "reprlib",
    "UserDict": "collections.UserDict",
    "UserList": "collections.UserList",
    "UserString": "collections.UserString",
    "__builtin__": "builtins",
    "exceptions": "the built-in exceptions, which need no import",
    "new": "types",
    "popen2": "subprocess",
    "dummy_thread": "threading",
    "_winreg": "winreg, on Windows",
    "MySQLdb": "pymysql, which the lab has, or mysqlclient, which keeps the name MySQLdb",
    "mod_python": "CGI or WSGI",
    "PIL.Image": "pillow",
    "imp": "importlib",
    "asyncore": "asyncio",
    "asynchat": "asyncio",
    "distutils": "setuptools",
    "smtpd": "aiosmtpd",
    "pipes": "shlex and subprocess",
    "crypt": "hashlib, or the package passlib",
    "telnetlib": "the package telnetlib3",
    "imghdr": "the package filetype",
    "sndhdr": "the package filetype",
    "cgi": "urllib.parse for queries, email.message for headers; Debian's package python3-legacy-cgi brings cgi back",
    "cgitb": "traceback; Debian's package python3-legacy-cgi brings cgitb back",
}

# Names that moved from one module to another.
MOVED: Mapping[tuple[str, str], str] = {
    ("urllib", "urlencode"): "urllib.parse.urlencode",
    ("urllib", "quote"): "urllib.parse.quote",
    ("urllib", "quote_plus"): "urllib.parse.quote_plus",
    ("urllib", "unquote"): "urllib.parse.unquote",
    ("urllib", "unquote_plus"): "urllib.parse.unquote_plus",
    ("urllib", "urlopen"): "urllib.request.urlopen",
    ("urllib", "urlretrieve"): "urllib.request.urlretrieve",
    ("urllib", "pathname2url"): "urllib.request.pathname2url",
    ("string", "letters"): "string.ascii_letters",
    ("string", "lowercase"): "string.ascii_lowercase",
    ("string", "uppercase"): "string.ascii_uppercase",
    ("string", "join"): "the method join of a text",
    ("string", "replace"): "the method replace of a text",
    ("string", "split"): "the method split of a text",
    ("string", "strip"): "the method strip of a text",
    ("string", "lower"): "the method lower of a text",
    ("string", "upper"): "the method upper of a text",
    ("string", "atoi"): "int",
    ("string", "atof"): "float",
    ("string", "maketrans"): "str.maketrans",
    ("cgi", "escape"): "html.escape",
    ("cgi", "parse_qs"): "urllib.parse.parse_qs",
    ("cgi", "parse_qsl"): "urllib.parse.parse_qsl",
    ("os", "getcwdu"): "os.getcwd",
    ("os", "popen2"): "subprocess.Popen",
    ("os", "popen3"): "subprocess.Popen",
    ("os", "popen4"): "subprocess.Popen",
    ("os", "errno"): "the module errno",
    ("sys", "maxint"): "sys.maxsize",
    ("sys", "setdefaultencoding"): "nothing: texts are Unicode",
    ("sys", "exc_type"): "sys.exc_info()",
    ("sys", "exc_clear"): "nothing: it is done by itself",
    ("itertools", "izip"): "zip",
    ("itertools", "imap"): "map",
    ("itertools", "ifilter"): "filter",
    ("itertools", "izip_longest"): "itertools.zip_longest",
    ("time", "clock"): "time.perf_counter or time.process_time",
    ("types", "StringType"): "str",
    ("types", "StringTypes"): "str",
    ("types", "UnicodeType"): "str",
    ("types", "ListType"): "list",
    ("types", "DictType"): "dict",
    ("types", "IntType"): "int",
    ("types", "NoneType"): "type(None)",
    ("collections", "Mapping"): "collections.abc.Mapping",
    ("collections", "MutableMapping"): "collections.abc.MutableMapping",
    ("collections", "Iterable"): "collections.abc.Iterable",
    ("collections", "Sequence"): "collections.abc.Sequence",
    ("collections", "Callable"): "collections.abc.Callable",
    ("inspect", "getargspec"): "inspect.getfullargspec",
    ("HTMLParser", "HTMLParser"): "html.parser.HTMLParser",
    ("base64", "encodestring"): "base64.encodebytes",
    ("base64", "decodestring"): "base64.decodebytes",
    ("thread", "start_new_thread"): "threading.Thread",
}

NO_MODULE = re.compile(r"No module named '?([\w.]+)'?")
NO_NAME = re.compile(r"cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'(?: \((.*?)\))?")
NO_ATTRIBUTE = re.compile(r"(?:partially initialized )?module '([\w.]+)' has no attribute '(\w+)'")
NO_TYPE_ATTRIBUTE = re.compile(r"type object '(\w+)' has no attribute '(\w+)'")

# What left the standard library (PEP 594 and others), by the Python from which on it is gone.
REMOVED = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), (3, 12)),
    **dict.fromkeys(
        ("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib", "nis",
         "nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"), (3, 13),
    ),
}  # fmt: skip

# The chapter's own module is in the image, though not in every Python's standard library.
LEGACY = {"cgi", "cgitb"}
# What else the image has.
INSTALLED = LEGACY | {"pymysql"}

# Other modules that ask MariaDB, by the name that is imported.
OF_DATABASES = {"mysql", "mariadb"}


def _syntax_traceback(evidence: Evidence) -> Traceback | None:
    traceback = python_traceback(evidence.stderr)
    if traceback is None or traceback.name not in SYNTAX:
        return None
    frame = own_frame(evidence, traceback)
    other = frame.file.rpartition("/")[2].removesuffix(".py") if frame and frame.file != evidence.path else ""
    is_shadow = evidence.script is not None and other in shadows(evidence.script)
    return None if is_shadow else traceback  # that it was read at all is the first cause then


def _place(evidence: Evidence, traceback: Traceback) -> tuple[str, list[Exhibit], int]:
    """Return where a traceback ends, as words, as evidence, and as a number that is 0 in another file."""
    frame = own_frame(evidence, traceback)
    if frame is None:
        return "", [], 0
    if frame.file == evidence.path or not evidence.path:
        exhibits = line_exhibit(evidence.script, frame.line)
        return f"line {frame.line}", exhibits, frame.line if exhibits else 0
    name = frame.file.rpartition("/")[2]
    shown = Exhibit(f"line {frame.line} of {name}", (frame.source,))
    return f"line {frame.line} of {name}", [shown] if frame.source else [], 0


def words_of(traceback: Traceback) -> Exhibit:
    """Return a traceback as evidence."""
    lines = traceback.lines
    if len(lines) > 30:  # noqa: PLR2004 - as many lines as one looks at
        lines = (*lines[:6], "…", *lines[-20:])
    return Exhibit("Python says", tuple(lines))


def python_2_syntax(evidence: Evidence) -> Finding | None:
    """Python 2, which Python 3 cannot read."""
    traceback = _syntax_traceback(evidence)
    if traceback is None:
        other = uncaught(evidence)
        if other is None or not _is_print_statement(evidence, other):
            # A `print` alone prints nothing in Python 3, so what it was to print is missing.
            wrong = bad_header(evidence) is not None or said(evidence, PREMATURE, NOTHING) is not None
            return before_python_2_syntax(evidence.script) if wrong and other is None and evidence.script else None
        traceback = other
    frame = own_frame(evidence, traceback)
    text = ""
    if frame is not None:
        text = (line_exhibit(evidence.script, frame.line) or [Exhibit("", (frame.source,))])[0].lines[0]
        if frame.file != evidence.path and evidence.path:
            text = frame.source
    if not is_python_2(traceback.message, text):
        return None
    place, exhibits, number = _place(evidence, traceback)
    return _python_2(
        evidence.name, place, text, [*exhibits, words_of(traceback)], script=evidence.script, number=number
    )


# A look at all lines at once, before each is looked at.
BARE_PRINT = re.compile(rb"^[ \t\f]*print[ \t\f]*(?:\r?$|#|>>)", re.MULTILINE)


def _is_print_statement(evidence: Evidence, traceback: Traceback) -> bool:
    """Return whether ``print`` was called where Python 2 had a statement: ``print >>file, x``, ``print("%s") % x``."""
    frame = own_frame(evidence, traceback)
    formats = frame is not None and re.match(r"print\s*\(.*\)\s*%", frame.source) is not None
    return PRINT_TO_FILE in traceback.message or (formats and "for %: 'NoneType'" in traceback.message)


def before_python_2_syntax(script: Script) -> Finding | None:
    """The same, of a source alone."""
    if not script.is_python or not script.whole or not script.content.strip() or not _is_text(script):
        return None
    problem = parse(script)
    if isinstance(problem, Problem):
        if not is_python_2(problem.message, problem.text):
            return None
        shown = line_exhibit(script, problem.line)
        return _python_2(script.name, f"line {problem.line}", problem.text, shown, script=script, number=problem.line)
    if not BARE_PRINT.search(script.content):
        return None
    statements = _statements(script)
    for number, line in enumerate(script.lines, start=1):
        text = line[: mend.LONGEST_LINE].decode(errors="replace")
        if number in statements and re.match(r"\s*print\s*(?:$|#|>>\s*[\w.]+\s*,)", text):
            return _python_2(
                script.name, f"line {number}", text, line_exhibit(script, number), script=script, number=number
            )
    return None


def _statements(script: Script) -> set[int]:
    """Return the lines on which a statement stands that could be a ``print`` of Python 2, and no part of a text."""
    import ast

    tree = parse(script)
    if isinstance(tree, Problem):
        return set()
    return {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Tuple, ast.BinOp, ast.Name))
    }


def is_python_2(message: str, line: str) -> bool:
    """Return whether Python's word about a line, or the line itself, tells of Python 2."""
    if any(words in message for words in (*PYTHON_2_WORDS, PRINT_TO_FILE, "for %: 'NoneType'")):
        return True
    code = _without_texts(line)
    changed = mend.python_2(code)
    return changed is not None and changed != code


def _without_texts(line: str) -> str:
    """Return a line of code without comments, and with its texts emptied, so that nothing in them is taken for code."""
    line = re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", '""', line[: mend.LONGEST_LINE])
    return line.partition("#")[0].rstrip()


def _python_2(
    name: str, place: str, text: str, exhibits: list[Exhibit], *, script: Script | None, number: int
) -> Finding:
    changed = mend.python_2(text)
    mended = None
    fix = ["Python 3 runs this script; its other lines of Python 2 have to be changed too."]
    if changed:
        fix.insert(0, f"Change the line to:  {changed.strip()}")
        if script is not None and number and script.whole:
            mended = mend.replaced_line(script.content, number, changed)
    is_read = re.match(r"\s*print\s*(?:$|#|>>|\(.*\)\s*[%,])", text) is not None
    what = f"{place} means something else in Python 3" if is_read else f"Python 3 cannot read {place}"
    return Finding(f"{name} is written in Python 2: {what}.", exhibits, fix, mended=mended)


def indentation(evidence: Evidence) -> Finding | None:
    """Lines that do not stand under each other."""
    traceback = _syntax_traceback(evidence)
    if traceback is None or traceback.name not in {"IndentationError", "TabError"}:
        return None
    place, exhibits, _ = _place(evidence, traceback)
    return _indentation(evidence.name, place, traceback.name, traceback.message, [*exhibits, words_of(traceback)])


def before_indentation(script: Script) -> Finding | None:
    """The same, of a source alone."""
    problem = _problem(script)
    if problem is None or problem.kind not in {"IndentationError", "TabError"}:
        return None
    place = f"line {problem.line}"
    return _indentation(script.name, place, problem.kind, problem.message, line_exhibit(script, problem.line))


def _indentation(name: str, place: str, kind: str, message: str, exhibits: list[Exhibit]) -> Finding:
    if kind == "TabError":
        return Finding(
            f"{name} mixes tabs and spaces in its indentation, at {place}.",
            exhibits,
            ["Let your editor change all tabs into spaces (often: 'Convert Indentation to Spaces')."],
        )
    return Finding(
        f"The indentation of {name} is wrong at {place}: {message.partition(' (')[0]}.",
        exhibits,
        ["Lines of one block have to start in the same column, under the line with the colon that they belong to."],
    )


def source_encoding(evidence: Evidence) -> Finding | None:
    """Characters in the source that are no UTF-8."""
    # Python may say it without a place, so it is no traceback.
    if said(evidence, *ENCODING) is None or said(evidence, "SyntaxError: ") is None:
        return None
    if evidence.script is not None and (found := before_source_encoding(evidence.script)):
        return found._replace(exhibits=[*found.exhibits, *log_exhibits(evidence)])
    return Finding(
        f"{evidence.name} holds characters that are not saved as UTF-8.",
        log_exhibits(evidence),
        ["Save it as 'UTF-8'.", "Or name its encoding in the second line:  # -*- coding: latin-1 -*-"],
    )


def before_source_encoding(script: Script) -> Finding | None:
    """The same, of a source alone."""
    if not script.is_python or not script.whole or not _is_text(script):
        return None
    head = b"\n".join(script.lines[:2])
    declared = re.search(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", head, re.MULTILINE)
    encoding = declared[1].decode() if declared else "utf-8"
    if encoding.lower() in NO_ENCODINGS_OF_SOURCES:
        return None
    try:
        script.content.decode(encoding)
    except UnicodeDecodeError as error:
        number = script.content.count(b"\n", 0, error.start) + 1
        wrong = script.content[error.start : error.start + 1]
    except (LookupError, UnicodeError):
        return Finding(
            f"{script.name} says that it is saved as {encoding!r}, an encoding that Python does not know.",
            line_exhibit(script, 1 if b"coding" in script.lines[0] else 2),
            ["Save it as 'UTF-8', and remove the line."],
        )
    else:
        return None
    return Finding(
        f"{script.name} is not saved as UTF-8: line {number} holds the byte {wrong.hex()}, with no encoding declared.",
        line_exhibit(script, number),
        ["Save it as 'UTF-8'.", "Or name its encoding in the second line:  # -*- coding: latin-1 -*-"],
    )


def syntax_error(evidence: Evidence) -> Finding | None:
    """Any other thing that Python cannot read."""
    traceback = _syntax_traceback(evidence)
    if traceback is None:
        return None
    place, exhibits, _ = _place(evidence, traceback)
    return _syntax(evidence.name, place, traceback.message, [*exhibits, words_of(traceback)])


def before_syntax_error(script: Script) -> Finding | None:
    """The same, of a source alone."""
    problem = _problem(script)
    if problem is None:
        return None
    return _syntax(script.name, f"line {problem.line}", problem.message, line_exhibit(script, problem.line))


def _syntax(name: str, place: str, message: str, exhibits: list[Exhibit]) -> Finding:
    return Finding(
        f"Python cannot read {name} at {place}: {message.partition(' (')[0]}.",
        exhibits,
        ["Correct the line, or one before it: a bracket or a quote that was not closed is noticed late."],
    )


def _problem(script: Script) -> Problem | None:
    if not script.is_python or not script.whole or script.kind != "file" or not script.content.strip():
        return None
    problem = parse(script)
    if not isinstance(problem, Problem) or (
        sys.version_info < (3, 12) and NEWER.search(problem.text[: mend.LONGEST_LINE])
    ):
        return None
    return problem


def _is_text(script: Script) -> bool:
    return script.kind == "file" and mend.encoding_of_utf_16(script.content) is None


def shadowed_module(evidence: Evidence) -> Finding | None:
    """A neighbour that bears a name of the standard library."""
    traceback = uncaught(evidence)
    if traceback is None or evidence.script is None:
        return None
    folder = evidence.path.rpartition("/")[0]
    said = traceback.message + " ".join(frame.file for frame in traceback.frames)
    asked = [match for match in (NO_ATTRIBUTE.search(traceback.message),) if match]
    asked_names = {asked[0][1].partition(".")[0]} if asked else set()
    missing = re.search(r"'(\w+)' is not a package", traceback.message)
    asked_names |= {missing[1]} if missing else set()
    for name in sorted(shadows(evidence.script)):
        file = f"{folder}/{name}.py"
        itself = file == evidence.path
        twice = sum(frame.file == file for frame in traceback.frames) > 1
        named = (file in said and not itself) or f"'{file}'" in said or f"({file})" in said
        if named or name in asked_names or (itself and twice and name in said):
            return _shadowed(evidence.script, name, [words_of(traceback)])
    return None


def before_shadowed_module(script: Script) -> Finding | None:
    """The same, of a source alone: only a run can tell whether it matters."""
    if not script.is_python or not script.whole:
        return None
    tree = parse(script)
    if isinstance(tree, Problem):
        return None
    names = shadows(script)
    for module, _, line in imports(tree):
        name = module.partition(".")[0]
        if name in names and not _has_all(script, tree, name):
            return _shadowed(script, name, line_exhibit(script, line))
    return None


def _has_all(script: Script, tree: "ast.Module", name: str) -> bool:
    """Return whether a neighbour has all that the script takes from a module of its name: it is meant, then."""
    import ast
    import os

    other = parse(read(os.path.join(os.path.dirname(script.path), f"{name}.py"), neighbours=frozenset()))
    if isinstance(other, Problem) or script.name == f"{name}.py":
        return False
    has = {node.name for node in other.body if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))}
    has |= {node.id for node in ast.walk(other) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    wanted = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }
    wanted |= {taken for module, taken, _ in imports(tree) if module == name and taken}
    return bool(wanted) and wanted <= has


def shadows(script: Script) -> set[str]:
    """Return the modules of the standard library for which a neighbour of the script is taken, or the script itself.

    Those that are part of the interpreter, such as ``time``, are found before any file.
    """
    return _shadows(script.neighbours, script.python)


# Scripts of one folder have the same neighbours.
@lru_cache(maxsize=1)
def _shadows(neighbours: frozenset[str], python: tuple[int, int]) -> set[str]:
    library = (_library(python) | LEGACY) - set(sys.builtin_module_names)
    return {name.removesuffix(".py") for name in neighbours if name.endswith(".py")} & library


def _shadowed(script: Script, name: str, exhibits: list[Exhibit]) -> Finding:
    which = "it is itself named like" if script.name == f"{name}.py" else f"{name}.py beside it bears the name of"
    return Finding(
        f"{script.name} imports {name}, and gets the wrong file: {which} Python's module {name!r}.",
        exhibits,
        [f"Give {name}.py another name, and remove the folder __pycache__ beside it."],
    )


def removed_module(evidence: Evidence) -> Finding | None:
    """A module or a name that Python 3 has elsewhere."""
    traceback = uncaught(evidence)
    if traceback is None:
        return None
    found = _asked_for(traceback)
    if found is None:
        return None
    module, name = found
    instead = instead_of(module, name)
    if instead is None:
        return None
    place, exhibits, _ = _place(evidence, traceback)
    return _removed(evidence.name, place, module, name, instead=instead, exhibits=[*exhibits, words_of(traceback)])


def before_removed_module(script: Script) -> Finding | None:
    """The same, of a source alone."""
    for module, name, line in _imports_of(script, functions=True):
        instead = instead_of(module, "") or instead_of(module, name)
        top = module.partition(".")[0]
        if top in LEGACY or _is_neighbour(script, module) or script.python < REMOVED.get(top, (0, 0)):
            continue
        if instead and (module in REPLACED or module.partition(".")[0] in REPLACED):
            return _removed(
                script.name, f"line {line}", module, "", instead=instead, exhibits=line_exhibit(script, line)
            )
        if instead and name and (module, name) in MOVED:
            return _removed(
                script.name, f"line {line}", module, name, instead=instead, exhibits=line_exhibit(script, line)
            )
    return _before_moved_name(script)


MOVED_BYTES = tuple((module.encode(), name.encode()) for module, name in MOVED)


def _before_moved_name(script: Script) -> Finding | None:
    """Names of a module that are used at the script's top, as ``urllib.urlencode``."""
    import ast

    if not script.is_python or not script.whole:
        return None
    if not any(name in script.content and module in script.content for module, name in MOVED_BYTES):
        return None
    tree = parse(script)
    if isinstance(tree, Problem):
        return None
    imported = {module for module, name, _ in imports(tree) if not name}
    may_not_run = unsure(tree)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
            continue
        pair = (node.value.id, node.attr)
        if pair not in MOVED or pair[0] not in imported or _is_neighbour(script, pair[0]):
            continue
        if any(first <= node.lineno <= last for first, last in may_not_run):
            continue
        line = node.lineno
        return _removed(script.name, f"line {line}", *pair, instead=MOVED[pair], exhibits=line_exhibit(script, line))
    return None


def instead_of(module: str, name: str) -> str | None:
    """Return what replaced a module of Python 2, or a name in one; None where nothing is known of it."""
    if name and (module, name) in MOVED:
        return MOVED[module, name]
    return REPLACED.get(module) or REPLACED.get(module.partition(".")[0])


def _asked_for(traceback: Traceback) -> tuple[str, str] | None:
    if match := NO_MODULE.search(traceback.message):
        return match[1], ""
    if match := NO_NAME.search(traceback.message):
        return match[2], match[1]
    if match := NO_ATTRIBUTE.search(traceback.message):
        return match[1], match[2]
    return None


def _removed(name: str, place: str, module: str, what: str, *, instead: str, exhibits: list[Exhibit]) -> Finding:
    asked = f"{module}.{what}" if what else module
    numbers = re.findall(r"^line (\d+)$", place)
    line = int(numbers[0]) if numbers else None
    if instead.startswith("nothing"):
        return Finding(
            f"{name} asks at {place} for {asked}, which this Python does not have.",
            exhibits,
            [f"Take {asked} out: {instead.partition(': ')[2]}."],
            line=line,
        )
    return Finding(
        f"{name} asks at {place} for {asked}, which this Python does not have; it is now: {instead}.",
        exhibits,
        [f"Use {instead} in place of {asked}."],
        line=line,
    )


def missing_module(evidence: Evidence) -> Finding | None:
    """A module that is not installed, or a name that is not in one."""
    traceback = uncaught(evidence)
    if traceback is None or traceback.name not in {"ModuleNotFoundError", "ImportError"}:
        return None
    found = _asked_for(traceback)
    if found is None:
        return None
    place, exhibits, _ = _place(evidence, traceback)
    neighbours = evidence.script.neighbours if evidence.script else frozenset()
    return _missing(evidence.name, place, *found, [*exhibits, words_of(traceback)], neighbours=neighbours)


def before_missing_module(script: Script) -> Finding | None:
    """The same, of a source alone: what is installed where it runs, only a run can tell."""
    if b"sys.path" in script.content:
        return None  # it knows more folders than can be seen here
    known = _library(script.python) | INSTALLED
    for module, _, line in _imports_of(script):
        top = module.partition(".")[0]
        if top not in known and not _is_neighbour(script, top) and instead_of(module, "") is None:
            return _missing(
                script.name, f"line {line}", module, "", line_exhibit(script, line), neighbours=script.neighbours
            )
    return None


def _missing(
    name: str, place: str, module: str, what: str, exhibits: list[Exhibit], *, neighbours: frozenset[str]
) -> Finding:
    if what:
        return Finding(
            f"{name} asks at {place} for {what} from the module {module}, which has nothing of that name.",
            exhibits,
            ["Correct the name (Python's own words above may suggest one), or import the module that has it."],
        )
    same = [one for one in neighbours if one.lower() == f"{module.lower()}.py"]
    if same:
        return Finding(
            f"{name} asks at {place} for the module {module}, but the file beside it is {same[0]}: capitals count.",
            exhibits,
            [f"Write  import {same[0].removesuffix('.py')}"],
        )
    top = module.partition(".")[0]
    fix = [
        "The container has Python's standard library, PyMySQL, and what cgi-bin/requirements.txt lists.",
        "A package of the index: add its name to cgi-bin/requirements.txt, then type  make up",
        f"A module of yours: put {top}.py beside the script; or correct the name.",
    ]
    if top in OF_DATABASES:
        fix = ["For the database the container has another one, whose functions have the same names:  import pymysql"]
    elif top == "pymysql":
        fix = ["The lab's own container has it. Elsewhere:  pip install PyMySQL"]
    return Finding(
        f"{name} asks at {place} for the module {module}, which is not installed where it runs.", exhibits, fix
    )


def _imports_of(script: Script, *, functions: bool = False) -> list[tuple[str, str, int]]:
    if not script.is_python or not script.whole:
        return []
    tree = parse(script)
    return [] if isinstance(tree, Problem) else imports(tree, functions=functions)


def _library(python: tuple[int, int]) -> set[str]:
    """Return the modules of the Python that runs a script, whichever it is that reads the script here."""
    gone = {module for module, since in REMOVED.items() if python >= since}
    return (set(sys.stdlib_module_names) | REMOVED.keys()) - gone


def _is_neighbour(script: Script, module: str) -> bool:
    top = module.partition(".")[0]
    return f"{top}.py" in script.neighbours or top in script.neighbours
