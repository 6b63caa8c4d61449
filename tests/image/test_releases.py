"""The two releases of Debian: what is not one of them, or not the one that was asked for, is refused by the build."""

import secrets

import pytest

from cgilab.errors import LabError
from cgilab.project.lab import Lab
from tests.support.debian import DEBIAN

OTHER = {"trixie": "bookworm", "bookworm": "trixie"}[DEBIAN]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param(OTHER, f"BASE_IMAGE is Debian {DEBIAN}, and DEBIAN is {OTHER}: set both alike", id="another"),
        pytest.param("sid", "DEBIAN is 'sid', and not trixie or bookworm", id="neither"),
    ],
)
def test_a_base_image_of_another_release(machine_settings: dict[str, str], asked: str, said: str) -> None:
    name = f"test-{secrets.token_hex(4)}"
    lab = Lab(project=f"cgi-lab-{name}", settings={**machine_settings, "DEBIAN": asked, "IMAGE_TAG": name})
    with pytest.raises(LabError) as raised:
        lab.build()

    # BuildKit puts the number of the step and the seconds before each line.
    assert said in [line.partition(" ")[2].partition(" ")[2] for line in raised.value.fix]
