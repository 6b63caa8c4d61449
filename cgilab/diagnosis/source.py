"""What a Python script would print, as far as its source alone tells.

A script is followed from its first statement on: what is written down as text is known, all else is not. The following
ends at the first thing that might print something unknown, so what it says of the beginning of the output is sure.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from cgilab.diagnosis.script import Script

if TYPE_CHECKING:
    import ast

# Stands in a text for a part that only a run can tell; it may hold anything, line breaks too.
UNKNOWN = "\ufffc"

# Longer texts are cut; httpd takes no header line longer than 8190 bytes.
LONGEST = 20_000

# Depth of functions that call each other, when they are followed.
DEEPEST = 8

# Statements that are followed, and characters of a line of a shell script that is looked at.
MOST_STEPS = 5000
LONGEST_LINE = 1000

# Calls that print nothing on standard output, though nobody looks at their result.
SILENT = {
    "append", "add", "basicConfig", "chdir", "clear", "close", "commit", "connect", "cursor", "debug", "detach",
    "enable", "error", "execute", "extend", "filterwarnings", "info", "insert", "join", "makedirs", "mkdir", "pop",
    "putenv", "read", "readline", "reconfigure", "remove", "seed", "seek", "setdefault", "setlocale", "setrlimit",
    "signal", "simplefilter", "sleep", "sort", "tzset", "umask", "unlink", "update", "warn", "warning", "alarm",
}  # fmt: skip

# Programs that print nothing, when a script starts them.
SILENT_PROGRAMS = {"true", "sleep", "touch", "mkdir", "rm", "cp", "mv", "chmod", "kill", "logger", "ln", "test"}

# Where a source may declare its encoding, and the codecs that take long.
HEAD_BYTES = 400
SLOW_CODECS = {b"punycode", b"idna"}

FLUSHING = {"flush"}
EXITS = {"exit", "quit", "_exit", "abort"}


class Output(NamedTuple):
    """Something that a script prints.

    Attributes:
        line: of the source, from 1.
        text: what is printed, with `UNKNOWN` for what is not known.
        child: whether another program prints it, past the script's own buffer.
    """

    line: int
    text: str
    child: bool = False


class Printed(NamedTuple):
    """What a script prints, as far as it is known.

    Attributes:
        outputs: in their order in time.
        complete: whether that is all: the script's end was reached.
        exit_line: the line of a call that ends the script; None where there is none on the way.
        unflushed: the first program that is started while the script's own output is still in its buffer, with what is
            in there; or None.
    """

    outputs: Sequence[Output]
    complete: bool
    exit_line: int | None = None
    unflushed: tuple[Output, str] | None = None

    @property
    def text(self) -> str:
        """All of it, in the order of the source."""
        return "".join(output.text for output in self.outputs)


class Problem(NamedTuple):
    """Why a source cannot be compiled."""

    kind: str
    message: str
    line: int
    text: str


def parse(script: Script) -> "ast.Module | Problem":
    """Return the syntax tree of a Python script, which is kept for the next rule; or why there is none."""
    return _parse(script.content, script.name)


# Many rules ask for the tree of one script, one after the other.
@lru_cache(maxsize=1)
def _parse(content: bytes, name: str) -> "ast.Module | Problem":
    import ast
    import warnings

    declared = re.search(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", content[:HEAD_BYTES], re.MULTILINE)
    if declared and declared[1].lower().replace(b"-", b"_") in SLOW_CODECS:
        return Problem("SyntaxError", f"a source in {declared[1].decode()}", 1, "")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content, name)
            compile(tree, name, "exec", dont_inherit=True)  # finds more: a return outside of a function
            return tree
    except SyntaxError as error:
        line = error.lineno or 1
        lines = content.splitlines()
        text = lines[line - 1].decode(errors="replace") if line <= len(lines) else ""
        return Problem(type(error).__name__, error.msg, line, text)
    except (ValueError, RecursionError, MemoryError, UnicodeError) as error:
        return Problem(type(error).__name__, str(error), 1, "")


@lru_cache(maxsize=1)
def printed(script: Script) -> Printed | None:
    """Follow a script; None where its source cannot be followed at all: no Python or shell, or not to be compiled."""
    if script.is_python and script.whole:
        tree = parse(script)
        return None if isinstance(tree, Problem) else _Follower(tree, unbuffered=b"-u" in script.shebang).follow()
    if script.language in {"sh", "bash", "dash", "ksh", "zsh"} and script.whole:
        return _shell(script)
    return None


@lru_cache(maxsize=1)
def all_texts(script: Script) -> tuple[Output, ...]:
    """Return all texts that a script's source prints, in the order of their lines, wherever they stand."""
    if not script.is_python or not script.whole:
        return tuple(_shell(script).outputs) if script.language.endswith("sh") else ()
    tree = parse(script)
    return () if isinstance(tree, Problem) else tuple(sorted(_print_calls(tree)))


