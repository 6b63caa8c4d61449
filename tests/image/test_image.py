"""What is in the image, and what is not."""

import re

import docker
import pytest
from testinfra.host import Host

from cgilab.diagnosis.programs import image
from tests.support.debian import DEBIAN, PYTHON
from tests.support.running_lab import RunningLab

MODULES = {
    # linked into Debian's httpd
    "core_module (static)",
    "http_module (static)",
    "log_config_module (static)",
    "logio_module (static)",
    "so_module (static)",
    "unixd_module (static)",
    "version_module (static)",
    "watchdog_module (static)",
    # asked for by httpd.conf
    "alias_module (shared)",
    "authz_core_module (shared)",
    "authz_host_module (shared)",
    "cgi_module (shared)",
    "dir_module (shared)",
    "env_module (shared)",
    "headers_module (shared)",
    "mime_module (shared)",
    "mpm_prefork_module (shared)",
    "proxy_fcgi_module (shared)",
    "proxy_scgi_module (shared)",
    "proxy_module (shared)",
    "reqtimeout_module (shared)",
    "unique_id_module (shared)",
}


# What httpd and Docker start.
PROGRAMS = (
    *("describe", "exchanges", "failure", "forkserver", "health", "healthcheck", "home", "httpd", "page"),
    *("recorder", "sites"),
    *("start", "troubleshooting"),
)
FILES = ("failure.css", "home.css", "index.html", "lab.css", "lab.js")


def lines(host: Host, command: str, *arguments: str) -> list[str]:
    """Run a command that has to succeed, and return the lines that it prints."""
    printed: str = host.check_output(command, *arguments)
    return printed.splitlines()


def test_the_configuration_is_sound_and_gives_no_warning(host: Host) -> None:
    checked = host.run("apache2 -t -f httpd.conf")

    assert (checked.rc, checked.stdout, checked.stderr) == (0, "", "Syntax OK\n")


def test_the_modules_loaded_are_those_that_are_needed(host: Host) -> None:
    heading, *modules = lines(host, "apache2 -M -f httpd.conf")

    assert heading == "Loaded Modules:"
    assert {module.strip() for module in modules} == MODULES


def test_versions(host: Host) -> None:
    assert re.match(r"Server version: Apache/2\.4\.\d+ \(Debian\)$", lines(host, "apache2 -v")[0])
    assert re.fullmatch(r"Python {}\.{}\.\d+".format(*PYTHON), host.check_output("python3 --version"))


def test_the_module_cgi_is_there_and_complains_of_nothing(host: Host) -> None:
    # Python 3.11 says, where it is asked to, that the module will be removed.
    known = "ignore:'cgi' is deprecated and slated for removal in Python 3.13"
    program = "import cgi; print(cgi.__name__)"

    assert host.check_output("python3 -W error -W %s -c %s", known, program) == "cgi"


# Of the standard library, what Debian has in packages of its own, and what there is on no Linux; docs/packages.md.
NOT_THERE = {
    "trixie": {
        "_gdbm", "_ios_support", "_overlapped", "_scproxy", "_tkinter", "_winapi", "_wmi", "ensurepip", "idlelib",
        "msvcrt", "nt", "tkinter", "turtle", "turtledemo", "winreg", "winsound",
    },
    "bookworm": {
        "_gdbm", "_msi", "_overlapped", "_scproxy", "_tkinter", "_winapi", "ensurepip", "idlelib", "lib2to3", "msilib",
        "msvcrt", "nt", "tkinter", "turtle", "turtledemo", "winreg", "winsound",
    },
}  # fmt: skip

IMPORT_ALL = """
import importlib, sys
for name in sorted(sys.stdlib_module_names):
    try:
        importlib.import_module(name)
    except ImportError:
        print(name, file=sys.stderr)
"""


def test_every_module_of_the_standard_library_can_be_imported(host: Host) -> None:
    # Some say that they are deprecated, and `this` prints a poem.
    imported = host.run("python3 -W ignore -c %s", IMPORT_ALL)

    assert (imported.rc, set(imported.stderr.splitlines())) == (0, NOT_THERE[DEBIAN])


