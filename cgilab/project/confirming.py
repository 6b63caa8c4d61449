"""Asking the user before something is done."""

import sys


def confirm(question: str) -> bool:
    """Ask a question on the terminal; anything but yes is no.

    Returns:
        False also where there is no terminal to ask on.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        print()
        return False