def imports(tree: "ast.Module", *, functions: bool = False) -> list[tuple[str, str, int]]:
    """Return what a script imports for certain when it starts: module, name taken from it or empty, line.

    What stands in a ``try`` may do no harm where it is missing.

    Args:
        tree: of its source.
        functions: takes in what functions import too that are called somewhere.
    """
    import ast

    found = []
    called = {_name_of(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)} if functions else set()
    waiting: deque[Any] = deque(tree.body)
    while waiting:
        node = waiting.popleft()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in called:
            waiting.extendleft(reversed(node.body))
        if isinstance(node, ast.Import):
            found += [(name.name, "", node.lineno) for name in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found += [(node.module, name.name, node.lineno) for name in node.names]
        elif isinstance(node, ast.With) or (isinstance(node, ast.If) and _is_main(node.test)):
            waiting.extendleft(reversed(node.body))
    return found


def unsure(tree: "ast.Module") -> list[tuple[int, int]]:
    """Return the lines, from and to, that may never be run, or whose failure is expected.

    They stand in a ``try``, in a branch, or in a function that nobody calls.
    """
    import ast

    nodes = list(ast.walk(tree))
    called = {_name_of(node.func) for node in nodes if isinstance(node, ast.Call)}
    parts: list[Any] = [[node] for node in tree.body if isinstance(node, ast.FunctionDef) and node.name not in called]
    parts += [[node] for node in nodes if isinstance(node, (ast.Try, ast.IfExp))]
    branches = [node for node in nodes if isinstance(node, ast.If) and not _is_main(node.test)]
    parts += [part for node in branches for part in (node.body, node.orelse) if part]
    return [(part[0].lineno, part[-1].end_lineno or 0) for part in parts]


def is_caught(script: Script, line: int) -> bool:
    """Return whether a line of a Python script stands in a ``try`` whose handler does not raise again."""
    import ast

    tree = parse(script)
    if isinstance(tree, Problem):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and node.handlers:
            first, last = node.body[0].lineno, node.body[-1].end_lineno or 0
            raises = any(isinstance(inner, ast.Raise) for handler in node.handlers for inner in ast.walk(handler))
            if first <= line <= last and not raises:
                return True
    return False


def exits(script: Script) -> list[int]:
    """Return the lines of the calls that end a Python script, wherever they stand."""
    import ast

    tree = parse(script)
    if isinstance(tree, Problem):
        return []
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name_of(node.func) in EXITS]
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc is not None]
    names = [one for one in raised if _name_of(getattr(one, "func", one)) == "SystemExit"]
    return sorted(node.lineno for node in [*found, *names])


def _is_main(test: "ast.expr") -> bool:
    import ast

    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and isinstance(test.ops[0], ast.Eq)
    )


def _print_calls(tree: "ast.AST") -> Iterator[Output]:
    import ast

    follower = _Follower(tree, unbuffered=True)
    follower.learn()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            text = follower.text_of_call(node)
            if text is not None:
                yield Output(node.lineno, text)


