"""Bundles: what is written is what is read, and whatever else is refused."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cgilab.commands import up
from cgilab.errors import LabError
from cgilab.project import bundle
from cgilab.project.bundle import Manifest, Part, extract_wheels, opened, project_version, this_python
from cgilab.project.engine import ROOT
from cgilab.project.lab import Lab
from tests.unit.fake_docker import FakeDocker, configuration

WEB = b"the image of the web server " * 1000
WHEEL = b"a wheel"
ID = "sha256:1234"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A bundle of one image and one wheel, for this machine and this version of the project."""
    path = tmp_path / "lab.bundle"
    write(path)
    return path


def write(path: Path, **other: str) -> None:
    """Write a bundle that says of itself what is given, and else what is true."""
    folder = path.parent / "parts"
    for name, content in (("images/web.tar.gz", WEB), ("wheels/one.whl", WHEEL)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    parts = [
        Part("images/web.tar.gz", hashlib.sha256(WEB).hexdigest(), ID, "cgi-lab/web:trixie"),
        Part("wheels/one.whl", hashlib.sha256(WHEEL).hexdigest()),
    ]
    told = {
        "project": project_version(),
        "debian": "trixie",
        "engine": "linux/amd64",
        "python": this_python(),
        "packages": "",
        **other,
    }
    size = bundle.write(path, Manifest(**told, parts=parts), folder)
    assert size == path.stat().st_size


def refusal(path: Path) -> LabError:
    """Return the error with which a file is refused."""
    with pytest.raises(LabError) as raised, opened(path):
        pytest.fail("it was opened")
    return raised.value


def test_what_is_read_is_what_was_written(file: Path) -> None:
    with opened(file) as whole:
        contents = {part.name: whole.part(part).read() for part in whole.manifest.parts}

        assert contents == {"images/web.tar.gz": WEB, "wheels/one.whl": WHEEL}
        assert [part.image for part in whole.manifest.images] == [ID]
        assert [part.name for part in whole.manifest.wheels] == ["wheels/one.whl"]
        assert (whole.manifest.debian, whole.manifest.engine) == ("trixie", "linux/amd64")


def test_the_version_is_that_of_the_project() -> None:
    assert project_version() == "0.1.0"


def test_nothing_else_is_left_of_the_writing(file: Path) -> None:
    assert sorted(path.name for path in file.parent.iterdir()) == ["lab.bundle", "parts"]


def test_a_bundle_that_cannot_be_written_whole_leaves_the_old_one(file: Path) -> None:
    old = file.read_bytes()
    manifest = Manifest("1", "trixie", "linux/amd64", this_python(), "", [Part("images/db.tar.gz", "")])
    with pytest.raises(FileNotFoundError):
        bundle.write(file, manifest, file.parent / "parts")

    assert file.read_bytes() == old
    assert sorted(path.name for path in file.parent.iterdir()) == ["lab.bundle", "parts"]


def test_every_byte_of_content_counts(file: Path) -> None:
    content = file.read_bytes()
    with tarfile.open(file) as tar:
        members = [(entry.name, entry.offset_data, entry.size) for entry in tar]
    for name, start, size in members:
        for place in (start, start + size // 2, start + size - 1):
            changed = bytearray(content)
            changed[place] ^= 1
            file.write_bytes(changed)

            # The manifest guards the others, and its digest guards the manifest.
            told = "manifest.json" if name == "manifest.sha256" else name
            assert refusal(file).what == f"{file} is damaged: {told} has changed since it was written."


@pytest.mark.parametrize("name", ["images/web.tar.gz", "wheels/one.whl", "manifest.json"])
def test_a_changed_byte_is_told_with_the_part_that_has_it(file: Path, name: str) -> None:
    with tarfile.open(file) as tar:
        place = tar.getmember(name).offset_data
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)

    assert str(refusal(file)).splitlines() == [
        f"{file} is damaged: {name} has changed since it was written.",
        "  Copy it again from where it was made, or make it anew:  make bundle",
    ]


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.7, 0.9])
def test_a_bundle_that_is_cut_off(file: Path, kept: float) -> None:
    with tarfile.open(file) as tar:
        start = tar.getmember("images/web.tar.gz").offset_data
        end = tar.getmember("images/web.tar.gz").offset_data + len(WEB)
    os.truncate(file, start + int((end - start) * kept))

    assert str(refusal(file)).splitlines() == [
        f"{file} is damaged: it is cut off: images/web.tar.gz is not whole.",
        "  Copy it again from where it was made, or make it anew:  make bundle",
    ]


def test_a_bundle_that_is_cut_off_between_two_parts(file: Path) -> None:
    with tarfile.open(file) as tar:
        start = tar.getmember("wheels/one.whl").offset
    os.truncate(file, start)

    assert refusal(file).what == f"{file} is damaged: it is cut off: wheels/one.whl is not whole."


