"""/lab/phpinfo and /lab/php.json."""

import re

import requests
from testinfra.host import Host

from tests.support.running_lab import RunningLab

SECRET_HEADERS = {"Authorization": "Bearer my-own-token", "Cookie": "my=own-cookie", "X-Api-Key": "my-own-key"}


def test_php_says_its_version_and_its_extensions(wamp: RunningLab, host: Host) -> None:
    answer = requests.get(f"{wamp.url}/lab/php.json", timeout=10)
    version = host.check_output("php -r %s", "echo PHP_VERSION;")
    loaded = host.check_output("php-fpm -m").splitlines()
    names = {line.lower() for line in loaded if line and not line.startswith("[")}

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    said = answer.json()
    assert said == {"version": version, "extensions": sorted(said["extensions"]), "opcache": True}
    assert set(said["extensions"]) == names


def test_phpinfo(wamp: RunningLab) -> None:
    version = requests.get(f"{wamp.url}/lab/php.json", timeout=10).json()["version"]
    answer = requests.get(f"{wamp.url}/lab/phpinfo", timeout=10)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    assert re.findall("<title>(.*?)</title>", answer.text) == [f"PHP {version} - phpinfo()"]
    assert '<a name="module_mysqli"' in answer.text


def test_phpinfo_shows_no_secret(wamp: RunningLab) -> None:
    password = wamp.compose.execute("cat", "/run/secrets/db_password")
    answer = requests.get(f"{wamp.url}/lab/phpinfo?key=my-own-parameter", headers=SECRET_HEADERS, timeout=10)

    assert len(password) == 32
    assert password not in answer.text
    assert re.findall("my-own-[a-z]+", answer.text) == []
