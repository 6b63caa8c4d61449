"""From a URL to a file that may be run: what can be wrong there."""

import os
import re

from cgilab.diagnosis.model import Evidence, Exhibit, Finding
from cgilab.diagnosis.observed import exec_error, log_exhibits, said
from cgilab.diagnosis.script import Script

PERMISSION_DENIED = 13

SCRIPT_ENDINGS = (".py", ".cgi", ".pl", ".sh", ".rb", ".php")

# As <FilesMatch> in docker/web/httpd.conf.
NEVER_SERVED = re.compile(r"^\.|^#.*#$|~$|\.(?:bak\d*|old|orig|save|swp)$|^requirements\.txt$", re.IGNORECASE)

EXECUTE = 0o111
EXECUTE_BY_OTHERS = 0o001
READ = 0o004

# How interpreters say that they may not read the script.
NOT_OPENED = ("can't open file", "cannot open", "can't open", "Can't open", "unable to open")

# Where the lab's own programs are in the image.
OF_THE_LAB = ": /usr/local/lib/cgi-lab/"


def quoted(name: str) -> str:
    """Return a file name as a shell takes it."""
    import shlex

    return shlex.quote(name)


def in_folder(evidence: Evidence) -> str:
    """Return the script's path in the folder of the services, as a user of the lab types it."""
    path = evidence.path or evidence.url
    for prefix in ("/srv/cgi-bin/", "/cgi-bin/"):
        if path.startswith(prefix):
            return f"cgi-bin/{path.removeprefix(prefix)}"
    return path


def not_found(evidence: Evidence) -> Finding | None:
    """There is no file of this name."""
    line = said(evidence, "script not found or unable to stat", "File does not exist")
    missing = evidence.script is not None and evidence.script.kind == "missing"
    answered_itself = bool(evidence.printed)
    if answered_itself or (line is None and not (evidence.status == 404 and missing)):  # noqa: PLR2004 - HTTP's number
        return None
    name = evidence.name
    exhibits = log_exhibits(evidence)
    fix = []
    script = evidence.script
    if script is not None:
        if script.name in script.neighbours:
            fix.append(f"{name} is a symbolic link that leads nowhere in the container: put the file itself there.")
        else:
            near = _near(name, script.neighbours)
            exhibits = [
                Exhibit("the folder holds", tuple(_served(script)[:20]) or ("nothing that is served",)),
                *exhibits,
            ]
            fix += [f"Did you mean  {os.path.dirname(evidence.url)}/{other}  ?" for other in near]
    fix.append(f"Put the script at {in_folder(evidence)}, or correct the URL. Capital letters count.")
    return Finding(f"There is no script {name!r}.", exhibits, fix)


def _served(script: Script) -> list[str]:
    """Return the names in a script's folder that the server would serve."""
    return sorted(name for name in script.neighbours if not name.startswith("__") and not NEVER_SERVED.search(name))


def _near(name: str, names: frozenset[str]) -> list[str]:
    import difflib

    visible = sorted(other for other in names if not other.startswith(("_", ".")))
    same = [other for other in visible if other.lower() == name.lower() or other.partition(".")[0] == name]
    return same or difflib.get_close_matches(name, visible, n=2, cutoff=0.75)


def is_a_directory(evidence: Evidence) -> Finding | None:
    """The URL leads to a folder."""
    line = said(evidence, "attempt to invoke directory as script")
    if line is None:
        return None
    fix = ["Put the name of a script behind the folder's in the URL: httpd lists no folder under /cgi-bin/."]
    script = evidence.script
    if script is not None and script.kind == "directory":
        try:
            inside = sorted(name for name in os.listdir(script.path) if name.endswith(SCRIPT_ENDINGS))
        except OSError:
            inside = []
        fix += [f"For example:  {evidence.url.rstrip('/')}/{name}" for name in inside[:3]]
    return Finding(f"{evidence.name!r} is a folder, and not a script.", log_exhibits(evidence), fix)


def denied_name(evidence: Evidence) -> Finding | None:
    """Names that httpd never serves."""
    line = said(evidence, "client denied by server configuration")
    if line is None:
        return None
    if OF_THE_LAB in line:
        return Finding(
            "The lab's own pages answer to the names of this machine alone, and the request called it by another.",
            log_exhibits(evidence),
            ["Call it localhost, or 127.0.0.1."],
        )
    return Finding(
        f"The server's configuration forbids to serve {evidence.name!r}.",
        log_exhibits(evidence),
        [
            "Dot files and what editors leave beside a file (name~, name.bak, name.orig, name.swp) are never served,",
            "nor is requirements.txt, which lists the packages of the services.",
            "Give the script another name.",
        ],
    )


def link_not_followed(evidence: Evidence) -> Finding | None:
    """A symbolic link in the way."""
    if said(evidence, "Symbolic link not allowed") is None:
        return None
    loop = evidence.script is not None and evidence.script.kind == "loop"
    why = "leads round in a circle" if loop else "is not followed: it leads nowhere, or to a file of another owner"
    return Finding(
        f"{evidence.name!r} is a symbolic link, which {why}.",
        log_exhibits(evidence),
        ["Put the file itself into the folder: inside the container, links lead to the container's files."],
    )


