"""A lab that serves the museum."""

from collections.abc import Iterator

import pytest

from tests.museum.place import place_all
from tests.museum.serving import PLACED, SOUND
from tests.support.running_lab import RunningLab, running_lab


@pytest.fixture(scope="module")
def lab(machine_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab of its own: the one that other tests share would lose what it has recorded of them."""
    with running_lab(tmp_path_factory.mktemp("museum"), machine_settings) as running:
        place_all([*PLACED, *SOUND], running.cgi_bin, running.www)
        yield running
