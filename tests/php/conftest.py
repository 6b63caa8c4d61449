"""The container of PHP, and pages that tests write."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import testinfra
from docker.models.containers import Container
from testinfra.host import Host

from tests.support.running_lab import RunningLab


@pytest.fixture(scope="session")
def php(wamp: RunningLab) -> Container:
    """The container of PHP as the docker SDK sees it."""
    return wamp.server("php")


@pytest.fixture(scope="session")
def host(php: Container) -> Host:
    """The inside of that container, as the server's user."""
    return testinfra.get_host(f"docker://{php.id}")


@pytest.fixture(scope="session")
def root(php: Container) -> Host:
    """The same as root, who can look into every folder."""
    return testinfra.get_host(f"docker://root@{php.id}")


@pytest.fixture
def page(wamp: RunningLab, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The path of a page that is not there yet, for a test that writes it; removed at the end."""
    path = wamp.www / f"{request.node.originalname}.php"
    yield path
    path.unlink(missing_ok=True)
