"""The runbook and the glossary keep up with the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecauto_pipeline.alerts.rules import OUTSIDE_RULES, RULES, rule_label
from ecauto_pipeline.domain.call_failures import CALL_FAILURES
from ecauto_pipeline.domain.model import Outcome, Status, Tier
from ecauto_pipeline.settings import CHANNEL_KINDS
from ecauto_pipeline_tests.pages import table

DOCS = Path(__file__).parents[1] / "docs"
RUNBOOK = (DOCS / "runbook.md").read_text(encoding="utf-8")
JAPANESE = (DOCS / "ja" / "runbook.md").read_text(encoding="utf-8")
GLOSSARY = (DOCS / "glossary.md").read_text(encoding="utf-8")


def section(rule: str, page: str = RUNBOOK) -> str:
    found = re.search(rf"(?ms)^### {rule}\n(.*?)(?=^##)", page)
    assert found, f"{rule} has no section in the runbook"
    return found[1]


@pytest.mark.parametrize("rule", [*RULES, *OUTSIDE_RULES])
def test_every_alert_has_meaning_first_look_and_remedy(rule: str) -> None:
    """And the name that people see in its message."""
    text = section(rule)
    for part in ("**Meaning**", "**First look**", "**Remedy**", rule_label(rule, "ja")):
        assert part in text
    japanese = section(rule, JAPANESE)
    assert [] == [part for part in ("**意味**", "**まず見るところ**", "**対処**") if part not in japanese]
    assert japanese.startswith(rule_label(rule, "ja") + "。")


def test_the_runbook_knows_no_alert_that_is_not_there() -> None:
    """A rule that was taken away leaves no section behind."""
    assert {*RULES, *OUTSIDE_RULES} == set(re.findall(r"(?m)^### (\w+)$", RUNBOOK))
    assert re.findall(r"(?m)^### (\w+)$", RUNBOOK) == re.findall(r"(?m)^### (\w+)$", JAPANESE)


@pytest.mark.parametrize(
    ("page", "language", "head"),
    [(RUNBOOK, "en", ("what it is", "code", "what to do")), (JAPANESE, "ja", ("理由", "コード", "すること"))],
    ids=["en", "ja"],
)
def test_every_reason_of_failed_calls_is_in_the_runbook(page: str, language: str, head: tuple[str, ...]) -> None:
    """In the words that every place says, none missing and none made up."""
    rows: list[tuple[str, ...]] = [
        (one.en if language == "en" else one.ja, f"`{code}`", one.remedy(language))
        for code, one in CALL_FAILURES.items()
    ]
    assert table(head, rows) in page


def test_every_channel_is_described() -> None:
    """One row a kind."""
    assert set(CHANNEL_KINDS) == set(re.findall(r"(?m)^\| `(\w+)` \|", RUNBOOK))


def test_the_words_of_the_trade_are_explained() -> None:
    """Statuses and outcomes, tiers, and no word twice."""
    words = re.findall(r"(?m)^\| ([^|]+) \|", GLOSSARY)
    assert len(words) == len(set(words))
    for word in (*Status, *Outcome, *Tier):
        assert word.value in GLOSSARY
