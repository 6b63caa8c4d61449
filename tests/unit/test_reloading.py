"""What httpd says of drop-ins, as the lab reads it and passes it on."""

from pathlib import Path

import pytest

from cgilab.project.engine import ROOT
from cgilab.web import reloading
from cgilab.web.reloading import (
    APART,
    CONFIGURATION,
    TRIED,
    Directive,
    RefusedError,
    choose,
    directives,
    explained,
    faults,
)

DUMP = f"""# In file: {CONFIGURATION}
# 12:
ServerName localhost
# 13:
ScriptAlias /cgi-bin/ /srv/cgi-bin/
# 14:
<VirtualHost *:80>
  # 15:
  ServerAlias 127.0.0.1 ::1
</VirtualHost>
# In file: {TRIED}/shop.conf
#   2:
Alias "/my docs" "/srv/www/my \\"docs\\""
#   3:
<VirtualHost *:80>
  #   4:
  ServerName shop.localhost
  #   5:
  <Location /foo>
    #   6:
    Alias /srv/www/foo
  </Location>
</VirtualHost>
# In file: {CONFIGURATION}
# 20:
ErrorLog /x
"""


def test_the_files_of_httpd_conf_that_a_trial_changes_are_in_it() -> None:
    text = (ROOT / "docker" / "web" / "httpd.conf").read_text(encoding="utf-8").splitlines()

    assert [line for line, _ in APART if text.count(line) != 1] == []


def test_a_dump_is_read() -> None:
    found = [directive for directive in directives(DUMP) if directive.file]

    assert found == [
        Directive("shop.conf", 2, 0, "alias", ["/my docs", '/srv/www/my \\"docs\\"'], nested=False),
        Directive("shop.conf", 3, 2, "<virtualhost", ["*:80"], nested=False),
        Directive("shop.conf", 4, 2, "servername", ["shop.localhost"], nested=False),
        Directive("shop.conf", 5, 2, "<location", ["/foo"], nested=True),
        Directive("shop.conf", 6, 2, "alias", ["/srv/www/foo"], nested=True),
    ]
    assert [directive.name for directive in directives(DUMP) if not directive.file][-1] == "errorlog"


def test_each_fault_of_a_dump_is_yielded() -> None:
    assert list(faults(directives(DUMP))) == [
        'sites/shop.conf, line 2: there is no /srv/www/my \\"docs\\" in the container, which sees www/ of the project',
        "sites/shop.conf, line 6: there is no /srv/www/foo in the container, which sees www/ of the project",
    ]


SAID = [
    pytest.param(
        f"AH00526: Syntax error on line 3 of {TRIED}/a.conf:\nIllegal option Foo\n",
        "sites/a.conf, line 3: Illegal option Foo",
        id="a wrong argument",
    ),
    pytest.param(
        f"apache2: Syntax error on line 9 of {TRIED}/httpd.conf: Syntax error on line 2 of {TRIED}/in-force: "
        f"Syntax error on line 1 of {TRIED}/a.conf: {TRIED}/a.conf:1: <VirtualHost> was not closed.\n",
        "sites/a.conf, line 1: <VirtualHost> was not closed.",
        id="an open section",
    ),
    pytest.param(
        f"AH00526: Syntax error on line 1 of {TRIED}/a.conf:\nInvalid command '\x1b[31m', perhaps\n",
        "sites/a.conf, line 1: Invalid command '\\x1b[31m', perhaps",
        id="what a terminal would obey",
    ),
    pytest.param(
        f"(2)No such file or directory: AH02291: Cannot access directory '/x/' for error log of vhost defined at "
        f"{TRIED}/a.conf:1\nAH00014: Configuration check failed\n",
        "sites/b.conf: (2)No such file or directory: Cannot access directory '/x/' for error log of vhost defined at "
        "sites/a.conf:1",
        id="not of a line",
    ),
    pytest.param(
        "-/12 2026-11-25 10:00:28.927996 ssl:emerg AH02312: Fatal error initialising mod_ssl, exiting.\n"
        "AH00016: Configuration Failed\n",
        "sites/b.conf: Fatal error initialising mod_ssl, exiting.",
        id="at the start",
    ),
    pytest.param("", "sites/b.conf: httpd does not take it", id="nothing"),
]


