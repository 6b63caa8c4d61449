"""The way in which the lab of the tests starts scripts: the setting START, as for a user."""

import os

FORKSERVER = os.environ.get("START") == "forkserver"
