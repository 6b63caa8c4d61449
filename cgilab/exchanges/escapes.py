"""How httpd writes what it logs: its escapes, and its name for a page that PHP runs."""

import re

ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|(.))", re.DOTALL)
CHARACTERS = {"b": "\b", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

# What stands before the path of a page in SCRIPT_FILENAME (mod_proxy_fcgi); PHP takes it away.
OF_PHP = "proxy:fcgi://php"


def unescape_bytes(text: str) -> str:
    """Undo httpd's escapes of a logged value (ap_escape_logitem); characters stand for bytes."""
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)) if match[1] else CHARACTERS.get(match[2], match[2]), text)


def unescape(text: str) -> str:
    r"""Undo httpd's escapes of a logged value (ap_escape_logitem), and read its bytes as UTF-8.

    Args:
        text: characters stand for bytes.

    Returns:
        The text; bytes that are no UTF-8 are shown as ``\xhh``.
    """
    return unescape_bytes(text).encode("latin-1").decode("utf-8", errors="backslashreplace")
