"""Asks the lab for its date and time, and takes the answer apart."""

import re
from http.client import HTTPConnection

from lab_client import TIMEOUT, UnexpectedAnswerError, lab_server, read_text

URL = "/cgi-bin/web_02.py"

with lab_server(__doc__) as server:
    # Nothing is sent yet. Without a timeout, a server that never answers would hold this program for ever.
    connection = HTTPConnection(server, timeout=TIMEOUT)
    # From now on http.client prints what it sends and receives.
    connection.set_debuglevel(1)
    connection.request("GET", URL)
    # The response is there as soon as its headers are; its content has to be read.
    response = connection.getresponse()
    content = read_text(response)
    connection.close()
    # The content brings the end of its line with it.
    print(f"------\n{content}-----\n")

    # dd/mm/yy HH:MM:SS, and the end of the line.
    elements = re.match(r"^(\d\d)/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)\s*$", content)
    if elements is None:
        raise UnexpectedAnswerError("a date and time such as 31/12/26 23:59:59")
    day, month, year, hours, minutes, seconds = elements.groups()
    print(f"Day={day},Month={month},Year={year},Hours={hours},Minutes={minutes},Seconds={seconds}")
