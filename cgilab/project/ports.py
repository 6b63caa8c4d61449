"""Who has a port of this machine."""

from dataclasses import dataclass

from cgilab.project import host
from cgilab.project.engine import docker


@dataclass(frozen=True)
class Holder:
    """Who listens on a port.

    Attributes:
        name: such as ``the container shop-web-1``.
        verb: what to do with it, ``stop`` or ``end``; empty where this user can do nothing.
        command: what to type to do it.
    """

    name: str
    verb: str = ""
    command: str = ""


def holder(port: int) -> Holder | None:
    """Return who listens on a TCP port of the loopback address; None where it is free."""
    if not host.is_port_taken(port):
        return None
    container = docker("ps", "--filter", f"publish={port}", "--format", "{{.Names}}").partition("\n")[0]
    if container:
        return Holder(f"the container {container}", "stop", f"docker stop {container}")
    process = host.process_on_port(port)
    if process:
        name, number = process
        return Holder(f"the program {name}, process {number}", "end", f"kill {number}")
    return Holder("a program that this user may not see")
