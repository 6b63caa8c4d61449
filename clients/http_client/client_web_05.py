"""Lists the people of the lab's database, adds one, and finds that one again."""

import re
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlencode

from lab_client import TIMEOUT, UnexpectedAnswerError, lab_server, read_text

URL = "/cgi-bin/web_05.py"
# A name that would end a text in SQL too early, if it were pasted into it.
LAST_NAME = "O'Neill"
FIRST_NAME = "Zoé"
AGE = 29
EXPECTED = "O'Neill\tZoé\t29\n"

with lab_server(__doc__) as server:
    connection = HTTPConnection(server, timeout=TIMEOUT)
    connection.set_debuglevel(1)
    # Whoever asks changes nothing with GET, however often.
    connection.request("GET", URL)
    people = read_text(connection.getresponse())
    print(people)
    # One person a line, with tabs between last name, first name and age.
    if not re.fullmatch(r"(?:[^\t\n]+\t[^\t\n]+\t\d+\n)*", people):
        raise UnexpectedAnswerError("people: last name, first name and age, a line each")

    # With POST each request adds a person; the connection is the same, unless the server has closed it.
    parameters = urlencode({"last_name": LAST_NAME, "first_name": FIRST_NAME, "age": AGE})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", URL, parameters, headers)
    added = read_text(connection.getresponse(), HTTPStatus.CREATED)
    print(added)
    if added != EXPECTED:
        raise UnexpectedAnswerError("the person that was sent")

    # A part of a name is enough.
    connection.request("GET", f"{URL}?{urlencode({'find': LAST_NAME[:4]})}")
    found = read_text(connection.getresponse())
    connection.close()
    print(found)
    if EXPECTED not in found.splitlines(keepends=True):
        raise UnexpectedAnswerError("people of that name, with the one who was added among them")
