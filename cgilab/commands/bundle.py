"""Write one file from which the lab starts on a machine without a network: images and wheels."""

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from cgilab import release
from cgilab.errors import LabError
from cgilab.project import bundle, packages
from cgilab.project.bundle import IMAGES, WHEELS, Manifest, Part
from cgilab.project.engine import ROOT, docker, inspect, prepare, save
from cgilab.project.lab import SERVERS, Lab, default_lab

MEGABYTE = 1_000_000
LOCK = ROOT / "requirements.lock"

# A level that costs little time: what is left is a third of the images, and higher ones save a tenth of that.
COMPRESSION = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the name of the file."""
    parser.add_argument("file", nargs="?", type=Path, help="where to write it; by default a name that tells what it is")


def run(arguments: argparse.Namespace) -> int:
    """Build all images, and write them and the wheels."""
    settings = release.settings_of(ROOT)
    debian = release.asked(settings)
    prepared = prepare(settings)
    lab = default_lab()
    lab = replace(lab, settings={**lab.settings, **prepared}, servers=SERVERS)
    engine = docker("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}")
    path = arguments.file or Path(f"cgi-lab-{bundle.project_version()}-{debian}-{engine.rpartition('/')[2]}.bundle")
    # Path.is_dir() fails where a folder may not be entered.
    if os.path.isdir(path) or not os.path.isdir(path.absolute().parent):  # noqa: PTH112 - see above
        raise LabError(f"{path} cannot be written: name a file in a folder that is there.")
    print("bundle: building what is not built yet")
    lab.build()
    try:
        with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.absolute().parent) as name:
            folder = Path(name)
            parts = [*images(lab, prepared.get("BASE_IMAGE"), folder), *wheels(folder)]
            asked = bundle.sha256_of(lab.folders()["CGI_BIN"] / packages.NAME)
            about = Manifest(bundle.project_version(), debian, engine, bundle.this_python(), asked, parts)
            size = bundle.write(path, about, folder)
    except OSError as error:
        raise LabError(
            f"{path} cannot be written: {error.strerror}.", "Name a file on a disk with more room."
        ) from None
    print(f"bundle: {path}, {size / MEGABYTE:.0f} MB: Debian {debian}, {engine}; wheels for Python {about.python}")
    print(f"        without a network:  make wamp BUNDLE={path}")
    return 0


def images(lab: Lab, base: str | None, folder: Path) -> list[Part]:
    """Write the images of all servers, and the one that they are made from, as parts of a bundle.

    Args:
        lab: whose images they are.
        base: the name of the base image; None where Docker gets it by itself.
        folder: where the parts are written.
    """
    (folder / IMAGES).mkdir()
    described = lab.configuration()["services"]
    tags = {server: described[server]["image"] for server in SERVERS} | ({"base": base} if base else {})
    parts = []
    for server, tag in tags.items():
        print(f"bundle: writing the image {tag}")
        name = f"{IMAGES}{server}.tar.gz"
        image = inspect("image", tag)["Id"]
        with gzip.open(folder / name, "wb", COMPRESSION) as file:
            save(image, file)
        parts.append(Part(name, bundle.sha256_of(folder / name), image, tag))
    return parts


def wheels(folder: Path) -> list[Part]:
    """Write the wheels of requirements.lock for the Python that runs this, as parts of a bundle."""
    print("bundle: getting the wheels of requirements.lock")
    target = folder / WHEELS
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    command += ["--only-binary=:all:", "--dest", str(target), "--requirement", str(LOCK)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        raise LabError(
            "The wheels of requirements.lock cannot be had.",
            *done.stderr.strip().splitlines()[-5:],
            "Type:  .venv/bin/python instead of python3, where it has no pip; make bundle sets up .venv",
        )
    names = sorted(path.name for path in target.iterdir())
    return [Part(f"{WHEELS}{name}", bundle.sha256_of(target / name)) for name in names]
