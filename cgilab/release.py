"""The releases of Debian that the lab can be made of: the setting DEBIAN, of the environment or of the file .env."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from cgilab.errors import LabError

USUAL = "trixie"

# A line of .env, and what ends a value that stands in no quotes.
VARIABLE = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*[=:][ \t]*(.*)$", re.MULTILINE)
COMMENT = re.compile(r"(?:^|[ \t])#")
QUOTES = ("'", '"')

# The Python of each release.
PYTHON = {"trixie": (3, 13), "bookworm": (3, 11)}


def asked(settings: Mapping[str, str]) -> str:
    """Return the release that the setting DEBIAN names, trixie where it names none.

    Args:
        settings: the variables of the environment and of the file .env.

    Raises:
        LabError: it names neither of the two.
    """
    release = settings.get("DEBIAN") or USUAL
    if release not in PYTHON:
        raise LabError(
            f"DEBIAN is {release!r}, and the lab can be made of Debian trixie or bookworm.",
            "Type:  make up DEBIAN=bookworm",
            "Or leave DEBIAN out, for trixie.",
        )
    return release


def env_file(root: Path) -> dict[str, str]:
    """Return the variables that the file .env of a folder sets, as far as this package looks at their values.

    Raises:
        LabError: it is no text in UTF-8.
    """
    path = root / ".env"
    try:
        text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    except UnicodeDecodeError:
        raise LabError(
            f"{path} is not in UTF-8, so Docker Compose cannot read it either.",
            "Save it as UTF-8. In PowerShell:  Set-Content -Encoding ascii .env 'PORT=8081'",
        ) from None
    return {name: _value(written) for name, written in VARIABLE.findall(text)}


def _value(written: str) -> str:
    if written.startswith(QUOTES):
        return written[1:].partition(written[0])[0]
    return COMMENT.split(written)[0].strip()


def settings_of(root: Path) -> dict[str, str]:
    """Return the variables of the environment, and those that the file .env of a folder sets beside them."""
    return {**env_file(root), **os.environ}
