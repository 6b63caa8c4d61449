"""The container of the database: its limits, its networks, its user, its files."""

import json
import re

import docker
import pytest
from testinfra.host import Host

from cgilab.project.engine import inspect
from cgilab.project.lab import DB, SERVERS, WEB, Lab
from tests.database.conftest import VOLUME
from tests.support.running_lab import RunningLab

MEBIBYTE = 1024**2


def lines(host: Host, command: str, *arguments: str) -> list[str]:
    """Run a command that has to succeed, and return the lines that it prints."""
    printed: str = host.check_output(command, *arguments)
    return printed.splitlines()


def test_docker_took_every_limit(wamp: RunningLab) -> None:
    limits = wamp.server(DB).attrs["HostConfig"]
    asked = {
        "ReadonlyRootfs": True,
        "Privileged": False,
        "CapAdd": None,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "PidsLimit": 256,
        "Memory": 512 * MEBIBYTE,
        "MemorySwap": 512 * MEBIBYTE,
        "NanoCpus": 1_000_000_000,
        "ShmSize": 16 * MEBIBYTE,
        "Init": True,
        "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
        "LogConfig": {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}},
        "Tmpfs": {"/run/mysqld": "size=1m,mode=1777", "/tmp": "size=256m,mode=1777"},
    }

    assert {name: limits[name] for name in asked} == asked


def test_its_data_and_its_passwords_are_in_volumes(wamp: RunningLab) -> None:
    mounts = {
        mount["Destination"]: (mount["Type"], mount["Name"], mount["RW"]) for mount in wamp.server(DB).attrs["Mounts"]
    }

    assert mounts == {
        "/var/lib/mysql": ("volume", f"{wamp.compose.project}_{VOLUME}", True),
        "/run/secrets": ("volume", f"{wamp.compose.project}_secrets", True),
    }


def test_nothing_is_published(wamp: RunningLab) -> None:
    ports = wamp.server(DB).attrs["NetworkSettings"]["Ports"]

    assert ports == {}


def test_a_port_is_published_on_this_machine_alone_when_asked() -> None:
    configuration = Lab(settings={"DB_PORT": "3307"}).configuration()

    assert configuration["services"][DB]["ports"] == [
        {"mode": "ingress", "host_ip": "127.0.0.1", "target": 3306, "published": "3307", "protocol": "tcp"}
    ]


def test_its_network_leads_nowhere_and_holds_the_servers_alone(wamp: RunningLab) -> None:
    network = inspect("network", f"{wamp.compose.project}_database")
    members = {container["Name"] for container in network["Containers"].values()}

    assert network["Internal"] is True
    assert members == {f"{wamp.compose.project}-{server}-1" for server in SERVERS}
    assert list(wamp.server(DB).attrs["NetworkSettings"]["Networks"]) == [f"{wamp.compose.project}_database"]


def test_no_right_can_be_gained(host: Host) -> None:
    # proc_pid_status(5): the sets of capabilities as bits, and the flag that keeps a program from raising them.
    status = dict(line.split(":\t") for line in lines(host, "cat /proc/1/status"))

    assert {name: int(value, 16) for name, value in status.items() if name.startswith("Cap")} == {
        "CapInh": 0,
        "CapPrm": 0,
        "CapEff": 0,
        "CapBnd": 0,
        "CapAmb": 0,
    }
    assert status["NoNewPrivs"] == "1"


def test_the_processes_are_the_init_and_the_server(host: Host) -> None:
    commands = set(lines(host, "cat /proc/[0-9]*/comm"))

    # sh is the shell of this very command; a health check may be under way.
    assert commands - {"healthcheck", "timeout", "mariadb", "cat"} == {"docker-init", "mariadbd", "sh"}


def test_the_server_is_not_root(host: Host) -> None:
    users = {tuple(line.split()[1:]) for line in lines(host, "grep -h ^Uid: /proc/[0-9]*/status")}
    groups = {tuple(line.split()[1:]) for line in lines(host, "grep -h ^Gid: /proc/[0-9]*/status")}

    assert (users, groups) == ({("3306",) * 4}, {("3306",) * 4})


