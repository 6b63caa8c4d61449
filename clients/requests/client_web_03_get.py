"""Passes three parameters to the lab in the URL of a GET request."""

from http.client import HTTPConnection

from lab_session import TIMEOUT, UnexpectedAnswerError, lab_server, lab_session, read_text

URL = "/cgi-bin/web_03.py"
LAST_NAME = "de la Huche"
FIRST_NAME = "Jean-Paul"
AGE = 42
EXPECTED = "Information received from the web service [first_name=['Jean-Paul'],last_name=['de la Huche'],age=['42']]"

with lab_server(__doc__) as server, lab_session() as session:
    HTTPConnection.debuglevel = 1
    # requests encodes the parameters, which are all text on the wire, and puts them at the end of the URL.
    response = session.get(
        f"http://{server}{URL}",
        params={"last_name": LAST_NAME, "first_name": FIRST_NAME, "age": str(AGE)},
        timeout=TIMEOUT,
        allow_redirects=False,
        stream=True,
    )
    # The line's end is not part of the sentence.
    sentence = read_text(response).rstrip("\n")
    print(sentence)

    # The service sends back lists, since a client may pass a parameter more than once.
    if sentence != EXPECTED:
        raise UnexpectedAnswerError("the three parameters that were sent")
