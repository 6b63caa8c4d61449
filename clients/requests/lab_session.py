"""What the clients share that use the library requests, https://requests.readthedocs.io."""

import sys
from http import HTTPStatus
from http.client import IncompleteRead
from pathlib import Path

# The address and the sentences are the same for all clients. Python looks for modules beside the program; the folder
# of the others comes last, so that nothing in it can stand before a library.
sys.path.append(str(Path(__file__).resolve().parent.parent / "http_client"))

from lab_client import LIMIT, TIMEOUT, UnexpectedAnswerError, check_status, lab_server, text_of

try:
    # Names, not `import requests`: where the folder above is on Python's path and the library is missing, that would
    # find this very folder, which is called requests too, and fail only later.
    from requests import Response, Session
    from requests.exceptions import ChunkedEncodingError
except ImportError:
    python = "py" if sys.platform == "win32" else "python3"
    sys.exit(
        f'This client needs the library requests: "{python} -m pip install requests". '
        "The client of the same name in clients/http_client needs no library."
    )

__all__ = ["TIMEOUT", "UnexpectedAnswerError", "lab_server", "lab_session", "read_text"]


def lab_session() -> Session:
    """Make a session that goes straight to the server, whatever proxy and passwords the user's settings name."""
    session = Session()
    session.trust_env = False
    return session


def read_text(response: Response, expected: HTTPStatus = HTTPStatus.OK) -> str:
    """Read the content of a response, which was asked for with stream=True, as text.

    Raises LabError when the status is not the expected one or the content is no UTF-8 text of at most LIMIT bytes, and
    http.client.IncompleteRead when the server closed the connection before the end.
    """
    check_status(response.status_code, response.reason, expected)
    # A connection that closes too early is an error only from release 2 of the library underneath, unless told so.
    response.raw.enforce_content_length = True
    content = bytearray()
    try:
        for block in response.iter_content(chunk_size=LIMIT):
            content += block
            if len(content) > LIMIT:
                break
    # Despite its name, the library raises it for content without chunks too.
    except ChunkedEncodingError as error:
        raise IncompleteRead(bytes(content)) from error
    return text_of(bytes(content))
