"""Keeps a server running: httpd starts this program, and ends it by closing its standard input.

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

# More connections than httpd can have (MaxRequestWorkers).
BACKLOG = 512

# Seconds between the starts of two servers at least, so that one which cannot start does not use up the machine.
PAUSE = 0.5


def bind(path: str) -> socket.socket:
    """Return a socket that listens at a path; whichever did before goes on with the connections that it has.

    Raises:
        OSError: it cannot be made.
    """
    listener = socket.socket(socket.AF_UNIX)
    aside = f"{path}.{os.getpid()}"
    listener.bind(aside)
    listener.listen(BACKLOG)
    os.rename(aside, path)
    return listener


def write(lines: bytes) -> None:
    """Write into httpd's log, which is standard error here."""
    os.write(2, lines)


def main() -> None:
    """Keep a server running."""
    # A shell has its children behind `&` ignore this one, too, and httpd's own do not.
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
        child = os.fork()
        if child == 0:
            server = Server(listener, SOCKET, sys.stdin.fileno(), programs, write)
            end_with(keeper, server.end_at_once)
            server.serve()
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code == 0:
            return
        # Its scripts have nobody who reads what they print.
        end_children()
        how = f"exit code {code}" if code > 0 else f"signal {-code}"
        text = f"forkserver:error the forkserver was ended by {how}, and is started again"
        write(log.line(b"-/%d" % keeper, text.encode()))
        time.sleep(max(started + PAUSE - time.monotonic(), 0))


if __name__ == "__main__":
    main()
