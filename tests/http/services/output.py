#!/usr/bin/env python3
"""Prints the body of its request as its own output, so that a test decides every byte of it: headers and document."""

import os
import sys

sys.stdout.buffer.write(sys.stdin.buffer.read(int(os.environ["CONTENT_LENGTH"])))
