"""Start the lab, and before that get what it needs: an engine, a base image, the image."""

import argparse
import os
import sys
from dataclasses import replace

from cgilab import host
from cgilab.engine import docker, prepare
from cgilab.errors import LabError
from cgilab.lab import Lab, default_lab


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab up` takes its settings from the environment, as `docker compose up` does."""
    parser.epilog = "Settings, taken from the environment: PORT, CGI_BIN, WWW, TZ, CPUS, SERVER_USER, BASE_IMAGE."


def run(_arguments: argparse.Namespace) -> int:
    """Start the lab and print its address and its services."""
    lab = default_lab()
    lab = replace(lab, settings={**lab.settings, **prepare()})
    refuse_taken_port(lab)
    if docker("image", "ls", "--quiet", "cgi-lab/web"):
        lab.build()
    else:
        print("image: building cgi-lab/web from docker/web, httpd and Python, once; it takes less than a minute")
        lab.build(watched=sys.stderr.isatty())
    lab.start()
    url = lab.url()
    print(f"lab: ready on {url}")
    for service in lab.services():
        print(f"     {url}/cgi-bin/{service}")
    return 0


def refuse_taken_port(lab: Lab) -> None:
    """Raise an error that names the holder, when something else listens where the lab is asked to."""
    port = lab.asked_port()
    if port == 0 or lab.url() == f"http://localhost:{port}" or not host.is_port_taken(port):
        return
    command = "$env:PORT = {}; docker compose up --build --wait" if os.name == "nt" else "make up PORT={}"
    fixes = [f"Use another port:  {command.format(port + 1)}"]
    container = docker("ps", "--filter", f"publish={port}", "--format", "{{.Names}}").partition("\n")[0]
    process = host.process_on_port(port)
    if container:
        holder = f"the container {container}"
        fixes.append(f"Or stop it:        docker stop {container}")
    elif process:
        name, number = process
        holder = f"the program {name}, process {number}"
        fixes.append(f"Or end it:         kill {number}")
    else:
        holder = "a program that this user may not see"
    raise LabError(f"Port {port} is taken by {holder}.", *fixes)
