"""The manual to which the page behind a failure leads."""

import re

import requests

from cgilab.diagnosis.rules import RULES
from tests.support.running_lab import RunningLab


def test_the_manual_has_a_section_for_every_cause(lab: RunningLab) -> None:
    answer = requests.get(f"{lab.url}/lab/troubleshooting", timeout=10)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert re.findall('<section id="([^"]+)"', answer.text) == [*(rule.cause for rule in RULES), "unknown"]


def test_the_manual_answers_to_this_machine_alone(lab: RunningLab) -> None:
    answer = requests.get(f"{lab.url}/lab/troubleshooting", headers={"Host": "elsewhere.example"}, timeout=10)

    assert answer.status_code == 403


def test_the_manual_can_only_be_read(lab: RunningLab) -> None:
    assert requests.post(f"{lab.url}/lab/troubleshooting", timeout=10).status_code == 405
