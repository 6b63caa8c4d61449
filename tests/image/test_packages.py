"""The packages that services need: requirements.txt in their folder. Each test builds an image of its own."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from cgilab.errors import LabError
from cgilab.project import packages
from cgilab.project.engine import docker, inspect
from cgilab.project.lab import Lab
from tests.support.debian import PYTHON
from tests.support.running_lab import RunningLab, running_lab
from tests.support.wire import send

SERVICE = """#!/usr/bin/env python3
import six
print("Content-Type: text/plain\\n")
print(six.__version__, six.__file__)
"""
FOLDER = "/usr/local/lib/python{}.{}/dist-packages".format(*PYTHON)
MARK = "which-stays-on-this-machine"


@dataclass(frozen=True)
class Building:
    """A folder of services, and the image that is built with it."""

    folder: Path
    lab: Lab

    def build(self, requirements: bytes) -> None:
        """Build the image with this requirements.txt."""
        (self.folder / packages.NAME).write_bytes(requirements)
        self.lab.build()

    def refusal(self, requirements: bytes) -> list[str]:
        """Return what is said of a requirements.txt with which no image can be built."""
        with pytest.raises(LabError) as raised:
            self.build(requirements)
        assert raised.value.what == "The packages of the services cannot be installed."
        return list(raised.value.fix)


@pytest.fixture
def building(machine_settings: dict[str, str], tmp_path: Path) -> Iterator[Building]:
    name = f"test-{secrets.token_hex(4)}"
    (tmp_path / packages.NAME).write_text("six", encoding="utf-8")
    index = packages.index_settings(tmp_path, os.environ)
    settings = {**machine_settings, **index, "CGI_BIN": str(tmp_path), "IMAGE_TAG": name}
    yield Building(tmp_path, Lab(project=f"cgi-lab-{name}", settings=settings))
    docker("image", "rm", "--force", f"cgi-lab/web:{name}")


def test_a_package_is_there_for_services_and_pip_is_not(
    machine_settings: dict[str, str], tmp_path: Path, building: Building
) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    index = {name: value for name, value in building.lab.settings.items() if name in packages.SETTINGS.values()}
    with running_lab(folder, {**machine_settings, **index}) as lab:
        assert requests.get(f"{lab.url}/cgi-bin/web_02.py", timeout=10).status_code == 200
        (lab.cgi_bin / "six_version.py").write_text(SERVICE, encoding="utf-8")
        (lab.cgi_bin / "six_version.py").chmod(0o755)
        (lab.cgi_bin / packages.NAME).write_text("# for six_version.py\nsix==1.16.0\n", encoding="utf-8")
        (lab.cgi_bin / packages.NAME).chmod(0o755)
        assert requests.get(f"{lab.url}/cgi-bin/six_version.py", timeout=10).status_code == 500
        lab.compose.build()
        lab.compose.start()
        url = lab.compose.url()
        answer = requests.get(f"{url}/cgi-bin/six_version.py", timeout=10)

        assert (answer.status_code, answer.text) == (200, f"1.16.0 {FOLDER}/six.py\n")
        assert packages.NAME not in lab.compose.services()
        with pytest.raises(LabError):
            lab.compose.execute("python3", "-c", "import pip")

        # What cannot be built leaves the lab that runs as it is.
        before = lab.compose.container()
        (lab.cgi_bin / packages.NAME).write_text("six==0.0.99\n", encoding="utf-8")
        with pytest.raises(LabError):
            lab.compose.build()
        after = lab.compose.container()
        assert before is not None
        assert after is not None
        assert (after["Id"], after["Image"]) == (before["Id"], before["Image"])
        assert requests.get(f"{url}/cgi-bin/six_version.py", timeout=10).text == answer.text


@pytest.mark.parametrize("name", ["requirements.txt", "Requirements.TXT"])
def test_the_list_itself_is_never_served(lab: RunningLab, name: str) -> None:
    path = lab.cgi_bin / name
    path.write_text("#!/bin/sh\necho\n", encoding="utf-8")
    path.chmod(0o755)
    try:
        assert send(lab.port, f"GET /cgi-bin/{name} HTTP/1.0").status == 403
        assert send(lab.port, f"GET /cgi-bin/{name}/more HTTP/1.0").status == 403
    finally:
        path.unlink()


def test_a_page_of_that_name_is(lab: RunningLab) -> None:
    path = lab.www / "requirements.txt"
    path.write_text("six\n", encoding="utf-8")
    try:
        assert send(lab.port, "GET /requirements.txt HTTP/1.0").body == b"six\n"
    finally:
        path.unlink()


def test_no_other_file_of_the_folder_changes_the_image(building: Building) -> None:
    (building.folder / "one.py").write_text("1", encoding="utf-8")
    building.build(b"# nothing\n")
    image = building.lab.configuration()["services"]["web"]["image"]
    first = inspect("image", image)["Id"]
    (building.folder / "one.py").write_text("2", encoding="utf-8")
    (building.folder / "other.txt").write_text("3", encoding="utf-8")
    building.lab.build()

    assert inspect("image", image)["Id"] == first


@pytest.mark.parametrize(
    "requirements",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"# nothing\r\n\r\n", id="comments, as Windows saves them"),
        pytest.param(b"\xef\xbb\xbfsix==1.16.0\r\n", id="a byte order mark and line ends of Windows"),
        pytest.param(
            b"six==1.16.0 --hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254\n",
            id="a hash",
        ),
    ],
)
def test_what_can_be_built(building: Building, requirements: bytes) -> None:
    building.build(requirements)


NO_PROJECT = (
    "file:///own (from -r requirements.txt (line 2)) does not appear to be a Python project: neither 'setup.py' nor"
    " 'pyproject.toml' found."
)
NO_FILES = "Of the folder, requirements.txt alone goes into the build: it cannot lead to other files."


@pytest.mark.parametrize(
    ("requirements", "said"),
    [
        pytest.param(
            b"six\nno-such-package-of-lab\n",
            [
                "requirements.txt, line 2: no-such-package-of-lab",
                "Could not find a version that satisfies the requirement no-such-package-of-lab (from versions: none)",
                "No matching distribution found for no-such-package-of-lab",
            ],
            id="a package that is not there",
        ),
        pytest.param(
            b"six\n-e .\n",
            [
                "requirements.txt, line 2: -e .",
                NO_PROJECT,
                NO_FILES,
            ],
            id="the folder itself",
        ),
        pytest.param(
            b"\xff\x00\x81",
            [
                "requirements.txt is no text: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
                "Save it as UTF-8.",
            ],
            id="no text",
        ),
    ],
)
def test_what_cannot_be_built(building: Building, requirements: bytes, said: list[str]) -> None:
    assert building.refusal(requirements) == said


def test_a_module_of_the_lab_that_does_not_work_here(building: Building) -> None:
    """Debian's PyMySQL is mended for users without a name; with Python 3.13, other releases fail for them."""
    if PYTHON < (3, 13):
        building.build(b"PyMySQL==0.7.11\n")
        return
    found = building.refusal(b"PyMySQL==0.7.11\n")

    assert found[0] == "requirements.txt brings a pymysql with which the lab's own no longer works:"


def test_a_list_that_is_a_folder(building: Building) -> None:
    (building.folder / packages.NAME).unlink()
    (building.folder / packages.NAME).mkdir()
    (building.folder / packages.NAME / "six.txt").write_text("six\n", encoding="utf-8")
    with pytest.raises(LabError) as raised:
        building.lab.build()

    assert raised.value.fix == ("requirements.txt is a folder or a symbolic link, and not a file",)


def test_the_address_of_the_index_stays_in_no_image(building: Building) -> None:
    """Such an address may hold a password."""
    address = f"http://user:{MARK}@127.0.0.1:9/simple"
    lab = replace(building.lab, settings={**building.lab.settings, "PIP_EXTRA_INDEX_URL": address})
    (building.folder / packages.NAME).write_text("# nothing\n", encoding="utf-8")
    lab.build()
    image = lab.configuration()["services"]["web"]["image"]
    history = docker("history", "--no-trunc", image)
    saved = subprocess.run(["docker", "save", image], stdout=subprocess.PIPE, check=True).stdout

    assert [text for text in (history, json.dumps(inspect("image", image))) if MARK in text] == []
    assert MARK.encode() not in saved
