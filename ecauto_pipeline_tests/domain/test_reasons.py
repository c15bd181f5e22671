"""Nobody has to guess what a reason means."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecauto_pipeline.domain.offers import offer_rule as offers
from ecauto_pipeline.domain.reasons import WORDS, said
from ecauto_pipeline.domain.selling import diffs, visibility

_CODE = re.compile(r"`([a-z]+(?:_[a-z]+)*)`")
_GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"
_ARGUMENTS = {"price_verdict", "price_diff", "include_price", "strategy", "markup_ratio"}


@pytest.mark.parametrize("rule", [diffs.price_diff, diffs.stock_diff, visibility.visibility_diff])
def test_every_reason_that_a_rule_gives_has_words(rule: object) -> None:
    """The reasons named in a rule's own documentation, in both languages."""
    named = set(_CODE.findall(str(rule.__doc__))) - _ARGUMENTS
    assert len(named) > 5
    assert set() == named - set(WORDS)


def test_every_reason_against_an_offer_has_words() -> None:
    """What the owner's offer rule says of an offer that it does not take."""
    assert set() == set(offers.REASONS) - set(WORDS)


def test_every_reason_stands_in_the_glossary() -> None:
    """Each code with both its wordings."""
    text = _GLOSSARY.read_text(encoding="utf-8")
    assert [] == [code for code, words in WORDS.items() if f"| `{code}` | {words[0]} | {words[1]} |" not in text]


def test_a_reason_without_words_is_shown_as_it_is() -> None:
    """Amazon may invent one; nothing is hidden behind "unknown"."""
    assert ("brand_new_reason", "") == (said("brand_new_reason"), said(""))
    assert said("hidden_by_person") == "人が非公開にした (hidden_by_person)"
    assert said("skipped:moved", "en") == "Amazon's price moved (skipped:moved)"
