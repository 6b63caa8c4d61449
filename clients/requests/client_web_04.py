"""Shows the environment that the server of the lab gives to a service."""

import re

from lab_session import TIMEOUT, UnexpectedAnswerError, lab_server, lab_session, read_text

URL = "/cgi-bin/web_04.py"

with lab_server(__doc__) as server, lab_session() as session:
    # No log here: the HTTP_ variables are the headers that requests sent, more of them than http.client sends.
    response = session.get(f"http://{server}{URL}", timeout=TIMEOUT, allow_redirects=False, stream=True)
    content = read_text(response).rstrip("\n")
    print(content)

    # A value may be empty, as that of QUERY_STRING is here; a name may not.
    lines = [re.match(r"^(\S+) : (.*)$", line) for line in content.split("\n")]
    # GATEWAY_INTERFACE is there for every CGI program (RFC 3875, section 4.1.4), and for no other.
    if None in lines or not any(line and line[1] == "GATEWAY_INTERFACE" for line in lines):
        raise UnexpectedAnswerError("the environment of a CGI program, one NAME : value a line")