def test_nothing_can_be_written_but_memory_and_the_volumes(host: Host) -> None:
    found = lines(
        host,
        "find / -path /proc -prune -o -path /root -prune -o -path /var/lib/mysql/%s -prune -o -type d -writable -print",
        "*",
    )

    assert set(found) == {"/dev/mqueue", "/dev/shm", "/run/mysqld", "/run/secrets", "/tmp", "/var/lib/mysql"}


def test_no_program_has_more_rights_than_who_starts_it(root: Host) -> None:
    assert lines(root, "find / -xdev -type f -perm /6000 -print") == []


def test_one_port_is_listened_on(host: Host) -> None:
    # The kernel's own tables (proc_net(5)): the second field is address:port in hexadecimal, the fourth 0A is LISTEN.
    # 127.0.0.11 is the name server that Docker itself keeps in every container of a network of its own.
    rows = [row.split() for row in lines(host, "tail -qn +2 /proc/net/tcp /proc/net/tcp6")]
    listening = {row[1] for row in rows if row[3] == "0A" and not row[1].startswith("0B00007F:")}

    assert {int(address.rpartition(":")[2], 16) for address in listening} == {3306}


def test_the_modes_of_the_passwords(host: Host) -> None:
    assert set(lines(host, "find /run/secrets -printf %s", "%m %U:%G %P\\n")) == {
        "750 3306:3306 ",
        "600 3306:3306 db_root_password",
        "640 3306:3306 db_password",
    }


def test_the_web_server_reads_the_password_of_the_services_alone(wamp: RunningLab) -> None:
    own = wamp.compose.execute("cat", "/run/secrets/db_password")
    code, said = wamp.server(WEB).exec_run(["cat", "/run/secrets/db_root_password"])

    assert own == wamp.compose.execute("cat", "/run/secrets/db_password", server=DB)
    assert (code, said) == (1, b"cat: /run/secrets/db_root_password: Permission denied\n")


def test_passwords_are_random(wamp: RunningLab) -> None:
    services, root = (
        wamp.compose.execute("cat", f"/run/secrets/{name}", server=DB) for name in ("db_password", "db_root_password")
    )

    assert re.fullmatch("[A-Za-z0-9]{32}", services)
    assert re.fullmatch("[A-Za-z0-9]{32}", root)
    assert services != root


def test_the_health_check_logs_in_as_the_services_do(wamp: RunningLab) -> None:
    container = wamp.server(DB)

    assert container.exec_run(["/usr/local/lib/cgi-lab/healthcheck"]) == (0, b"ok\n")
    assert container.attrs["Config"]["Healthcheck"]["Test"] == ["CMD", "/usr/local/lib/cgi-lab/healthcheck"]


def test_the_log_of_a_start_is_quiet(wamp: RunningLab) -> None:
    # What comes later is about clients: those that end without a word, and those with a wrong password.
    log = wamp.server(DB).logs().decode().splitlines()
    start, _, _ = "\n".join(log).partition("Version: ")
    made, loaded, ready = start.splitlines()

    assert (made, loaded) == ("db: making the database, once", "db: loading people.sql")
    assert ready.endswith(" 0 [Note] mariadbd: ready for connections.")


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("*perl*", id="perl"),
        pytest.param("*_history", id="a shell's history"),
        pytest.param("*_InRelease", id="package lists"),
        pytest.param("*.deb", id="packages"),
    ],
)
def test_what_nobody_needs_is_left_out(root: Host, pattern: str) -> None:
    left = lines(root, "find / -xdev -name %s -not -path %s -print", pattern, "/var/lib/dpkg/*")

    assert left == []


def test_the_image_is_small(wamp: RunningLab) -> None:
    client = docker.from_env()
    try:
        size = client.images.get(wamp.server(DB).attrs["Image"]).attrs["Size"]
    finally:
        client.close()

    assert size <= 190_000_000  # bytes, as `docker images` counts them


def test_the_volumes_bear_the_projects_labels(wamp: RunningLab) -> None:
    labels = {
        name: inspect("volume", f"{wamp.compose.project}_{name}")["Labels"]["io.github.cgi-lab"]
        for name in (VOLUME, "secrets", "php")
    }

    assert labels == {VOLUME: "database", "secrets": "secrets", "php": "socket"}, json.dumps(labels)
