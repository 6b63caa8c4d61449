"""The drop-ins of a lab, sites/*.conf, on the host: made from templates, and brought into force.

Whether one may take effect is judged in the container, by `cgilab.web.reloading`, which says there what its report
holds.
"""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cgilab.errors import LabError
from cgilab.project.lab import Lab

PROGRAM = "/usr/local/lib/cgi-lab/sites"
REPORT = "/run/httpd/sites.json"

# The versions that were in force when `lab` looked last, for a container that is started anew.
KEPT = ".in-force"

# A label of a host name, RFC 1123, section 2.1: it is that in NAME.localhost, and an alias is spelled the same way.
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
TAKEN = {"alias": {"adminer", "cgi-bin", "lab"}, "vhost": set()}

# In a path these would mean something else to httpd.
MEANT_OTHERWISE = re.compile(r"[\"\\$%\x00-\x1f\x7f]")

WORDS = {"alias": "alias", "vhost": "virtual host", "other": "file"}
TEMPLATES = {
    "alias": '# lab alias add {name}\nAlias "/{name}" "{folder}"\n',
    "vhost": (
        "# lab vhost add {name}\n<VirtualHost *:80>\n    ServerName {name}.localhost\n"
        '    DocumentRoot "{folder}"\n</VirtualHost>\n'
    ),
}
KINDS = {
    "vhost": re.compile(r"^\s*<VirtualHost\b", re.IGNORECASE | re.MULTILINE),
    "alias": re.compile(r"^\s*(Script)?Alias\b", re.IGNORECASE | re.MULTILINE),
}

Site = dict[str, Any]


def add(lab: Lab, kind: str, name: str, folder: str) -> Path:
    """Write a drop-in.

    Args:
        lab: whose folders count.
        kind: ``alias`` or ``vhost``.
        name: the alias is /NAME/, the virtual host NAME.localhost.
        folder: below www/, or its path.

    Returns:
        The file.

    Raises:
        LabError: the name or the folder will not do, or the name is taken; nothing is written then.
    """
    folders = lab.folders()
    if not NAME.fullmatch(name) or name in TAKEN[kind]:
        why = "is the lab's own" if name in TAKEN[kind] else "takes letters a to z, digits and hyphens between them"
        raise LabError(
            f"{name!r} cannot be the name of {_a(kind)}: it {why}.", f"For example:  make {kind} ADD=shop DIR=shop"
        )
    inside = _inside(folder, folders["WWW"])
    text = TEMPLATES[kind].format(name=name, folder=f"/srv/www/{inside}".rstrip("/"))
    path = folders["SITES"] / f"{name}.conf"
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise LabError(
            f"There is {_a(kind_of(path))} {name} already, and it stays as it is: {path}",
            f"Choose another name, or type first:  make {kind_of(path)} REMOVE={name}",
        ) from None
    except OSError as error:
        raise LabError(f"{path} cannot be written: {error.strerror}.") from None
    return path


def _a(kind: str) -> str:
    return "an alias" if kind == "alias" else f"a {WORDS[kind]}"


def _inside(given: str, www: Path) -> str:
    """Return a folder's path below www/."""
    www = www.resolve()
    try:
        path = next((path for path in (www / given, Path(given)) if path.is_dir()), None)
        resolved = path.resolve() if path else None
    except (OSError, ValueError):
        path = resolved = None
    if path is None or resolved is None:
        raise LabError(f"There is no folder {given!r} below {www}.", f"Type:  mkdir -p {shlex.quote(str(www / given))}")
    if resolved != www and www not in resolved.parents:
        raise LabError(
            f"{resolved} is not below {www}, and the container sees no other pages.",
            f"Copy it there:     cp -r {shlex.quote(str(resolved))} {shlex.quote(str(www))}/",
            f"Or serve another:  make up WWW={shlex.quote(str(resolved.parent))}",
        )
    inside = resolved.relative_to(www).as_posix()
    if MEANT_OTHERWISE.search(inside):
        raise LabError(f"{inside!r} has a character that means something else to httpd.", "Rename the folder.")
    return "" if inside == "." else inside


