"""The setting DEBIAN: what it may be, and where it is taken from."""

import os
from pathlib import Path

import pytest

from cgilab import release
from cgilab.__main__ import main
from cgilab.diagnosis.programs import IMAGE, image
from cgilab.errors import LabError
from cgilab.project import engine, lab
from tests.unit.fake_docker import FakeDocker


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ({}, "trixie"),
        ({"DEBIAN": ""}, "trixie"),
        ({"DEBIAN": "trixie"}, "trixie"),
        ({"DEBIAN": "bookworm"}, "bookworm"),
    ],
)
def test_trixie_is_taken_where_nothing_else_is_asked_for(settings: dict[str, str], asked: str) -> None:
    assert release.asked(settings) == asked


@pytest.mark.parametrize("word", ["Trixie", "bullseye", "12", "bookworm ", "../trixie", "trixie-slim"])
def test_any_other_word_is_refused_with_the_two_that_are_known(word: str) -> None:
    with pytest.raises(LabError) as raised:
        release.asked({"DEBIAN": word})

    assert str(raised.value).splitlines() == [
        f"DEBIAN is {word!r}, and the lab can be made of Debian trixie or bookworm.",
        "  Type:  make up DEBIAN=bookworm",
        "  Or leave DEBIAN out, for trixie.",
    ]


@pytest.mark.parametrize("command", [["up"], ["up", "--wamp"], ["bundle"]])
def test_a_wrong_word_is_refused_before_docker_is_asked(
    fake_docker: FakeDocker,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:
    monkeypatch.setenv("DEBIAN", "sid")

    assert main(command) == 1
    assert capsys.readouterr().err.startswith(
        "DEBIAN is 'sid', and the lab can be made of Debian trixie or bookworm.\n"
    )
    assert fake_docker.asked == []


@pytest.mark.parametrize(
    ("line", "told"),
    [("DEBIAN=bookworm", "bookworm"), ("export DEBIAN='bookworm'", "bookworm"), ("# DEBIAN=bookworm", None)],
)
def test_it_may_stand_in_the_file_env(tmp_path: Path, line: str, told: str | None) -> None:
    (tmp_path / ".env").write_text(f"{line}\n", encoding="utf-8")

    assert release.env_file(tmp_path).get("DEBIAN") == told


def test_the_environment_counts_more_than_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("DEBIAN=bookworm\n", encoding="utf-8")
    monkeypatch.setenv("DEBIAN", "trixie")

    assert release.settings_of(tmp_path)["DEBIAN"] == "trixie"


@pytest.mark.skipif(os.name == "nt", reason="no script is run there")
def test_the_base_image_is_that_of_the_file_env(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def set_up(script: str, settings: dict[str, str] | None = None) -> str:
        asked.append((script, settings))
        return "debian:bookworm-slim"

    monkeypatch.setattr(engine, "_set_up", set_up)

    assert engine.prepare({"DEBIAN": "bookworm", "PATH": "/bin"}) == {"BASE_IMAGE": "debian:bookworm-slim"}
    assert asked == [
        ("docker/engine/ensure.sh", None),
        ("docker/base/ensure.sh", {"DEBIAN": "bookworm", "BASE_IMAGE": ""}),
    ]


def test_each_release_has_its_python() -> None:
    assert image("trixie") == IMAGE
    assert image("bookworm") - image("trixie") == {"/bin/python3.11", "/usr/bin/python3.11"}
    assert image("trixie") - image("bookworm") == {"/bin/python3.13", "/usr/bin/python3.13"}


@pytest.mark.parametrize("words", [("Temporary failure resolving 'deb.test'"), ("lookup registry.test: no such host")])
def test_a_build_without_a_network_points_to_bundles(fake_docker: FakeDocker, words: str) -> None:
    fake_docker.answers = {"build": (1, f"#8 1.2 {words}\nfailed to solve")}
    with pytest.raises(LabError) as raised:
        lab.Lab().build()

    assert (raised.value.what, raised.value.fix[-1]) == (
        "The image could not be built.",
        "A build takes a network. Without one, start from a bundle:  make up BUNDLE=FILE",
    )


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=1", "1"),
        ("export NAME=1", "1"),
        ("NAME: 1", "1"),
        ("  NAME = 1  ", "1"),
        ("NAME=0 # 1 opens it", "0"),
        ("NAME= # none", ""),
        ("NAME=# none", ""),
        ("NAME=a#b", "a#b"),
        ('NAME="a # b" # a comment', "a # b"),
        ("NAME='a b'", "a b"),
        ("NAME=", ""),
        ("\ufeffNAME=1", "1"),
    ],
)
def test_a_line_of_the_settings_file_is_read_as_compose_reads_it(tmp_path: Path, line: str, value: str) -> None:
    (tmp_path / ".env").write_text(f"{line}\nOTHER=x\n", encoding="utf-8")

    assert release.env_file(tmp_path) == {"NAME": value, "OTHER": "x"}


def test_a_comment_is_no_setting(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# NAME=1\n", encoding="utf-8")

    assert release.env_file(tmp_path) == {}


def test_a_settings_file_of_powershell_is_refused_and_not_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("PORT=8081\n", encoding="utf-16")
    with pytest.raises(LabError) as raised:
        release.env_file(tmp_path)

    assert str(raised.value).splitlines() == [
        f"{path} is not in UTF-8, so Docker Compose cannot read it either.",
        "  Save it as UTF-8. In PowerShell:  Set-Content -Encoding ascii .env 'PORT=8081'",
    ]
