"""Who reaches whom: the lab from outside, its servers each other, and its servers what lies beyond.

No packet leaves this machine: what stands for the world beyond is a container of another network.
"""

import json
import secrets
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from cgilab.project.engine import LABEL
from cgilab.project.lab import SERVERS
from tests.support.running_lab import RunningLab, running_lab
from tests.support.wait import wait_until

# What a program in a container says of an attempt to connect; a packet that is thrown away is waited for in vain.
ATTEMPT = """
exec 2>/dev/null
timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" && echo reached || echo refused
"""
REACHED = b"reached\n"
REFUSED = b"refused\n"


def attempt(container: Container, host: str, port: int) -> bytes:
    """Return what becomes of an attempt to open a connection from inside a container."""
    output = container.exec_run(["bash", "-c", ATTEMPT, "bash", host, str(port)]).output
    assert isinstance(output, bytes)
    return output


def networks_of(lab: RunningLab) -> dict[str, Network]:
    """Return the networks of a lab, by the names of compose.yaml."""
    assert lab.container.client is not None
    found = lab.container.client.networks.list(
        filters={"label": f"com.docker.compose.project={lab.compose.project}"}, greedy=True
    )
    return {network.attrs["Labels"]["com.docker.compose.network"]: network for network in found}


def addresses_of(container: Container) -> dict[str, str]:
    """Return the address of a container in each of its networks, by the networks' names."""
    container.reload()
    networks: Mapping[str, Any] = container.attrs["NetworkSettings"]["Networks"]
    return {name: network["IPAddress"] for name, network in networks.items()}


@dataclass(frozen=True)
class Stranger:
    """A container that does not belong to the lab, in a network of its own, where it listens on port 8000."""

    container: Container
    address: str


@pytest.fixture(scope="module")
def stranger(wamp: RunningLab) -> Iterator[Stranger]:
    client = wamp.container.client
    assert client is not None
    name = f"{wamp.compose.project}-stranger"
    labels = {LABEL: "test"}
    # Of the addresses for tests of networks (RFC 2544), so that no other network of this machine has the same.
    pool = IPAMPool(subnet=f"198.18.{secrets.randbelow(256)}.0/24")
    network = client.networks.create(name, labels=labels, ipam=IPAMConfig(pool_configs=[pool]))
    try:
        container = client.containers.run(
            str(wamp.container.attrs["Image"]),
            ["python3", "-m", "http.server", "8000", "--directory", "/srv/www"],
            name=name,
            network=name,
            labels=labels,
            healthcheck={"test": ["NONE"]},
            detach=True,
        )
        try:
            address = addresses_of(container)[name]
            wait_until(lambda: attempt(container, address, 8000) == REACHED)
            yield Stranger(container, address)
        finally:
            container.remove(force=True)
    finally:
        network.remove()


# --- From outside ---------------------------------------------------------------------------------


def test_one_port_is_published_for_this_machine_alone(wamp: RunningLab) -> None:
    bindings = {
        (server, port): bound
        for server in SERVERS
        for port, bound in wamp.server(server).attrs["NetworkSettings"]["Ports"].items()
        if bound
    }

    assert bindings == {("web", "80/tcp"): [{"HostIp": "127.0.0.1", "HostPort": str(wamp.port)}]}


def test_the_machine_listens_at_its_loopback_address_alone(wamp: RunningLab) -> None:
    # proc_pid_net(5): the address and the port in hexadecimal; 0A is LISTEN, 0100007F is 127.0.0.1.
    listening = []
    for table in ("tcp", "tcp6"):
        rows = [row.split() for row in Path("/proc/net", table).read_text(encoding="ascii").splitlines()[1:]]
        listening += [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{wamp.port:04X}")]

    assert listening == [f"0100007F:{wamp.port:04X}"]


def test_another_container_does_not_reach_the_web_server(wamp: RunningLab, stranger: Stranger) -> None:
    address = addresses_of(wamp.container)[f"{wamp.compose.project}_default"]

    assert attempt(wamp.container, address, 80) == REACHED
    assert attempt(stranger.container, address, 80) == REFUSED


def test_no_way_leads_to_the_network_of_the_database(wamp: RunningLab) -> None:
    """Neither from this machine nor from another container, whose packets it would pass on."""
    # proc_pid_net(5): the first field of a route is the device. Docker names that of a network after its id.
    rows = Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]
    devices = {row.split()[0] for row in rows}
    networks = networks_of(wamp)

    assert {name: f"br-{str(network.id)[:12]}" in devices for name, network in networks.items()} == {
        "default": True,
        "database": False,
    }


# --- Among each other -----------------------------------------------------------------------------


def test_who_is_in_which_network(wamp: RunningLab) -> None:
    networks = networks_of(wamp)
    for network in networks.values():
        network.reload()
    project = wamp.compose.project
    members = {
        name: sorted(one["Name"] for one in network.attrs["Containers"].values()) for name, network in networks.items()
    }

    assert members == {
        "default": [f"{project}-web-1"],
        "database": [f"{project}-db-1", f"{project}-php-1", f"{project}-web-1"],
    }


@pytest.mark.parametrize("server", ["web", "php"])
def test_services_and_pages_reach_the_database(wamp: RunningLab, server: str) -> None:
    assert attempt(wamp.server(server), "db", 3306) == REACHED


