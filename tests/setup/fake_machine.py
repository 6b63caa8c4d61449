"""A machine made of small commands that record what they are asked, for the set-up scripts to run on.

The scripts are the real ones, and so are the text tools they use. All that would look at or change this machine
(docker, apt-get, systemctl, ...) is a stand-in, and PATH holds nothing else.
"""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parents[2]

# Text tools, and timeout, which runs the stand-ins as it would run the real commands.
REAL_TOOLS = "awk cat chmod cp dirname find grep mkdir mktemp rm sed sh sort tail timeout true"

BOOKWORM = 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
TRIXIE = 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n'
NO_ENGINE = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
NEW_PACKAGES = "0 upgraded, 2 newly installed\nInst runc (1.1.5 Debian:12/oldstable [amd64])\nConf runc (1.1.5 x)"
MIRRORS = """\
Debian http://mirror.test/debian/ bookworm
Debian http://mirror.test/debian/ bookworm-updates
Debian http://mirror.test/debian-security/ bookworm-security
Debian Backports http://mirror.test/debian/ bookworm-backports
Debian cdrom:/bookworm/ bookworm
Docker http://docker.test/linux/debian/ bookworm
"""

DOCKER = """
case "$1 $2" in
'version '*) cat "$state/engine" 2>/dev/null || { cat "$state/engine_error" >&2; exit 1; } ;;
'compose version') cat "$state/compose" 2>/dev/null || exit 1 ;;
'buildx version') [ -e "$state/buildx" ] ;;
'context show') cat "$state/context" ;;
'image inspect') grep -qxF "$3" "$state/images" ;;
'pull -q')
    record "docker $*"
    grep -qxF "$3" "$state/pullable" || { cat "$state/pull_error" >&2; exit 1; }
    echo "docker.io/library/$3" ;;
import*)
    record "docker import $(cat "$6") as $7"
    [ ! -e "$state/import_fails" ] || { echo 'no space left on device' >&2; exit 1; }
    echo sha256:0 ;;
esac
"""

# Options on the command line are left out of the record; `options` keeps those of the last call for a test of its own.
APT_GET = """
for argument; do
    case $argument in
    -oDir::Etc::SourceParts=*) sources=${argument#*=} ;;
    -oDir::Etc::Preferences=*) preferences=${argument#*=} ;;
    esac
done
printf '%s\\n' "$@" >"$state/options"
words=''
for argument; do case $argument in -[!s]*) ;; *) words="$words $argument" ;; esac; done
case $words in
' indextargets'*) cat "$state/mirrors"; exit ;;
esac
record "apt-get$words"
case $words in
' update') echo 'E: a third party is broken'; exit "$(cat "$state/update_code")" ;;
' -s install'*)
    cp "$preferences" "$state/preferences_used" 2>/dev/null
    cat "$sources"/* >"$state/sources_used"
    [ -s "$state/plan" ] || { echo 'E: Unable to locate package' >&2; exit 100; }
    cat "$state/plan" ;;
' install'*) . "$state/on_install" ;;
esac
"""

DPKG = """
case "$*" in
--audit) cat "$state/audit" 2>/dev/null ;;
*) record "dpkg $*"; . "$state/on_configure" ;;
esac
"""

MMDEBSTRAP = """
for argument; do
    case $argument in
    --setup-hook=*) sh -c "${argument#*=}" exec "$state/tree" ;;
    --extract-hook=*) sh -c "${argument#*=}" exec "$state/tree" ;;
    *.tar) tar=$argument ;;
    trixie | bookworm) release=$argument ;;
    esac
done
cat >"$state/sources_used"
record "mmdebstrap $release${http_proxy+ http_proxy=$http_proxy}${https_proxy+ https_proxy=$https_proxy}"
echo half >"$tar"
. "$state/on_bootstrap"
[ ! -e "$state/mmdebstrap_fails" ] || { echo 'E: apt-get failed'; exit 1; }
echo "the image of $release" >"$tar"
"""


@dataclass(frozen=True)
class Outcome:
    """What a script left: its exit code, what it printed, and the commands that change a machine, in order."""

    code: int
    stdout: str
    stderr: list[str]
    commands: list[str]


