"""A second source agrees, contradicts, or can't say; it never gives a price, and unknown shipping is not free."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.freshness.slots import second_checked
from ecauto_pipeline.domain.model import Answer, OfferSeen, Role, Status
from ecauto_pipeline.domain.offers.learning import CONTRADICTION_STANDS, AsinRow, LearnRules, learn
from ecauto_pipeline.domain.offers.second_opinion import DISAGREE, HELD_AFTER, Audited, Verdict, audit, judge, settled
from ecauto_pipeline.domain.words import audit_line, opinion_line
from ecauto_pipeline.sync.sections import FetchReport
from ecauto_pipeline.sync.sp_api_snapshots.opinions import PROBE_AFTER
from ecauto_pipeline_tests.pages import ROOT

_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_RULES = LearnRules(opinion=True)
_ASIN = "B000000001"
_ROW = AsinRow(_ASIN, status=Status.SUCCESS, price_jpy=7000, in_stock=True, price_at=_NOW, stock_at=_NOW)
_ZERO = Answer(_ASIN, "detail", Status.OUT_OF_STOCK, "no_offers", in_stock=False, offer_count=0)
_UNKNOWN = Answer(_ASIN, "opinion", Status.API_ERROR, "offers_missing")
_NONE = Answer(_ASIN, "opinion", Status.OUT_OF_STOCK, in_stock=False)
AGREES, CONTRADICTS, CANT_SAY = Verdict.AGREES, Verdict.CONTRADICTS, Verdict.CANT_SAY


def _jump(price_jpy: int) -> Answer:
    return Answer(_ASIN, "detail", Status.SUCCESS, price_jpy=price_jpy, in_stock=True, ship_hours_max=24)


def _sees(*offers: tuple[int, int | None]) -> Answer:
    seen = tuple(OfferSeen("S", price, shipping) for price, shipping in offers)
    return Answer(_ASIN, "opinion", Status.SUCCESS, in_stock=True, seen=seen)


@pytest.mark.parametrize(
    ("claim", "opinion", "verdict"),
    [
        (_ZERO, _NONE, AGREES),
        (_ZERO, replace(_NONE, status=Status.NOT_FOUND), AGREES),
        (_ZERO, _sees((9000, None)), CONTRADICTS),
        (_ZERO, _UNKNOWN, CANT_SAY),
        (_jump(700), _sees((700, 0), (7000, 0)), AGREES),
        (_jump(700), _sees((700, None)), AGREES),
        (_jump(700), _sees((7000, None)), CONTRADICTS),
        (_jump(700), _sees((500, 400), (7000, 0)), CANT_SAY),
        (_jump(700), _NONE, CANT_SAY),
        (_jump(700), _UNKNOWN, CANT_SAY),
        (_jump(20_000), _sees((20_000, 0)), AGREES),
        (_jump(20_000), _sees((7000, 0)), CONTRADICTS),
        (_jump(20_000), _sees((7000, None)), CANT_SAY),
        (_jump(20_000), _sees((7000, 0), (20_000, 0)), CANT_SAY),
        (_jump(20_000), _sees((11_000, 0)), CANT_SAY),
    ],
    ids=[
        *("gone", "unknown there", "offers", "zero, no answer", "fall seen", "fall seen, shipping unknown"),
        *("nothing so cheap", "something cheaper", "fall, gone", "fall, no answer", "rise seen", "old price stands"),
        *("old price or more", "both", "neither"),
    ],
)
def test_what_it_says(claim: Answer, opinion: Answer, verdict: Verdict) -> None:
    """A fall is false where nothing costs so little; a rise where the old price is surely still to be had, alone. What
    is not said is not free: an offer of unknown shipping may cost more than it lists."""
    assert verdict is judge(_ROW, claim, opinion, _RULES)


@given(
    st.integers(1, 100_000),
    st.lists(st.tuples(st.integers(1, 100_000), st.none() | st.integers(0, 900)), max_size=4),
    st.sampled_from([Status.SUCCESS, Status.OUT_OF_STOCK, Status.API_ERROR]),
)
def test_its_own_figures_never_become_facts(
    price_jpy: int, offers: list[tuple[int, int | None]], status: Status
) -> None:
    """Whatever it shows, the price is the one believed or the one doubted, and an old belief keeps its stamps."""
    row = learn(_ROW, _jump(price_jpy), Role.DETAIL, "s1", _NOW + timedelta(hours=1), _RULES)
    opinion = replace(_sees(*offers), status=status)
    verdict = judge(row, _jump(price_jpy), opinion, _RULES)
    after = settled(row, _jump(price_jpy), "s1", verdict, opinion, _NOW + timedelta(hours=1), _RULES)
    assert after.price_jpy == (price_jpy if verdict is AGREES or not row.doubt else row.price_jpy)
    if verdict is not AGREES and row.doubt:
        assert (_ROW.price_at, _ROW.stock_at) == (after.price_at, after.stock_at)


def test_no_later_look_of_the_first_source_settles_what_was_contradicted() -> None:
    """For a day neither a detail nor a confirm counts; then the old way holds again. What is believed again ends it."""
    row = learn(_ROW, _ZERO, Role.DETAIL, "s1", _NOW, _RULES)
    row = settled(row, _ZERO, "s1", CONTRADICTS, _sees((7000, 0)), _NOW, _RULES)
    confirm = replace(_ZERO, operation="confirm")
    soon, later = _NOW + CONTRADICTION_STANDS - timedelta(seconds=1), _NOW + CONTRADICTION_STANDS
    assert Status.SUCCESS is learn(row, _ZERO, Role.DETAIL, "s2", soon, _RULES).status
    assert Status.SUCCESS is learn(row, confirm, Role.CONFIRM, "s2", soon, _RULES).status
    assert Status.OUT_OF_STOCK is learn(row, confirm, Role.CONFIRM, "s2", later, _RULES).status
    back = learn(row, _jump(7000), Role.DETAIL, "s3", soon, _RULES)
    assert ("", 0, "", 0) == (back.doubt, back.contradictions, back.contradiction, back.failures)


def test_three_contradictions_in_a_day_are_counted_with_both_answers() -> None:
    """Further apart they begin anew; each is asked again later than the one before."""
    row = learn(_ROW, _ZERO, Role.DETAIL, "s1", _NOW, _RULES)
    for number in range(1, HELD_AFTER + 1):
        at = _NOW + number * timedelta(hours=1)
        row = settled(row, _ZERO, "s1", CONTRADICTS, _sees((7000, None)), at, _RULES)
        assert (number, number, DISAGREE) == (row.contradictions, row.failures, row.failing_reason)
    told = json.loads(row.contradiction)
    assert ("out_of_stock", 7000) == (told["doubted"]["status"], told["second"]["offers"][0]["listing_price_jpy"])
    few = replace(row, contradictions=2)
    assert 1 == settled(few, _ZERO, "s1", CONTRADICTS, _sees((7000, 0)), at + timedelta(days=2), _RULES).contradictions


@pytest.mark.parametrize(
    ("row", "opinion", "verdict"),
    [
        (_ROW, _sees((7000, None)), AGREES),
        (_ROW, _sees((7020, 0)), AGREES),
        (_ROW, _sees((100, 0)), CANT_SAY),
        (_ROW, _sees((90_000, None)), CONTRADICTS),
        (_ROW, _NONE, CONTRADICTS),
        (_ROW, _UNKNOWN, CANT_SAY),
        (replace(_ROW, status=Status.OUT_OF_STOCK), _NONE, AGREES),
        (replace(_ROW, status=Status.NOT_FOUND), _sees((100, 0)), CONTRADICTS),
        (replace(_ROW, status=Status.FILTERED_OUT), _NONE, CANT_SAY),
    ],
)
def test_what_it_says_of_an_unchanged_answer(row: AsinRow, opinion: Answer, verdict: Verdict) -> None:
    """Contradicted is stock that is none, a zero that is none, and a price that nobody offers any more."""
    assert verdict is audit(row, opinion, _RULES)


def test_a_share_of_contradictions_takes_enough_answers() -> None:
    """Of fewer nothing is said; what it could not speak of is no sample."""
    assert (None, 0.02) == (Audited(99, 99).share, Audited(100, 2).share)
    report = FetchReport(audits={"agrees": 99, "contradicts": 1, "cant_say": 50})
    assert (Audited(100, 1), "") == (report.audited, audit_line(0, 0, None))
    assert "1.0%" in audit_line(100, 1, 0.01, "en")
    assert "少なすぎ" in audit_line(99, 1, None, "ja")


def test_the_same_goods_are_checked_whoever_asks_that_day() -> None:
    """Half a percent, by hash and day: another run picks none anew, the next day picks others."""
    asins = np.array([f"B0{number:08d}" for number in range(100_000)])
    today, tomorrow = (second_checked(asins, date(2026, 6, day), 0.005) for day in (1, 2))
    assert 0.004 < today.mean() < 0.006
    assert (today == second_checked(asins, date(2026, 6, 1), 0.005)).all()
    assert (today & tomorrow).sum() < 20
    assert not second_checked(asins, date(2026, 6, 1), 0.0).any()


def test_the_page_says_what_the_rule_does() -> None:
    """docs/freshness.md: three in 24 hours, tried again after an hour; status names why it is not asked."""
    page = (ROOT / "docs" / "freshness.md").read_text(encoding="utf-8")
    assert (3, timedelta(hours=24), timedelta(hours=1)) == (HELD_AFTER, CONTRADICTION_STANDS, PROBE_AFTER)
    assert "After three contradictions within 24 hours" in page
    assert "tried again after an hour" in page
    assert "role is missing" in opinion_line("x", 403, "en")
    assert "[sp_api] without" in opinion_line("", 0, "ja")
