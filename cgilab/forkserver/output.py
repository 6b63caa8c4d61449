"""The headers that a script prints, read as mod_cgi reads them (ap_scan_script_header_err_core in util_script.c).

mod_proxy_scgi differs from mod_cgi in four ways, which are evened out here:

- a script's own Date and Server would be sent, and are the server's (RFC 9110, sections 6.6.1 and 10.2.4);
- of a header without a colon it does not say what it was;
- a Location that leads elsewhere, without a Status, is no redirect there (RFC 3875, section 6.2.3);
- what a script prints behind a Location is sent, and is discarded by mod_cgi.

What the script has printed is logged as it was.
"""

import re
from collections.abc import Collection

from cgilab.forkserver.log import escaped

# Of a line, with its end (MAX_STRING_LEN - 2).
LINE_BYTES = 8190

# The server's own, and what would be said of a document that is discarded.
OF_THE_SERVER = (b"date", b"server")
OF_THE_DOCUMENT = (b"content-type", b"content-length", b"content-range", b"etag", b"last-modified", b"status")

# As C's atoi reads the number of a status.
OK = re.compile(rb"\s*\+?0*200(?!\d)")

HEADERS = b"cgi:trace4 Headers from script '%b':"
HEADER = b"cgi:trace4   %b"
MALFORMED = b"cgi:error malformed header from script '%b': Bad header: %.30b"

# What httpd sends for a redirect (ap_send_error_response).
MOVED = (
    b"Status: 302 Found\nContent-Type: text/html; charset=iso-8859-1\n\n"
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\n'
    b"<html><head>\n<title>302 Found</title>\n</head><body>\n"
    b'<h1>Found</h1>\n<p>The document has moved <a href="%b">here</a>.</p>\n</body></html>\n'
)


class Output:
    """Sorts what a script prints. httpd gets all headers at once, when it is known what they come to.

    Args:
        name: the script's file name.

    Attributes:
        is_discarded: whether what comes now is not for httpd, which has all that it needs.
        logged: texts for httpd's log; whoever logs them takes them from here.
    """

    def __init__(self, name: bytes) -> None:
        self._name = escaped(name)
        self._rest = b""
        self._headers: list[tuple[bytes, bytes, bytes]] = []
        self._reads_headers = True
        self.is_discarded = False
        self._at_end = b""
        self.logged: list[bytes] = []

    def take(self, read: bytes) -> bytes:
        """Take in what the script has printed; return what httpd is to get now."""
        if self._reads_headers:
            self._rest += read
            to_httpd = b""
            while self._reads_headers and (line := self._next_line()):
                to_httpd += self._take_line(line)
            if self._reads_headers:
                return b""
            # The first part of the body.
            read, self._rest = self._rest, b""
            return to_httpd if self.is_discarded else to_httpd + read
        return b"" if self.is_discarded else read

    def end(self) -> bytes:
        """Return what httpd is to get when the script has closed its output."""
        to_httpd = b""
        if self._reads_headers:
            to_httpd = self._take_line(self._rest) if self._rest else b""
        if self._reads_headers:
            to_httpd = self._lines()
        return to_httpd + self._at_end

    def _next_line(self) -> bytes:
        """Return the next line, with its end; empty where it is not there yet."""
        end = self._rest.find(b"\n", 0, LINE_BYTES) + 1
        if not end and len(self._rest) < LINE_BYTES:
            return b""
        line, self._rest = self._rest[: end or LINE_BYTES], self._rest[end or LINE_BYTES :]
        return line

    def _take_line(self, line: bytes) -> bytes:
        text = line.removesuffix(b"\n").removesuffix(b"\r").partition(b"\0")[0]
        if not text:
            return self._take_last(line)
        if not self._headers:
            self.logged.append(HEADERS % self._name)
        self.logged.append(HEADER % escaped(text))
        name, colon, value = text.partition(b":")
        self._headers.append((name.lower(), value.strip(), line))
        if colon:
            return b""
        self.logged.append(MALFORMED % (self._name, escaped(text[:30])))
        self._reads_headers = False
        self.is_discarded = True
        return self._lines()

    def _take_last(self, line: bytes) -> bytes:
        """Take in the empty line."""
        self._reads_headers = False
        values = {name: value for name, value, _ in self._headers}
        location = values.get(b"location")
        if location is None or not OK.match(values.get(b"status", b"200")):
            return self._lines() + line
        self.is_discarded = True
        if location.startswith(b"/"):
            self._at_end = self._lines() + line
        else:
            self._at_end = self._lines(without=OF_THE_DOCUMENT) + MOVED % _in_html(location)
        return b""

    def _lines(self, without: Collection[bytes] = ()) -> bytes:
        return b"".join(line for name, _, line in self._headers if name not in OF_THE_SERVER and name not in without)


def _in_html(text: bytes) -> bytes:
    """Return a text as it stands in HTML (ap_escape_html)."""
    for character, entity in ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;"), (b'"', b"&quot;")):
        text = text.replace(character, entity)
    return text
