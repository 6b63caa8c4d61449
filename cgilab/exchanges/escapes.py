"""How httpd writes what it logs: its escapes, and its names for what it hands over to another server."""

import re

ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|(.))", re.DOTALL)
CHARACTERS = {"b": "\b", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

# What stands before the path in SCRIPT_FILENAME where httpd hands a request over. PHP (mod_proxy_fcgi) takes it away;
# so does the forkserver (mod_proxy_scgi), which undoes the escapes of the path, those of a URL, too.
OF_PHP = "proxy:fcgi://php"
OF_FORKSERVER = "proxy:scgi://forkserver"
ESCAPED_IN_URL = re.compile(r"%([0-9A-Fa-f]{2})")


def path_of_script(name: str) -> str:
    """Return the path of a script or a page, from the value of SCRIPT_FILENAME; characters stand for bytes."""
    if name.startswith(OF_FORKSERVER):
        return ESCAPED_IN_URL.sub(lambda match: chr(int(match[1], 16)), name[len(OF_FORKSERVER) :])
    return name.removeprefix(OF_PHP)


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
    return readable(unescape_bytes(text))


def readable(text: str) -> str:
    r"""Return a text whose characters stand for bytes as what these mean in UTF-8, else as ``\xhh``."""
    return text.encode("latin-1").decode("utf-8", errors="backslashreplace")
