"""Shows the environment that the server of the lab gives to a service."""

import re
from http.client import HTTPConnection

from lab_client import TIMEOUT, UnexpectedAnswerError, lab_server, read_text

URL = "/cgi-bin/web_04.py"

with lab_server(__doc__) as server:
    # No log here: REQUEST_METHOD, HTTP_HOST and the rest tell what was sent, as the service received it.
    connection = HTTPConnection(server, timeout=TIMEOUT)
    connection.request("GET", URL)
    response = connection.getresponse()
    content = read_text(response).rstrip("\n")
    connection.close()
    print(content)

    # A value may be empty, as that of QUERY_STRING is here; a name may not.
    lines = [re.match(r"^(\S+) : (.*)$", line) for line in content.split("\n")]
    # GATEWAY_INTERFACE is there for every CGI program (RFC 3875, section 4.1.4), and for no other.
    if None in lines or not any(line and line[1] == "GATEWAY_INTERFACE" for line in lines):
        raise UnexpectedAnswerError("the environment of a CGI program, one NAME : value a line")
