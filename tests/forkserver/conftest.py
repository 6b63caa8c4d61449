"""A lab of these tests alone, which forks its scripts, whatever the other tests do."""

from collections.abc import Iterator

import pytest

from tests.support.running_lab import RunningLab, running_lab


@pytest.fixture(scope="session")
def lab(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """The lab of the forkserver; each test leaves it as it was."""
    with running_lab(tmp_path_factory.mktemp("forkserver"), {**machine_settings, "START": "forkserver"}) as running:
        yield running


@pytest.fixture(scope="session")
def spawn(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab that starts an interpreter for each script."""
    with running_lab(tmp_path_factory.mktemp("spawn"), {**machine_settings, "START": "spawn"}) as running:
        yield running
