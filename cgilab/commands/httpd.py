"""Check the configuration of httpd, or show what is in it: modules, virtual hosts, included files, definitions."""

import argparse
import json

from cgilab.project import sites
from cgilab.project.lab import Lab
from cgilab.project.started import running

PROGRAM = "/usr/local/lib/cgi-lab/httpd"

# https://httpd.apache.org/docs/2.4/programs/httpd.html
SHOWN = {
    "check": ("-t",),
    "modules": ("-M",),
    "vhosts": ("-t", "-D", "DUMP_VHOSTS"),
    "includes": ("-t", "-D", "DUMP_INCLUDES"),
    "defines": ("-t", "-D", "DUMP_RUN_CFG"),
    "compiled": ("-l",),
    "version": ("-V",),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`lab httpd [WHAT]`."""
    parser.add_argument("what", nargs="?", default="check", choices=SHOWN, help="by default check, of sites/ too")
    parser.epilog = "It is asked with the definitions (-D) that the server runs with."


def run(arguments: argparse.Namespace) -> int:
    """Print what httpd says; the exit code of check is 1 where a file of sites/ would not take effect."""
    lab = running(Lab())
    if arguments.what != "check":
        print(lab.execute(PROGRAM, *SHOWN[arguments.what]))
        return 0
    lab.execute(PROGRAM, *SHOWN["check"])
    print("httpd: the configuration in force is sound")
    report = json.loads(lab.execute(sites.PROGRAM, "check"))
    refused = sites.errors(report)
    for line in refused:
        print(f"httpd: {line.splitlines()[0]}")
    print(f"httpd: {len(report)} {'file' if len(report) == 1 else 'files'} in sites/, {len(refused)} to be refused")
    return 1 if refused else 0