def folder_closed(evidence: Evidence) -> Finding | None:
    """A folder on the way that the server may not enter."""
    line = said(
        evidence,
        "search permissions are missing",
        "unable to check htaccess file",
        "file permissions deny server access",
    )
    if line is None:
        return None
    folder = os.path.dirname(in_folder(evidence)) or "."
    return Finding(
        f"The server may not enter the folder of {evidence.name!r}: its execute (search) permission is missing.",
        log_exhibits(evidence),
        [f"Type:  chmod a+rx {quoted(folder)}", "The folders above it need the same."],
    )


def cgi_switched_off(evidence: Evidence) -> Finding | None:
    """A folder in which httpd is not told to run anything."""
    if said(evidence, "Options ExecCGI is off in this directory") is None:
        return None
    return Finding(
        "The server is not allowed to run programs in this folder: the option ExecCGI is off there.",
        log_exhibits(evidence),
        [
            "Put the script into the folder of a ScriptAlias, such as cgi-bin;",
            "or write into the <Directory> section of its folder:  Options +ExecCGI",
        ],
    )


def source_shown(evidence: Evidence) -> Finding | None:
    """A script that is sent as text."""
    plain = not evidence.path and evidence.printed is None
    if not (plain and evidence.status == 200 and evidence.url.lower().endswith(SCRIPT_ENDINGS)):  # noqa: PLR2004 - HTTP
        return None
    name = evidence.name
    return Finding(
        f"{name!r} was sent as it is, and not run: it lies in the document root.",
        [Exhibit("the URL", (evidence.url,))],
        [f"Move the script to cgi-bin/{name}, and ask for /cgi-bin/{name}"],
    )


def not_executable(evidence: Evidence) -> Finding | None:
    """Nobody may execute the file."""
    if exec_error(evidence) != PERMISSION_DENIED:
        return None
    script = evidence.script
    if script is not None and script.mode is not None and script.mode & EXECUTE:
        return None
    return _no_permission(in_folder(evidence), evidence.name, script, log_exhibits(evidence))


def before_not_executable(script: Script) -> Finding | None:
    """The same, of a file alone."""
    if script.kind != "file" or script.mode is None or script.mode & EXECUTE:
        return None
    return _no_permission(script.path, script.name, script, [])


def _no_permission(path: str, name: str, script: Script | None, exhibits: list[Exhibit]) -> Finding:
    shown = [Exhibit(f"permissions of {name}", (as_mode(script.mode),))] if script and script.mode is not None else []
    return Finding(
        f"{name} has no execute permission, so the server cannot start it.",
        [*shown, *exhibits],
        [f"Type:  chmod +x {quoted(path)}"],
        executable=True,
    )


def as_mode(mode: int | None) -> str:
    """Return permissions as ``ls -l`` shows them, with the number: ``-rw-r--r-- (0644)``."""
    import stat

    return "" if mode is None else f"{stat.filemode(stat.S_IFREG | mode)} ({mode:04o})"


def other_owner(evidence: Evidence) -> Finding | None:
    """A file that its owner keeps to himself."""
    script, server = evidence.script, evidence.server_uid
    if script is None or script.mode is None or server is None or script.owner == server:
        return None
    # Where nobody may execute it, that is the first cause, unless nobody else may even read it.
    keeps_out = not script.mode & READ or (script.mode & EXECUTE and not script.mode & EXECUTE_BY_OTHERS)
    refused = exec_error(evidence) == PERMISSION_DENIED or said(evidence, *NOT_OPENED) is not None
    if not keeps_out or not refused:
        return None
    return Finding(
        f"{evidence.name} belongs to another user than the server's, and its permissions keep all others out.",
        [
            Exhibit(
                f"owner and permissions of {evidence.name}",
                (f"owner {script.owner}, the server is user {server}; {as_mode(script.mode)}",),
            ),
            *log_exhibits(evidence),
        ],
        [f"Type:  chmod a+rx {quoted(in_folder(evidence))}"],
    )


def before_not_found(script: Script) -> Finding | None:
    """The same, of a path alone."""
    if script.kind != "missing" or script.name in script.neighbours:
        return None
    return not_found(Evidence(path=script.path, script=script, status=404))


def before_is_a_directory(script: Script) -> Finding | None:
    """The same, of a path alone."""
    if script.kind != "directory":
        return None
    return Finding(f"{script.name or script.path!r} is a folder, and not a script.", (), ["Name a script in it."])


def before_denied_name(script: Script) -> Finding | None:
    """The same, of a name alone; see <FilesMatch> and <DirectoryMatch> in docker/web/httpd.conf."""
    if not NEVER_SERVED.search(script.name):
        return None
    return Finding(
        f"The server's configuration forbids to serve {script.name!r}.",
        (),
        ["Dot files and what editors leave beside a file are never served: give the script another name."],
    )


def before_link_not_followed(script: Script) -> Finding | None:
    """The same, of a path alone."""
    nowhere = script.kind == "missing" and script.name in script.neighbours
    if script.kind != "loop" and not nowhere:
        return None
    where = "nowhere" if nowhere else "round in a circle"
    return Finding(f"{script.name!r} is a symbolic link, which leads {where}.", (), ["Put the file itself there."])
