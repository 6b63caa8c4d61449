"""Lists the people of the lab's database, adds one, and finds that one again."""

import re
from http import HTTPStatus
from http.client import HTTPConnection

from lab_session import TIMEOUT, UnexpectedAnswerError, lab_server, lab_session, read_text

URL = "/cgi-bin/web_05.py"
# A name that would end a text in SQL too early, if it were pasted into it.
LAST_NAME = "O'Neill"
FIRST_NAME = "Zoé"
AGE = 29
EXPECTED = "O'Neill\tZoé\t29\n"

with lab_server(__doc__) as server, lab_session() as session:
    HTTPConnection.debuglevel = 1
    # Whoever asks changes nothing with GET, however often.
    response = session.get(f"http://{server}{URL}", timeout=TIMEOUT, allow_redirects=False, stream=True)
    people = read_text(response)
    print(people)
    # One person a line, with tabs between last name, first name and age.
    if not re.fullmatch(r"(?:[^\t\n]+\t[^\t\n]+\t\d+\n)*", people):
        raise UnexpectedAnswerError("people: last name, first name and age, a line each")

    # With POST each request adds a person; the session keeps the connection, unless the server has closed it.
    response = session.post(
        f"http://{server}{URL}",
        data={"last_name": LAST_NAME, "first_name": FIRST_NAME, "age": str(AGE)},
        timeout=TIMEOUT,
        allow_redirects=False,
        stream=True,
    )
    added = read_text(response, HTTPStatus.CREATED)
    print(added)
    if added != EXPECTED:
        raise UnexpectedAnswerError("the person that was sent")

    # A part of a name is enough.
    response = session.get(
        f"http://{server}{URL}",
        params={"find": LAST_NAME[:4]},
        timeout=TIMEOUT,
        allow_redirects=False,
        stream=True,
    )
    found = read_text(response)
    print(found)
    if EXPECTED not in found.splitlines(keepends=True):
        raise UnexpectedAnswerError("people of that name, with the one who was added among them")
