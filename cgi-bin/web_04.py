#!/usr/bin/env python3
"""Sends the environment that the server gave this script, one variable a line, as NAME : value."""

import os

# The header that the script writes; the blank line after it ends the headers.
print("Content-Type: text/plain\n")

for name, value in os.environ.items():
    print(f"{name} : {value}")
