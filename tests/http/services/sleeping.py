#!/usr/bin/env python3
"""Prints nothing for as many seconds as its query string says, then answers."""

import os
import time

time.sleep(float(os.environ["QUERY_STRING"]))
print("Content-Type: text/plain\n")
print("awake")
