"""What is in the image of PHP, and what is not."""

import docker
import pytest
from docker.models.containers import Container
from testinfra.host import Host

EXTENSIONS = ["curl", "gd", "intl", "mbstring", "mysqli", "pdo_mysql", "xml", "Zend OPcache", "zip"]

FILES = ("adminer.php", "php.php", "phpinfo.php")
PROGRAMS = ("healthcheck", "start")


def lines(host: Host, command: str, *arguments: str) -> list[str]:
    """Run a command that has to succeed, and return the lines that it prints."""
    printed: str = host.check_output(command, *arguments)
    return printed.splitlines()


@pytest.mark.parametrize("name", ["php-fpm", "online"])
def test_each_configuration_is_sound_and_gives_no_warning(host: Host, name: str) -> None:
    checked = host.run(f"php-fpm --test --fpm-config /etc/php/current/fpm/{name}.conf 2>&1")

    assert checked.rc == 0
    assert [line for line in checked.stdout.splitlines() if "is successful" not in line] == []


def test_the_extensions_that_pages_count_on_are_there(host: Host) -> None:
    assert set(EXTENSIONS) <= set(lines(host, "php-fpm -m"))


def test_nothing_can_be_written_but_memory(host: Host) -> None:
    found = set(lines(host, "find / -path /proc -prune -o -path /root -prune -o -type d -writable -print"))

    assert found == {"/dev/mqueue", "/dev/shm", "/run/php", "/tmp", "/tmp/sessions"}
    for folder in found - {"/tmp/sessions"}:
        assert host.mount_point(folder).filesystem in {"tmpfs", "mqueue"}


def test_nobody_else_looks_into_the_sessions(host: Host) -> None:
    assert lines(host, "stat -c %s /tmp/sessions", "%a %u") == [f"700 {host.check_output('id -u')}"]


def test_no_file_of_the_image_can_be_written(host: Host) -> None:
    assert lines(host, "find / -xdev -path /root -prune -o -type f -writable -print") == []


def test_no_program_has_more_rights_than_who_starts_it(root: Host) -> None:
    assert lines(root, "find / -xdev -type f -perm /6000 -print") == []


def test_the_modes_of_what_the_project_adds(host: Host) -> None:
    programs = {f"755 root /usr/local/lib/cgi-lab/{name}" for name in PROGRAMS}
    files = {f"644 root /usr/local/lib/cgi-lab/{name}" for name in FILES}

    found = lines(host, "find /usr/local/lib/cgi-lab -type f -exec stat -c %s {} +", "%a %U %n")

    assert set(found) == programs | files


def test_of_adminer_there_is_its_one_file(host: Host) -> None:
    assert lines(host, "find /usr/share/adminer -type f") == ["/usr/share/adminer/adminer.php"]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("*perl*", id="perl"),
        pytest.param("*.ttf", id="fonts"),
        pytest.param("systemctl", id="systemd"),
        pytest.param("*.gz", id="manual pages and changelogs"),
        pytest.param("*_InRelease", id="package lists"),
        pytest.param("*.deb", id="packages"),
        pytest.param("*.log", id="logs of the build"),
    ],
)
def test_what_nobody_needs_is_left_out(root: Host, pattern: str) -> None:
    left = lines(root, "find / -xdev -name %s -not -path %s -print", pattern, "/var/lib/dpkg/*")

    assert left == []


def test_the_image_is_small(php: Container) -> None:
    client = docker.from_env()
    try:
        size = client.images.get(php.attrs["Image"]).attrs["Size"]
    finally:
        client.close()

    assert size <= 190_000_000  # bytes, as `docker images` counts them
