"""The servers that are compared: the lab's ways of starting a script, and its peers. Each runs in a container."""

import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from docker import from_env
from docker.models.containers import Container

from bench.cases import SCRIPTS, Case, put_scripts
from bench.load import Load, ask, send
from cgilab.errors import LabError
from cgilab.project import engine
from cgilab.project.lab import BUILD_LINES, NO_NETWORK
from tests.support.running_lab import running_lab

# The lab's ways of starting a script, the setting START, and how the tables call them.
WAYS = {"forkserver": "cgi-lab, forkserver", "spawn": "cgi-lab, spawn"}

# The services of bench/peers/compose.yaml that are compared, and how the tables call them.
PEERS = {
    "apache": "Apache, mod_cgid",
    "lighttpd": "lighttpd, mod_cgi",
    "nginx": "nginx + fcgiwrap",
    "http_server": "http.server --cgi",
}
GENERATOR = "wrk"
FILE = engine.ROOT / "bench" / "peers" / "compose.yaml"

# A server is at rest when it has used less than this share of a processor for so many seconds.
REST_SHARE = 0.02
REST_SECONDS = 0.1
LONGEST_SECONDS = 60.0


def usage(container: Container) -> tuple[float, float]:
    """Return what all processes of a container have used: processor time in seconds, and memory at present in MB.

    The memory is that of the control group without what the kernel keeps of files and could give back, as in
    ``docker stats``.
    """
    told = cast("dict[str, Any]", container.stats(stream=False, one_shot=True))
    memory, parts = told["memory_stats"]["usage"], told["memory_stats"]["stats"]
    kept = parts.get("total_inactive_file", parts.get("inactive_file", 0))  # of version 1 and of version 2
    return told["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9, (memory - kept) / 1e6


@dataclass(frozen=True)
class Server:
    """A server that runs, and a container of wrk beside it.

    Attributes:
        name: of `WAYS` or of `PEERS`.
        container: its container.
        generator: the name of the container of wrk.
        cgi_bin: the folder of its services.
    """

    name: str
    container: Container
    generator: str
    cgi_bin: Path

    @property
    def is_peer(self) -> bool:
        """Whether it is none of the lab's."""
        return self.name in PEERS

    def load(self, case: Case) -> Load:
        """Send it the load of one case.

        Raises:
            LabError: nothing was answered.
        """
        try:
            return send(self.generator, case, ends_by_closing=self.name == "http_server")
        except LabError as error:
            raise LabError(f"{self.name} could not be measured. {error.what}", *error.fix) from None

    def usage(self) -> tuple[float, float]:
        """Return what all its processes have used; see `usage`."""
        return usage(self.container)

    def rest(self) -> None:
        """Wait until it has worked off what wrk left behind: a request on each connection.

        Raises:
            LabError: it is still at work after a minute.
        """
        end = time.monotonic() + LONGEST_SECONDS
        used, _ = self.usage()
        while time.monotonic() < end:
            time.sleep(REST_SECONDS)
            before, (used, _) = used, self.usage()
            if used - before < REST_SHARE * REST_SECONDS:
                return
        raise LabError(f"{self.name} is still at work a minute after the last request.")


@contextmanager
def running_servers(ways: Sequence[str], settings: Mapping[str, str]) -> Iterator[list[Server]]:
    """Build and start all servers, with all processors for each; at the end, remove them.

    Args:
        ways: those of the lab that are measured.
        settings: variables of compose.yaml, such as BASE_IMAGE.

    Yields:
        The lab's ways, then the peers; all idle.

    Raises:
        LabError: one cannot be built or started, or does not answer rightly; the message says which.
    """
    run = f"cgi-lab-bench-{secrets.token_hex(4)}"
    client = from_env()
    with ExitStack() as stack:
        stack.callback(client.close)
        given = {**settings, "CPUS": str(client.info()["NCPU"]), "IMAGE_TAG": run}
        cgi_bin = shutil.copytree(engine.ROOT / "cgi-bin", _folder(stack) / "cgi-bin")
        put_scripts(cgi_bin)
        started = stack.enter_context(_running_peers(run, {**given, "CGI_BIN": str(cgi_bin)}))
        servers = [(name, client.containers.get(container), cgi_bin) for name, container in started.items()]
        for way in reversed(ways):
            say(f"building and starting the lab, {way}")
            lab = stack.enter_context(running_lab(_folder(stack), {**given, "START": way}, shows_log=False))
            put_scripts(lab.cgi_bin)
            servers.insert(0, (way, lab.container, lab.cgi_bin))
        ready = []
        for name, container, folder in servers:
            # The labels by which `make clean` finds what was left where this program was killed.
            marks = {"project": run, "project.working_dir": engine.ROOT}
            labels = [f"--label=com.docker.compose.{mark}={value}" for mark, value in marks.items()]
            beside = ("--network", f"container:{container.id}", *labels)
            image = f"cgi-lab/bench-{GENERATOR}:{run}"
            try:
                generator = engine.docker("run", "--detach", "--rm", "--init", *beside, image)
            except LabError as error:
                raise LabError(
                    f"{name} has ended, or wrk cannot be started beside it.", *error.fix, *_log(container)
                ) from None
            stack.callback(engine.docker, "rm", "--force", generator)
            ready.append(Server(name, container, generator, folder))
        for server in ready:
            _check(server)
        yield ready


def say(what: str) -> None:
    """Tell the user what is being done."""
    print(f"bench: {what}", file=sys.stderr, flush=True)


def _folder(stack: ExitStack) -> Path:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    folder.chmod(0o755)  # the servers are other users
    return folder


@contextmanager
def _running_peers(run: str, settings: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Build and start the peers, and build wrk; yield the name of each peer's container."""
    project = ("--project-name", run, "--project-directory", str(engine.ROOT))
    compose = ("compose", *project, "--file", str(FILE), "--profile", "load")
    try:
        for name in (*PEERS, GENERATOR):
            say(f"building {name}")
            try:
                engine.docker(*compose, "--progress", "plain", "build", name, environment=settings, tells_progress=True)
            except LabError as error:
                advice = (
                    ["A build takes a network."]
                    if any(words in line for line in error.fix for words in NO_NETWORK)
                    else []
                )
                raise LabError(
                    f"{name} could not be built, so nothing was measured.", *error.fix[-BUILD_LINES:], *advice
                ) from None
        engine.docker(*compose, "up", "--no-build", "--detach", *PEERS, environment=settings)
        yield {name: f"{run}-{name}-1" for name in PEERS}
    finally:
        engine.docker(*compose, "down", "--timeout", "0", environment=settings)
        images = [f"cgi-lab/bench-{name}:{run}" for name in (*PEERS, GENERATOR)]
        engine.docker("image", "rm", "--force", *images)


def _check(server: Server) -> None:
    """See that a server has started, and that it answers each script rightly."""
    end = time.monotonic() + LONGEST_SECONDS
    while True:
        try:
            ask(server.generator, SCRIPTS[0])
            break
        except LabError as error:
            server.container.reload()
            if server.container.status != "running" or time.monotonic() > end:
                raise LabError(f"{server.name} does not answer.", *error.fix, *_log(server.container)) from None
            time.sleep(REST_SECONDS)
    for script in SCRIPTS:
        body = ask(server.generator, script)
        if not script.is_answered_by(body):
            raise LabError(f"{server.name} answers {script.label} wrongly: {body[:200]!r}")


def _log(container: Container) -> list[str]:
    """Return the last lines that a container has written."""
    written: bytes = container.logs(tail=BUILD_LINES)
    return written.decode(errors="replace").splitlines()
