#!/usr/bin/env python3
"""Lists, finds and adds people of the database: a line each, with last name, first name and age."""

import os
import re
import sys
from pathlib import Path
from unicodedata import category
from urllib.parse import parse_qs

import pymysql

# As many characters as the table has room for, and as many years as anybody has lived.
LONGEST_NAME = 100
OLDEST = 150


def answer(status, text):
    """Writes the headers and the document, and ends the script."""
    print(f"Status: {status}\nContent-Type: text/plain; charset=utf-8\n\n{text}", end="")
    sys.exit()


def parameter(name):
    """Returns a parameter of the request as text, empty where the client did not send it."""
    text = parameters.get(name, [""])[0]
    # Control characters, such as NUL, and line ends; \ufffd and Cs are bytes that are no UTF-8.
    if any(character == "\ufffd" or category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
        answer("400 Bad Request", f"{name} holds a character that is not text.\n")
    return text.strip()


# The parameters: the body of a POST, the end of the URL of a GET.
is_post = os.environ.get("REQUEST_METHOD") == "POST"
parameters = parse_qs(sys.stdin.read() if is_post else os.environ.get("QUERY_STRING", ""))
find, last_name, first_name, age = map(parameter, ("find", "last_name", "first_name", "age"))

# What is wrong with a person is said before the database is asked.
if is_post:
    for name, text in (("last_name", last_name), ("first_name", first_name), ("age", age)):
        if not text:
            answer("400 Bad Request", f"{name} is missing.\n")
        if len(text) > LONGEST_NAME:
            answer("400 Bad Request", f"{name} has more than {LONGEST_NAME} characters.\n")
    if not re.fullmatch("[0-9]+", age) or int(age) > OLDEST:
        answer("400 Bad Request", f"age is not a whole number from 0 to {OLDEST}.\n")

# The database has made the password. All seconds together are fewer than the ten after which httpd ends a script.
with Path("/run/secrets/db_password").open(encoding="ascii") as file:
    password = file.read()
connection = pymysql.connect(
    host="db", database="lab", user="lab", password=password, connect_timeout=3, read_timeout=6
)

with connection, connection.cursor() as cursor:
    # A value is handed over beside the SQL, where %s marks its place, and not pasted into it: so it never becomes SQL.
    if is_post:
        people = [(last_name, first_name, int(age))]
        cursor.executemany("INSERT INTO people (last_name, first_name, age) VALUES (%s, %s, %s)", people)
        # Until then nobody else sees the row, and without it the row is gone with the connection.
        connection.commit()
    else:
        # To LIKE, % stands for any text and _ for any character, unless a ! stands before it.
        part = "%" + re.sub("[!%_]", r"!\g<0>", find) + "%"
        cursor.execute(
            "SELECT last_name, first_name, age FROM people"
            " WHERE last_name LIKE %s ESCAPE '!' OR first_name LIKE %s ESCAPE '!'"
            " ORDER BY last_name, first_name, id",
            (part, part),
        )
        people = cursor.fetchall()

answer("201 Created" if is_post else "200 OK", "".join(f"{last}\t{first}\t{age}\n" for last, first, age in people))
