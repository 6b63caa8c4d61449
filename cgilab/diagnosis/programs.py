"""The interpreters that the lab's image has, for a check on a machine that is not the one where the scripts run."""

from cgilab.release import PYTHON, USUAL

# What belongs together stays on a line: the formatter would give each its own.
NAMES = (
    "awk", "bash", "cat", "dash", "env", "false", "grep", "mawk", "nawk", "python3", "rbash", "sed", "sh", "sort",
    "tail", "tee", "true",
)  # fmt: skip


def image(release: str) -> frozenset[str]:
    """Return the paths of the interpreters in the image that is made of a release of Debian."""
    names = (*NAMES, "python{}.{}".format(*PYTHON[release]))
    # /bin is /usr/bin in Debian.
    return frozenset(f"{folder}/{name}" for folder in ("/bin", "/usr/bin") for name in names)


IMAGE = image(USUAL)
