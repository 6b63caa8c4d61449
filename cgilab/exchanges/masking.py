"""What is not to be seen by whoever looks over a shoulder is masked in what httpd has logged, before it is stored.

A name tells that its value is secret: that of a header, of a parameter in a query, or of what a script writes to its
standard error. All of it looks at each byte a bounded number of times, since clients and scripts choose the text.
"""

import re
from functools import cache
from urllib.parse import unquote_to_bytes

# The words that make a name secret, in small letters. `_` is whatever may stand between two parts: nothing, or any
# characters that are neither letters nor digits. First those that a name may hold anywhere …
ANYWHERE = (
    "pass_word passwd passwort pass_phrase pass_code pwd kennwort mot_de_passe secret token credential "
    "api_key access_key private_key auth_key session_id sessid jwt bearer authorization"
)
# … and those that also begin or end harmless words, which count as the last word of a name alone.
LAST = "pass user_pass pin sid auth session signature"
# Harmless all the same: a secretary, a tokenizer.
GOES_ON = {"secret": "(?!ar)", "token": "(?!i[sz])"}
COOKIES = "cookie cookie2"
# Variables that httpd gives to every script.
NOT_SECRET = {b"SERVER_SIGNATURE", b"AUTH_TYPE"}

MASK = b"(masked)"
# The password of a URL such as that of a database, scheme://user:password@host (RFC 3986, 3.2.1).
IN_URL = re.compile(rb"(://[^/\s:@]{0,100}:)[^/\s@]{1,200}(?=@)")


def _either(words: str) -> bytes:
    return "|".join(word.replace("_", "_?") + GOES_ON.get(word, "") for word in words.split()).encode()


_LAST = rb"(?:^|_)(?:" + _either(LAST) + rb")"
SECRET = re.compile(_either(ANYWHERE) + rb"|" + _LAST + rb"$")
SECRET_AT_END = re.compile(rb"(?:" + _either(ANYWHERE) + rb"|" + _LAST + rb"|(?:^|_)(?:" + _either(COOKIES) + rb"))$")
COOKIE = re.compile(rb"(?:^|_)(?:" + _either(COOKIES) + rb")$")
SECRET_HEADER = re.compile(SECRET.pattern + rb"|(?:^|_)auth(?:_|$)|" + SECRET_AT_END.pattern)

# Most of what is logged holds nothing of the kind. This is quick to find out, and letters that are written as %hh,
# which no client does by itself, are looked at in any case.
HINTS = tuple(
    dict.fromkeys(
        b"pass" if "pass" in word else max(word.split("_"), key=len).encode()
        for word in f"{ANYWHERE} {LAST} cookie".split()
    )
)
# The same for what is no name: the start of a second line.
FOLDED_HINTS = (b"cgi:trace4    ", b"bad header:  ", b"bad header: \\t", b"header name ' ")
ENCODED_LETTER = re.compile(rb"%(?:[46][1-9a-f]|[57][0-9a])", re.IGNORECASE)

# The lines of httpd's trace that hold a header, and what it logs of one that a script has printed wrong: without a
# colon, with forbidden characters, or as the second line of another one.
HEADER = re.compile(rb"(\S+ \S+ \S+:trace\d  +)([\w-]+)(: ?|[^\w:-])(.+)", re.DOTALL)
WRONG_HEADER = re.compile(
    rb"(Bad header: *|Response header ')([\w-]+)(' value of '|[^\w'-])(.+?)(' contains invalid characters.*)?$",
    re.DOTALL,
)
FOLDED = re.compile(rb"(cgi:trace\d   +|Bad header: +(?:\\t| )\s*|Response header name ' +)([\w.-]+=)(.+)", re.DOTALL)
FROM_STDERR = re.compile(rb"stderr from /.*?: ", re.DOTALL)

# A name and what separates it from its value, both perhaps encoded. A name starts where none is going on: so the search
# looks at each only once. Quotes have backslashes before them in a log.
_PLAIN = rb"[\w.$+\[\]-]*"
_DELIMITERS = rb"%26|%3d|%3f|%22|%27|%7b|%7d|%2c|%3a|%3b|%0a|%0d|%09"
_SPACE = rb"(?: |%20|\+){0,3}"
_QUOTE = rb"(?:\\{0,3}[\"']|%22|%27)"
NAME = re.compile(
    rb"(?:(?<![\w.$+\[\]%-])|(?<=" + _DELIMITERS + rb"))"
    rb"("
    + _PLAIN
    + rb"(?:(?!"
    + _DELIMITERS
    + rb")%[0-9a-f]{2}"
    + _PLAIN
    + rb")*)"
    + _QUOTE
    + rb"?"
    + _SPACE
    + rb"(=|:|%3d|%3a)"
    + _SPACE
    + rb"("
    + _QUOTE
    + rb")?",
    re.IGNORECASE,
)
VALUES = {
    b"=": re.compile(rb"(?:[^&\s\"\\]|\\.)+"),
    b"%3d": re.compile(rb"(?:(?!%26)[^&\s\"\\]|\\.)+", re.IGNORECASE),
    b":": re.compile(rb"(?:(?!%26|%2c|%7d)[^&\s\"\\,}])+", re.IGNORECASE),
}
VALUES[b"%3a"] = VALUES[b":"]
# A comparison, in a line of a program that a traceback shows.
COMPARED = re.compile(rb"=+ ?(" + _QUOTE + rb")?", re.IGNORECASE)
REST = re.compile(rb".+", re.DOTALL)
# MariaDB's own words, which say whether there was a password, and not which.
WAS_GIVEN = re.compile(rb"(?<=\(using )password: (?:YES|NO)(?=\))")
# A name in a source, and a text in quotes that is its value.
LITERAL = re.compile(r"""([\w.-]{1,100})(["']?\]?\s{0,3}(?:=|:|==)\s{0,3}[bBrRuU]{0,2}(["']))((?:(?!\3).)+)(?=\3)""")