def test_a_service_logs_in_at_the_database(wamp: RunningLab) -> None:
    program = (
        "import pymysql\n"
        "password = open('/run/secrets/db_password').read()\n"
        "with pymysql.connect(host='db', user='lab', password=password, database='lab') as connection:\n"
        "    cursor = connection.cursor()\n"
        "    cursor.execute('SELECT DATABASE()')\n"
        "    print(cursor.fetchone()[0])\n"
    )

    assert wamp.compose.execute("python3", "-c", program) == "lab"


def test_the_password_of_root_is_the_databases_alone(wamp: RunningLab) -> None:
    readable = {
        server: wamp.server(server).exec_run(["cat", "/run/secrets/db_root_password"]).exit_code for server in SERVERS
    }

    assert readable == {"web": 1, "db": 0, "php": 1}


# --- Beyond the lab -------------------------------------------------------------------------------


def test_no_network_of_the_lab_leads_out_of_it(wamp: RunningLab) -> None:
    networks = networks_of(wamp)
    for network in networks.values():
        network.reload()
    masquerade = "com.docker.network.bridge.enable_ip_masquerade"

    assert {
        name: (network.attrs["Internal"], network.attrs["Options"].get(masquerade))
        for name, network in networks.items()
    } == {"default": (False, "false"), "database": (True, None)}


@pytest.mark.parametrize("server", SERVERS)
def test_no_server_reaches_another_container(wamp: RunningLab, stranger: Stranger, server: str) -> None:
    assert attempt(wamp.server(server), stranger.address, 8000) == REFUSED


@pytest.mark.parametrize("server", ["db", "php"])
def test_database_and_php_have_no_way_out(wamp: RunningLab, server: str) -> None:
    # proc_pid_net(5): the second field of a route is its destination, and 00000000 is any.
    routes = wamp.compose.execute("cat", "/proc/net/route", server=server).splitlines()[1:]

    assert [route.split()[1] for route in routes if route.split()[1] == "00000000"] == []


@pytest.mark.parametrize("server", ["web", "php"])
def test_no_name_beyond_the_lab_is_looked_up(wamp: RunningLab, server: str) -> None:
    container = wamp.server(server)

    assert container.attrs["HostConfig"]["Dns"] == ["127.0.0.1"]
    # getent(1): 2 is for a name that was not found.
    assert container.exec_run(["getent", "hosts", "machine.invalid"]).exit_code == 2


@pytest.mark.parametrize("server", ["db", "php"])
def test_database_and_php_do_not_reach_this_machine(wamp: RunningLab, server: str) -> None:
    """Whatever listens at all addresses of the machine, none of them is in their network."""
    network = networks_of(wamp)["database"]
    network.reload()
    # Where Docker's bridges have their address unless another is asked for: the first of the network.
    gateways = [str(IPv4Network(one["Subnet"])[1]) for one in network.attrs["IPAM"]["Config"]]
    with socket.create_server(("0.0.0.0", 0)) as server_of_machine:  # noqa: S104 - every address is the point
        port = server_of_machine.getsockname()[1]

        assert gateways != []
        assert {attempt(wamp.server(server), gateway, port) for gateway in gateways} == {REFUSED}


def test_outside_opens_it(machine_settings: dict[str, str], tmp_path: Path) -> None:
    with running_lab(tmp_path, {**machine_settings, "OUTSIDE": "1"}, servers=SERVERS) as lab:
        networks = networks_of(lab)
        opened = networks["outside"]
        opened.reload()
        members = sorted(one["Name"] for one in opened.attrs["Containers"].values())
        asked = {server: lab.server(server).attrs["HostConfig"]["Dns"] for server in ("web", "php")}
        routes = lab.compose.execute("cat", "/proc/net/route", server="php").splitlines()[1:]

        assert sorted(networks) == ["database", "outside"]
        assert (opened.attrs["Internal"], opened.attrs["Options"]) == (False, {})
        assert members == [f"{lab.compose.project}-php-1", f"{lab.compose.project}-web-1"]
        # Docker's own resolver asks those of this machine where no others are named.
        assert {server: json.dumps(names or []) for server, names in asked.items()} == {"web": "[]", "php": "[]"}
        assert [route.split()[1] for route in routes].count("00000000") == 1
        assert attempt(lab.container, "db", 3306) == REACHED
        assert lab.container.attrs["NetworkSettings"]["Ports"] == {
            "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(lab.port)}]
        }


def test_a_port_of_the_database_is_opened_for_this_machine_alone(
    machine_settings: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running_lab(tmp_path, {**machine_settings, "DB_PORT": str(port)}, servers=SERVERS) as lab:
        published = networks_of(lab)["published"]
        published.reload()

        assert lab.server("db").attrs["NetworkSettings"]["Ports"] == {
            "3306/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]
        }
        assert published.attrs["Options"] == {"com.docker.network.bridge.enable_ip_masquerade": "false"}
        assert [one["Name"] for one in published.attrs["Containers"].values()] == [f"{lab.compose.project}-db-1"]
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            # The first packet of the protocol: its length and number, and the version of the protocol.
            assert connection.recv(5)[4:] == b"\x0a"