def test_every_module_is_compiled(host: Host) -> None:
    """Nothing can be written later, so what is not would be compiled by each request."""
    folders = "/usr/lib/python3* /usr/local/lib/cgi-lab/cgilab"
    sources = lines(host, f"find {folders} -name '*.py'")
    compiled = lines(host, f"find {folders} -name '*.cpython-{''.join(map(str, PYTHON))}.pyc'")

    assert {re.sub(r"__pycache__/(.*)\.cpython-\d+\.pyc$", r"\1.py", path) for path in compiled} == set(sources)


def test_every_program_and_library_finds_the_libraries_that_it_needs(host: Host) -> None:
    files = r"find / -xdev -path /root -prune -o -type f \( -name '*.so*' -o -perm /111 \)"
    needed = host.run(f"{files} -exec ldd {{}} +").stdout.splitlines()

    # ldd has something to say of everything that is compiled.
    assert {"/usr/bin/bash:", "/usr/lib/apache2/modules/mod_lua.so:"} < set(needed)
    assert [line for line in needed if line.endswith("not found")] == []


def test_the_modules_of_httpd_that_are_left_out(host: Host) -> None:
    """docs/sites.md names them: a drop-in may load all others."""
    shipped = {path for path in lines(host, "cat /var/lib/dpkg/info/apache2-bin.list") if path.endswith(".so")}
    there = set(lines(host, "find /usr/lib/apache2/modules -name '*.so'"))
    left_out = {"authnz_ldap", "ldap", "md", "proxy_html", "xml2enc"}

    assert shipped - there == {f"/usr/lib/apache2/modules/mod_{name}.so" for name in left_out}


def test_the_character_encodings_of_glibc(host: Host) -> None:
    """Those of the program iconv; Python has encodings of its own."""
    known = "UTF-8 UTF-16 UTF-32 UTF-7 ISO-8859-1 ISO-8859-15 CP1252 ASCII"
    program = f"for name in {known}; do echo a | iconv -f UTF-8 -t $name | iconv -f $name -t UTF-8; done"

    assert lines(host, program) == ["a"] * 8
    assert host.run("echo a | iconv -t KOI8-R").rc == 1


def test_the_list_of_packages_is_that_of_what_is_there(host: Host) -> None:
    """Programs that look for known vulnerabilities go by it."""
    listed = set(re.findall(r"^Package: (.*)$", host.check_output("cat /var/lib/dpkg/status"), re.MULTILINE))
    described = {
        path.split(":")[0].removesuffix(".list") for path in lines(host, "ls /var/lib/dpkg/info") if ".list" in path
    }

    assert described == listed
    assert {"apache2-bin", "bash", "python3"} < listed
    assert listed.isdisjoint({"apt", "dpkg", "perl-base"})


def test_one_port_is_listened_on(host: Host) -> None:
    # The kernel's own tables (proc_net(5)): the second field is address:port in hexadecimal, the fourth 0A is LISTEN.
    # 127.0.0.11 is the name server that Docker itself keeps in every container of a network of its own.
    rows = [row.split() for row in lines(host, "tail -qn +2 /proc/net/tcp /proc/net/tcp6")]
    listening = {row[1] for row in rows if row[3] == "0A" and not row[1].startswith("0B00007F:")}

    assert {int(address.rpartition(":")[2], 16) for address in listening} == {80}


def test_the_processes_are_the_init_and_the_servers(host: Host) -> None:
    commands = lines(host, "cat /proc/[0-9]*/comm")

    # python3 is what the script recorder starts, sh is the shell of this very command.
    assert set(commands) == {"docker-init", "apache2", "recorder", "python3", "sh"}