@dataclass
class Machine:
    """What is so before a script runs. As it stands: root on Debian 12, all installed, no engine running."""

    engine: str = ""
    engine_error: str = NO_ENGINE
    client: bool = True
    compose: str = "2.26.1-4"
    buildx: bool = True
    dockerd: bool = True
    context: str = "default"
    docker_io_installed: bool = False
    system: str = BOOKWORM
    kernel: str = "Linux"
    kernel_release: str = "6.1.0-37-amd64"
    systemd: bool = False
    user: str = "root"
    # apt and dpkg
    mirrors: str = MIRRORS
    update_code: int = 0
    plan: str = NEW_PACKAGES
    on_install: str = "install_all"
    audit: str = ""
    on_configure: str = 'rm "$state/audit"'
    apt_proxies: str = ""
    # the engine's start
    on_start: str = "answer 26.1.5"
    on_sleep: str = ""
    running_dockerd: int | None = None
    systemctl_code: int = 0
    # images
    images: tuple[str, ...] = ()
    pullable: tuple[str, ...] = ()
    pull_error: str = "Error response from daemon: lookup registry.test: no such host\n"
    import_fails: bool = False
    mmdebstrap: bool = True
    mmdebstrap_fails: bool = False
    on_bootstrap: str = ""
    memory_kilobytes: int = 0
    namespaces: bool = True
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, script: str, directory: Path) -> Outcome:
        """Run SCRIPT, a path in the project, on this machine, laid out in the empty DIRECTORY."""
        for name in ("bin", "root/etc/apt", "root/proc", "root/usr/sbin", "root/var/run", "state/tree", "tmp"):
            (directory / name).mkdir(parents=True)
        self._lay_out_state(directory / "state")
        self._lay_out_root(directory / "root")
        self._lay_out_commands(directory)
        ran = subprocess.run(
            [str(PROJECT / script)],
            env={
                "PATH": str(directory / "bin"),
                "TMPDIR": str(directory / "tmp"),
                "CGI_LAB_HOST_ROOT": str(directory / "root"),
                **self.environment,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert not list((directory / "tmp").iterdir()), "temporary files are left behind"
        record = directory / "state/record"
        return Outcome(
            ran.returncode,
            ran.stdout,
            ran.stderr.replace(str(directory / "root"), "").replace(str(directory), "").splitlines(),
            record.read_text().splitlines() if record.exists() else [],
        )

    def _lay_out_state(self, state: Path) -> None:
        for name in ("engine", "compose", "audit"):
            if getattr(self, name):
                (state / name).write_text(getattr(self, name) + "\n")
        for name in ("buildx", "import_fails", "mmdebstrap_fails"):
            if getattr(self, name):
                (state / name).touch()
        for name in ("engine_error", "context", "mirrors", "update_code", "plan", "on_install", "on_configure"):
            (state / name).write_text(str(getattr(self, name)))
        for name in ("on_start", "on_bootstrap", "apt_proxies", "pull_error"):
            (state / name).write_text(getattr(self, name))
        (state / "images").write_text("".join(f"{image}\n" for image in self.images))
        (state / "pullable").write_text("".join(f"{image}\n" for image in self.pullable))
        for name in ("doc", "man", "info", "locale", "zoneinfo"):
            (state / "tree/usr/share" / name / "package").mkdir(parents=True)

    def _lay_out_root(self, root: Path) -> None:
        (root / "etc/os-release").write_text(self.system)
        (root / "etc/apt/sources.list").write_text("the machine's own sources\n")
        (root / "etc/apt/preferences").write_text("the machine's own preferences\n")
        (root / "proc/meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable:   {self.memory_kilobytes} kB\n")
        if self.running_dockerd:
            (root / "var/run/docker.pid").write_text(f"{self.running_dockerd}\n")
        if self.systemd:
            (root / "run/systemd/system").mkdir(parents=True)

    def _lay_out_commands(self, directory: Path) -> None:
        def stand_in(path: Path, body: str) -> None:
            path.write_text(
                f"#!/bin/sh\nstate={directory}/state\n"
                'record() { printf "%s\\n" "$*" >>"$state/record"; }\n'
                'answer() { echo "$1" >"$state/engine"; }\n'
                f"install_all() {{ cp {directory}/state/docker {directory}/bin/docker\n"
                f"    cp {directory}/state/mmdebstrap {directory}/bin/mmdebstrap\n"
                '    echo 2.26.1 >"$state/compose"; : >"$state/buildx"; }\n' + body
            )
            path.chmod(0o755)

        commands = directory / "bin"
        for name in REAL_TOOLS.split():
            found = shutil.which(name)
            assert found, f"{name} is not installed"
            (commands / name).symlink_to(found)
        stand_in(directory / "state/docker", DOCKER)
        stand_in(directory / "state/mmdebstrap", MMDEBSTRAP)
        if self.client:
            shutil.copy(directory / "state/docker", commands)
        if self.mmdebstrap:
            shutil.copy(directory / "state/mmdebstrap", commands)
        if self.dockerd:
            stand_in(directory / "root/usr/sbin/dockerd", "")
        stand_in(commands / "apt-get", APT_GET)
        stand_in(commands / "apt-config", 'cat "$state/apt_proxies"')
        stand_in(commands / "dpkg", DPKG)
        stand_in(commands / "dpkg-query", "exit " + ("0" if self.docker_io_installed else "1"))
        stand_in(commands / "id", f"case $1 in -un) echo {self.user} ;; *) echo {int(self.user != 'root')} ;; esac")
        stand_in(commands / "uname", f"case $1 in -r) echo {self.kernel_release} ;; *) echo {self.kernel} ;; esac")
        stand_in(commands / "setsid", 'record "setsid $*"; . "$state/on_start"')
        stand_in(
            commands / "systemctl",
            f'record "systemctl $*"; [ {self.systemctl_code} = 0 ] || exit {self.systemctl_code}; . "$state/on_start"',
        )
        stand_in(commands / "journalctl", "echo 'no space left on device'")
        stand_in(commands / "sleep", self.on_sleep)
        stand_in(commands / "mount", 'record "mount $*"')
        stand_in(
            commands / "unshare",
            f'[ {int(self.namespaces)} = 1 ] || {{ echo "unshare failed" >&2; exit 1; }}; shift; exec "$@"',
        )
