"""What tests share that need neither an engine nor a network."""

import subprocess

import pytest

from tests.unit.fake_docker import FakeDocker


@pytest.fixture
def fake_docker(monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """A docker that answers what the test tells it to."""
    fake = FakeDocker()
    monkeypatch.setattr(subprocess, "run", fake)
    return fake
