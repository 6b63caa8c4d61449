"""What is said of a requirements.txt that cannot be installed, and where pip is told to look."""

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from cgilab.checks import services
from cgilab.project import packages
from cgilab.project.engine import ROOT


@pytest.fixture(scope="module")
def installer() -> ModuleType:
    """The program that the image's build runs."""
    loader = SourceFileLoader("install_packages", str(ROOT / "docker" / "web" / "install-packages"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


NO_FILES = "Of the folder, requirements.txt alone goes into the build: it cannot lead to other files."
NO_WHEEL = "No wheel of it fits this Python, and there is no compiler to make one: take a version that has a wheel."

# The list, what pip 23 and 25 said of it, and what is made of that.
SAID = [
    pytest.param(
        "six\nNo_Such.Package\n",
        """
        Collecting six (from -r /own/requirements.txt (line 1))
        ERROR: Could not find a version that satisfies the requirement no-such-package (from versions: none)
        ERROR: No matching distribution found for no-such-package
        """,
        [
            "requirements.txt, line 2: No_Such.Package",
            "Could not find a version that satisfies the requirement no-such-package (from versions: none)",
            "No matching distribution found for no-such-package",
        ],
        id="a package that is not there",
    ),
    pytest.param(
        "# six\n\nsix six six\n",
        "ERROR: Invalid requirement: 'six six six': Expected end or semicolon (after name and no valid version)",
        [
            "requirements.txt, line 3: six six six",
            "Invalid requirement: 'six six six': Expected end or semicolon (after name and no valid version)",
        ],
        id="no requirement, pip 25",
    ),
    pytest.param(
        "# six\n\nsix six six\n",
        "ERROR: Invalid requirement: 'six six six' (from line 3 of /own/requirements.txt)",
        [
            "requirements.txt, line 3: six six six",
            "Invalid requirement: 'six six six' (from line 3 of requirements.txt)",
        ],
        id="no requirement, pip 23",
    ),
    pytest.param(
        "six==9\n",
        """
        ERROR: Could not find a version that satisfies the requirement six==9 (from versions: 0.9, 1.0, 1.1, 1.2, 1.3)
        ERROR: No matching distribution found for six==9
        """,
        [
            "requirements.txt, line 1: six==9",
            "Could not find a version that satisfies the requirement six==9 (from versions: …, 1.1, 1.2, 1.3)",
            "No matching distribution found for six==9",
        ],
        id="a version that is not there",
    ),
    pytest.param(
        "six\n-e .\n",
        "ERROR: file:///own (from -r /own/requirements.txt (line 2)) does not appear to be a Python project",
        [
            "requirements.txt, line 2: -e .",
            "file:///own (from -r requirements.txt (line 2)) does not appear to be a Python project",
            NO_FILES,
        ],
        id="the folder itself",
    ),
    pytest.param(
        "six\n./wheels/one.whl\n",
        "ERROR: Invalid requirement: './wheels/one.whl': Expected package name at the start",
        [
            "requirements.txt, line 2: ./wheels/one.whl",
            "Invalid requirement: './wheels/one.whl': Expected package name at the start",
            NO_FILES,
        ],
        id="a file of this machine",
    ),
    pytest.param(
        "six\n-r more.txt\n",
        "ERROR: Could not open requirements file: [Errno 2] No such file or directory: '/own/more.txt'",
        [
            "requirements.txt, line 2: -r more.txt",
            "Could not open requirements file: [Errno 2] No such file or directory: 'more.txt'",
            NO_FILES,
        ],
        id="another list",
    ),
    pytest.param(
        "six\nmysqlclient\n",
        """
        Collecting six (from -r /own/requirements.txt (line 1))
        Collecting mysqlclient (from -r /own/requirements.txt (line 2))
          error: subprocess-exited-with-error
          \xd7 Getting requirements to build wheel did not run successfully.
        """,
        [
            "requirements.txt, line 2: mysqlclient",
            "subprocess-exited-with-error",
            "Getting requirements to build wheel did not run successfully.",
            NO_WHEEL,
        ],
        id="a package that has to be compiled",
    ),
    pytest.param(
        "six==1.16.0 --hash=sha256:00\n",
        """
        Collecting six==1.16.0 (from -r /own/requirements.txt (line 1))
        ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.
        """,
        [
            "requirements.txt, line 1: six==1.16.0 --hash=sha256:00",
            "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
        ],
        id="a wrong hash",
    ),
    pytest.param(
        "six\n",
        """
        WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<connection>: Failed')'
        ERROR: Could not find a version that satisfies the requirement six (from versions: none)
        """,
        [
            "requirements.txt, line 1: six",
            "Could not find a version that satisfies the requirement six (from versions: none)",
            "No package index can be reached. Without a network, start from a bundle:  make up BUNDLE=FILE",
        ],
        id="no network",
    ),
    pytest.param(
        "six\n",
        """
        WARNING: Retrying (Retry(total=0)) after connection broken by 'SSLError(SSLCertVerificationError(1, 'x'))'
        ERROR: Could not find a version that satisfies the requirement six (from versions: none)
        """,
        [
            "requirements.txt, line 1: six",
            "Could not find a version that satisfies the requirement six (from versions: none)",
            "The certificate of the package index is not trusted: PIP_CERT=FILE names the certificates to trust.",
        ],
        id="a certificate of the company's own",
    ),
    pytest.param(
        "six\nhttp://127.0.0.1:9/x.whl\n",
        """
        Collecting six (from -r /own/requirements.txt (line 1))
        ERROR: Invalid wheel filename (wrong number of parts): 'x'
        """,
        ["requirements.txt", "Invalid wheel filename (wrong number of parts): 'x'"],
        id="a line that pip does not tell",
    ),
    pytest.param("", "ERROR: (line 7)", ["requirements.txt", "(line 7)"], id="a line that is not there"),
    pytest.param("six\n", "", ["requirements.txt"], id="silence"),
]


@pytest.mark.parametrize(("listed", "pip", "said"), SAID)
def test_which_line_and_why(installer: ModuleType, listed: str, pip: str, said: list[str]) -> None:
    lines = [line.removeprefix("        ") for line in pip.splitlines()]

    assert installer.explained("\n".join(lines), listed.splitlines()) == said


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(b"six\r\n", "six\r\n", id="UTF-8"),
        pytest.param(b"\xef\xbb\xbfsix\n", "six\n", id="with a byte order mark"),
        pytest.param("six\n".encode("utf-16"), "six\n", id="UTF-16, as PowerShell writes it"),
    ],
)
def test_a_list_is_read_as_pip_reads_it(installer: ModuleType, content: bytes, text: str) -> None:
    assert installer.text_of(content) == text