def test_the_server_is_not_root(host: Host, lab: RunningLab) -> None:
    # proc_pid_status(5): the real, effective, saved and file system user and group of every process.
    asked = lab.container.attrs["Config"]["User"]
    users = {tuple(line.split()[1:]) for line in lines(host, "grep -h ^Uid: /proc/[0-9]*/status")}
    groups = {tuple(line.split()[1:]) for line in lines(host, "grep -h ^Gid: /proc/[0-9]*/status")}

    user, group = asked.split(":")
    assert (users, groups) == ({(user,) * 4}, {(group,) * 4})
    assert user != "0"


# What first lines of scripts name, here or elsewhere.
INTERPRETERS = {
    "awk", "bash", "csh", "dash", "env", "expect", "fish", "gawk", "groovy", "java", "ksh", "lua", "make", "mawk",
    "nawk", "node", "original-awk", "perl", "php", "php-cgi", "pypy3", "python", "python2", "python2.7", "python3",
    "python3.11", "python3.12", "python3.13", "python3.14", "Rscript", "ruby", "sed", "sh", "tclsh", "tcsh", "wish",
    "zsh",
}  # fmt: skip


def test_the_interpreters_are_those_that_a_check_on_the_host_counts_on(host: Host) -> None:
    folders = "/bin /usr/bin /usr/local/bin"
    found = set(lines(host, f"find -L {folders} -maxdepth 1 -type f -executable -print"))

    assert found >= image(DEBIAN)
    assert {path for path in found if path.rpartition("/")[2] in INTERPRETERS} <= image(DEBIAN)


def test_nothing_can_be_written_but_memory(host: Host) -> None:
    found = lines(host, "find / -path /proc -prune -o -path /root -prune -o -type d -writable -print")

    made = {"/run/httpd/sites", "/run/lab/exchanges", "/run/lab/failures"}
    assert set(found) == {"/dev/mqueue", "/dev/shm", "/run/httpd", "/run/lab", "/tmp"} | made
    # What the recorder and docker/web/start make is on the file system of the folder above.
    for folder in set(found) - made:
        assert host.mount_point(folder).filesystem in {"tmpfs", "mqueue"}


def test_no_file_of_the_image_can_be_written(host: Host) -> None:
    assert lines(host, "find / -xdev -path /root -prune -o -type f -writable -print") == []


def test_no_program_has_more_rights_than_who_starts_it(root: Host) -> None:
    assert lines(root, "find / -xdev -type f -perm /6000 -print") == []


def test_the_modes_of_what_the_project_adds(host: Host) -> None:
    programs = {f"755 root /usr/local/lib/cgi-lab/{name}" for name in PROGRAMS}
    files = {f"644 root /usr/local/lib/cgi-lab/lab/{name}" for name in FILES}
    folders = "/usr/local/lib/cgi-lab /usr/local/lib/cgi-lab/lab"
    found = lines(
        host, f"find /etc/apache2/httpd.conf {folders} -maxdepth 1 -type f -exec stat -c %s {{}} +", "%a %U %n"
    )
    modules = lines(host, "find /usr/local/lib/cgi-lab/cgilab -printf %s", "%m %u %y\\n")

    assert set(found) == {"644 root /etc/apache2/httpd.conf", *programs, *files}
    assert set(modules) == {"644 root f", "755 root d"}


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("*perl*", id="perl"),
        pytest.param("*_history", id="a shell's history"),
        pytest.param("apt-get", id="apt"),
        pytest.param("*.gz", id="manual pages and changelogs"),
        pytest.param("*_InRelease", id="package lists"),
        pytest.param("*.deb", id="packages"),
        pytest.param("*.log", id="logs of the build"),
    ],
)
def test_what_nobody_needs_is_left_out(root: Host, pattern: str) -> None:
    left = lines(root, "find / -xdev -name %s -not -path %s -print", pattern, "/var/lib/dpkg/*")

    assert left == []


def test_the_image_is_small(lab: RunningLab) -> None:
    client = docker.from_env()
    try:
        size = client.images.get(lab.container.attrs["Image"]).attrs["Size"]
    finally:
        client.close()

    assert size <= 90_000_000  # bytes, as `docker images` counts them
