"""What the figures were measured on."""

import re
from collections.abc import Sequence
from pathlib import Path

from docker import from_env

from bench.servers import Server
from cgilab.project.engine import docker

# The packages whose versions matter.
PACKAGES = ("apache2-bin", "lighttpd", "nginx", "fcgiwrap", "python3", "wrk")


def describe(servers: Sequence[Server]) -> list[str]:
    """Return sentences about this machine and the versions of what was measured."""
    client = from_env()
    try:
        told = client.info()
    finally:
        client.close()
    processor = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    versions: dict[str, str] = {}
    for container in [*(str(server.container.id) for server in servers), servers[0].generator]:
        versions |= installed(container)
    name = processor[1] if processor else told["Architecture"]
    packages = ", ".join(f"{name} {versions[name]}" for name in PACKAGES if name in versions)
    machine = f"{told['NCPU']} processors ({name}) and {told['MemTotal'] / 1e9:.0f} GB"
    return [
        f"Measured on {machine}, Linux {told['KernelVersion']}, Docker Engine {told['ServerVersion']}.",
        f"Packages of Debian: {packages}.",
    ]


def installed(container: str) -> dict[str, str]:
    """Return the versions of those of `PACKAGES` that a container has."""
    # The file that dpkg keeps, since the lab's image is without dpkg.
    status = docker("exec", container, "cat", "/var/lib/dpkg/status")
    found = {}
    for entry in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in entry.splitlines() if ": " in line and not line.startswith(" "))
        if fields.get("Package") in PACKAGES and fields.get("Status") == "install ok installed":
            found[fields["Package"]] = fields["Version"]
    return found
