"""Keeps a server running. Started before httpd, and goes on through its reloads.

The socket is bound first, so that requests can wait for the server from the start. Then the modules are loaded, once;
the server is a fork of this process, so another one is there at once where something ends it.
"""

import os
import signal
import socket
import sys
import time

from cgilab.forkserver import log
from cgilab.forkserver.loading import load, share, use
from cgilab.forkserver.marks import watch_imports
from cgilab.forkserver.processes import adopt, end_children, end_with
from cgilab.forkserver.programs import Programs
from cgilab.forkserver.server import Server

SOCKET = "/run/httpd/forkserver.sock"

# Where httpd says which process it is (PidFile).
HTTPD = "/run/httpd/httpd.pid"

# More connections than httpd can have (MaxRequestWorkers).
BACKLOG = 512

# Seconds between the starts of two servers at least, so that one which cannot start does not use up the machine.
PAUSE = 0.5


def bind(path: str) -> socket.socket:
    """Return a socket that listens at a path, also where the one of a keeper before is left there.

    Raises:
        OSError: it cannot be made.
    """
    listener = socket.socket(socket.AF_UNIX)
    aside = f"{path}.{os.getpid()}"
    listener.bind(aside)
    listener.listen(BACKLOG)
    os.rename(aside, path)
    return listener


def tell(text: str) -> None:
    """Write a line into httpd's log, or, where there is no httpd, on standard error."""
    try:
        with open(HTTPD, encoding="ascii") as file:
            descriptor = log.open_of(int(file.read()))
    except (OSError, ValueError):
        descriptor = os.dup(2)
    log.write(descriptor, log.line(b"-/%d" % os.getpid(), text.encode()))
    os.close(descriptor)


def main() -> None:
    """Keep a server running."""
    # A shell has its children behind `&` ignore SIGINT and SIGQUIT; a script that httpd starts ignores only the first.
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    listener = bind(SOCKET)
    load()
    use()
    watch_imports()
    programs = Programs(sys.modules)
    share()
    keeper = os.getpid()
    adopt()
    while True:
        started = time.monotonic()
        try:
            child = os.fork()
        except OSError as error:
            tell(f"forkserver:error the forkserver cannot be started: {error.strerror}")
            time.sleep(PAUSE)
            continue
        if child == 0:
            server = Server(listener, programs)
            end_with(keeper, server.end_at_once)
            server.serve()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        # Its scripts have nobody who reads what they print.
        end_children()
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        tell(f"forkserver:error the forkserver was ended by {how}, and is started again")
        time.sleep(max(started + PAUSE - time.monotonic(), 0))


if __name__ == "__main__":
    main()