@pytest.mark.parametrize(("said", "told"), SAID)
def test_what_httpd_says_is_told_with_the_users_file(said: str, told: str) -> None:
    assert explained(said, "b.conf") == told


@pytest.mark.parametrize(
    ("word", "name"),
    [("Shop", "shop"), ("shop:8080", "shop"), ("https://shop:443", "shop"), ("::1", "::1"), ("[::1]", "[::1]")],
)
def test_the_name_in_a_server_name(word: str, name: str) -> None:
    assert reloading.host_name(word) == name


# --- What is chosen --------------------------------------------------------------------------------


@pytest.fixture
def conflicts(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Sets that may not take effect are those that hold all texts of one of these."""
    pairs: list[list[str]] = []

    def tried(texts: dict[str, bytes]) -> list[Directive]:
        held = {text.decode() for text in texts.values()}
        for pair in pairs:
            if held >= set(pair):
                raise RefusedError(" and ".join(pair))
        return []

    monkeypatch.setattr(reloading, "tried", tried)
    return pairs


def test_all_that_pass_are_chosen(conflicts: list[list[str]]) -> None:
    chosen = choose({"a": [b"1"], "b": [b"2", b"3"]})

    assert (conflicts, chosen.texts, chosen.errors) == ([], {"a": b"1", "b": b"2"}, {})


def test_of_one_that_does_not_pass_the_version_before_is(conflicts: list[list[str]]) -> None:
    conflicts.append(["bad"])
    chosen = choose({"a": [b"bad", b"1"], "b": [b"2"], "c": [b"bad"]})

    assert (chosen.texts, chosen.errors) == ({"a": b"1", "b": b"2"}, {"a": "bad", "c": "bad"})


def test_the_kept_version_comes_after_the_one_in_force(conflicts: list[list[str]]) -> None:
    conflicts += [["bad"], ["worse"]]

    assert choose({"a": [b"bad", b"worse", b"kept"]}).texts == {"a": b"kept"}
    assert choose({"a": [b"bad", b"in force", b"kept"]}).texts == {"a": b"in force"}


def test_of_two_that_cannot_go_together_the_newcomer_is_refused(conflicts: list[list[str]]) -> None:
    conflicts.append(["new", "old"])
    chosen = choose({"a": [b"new"], "z": [b"old", b"old"]})

    assert (chosen.texts, chosen.errors) == ({"z": b"old"}, {"a": "new and old"})


def test_what_cannot_be_read_is_an_error_of_its_own(conflicts: list[list[str]]) -> None:
    chosen = choose({"a": ["cannot be read", b"before"], "b": [b"2"], "c": ["is larger"]})

    assert (conflicts, chosen.texts) == ([], {"b": b"2", "a": b"before"})
    assert chosen.errors == {"a": "cannot be read", "c": "is larger"}


# --- Laid out ---------------------------------------------------------------------------------------


def test_a_set_is_laid_out_with_its_list(tmp_path: Path) -> None:
    folder = tmp_path / "sites"
    folder.mkdir()
    (folder / "old.conf").touch()
    reloading.lay_out({"b.conf": b"1\n", "a.conf": b"2\n"}, folder, "42")

    assert sorted(path.name for path in folder.iterdir()) == ["a.conf", "b.conf", "in-force"]
    assert (folder / "in-force").read_text(encoding="utf-8").splitlines() == [
        f"Include {folder}/b.conf",
        f"Include {folder}/a.conf",
        '<Location "/lab/health">',
        '    Header always set Sites-In-Force "42"',
        "</Location>",
    ]
