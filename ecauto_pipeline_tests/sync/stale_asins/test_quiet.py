"""A plan reads those that may be due and counts the others: it comes to what it would with everybody read."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.quiet import QuietBounds
from ecauto_pipeline.settings import Offers, Tiers
from ecauto_pipeline.state import targets
from ecauto_pipeline.sync.stale_asins.plan import policy_of
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.sync.stale_asins import quiet_laws
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import PlannerBench, asin_no

_HOUR_MS, _SLACK_MS = 3_600_000, 300_000
_LIMITS = [hours * _HOUR_MS for hours in (1, 6, 10, 24, 48, 7 * 24, 30 * 24)]  # 10: since the day began in Japan
_NEAR = [limit - slack + off for limit in _LIMITS for slack in (0, _SLACK_MS) for off in (-1, 0, 1)]
AGES = st.sampled_from([*_NEAR, *(-one for one in _NEAR), 0, 1, None]) | st.integers(0, 40 * 24 * _HOUR_MS)
FRESH = {
    **dict.fromkeys(("price_at", "stock_at", "detail_at", "probe_at"), 60_000),
    **{"status": "success", "price_jpy": 1000, "in_stock": 1, "probe_offer_count": 3},
}
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(quiet_laws.STAMPS, AGES),
    "status": st.sampled_from(["success", "out_of_stock", "filtered_out", "not_found", None]),
    "filtered_count": st.integers(0, 2),
    "wants_detail": st.sampled_from(["", "changed", "audit", "zero", "new"]),
    "doubt": st.sampled_from(["", "zero"]),
    "failures": st.sampled_from([0, 1, 4]),
}
NAMES = st.sets(st.sampled_from(sorted(COLUMNS)), max_size=3).map(sorted)
"""Of a fresh ASIN a few columns are others: where all are, it is hardly ever quiet."""
ASKED = NAMES.flatmap(lambda names: st.fixed_dictionaries({name: COLUMNS[name] for name in names})).map(
    lambda others: FRESH | others
)
SHOPS = st.sets(st.sampled_from(quiet_laws.SHOPS), min_size=1).map(sorted)
KNOWN = st.tuples(SHOPS, ASKED | ASKED | ASKED | st.none())


@settings(max_examples=examples(8), deadline=None)
@given(
    known=st.lists(KNOWN, max_size=12),
    early=st.sampled_from([timedelta(), timedelta(hours=2), timedelta(hours=12)]),
    filtered=st.sampled_from(["hide", "keep"]),
)
def test_what_is_not_read_is_only_counted(
    known: Sequence[tuple[Sequence[int], Mapping[str, Any] | None]], early: timedelta, filtered: Any
) -> None:
    """The law's own docstring says what; also where the low tier comes early."""
    with tempfile.TemporaryDirectory() as name:
        tiers, offers = Tiers(low_may_come_early=early), Offers(filtered_out=filtered)
        bench = PlannerBench(Path(name), tiers=tiers, offers=offers)
        quiet_laws.keep(bench, known)
        quiet_laws.what_is_not_read_is_only_counted(bench)
        bench.database.close()


_MINUTE_MS, _DAY_MS = 60_000, 24 * _HOUR_MS
_LOW_MS, _HIGH_MS, _MEDIUM_MS = (limit - _SLACK_MS for limit in (_DAY_MS, _HOUR_MS, 6 * _HOUR_MS))
_SOLD, _VIEWED = {"last_sold_at": _HOUR_MS}, {"last_viewed_at": _HOUR_MS}
_ONCE_FILTERED = {"status": "filtered_out", "filtered_count": 1}
_SWEPT = {"price_at": _MINUTE_MS, "detail_at": 10 * _HOUR_MS + 1}  # a detail of the day before, in Japan
QUIET: Mapping[str, Mapping[str, Any]] = {
    "as fresh as can be": {},
    "low, within its day": {"stock_at": _LOW_MS - 1},
    "high, within its hour": _SOLD | {"stock_at": _HIGH_MS - 1},
    "sold and viewed: high": _SOLD | _VIEWED | {"stock_at": _HIGH_MS - 1},
    "medium, within its six hours": _VIEWED | {"stock_at": _MEDIUM_MS - 1},
    "sold too long ago for the high tier": {"last_sold_at": 7 * _DAY_MS + 1, "stock_at": _HIGH_MS},
    "viewed too long ago for the medium one": {"last_viewed_at": 30 * _DAY_MS + 1, "stock_at": _MEDIUM_MS},
    "of a clock that was set back": {"stock_at": -_DAY_MS},
    "its price within its day": {"price_at": _LOW_MS - 1, "detail_at": _DAY_MS, "probe_at": None},
    "its detail within its day": {"price_at": None, "detail_at": _LOW_MS - 1, "probe_at": None},
    "its price a little ahead": {"price_at": -_DAY_MS},
    "out of stock, so without a price": {"price_at": None, "status": "out_of_stock"},
    "failed before it answered": {"error_at": _MINUTE_MS},
    "filtered out lately": _ONCE_FILTERED | {"filtered_since": _HOUR_MS - 1},
    "filtered out twice": {"status": "filtered_out", "filtered_count": 2, "filtered_since": _DAY_MS},
    "swept today, and seen in detail": _SWEPT | {"detail_at": 10 * _HOUR_MS},
    "swept yesterday": _SWEPT | {"probe_at": 10 * _HOUR_MS + 1},
}
READ: Mapping[str, Mapping[str, Any]] = {
    "never answered": {"status": None},
    "failing": {"failures": 1},
    "a change seen": {"wants_detail": "changed"},
    "in doubt": {"doubt": "zero"},
    "low, its day over": {"stock_at": _LOW_MS},
    "high, its hour over": {"last_sold_at": 7 * _DAY_MS, "stock_at": _HIGH_MS},
    "sold and viewed, its hour over": _SOLD | _VIEWED | {"stock_at": _HIGH_MS},
    "medium, its six hours over": {"last_viewed_at": 30 * _DAY_MS, "stock_at": _MEDIUM_MS},
    "from beyond what a clock may be ahead": {"stock_at": -_DAY_MS - 1},
    "its price old": {"price_at": _LOW_MS, "detail_at": _LOW_MS, "probe_at": None},
    "its price from beyond": {"price_at": -_DAY_MS - 1},
    "its detail from beyond": {"detail_at": -_DAY_MS - 1},
    "failed since": {"error_at": _MINUTE_MS - 1},
    "filtered out an hour ago": _ONCE_FILTERED | {"filtered_since": _HOUR_MS},
    "swept today, perhaps audited": _SWEPT,
}


