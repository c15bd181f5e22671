"""Tiers, maximum ages and due-ness, one row at a time and over many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.ages import (
    ROW,
    TIERS,
    Policy,
    due,
    evaluate_freshness,
    stock_max_age,
    tier_of,
)
from ecauto_pipeline.domain.freshness.planning import CallRates, Channel, choose_budget, choose_due
from ecauto_pipeline.domain.model import Tier
from ecauto_pipeline.settings import Offers, Tiers, Ttl

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
POLICY = Policy.of(Ttl(), Tiers(), Offers())
MEANS = CallRates(Channel(2.0), Channel(10.0))
HOURS = st.floats(0, 800, allow_nan=False)


def _rows(*ages_h: dict[str, float]) -> np.ndarray:
    """Rows by how many hours ago each stamp was; absent = never."""
    rows = np.zeros(len(ages_h), ROW)
    rows["asin"] = [f"B{n:09d}" for n in range(len(ages_h))]
    for row, ages in zip(rows, ages_h, strict=True):
        for name, hours in ages.items():
            row[name] = hours if ROW[name] == np.int8 else to_ms(NOW - timedelta(hours=hours))
    return rows


def _fresh(**ages: float) -> dict[str, float]:
    return {"price_at": 0.1, "stock_at": 0.1, "detail_at": 0.1, "probe_at": 0.1, "fetched": 1, "probed": 1, **ages}


@pytest.mark.parametrize(
    ("tier", "sold_h", "viewed_h"),
    [
        (Tier.HIGH, 0, None),
        (Tier.HIGH, 7 * 24, None),
        (Tier.HIGH, 24, 24),
        (Tier.MEDIUM, 7 * 24 + 1, 30 * 24),
        (Tier.MEDIUM, None, 1),
        (Tier.LOW, 7 * 24 + 1, None),
        (Tier.LOW, None, 30 * 24 + 1),
        (Tier.LOW, None, None),
    ],
)
def test_a_tier_follows_sales_then_views(tier: Tier, sold_h: float | None, viewed_h: float | None) -> None:
    """Sold within 7 days, viewed within 30, the rest; never is a tier of its own: the last. Columns agree."""
    sold, viewed = (None if hours is None else NOW - timedelta(hours=hours) for hours in (sold_h, viewed_h))
    assert tier == tier_of(sold, viewed, NOW, Tiers())
    ages = {name: h for name, h in (("sold_at", sold_h), ("viewed_at", viewed_h)) if h is not None}
    assert tier == TIERS[int(evaluate_freshness(_rows(ages), NOW, POLICY).tier[0])]


def test_maximum_ages_are_the_tiers_and_never_below_the_ttl() -> None:
    """1, 6 and 24 hours; a longer stock TTL lifts the tiers that are below it."""
    assert [1, 6, 24] == [stock_max_age(tier, Tiers(), Ttl()) / timedelta(hours=1) for tier in TIERS]
    assert [3, 6, 24] == [stock_max_age(t, Tiers(), Ttl(stock=timedelta(hours=3))) / timedelta(hours=1) for t in TIERS]


@pytest.mark.parametrize(
    ("reason", "ages"),
    [
        ("", _fresh()),
        ("new", {}),
        ("stock_due", _fresh(sold_at=1, stock_at=0.92)),
        ("", _fresh(sold_at=1, stock_at=0.91)),
        ("stock_due", _fresh(viewed_at=1, stock_at=6)),
        ("", _fresh(viewed_at=1, stock_at=5.9)),
        ("stock_due", _fresh(stock_at=24)),
        ("price_due", _fresh(price_at=24, detail_at=24)),
        ("", _fresh(price_at=800)),  # asked in detail just now: out of stock answers for the price too
        ("error", _fresh(error_at=0.05)),
        ("", _fresh(error_at=0.2)),
        ("filtered_look", _fresh(filtered_since=1)),
        ("", _fresh(filtered_since=0.9)),
        ("stock_due", _fresh(sold_at=1, stock_at=-1.1)),  # stamped in the future: the clock was set back
    ],
)
def test_why_an_asin_is_due(reason: str, ages: dict[str, float]) -> None:
    """Each rule at its edge, the slack of five minutes included."""
    assert reason == due(_rows(ages), NOW, POLICY)


@given(
    st.lists(
        st.fixed_dictionaries(
            {}, optional={name: HOURS for name in ("sold_at", "viewed_at", "stock_at", "detail_at", "price_at")}
        ),
        max_size=40,
    )
)
def test_every_asin_is_due_by_its_tiers_maximum_age(ages: list[dict[str, float]]) -> None:
    """Whatever is older than its tier allows is due; whatever is due and fits is asked, once, by one operation."""
    rows = _rows(*({**row, "fetched": 1, "probed": 1} for row in ages))
    judged = evaluate_freshness(rows, NOW, POLICY)
    too_old = to_ms(NOW) - rows["stock_at"] >= judged.max_age_ms
    assert np.all(judged.due[too_old])
    choice = choose_due(rows, judged, to_ms(NOW), 600.0, MEANS)
    asked = np.concatenate((choice.detail, choice.sweep))
    assert sorted(np.flatnonzero(judged.due)) == sorted(asked)
    assert 0 == choice.left_over


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.booleans())
def test_the_plan_does_not_depend_on_what_else_was_asked_of_the_machine(seed: int, count: int, budget: bool) -> None:
    """The same state gives the same plan, and no ASIN twice, under either way of spending."""
    luck = np.random.default_rng(seed)
    rows = _rows(*(_fresh(stock_at=a, detail_at=b, price_at=b) for a, b in luck.uniform(0, 60, (count, 2))))
    plans = []
    for _ in range(2):
        judged = evaluate_freshness(rows, NOW, POLICY)
        if budget:
            choice = choose_budget(rows, judged, to_ms(NOW), 600.0, MEANS, POLICY)
        else:
            choice = choose_due(rows, judged, to_ms(NOW), 600.0, MEANS)
        plans.append((choice.detail.tolist(), choice.sweep.tolist()))
    assert plans[0] == plans[1]
    asked = plans[0][0] + plans[0][1]
    assert len(asked) == len(set(asked))
