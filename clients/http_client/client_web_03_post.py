"""Passes three parameters to the lab in the body of a POST request."""

from http.client import HTTPConnection
from urllib.parse import urlencode

from lab_client import TIMEOUT, UnexpectedAnswerError, lab_server, read_text

URL = "/cgi-bin/web_03.py"
LAST_NAME = "de la Huche"
FIRST_NAME = "Jean-Paul"
AGE = 42
EXPECTED = "Information received from the web service [first_name=['Jean-Paul'],last_name=['de la Huche'],age=['42']]"

with lab_server(__doc__) as server:
    # The same encoding as for GET.
    parameters = urlencode({"last_name": LAST_NAME, "first_name": FIRST_NAME, "age": AGE})
    connection = HTTPConnection(server, timeout=TIMEOUT)
    connection.set_debuglevel(1)
    # With POST the parameters are the body, after the headers. http.client counts their bytes for Content-Length, but
    # cannot know what they are. Python's cgi module would take a POST without Content-Type for a form; PHP would not.
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", URL, parameters, headers)
    response = connection.getresponse()
    # The line's end is not part of the sentence.
    sentence = read_text(response).rstrip("\n")
    connection.close()
    print(sentence)

    # The same answer as to GET: the service cannot tell, and need not know, which way its parameters came.
    if sentence != EXPECTED:
        raise UnexpectedAnswerError("the three parameters that were sent")