def test_each_bound_is_where_the_rule_has_it(tmp_path: Path) -> None:
    """A millisecond this side of it is quiet, on it is read; and the law holds of all of them together."""
    bench = PlannerBench(tmp_path)
    known = [([0], {**FRESH, **columns}) for columns in (*QUIET.values(), *READ.values())]
    quiet_laws.keep(bench, known)
    with bench.database.read() as connection:
        bounds = QuietBounds.of(policy_of(bench.tools), bench.clock.now())
        read = targets.read_rows(connection, bench.clock.now(), but=bounds)["asin"].tolist()
    named = dict(zip(map(asin_no, range(len(known))), (*QUIET, *READ), strict=True))
    assert list(READ) == [named[asin] for asin in read]
    quiet_laws.what_is_not_read_is_only_counted(bench)
    bench.database.close()


@pytest.mark.parametrize("options", [{"spend": "budget"}, {"max_items": 30}])
def test_who_spends_all_or_chooses_among_all_reads_all(tmp_path: Path, options: dict[str, Any]) -> None:
    """Their periods depend on one another, and the best sellers are found among all."""
    bench = PlannerBench(tmp_path)
    quiet_laws.keep(bench, [([0], FRESH)] * 40)
    report, _ = bench.plan(**options)
    assert min(40, options.get("max_items", 40)) == report.survey.total_asins
    assert report.survey.total_asins == sum(report.survey.by_tier.values()) == report.survey.cache_hits
    bench.database.close()


def test_of_those_that_are_fresh_none_is_read(tmp_path: Path) -> None:
    """Of 302 and three that are not the database gives out the three; the others are a number and an age, by tier. One
    that nobody lists counts for nothing."""
    bench = PlannerBench(tmp_path)
    known: list[tuple[list[int], Mapping[str, Any] | None]] = [([0, 1], FRESH)] * 300
    known += [([1], {**FRESH, "stock_at": 25 * _HOUR_MS}), ([1], {**FRESH, "failures": 1, "stock_at": 2 * _HOUR_MS})]
    known += [([0], None), ([], {**FRESH, "stock_at": 4 * _HOUR_MS})]
    known += [([0], {**FRESH, **_SOLD, "stock_at": 30 * _MINUTE_MS})]
    known += [([0], {**FRESH, **_VIEWED, "stock_at": 3 * _HOUR_MS})]
    quiet_laws.keep(bench, known)
    now = bench.clock.now()
    quiet = QuietBounds.of(policy_of(bench.tools), now)
    with bench.database.read() as connection:
        read = targets.read_rows(connection, now, but=quiet)["asin"].tolist()
        found = targets.count_quiet(connection, quiet, len(read))
    assert [asin_no(300), asin_no(301), asin_no(302)] == read
    ages = [to_ms(now) - one.oldest_stock_ms for one in found if one.oldest_stock_ms is not None]
    assert ([1, 1, 300], [30 * _MINUTE_MS, 3 * _HOUR_MS, _MINUTE_MS]) == ([one.asins for one in found], ages)
    quiet_laws.what_is_not_read_is_only_counted(bench)
    bench.database.close()
