"""A lab that is started for tests: of its own project name and port, serving copies of the project's folders."""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.models.containers import Container

from cgilab.project import engine
from cgilab.project.lab import SERVERS, WEB, Lab
from tests.support.networks import subnets

SERVICES_OF_TESTS = engine.ROOT / "tests" / "http" / "services"
NETWORKS = engine.ROOT / "tests" / "support" / "networks.yaml"


@dataclass(frozen=True)
class RunningLab:
    """A lab that answers.

    Attributes:
        url: its address, such as ``http://localhost:49153``.
        port: the port of 127.0.0.1 that Docker chose for it.
        container: its container, as the docker SDK sees it.
        cgi_bin: the folder of its services: copies of those in cgi-bin/ and of those that tests need.
        www: its document root, with an index and nothing else.
        sites: the folder of its aliases and virtual hosts, which is empty.
        compose: its Compose project.
    """

    url: str
    port: int
    container: Container
    cgi_bin: Path
    www: Path
    sites: Path
    compose: Lab

    def server(self, name: str) -> Container:
        """Return the container of a server as the docker SDK sees it: ``web``, ``db`` or ``php``."""
        description = self.compose.container(name)
        assert description is not None, f"there is no container of {name}"
        assert self.container.client is not None
        found: Container = self.container.client.containers.get(description["Id"])
        return found

    def log(self) -> list[str]:
        """Return all lines that the container has written so far, to either stream."""
        written: bytes = self.container.logs()
        return written.decode(errors="replace").splitlines()


@contextmanager
def running_lab(
    folder: Path,
    settings: Mapping[str, str],
    root: Path = engine.ROOT,
    servers: Sequence[str] = (WEB,),
    *,
    shows_log: bool = True,
) -> Iterator[RunningLab]:
    """Start a lab, and remove it at the end.

    Args:
        folder: an empty folder, which becomes the home of its services and its document root.
        settings: variables of compose.yaml.
        root: the copy of the project whose images are built.
        servers: those that are started.
        shows_log: where the caller fails, print what the lab has logged.

    Raises:
        LabError: it cannot be started; the message holds its log.
    """
    cgi_bin = shutil.copytree(engine.ROOT / "cgi-bin", folder / "cgi-bin")
    shutil.copytree(SERVICES_OF_TESTS, cgi_bin, dirs_exist_ok=True)
    www = folder / "www"
    www.mkdir()
    (www / "index.html").write_text("<!doctype html>\n<title>the index</title>\n", encoding="utf-8")
    sites = folder / "sites"
    sites.mkdir()
    # Names and networks of its own, and PORT=0, which lets Docker choose: any number of runs can be under way at once.
    name = f"test-{secrets.token_hex(4)}"
    files = os.pathsep.join([settings.get("COMPOSE_FILE") or str(root / "compose.yaml"), str(NETWORKS)])
    own = {"PORT": "0", "CGI_BIN": str(cgi_bin), "WWW": str(www), "SITES": str(sites), "IMAGE_TAG": name}
    own |= {"CPUS": settings.get("CPUS", "1"), "COMPOSE_FILE": files}
    with subnets() as addresses:
        compose = Lab(project=f"cgi-lab-{name}", settings={**settings, **own, **addresses}, root=root, servers=servers)
        try:
            compose.build()
            compose.start()
            description = compose.container()
            assert description is not None
            client = docker.from_env()
            try:
                container = client.containers.get(description["Id"])
                port = int(description["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"])
                running = RunningLab(f"http://localhost:{port}", port, container, cgi_bin, www, sites, compose)
                try:
                    yield running
                except BaseException:
                    if shows_log:
                        print(*running.log(), sep="\n")  # pytest shows it with the test that failed
                    raise
            finally:
                client.close()
        finally:
            compose.remove()
            engine.docker("image", "rm", "--force", *(f"cgi-lab/{server}:{name}" for server in SERVERS))
