"""docs/troubleshooting.md is what the rules say."""

import re

import pytest

from cgilab.diagnosis import UNKNOWN
from cgilab.diagnosis.model import Rule
from cgilab.diagnosis.rules import CHAPTERS, RULES
from cgilab.failures import manual


def test_the_page_is_the_one_that_make_docs_writes() -> None:
    assert manual.PAGE.read_text(encoding="utf-8") == manual.page()


def test_each_cause_has_one_section() -> None:
    anchors = re.findall(r'<a id="([^"]+)"></a>', manual.page())

    assert anchors == [*(rule.cause for rule in RULES), UNKNOWN]


def test_each_chapter_of_the_table_is_in_the_page() -> None:
    assert [rule for _, rules in CHAPTERS for rule in rules] == list(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.cause)
def test_a_section_can_be_found_by_what_people_search_for(rule: Rule) -> None:
    index = manual.index(RULES)

    assert rule.messages
    for message in rule.messages:
        (row,) = (line for line in index.splitlines() if line.startswith(f"| {manual.code(message)} |"))
        assert f"(#{rule.cause})" in row
        assert message in manual.section(rule).splitlines()
