"""What is left of a plan that somebody else began."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.ages import REASONS, ROW, SECOND_LOOK, Policy, Rows, evaluate_freshness
from ecauto_pipeline.domain.freshness.remaining import StillToAsk, remaining
from ecauto_pipeline.settings import Offers, Tiers, Ttl

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MADE = to_ms(NOW - timedelta(minutes=10))
OLD = to_ms(NOW - timedelta(days=3))
POLICY = Policy.of(Ttl(), Tiers(), Offers())

stamps = st.sampled_from([0, OLD, MADE - 1, MADE, MADE + 60_000])
asin_rows = st.fixed_dictionaries(
    {
        **dict.fromkeys(("price_at", "stock_at", "detail_at", "probe_at", "error_at"), stamps),
        "wants": st.sampled_from([0, SECOND_LOOK, REASONS.index("changed"), REASONS.index("new")]),
        "fetched": st.sampled_from([0, 1]),
    }
)


def rows_of(*found: dict[str, int]) -> Rows:
    rows = np.zeros(len(found), ROW)
    for number, columns in enumerate(found):
        rows[number]["asin"] = f"B{number:09d}"
        for name, value in columns.items():
            rows[number][name] = value
    return rows


def left_of(rows: Rows, operations: list[str], reasons: list[str], asins: list[str] | None = None) -> list[StillToAsk]:
    names = asins if asins is not None else [str(name) for name in rows["asin"]]
    return remaining(names, operations, reasons, rows, evaluate_freshness(rows, NOW, POLICY), MADE, to_ms(NOW))


@given(st.lists(st.tuples(asin_rows, st.sampled_from(["sweep", "detail"]), st.sampled_from(REASONS[1:])), max_size=8))
def test_what_was_answered_in_full_is_never_asked_again(planned: list[tuple[dict[str, int], str, str]]) -> None:
    """A detail answer since the plan was made settles its ASIN, unless it raised a doubt that wants a second look."""
    rows = rows_of(*(columns for columns, _, _ in planned))
    left = left_of(rows, [operation for _, operation, _ in planned], [reason for _, _, reason in planned])
    answered = [number for number, row in enumerate(rows) if row["detail_at"] >= MADE and row["wants"] != SECOND_LOOK]
    assert not {one.place for one in left} & set(answered)
    assert [one.place for one in left] == sorted({one.place for one in left})


@given(st.lists(st.tuples(asin_rows, st.sampled_from(["sweep", "detail"])), max_size=8))
def test_what_nobody_answered_and_is_due_stays(planned: list[tuple[dict[str, int], str]]) -> None:
    """Nothing that is due and was not asked since the plan was made is dropped."""
    rows = rows_of(*(columns for columns, _ in planned))
    due = evaluate_freshness(rows, NOW, POLICY).due
    left = {one.place for one in left_of(rows, [operation for _, operation in planned], ["stock_due"] * len(planned))}
    untouched = [
        number
        for number, row in enumerate(rows)
        if due[number] and max(row["detail_at"], row["probe_at"], row["stock_at"], row["error_at"]) < MADE
    ]
    assert set(untouched) <= left


def test_a_sweep_that_saw_a_change_leaves_the_detail_owed() -> None:
    """Killed between the sweep's answer and the detail it asked for: the detail is asked, the sweep is not."""
    swept = {"probe_at": MADE + 1, "stock_at": OLD, "price_at": OLD, "detail_at": OLD, "fetched": 1}
    rows = rows_of(swept | {"wants": REASONS.index("changed")}, swept | {"stock_at": MADE + 1})
    left = left_of(rows, ["sweep", "sweep"], ["stock_due", "stock_due"])
    assert [StillToAsk(0, "detail", "changed")] == left


def test_an_answer_that_was_none_waits_for_the_next_plan() -> None:
    """An ASIN that was asked and had no answer is not asked a second time by the same plan."""
    rows = rows_of({"error_at": MADE + 1, "stock_at": OLD, "price_at": OLD, "detail_at": OLD, "fetched": 1})
    assert [] == left_of(rows, ["detail"], ["stock_due"])


def test_what_takes_part_no_longer_is_gone_and_spare_calls_stay() -> None:
    """A listing taken down leaves the plan; a check that only used spare calls stays until somebody answers it."""
    fresh = {name: MADE - 1 for name in ("price_at", "stock_at", "detail_at", "probe_at")} | {"fetched": 1}
    rows = rows_of(fresh, fresh)
    left = left_of(rows, ["detail"] * 3, ["cadence", "stock_due", "cadence"], ["B000000000", "B000000001", "Z"])
    assert [StillToAsk(0, "detail", "cadence")] == left
    assert [] == left_of(rows_of(), ["detail"], ["new"], ["B000000000"])


def test_a_stamp_from_the_future_answers_no_plan() -> None:
    """A clock that was a month ahead for one run and was set right: what it stamped is due, and asked about now."""
    ahead = to_ms(NOW + timedelta(days=30))
    row = {"fetched": 1, **dict.fromkeys(("price_at", "stock_at", "detail_at", "probe_at"), ahead)}
    assert [StillToAsk(0, "detail", "price_due")] == left_of(rows_of(row), ["detail"], ["price_due"])
    assert [StillToAsk(0, "sweep", "stock_due")] == left_of(rows_of(row), ["sweep"], ["stock_due"])
