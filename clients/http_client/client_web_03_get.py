"""Passes three parameters to the lab in the URL of a GET request."""

from http.client import HTTPConnection
from urllib.parse import urlencode

from lab_client import TIMEOUT, UnexpectedAnswerError, lab_server, read_text

URL = "/cgi-bin/web_03.py"
LAST_NAME = "de la Huche"
FIRST_NAME = "Jean-Paul"
AGE = 42
EXPECTED = "Information received from the web service [first_name=['Jean-Paul'],last_name=['de la Huche'],age=['42']]"

with lab_server(__doc__) as server:
    # A URL has no place for spaces, and & and = separate the parameters: urlencode writes such characters otherwise.
    parameters = urlencode({"last_name": LAST_NAME, "first_name": FIRST_NAME, "age": AGE})
    connection = HTTPConnection(server, timeout=TIMEOUT)
    connection.set_debuglevel(1)
    # With GET the parameters are the end of the URL, behind a question mark.
    connection.request("GET", f"{URL}?{parameters}")
    response = connection.getresponse()
    # The line's end is not part of the sentence.
    sentence = read_text(response).rstrip("\n")
    connection.close()
    print(sentence)

    # The service sends back lists, since a client may pass a parameter more than once.
    if sentence != EXPECTED:
        raise UnexpectedAnswerError("the three parameters that were sent")
