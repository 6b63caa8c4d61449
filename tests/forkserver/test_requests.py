"""Requests and scripts at the limits of what is handed over: the answer is the one that a new interpreter gives."""

import json
import time
from collections.abc import Mapping

import pytest

from cgilab.forkserver.programs import SETTLED
from tests.support.processes import forkserver
from tests.support.running_lab import RunningLab
from tests.support.wait import wait_until
from tests.support.wire import Answer, send

OTHER = "printf 'Content-Type: text/plain\\n\\nbody\\n'\n"
PRINTS = "print('Content-Type: text/plain\\n')\n"

# Bytes of a header's value; with its name it is as long as httpd takes one.
VALUE = 8190 - len("X-Header-00: ")


def write(lab: RunningLab, files: Mapping[str, str]) -> None:
    """Write scripts, and what lies beside them, by their paths in the folder of the services."""
    for name, content in files.items():
        path = lab.cgi_bin / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
        path.chmod(0o755)


def both(lab: RunningLab, spawn: RunningLab, files: Mapping[str, str], *lines: str, body: bytes = b"") -> Answer:
    """Return the answer of both labs to a request, which is the same."""
    answers = []
    for one in (lab, spawn):
        write(one, files)
        answers.append(send(one.port, *lines, "Host: localhost", body=body))
    forked, new = answers
    assert forked.status_line == new.status_line
    assert forked.body.splitlines() == new.body.splitlines()
    return forked


@pytest.mark.parametrize("count", [8, 90])
def test_an_environment_as_large_as_can_be(lab: RunningLab, spawn: RunningLab, count: int) -> None:
    counts = "sum(len(value) for name, value in os.environ.items() if name.startswith('HTTP_X_HEADER_'))"
    script = f"#!/usr/bin/env python3\nimport os\n{PRINTS}print({counts})\n"
    headers = [f"X-Header-{number:02}: {'v' * VALUE}" for number in range(count)]
    answer = both(lab, spawn, {"large.py": script}, "GET /cgi-bin/large.py HTTP/1.0", *headers)

    assert (answer.status, answer.body) == (200, b"%d\n" % (count * VALUE))


@pytest.mark.parametrize(
    ("length", "status"), [(65_536, 200), (65_537, 200), (16_777_216, 200), (16_777_217, 413), (100_000_000, 413)]
)
def test_a_body_as_large_as_can_be(lab: RunningLab, spawn: RunningLab, length: int, status: int) -> None:
    script = f"#!/usr/bin/env python3\nimport sys\n{PRINTS}print(len(sys.stdin.buffer.read()))\n"
    # httpd refuses it by its length alone.
    body = bytes(length) if status == 200 else b""
    lines = ("POST /cgi-bin/length.py HTTP/1.0", f"Content-Length: {length}")
    answer = both(lab, spawn, {"length.py": script}, *lines, body=body)

    assert answer.status == status
    assert status != 200 or answer.body == b"%d\n" % length


@pytest.mark.parametrize("hiding", ["json.py", "html.py", "random.py", "token.py", "tokenize.py"])
def test_a_file_beside_the_script_hides_a_module(lab: RunningLab, spawn: RunningLab, hiding: str) -> None:
    name = hiding.removesuffix(".py")
    folder = f"hiding_{name}"
    files = {
        f"{folder}/hello.py": f"#!/usr/bin/env python3\nimport {name}\n{PRINTS}print({name}.own)\n",
        f"{folder}/{hiding}": "own = 'the own one'\n",
    }
    answer = both(lab, spawn, files, f"GET /cgi-bin/{folder}/hello.py HTTP/1.0")

    assert (answer.status, answer.body) == (200, b"the own one\n")


@pytest.mark.parametrize("name", ["json.txt", "json.backup.py.txt", "html.json", "random.pyx"])
def test_a_file_that_is_no_module_hides_none(lab: RunningLab, name: str) -> None:
    """The script is forked as if it were not there: by its group one can tell."""
    files = {
        f"beside_{name}/hello.py": f"#!/usr/bin/env python3\nimport os\n{PRINTS}print(os.getpgrp() == os.getpid())\n"
        "print(open('/proc/self/cmdline').read().split('\\0')[2])\n",
        f"beside_{name}/{name}": "",
    }
    write(lab, files)
    answer = send(lab.port, f"GET /cgi-bin/beside_{name}/hello.py HTTP/1.0", "Host: localhost")

    assert (answer.status, answer.body) == (200, b"True\ncgilab.forkserver\n")


def test_what_is_written_on_standard_error_is_logged_alike(lab: RunningLab, spawn: RunningLab) -> None:
    written = 'a "quoted" word\\t\\x1b\\\\ \\xe9\\r\\n'
    script = f"#!/usr/bin/env python3\nimport sys\n{PRINTS}sys.stderr.write('{written}')\n"
    for one in (lab, spawn):
        write(one, {"says.py": script})
        send(one.port, "GET /cgi-bin/says.py HTTP/1.0", "Host: localhost")

    assert [logged_of(one, "says.py") for one in (lab, spawn)] == [
        r'cgi:error AH01215: stderr from /srv/cgi-bin/says.py: a "quoted" word\t\x1b\\ \xc3\xa9'
    ] * 2


def test_a_file_that_comes_to_lie_beside_the_script_hides_a_module(lab: RunningLab, spawn: RunningLab) -> None:
    """Also where the script's code is known, and the file goes away again."""
    script = f"#!/usr/bin/env python3\nimport json\n{PRINTS}print(getattr(json, 'own', 'not hidden'))\n"
    lines = "GET /cgi-bin/later/hello.py HTTP/1.0"
    bodies = [both(lab, spawn, {"later/hello.py": script}, lines).body for _ in range(2)]
    bodies.append(both(lab, spawn, {"later/json.py": "own = 'hidden'\n"}, lines).body)
    for one in (lab, spawn):
        (one.cgi_bin / "later" / "json.py").unlink()
    bodies.append(both(lab, spawn, {}, lines).body)

    assert bodies == [b"not hidden\n", b"not hidden\n", b"hidden\n", b"not hidden\n"]


