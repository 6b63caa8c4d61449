"""docker/engine/ensure.sh on machines of every kind: exit code, messages, and what it did."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.setup.fake_machine import BOOKWORM, NO_ENGINE, TRIXIE, Machine

SCRIPT = "docker/engine/ensure.sh"
MANUAL = "https://docs.docker.com/engine/install"
APT_LOG = "/var/log/cgi-lab-engine.log"
DOCKERD_LOG = "/var/log/cgi-lab-dockerd.log"

UBUNTU = 'NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\n'
UNSTABLE = 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_CODENAME=forky\n'
BULLSEYE = 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="11"\nVERSION_CODENAME=bullseye\n'
FEDORA = 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=42\n'

RUNNING = Machine(engine="26.1.5")
STOPPED = Machine()
# Nothing of Docker at all.
BARE = Machine(client=False, compose="", buildx=False, dockerd=False)
# As many build machines have it: a client by itself.
CLIENT_ALONE = Machine(compose="", buildx=False, dockerd=False)

UPDATE = "apt-get update"
START = "setsid dockerd"
READY = "engine: ready: Docker Engine 26.1.5"
STARTING = (
    f"engine: starting dockerd in the background, since none answers and there is no systemd; its log: {DOCKERD_LOG}"
)
AGAIN = "engine: Mend what it names, then type the same command again. The whole log:"


def installing(packages: str, source: str = "Debian trixie") -> str:
    return f"engine: installing {packages} from {source}'s packages, since this machine lacks them"


def installed(packages: str, updates: int = 2) -> list[str]:
    return [*[UPDATE] * updates, f"apt-get -s install {packages}", f"apt-get install {packages}"]


@dataclass(frozen=True)
class Situation:
    """A machine, and what the script does on it."""

    name: str
    machine: Machine
    stderr: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    code: int = 1


USABLE = [
    Situation("all there", RUNNING, code=0),
    Situation("oldest engine that will do", replace(RUNNING, engine="25.0.0"), code=0),
    Situation("engine of two digits beats one", replace(RUNNING, engine="100.1"), code=0),
    Situation("not root", replace(RUNNING, user="ann"), code=0),
    Situation("macOS", replace(RUNNING, kernel="Darwin"), code=0),
    Situation("DOCKER_HOST that answers", replace(RUNNING, environment={"DOCKER_HOST": "tcp://a:1"}), code=0),
]

ALL_ON_BOOKWORM = "docker.io ca-certificates docker-compose docker-buildx"
ALL_WITH_CLIENT = "docker.io ca-certificates docker-cli docker-compose docker-buildx"
INSTALLED = [
    Situation(
        "bare Debian 12",
        BARE,
        (installing(ALL_WITH_CLIENT), STARTING, READY),
        (*installed(ALL_WITH_CLIENT), START),
        0,
    ),
    Situation(
        "Debian 12 with a client",
        CLIENT_ALONE,
        (installing(ALL_ON_BOOKWORM), STARTING, READY),
        (*installed(ALL_ON_BOOKWORM), START),
        0,
    ),
    Situation(
        "Debian 13 takes its own packages",
        replace(BARE, system=TRIXIE),
        (installing(ALL_WITH_CLIENT, "Debian"), STARTING, READY),
        (*installed(ALL_WITH_CLIENT, updates=1), START),
        0,
    ),
    Situation(
        "Debian unstable has no version",
        replace(BARE, system=UNSTABLE),
        (installing(ALL_WITH_CLIENT, "Debian"), STARTING, READY),
        (*installed(ALL_WITH_CLIENT, updates=1), START),
        0,
    ),
    Situation(
        "Ubuntu names its packages otherwise",
        replace(BARE, system=UBUNTU),
        (installing("docker.io ca-certificates docker-compose-v2 docker-buildx", "Ubuntu"), STARTING, READY),
        (*installed("docker.io ca-certificates docker-compose-v2 docker-buildx", updates=1), START),
        0,
    ),
    Situation(
        "Compose v2 missing",
        replace(RUNNING, compose=""),
        (installing("docker-compose"), READY),
        tuple(installed("docker-compose")),
        0,
    ),
    Situation(
        "Compose of version 1 behind docker compose",
        replace(RUNNING, compose="1.29.2"),
        (installing("docker-compose"), READY),
        tuple(installed("docker-compose")),
        0,
    ),
    Situation(
        "Buildx missing",
        replace(RUNNING, buildx=False),
        (installing("docker-buildx"), READY),
        tuple(installed("docker-buildx")),
        0,
    ),
    Situation("engine installed and stopped", STOPPED, (STARTING, READY), (START,), 0),
    Situation(
        "engine stopped, under systemd",
        replace(STOPPED, systemd=True),
        ("engine: starting Docker Engine with systemd, since none answers", READY),
        ("systemctl start docker",),
        0,
    ),
    Situation(
        "broken source of a third party",
        replace(CLIENT_ALONE, update_code=100),
        (installing(ALL_ON_BOOKWORM), STARTING, READY),
        (*installed(ALL_ON_BOOKWORM), START),
        0,
    ),
    Situation(
        "package left half installed",
        replace(CLIENT_ALONE, audit="runc is only half configured"),
        (
            installing(ALL_ON_BOOKWORM),
            "engine: finishing a package installation that was interrupted, since apt does not work beside it",
            STARTING,
            READY,
        ),
        (
            UPDATE,
            UPDATE,
            "apt-get check",
            "dpkg --force-confold --configure -a",
            *installed(ALL_ON_BOOKWORM, updates=0),
            START,
        ),
        0,
    ),
]

NO_ANSWER = f"engine: no Docker Engine answers: {NO_ENGINE}"
REFUSED = [
    Situation(
        "engine too old",
        replace(RUNNING, engine="20.10.24+dfsg1"),
        (
            "engine: Docker Engine 20.10.24+dfsg1 is too old: health checks with start_interval need 25 or newer",
            "engine: nothing was changed, since other work on this machine may rely on that engine",
            f"engine: Update it: {MANUAL}",
        ),
    ),
    Situation(
        "engine too old, Debian's own",
        replace(RUNNING, engine="24.0.9", docker_io_installed=True),
        (
            "engine: Docker Engine 24.0.9 is too old: health checks with start_interval need 25 or newer",
            "engine: nothing was changed, since other work on this machine may rely on that engine",
            (
                "engine: Type: sudo apt-get remove docker.io && sudo docker/engine/ensure.sh   "
                "(images and containers are kept)"
            ),
        ),
    ),
    Situation(
        "engine too old, once started",
        replace(STOPPED, on_start="answer 20.10.24"),
        (
            STARTING,
            "engine: Docker Engine 20.10.24 is too old: health checks with start_interval need 25 or newer",
            "engine: nothing was changed, since other work on this machine may rely on that engine",
            f"engine: Update it: {MANUAL}",
        ),
        (START,),
    ),
    Situation(
        "version that is none",
        replace(RUNNING, engine="dev"),
        (
            "engine: the engine gives its version as 'dev', which is no version of Docker Engine",
            f"engine: Install Docker Engine 25 or newer: {MANUAL}",
        ),
    ),
    Situation(
        "DOCKER_HOST that does not answer",
        replace(BARE, environment={"DOCKER_HOST": "tcp://10.0.0.1:2375"}),
        (
            (
                "engine: DOCKER_HOST is tcp://10.0.0.1:2375 and no engine answers there: "
                "there is no docker command on PATH"
            ),
            "engine: nothing was installed, since DOCKER_HOST asks for that engine",
            "engine: Start that engine, or, for one on this machine, type: unset DOCKER_HOST",
        ),
    ),
    Situation(
        "docker context that does not answer",
        replace(STOPPED, context="colima"),
        (
            f"engine: the docker context colima is in use and no engine answers there: {NO_ENGINE}",
            "engine: nothing was installed, since the context asks for that engine",
            "engine: Start that engine, or, for one on this machine, type: docker context use default",
        ),
    ),
    Situation(
        "docker context from the environment",
        replace(STOPPED, context="colima", environment={"DOCKER_CONTEXT": "colima"}),
        (
            f"engine: the docker context colima is in use and no engine answers there: {NO_ENGINE}",
            "engine: nothing was installed, since the context asks for that engine",
            "engine: Start that engine, or, for one on this machine, type: unset DOCKER_CONTEXT",
        ),
    ),
    Situation(
        "Docker Desktop stopped",
        replace(STOPPED, kernel="Darwin", context="desktop-linux"),
        (
            f"engine: Docker Desktop does not answer (docker context desktop-linux): {NO_ENGINE}",
            "engine: Start Docker Desktop, wait until it says that the engine runs, then type the same command again",
        ),
    ),
    Situation(
        "socket locked",
        replace(
            STOPPED,
            user="ann",
            engine_error="permission denied while trying to connect to the Docker daemon socket at unix:///run/d.sock",
        ),
        (
            "engine: Docker Engine runs, but the user ann may not use it: only root and the group docker may",
            'engine: Type: sudo usermod -aG docker "$USER"   then log out and in again',
        ),
    ),
    Situation(
        "engine answers with an error",
        replace(STOPPED, engine_error="Error response from daemon: client version 1.52 is too new"),
        (
            "engine: Docker Engine answers with an error: Error response from daemon: client version 1.52 is too new",
            f"engine: Update the docker command and the engine to one version: {MANUAL}",
        ),
    ),
    Situation(
        "error without a word",
        replace(STOPPED, engine_error="", kernel="FreeBSD"),
        (
            "engine: no Docker Engine answers: no answer in 10 seconds",
            f"engine: Install Docker Engine 25 or newer, Compose v2 and Buildx: {MANUAL}",
        ),
    ),
    Situation(
        "macOS without Docker",
        replace(BARE, kernel="Darwin"),
        (
            "engine: no Docker Engine answers: there is no docker command on PATH",
            "engine: Install Docker Desktop from https://docs.docker.com/desktop/setup/install/mac-install",
            "engine: or, where it is installed, start it: open -a Docker",
        ),
    ),
    *(
        Situation(
            f"Windows, {kernel}",
            replace(STOPPED, kernel=kernel),
            (
                NO_ANSWER,
                "engine: Install Docker Desktop from https://docs.docker.com/desktop/setup/install/windows-install",
                "engine: or, where it is installed, start it from the Start menu",
            ),
        )
        for kernel in ("MINGW64_NT-10.0-22631", "MSYS_NT-10.0-22631", "CYGWIN_NT-10.0-22631")
    ),
    Situation(
        "WSL",
        replace(STOPPED, kernel_release="5.15.167.4-microsoft-standard-WSL2"),
        (
            NO_ANSWER,
            "engine: Start Docker Desktop on Windows; in its settings, Resources, turn on WSL integration",
            f"engine: or install Docker Engine inside WSL: {MANUAL}",
        ),
    ),
    Situation(
        "other Linux",
        replace(STOPPED, system=FEDORA),
        (
            NO_ANSWER,
            f"engine: Install Docker Engine 25 or newer, Compose v2 and Buildx: {MANUAL}",
            "engine: or, where they are installed, start the engine: sudo systemctl start docker",
        ),
    ),
    Situation(
        "other Linux lacks both plugins",
        replace(RUNNING, system=FEDORA, compose="", buildx=False),
        (
            "engine: docker has no Compose v2 and Buildx, which this project needs to build and start its containers",
            f"engine: Install Docker Engine 25 or newer, Compose v2 and Buildx: {MANUAL}",
            "engine: or, where they are installed, start the engine: sudo systemctl start docker",
        ),
    ),
    Situation(
        "Debian too old",
        replace(BARE, system=BULLSEYE),
        (
            "engine: no Docker Engine answers: there is no docker command on PATH",
            "engine: Debian 11 is too old for the packages of Debian 13, which need its libc 2.34 or newer",
            f"engine: Install Docker Engine 25 or newer, Compose v2 and Buildx: {MANUAL}",
        ),
    ),
    Situation(
        "Debian, not root",
        replace(STOPPED, user="ann"),
        (NO_ANSWER, "engine: Only root can install and start it. Type: sudo docker/engine/ensure.sh"),
    ),
    Situation(
        "Ubuntu, not root, Compose missing",
        replace(RUNNING, system=UBUNTU, user="ann", compose=""),
        (
            "engine: docker has no Compose v2, which this project needs to build and start its containers",
            "engine: Only root can install and start it. Type: sudo docker/engine/ensure.sh",
        ),
    ),
]

FAILED = [
    Situation(
        "installation would upgrade and remove",
        replace(
            CLIENT_ALONE,
            plan="Remv podman-docker [4.3.1]\nInst libc6 [2.36-9] (2.41-12 Debian:13 [amd64]) []\n"
            "Inst docker.io (26.1.5 Debian:13 [amd64])\nConf libc6 (2.41-12 Debian:13 [amd64])",
        ),
        (
            installing(ALL_ON_BOOKWORM),
            f"engine: nothing was installed: for {ALL_ON_BOOKWORM} apt would change packages that this machine has:",
            "engine:   remove podman-docker",
            "engine:   upgrade libc6",
            (
                "engine: Bring the machine up to date first (apt-get update, apt-get upgrade), "
                "then type the same command again."
            ),
            f"engine: apt's whole plan: {APT_LOG}",
        ),
        (UPDATE, UPDATE, f"apt-get -s install {ALL_ON_BOOKWORM}"),
    ),
    Situation(
        "package unknown",
        replace(CLIENT_ALONE, plan=""),
        (
            installing(ALL_ON_BOOKWORM),
            f"engine: apt finds no way to install {ALL_ON_BOOKWORM}; the end of its log:",
            "engine:   E: a third party is broken",
            "engine:   E: a third party is broken",
            "engine:   E: Unable to locate package",
            f"{AGAIN} {APT_LOG}",
        ),
        (UPDATE, UPDATE, f"apt-get -s install {ALL_ON_BOOKWORM}"),
    ),
    Situation(
        "no mirror to be reached",
        replace(CLIENT_ALONE, mirrors="", update_code=100),
        (
            installing(ALL_ON_BOOKWORM),
            (
                "engine: this machine's apt reached no Debian mirror, so there is none to take Debian trixie from; "
                "the end of its log:"
            ),
            "engine:   E: a third party is broken",
            f"engine: Try: apt-get update   (the whole log: {APT_LOG})",
        ),
        (UPDATE,),
    ),
    Situation(
        "installation fails",
        replace(CLIENT_ALONE, on_install="for n in 1 2 3 4 5 6; do echo line $n; done; exit 100"),
        (
            installing(ALL_ON_BOOKWORM),
            f"engine: apt could not install {ALL_ON_BOOKWORM}; the end of its log:",
            *(f"engine:   line {n}" for n in range(2, 7)),
            f"{AGAIN} {APT_LOG}",
        ),
        tuple(installed(ALL_ON_BOOKWORM)),
    ),
    Situation(
        "interrupted installation cannot be finished",
        replace(CLIENT_ALONE, audit="half", on_configure="echo 'dpkg: error: locked by another process' >&2; exit 2"),
        (
            installing(ALL_ON_BOOKWORM),
            "engine: finishing a package installation that was interrupted, since apt does not work beside it",
            "engine: dpkg could not finish it; the end of its log:",
            "engine:   E: a third party is broken",
            "engine:   E: a third party is broken",
            "engine:   dpkg: error: locked by another process",
            f"{AGAIN} {APT_LOG}",
        ),
        (UPDATE, UPDATE, "apt-get check", "dpkg --force-confold --configure -a"),
    ),
    Situation(
        "Ctrl-C while apt installs",
        replace(CLIENT_ALONE, on_install='kill -INT "$PPID"'),
        (installing(ALL_ON_BOOKWORM),),
        tuple(installed(ALL_ON_BOOKWORM)),
        130,
    ),
    Situation(
        "plugins where docker does not look",
        replace(RUNNING, compose="", on_install=":"),
        (
            installing("docker-compose"),
            "engine: /bin/docker finds no Compose v2, though the packages are installed",
            "engine: It looks for plugins elsewhere: remove that docker command, or install its plugins: " + MANUAL,
        ),
        tuple(installed("docker-compose")),
    ),
    Situation(
        "dockerd ends",
        replace(STOPPED, on_start="for n in 1 2 3 4 5 6; do echo failed $n; done; exit 1"),
        (
            STARTING,
            "engine: dockerd ended instead of starting; the end of its log:",
            *(f"engine:   failed {n}" for n in range(2, 7)),
            f"{AGAIN} {DOCKERD_LOG}",
        ),
        (START,),
    ),
    Situation(
        "dockerd lives and never answers",
        # The process of the test itself stands for the living dockerd.
        replace(
            STOPPED,
            on_start=f'echo starting; echo {os.getpid()} >"$CGI_LAB_HOST_ROOT/var/run/docker.pid"',
            environment={"CGI_LAB_ENGINE_WAIT": "1"},
        ),
        (
            STARTING,
            f"engine: Docker Engine was started and did not answer in 1 seconds: {NO_ENGINE}; the end of its log:",
            "engine:   starting",
            f"{AGAIN} {DOCKERD_LOG}",
        ),
        (START,),
    ),
    Situation(
        "systemd cannot start it",
        replace(STOPPED, systemd=True, systemctl_code=1),
        (
            "engine: starting Docker Engine with systemd, since none answers",
            "engine: systemd could not start it; the end of its log:",
            "engine:   no space left on device",
            f"{AGAIN} journalctl --unit docker",
        ),
        ("systemctl start docker",),
    ),
    Situation(
        "systemd started it and it never answers",
        replace(STOPPED, systemd=True, on_start=":", environment={"CGI_LAB_ENGINE_WAIT": "1"}),
        (
            "engine: starting Docker Engine with systemd, since none answers",
            f"engine: Docker Engine was started and did not answer in 1 seconds: {NO_ENGINE}",
            (f"engine: Look for the cause in its log: journalctl --unit docker   or, without systemd, {DOCKERD_LOG}"),
        ),
        ("systemctl start docker",),
    ),
]


@pytest.mark.parametrize("situation", [*USABLE, *INSTALLED, *REFUSED, *FAILED], ids=lambda situation: situation.name)
def test_situation(situation: Situation, tmp_path: Path) -> None:
    outcome = situation.machine.run(SCRIPT, tmp_path)
    assert outcome.stderr == list(situation.stderr)
    assert outcome.commands == list(situation.commands)
    assert (outcome.code, outcome.stdout) == (situation.code, "")


def test_debian_12_takes_from_debian_13_the_engine_alone(tmp_path: Path) -> None:
    CLIENT_ALONE.run(SCRIPT, tmp_path)
    assert (tmp_path / "state/preferences_used").read_text() == (
        "the machine's own preferences\n"
        "\nPackage: *\nPin: release n=trixie*\nPin-Priority: 100\n"
        "\nPackage: docker.io docker-cli docker-compose docker-buildx containerd\n"
        "Pin: release n=trixie*\nPin-Priority: 900\n"
    )
    key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    assert (tmp_path / "state/sources_used").read_text() == (
        f"deb {key} http://mirror.test/debian-security/ trixie-security main\n"
        f"deb {key} http://mirror.test/debian/ trixie main\n"
        f"deb {key} http://mirror.test/debian/ trixie-updates main\n"
        "the machine's own sources\n"
    )


def test_debian_13_keeps_to_its_own_sources(tmp_path: Path) -> None:
    replace(BARE, system=TRIXIE).run(SCRIPT, tmp_path)
    assert (tmp_path / "state/sources_used").read_text() == "the machine's own sources\n"
    assert (tmp_path / "state/preferences_used").read_text() == "the machine's own preferences\n"


def test_apt_is_asked_to_wait_for_its_lock_and_to_leave_the_machine_as_it_is(tmp_path: Path) -> None:
    CLIENT_ALONE.run(SCRIPT, tmp_path)
    options = (tmp_path / "state/options").read_text().splitlines()
    assert [option for option in options if "=/" not in option] == [
        "-oAcquire::Languages=none",
        "-oDPkg::Lock::Timeout=60",
        "-oDPkg::Use-Pty=0",
        "install",
        "-y",
        "--no-install-recommends",
        "--no-upgrade",
        "--no-remove",
        "-oDPkg::Options::=--force-confold",
        *ALL_ON_BOOKWORM.split(),
    ]


def test_nothing_of_the_machines_apt_changes(tmp_path: Path) -> None:
    assert CLIENT_ALONE.run(SCRIPT, tmp_path).code == 0
    files = {path.name: path.read_text() for path in (tmp_path / "root/etc").rglob("*") if path.is_file()}
    assert files == {
        "os-release": BOOKWORM,
        "sources.list": "the machine's own sources\n",
        "preferences": "the machine's own preferences\n",
    }


def test_dockerd_that_is_starting_is_waited_for(tmp_path: Path) -> None:
    """Another start is under way: its process lives (this test's stands for it) and answers at the second look."""
    machine = replace(STOPPED, running_dockerd=os.getpid(), on_sleep="answer 26.1.5")
    outcome = machine.run(SCRIPT, tmp_path)
    assert outcome.stderr == ["engine: waiting for dockerd, which runs and does not answer yet", READY]
    assert (outcome.code, outcome.commands) == (0, [])