def tar_of(name: str, content: bytes) -> bytes:
    """Return a tar file of one file."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return written.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0" * 20_480, id="zeros"),
        pytest.param(b"PK\x03\x04" + b"x" * 5000, id="another kind of file"),
        pytest.param(tar_of("repositories", b"{}"), id="another tar file"),
        pytest.param(tar_of("manifest.json", b'[{"Config": "x"}]'), id="what docker save writes"),
        pytest.param(tar_of("manifest.json", b"x" * 2_000_000), id="a manifest that is too large"),
        pytest.param(tar_of("../../manifest.json", b"{}"), id="a path that leads out"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.bundle"
    path.write_bytes(content)

    assert str(refusal(path)).splitlines() == [
        f"{path} is no bundle of the lab.",
        "  Name a file that  make bundle  has written.",
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "other.bundle"

    assert refusal(path).what == f"{path} cannot be read: No such file or directory."


@pytest.mark.skipif(os.name == "nt", reason="Windows says of a folder that it may not be opened")
def test_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path).what == f"{tmp_path} cannot be read: Is a directory."


def test_a_bundle_of_another_version_of_the_project(tmp_path: Path) -> None:
    path = tmp_path / "old.bundle"
    write(path, project="0.0.9")

    assert str(refusal(path)).splitlines() == [
        f"{path} was made by version 0.0.9 of the project, and this is version {project_version()}.",
        "  Make it anew, where there is a network:  make bundle",
        "  Or use the version of the project that it was made by.",
    ]


def test_a_manifest_of_another_format(tmp_path: Path) -> None:
    path = tmp_path / "new.bundle"
    text = json.dumps({"format": 2, "project": project_version()}).encode()
    with tarfile.open(path, "w") as tar:
        for name, content in (("manifest.json", text), ("manifest.sha256", hashlib.sha256(text).hexdigest().encode())):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))

    assert refusal(path).what == f"{path} has the format 2, and this version of the project reads format 1."


# --- Wheels ---------------------------------------------------------------------------------------


def test_the_wheels_come_out_of_it(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    command = [sys.executable, "-m", "cgilab.project.bundle", str(file), str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"one.whl": WHEEL}


def test_wheels_for_another_python(tmp_path: Path) -> None:
    path = tmp_path / "lab.bundle"
    write(path, python="3.9 win-amd64")
    with pytest.raises(LabError) as raised:
        extract_wheels(path, tmp_path)

    assert (
        raised.value.what == f"The wheels of {path} are for Python 3.9 win-amd64, and this is Python {this_python()}."
    )


# --- Images ---------------------------------------------------------------------------------------


@pytest.fixture
def engine(fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """An engine for linux/amd64 that has no image, and that knows by its name whatever it loads."""
    described = json.loads(configuration())
    described["services"]["web"]["image"] = "cgi-lab/web:mine"
    fake_docker.answers = {"compose config": json.dumps(described), "docker version": "linux/amd64"}
    monkeypatch.setenv("DEBIAN", "trixie")

    def load(content: io.BufferedReader) -> str:
        fake_docker.asked.append(f"load {hashlib.sha256(content.read()).hexdigest()}")
        return ID

    monkeypatch.setattr(up, "load", load)
    return fake_docker


LOADED = f"load {hashlib.sha256(WEB).hexdigest()}"
TAGGED = f"docker tag {ID} cgi-lab/web:mine"


def changes(engine: FakeDocker) -> list[str]:
    """Return what was done to the engine's images."""
    return [command for command in engine.asked if command.startswith(("load", "docker tag"))]


def test_an_image_is_loaded_and_gets_the_name_that_compose_looks_for(engine: FakeDocker, file: Path) -> None:
    up.load_bundle(Lab(), file)

    assert changes(engine) == [LOADED, TAGGED]


def test_an_image_that_is_here_is_not_loaded(engine: FakeDocker, file: Path) -> None:
    engine.answers["image ls"] = f"sha256:5678\n{ID}\n"
    up.load_bundle(Lab(), file)

    assert changes(engine) == [TAGGED]


def change_the_last_byte_of_the_wheel(path: Path) -> None:
    """Change what is read last."""
    with tarfile.open(path) as tar:
        place = tar.getmember("wheels/one.whl").offset_data
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        pytest.param(
            lambda path: write(path, engine="linux/arm64"),
            "{} holds images for linux/arm64, and the engine of this machine is linux/amd64.",
            id="another architecture",
        ),
        pytest.param(
            lambda path: write(path, debian="bookworm"),
            "{} holds the lab made of Debian bookworm, and trixie is asked for.",
            id="another release of Debian",
        ),
        pytest.param(
            change_the_last_byte_of_the_wheel,
            "{} is damaged: wheels/one.whl has changed since it was written.",
            id="damaged at its end",
        ),
    ],
)
def test_what_is_refused_is_refused_before_anything_is_loaded(
    engine: FakeDocker, file: Path, spoil: Callable[[Path], None], what: str
) -> None:
    spoil(file)
    with pytest.raises(LabError) as raised:
        up.load_bundle(Lab(), file)

    assert raised.value.what == what.format(file)
    assert changes(engine) == []


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        pytest.param(("", ""), [], id="none"),
        pytest.param(("six\n", "six\n"), [], id="the same"),
        pytest.param(("six\n", ""), [], id="in the bundle alone"),
        pytest.param(
            ("six\n", "flask\n"),
            ["bundle: requirements.txt is another than when the bundle was made; what it adds is not installed"],
            id="another",
        ),
    ],
)
def test_own_packages_that_the_bundle_lacks_are_told(
    engine: FakeDocker, tmp_path: Path, capsys: pytest.CaptureFixture[str], lists: tuple[str, str], said: list[str]
) -> None:
    built_with, here = lists
    path = tmp_path / "lab.bundle"
    write(path, packages=hashlib.sha256(built_with.encode()).hexdigest() if built_with else "")
    if here:
        (tmp_path / "requirements.txt").write_bytes(here.encode())
    described = json.loads(configuration(cgi_bin=str(tmp_path)))
    described["services"]["web"]["image"] = "cgi-lab/web:mine"
    engine.answers["compose config"] = json.dumps(described)
    up.load_bundle(Lab(), path)

    assert capsys.readouterr().out.splitlines() == ["bundle: loading the image cgi-lab/web:trixie", *said]
