"""What mod_proxy_scgi sends: the variables of a request and its body (the SCGI protocol, python.ca/scgi/protocol.txt).

    LENGTH ":" NAME 00 VALUE 00 … "," BODY

`CONTENT_LENGTH` comes first and says how long the body is.
"""

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

# httpd sends no more: its limits of headers (LimitRequestFields, LimitRequestFieldSize) and room for the variables that
# it makes itself; the longest body that it hands over (httpd.conf).
REQUEST_BYTES = 2_000_000
LONGEST_BODY = 65_536

LENGTH = re.compile(rb"(\d{1,7}):")

# What stands before a script's path where httpd hands the request over (SetHandler in httpd.conf); the path behind it
# is encoded as in a URL.
HANDED_OVER = b"proxy:scgi://forkserver"

# What the protocol and mod_proxy put in beside the variables of CGI.
NOT_CGI = (b"SCGI", b"proxy-nokeepalive")


# Of which a variable's name consists; anything else becomes an underscore (ap_create_environment in httpd).
OF_NAMES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
OTHERS = bytes(set(range(256)) - set(OF_NAMES))
WITH_UNDERSCORES = bytes.maketrans(OTHERS, b"_" * len(OTHERS))


class NotARequestError(ValueError):
    """These bytes are not what mod_proxy_scgi sends."""


class Request:
    """A request for a script.

    Attributes:
        environment: the variables of CGI (RFC 3875, section 4.1), as `mod_cgi` gives them to a script.
        body: of the request.
    """

    __slots__ = ("body", "environment")

    def __init__(self, environment: Mapping[bytes, bytes], body: bytes) -> None:
        self.environment = environment
        self.body = body

    @property
    def script(self) -> bytes:
        """The path of the script."""
        return self.environment.get(b"SCRIPT_FILENAME", b"")

    @property
    def identifier(self) -> bytes:
        """Httpd's own name for the request (mod_unique_id)."""
        return self.environment.get(b"UNIQUE_ID", b"-")


def parse(received: bytes) -> Request | None:
    """Return the request; None where more of it has to come.

    Raises:
        NotARequestError: no more bytes can make a request of these.
    """
    length = LENGTH.match(received)
    if not length:
        if received and (len(received) > len("9999999:") or not received.isdigit()):
            raise NotARequestError
        return None
    start = length.end()
    end = start + int(length[1])
    if end > REQUEST_BYTES:
        raise NotARequestError
    if len(received) <= end:
        return None
    parts = received[start:end].split(b"\0")
    if received[end : end + 1] != b"," or not len(parts) % 2 or parts[-1] or parts[0] != b"CONTENT_LENGTH":
        raise NotARequestError
    if not parts[1].isdigit() or len(parts[1]) > len(str(LONGEST_BODY)) or int(parts[1]) > LONGEST_BODY:
        raise NotARequestError
    body_length = int(parts[1])
    body = received[end + 1 :]
    if len(body) < body_length:
        return None
    environment = dict(zip(parts[0:-1:2], parts[1:-1:2], strict=True))
    _as_mod_cgi_does(environment)
    return Request(environment, body[:body_length])


def _as_mod_cgi_does(environment: dict[bytes, bytes]) -> None:
    for name in NOT_CGI:
        environment.pop(name, None)
    for name in [name for name in environment if name.translate(None, OF_NAMES)]:
        environment[name.translate(WITH_UNDERSCORES)] = environment.pop(name)
    # SCGI has a length always. httpd hands no request over whose client says 0.
    if environment[b"CONTENT_LENGTH"] == b"0":
        del environment[b"CONTENT_LENGTH"]
    environment[b"GATEWAY_INTERFACE"] = b"CGI/1.1"
    path = environment.get(b"SCRIPT_FILENAME", b"")
    if path.startswith(HANDED_OVER):
        environment[b"SCRIPT_FILENAME"] = unquote_to_bytes(path[len(HANDED_OVER) :])
