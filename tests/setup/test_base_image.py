"""docker/base/ensure.sh on machines of every kind: exit code, the image it names, messages, and what it did."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.setup.fake_machine import BOOKWORM, NO_ENGINE, TRIXIE, Machine

SCRIPT = "docker/base/ensure.sh"
LOG = "/var/log/cgi-lab-base.log"
FEDORA = 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=42\n'

OFFICIAL = "debian:trixie-slim"
OWN = "cgi-lab/base:trixie"

# No image, and no registry that answers.
CUT_OFF = Machine(engine="26.1.5")

PULL = f"docker pull -q {OFFICIAL}"
PULLING = f"base: pulling {OFFICIAL}, since no base image is here"
NOT_PULLED = "base: it cannot be pulled: Error response from daemon: lookup registry.test: no such host"
BUILDING = f"base: building {OWN} from this machine's own Debian mirror instead, about 15 seconds"
BUILT = f"base: built {OWN}"
INSTALLING = "base: installing mmdebstrap, which builds it, since this machine lacks it"
AGAIN = f"base: Mend what it names, then type the same command again. The whole log: {LOG}"

BUILD = ("apt-get update", "mmdebstrap trixie", f"docker import the image of trixie as {OWN}")
INSTALL = ("apt-get -s install mmdebstrap", "apt-get install mmdebstrap")
IN_MEMORY = "mount -t tmpfs -o size=1g,mode=755 tmpfs"


@dataclass(frozen=True)
class Situation:
    """A machine, the image that the script names there (none: it fails), its messages, and what it does."""

    name: str
    machine: Machine
    image: str = ""
    stderr: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    code: int = 1


FOUND = [
    Situation("official image here", replace(CUT_OFF, images=(OFFICIAL,)), OFFICIAL),
    Situation("own image here", replace(CUT_OFF, images=(OWN,)), OWN),
    Situation("official before own", replace(CUT_OFF, images=(OWN, OFFICIAL)), OFFICIAL),
    Situation(
        "image of another release is none", replace(CUT_OFF, images=("debian:bookworm-slim", OFFICIAL)), OFFICIAL
    ),
    Situation(
        "BASE_IMAGE here",
        replace(CUT_OFF, images=("mine:1", OFFICIAL), environment={"BASE_IMAGE": "mine:1"}),
        "mine:1",
    ),
    Situation(
        "BASE_IMAGE empty counts as not set", replace(CUT_OFF, images=(OWN,), environment={"BASE_IMAGE": ""}), OWN
    ),
    Situation(
        "DEBIAN=bookworm",
        replace(CUT_OFF, images=(OWN, OFFICIAL, "debian:bookworm-slim"), environment={"DEBIAN": "bookworm"}),
        "debian:bookworm-slim",
    ),
    Situation("official image pulled", replace(CUT_OFF, pullable=(OFFICIAL,)), OFFICIAL, (PULLING,), (PULL,)),
    Situation(
        "BASE_IMAGE pulled",
        replace(CUT_OFF, pullable=("mine:1",), images=(OFFICIAL,), environment={"BASE_IMAGE": "mine:1"}),
        "mine:1",
        ("base: pulling mine:1, since BASE_IMAGE names it and it is not here", "docker.io/library/mine:1"),
        ("docker pull -q mine:1",),
    ),
]

BUILT_HERE = [
    Situation("built", CUT_OFF, OWN, (PULLING, NOT_PULLED, BUILDING, BUILT), (PULL, *BUILD)),
    Situation(
        "built on Debian 13",
        replace(CUT_OFF, system=TRIXIE, mirrors="Debian https://mirror.test/debian/ trixie\n"),
        OWN,
        (PULLING, NOT_PULLED, BUILDING, BUILT),
        (PULL, *BUILD),
    ),
    Situation(
        "built with mmdebstrap installed first",
        replace(CUT_OFF, mmdebstrap=False),
        OWN,
        (PULLING, NOT_PULLED, BUILDING, INSTALLING, BUILT),
        (PULL, BUILD[0], *INSTALL, *BUILD[1:]),
    ),
    Situation(
        "built through apt's proxy",
        replace(CUT_OFF, apt_proxies="http_of_apt='http://127.0.0.1:3142'\nhttps_of_apt='DIRECT'\n"),
        OWN,
        (PULLING, NOT_PULLED, BUILDING, BUILT),
        (PULL, BUILD[0], "mmdebstrap trixie http_proxy=http://127.0.0.1:3142", BUILD[2]),
    ),
    Situation(
        "built in memory",
        replace(CUT_OFF, memory_kilobytes=2_000_000),
        OWN,
        (PULLING, NOT_PULLED, BUILDING, BUILT),
        (PULL, BUILD[0], "mount -t tmpfs tmpfs TREE", f"{IN_MEMORY} TREE", *BUILD[1:]),
    ),
    Situation(
        "built on disk where memory is short",
        replace(CUT_OFF, memory_kilobytes=1_999_999),
        OWN,
        (PULLING, NOT_PULLED, BUILDING, BUILT),
        (PULL, *BUILD),
    ),
    Situation(
        "built on disk where nothing may be mounted",
        replace(CUT_OFF, memory_kilobytes=2_000_000, namespaces=False),
        OWN,
        (PULLING, NOT_PULLED, BUILDING, BUILT),
        (PULL, *BUILD),
    ),
    Situation(
        "Debian 12 built",
        replace(CUT_OFF, environment={"DEBIAN": "bookworm"}),
        "cgi-lab/base:bookworm",
        (
            "base: pulling debian:bookworm-slim, since no base image is here",
            NOT_PULLED,
            "base: building cgi-lab/base:bookworm from this machine's own Debian mirror instead, about 15 seconds",
            "base: built cgi-lab/base:bookworm",
        ),
        (
            "docker pull -q debian:bookworm-slim",
            "apt-get update",
            "mmdebstrap bookworm",
            "docker import the image of bookworm as cgi-lab/base:bookworm",
        ),
    ),
]

NO_DEBIAN = (
    PULLING,
    NOT_PULLED,
    f"base: building {OWN} instead takes a machine with Debian, and this is none",
    f"base: When a registry can be reached, type: docker pull {OFFICIAL}",
    "base: With an image of Debian trixie under another name, set BASE_IMAGE to that name",
)
NO_ANSWER = (
    "base: no Docker Engine answers, so no image can be looked for",
    "base: Type: docker/engine/ensure.sh",
)
REFUSED = [
    Situation(
        "release unknown",
        replace(CUT_OFF, environment={"DEBIAN": "sid; rm -rf /"}),
        stderr=(
            "base: DEBIAN is 'sid; rm -rf /', and there are base images of Debian trixie and bookworm only",
            "base: Type: unset DEBIAN",
        ),
    ),
    Situation("no engine", replace(CUT_OFF, engine="", engine_error=NO_ENGINE), stderr=NO_ANSWER),
    Situation("no docker command", replace(CUT_OFF, client=False), stderr=NO_ANSWER),
    Situation(
        "no engine for BASE_IMAGE", replace(CUT_OFF, engine="", environment={"BASE_IMAGE": "mine:1"}), stderr=NO_ANSWER
    ),
    Situation(
        "BASE_IMAGE not to be had",
        replace(CUT_OFF, images=(OFFICIAL, OWN), environment={"BASE_IMAGE": "mine:1"}),
        stderr=(
            "base: pulling mine:1, since BASE_IMAGE names it and it is not here",
            "Error response from daemon: lookup registry.test: no such host",
            "base: BASE_IMAGE is mine:1, which is neither here nor can be pulled",
            "base: Type: unset BASE_IMAGE   or name an image that docker images lists",
        ),
        commands=("docker pull -q mine:1",),
    ),
    Situation("macOS", replace(CUT_OFF, kernel="Darwin", system=""), stderr=NO_DEBIAN, commands=(PULL,)),
    Situation("other Linux", replace(CUT_OFF, system=FEDORA), stderr=NO_DEBIAN, commands=(PULL,)),
    Situation(
        "not root",
        replace(CUT_OFF, user="ann"),
        stderr=(
            PULLING,
            NOT_PULLED,
            (
                f"base: building {OWN} instead takes root, to give files in it their owners. "
                "Type: sudo docker/base/ensure.sh"
            ),
        ),
        commands=(PULL,),
    ),
    Situation(
        "pull fails without a word",
        replace(CUT_OFF, pull_error="", user="ann"),
        stderr=(
            PULLING,
            "base: it cannot be pulled: no answer in 60 seconds",
            (
                f"base: building {OWN} instead takes root, to give files in it their owners. "
                "Type: sudo docker/base/ensure.sh"
            ),
        ),
        commands=(PULL,),
    ),
]

FAILED = [
    Situation(
        "mmdebstrap fails and nothing is imported",
        replace(CUT_OFF, mmdebstrap_fails=True),
        stderr=(
            PULLING,
            NOT_PULLED,
            BUILDING,
            f"base: mmdebstrap could not build {OWN}; the end of its log:",
            "base:   E: a third party is broken",
            "base:   E: apt-get failed",
            AGAIN,
        ),
        commands=(PULL, *BUILD[:2]),
    ),
    Situation(
        "import fails",
        replace(CUT_OFF, import_fails=True),
        stderr=(
            PULLING,
            NOT_PULLED,
            BUILDING,
            "base: docker could not import the image; the end of its log:",
            "base:   E: a third party is broken",
            "base:   no space left on device",
            AGAIN,
        ),
        commands=(PULL, *BUILD),
    ),
    Situation(
        "mmdebstrap would upgrade",
        replace(CUT_OFF, mmdebstrap=False, plan="Inst perl [5.36] (5.40 Debian:13)\nInst mmdebstrap (1.5 Debian:13)"),
        stderr=(
            PULLING,
            NOT_PULLED,
            BUILDING,
            INSTALLING,
            "base: nothing was installed: for mmdebstrap apt would change packages that this machine has:",
            "base:   upgrade perl",
            (
                "base: Bring the machine up to date first (apt-get update, apt-get upgrade), "
                "then type the same command again."
            ),
            f"base: apt's whole plan: {LOG}",
        ),
        commands=(PULL, BUILD[0], INSTALL[0]),
    ),
    Situation(
        "mmdebstrap cannot be installed",
        replace(CUT_OFF, mmdebstrap=False, on_install="echo 'E: no space'; exit 100"),
        stderr=(
            PULLING,
            NOT_PULLED,
            BUILDING,
            INSTALLING,
            "base: apt could not install mmdebstrap; the end of its log:",
            "base:   E: a third party is broken",
            "base:   0 upgraded, 2 newly installed",
            "base:   Inst runc (1.1.5 Debian:12/oldstable [amd64])",
            "base:   Conf runc (1.1.5 x)",
            "base:   E: no space",
            AGAIN,
        ),
        commands=(PULL, BUILD[0], *INSTALL),
    ),
    Situation(
        "no mirror of Debian",
        replace(CUT_OFF, mirrors="Docker http://docker.test/ bookworm\n"),
        stderr=(
            PULLING,
            NOT_PULLED,
            BUILDING,
            (
                "base: this machine's apt reached no Debian mirror, so there is none to take Debian trixie from; "
                "the end of its log:"
            ),
            "base:   E: a third party is broken",
            f"base: Try: apt-get update   (the whole log: {LOG})",
        ),
        commands=(PULL, BUILD[0]),
    ),
    Situation(
        "Ctrl-C while mmdebstrap builds",
        replace(CUT_OFF, mmdebstrap_fails=True, on_bootstrap='kill -INT "$PPID"'),
        stderr=(PULLING, NOT_PULLED, BUILDING),
        commands=(PULL, *BUILD[:2]),
        code=130,
    ),
]


@pytest.mark.parametrize("situation", [*FOUND, *BUILT_HERE, *REFUSED, *FAILED], ids=lambda situation: situation.name)
def test_situation(situation: Situation, tmp_path: Path) -> None:
    outcome = situation.machine.run(SCRIPT, tmp_path)
    assert outcome.stderr == list(situation.stderr)
    # The new tree lies in a temporary directory, whose name no one can foretell.
    assert [command.partition(" /")[0] + " TREE" * (" /" in command) for command in outcome.commands] == list(
        situation.commands
    )
    expected = (0, f"{situation.image}\n") if situation.image else (situation.code, "")
    assert (outcome.code, outcome.stdout) == expected


KEY = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"


@pytest.mark.parametrize(
    ("mirrors", "sources"),
    [
        pytest.param(
            "Debian http://a.test/debian/ bookworm\nDebian http://b.test/security/ bookworm-security\n",
            [
                f"deb {KEY} http://a.test/debian/ trixie main",
                f"deb {KEY} http://a.test/debian/ trixie-updates main",
                f"deb {KEY} http://b.test/security/ trixie-security main",
            ],
            id="updates lie beside the release",
        ),
        pytest.param(
            "Debian https://a.test/debian/ trixie\n" * 2 + "Debian https://a.test/debian/ trixie-updates\n",
            [f"deb {KEY} https://a.test/debian/ trixie main", f"deb {KEY} https://a.test/debian/ trixie-updates main"],
            id="a mirror named twice",
        ),
        pytest.param(
            "Debian Backports http://x.test/ bookworm-backports\nDebian cdrom:/x/ bookworm\nDebian file:/x/ bookworm\n"
            "Docker http://x.test/ bookworm\n http://x.test/ bookworm\nDebian http://x.test/ rc-buggy\n"
            "Debian http://x.test/ \n"
            "Debian http://a.test/debian/ sid\n",
            [f"deb {KEY} http://a.test/debian/ trixie main", f"deb {KEY} http://a.test/debian/ trixie-updates main"],
            id="none but Debian's own, over the network",
        ),
    ],
)
def test_sources_of_the_image(mirrors: str, sources: list[str], tmp_path: Path) -> None:
    replace(CUT_OFF, mirrors=mirrors).run(SCRIPT, tmp_path)
    assert (tmp_path / "state/sources_used").read_text().splitlines() == sources


def test_image_leaves_out_documentation_and_translations_now_and_later(tmp_path: Path) -> None:
    CUT_OFF.run(SCRIPT, tmp_path)
    tree = tmp_path / "state/tree"
    assert (tree / "etc/dpkg/dpkg.cfg.d/cgi-lab").read_text() == (
        "path-exclude=/usr/share/doc/*\n"
        "path-exclude=/usr/share/man/*\n"
        "path-exclude=/usr/share/info/*\n"
        "path-exclude=/usr/share/locale/*\n"
    )
    assert [str(path.relative_to(tree)) for path in tree.glob("usr/share/*/*")] == ["usr/share/zoneinfo/package"]


def test_nothing_of_the_machines_apt_changes(tmp_path: Path) -> None:
    assert replace(CUT_OFF, mmdebstrap=False).run(SCRIPT, tmp_path).code == 0
    files = {path.name: path.read_text() for path in (tmp_path / "root/etc").rglob("*") if path.is_file()}
    assert files == {
        "os-release": BOOKWORM,
        "sources.list": "the machine's own sources\n",
        "preferences": "the machine's own preferences\n",
    }
