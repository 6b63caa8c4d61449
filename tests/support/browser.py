"""Chromium, started for tests: a browser of its own, without a profile, that calls nobody by itself."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

# What Chromium would send on its own, and what it shows at a first start, is none of a test's.
ARGUMENTS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# Chromium's own sandbox refuses to start for root, who runs the tests in a container.
ARGUMENTS_OF_ROOT = ("--no-sandbox",)


class NoBrowserError(RuntimeError):
    """There is no Chromium on this machine."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium: the one on PATH, else Playwright's own.

    Raises:
        NoBrowserError: there is neither; the message says what to type.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        if not found and not Path(playwright.chromium.executable_path).exists():
            raise NoBrowserError(
                f"no Chromium: none of {', '.join(NAMES)} is on PATH, and Playwright has none of its own. "
                "Install your system's, or type: .venv/bin/python -m playwright install chromium"
            )
        browser = playwright.chromium.launch(
            executable_path=found, args=[*ARGUMENTS, *(ARGUMENTS_OF_ROOT if is_root else ())]
        )
        try:
            yield browser
        finally:
            with suppress(Error):  # it has ended already
                browser.close()