def test_a_body_is_given_where_pipes_are_small(lab: RunningLab) -> None:
    """A user who has many pipes gets small ones only (pipe(7)); the server does not wait until all is read."""
    takes = f"#!/usr/bin/env python3\nimport os\n{PRINTS}pipes = [os.pipe() for _ in range(1200)]\nprint(len(pipes))\n"
    asks = (
        "import http.client\nasking = http.client.HTTPConnection('127.0.0.1', 80)\n"
        "asking.request('POST', '/cgi-bin/body.py', bytes(65_536))\nprint(asking.getresponse().read().split()[0])\n"
    )
    write(lab, {"pipes.py": takes + asks})
    answer = send(lab.port, "GET /cgi-bin/pipes.py HTTP/1.0", "Host: localhost")

    assert (answer.status, answer.body) == (200, b"1200\nb'65536'\n")


# Signal 33, which glibc keeps for itself, is left out: its posix_spawn(3) leaves it ignored (docs/forkserver.md).
PROGRAM = r"""#!/bin/sh
printf 'Content-Type: text/plain\n\n'
printf '<%s>' "$0" "$@"
pwd
umask
grep -E '^(Sig(Pnd|Blk|Ign|Cgt)|Cap|NoNew|Seccomp)' /proc/self/status | sed -E 's/^(SigIgn:\t.{7})1/\10/'
ulimit -a
env -u UNIQUE_ID -u REMOTE_ADDR -u REMOTE_PORT -u SERVER_ADDR sort /proc/self/environ | tr '\0' '\n' | sort
ls /proc/$$/fd
cat
"""


def test_a_program_of_another_language(lab: RunningLab, spawn: RunningLab) -> None:
    """At first it is forked, since it could be Python; once it is known, it is started without a copy."""
    lines = ("POST /cgi-bin/program.sh/a?one+two%20three+* HTTP/1.0", "Content-Length: 4", "Cookie: a=b")
    first = both(lab, spawn, {"program.sh": PROGRAM}, *lines, body=b"body")
    settle(lab, "program.sh")
    answers = [both(lab, spawn, {}, *lines, body=b"body") for _ in range(2)]

    assert [answer.body for answer in answers] == [first.body] * 2
    assert first.body.startswith(b"</srv/cgi-bin/program.sh><one><two three><\\*>/srv/cgi-bin\n0022\n")
    assert first.body.endswith(b"body")


def test_a_program_whose_interpreter_is_missing(lab: RunningLab) -> None:
    lines = ("GET /cgi-bin/missing.sh HTTP/1.0", "Host: localhost", "Accept: application/json")
    write(lab, {"missing.sh": "#!/bin/none\n"})
    answers = [send(lab.port, *lines)]
    settle(lab, "missing.sh")
    answers += [send(lab.port, *lines) for _ in range(2)]

    assert {(answer.status, json.loads(answer.body)["cause"]) for answer in answers} == {(500, "interpreter-missing")}


def logged_of(lab: RunningLab, name: str) -> str:
    """Return the line that is logged of what a script has written on its standard error, without its time."""
    start = f"cgi:error AH01215: stderr from /srv/cgi-bin/{name}: "
    lines = wait_until(lambda: [line for line in lab.log() if start in line])
    return lines[-1].split(" ", 2)[2]


def settle(lab: RunningLab, name: str) -> None:
    """Wait until a file is so old that what is known of it is kept."""
    wait_until(lambda: time.time_ns() - (lab.cgi_bin / name).stat().st_ctime_ns > SETTLED)


ASKING = """
import os, signal, socket, sys, time

SERVER = int(sys.argv[1])


def request(script, body=b""):
    variables = {"CONTENT_LENGTH": str(len(body)), "SCGI": "1", "SCRIPT_FILENAME": script, "QUERY_STRING": ""}
    sent = "".join(f"{name}\\0{value}\\0" for name, value in variables.items()).encode()
    return b"%d:%b,%b" % (len(sent), sent, body)


def descriptors():
    return len(os.listdir(f"/proc/{SERVER}/fd"))


before = descriptors()
os.kill(SERVER, signal.SIGSTOP)
asked = []
for script in sys.argv[2:]:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect("/run/httpd/forkserver.sock")
    connection.sendall(request(script, b"body"))
    asked.append(connection)
os.kill(SERVER, signal.SIGCONT)
for connection in asked:
    print(b"".join(iter(lambda: connection.recv(4096), b"")))
for _ in range(100):
    if descriptors() > before:
        time.sleep(0.05)
print(descriptors() - before)
"""


def test_of_requests_that_are_started_together_one_that_fails_fails_alone(lab: RunningLab) -> None:
    write(lab, {"own.py": f"#!/usr/bin/env python3\n{PRINTS}print(input())\n", "other.sh": f"#!/bin/sh\n{OTHER}"})
    scripts = ["own.py", "gone/own.py", "other.sh", "n%00l.py", "own.py"]
    paths = [f"proxy:scgi://forkserver/srv/cgi-bin/{name}" for name in scripts]
    _, server = forkserver(lab)
    printed = lab.compose.execute("python3", "-c", ASKING, str(server), *paths)

    answer = b"Content-Type: text/plain\n\nbody\n"
    assert printed.splitlines() == [str(one) for one in (answer, b"", answer, b"", answer)] + ["0"]
    assert forkserver(lab)[1] == server
