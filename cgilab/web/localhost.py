"""The localhost page, and the same as JSON: CGI programs, like `cgilab.web.pages`, which shows the exchanges.

- ``GET /`` is the page, where the document root has no index of its own; ``GET /lab/home`` always is.
- ``GET /lab/describe`` is what it is made of, as `lab describe --json` prints it.
"""

import os
from collections.abc import Mapping

from cgilab.web.collecting import as_data, collect
from cgilab.web.home import as_html
from cgilab.web.pages import answer, answer_page


def home(environment: Mapping[str, str] = os.environ) -> None:
    """Answer a request for the localhost page."""
    # httpd has let through the names of this machine alone.
    port = environment.get("HTTP_HOST", "").rpartition(":")[2]
    answer_page(environment, lambda: as_html(collect(), int(port) if port.isdecimal() else None))


def describe(environment: Mapping[str, str] = os.environ) -> None:
    """Answer a request for /lab/describe."""
    if environment["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        answer("405 Method Not Allowed", {"error": "a description can only be read", "allow": "GET, HEAD"})
        return
    answer("200 OK", as_data(collect()))
