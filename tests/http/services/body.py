#!/usr/bin/env python3
"""Tells how many bytes it could read from its standard input, and what it was told about them."""

import hashlib
import os
import sys

body = sys.stdin.buffer.read()
print("Content-Type: text/plain\n")
print(len(body), hashlib.sha256(body).hexdigest())
for name in ("CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_TRANSFER_ENCODING"):
    print(name, os.environ.get(name))
