"""The limits that compose.yaml asks for, as Docker took them and as the kernel applies them."""

from docker.models.containers import Container
from testinfra.host import Host

from tests.support.running_lab import RunningLab

MEBIBYTE = 1024**2


def test_docker_took_every_limit(php: Container) -> None:
    limits = php.attrs["HostConfig"]
    asked = {
        "ReadonlyRootfs": True,
        "Privileged": False,
        "CapAdd": None,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "PidsLimit": 64,
        "Memory": 1280 * MEBIBYTE,
        "MemorySwap": 1280 * MEBIBYTE,
        "NanoCpus": 1_000_000_000,
        "ShmSize": 16 * MEBIBYTE,
        "Init": True,
        "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
        "LogConfig": {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}},
        "Tmpfs": {"/tmp": "size=64m,mode=1777"},
    }

    assert {name: limits[name] for name in asked} == asked


def test_the_socket_alone_is_mounted_to_be_written(wamp: RunningLab, php: Container) -> None:
    mounts = {mount["Destination"]: (mount.get("Name", mount["Source"]), mount["RW"]) for mount in php.attrs["Mounts"]}

    assert mounts == {
        "/srv/www": (str(wamp.www), False),
        "/run/secrets": (f"{wamp.compose.project}_secrets", False),
        "/run/php": (f"{wamp.compose.project}_php", True),
    }


def test_it_is_in_no_network_but_that_of_the_database_and_no_port_leads_to_it(wamp: RunningLab, php: Container) -> None:
    networks = php.attrs["NetworkSettings"]

    assert set(networks["Networks"]) == {f"{wamp.compose.project}_database"}
    assert networks["Ports"] == {}


def test_it_stops_in_its_own_way(php: Container) -> None:
    configuration = php.attrs["Config"]

    assert (configuration["StopSignal"], configuration["StopTimeout"]) == ("SIGQUIT", 2)


def test_no_right_can_be_gained(host: Host) -> None:
    # proc_pid_status(5): the sets of capabilities as bits, and the flag that keeps a program from raising them.
    status = dict(line.split(":\t") for line in host.check_output("cat /proc/1/status").splitlines())

    assert {name: int(value, 16) for name, value in status.items() if name.startswith("Cap")} == {
        "CapInh": 0,
        "CapPrm": 0,
        "CapEff": 0,
        "CapBnd": 0,
        "CapAmb": 0,
    }
    assert status["NoNewPrivs"] == "1"


def test_the_server_is_not_root(wamp: RunningLab, host: Host) -> None:
    # proc_pid_status(5): the real, effective, saved and file system user and group of every process.
    web, php = (wamp.server(name).attrs["Config"]["User"] for name in ("web", "php"))
    users = {tuple(line.split()[1:]) for line in host.check_output("grep -h ^Uid: /proc/[0-9]*/status").splitlines()}

    assert web == php
    assert users == {(php.partition(":")[0],) * 4}
    assert not php.startswith("0:")


def test_the_processes_are_the_init_and_php(host: Host) -> None:
    commands = host.check_output("cat /proc/[0-9]*/comm").splitlines()

    # sh is the shell of this very command.
    assert {command.rstrip("0123456789.") for command in commands} == {"docker-init", "php-fpm", "sh"}


def test_it_listens_at_its_socket_alone(host: Host) -> None:
    # proc_net(5): the fourth field 0A is LISTEN; 127.0.0.11 is the name server that Docker keeps in every container.
    rows = [row.split() for row in host.check_output("tail -qn +2 /proc/net/tcp /proc/net/tcp6").splitlines()]
    listening = {row[1] for row in rows if row[3] == "0A" and not row[1].startswith("0B00007F:")}
    user = host.check_output("id -u")

    assert listening == set()
    assert host.check_output("stat -c %s /run/php/fpm.sock", "%F %a %u") == f"socket 600 {user}"


def test_the_health_check_asks_php_fpm_itself(php: Container) -> None:
    check = "/usr/local/lib/cgi-lab/healthcheck"
    code, output = php.exec_run([check])

    assert (code, output) == (0, b"ok\n")
    assert php.attrs["Config"]["Healthcheck"]["Test"] == ["CMD", check]


def test_the_log_says_nothing_of_a_start(php: Container) -> None:
    assert [line for line in php.logs().decode().splitlines() if "NOTICE" in line or "fpm is running" in line] == []


def test_no_variable_of_the_environment_holds_a_password(wamp: RunningLab, php: Container) -> None:
    password = wamp.compose.execute("cat", "/run/secrets/db_password")

    assert len(password) == 32
    assert [name for name in php.attrs["Config"]["Env"] if password in name] == []
