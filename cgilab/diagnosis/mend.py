"""Changes to a script's content that mend it, each of one fault. What cannot be told without guessing is not here."""

import re

SHEBANG = b"#!/usr/bin/env python3"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}

# Bytes from which every second one tells.
FEWEST = 4

# The interpreters that a Windows path, or one that is not there, stands for.
SHELLS = ("sh", "bash")

# Bytes in which a first line that stands too late is looked for, and characters of the longest line that is looked at:
# hostile ones would take long.
BEGINNING = 4096
LONGEST_LINE = 300


def line_endings(content: bytes) -> bytes:
    """Return the content with each Windows line ending made a line feed."""
    return content.replace(b"\r\n", b"\n")


def byte_order_mark(content: bytes) -> bytes:
    """Return the content without the three bytes that some editors put first."""
    return content.removeprefix(BYTE_ORDER_MARK)


def utf_16(content: bytes) -> bytes | None:
    """Return the content as UTF-8; None where it is no UTF-16."""
    encoding = encoding_of_utf_16(content)
    if encoding is None:
        return None
    try:
        return line_endings(content.decode(encoding).removeprefix("\ufeff").encode())
    except UnicodeDecodeError:
        return None


def encoding_of_utf_16(content: bytes) -> str | None:
    """Return ``utf-16-le`` or ``utf-16-be``, told by the mark or by every second byte of the beginning; else None."""
    if content[:2] in UTF_16:
        return UTF_16[content[:2]]
    start = content[:64]
    if len(start) < FEWEST:
        return None
    if not any(start[1::2]) and all(start[0 : len(start) // 2 * 2 : 2]):
        return "utf-16-le"
    if not any(start[0::2]) and all(start[1::2]):
        return "utf-16-be"
    return None


def shebang(content: bytes, language: str) -> bytes | None:
    """Return the content with a first line that leads to the interpreter.

    Args:
        content: with or without a first line that starts with ``#!``; the line's ending is kept.
        language: the interpreter's name, such as ``python3`` or ``sh``; None is returned for others than these.
    """
    if language.startswith("python"):
        line = SHEBANG
    elif language in SHELLS:
        line = b"#!/bin/" + language.encode()
    else:
        return None
    if not content.startswith(b"#!"):
        return line + b"\n" + content
    first, end, rest = content.partition(b"\n")
    return line + (b"\r" if first.endswith(b"\r") else b"") + (end or b"\n") + rest


def late_shebang(content: bytes) -> bytes | None:
    """Return the content from a first line on that stands too late; None where there is no such line."""
    place = 0
    for line in content[:BEGINNING].splitlines(keepends=True):
        code = line.lstrip(b" \t")
        if code.startswith(b"#!"):
            start = place + len(line) - len(code)
            return content[start:] if start else None
        if code.strip() and not code.startswith(b"#"):
            return None
        place += len(line)
    return None


# Each: what Python 2 wrote, and how Python 3 writes it. Applied to one line.
PYTHON_2 = (
    (re.compile(r"^(\s*)print\s*\((.*)\)\s*(%\s*.+?)\s*$"), r"\1print(\2 \3)"),
    (re.compile(r"^(\s*|.*[:;]\s*)print\s*>>\s*([\w.]+)\s*,\s*(.+?)\s*$"), r"\1print(\3, file=\2)"),
    (re.compile(r"^(\s*|.*[:;]\s*)print\s+(?!\()(.+?),\s*$"), r'\1print(\2, end=" ")'),
    (re.compile(r"^(\s*|.*[:;]\s*)print\s+(.+?)\s*$"), r"\1print(\2)"),
    (re.compile(r"^(\s*|.*[:;]\s*)print\s*$"), r"\1print()"),
    (re.compile(r"^(\s*)except\s+([\w.]+|\([^)]*\))\s*,\s*(\w+)\s*:"), r"\1except \2 as \3:"),
    (re.compile(r"^(\s*|.*:\s*)exec\s+([^(\s].*?)\s+in\s+(.+?)\s*$"), r"\1exec(\2, \3)"),
    (re.compile(r"^(\s*|.*:\s*)exec\s+([^(\s].*?)\s*$"), r"\1exec(\2)"),
    (re.compile(r"^(\s*|.*:\s*)raise\s+([\w.]+)\s*,\s*(.+?)\s*$"), r"\1raise \2(\3)"),
    (re.compile(r"`([^`]+)`"), r"repr(\1)"),
    (re.compile(r"\s*<>\s*"), r" != "),
    (re.compile(r"\b0([0-7]+)[lL]?\b(?![\"'.])"), r"0o\1"),
    (re.compile(r"\b(\d+|0[xX][0-9a-fA-F]+)[lL]\b"), r"\1"),
    (re.compile(r"\b[uU][rR]([\"'])"), r"r\1"),
)


def python_2(line: str) -> str | None:
    """Return one line of Python 2 as Python 3 writes it; None where nothing of Python 2 is recognised in it."""
    line = line.rstrip()
    if len(line) > LONGEST_LINE:
        return None
    for pattern, instead in PYTHON_2:
        changed = pattern.sub(instead, line)
        if changed != line:
            return changed
    return None


def replaced_line(content: bytes, number: int, text: str) -> bytes:
    """Return the content with another text in one line, from 1; the line's ending is kept."""
    lines = content.splitlines(keepends=True)
    old = lines[number - 1]
    end = old[len(old.rstrip(b"\r\n")) :]
    lines[number - 1] = text.encode() + end
    return b"".join(lines)


def line_after(content: bytes, number: int, text: str) -> bytes:
    """Return the content with one more line after another, indented like it."""
    lines = content.splitlines(keepends=True)
    indent, end = _margins(lines[number - 1])
    if not lines[number - 1].endswith((b"\n", b"\r")):
        lines[number - 1] += end
    lines.insert(number, indent + text.encode() + end)
    return b"".join(lines)


def line_before(content: bytes, number: int, text: str) -> bytes:
    """Return the content with one more line before another, indented like it."""
    lines = content.splitlines(keepends=True)
    indent, end = _margins(lines[number - 1])
    lines.insert(number - 1, indent + text.encode() + end)
    return b"".join(lines)


def _margins(line: bytes) -> tuple[bytes, bytes]:
    """Return what a line is indented with, and what ends it."""
    return line[: len(line) - len(line.lstrip(b" \t"))], line[len(line.rstrip(b"\r\n")) :] or b"\n"