class _Stop(Exception):  # noqa: N818 - no error: the end of what can be known
    """Nothing is known of what comes next; `complete` where nothing comes."""

    def __init__(self, *, complete: bool = False, line: int | None = None) -> None:
        super().__init__()
        self.complete = complete
        self.line = line


class _Follower:
    """Follows the statements of a module in the order in which they are executed."""

    def __init__(self, tree: "ast.AST", *, unbuffered: bool) -> None:
        import ast

        self._ast = ast
        self._tree = tree
        self._unbuffered = unbuffered
        self._outputs: list[Output] = []
        self._buffered = ""
        self._unflushed: tuple[Output, str] | None = None
        self._functions: dict[str, Any] = {}
        self._texts: dict[str, str] = {}
        self._writers: set[str] = set()
        self._imports: dict[str, tuple[str, str]] = {}
        self._depth = 0
        self._steps = 0

    def learn(self) -> None:
        """Take for known what each name stands for that is given one text only, wherever that is."""
        ast = self._ast
        given = [
            (node.targets[0].id, node.value)
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        ]
        times = Counter(name for name, _ in given)
        for name, value in given:
            if times[name] == 1:
                self._texts[name] = self._text(value)

    def follow(self) -> Printed:
        """Return what is printed until the end, or until nothing is known any more."""
        try:
            self._block(self._tree.body)  # type: ignore[attr-defined] # a module
        except _Stop as stop:
            return Printed(tuple(self._outputs), stop.complete, stop.line, self._unflushed)
        return Printed(tuple(self._outputs), True, None, self._unflushed)

    def _block(self, statements: Sequence[Any]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: Any) -> None:
        ast = self._ast
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise _Stop(complete=False)
        if isinstance(node, (ast.Return, ast.Raise, ast.While)):
            self._leave(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._functions[node.name] = node
        elif isinstance(node, ast.Expr):
            self._expression(node.value)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            self._assign(node)
        elif isinstance(node, ast.If) and _is_main(node.test):
            self._block(node.body)
        elif isinstance(node, (ast.Import, ast.ImportFrom, ast.ClassDef, ast.Pass, ast.Global, ast.Nonlocal)):
            self._imported(node)
        elif isinstance(node, ast.With) and all(self._is_open(item.context_expr) for item in node.items):
            self._block(node.body)
        elif self._speaks(node):
            raise _Stop(complete=False)

    def _leave(self, node: Any) -> None:
        ast = self._ast
        if isinstance(node, ast.Return):
            raise _Return
        raised = getattr(node, "exc", None)
        if raised is not None and _name_of(getattr(raised, "func", raised)) == "SystemExit":
            self._exit(node, getattr(raised, "args", []))
        raise _Stop(complete=False)  # a loop may never end

    def _is_open(self, node: Any) -> bool:
        return isinstance(node, self._ast.Call) and _name_of(node.func) in {"open", "urlopen", "closing", "connect"}

    def _imported(self, node: Any) -> None:
        """An imported module of the standard library prints nothing; a neighbour's might."""
        ast = self._ast
        import sys

        names = []
        if isinstance(node, ast.ImportFrom) and node.module in {"os", "subprocess"}:
            self._imports.update({name.asname or name.name: (node.module, name.name) for name in node.names})
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "."]
        known = sys.stdlib_module_names | {"cgi", "cgitb"}
        if any(name.partition(".")[0] not in known for name in names):
            raise _Stop(complete=False)

    def _speaks(self, node: Any) -> bool:
        """Return whether a statement that is not followed might print, end the script, or start a program."""
        ast = self._ast
        for inner in ast.walk(node):
            if isinstance(inner, (ast.Raise, ast.Return, ast.Import, ast.ImportFrom, ast.With, ast.AsyncWith)):
                return True
            if isinstance(inner, ast.Call):
                name = _name_of(inner.func)
                if self.text_of_call(inner) is not None or name in self._functions or name in EXITS:
                    return True
                if not name or name not in SILENT:
                    return True
        return False

    def _assign(self, node: Any) -> None:
        ast = self._ast
        value = node.value
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if value is None:
            return
        self._calls(value)
        for target in targets:
            if isinstance(target, ast.Name):
                text = self._text(value)
                self._texts[target.id] = text
                if isinstance(value, ast.Attribute) and _is_stdout(value):
                    self._writers.add(target.id)
            elif isinstance(target, ast.Attribute) and target.attr in {"stdout", "stderr", "__stdout__"}:
                raise _Stop(complete=False)

    def _calls(self, node: Any) -> None:
        """Look at the calls within an expression whose value is used: some of them speak all the same."""
        ast = self._ast
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call):
                name = _name_of(inner.func)
                if self._child(inner) or name in self._functions or name in EXITS | {"print"}:
                    if self._child(inner) is None and name in self._functions and not self._speaks_inside(name):
                        continue
                    self._expression(inner)

    def _speaks_inside(self, name: str) -> bool:
        ast = self._ast
        return any(
            isinstance(inner, ast.Call)
            and (self.text_of_call(inner) is not None or _name_of(inner.func) in EXITS or self._child(inner))
            for inner in ast.walk(self._functions[name])
        )

    def _expression(self, node: Any) -> None:
        ast = self._ast
        if isinstance(node, ast.Call):
            self._call_of(node)
        elif not isinstance(node, (ast.Constant, ast.JoinedStr)) and self._speaks(node):
            raise _Stop(complete=False)

    def _call_of(self, node: Any) -> None:
        ast = self._ast
        name = _name_of(node.func)
        text = self.text_of_call(node)
        if text is not None:
            self._print(node, text)
        elif name in FLUSHING:
            self._buffered = ""
        elif name in EXITS:
            self._exit(node, node.args)
        elif child := self._child(node):
            self._start(node, child)
        elif isinstance(node.func, ast.Name) and name in self._functions:
            self._call(self._functions[name])
        elif name == "reconfigure" and any(
            keyword.arg in {"line_buffering", "write_through"} for keyword in node.keywords
        ):
            self._unbuffered = True
        elif name not in SILENT:
            raise _Stop(complete=False)

    def _call(self, function: Any) -> None:
        if self._depth >= DEEPEST or function.decorator_list:
            raise _Stop(complete=False)
        ast = self._ast
        if isinstance(function, ast.AsyncFunctionDef) or any(
            isinstance(inner, (ast.Yield, ast.YieldFrom)) for inner in ast.walk(function)
        ):
            raise _Stop(complete=False)
        self._depth += 1
        texts = dict(self._texts)
        arguments = function.args
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            self._texts[argument.arg] = UNKNOWN
        try:
            self._block(function.body)
        except _Return:
            pass
        finally:
            self._texts = texts
            self._depth -= 1

    def _exit(self, node: Any, arguments: Sequence[Any]) -> None:
        """End, after what the arguments do: ``sys.exit(main())`` first calls main."""
        for argument in arguments:
            if isinstance(argument, self._ast.Call):
                self._expression(argument)
        raise _Stop(complete=True, line=node.lineno)

    def _print(self, node: Any, text: str) -> None:
        output = Output(node.lineno, text)
        self._outputs.append(output)
        flushes = any(keyword.arg == "flush" and _is_true(keyword.value) for keyword in node.keywords)
        if _name_of(node.func) == "write" and _is_raw(node.func):
            if self._buffered and self._unflushed is None:
                self._unflushed = (output, self._buffered)
        elif self._unbuffered or flushes:
            self._buffered = ""
        else:
            self._buffered += text

    def _start(self, node: Any, child: str) -> None:
        words = child.split()
        program = words[0].rpartition("/")[2] if words else ""
        if program in SILENT_PROGRAMS or ">" in child:
            return
        output = Output(node.lineno, UNKNOWN, child=True)
        if self._buffered and self._unflushed is None:
            self._unflushed = (output, self._buffered)
        self._outputs.append(output)

    def _child(self, node: Any) -> str | None:
        """Return the command that a call starts with the script's own standard output; None for any other call."""
        ast = self._ast
        function = node.func
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            module, name = function.value.id, function.attr
        else:
            module, name = self._imports.get(getattr(function, "id", ""), ("", ""))
        if module == "os" and name in {"system", "spawnlp", "spawnvp", "spawnl", "spawnv"}:
            return (self._text(node.args[-1]) if node.args else UNKNOWN) or UNKNOWN
        if module == "subprocess" and name in {"run", "call", "check_call", "Popen"}:
            elsewhere = {"stdout", "capture_output"}
            if any(keyword.arg in elsewhere and not _is_none(keyword.value) for keyword in node.keywords):
                return None
            first = node.args[0] if node.args else None
            if isinstance(first, (ast.List, ast.Tuple)) and first.elts:
                first = first.elts[0]
            return (self._text(first) if first is not None else UNKNOWN) or UNKNOWN
        return None

    def text_of_call(self, node: Any) -> str | None:
        """Return what a call prints on standard output; None where it is no call that does."""
        ast = self._ast
        function = node.func
        if isinstance(function, ast.Name) and function.id == "print":
            return self._text_of_print(node)
        if isinstance(function, ast.Attribute) and function.attr == "write" and node.args:
            if _is_stdout(function.value) or (
                isinstance(function.value, ast.Name) and function.value.id in self._writers
            ):
                return self._text(node.args[0])
            if isinstance(function.value, ast.Name) and function.value.id == "os":
                first = node.args[0]
                if isinstance(first, ast.Constant) and first.value == 1 and len(node.args) > 1:
                    return self._text(node.args[1])
        if isinstance(function, ast.Attribute) and function.attr == "writelines" and _is_stdout(function.value):
            return UNKNOWN
        return None

    def _text_of_print(self, node: Any) -> str | None:
        separator, end = " ", "\n"
        for keyword in node.keywords:
            if keyword.arg == "file" and not _is_none(keyword.value) and not _is_stdout(keyword.value):
                return None
            if keyword.arg == "sep":
                separator = self._text(keyword.value)
            elif keyword.arg == "end":
                end = self._text(keyword.value)
            elif keyword.arg is None:
                return UNKNOWN
        return separator.join(self._text(argument) for argument in node.args)[:LONGEST] + end

    def _text(self, node: Any) -> str:
        """Return the text of an expression, with `UNKNOWN` where only a run can tell."""
        ast = self._ast
        text = UNKNOWN
        if isinstance(node, ast.Constant):
            text = node.value.decode("latin-1") if isinstance(node.value, bytes) else _str(node.value)
        elif isinstance(node, ast.Name):
            text = self._texts.get(node.id, UNKNOWN)
        elif isinstance(node, ast.JoinedStr):
            text = "".join(self._text(part) for part in node.values)
        elif isinstance(node, ast.BinOp):
            text = self._text_of_operation(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "format":
                text = re.sub(r"\{[^{}]*\}", UNKNOWN, self._text(node.func.value))
            elif node.func.attr == "encode":
                text = self._text(node.func.value)
        return text[:LONGEST]

    def _text_of_operation(self, node: Any) -> str:
        ast = self._ast
        if isinstance(node.op, ast.Add):
            return self._text(node.left) + self._text(node.right)
        if isinstance(node.op, ast.Mult):
            return self._times(node.left, node.right) or self._times(node.right, node.left) or UNKNOWN
        if isinstance(node.op, ast.Mod):
            return re.sub(r"%[-+ #0-9.]*[a-zA-Z]", UNKNOWN, self._text(node.left)).replace("%%", "%")
        return UNKNOWN

    def _times(self, text: Any, number: Any) -> str | None:
        ast = self._ast
        if not (isinstance(number, ast.Constant) and isinstance(number.value, int) and isinstance(text, ast.Constant)):
            return None
        once = self._text(text) if isinstance(text.value, (str, bytes)) else ""
        return once * min(max(number.value, 0), LONGEST // len(once) + 1) if once else None


def _str(value: Any) -> str:
    """Return a constant as text; Python refuses to write numbers of some thousands of digits."""
    try:
        return str(value)
    except ValueError:
        return UNKNOWN


class _Return(Exception):  # noqa: N818 - no error: the end of a function that is followed
    """A function returns."""


def _name_of(function: Any) -> str:
    return str(getattr(function, "id", "") or getattr(function, "attr", ""))


def _is_stdout(node: Any) -> bool:
    """Whether an expression is ``sys.stdout``, ``sys.stdout.buffer`` or the like."""
    while (attribute := getattr(node, "attr", None)) is not None:
        if attribute in {"stdout", "__stdout__"}:
            return True
        node = node.value
    return getattr(node, "id", "") == "stdout"


def _is_raw(function: Any) -> bool:
    """Whether a call writes past the buffer of ``print``: ``sys.stdout.buffer.write``, ``os.write``."""
    value = function.value
    return getattr(value, "attr", "") in {"buffer", "raw"} or getattr(value, "id", "") == "os"


def _is_true(node: Any) -> bool:
    return getattr(node, "value", None) is True


def _is_none(node: Any) -> bool:
    return hasattr(node, "value") and node.value is None and not hasattr(node, "attr")


ECHO = re.compile(r"^\s*(?P<program>echo|printf)\s+(?P<rest>.*?)\s*(?:;;|;|&&|#.*)?$")
SAFE_LINE = re.compile(r"^\s*(?:#|$|:|set |export |[A-Za-z_]\w*=(?!.*\$\()|exit\b)")


def _shell(script: Script) -> Printed:
    """Follow a shell script, as long as it does nothing but echo and printf of texts."""
    outputs: list[Output] = []
    for number, line in enumerate(script.lines[1:], start=2):
        text = line[:LONGEST_LINE].decode(errors="replace").rstrip()
        if len(line) > LONGEST_LINE:
            return Printed(tuple(outputs), False)
        match = ECHO.match(text)
        if match and not re.search(r"[|>]", match["rest"]):
            outputs.append(Output(number, _echoed(match["program"], match["rest"], script.language)))
        elif text.strip() == "echo":
            outputs.append(Output(number, "\n"))
        elif not SAFE_LINE.match(text):
            return Printed(tuple(outputs), False)
        elif text.strip().startswith("exit"):
            return Printed(tuple(outputs), True, number)
    return Printed(tuple(outputs), True)


def _echoed(program: str, rest: str, language: str) -> str:
    end = "\n" if program == "echo" else ""
    interprets = program == "printf" or language in {"sh", "dash"}
    while program == "echo" and (option := re.match(r"-([neE]+)\s+", rest)):
        end = "" if "n" in option[1] else end
        interprets = interprets or "e" in option[1]
        rest = rest[option.end() :]
    words = re.findall(r"\"(?:\\.|[^\"\\])*\"|'[^']*'|[^\s\"']+", rest)
    parts = []
    for word in words[:1] if program == "printf" else words:
        bare = word[1:-1] if word[:1] in "\"'" else word
        if word[:1] != "'":
            bare = re.sub(r"\$\([^)]*\)|\$\{[^}]*\}|\$\w+|`[^`]*`", UNKNOWN, bare)
        if interprets:
            bare = bare.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")
        if program == "printf":
            bare = re.sub(r"%[-+ #0-9.]*[a-zA-Z]", UNKNOWN, bare)
        parts.append(bare)
    return " ".join(parts) + end
