"""What the page behind a failure and the recorder have agreed on.

The page makes a FIFO of the request's name in `FOLDER`, and writes `QUESTION` and the number of its process on its
standard error. httpd logs that line after all that it has logged about the request, under the page's own path, which no
script has; so the recorder, when it comes to that line, has everything. It answers through the FIFO with the lines, and
then with the page itself: the page is a CGI program that starts with each failure, and to import the rules would take
it several times as long as to start, while the recorder has them at hand.

`cgilab.web.asking` is the page's side, `cgilab.web.answering` the recorder's. Nothing is imported here: the page needs
it.
"""

FOLDER = "/run/lab/failures"

# As httpd logs what the page writes to its standard error.
PAGE = "/usr/local/lib/cgi-lab/failure"
FROM_PAGE = f"cgi:error AH01215: stderr from {PAGE}: ".encode()

# The two lines that the page writes, and what stands in a record in place of the words before them.
QUESTION = "What was logged?"
EXPLAINED = "explained: "
FROM_LAB = b"lab:notice "

# How a line of the forkserver begins that tells how a script ended, in the words of `cgilab.failures.evidence`.
FROM_FORKSERVER = "forkserver:debug "
ENDED = "ended: "

# mod_unique_id's alphabet, and room to spare: nothing in it leads out of the folder.
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@_-"
IDENTIFIER_LENGTH = 64

# The lines that are told, in bytes: what a pipe holds where nobody has asked for more (pipe(7)).
LINES_BYTES = 65_536

# Seconds that the recorder takes at most to make the page.
TIME_LIMIT = 2


def is_identifier(name: str) -> bool:
    """Return whether a name can be that of a request."""
    return 0 < len(name) <= IDENTIFIER_LENGTH and not name.strip(ALPHABET)


def framed(*parts: bytes) -> bytes:
    """Return parts of an answer, each behind its length; `parts` reads them back."""
    return b"".join(b"%d\n%b" % (len(part), part) for part in parts)


def parts(answer: bytes) -> list[bytes]:
    """Return the parts of an answer; of one that breaks off, or is none, as far as it can be read."""
    found = []
    while answer:
        length, newline, answer = answer.partition(b"\n")
        if not newline or not length.isdigit() or len(length) > len(str(LINES_BYTES)) + 2:
            break
        found.append(answer[: int(length)])
        answer = answer[int(length) :]
    return found


def lines_part(first: bytes, messages: list[bytes]) -> bytes:
    """Return the part of an answer that tells what was logged; `lines_of` reads it back.

    Args:
        first: the time of the request's first line.
        messages: its lines, oldest first. Where all do not fit, the last ones are told.
    """
    # The newest first: a pipe may hold less than it should, and what is cut off then is what matters least.
    return b"\n".join([first, *reversed(messages), b""])[:LINES_BYTES]


def lines_of(part: bytes) -> list[str]:
    """Return what was logged: the time of the first line, then the messages, oldest first.

    These are ``DATE TIME MODULE:LEVEL MESSAGE``, still escaped; characters stand for bytes. Empty for an empty part.
    """
    first, *newest_first = part.decode("latin-1").split("\n")[:-1] or [""]
    return [first, *reversed(newest_first)] if first else []
