"""What is committed stays: through a kill, another image, an end and a new start, and a full disk."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from cgilab.errors import LabError
from cgilab.project import engine
from cgilab.project.lab import DB
from tests.database.conftest import VOLUME, WITH_DATABASE, Ask, asking
from tests.support.running_lab import RunningLab, running_lab
from tests.support.wait import wait_until

# A service that inserts one row after another, each committed, and says which the server has acknowledged; it ends when
# the server does.
INSERTER = """
import itertools, pymysql
connection = pymysql.connect(
    host="db", user="lab", database="lab", password=open("/run/secrets/db_password").read(), autocommit=True
)
with connection.cursor() as cursor:
    try:
        for number in itertools.count(1):
            cursor.execute("INSERT INTO acknowledged VALUES (%s)", number)
            print(number, flush=True)
    except pymysql.Error:
        pass
"""

ACKNOWLEDGED_BEFORE = 1000


def start_again(lab: RunningLab) -> None:
    """Start the database that was killed, and wait until it is well."""
    lab.compose.compose("up", "--no-build", "--wait", DB)


def test_a_killed_server_loses_no_row_that_it_has_acknowledged(stack: RunningLab, ask: Ask) -> None:
    ask("CREATE TABLE acknowledged (number INT PRIMARY KEY)")
    command = ["docker", "exec", str(stack.container.id), "python3", "-c", INSERTER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as inserter:
        assert inserter.stdout is not None
        acknowledged = [int(inserter.stdout.readline()) for _ in range(ACKNOWLEDGED_BEFORE)]
        stack.server(DB).kill("SIGKILL")
        acknowledged += [int(line) for line in inserter.stdout]
    start_again(stack)
    stored = [int(row) for row in ask("SELECT number FROM acknowledged ORDER BY number")]

    assert acknowledged == list(range(1, len(acknowledged) + 1))
    # The last one may have been written, and the server been killed before it said so.
    assert stored in (acknowledged, [*acknowledged, len(acknowledged) + 1])
    assert ask("CHECK TABLE acknowledged, people") == [
        "lab.acknowledged\tcheck\tstatus\tOK",
        "lab.people\tcheck\tstatus\tOK",
    ]


def test_data_outlive_another_image(stack: RunningLab, ask: Ask) -> None:
    ask("CREATE TABLE outlives_image (word VARCHAR(9)); INSERT INTO outlives_image VALUES ('é😀')")
    before = stack.server(DB)
    image = f"cgi-lab/db:{stack.compose.settings['IMAGE_TAG']}"
    engine.docker("build", "--tag", image, "-", given=f"FROM {image}\nLABEL another=image\n")
    start_again(stack)

    assert stack.server(DB).id != before.id
    assert ask("SELECT word FROM outlives_image") == ["é😀"]


def test_data_and_passwords_outlive_the_end_of_the_lab(stack: RunningLab, ask: Ask) -> None:
    ask("CREATE TABLE outlives_down (word VARCHAR(9)); INSERT INTO outlives_down VALUES ('here')")
    password = stack.compose.execute("cat", "/run/secrets/db_password", server=DB)
    stack.compose.compose("down")
    stack.compose.start()

    assert ask("SELECT word FROM outlives_down") == ["here"]
    assert stack.compose.execute("cat", "/run/secrets/db_password", server=DB) == password


SMALL = """
volumes:
  database:
    driver_opts: {type: tmpfs, device: tmpfs, o: "size=128m,uid=3306,gid=3306,mode=0750"}
"""


@pytest.fixture
def small(machine_settings: dict[str, str], tmp_path: Path) -> Iterator[tuple[RunningLab, Container]]:
    """A lab whose database has a disk of 128 MB, and a container that takes of it all but 3 MB.

    The disk is in memory; the container keeps it mounted while the server starts again.
    """
    override = tmp_path / "small.yaml"
    override.write_text(SMALL, encoding="utf-8")
    files = {"COMPOSE_FILE": f"{engine.ROOT / 'compose.yaml'}:{override}"}
    folder = tmp_path / "lab"
    folder.mkdir()
    with running_lab(folder, {**machine_settings, **files}, servers=WITH_DATABASE) as lab:
        client = docker.from_env()
        keeper = client.containers.run(
            lab.server(DB).attrs["Image"],
            ["sleep", "infinity"],
            volumes={f"{lab.compose.project}_{VOLUME}": {"bind": "/disk"}},
            detach=True,
            init=True,
            labels={"io.github.cgi-lab": "test"},
        )
        try:
            fill = (
                "free=$(df --output=avail -B1 /disk | tail -n 1); head -c $((free - 3000000)) /dev/zero >/disk/ballast"
            )
            assert keeper.exec_run(["sh", "-c", fill]).exit_code == 0
            yield lab, keeper
        finally:
            keeper.remove(force=True)
            client.close()


def test_a_full_disk_is_a_clear_error_and_loses_nothing(small: tuple[RunningLab, Container]) -> None:
    lab, keeper = small
    ask = asking(lab)
    ask("CREATE TABLE filled (number INT AUTO_INCREMENT PRIMARY KEY, text LONGTEXT)")
    acknowledged = 0
    error = ""
    while not error:
        try:
            ask("INSERT INTO filled (text) VALUES (REPEAT('x', 8000))")
            acknowledged += 1
        except LabError as refused:
            error = refused.fix[-1]
    assert error == "ERROR 1114 (HY000) at line 1: The table 'filled' is full"

    # It still answers, also after a kill.
    assert ask("SELECT COUNT(*) FROM filled") == [str(acknowledged)]
    lab.server(DB).kill("SIGKILL")
    start_again(lab)
    assert ask("SELECT COUNT(*) FROM filled") == [str(acknowledged)]

    assert keeper.exec_run(["rm", "/disk/ballast"]).exit_code == 0
    ask("INSERT INTO filled (text) VALUES (REPEAT('x', 8000))")
    assert ask("SELECT COUNT(*) FROM filled") == [str(acknowledged + 1)]
    wait_until(lambda: lab.server(DB).health == "healthy")
