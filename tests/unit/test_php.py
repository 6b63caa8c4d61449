"""Why a page of PHP failed, from what httpd logs."""

import pytest

from cgilab.diagnosis import diagnose
from cgilab.diagnosis.model import Evidence, Exhibit
from cgilab.diagnosis.rules import PHP
from cgilab.diagnosis.script import Script
from cgilab.web.failure import evidence_from

PATH = "/srv/www/a.php"
PAGE = Script(PATH, "file", b"<?php\necho 1;\nno_such();\n")


def got(*said: str) -> str:
    """Return what httpd logs of what PHP said."""
    return f"AH01071: Got error '{'; '.join(said)}'"


def found(*messages: str, status: int = 200, path: str = PATH) -> tuple[str, str] | None:
    """Return the cause and the sentence; None where nothing failed."""
    diagnosis = diagnose(Evidence(path=path, script=PAGE, status=status, messages=messages, url="/a.php"))
    return (diagnosis.cause, diagnosis.finding.sentence) if diagnosis else None


UNCAUGHT = (
    "PHP message: PHP Fatal error:  Uncaught Error: Call to undefined function no_such() in /srv/www/a.php:3\n"
    "Stack trace:\n#0 {main}\n  thrown in /srv/www/a.php on line 3"
)
NO_CONNECTION = "AH01079: failed to make connection to backend: php"
BUSY = "PHP message: PHP Fatal error:  Maximum execution time of 30 seconds exceeded in /srv/www/a.php on line 2"
EXPIRED = "(70007)The timeout specified has expired: AH01075: Error dispatching request to : (polling)"

CASES = [
    pytest.param([NO_CONNECTION], 503, "php-not-running", "PHP does not run, and a.php needs it.", id="absent"),
    pytest.param(
        [EXPIRED], 504, "php-timeout", "a.php sent nothing for ten seconds, so the server gave it up.", id="slow"
    ),
    pytest.param(
        [got(BUSY)],
        200,
        "php-timeout",
        "www/a.php computed for too long; at line 2 PHP ended it.",
        id="busy",
    ),
    pytest.param(
        [got("Unable to open primary script: /srv/www/a.php (Permission denied)")],
        403,
        "php-cannot-open",
        "PHP may not read www/a.php: its permissions keep all but its owner out.",
        id="permissions",
    ),
    pytest.param(
        [got("Primary script unknown")],
        404,
        "php-cannot-open",
        "PHP cannot open www/a.php, which the web server has found.",
        id="link",
    ),
    pytest.param(
        [got(UNCAUGHT)],
        200,
        "php-error",
        "www/a.php failed in line 3: Error: Call to undefined function no_such()",
        id="uncaught",
    ),
    pytest.param(
        [got(UNCAUGHT.replace("Error: Call to undefined function no_such()", "Exception: two\nlines"))],
        500,
        "php-error",
        "www/a.php failed in line 3: Exception: two",
        id="two lines",
    ),
    pytest.param(
        [got(UNCAUGHT[:-20])],
        200,
        "php-error",
        "www/a.php failed in line 3: Error: Call to undefined function no_such()",
        id="cut off by httpd",
    ),
    pytest.param(
        [got('PHP message: PHP Parse error:  syntax error, unexpected token "echo" in /srv/www/b/c d.php on line 12')],
        200,
        "php-error",
        'www/b/c d.php failed in line 12: syntax error, unexpected token "echo"',
        id="syntax, in an included file",
    ),
    pytest.param(
        [
            got(
                "PHP message: mine",
                "PHP message: PHP Warning:  Undefined variable $x in /srv/www/a.php on line 2",
                UNCAUGHT,
            )
        ],
        200,
        "php-error",
        "www/a.php failed in line 3: Error: Call to undefined function no_such()",
        id="after a warning",
    ),
    pytest.param(
        [got('PHP message: PHP Warning:  Undefined array key "it\'s; PHP" in /srv/www/a.php on line 2')],
        200,
        "php-warning",
        'www/a.php went on after line 2, where PHP warned: Undefined array key "it\'s; PHP"',
        id="a warning",
    ),
    pytest.param(
        [got("PHP message: PHP Deprecated:  Old in /srv/www/a.php on line 1")],
        200,
        "php-warning",
        "www/a.php went on after line 1, where PHP warned: Old",
        id="deprecated",
    ),
    pytest.param(
        ["malformed header from script 'a.php': Bad header: x", "AH01070: Error parsing script headers"],
        500,
        "php-header",
        "a.php sent a header that the server could not read.",
        id="header",
    ),
    pytest.param(
        [
            "AH01067: Failed to read FastCGI header",
            "(104)Connection reset by peer: AH01075: Error dispatching request to : ",
        ],
        503,
        "php-ended",
        "PHP ended while it ran a.php.",
        id="killed",
    ),
]


@pytest.mark.parametrize(("messages", "status", "cause", "sentence"), CASES)
def test_the_cause(messages: list[str], status: int, cause: str, sentence: str) -> None:
    assert found(*messages, status=status) == (cause, sentence)


def test_each_cause_of_php_is_tested() -> None:
    assert {case.values[2] for case in CASES} == {rule.cause for rule in PHP}


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("PHP message: mine", id="a word of the page's own"),
        pytest.param("PHP message: PHP is fine in /srv/www/a.php on line 3", id="that looks like PHP's"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_a_page_logs_itself_is_no_failure(said: str) -> None:
    evidence = Evidence(path=PATH, status=200, messages=[got(said)], printed=[("Content-type", "text/html")])

    assert diagnose(evidence) is None


def test_the_line_that_php_names_is_shown() -> None:
    diagnosis = diagnose(Evidence(path=PATH, script=PAGE, status=200, messages=[got(UNCAUGHT)]))

    assert diagnosis is not None
    assert diagnosis.finding.exhibits[0] == Exhibit("line 3 of a.php", ("no_such();",))
    assert diagnosis.finding.line == 3


def test_what_is_not_known_is_said_so() -> None:
    diagnosis = diagnose(Evidence(path=PATH, status=502, messages=[got("PHP message: mine")]))

    assert diagnosis is not None
    assert (diagnosis.cause, diagnosis.finding.fix) == (
        "unknown",
        ["PHP's own log may say more:  docker compose logs php"],
    )


def test_a_message_of_any_length_is_judged_at_once() -> None:
    hostile = got("PHP message: PHP Fatal error:  " + " in /a:" * 300 + "; PHP message: " * 100)

    assert found(hostile) is None


def test_the_page_behind_a_failure_knows_the_file_and_looks_for_no_process() -> None:
    environment = {
        "REDIRECT_STATUS": "504",
        "REDIRECT_URL": "/a.php",
        "REDIRECT_SCRIPT_FILENAME": "proxy:fcgi://php/srv/www/a.php",
    }
    evidence = evidence_from(environment, ["", f"D T proxy_fcgi:error {EXPIRED}"], page=1)

    assert (evidence.path, evidence.ended, evidence.messages) == (PATH, None, [EXPIRED])
