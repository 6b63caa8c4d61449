"""The interpreters that the lab's image has, for a check on a machine that is not the one where the scripts run."""

NAMES = (
    "awk", "bash", "cat", "dash", "env", "false", "grep", "mawk", "nawk", "python3", "python3.13", "rbash", "sed", "sh",
    "sort", "tail", "tee", "true",
)  # fmt: skip

# /bin is /usr/bin in Debian.
IMAGE = frozenset(f"{folder}/{name}" for folder in ("/bin", "/usr/bin") for name in NAMES)
