"""A bundle: one file with all that the lab is started from on a machine that has an engine and no network.

It is a tar file: `manifest.json`, its SHA-256 in `manifest.sha256`, then the parts: an image each, as `docker save`
writes it and compressed, and the wheels of requirements.lock. Nothing is taken from it before all of it was checked.

`python3 -m cgilab.project.bundle FILE FOLDER` puts the wheels into a folder, for tests/environment.sh.
"""

import hashlib
import io
import json
import re
import shutil
import sys
import sysconfig
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

from cgilab.errors import LabError
from cgilab.project.engine import ROOT

FORMAT = 1
MANIFEST = "manifest.json"
DIGEST = "manifest.sha256"
IMAGES = "images/"
WHEELS = "wheels/"

# More than a manifest of any bundle takes; a file that only looks like a bundle is not read into memory whole.
LARGEST_MANIFEST = 1_000_000
BLOCK = 1 << 20


@dataclass(frozen=True)
class Part:
    """One file in a bundle.

    Attributes:
        name: its path in the bundle.
        sha256: of its content, in hexadecimal.
        image: the id of the image that it holds; empty for a wheel.
        tag: the name of that image.
    """

    name: str
    sha256: str
    image: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        project: the version of this project.
        debian: the release of Debian that the images are made of.
        engine: the system and the architecture that they run on, such as ``linux/amd64``.
        python: the Python and the platform that the wheels are for, such as ``3.13 linux-x86_64``.
        packages: the SHA-256 of the requirements.txt that the image of the web server was built with; empty without.
        parts: all other files in it.
    """

    project: str
    debian: str
    engine: str
    python: str
    packages: str
    parts: Sequence[Part]

    @property
    def images(self) -> list[Part]:
        """The parts that hold an image each."""
        return [part for part in self.parts if part.name.startswith(IMAGES)]

    @property
    def wheels(self) -> list[Part]:
        """The parts that are wheels."""
        return [part for part in self.parts if part.name.startswith(WHEELS)]


def project_version() -> str:
    """Return the version of this project, which pyproject.toml gives."""
    found = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def this_python() -> str:
    """Return the Python that runs this, as a manifest names it."""
    return f"{sys.version_info.major}.{sys.version_info.minor} {sysconfig.get_platform()}"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal; empty where there is no file."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return _digest(file)


def write(path: Path, manifest: Manifest, folder: Path) -> int:
    """Write a bundle: under another name, and under its own when it is whole.

    Args:
        path: of the bundle.
        manifest: what it says of itself.
        folder: where its parts are, by their names.

    Returns:
        Its size, in bytes.
    """
    text = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1).encode()
    new = path.with_name(f"{path.name}.new")
    try:
        with tarfile.open(new, "w") as tar:
            for name, content in ((MANIFEST, text), (DIGEST, hashlib.sha256(text).hexdigest().encode())):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
            for part in manifest.parts:
                entry = tarfile.TarInfo(part.name)
                entry.size = (folder / part.name).stat().st_size
                with (folder / part.name).open("rb") as file:
                    tar.addfile(entry, file)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return path.stat().st_size


class Bundle:
    """A bundle that was read from its beginning to its end, and is whole."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self.manifest = manifest

    def part(self, part: Part) -> IO[bytes]:
        """Return the content of a part."""
        # It was read before, so it is there.
        return cast("IO[bytes]", self._tar.extractfile(part.name))


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """Open a bundle, and read all of it, so that what is taken from it is what was put in.

    Raises:
        LabError: there is none, it is no bundle, it is cut off, a part of it has changed, or it was made by another
            version of the project.
    """
    try:
        tar = tarfile.open(path, "r:")  # noqa: SIM115 - closed below; its errors are not those of the caller
    except tarfile.TarError:
        raise LabError(f"{path} is no bundle of the lab.", "Name a file that  make bundle  has written.") from None
    except OSError as error:
        raise LabError(
            f"{path} cannot be read: {error.strerror}.", "Name a file that  make bundle  has written."
        ) from None
    with tar:
        yield Bundle(tar, _checked(tar, path))


def _checked(tar: tarfile.TarFile, path: Path) -> Manifest:
    try:
        text = _content(tar, MANIFEST, LARGEST_MANIFEST)
        digest = _content(tar, DIGEST, LARGEST_MANIFEST)
    except (KeyError, tarfile.TarError):
        raise LabError(f"{path} is no bundle of the lab.", "Name a file that  make bundle  has written.") from None
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror}.") from None
    if hashlib.sha256(text).hexdigest().encode() != digest:
        raise _damaged(path, f"{MANIFEST} has changed since it was written")
    manifest = _manifest(json.loads(text), path)
    for part in manifest.parts:
        try:
            content = tar.extractfile(part.name)
            found = _digest(content) if content else ""
        except (KeyError, tarfile.TarError, EOFError):
            raise _damaged(path, f"it is cut off: {part.name} is not whole") from None
        except OSError as error:
            raise _damaged(path, f"{part.name} cannot be read: {error.strerror or error}") from None
        if found != part.sha256:
            raise _damaged(path, f"{part.name} has changed since it was written")
    return manifest


def _content(tar: tarfile.TarFile, name: str, most: int) -> bytes:
    # The first two files: asked for by name, the whole tar file would be searched for them.
    entry = tar.next()
    if entry is None or entry.name != name or entry.size > most:
        raise KeyError(name)
    file = tar.extractfile(entry)
    content = file.read() if file else b""
    if len(content) != entry.size:
        raise tarfile.ReadError(name)
    return content


def _manifest(said: Mapping[str, Any], path: Path) -> Manifest:
    if said.get("format") != FORMAT:
        raise LabError(
            f"{path} has the format {said.get('format')}, and this version of the project reads format {FORMAT}.",
            "Use the version of the project that it was made by, or make it anew:  make bundle",
        )
    own = project_version()
    if said.get("project") != own:
        raise LabError(
            f"{path} was made by version {said.get('project')} of the project, and this is version {own}.",
            "Make it anew, where there is a network:  make bundle",
            "Or use the version of the project that it was made by.",
        )
    fields = {name: said[name] for name in ("project", "debian", "engine", "python", "packages")}
    return Manifest(**fields, parts=[Part(**part) for part in said["parts"]])


def _damaged(path: Path, why: str) -> LabError:
    return LabError(f"{path} is damaged: {why}.", "Copy it again from where it was made, or make it anew:  make bundle")


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def extract_wheels(path: Path, folder: Path) -> None:
    """Put the wheels of a bundle into a folder.

    Raises:
        LabError: they are for another Python than the one that runs this; see `opened` for the others.
    """
    with opened(path) as bundle:
        if bundle.manifest.python != this_python():
            raise LabError(
                f"The wheels of {path} are for Python {bundle.manifest.python}, and this is Python {this_python()}.",
                "Name a Python of that version:  PYTHON=python3.13 make environment BUNDLE=FILE",
                "Or make the bundle on a machine like this one.",
            )
        for part in bundle.manifest.wheels:
            with bundle.part(part) as content, (folder / Path(part.name).name).open("wb") as file:
                shutil.copyfileobj(content, file)


if __name__ == "__main__":
    try:
        extract_wheels(Path(sys.argv[1]), Path(sys.argv[2]))
    except LabError as error:
        sys.exit(str(error))
