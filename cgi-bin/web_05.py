#!/usr/bin/env python3
"""Lists, finds and adds people of the database: a line each, with last name, first name and age."""

import os
import re
import sys
from pathlib import Path
from unicodedata import category
from urllib.parse import parse_qs

import pymysql

LONGEST = 100  # characters, for which the table has room
OLDEST = 150  # years

# %s and %(part)s mark the place of a value. Values are handed over beside the SQL, and not pasted into it: so whatever
# a client sends, it never becomes SQL.
ADD = "INSERT INTO people (last_name, first_name, age) VALUES (%s, %s, %s)"
FIND = """
    SELECT last_name, first_name, age FROM people
    WHERE last_name LIKE %(part)s ESCAPE '!' OR first_name LIKE %(part)s ESCAPE '!'
    ORDER BY last_name, first_name, id
"""


def answer(status, text):
    """Sends the headers and the document, and ends the script."""
    print(f"Status: {status}\nContent-Type: text/plain; charset=utf-8\n\n{text}", end="")
    sys.exit()


def parameter(name):
    """Returns a parameter of the request; a wrong one is answered at once."""
    text = parameters.get(name, [""])[0].strip(" ")
    if is_post and not text:
        answer("400 Bad Request", f"{name} is missing.\n")
    if len(text) > LONGEST:
        answer("400 Bad Request", f"{name} has more than {LONGEST} characters.\n")
    # Control characters such as NUL, line ends, and what stands for bytes that are not UTF-8.
    if "\ufffd" in text or any(category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
        answer("400 Bad Request", f"{name} holds a character that is not text.\n")
    return text


# The parameters of a POST are its body, those of a GET the end of the URL.
is_post = os.environ.get("REQUEST_METHOD") == "POST"
parameters = parse_qs(sys.stdin.read() if is_post else os.environ.get("QUERY_STRING", ""))
if is_post:
    last_name, first_name, age = map(parameter, ("last_name", "first_name", "age"))
    if not re.fullmatch("[0-9]+", age) or int(age) > OLDEST:
        answer("400 Bad Request", f"age is not a whole number from 0 to {OLDEST}.\n")
else:
    # To LIKE, % stands for any text and _ for any character, unless a ! stands before it.
    part = "%" + re.sub("[!%_]", r"!\g<0>", parameter("find")) + "%"

# The database has made the password. The seconds together are fewer than the ten after which httpd ends a script.
with Path("/run/secrets/db_password").open(encoding="ascii") as file:
    account = {"user": "lab", "password": file.read()}
with pymysql.connect(host="db", database="lab", **account, connect_timeout=3, read_timeout=6) as connection:
    cursor = connection.cursor()
    if is_post:
        people = [(last_name, first_name, int(age))]
        cursor.executemany(ADD, people)
        connection.commit()  # without this, the row would be gone with the connection
    else:
        cursor.execute(FIND, {"part": part})
        people = cursor.fetchall()

answer("201 Created" if is_post else "200 OK", "".join(f"{last}\t{first}\t{age}\n" for last, first, age in people))