def mask(record: bytes) -> bytes:
    """Replace the values of headers and parameters that are secret by their nature, and passwords in URLs.

    Args:
        record: lines as httpd logs them.
    """
    if b"@" in record:
        record = IN_URL.sub(rb"\1" + MASK, record)
    if not _may_hold_secrets(record):
        return record
    return b"\n".join(_masked(line) if _may_hold_secrets(line) else line for line in record.split(b"\n"))


def mask_source(line: str) -> str:
    """Replace, in a line of a script, the texts in quotes whose names are secret, and passwords in URLs.

    Args:
        line: as it stands in the file; what is no text in quotes, such as a call, is shown.
    """
    masked = IN_URL.sub(rb"\1" + MASK, line.encode(errors="surrogatepass")).decode(errors="surrogatepass")
    return LITERAL.sub(
        lambda found: f"{found[1]}{found[2]}{MASK.decode()}" if is_secret(found[1].encode()) else found[0], masked
    )


def is_secret(name: bytes, words: re.Pattern[bytes] = SECRET) -> bool:
    """Tell whether a name, perhaps encoded as in a query, tells of a secret."""
    if name in NOT_SECRET:
        return False
    plain = re.sub(rb"[^a-z0-9]+", b"_", unquote_to_bytes(name).lower())
    return words.search(plain.rstrip(b"_0123456789")) is not None


def _may_hold_secrets(text: bytes) -> bool:
    lower = text.lower().replace(b"\tauth_type=", b"").replace(b"\tserver_signature=", b"")
    return any(hint in lower for hint in (*HINTS, *FOLDED_HINTS)) or (
        b"%" in text and ENCODED_LETTER.search(text) is not None
    )


def _masked(line: bytes) -> bytes:
    header = HEADER.fullmatch(line)
    if header and is_secret(header[2], SECRET_HEADER if header[3][:1] == b":" else SECRET_AT_END):
        return header[1] + header[2] + header[3] + MASK
    wrong = WRONG_HEADER.search(line)
    if wrong and is_secret(wrong[2], SECRET_HEADER if wrong[5] else SECRET_AT_END):
        return line[: wrong.start(4)] + MASK + (wrong[5] or b"")
    folded = FOLDED.search(line)
    if folded:
        return line[: folded.start(3)] + MASK
    stderr = FROM_STDERR.search(line, 0, 400)
    return _masked_parameters(line, stderr.end() if stderr else 0, rest_of_line=stderr is not None)


def _masked_parameters(line: bytes, start: int, *, rest_of_line: bool) -> bytes:
    """Mask in a line the values of all secret names.

    Args:
        line: the line.
        start: where to begin.
        rest_of_line: whether what follows a colon goes on to the end of the line, as where a program writes for people.
    """
    parts = []
    done = 0
    while found := NAME.search(line, start):
        start = found.end()
        name, separator, _ = found.groups()
        colon = separator in {b":", b"%3a", b"%3A"}
        cookie = rest_of_line and is_secret(name, COOKIE)
        if not cookie and not is_secret(name, SECRET_AT_END if colon else SECRET):
            # What separates two of them may also begin the second.
            start = max(found.end(2), found.start() + 1)
            continue
        if colon and line[found.start() - 1 : found.start()] == b"/":
            continue  # a file of that name, and what is said of it
        if WAS_GIVEN.match(line, found.start()):
            continue
        if not colon and not rest_of_line and b" " in line[found.end(2) : start]:
            continue  # an empty value, and the next field
        quote = found[3]
        compared = COMPARED.match(line, start) if rest_of_line else None
        if compared:
            start, quote = compared.end(), compared[1]
        value = REST if cookie or (rest_of_line and colon) else VALUES[separator.lower()]
        end = _end_of_value(line, start, quote, value)
        if end > start:
            parts += [line[done:start], MASK]
            start = done = end
    return b"".join([*parts, line[done:]])


@cache
def _closing(quote: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?<!\\)" + re.escape(quote))


def _end_of_value(line: bytes, start: int, quote: bytes | None, value: re.Pattern[bytes]) -> int:
    closing = _closing(quote).search(line, start) if quote else None
    if closing:
        return closing.start()
    found = value.match(line, start)
    return found.end() if found else start
