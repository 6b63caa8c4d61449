"""What the forkserver loads, which each of its forks pays for."""

import subprocess
import sys

import pytest

# Large modules of the standard library that are easily drawn in.
LARGE = {"ast", "dataclasses", "inspect", "logging", "pathlib", "subprocess", "tokenize", "typing"}


@pytest.mark.skipif(sys.platform != "linux", reason="the forkserver runs in the container, which is Linux")
def test_of_its_own_the_forkserver_loads_no_large_module() -> None:
    code = "import sys, cgilab.forkserver.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "cgilab.forkserver.server" in loaded
    assert LARGE & set(loaded) == set()
