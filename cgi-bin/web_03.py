#!/usr/bin/env python3
"""Sends back the parameters first_name, last_name and age, however the client passed them."""

import cgi

# The header that the script writes; the blank line after it ends the headers.
print("Content-Type: text/plain\n")

# The parameters: from the query string of a GET, from the body of a POST.
form = cgi.FieldStorage()

# getlist returns a list: empty when the client did not send the parameter,
# with one value for each time that it did.
first_name, last_name, age = (form.getlist(name) for name in ("first_name", "last_name", "age"))

print(f"Information received from the web service [first_name={first_name},last_name={last_name},age={age}]")