@pytest.mark.parametrize(
    ("listed", "asks"), [("", False), ("# six\n\n  # bar\n", False), (" six", True), ("-e .", True)]
)
def test_pip_is_needed_only_where_something_is_asked_for(installer: ModuleType, listed: str, asks: bool) -> None:
    assert any(installer.statements(listed.splitlines())) is asks


# --- What the host tells the build ----------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / packages.NAME).write_text("six\n", encoding="utf-8")
    return tmp_path


def configured(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Let pip say that it is configured like this."""

    class Done:
        stdout = "\n".join(lines)

    monkeypatch.setattr("cgilab.project.packages.subprocess.run", lambda *_, **__: Done)


def test_without_a_list_pip_is_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("cgilab.project.packages.subprocess.run", lambda *_, **__: pytest.fail("asked"))

    assert packages.index_settings(tmp_path, {}) == {}


@pytest.mark.parametrize(
    ("lines", "environment", "found"),
    [
        pytest.param([], {}, {}, id="nothing"),
        pytest.param(
            ["global.index-url='https://packages.school.test/simple'"],
            {},
            {"PIP_INDEX_URL": "https://packages.school.test/simple"},
            id="the machine's own index",
        ),
        pytest.param(
            ["global.index-url='https://one.test/simple'", "install.index-url='https://two.test/simple'"],
            {},
            {"PIP_INDEX_URL": "https://two.test/simple"},
            id="that of pip install counts more",
        ),
        pytest.param(
            ["global.index-url='https://one.test/simple'"],
            {"PIP_INDEX_URL": "https://two.test/simple"},
            {},
            id="the caller's",
        ),
        pytest.param(
            [r"global.extra-index-url='file:///srv/simple\nhttp://one.test/simple'", "global.trusted-host='one.test'"],
            {},
            {"PIP_EXTRA_INDEX_URL": "http://one.test/simple", "PIP_TRUSTED_HOST": "one.test"},
            id="none of this machine's folders",
        ),
        pytest.param(["global.cert='/no/such/file.pem'"], {}, {}, id="a certificate that is not there"),
        pytest.param(["nonsense", "global.index-url=", "user.index-url='http://x'"], {}, {}, id="other lines"),
    ],
)
def test_the_index_is_that_of_this_machine(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    lines: list[str],
    environment: dict[str, str],
    found: dict[str, str],
) -> None:
    configured(monkeypatch, *lines)

    assert packages.index_settings(folder, environment) == found


def test_its_certificates_too(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    certificates = folder / "own.pem"
    certificates.touch()
    configured(monkeypatch, f"global.cert='{certificates}'")

    assert packages.index_settings(folder, {}) == {"PIP_CERT": str(certificates)}


def test_complaints_are_found_in_what_docker_says() -> None:
    output = [
        "#12 14.91 packages: requirements.txt, line 1: six",
        "#12 14.91 packages: No matching distribution found for six",
        " > [web packages 2/2] RUN /install-packages:",
        "14.91 packages: No matching distribution found for six",
        "#13 1.0 other: packages: none",
    ]

    assert packages.complaints(output) == ["requirements.txt, line 1: six", "No matching distribution found for six"]


@pytest.mark.parametrize("name", ["requirements.txt", "Requirements.txt"])
def test_the_list_is_no_service(tmp_path: Path, name: str) -> None:
    """Not even on a drive where every file may be executed."""
    path = tmp_path / name
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)

    assert services.find(str(tmp_path)).paths == []
