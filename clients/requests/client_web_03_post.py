"""Passes three parameters to the lab in the body of a POST request."""

from http.client import HTTPConnection

from lab_session import TIMEOUT, UnexpectedAnswerError, lab_server, lab_session, read_text

URL = "/cgi-bin/web_03.py"
LAST_NAME = "de la Huche"
FIRST_NAME = "Jean-Paul"
AGE = 42
EXPECTED = "Information received from the web service [first_name=['Jean-Paul'],last_name=['de la Huche'],age=['42']]"

with lab_server(__doc__) as server, lab_session() as session:
    HTTPConnection.debuglevel = 1
    # As data, the parameters are the body: requests encodes them and sends their Content-Length and Content-Type.
    response = session.post(
        f"http://{server}{URL}",
        data={"last_name": LAST_NAME, "first_name": FIRST_NAME, "age": str(AGE)},
        timeout=TIMEOUT,
        allow_redirects=False,
        stream=True,
    )
    # The line's end is not part of the sentence.
    sentence = read_text(response).rstrip("\n")
    print(sentence)

    # The same answer as to GET: the service cannot tell, and need not know, which way its parameters came.
    if sentence != EXPECTED:
        raise UnexpectedAnswerError("the three parameters that were sent")
