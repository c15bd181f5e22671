"""A verdict that nothing is written about changes at no other moment than the one that was told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.model import AsinFacts, Diff, ListingFacts
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.known_asins import KnownAsin
from ecauto_pipeline.sync.diffs.evaluate import EvaluationInput, Rules
from ecauto_pipeline_tests.domain.selling.listings_and_facts import NOW, any_facts, any_listing, stamps

RULES = Rules(
    parse({"guards": {"hide_unconfirmed_after": "30h"}, "ttl": {"price": "24h", "stock": "1h"}}, Path("somewhere"))
)
"""Every limit of time that there is, switched on."""


def verdicts(listing: ListingFacts, known: KnownAsin | None, now: datetime) -> list[Diff]:
    facts = known.facts if known else None
    prices = [RULES.price(listing, facts, now, include) for include in ("all", "floor")]
    shown = [
        one for include in ("all", "floor", "never") for one in RULES.visibility_and_stock(listing, known, now, include)
    ]
    return [*prices, *shown]


def inputs_at(now: datetime) -> EvaluationInput:
    return EvaluationInput(now, {}, {}, {}, {}, {})


@given(any_listing, any_facts, stamps, stamps, st.floats(0.0, 1.0, exclude_max=True))
def test_until_then_every_verdict_is_the_same(
    listing: ListingFacts, facts: AsinFacts | None, sold: datetime | None, viewed: datetime | None, share: float
) -> None:
    """Whatever is known of a listing, and however late before that moment it is judged again; for good: a month."""
    known = None if facts is None else KnownAsin(facts, sold, viewed)
    until = RULES.holds_until(listing, known, inputs_at(NOW)) or NOW + timedelta(days=30)
    later = max(NOW, min(NOW + (until - NOW) * share, until - timedelta(milliseconds=1)))
    assert verdicts(listing, known, NOW) == verdicts(listing, known, later)


@given(any_listing, stamps)
def test_the_end_of_a_rule_and_of_an_edit_are_told(listing: ListingFacts, edited: datetime | None) -> None:
    """A rule that is over, a step that counts no more: neither is written down at that moment."""
    end = NOW + timedelta(minutes=7)
    inputs = replace(inputs_at(NOW), rules_end=end, edit_times={listing.key: [edited] if edited else []})
    until = RULES.holds_until(listing, None, inputs)
    ends = [end] if listing.rule is not None else []
    if edited is not None:
        ends += [at for at in (edited + timedelta(days=1),) if at >= NOW]
    assert all(until is not None and until <= at for at in ends)
