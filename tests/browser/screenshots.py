"""The pictures of the lab's pages that the README shows, made from a lab that is started for it: `make screenshots`.

Usage: .venv/bin/python -m tests.browser.screenshots [--folder FOLDER] [--width WIDTH]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, expect

from cgilab.project.engine import ROOT, prepare
from cgilab.project.lab import SERVERS, default_settings
from tests.support.browser import chromium
from tests.support.running_lab import SERVICES_OF_TESTS, RunningLab, running_lab

HEIGHT = 800
SCHEMES = ("light", "dark")
FAILING = b"""#!/usr/bin/env python3
print("Content-Type: text/html")
print("<h1>Hello</h1>")
"""
CLIENTS = ("client_web_02", "client_web_03_get", "client_web_03_post")


def main() -> None:
    """Start a lab, let the chapter's clients call it, and take a picture of each page in each scheme."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--width", type=int, default=1280)
    arguments = parser.parse_args()
    settings = {**prepare(), **default_settings(os.environ)}
    with (
        tempfile.TemporaryDirectory() as folder,
        running_lab(Path(folder), settings, servers=SERVERS) as lab,
        chromium() as browser,
    ):
        call(lab.url)
        for scheme in SCHEMES:
            take(browser, lab.url, scheme, arguments.width, arguments.folder / f"lab-{scheme}.png")
            take_failure(browser, lab, scheme, arguments.width, arguments.folder / f"failure-{scheme}.png")
        leave_what_is_the_projects(lab)
        for scheme in SCHEMES:
            take_home(browser, lab.url, scheme, arguments.width, arguments.folder / f"home-{scheme}.png")


def call(url: str) -> None:
    """Call the chapter's services, with the chapter's clients."""
    for name in CLIENTS:
        program = ROOT / "clients" / "http_client" / f"{name}.py"
        environment = {**os.environ, "LAB_URL": url}
        subprocess.run([sys.executable, str(program)], env=environment, check=True, capture_output=True, timeout=60)


def take(browser: Browser, url: str, scheme: str, width: int, file: Path) -> None:
    """Open the POST of the list, and take a picture of the window."""
    file.parent.mkdir(parents=True, exist_ok=True)
    page = browser.new_page(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": HEIGHT}
    )
    page.goto(f"{url}/lab/")
    post = page.locator("#exchanges a", has_text="POST").first
    post.click()
    expect(page.locator(".panel")).to_have_count(4)
    page.screenshot(path=file)
    page.close()
    print(f"screenshots: {file}, {file.stat().st_size} bytes")


def take_failure(browser: Browser, lab: RunningLab, scheme: str, width: int, file: Path) -> None:
    """Break a script, ask for it, and take a picture of the page."""
    script = lab.cgi_bin / "hello.py"
    script.write_bytes(FAILING)
    script.chmod(0o755)
    page = browser.new_page(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": HEIGHT}
    )
    page.goto(f"{lab.url}/cgi-bin/{script.name}")
    expect(page.locator("h1")).to_contain_text("prints no empty line after its headers")
    page.screenshot(path=file)
    page.close()
    print(f"screenshots: {file}, {file.stat().st_size} bytes")


def leave_what_is_the_projects(lab: RunningLab) -> None:
    """Leave the services and pages that the project comes with, and the one that failed."""
    for service in SERVICES_OF_TESTS.iterdir():
        (lab.cgi_bin / service.name).unlink()
    (lab.www / "index.html").unlink()
    shutil.copytree(ROOT / "www", lab.www, dirs_exist_ok=True)


def take_home(browser: Browser, url: str, scheme: str, width: int, file: Path) -> None:
    """Take a picture of the localhost page."""
    page = browser.new_page(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": HEIGHT}
    )
    page.goto(url)
    expect(page).to_have_title("localhost")
    page.screenshot(path=file)
    page.close()
    print(f"screenshots: {file}, {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
