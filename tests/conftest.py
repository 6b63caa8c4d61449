"""What all tests share: one running lab for the whole session, and its log beside whatever fails."""

import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser

from cgilab.project.engine import prepare
from cgilab.project.lab import SERVERS, default_settings
from tests.support.browser import chromium
from tests.support.running_lab import RunningLab, running_lab

LOG_LENGTH = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def machine_settings() -> dict[str, str]:
    """The settings that this machine asks for. Where there is no engine or no base image, this gets them.

    One at a time: `make test` runs several processes of pytest at once.
    """
    with FileLock(Path(tempfile.gettempdir()) / "cgi-lab-prepare.lock"):
        return {**prepare(), **default_settings(os.environ)}


@pytest.fixture(scope="session", autouse=True)
def no_proxy() -> Iterator[None]:
    """Whatever proxy the user's environment names, the lab is on this machine."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("no_proxy", "NO_PROXY"):
            environment.setenv(name, "localhost,127.0.0.1")
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    """With --wamp, the tests that need the web server alone meet it beside database and PHP."""
    parser.addoption("--wamp", action="store_true", help="run the tests of the lab against the one with all servers")


@pytest.fixture(scope="session")
def lab(
    request: pytest.FixtureRequest, machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningLab]:
    """The lab of all tests that leave it as they found it: the web server alone, but for the option --wamp."""
    if request.config.getoption("--wamp"):
        yield request.getfixturevalue("wamp")
        return
    with running_lab(tmp_path_factory.mktemp("lab"), machine_settings) as running:
        yield running


@pytest.fixture(scope="session")
def wamp(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """The lab with all servers: web, database and PHP."""
    with running_lab(tmp_path_factory.mktemp("wamp"), machine_settings, servers=SERVERS) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests, since Playwright starts no second one; each test gets a context of its own in it."""
    with chromium() as started:
        yield started


@pytest.fixture
def service(lab: RunningLab, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The path of a service that is not there yet, for a test that writes it; removed at the end."""
    path = lab.cgi_bin / f"written_by_{request.node.originalname}.py"
    yield path
    path.unlink(missing_ok=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Remember how long the lab's log is before a test."""
    yield
    running = _lab_of(item)
    if running:
        item.stash[LOG_LENGTH] = len(running.log())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show, with a test that failed, what the lab logged meanwhile and in which state it is."""
    report = yield
    running = _lab_of(item)
    if report.failed and running:
        running.container.reload()
        lines = running.log()[item.stash.get(LOG_LENGTH, 0) :]
        report.sections.append((f"log of the lab, which is {running.container.status}", "\n".join(lines)))
    return report


def _lab_of(item: pytest.Item) -> RunningLab | None:
    given = getattr(item, "funcargs", {})
    found = given.get("lab") or given.get("wamp")
    return found if isinstance(found, RunningLab) else None
