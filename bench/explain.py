"""How fast `lab explain` reads a log, and how much memory it takes: `make bench-explain`.

The log is made while it is read, 200 MB and once 1 GB of it, and is never stored. Most of its lines are those of any
server: notices, files that do not exist, TLS. Three in a hundred are of CGI scripts that fail, in the forms of several
versions.
"""

import itertools
import random
import re
import resource
import statistics
import sys
import time
from collections.abc import Iterator

from cgilab.commands.explain import Table
from cgilab.failures.apache_log import failures

MEGABYTE = 1_000_000
RUNS = (("2.4", 200, 3), ("2.2", 200, 3), ("2.4 in docker compose logs", 200, 3), ("2.4", 1000, 1))
BLOCK_LINES = 2000
# So many different blocks follow each other again and again.
BLOCKS = 40

# What stands before a message, by version and by what shows the log.
OF_24 = "[{date} 2023] [{module}] [pid {pid}:tid 140] [client 10.0.{a}.{b}:{port}] "
OF_22 = "[{date} 2011] [{level}] [client 10.0.{a}.{b}] "
FORMS = {"2.4": OF_24, "2.2": OF_22, "2.4 in docker compose logs": "web-1  | " + OF_24}
OTHERS = {
    "core:info": "AH00128: File does not exist: /var/www/html/{word}.ico",
    "core:error": "File does not exist: /var/www/html/{word}.gif, referer: http://www.example.org/{word}.html",
    "ssl:info": "AH01964: Connection to child {a} established (server www.example.org:443)",
    "ssl:error": "AH02032: Hostname {word}.example.org provided via SNI and hostname www.example.org via HTTP differ",
    "authz_core:error": "AH01630: client denied by server configuration: /var/www/html/.{word}",
    "mpm_event:notice": "AH00489: Apache/2.4.57 (Debian) configured -- resuming normal operations",
    "php:error": "script '/var/www/html/{word}.php' not found or unable to stat, referer: https://example.org/{word}",
}
SCRIPTS = {
    "2.4": (
        (
            "AH01215: Traceback (most recent call last):: /usr/lib/cgi-bin/{word}.py",
            'AH01215:   File "/usr/lib/cgi-bin/{word}.py", line 3, in <module>: /usr/lib/cgi-bin/{word}.py',
            "AH01215: ModuleNotFoundError: No module named 'cgi': /usr/lib/cgi-bin/{word}.py",
            "End of script output before headers: {word}.py",
        ),
        ("AH01264: script not found or unable to stat: /usr/lib/cgi-bin/{word}",),
    ),
    "2.2": (
        (
            "(8)Exec format error: exec of '/usr/lib/cgi-bin/{word}.pl' failed",
            "Premature end of script headers: {word}.pl",
        ),
        ("script not found or unable to stat: /usr/lib/cgi-bin/{word}",),
    ),
}
SHARE = 0.03
WORDS = ("index", "favicon", "hello", "report", "wp-login", "guestbook")


def blocks(form: str) -> list[bytes]:
    """Return the blocks of which a log of that form is made: the same ones each time."""
    source = random.Random(20231011)  # noqa: S311 - not a secret
    scripts = SCRIPTS["2.2" if form == "2.2" else "2.4"]
    made = []
    for block in range(BLOCKS):
        lines: list[str] = []
        for line in range(BLOCK_LINES):
            module, messages = "cgi:error", source.choice(scripts)
            if source.random() > SHARE:
                module, message = source.choice(list(OTHERS.items()))
                messages = (message,)
            minute, second = divmod(block * 60 + line * 60 // BLOCK_LINES, 60)
            values = {"date": f"Wed Oct 11 14:{minute:02}:{second:02}", "module": module}
            values |= {"level": module.partition(":")[2], "word": source.choice(WORDS)}
            numbers = {"pid": source.randrange(300, 9000), "port": source.randrange(1024, 65536)}
            numbers |= {"a": source.randrange(256), "b": source.randrange(256)}
            if form == "2.2":
                messages = tuple(re.sub(r"^AH\d+: ", "", message) for message in messages)
            lines += [(FORMS[form] + message).format(**values, **numbers) for message in messages]
        made.append(("\n".join(lines) + "\n").encode())
    return made


def log(megabytes: int, made: list[bytes]) -> Iterator[bytes]:
    """Yield blocks of a log of so many megabytes."""
    written = 0
    for block in itertools.cycle(made):
        if written >= megabytes * MEGABYTE:
            return
        written += len(block)
        yield block


def measure(megabytes: int, made: list[bytes]) -> tuple[float, float, int]:
    """Return the speed in megabytes a second, by the clock and by the processor, and how many failures were found."""
    begin, used = time.perf_counter(), time.process_time()
    table = Table()
    found = 0
    for failure in failures(log(megabytes, made)):
        table.add(failure)
        found += 1
    return megabytes / (time.perf_counter() - begin), megabytes / (time.process_time() - used), found


def main() -> int:
    """Measure and print."""
    print("| log | MB/s, median | least to most | MB a second of processor time | failures | peak memory, MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for form, megabytes, rounds in RUNS:
        made = blocks(form)
        results = [measure(megabytes, made) for _ in range(rounds)]
        speeds, by_processor, found = zip(*results, strict=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE  # of the process so far
        print(
            f"| {megabytes} MB of {form} | {statistics.median(speeds):.0f} | {min(speeds):.0f} to {max(speeds):.0f} "
            f"| {statistics.median(by_processor):.0f} | {found[0]} | {peak:.0f} |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
