#!/usr/bin/env python3
"""Sends the date and time of the server, in local time, as dd/mm/yy HH:MM:SS."""

import time

# The header that the script writes; the blank line after it ends the headers.
print("Content-Type: text/plain\n")

# The document.
print(time.strftime("%d/%m/%y %H:%M:%S", time.localtime()))
