"""Asks the lab for its date and time, and takes the answer apart."""

import re
from http.client import HTTPConnection

from lab_session import TIMEOUT, UnexpectedAnswerError, lab_server, lab_session, read_text

URL = "/cgi-bin/web_02.py"

with lab_server(__doc__) as server, lab_session() as session:
    # requests has no log of its own, but its connections are http.client's, which print what they send and receive.
    HTTPConnection.debuglevel = 1
    # requests waits for ever and follows redirects unless told otherwise; stream leaves the content for read_text.
    response = session.get(f"http://{server}{URL}", timeout=TIMEOUT, allow_redirects=False, stream=True)
    content = read_text(response)
    # The content brings the end of its line with it.
    print(f"------\n{content}-----\n")

    # dd/mm/yy HH:MM:SS, and the end of the line.
    elements = re.match(r"^(\d\d)/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)\s*$", content)
    if elements is None:
        raise UnexpectedAnswerError("a date and time such as 31/12/26 23:59:59")
    day, month, year, hours, minutes, seconds = elements.groups()
    print(f"Day={day},Month={month},Year={year},Hours={hours},Minutes={minutes},Seconds={seconds}")