def remove(lab: Lab, kind: str, name: str) -> str | None:
    """Remove a drop-in.

    Returns:
        None, or, where it was changed since it was made, the name under which it stays beside.

    Raises:
        LabError: there is none of that name, or it is of another kind.
    """
    folder = lab.folders()["SITES"]
    path = folder / f"{name}.conf"
    if not NAME.fullmatch(name) or not path.is_file():
        raise LabError(f"There is no {WORDS[kind]} {name!r} in {folder}.", f"Type:  make {kind}")
    if kind_of(path) != kind:
        raise LabError(
            f"{name!r} is {_a(kind_of(path))}.",
            f"Type:  make {kind_of(path)} REMOVE={name}" if kind_of(path) in TEMPLATES else f"Remove {path} yourself.",
        )
    try:
        if _as_made(path, kind, name):
            path.unlink()
            return None
        return _set_aside(path).name
    except OSError as error:
        raise LabError(f"{path} cannot be removed: {error.strerror}.") from None


def kind_of(path: Path) -> str:
    """Return what a drop-in is: ``vhost``, ``alias`` or ``other``."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "other"
    return next((kind for kind, start in KINDS.items() if start.search(text)), "other")


def _as_made(path: Path, kind: str, name: str) -> bool:
    before, _, after = TEMPLATES[kind].format(name=name, folder="\0").partition("\0")
    text = path.read_text(encoding="utf-8", errors="replace")
    middle = text.removeprefix(before).removesuffix(after)
    return text == before + middle + after and not re.search(r'["\n]', middle)


def _set_aside(path: Path) -> Path:
    """Rename a file to NAME.conf.bak, NAME.conf.bak1 where there is one, and so on."""
    number = 0
    while (aside := path.with_name(f"{path.name}.bak{number or ''}")).exists():
        number += 1
    path.rename(aside)
    return aside


def bring_into_force(lab: Lab) -> list[Site]:
    """Have the running httpd take the drop-ins as they are now, and return the report."""
    report: list[Site] = json.loads(lab.execute(PROGRAM, "reload"))
    keep(lab, report)
    return report


def in_force(lab: Lab) -> list[Site]:
    """Return the report of the running lab's last start or reload."""
    report: list[Site] = json.loads(lab.execute("cat", REPORT))
    return report


def after_start(lab: Lab) -> list[str]:
    """Return the lines to be shown when a lab has started: what of its drop-ins did not take effect."""
    report = in_force(lab)
    keep(lab, report)
    return errors(report)


def keep(lab: Lab, report: Iterable[Site]) -> None:
    """Keep the files that are in force as they are, so that their next versions need not pass to be served.

    Raises:
        LabError: the folder cannot be written.
    """
    folder = lab.folders()["SITES"]
    kept = folder / KEPT
    told = {f"{site['name']}.conf": site for site in report}
    try:
        if not told and not kept.is_dir():
            return
        kept.mkdir(exist_ok=True)
        # What a report does not name may still be there: the check itself can fail.
        for path in kept.glob("*.conf"):
            if not (folder / path.name).exists():
                path.unlink()
        for name, site in told.items():
            if site["in_force"] and not site["error"]:
                # In one step: a start of the container in between finds the old one or the new one.
                new = kept / f"{name}.new"
                new.write_bytes((folder / name).read_bytes())
                new.replace(kept / name)
    except OSError as error:
        raise LabError(
            f"{kept} cannot be written, so what is in force now is not kept for the next start: {error.strerror}."
        ) from None


def errors(report: Iterable[Site]) -> list[str]:
    """Return a line for each drop-in that did not take effect as it is now."""
    refused = [site for site in report if site["error"]]
    return [f"{site['error']}\n    {stays(site)}" for site in refused]


def stays(site: Site) -> str:
    """Return what holds in place of a drop-in that was refused."""
    return "the version before stays in force" if site["in_force"] else "it is left out"


def lines(report: Sequence[Site], url: str, kind: str | None = None) -> list[str]:
    """Return a report as lines: what is in force, and where it answers.

    Args:
        report: of the lab.
        url: its address.
        kind: to leave out the others.
    """
    found = []
    for site in report:
        if kind in {None, site["kind"]}:
            where = [address(one, url) for one in site["urls"]] or ["-"]
            state = "in force" if site["in_force"] and not site["error"] else stays(site)
            found.append(f"{site['name']:12} {' '.join(where)}  {site['folder'] or '-'}  {state}")
    return found


def address(one: str, url: str) -> str:
    """Return an address of a report as one types it: a virtual host's has the lab's port, an alias is a path."""
    port = url.rpartition(":")[2]
    if one.startswith("/"):
        return f"{url}{one.rstrip('/')}/"
    return one if port == "80" else f"{one.rstrip('/')}:{port}/"
