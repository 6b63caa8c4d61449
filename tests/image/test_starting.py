"""Starting a lab in other ways than the usual one. Each test starts a lab of its own."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests

from tests.support.running_lab import running_lab


def test_any_user_and_any_time_zone_will_do(machine_settings: dict[str, str], tmp_path: Path) -> None:
    settings = {**machine_settings, "SERVER_USER": "54321:54321", "TZ": "Asia/Kolkata"}
    with running_lab(tmp_path, settings) as lab:
        told = datetime.strptime(requests.get(f"{lab.url}/cgi-bin/web_02.py", timeout=10).text, "%d/%m/%y %H:%M:%S\n")

        assert lab.compose.execute("id", "-u") == "54321"
    there = datetime.now(timezone(timedelta(hours=5, minutes=30))).replace(tzinfo=None)
    # The other zones of the world are at least a quarter of an hour away.
    assert abs(there - told) < timedelta(minutes=7)


def test_services_that_the_server_cannot_read_are_named_as_the_reason(
    machine_settings: dict[str, str], tmp_path: Path
) -> None:
    with running_lab(tmp_path, {**machine_settings, "SERVER_USER": "54321:54321"}) as lab:
        lab.cgi_bin.chmod(0o700)
        code, output = lab.container.exec_run(["/usr/local/lib/cgi-lab/healthcheck"])
        lab.cgi_bin.chmod(0o755)

    reason = b"the web server runs as user 54321 and cannot read the folder cgi-bin: Permission denied\n"
    assert (code, output) == (1, reason)


def test_two_labs_do_not_disturb_each_other(machine_settings: dict[str, str], tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    with ExitStack() as stack, ThreadPoolExecutor() as threads:
        for folder in folders:
            folder.mkdir()
        one, other = threads.map(lambda folder: stack.enter_context(running_lab(folder, machine_settings)), folders)
        (one.www / "index.html").write_text("one", encoding="utf-8")
        (other.www / "index.html").write_text("other", encoding="utf-8")

        assert requests.get(one.url, timeout=10).text == "one"
        one.compose.remove()
        assert requests.get(other.url, timeout=10).text == "other"


def test_the_end_is_quick_and_complete_also_with_a_script_that_never_ends(
    machine_settings: dict[str, str], tmp_path: Path
) -> None:
    with running_lab(tmp_path, machine_settings) as lab, ThreadPoolExecutor() as threads:
        waiting = threads.submit(requests.get, f"{lab.url}/cgi-bin/sleeping.py?9", timeout=20)
        lab.compose.remove()

        assert lab.compose.container() is None
        with pytest.raises(requests.ConnectionError):
            waiting.result()
