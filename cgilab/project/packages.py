"""The packages that the services need besides the standard library: requirements.txt in their folder.

The image's build installs them (docker/web/install-packages); here is what it cannot find out by itself.
"""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# In the folder of the services, and none of them.
NAME = "requirements.txt"

# The settings that compose.yaml hands to the build, each by the name that pip gives it in its configuration.
SETTINGS = {
    "index-url": "PIP_INDEX_URL",
    "extra-index-url": "PIP_EXTRA_INDEX_URL",
    "trusted-host": "PIP_TRUSTED_HOST",
    "cert": "PIP_CERT",
}

# Inside the build, nothing of this machine's disk can be seen.
ADDRESS = re.compile(r"https?://", re.IGNORECASE)

# A line of `pip config list`, such as global.index-url='https://…'; of the environment, it starts with a colon.
CONFIGURED = re.compile(r"^(?P<section>:env:|global|install)\.(?P<option>[\w-]+)='(?P<value>.*)'$", re.MULTILINE)
PRECEDENCE = (":env:", "install", "global")

# How the build marks what it says of the packages; before it stands what BuildKit adds to each line.
SAID = re.compile(r"^#\d+ [\d.]+ packages: (.*)$")


def index_settings(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return where pip looks for packages on this machine, for the build to look there too.

    Args:
        folder: of the services. Where it asks for no packages, pip is not asked either.
        environment: the caller's. What is set there is left out, but for addresses that lead to this machine's disk.
    """
    if not (folder / NAME).is_file():
        return {}
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    configured = {(one["section"], one["option"]): one["value"] for one in CONFIGURED.finditer(done.stdout)}
    found = {}
    for option, setting in SETTINGS.items():
        values = (configured.get((section, option), "") for section in PRECEDENCE)
        value = environment.get(setting) or next(filter(None, values), "")
        words = value.replace("\\n", " ").split()
        if option == "cert":
            found[setting] = value if value and Path(value).is_file() else ""
        elif option.endswith("url"):
            found[setting] = " ".join(word for word in words if ADDRESS.match(word))
        else:
            found[setting] = " ".join(words)
    return {name: value for name, value in found.items() if value != environment.get(name, "")}


def complaints(output: Sequence[str]) -> list[str]:
    """Return what a failed build has said about requirements.txt; nothing where it failed for another reason."""
    return [found[1] for found in map(SAID.match, output) if found]
