"""The running lab as testinfra sees it: a host on which commands can be run."""

import pytest
import testinfra
from testinfra.host import Host

from tests.support.running_lab import RunningLab


@pytest.fixture(scope="session")
def host(lab: RunningLab) -> Host:
    """The inside of the lab's container, as the server's user."""
    return testinfra.get_host(f"docker://{lab.container.id}")


@pytest.fixture(scope="session")
def root(lab: RunningLab) -> Host:
    """The same as root, who can look into every folder; without capabilities even root can do no more than that."""
    return testinfra.get_host(f"docker://root@{lab.container.id}")
