"""The limits that compose.yaml asks for, as Docker took them and as the kernel applies them."""

import json
from pathlib import Path

import pytest
from testinfra.host import Host

from cgilab.project.engine import LABEL, ROOT, docker
from cgilab.project.lab import Lab
from tests.support.running_lab import RunningLab

GIBIBYTE = 1024**3


def test_docker_took_every_limit(lab: RunningLab) -> None:
    limits = lab.container.attrs["HostConfig"]
    asked = {
        "ReadonlyRootfs": True,
        "Privileged": False,
        "CapAdd": None,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "PidsLimit": 256,
        "Memory": GIBIBYTE,
        "MemorySwap": GIBIBYTE,
        "NanoCpus": 1_000_000_000,
        "ShmSize": 16 * 1024**2,
        "Init": True,
        "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
        "LogConfig": {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}},
        "Tmpfs": {"/run/httpd": "size=1m,mode=1777", "/run/lab": "size=20m,mode=1777", "/tmp": "size=64m,mode=1777"},
    }

    assert {name: limits[name] for name in asked} == asked


def test_all_is_mounted_read_only(lab: RunningLab) -> None:
    mounts = {
        mount["Destination"]: (mount.get("Name", mount["Source"]), mount["RW"])
        for mount in lab.container.attrs["Mounts"]
    }

    assert mounts == {
        "/srv/cgi-bin": (str(lab.cgi_bin), False),
        "/srv/www": (str(lab.www), False),
        "/srv/sites": (str(lab.sites), False),
        "/run/secrets": (f"{lab.compose.project}_secrets", False),
        "/run/php": (f"{lab.compose.project}_php", False),
    }


def test_this_machine_alone_can_reach_it(lab: RunningLab) -> None:
    ports = lab.container.attrs["NetworkSettings"]["Ports"]

    assert ports == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(lab.port)}]}


def test_it_stops_in_its_own_way(lab: RunningLab) -> None:
    configuration = lab.container.attrs["Config"]

    assert (configuration["StopSignal"], configuration["StopTimeout"]) == ("SIGWINCH", 2)


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


# One of the two files is there, by the version of control groups that the host uses.
KERNEL_LIMITS = [
    pytest.param("/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max", "256", id="processes"),
    pytest.param(
        "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes", str(GIBIBYTE), id="memory"
    ),
]


@pytest.mark.parametrize(("version_2", "version_1", "limit"), KERNEL_LIMITS)
def test_the_kernel_applies_the_limit(host: Host, version_2: str, version_1: str, limit: str) -> None:
    path = version_2 if host.file(version_2).exists else version_1

    assert host.check_output("cat %s", path) == limit


def test_the_health_check_runs_a_script_of_its_own(lab: RunningLab) -> None:
    """It needs no service of the user's, and starts one interpreter: that of the script."""
    code, output = lab.container.exec_run(["/usr/local/lib/cgi-lab/healthcheck"])

    assert (code, output) == (0, b"ok\n")
    assert lab.container.attrs["Config"]["Healthcheck"]["Test"] == ["CMD", "/usr/local/lib/cgi-lab/healthcheck"]


def test_httpd_takes_no_processor_away_as_it_wakes(host: Host) -> None:
    """Neither do the scripts that it starts: a policy is handed down (sched(7))."""
    first = host.check_output("cat /run/httpd/httpd.pid")
    policies = host.check_output(
        "for process in %s $(cat /proc/%s/task/%s/children); do chrt --pid $process; done", first, first, first
    )

    policy_lines = [line for line in policies.splitlines() if "scheduling policy" in line]
    assert {line.rpartition(": ")[2] for line in policy_lines} == {"SCHED_BATCH"}


def test_the_things_made_bear_the_projects_label(lab: RunningLab) -> None:
    project = f"label=com.docker.compose.project={lab.compose.project}"
    for listing in (["ps", "--all"], ["network", "ls"], ["image", "ls"], ["volume", "ls"]):
        made = docker(*listing, "--quiet", "--filter", project).splitlines()
        labelled = docker(*listing, "--quiet", "--filter", project, "--filter", f"label={LABEL}").splitlines()

        assert labelled == made, json.dumps(listing)
        assert made, json.dumps(listing)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        pytest.param("lessons", ROOT / "lessons", id="relative"),
        pytest.param("./my lessons", ROOT / "my lessons", id="relative, with a space"),
        pytest.param("/srv/lessons", Path("/srv/lessons"), id="absolute"),
    ],
)
def test_the_folder_of_the_services_can_be_given_in_any_way(given: str, meant: Path) -> None:
    assert Lab(settings={"CGI_BIN": given}).folders()["CGI_BIN"] == meant
