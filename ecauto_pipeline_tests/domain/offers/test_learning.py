"""What one answer changes, and what it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.model import Answer, Role, Status
from ecauto_pipeline.domain.offers.learning import AsinRow, LearnRules, learn

_T0 = datetime(2026, 1, 5, 3, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_RULES = LearnRules()
_ASIN = "B000000001"
SWEEP, DETAIL, CONFIRM = "changes", "offers", "offers of one"  # learning goes by role, whatever an operation is called
_ROLES = {SWEEP: Role.SWEEP, DETAIL: Role.DETAIL, CONFIRM: Role.CONFIRM}


def _ok(price: int, operation: str = DETAIL, probe: int | None = None) -> Answer:
    return Answer(
        _ASIN, operation, Status.SUCCESS, price_jpy=price, in_stock=True,
        probe_price_jpy=price if probe is None else probe, probe_offer_count=2,
    )  # fmt: skip


def _gone(operation: str = DETAIL, status: Status = Status.OUT_OF_STOCK) -> Answer:
    return Answer(_ASIN, operation, status, "no_offers", in_stock=False, probe_offer_count=0)


def _filtered(operation: str = DETAIL) -> Answer:
    return Answer(_ASIN, operation, Status.FILTERED_OUT, "ships_late", probe_price_jpy=900, probe_offer_count=1)


def _error(operation: str = DETAIL, reason: str = "timeout") -> Answer:
    return Answer(_ASIN, operation, Status.API_ERROR, reason)


def _swept(price: int | None) -> Answer:
    return Answer(_ASIN, SWEEP, Status.SUCCESS, in_stock=True, probe_price_jpy=price, probe_offer_count=3)


def _told(row: AsinRow, *said: tuple[Answer, datetime]) -> AsinRow:
    for number, (answer, at) in enumerate(said):
        row = learn(row, answer, _ROLES[answer.operation], f"s{number}", at, _RULES)
    return row


_IN_STOCK = _told(AsinRow(_ASIN), (_ok(1000), _T0))


def test_a_first_price_counts_at_once_and_stamps_everything_it_carries() -> None:
    """No second look at a price where none was known."""
    assert (Status.SUCCESS, 1000, True, _T0, _T0, _T0, "s0") == (
        _IN_STOCK.status, _IN_STOCK.price_jpy, _IN_STOCK.in_stock,
        _IN_STOCK.price_at, _IN_STOCK.stock_at, _IN_STOCK.detail_at, _IN_STOCK.snapshot_id,
    )  # fmt: skip
    assert "" == _IN_STOCK.doubt


@given(st.sampled_from([SWEEP, DETAIL, CONFIRM]), st.text(max_size=20), st.booleans())
def test_an_error_moves_nothing_but_its_own_fields(operation: str, reason: str, doubted: bool) -> None:
    """No answer is not "out of stock", and no stamp moves."""
    row = _told(_IN_STOCK, (_gone(), _T0 + _HOUR)) if doubted else _IN_STOCK
    after = learn(row, _error(operation, reason), _ROLES[operation], "e", _T0 + 2 * _HOUR, _RULES)
    assert (1, _T0 + 2 * _HOUR, reason) == (after.error_count, after.error_at, after.error_reason)
    assert (operation != SWEEP) == bool(after.failures)
    own: dict[str, Any] = {"failures": 0, "failed_at": None, "failing_since": None, "failing_reason": ""}
    kept = replace(after, error_count=0, error_at=None, error_reason="", wants_detail=row.wants_detail, **own)
    assert row == kept


def test_a_zero_where_we_believed_in_stock_waits_for_another_operation() -> None:
    """One zero raises a doubt and moves neither state nor stamps; the confirm makes it so."""
    doubted = _told(_IN_STOCK, (_gone(), _T0 + _HOUR))
    assert ("zero", Status.SUCCESS, True, _T0) == (doubted.doubt, doubted.status, doubted.in_stock, doubted.stock_at)
    sure = _told(doubted, (_gone(CONFIRM), _T0 + _HOUR))
    assert ("", Status.OUT_OF_STOCK, False, _T0 + _HOUR) == (sure.doubt, sure.status, sure.in_stock, sure.stock_at)
    assert (1000, _T0) == (sure.price_jpy, sure.price_at)


def test_a_zero_counts_when_a_later_pass_of_the_same_operation_agrees() -> None:
    """At once it is the same pass; later it is a second opinion."""
    doubted = _told(_IN_STOCK, (_gone(), _T0), (_gone(), _T0 + timedelta(seconds=5)))
    assert ("zero", _T0) == (doubted.doubt, doubted.doubt_at)
    assert Status.OUT_OF_STOCK is _told(doubted, (_gone(), _T0 + timedelta(minutes=10))).status


def test_a_confirm_that_disagrees_clears_the_doubt_and_refreshes() -> None:
    """The second opinion says in stock: that is what counts."""
    row = _told(_IN_STOCK, (_gone(), _T0 + _HOUR), (_ok(1010, CONFIRM), _T0 + _HOUR))
    assert ("", Status.SUCCESS, 1010, _T0 + _HOUR) == (row.doubt, row.status, row.price_jpy, row.stock_at)


def test_a_zero_of_an_asin_nobody_knew_is_doubted_too() -> None:
    """Never known is not known to be out of stock."""
    row = _told(AsinRow(_ASIN), (_gone(status=Status.NOT_FOUND), _T0))
    assert ("zero", None, None, _T0) == (row.doubt, row.status, row.stock_at, row.detail_at)


def test_out_of_stock_stays_out_of_stock_without_a_second_look() -> None:
    """Only news is doubted."""
    gone = _told(_IN_STOCK, (_gone(), _T0), (_gone(CONFIRM), _T0))
    again = _told(gone, (_gone(), _T0 + _HOUR))
    assert ("", _T0 + _HOUR) == (again.doubt, again.stock_at)


@pytest.mark.parametrize(("price", "doubt"), [(1500, ""), (1501, "jump"), (500, ""), (499, "jump")])
def test_a_move_of_more_than_half_is_doubted(price: int, doubt: str) -> None:
    """Half is believed, one yen more is not."""
    row = _told(_IN_STOCK, (_ok(price), _T0 + _HOUR))
    assert (doubt, 1000 if doubt else price) == (row.doubt, row.price_jpy)


def test_a_jump_counts_when_another_operation_sees_about_the_same_price() -> None:
    """Agreement is about the price that was doubted, not about its being far away."""
    doubted = _told(_IN_STOCK, (_ok(7583), _T0 + _HOUR))
    assert 7600 == _told(doubted, (_ok(7600, CONFIRM), _T0 + _HOUR)).price_jpy
    other = _told(doubted, (_ok(3000, CONFIRM), _T0 + _HOUR))
    assert ("jump", 3000, 1000) == (other.doubt, other.doubt_price_jpy, other.price_jpy)
    back = _told(doubted, (_ok(1020, CONFIRM), _T0 + _HOUR))
    assert ("", 1020) == (back.doubt, back.price_jpy)


def test_filtered_out_is_counted_once_an_hour_and_forgotten_by_anything_else() -> None:
    """A streak counts answers `confirm_after` apart; another authoritative answer ends it."""
    row = _told(_IN_STOCK, (_filtered(), _T0), (_filtered(), _T0 + timedelta(minutes=59)))
    assert (_T0, 1) == (row.filtered_since, row.filtered_count)
    row = _told(row, (_error(), _T0 + _HOUR), (_filtered(), _T0 + _HOUR))
    assert (_T0, 2, _T0 + _HOUR) == (row.filtered_since, row.filtered_count, row.stock_at)
    assert (1000, _T0) == (row.price_jpy, row.price_at)
    assert (None, 0) == (lambda r: (r.filtered_since, r.filtered_count))(_told(row, (_ok(1000), _T0 + 2 * _HOUR)))


@pytest.mark.parametrize(
    ("baseline", "seen", "changed"),
    [(1000, 1029, False), (1000, 1030, True), (1000, 970, True), (10000, 10099, False), (10000, 10100, True),
     (1000, None, True), (None, None, False), (None, 1000, True)],
)  # fmt: skip
def test_a_sweep_calls_a_move_of_3_percent_or_100_yen_a_change(
    baseline: int | None, seen: int | None, changed: bool
) -> None:
    """Whichever is less; a Buy Box that appears or vanishes is a change, a missing one that stays missing is not."""
    row = replace(_IN_STOCK, probe_price_jpy=baseline)
    after = _told(row, (_swept(seen), _T0 + _HOUR))
    assert "changed" if changed else "" == after.wants_detail
    assert (_T0 if changed else _T0 + _HOUR) == after.stock_at


def test_a_sweep_never_moves_price_or_state() -> None:
    """Whatever it says, it stamps the stock at most."""
    for answer in (_swept(1000), _swept(5000), _gone(SWEEP)):
        after = _told(_IN_STOCK, (answer, _T0 + _HOUR))
        assert (1000, _T0, Status.SUCCESS, _T0) == (after.price_jpy, after.price_at, after.status, after.detail_at)


def test_a_sweep_asks_for_detail_where_it_cannot_say_unchanged() -> None:
    """Zero against stock, stock against zero, no baseline, never known, unknown, a doubt still owed."""
    later = _T0 + _HOUR
    gone = _told(_IN_STOCK, (_gone(), _T0), (_gone(CONFIRM), _T0))
    assert "zero" == _told(_IN_STOCK, (_gone(SWEEP), later)).wants_detail
    assert "changed" == _told(gone, (_swept(1000), later)).wants_detail
    assert "new" == _told(AsinRow(_ASIN), (_swept(1000), later)).wants_detail
    blank = replace(_IN_STOCK, probe_price_jpy=None, probe_offer_count=None)
    assert "doubtful" == _told(blank, (_swept(1000), later)).wants_detail
    assert "doubtful" == _told(_IN_STOCK, (_error(SWEEP, "no_competitive_pricing"), later)).wants_detail
    assert "" == _told(_IN_STOCK, (_error(SWEEP, "timeout"), later)).wants_detail
    assert "doubtful" == _told(_IN_STOCK, (_gone(), _T0), (_gone(SWEEP), later)).wants_detail


def test_a_sweep_confirms_a_zero_that_is_believed() -> None:
    """Out of stock, and still no offer: the stock stamp is fresh."""
    gone = _told(_IN_STOCK, (_gone(), _T0), (_gone(CONFIRM), _T0))
    assert _T0 + _HOUR == _told(gone, (_gone(SWEEP), _T0 + _HOUR)).stock_at


def test_the_detail_that_answers_a_sweep_gives_the_next_baseline() -> None:
    """What was wanted is no longer, and the next sweep compares with what detail saw."""
    asked = _told(_IN_STOCK, (_swept(1200), _T0 + _HOUR))
    assert "changed" == _told(asked, (_error(), _T0 + _HOUR)).wants_detail
    row = _told(asked, (_ok(1190, probe=1200), _T0 + _HOUR), (_swept(1200), _T0 + 2 * _HOUR))
    assert ("", 1200, _T0 + 2 * _HOUR, _T0 + _HOUR) == (
        row.wants_detail, row.probe_price_jpy, row.stock_at, row.price_at,
    )  # fmt: skip


_said = st.sampled_from(
    [
        _ok(1000),
        _ok(1000, CONFIRM),
        _ok(3000),
        _gone(),
        _gone(CONFIRM),
        _gone(SWEEP),
        _filtered(),
        _error(),
        _swept(1000),
    ]
)


@given(st.lists(st.tuples(_said, st.integers(0, 5_000)), max_size=25))
def test_no_history_of_answers_breaks_the_books(history: list[tuple[Answer, int]]) -> None:
    """Prices only with a stamp, a believed success has a price, an authoritative state has a stock stamp, and a state
    only ever comes from two zeros or one of the others."""
    row, now, zeros = AsinRow(_ASIN), _T0, 0
    for answer, seconds in history:
        now += timedelta(seconds=seconds)
        before, row = row, learn(row, answer, _ROLES[answer.operation], "s", now, _RULES)
        zeros += answer.status is Status.OUT_OF_STOCK and answer.operation != SWEEP
        assert (row.price_jpy is None) == (row.price_at is None)
        assert (row.status is None) == (row.stock_at is None)
        assert row.status is not Status.SUCCESS or row.price_jpy
        assert row.status is not Status.OUT_OF_STOCK or zeros >= 2
        assert not row.doubt or row.doubt_at
        if answer.operation == SWEEP:
            assert (before.status, before.price_jpy, before.snapshot_id) == (
                row.status, row.price_jpy, row.snapshot_id,
            )  # fmt: skip


def test_only_what_is_about_the_asin_itself_is_its_failure() -> None:
    """A failed call counts as no answer, and against nobody; the same reason goes on from its first time."""
    of_call = replace(_error(DETAIL, "http_503"), of_call=True)
    row = learn(_IN_STOCK, of_call, Role.DETAIL, "e", _T0 + _HOUR, _RULES)
    assert (1, 0, None) == (row.error_count, row.failures, row.failing_since)
    for number in (1, 2):
        row = learn(row, _error(DETAIL, "too_soon"), Role.DETAIL, "e", _T0 + (1 + number) * _HOUR, _RULES)
    row = learn(row, of_call, Role.DETAIL, "e", _T0 + 4 * _HOUR, _RULES)
    assert (2, "too_soon", _T0 + 2 * _HOUR, _T0 + 3 * _HOUR) == (
        row.failures, row.failing_reason, row.failing_since, row.failed_at,
    )  # fmt: skip
    other = learn(row, _error(CONFIRM, "offers_missing"), Role.CONFIRM, "e", _T0 + 5 * _HOUR, _RULES)
    assert (3, "offers_missing", _T0 + 5 * _HOUR) == (other.failures, other.failing_reason, other.failing_since)


def test_a_look_at_the_offers_ends_failing_and_a_sweep_does_not() -> None:
    """What fails is the look at the offers: that a sweep was answered proves nothing of it."""
    merged = replace(_error(DETAIL, "merged"), merged_into="B000000002")
    row = learn(_IN_STOCK, merged, Role.DETAIL, "e", _T0 + _HOUR, _RULES)
    assert (1, "B000000002") == (row.failures, row.merged_into)
    swept = learn(row, _swept(1000), Role.SWEEP, "s", _T0 + 2 * _HOUR, _RULES)
    assert (1, "B000000002") == (swept.failures, swept.merged_into)
    seen = _told(swept, (_ok(1000), _T0 + 3 * _HOUR))
    assert (0, None, None, "", "") == (
        seen.failures, seen.failed_at, seen.failing_since, seen.failing_reason, seen.merged_into,
    )  # fmt: skip


def test_a_change_is_counted_when_it_counts_and_once() -> None:
    """Goods that go, by however many answers that is settled, and goods that come back: what the rate of change is
    known by. The days until then are those in which it was looked for; the first look begins them."""
    assert (0.0, 0.0) == (_IN_STOCK.changes, _IN_STOCK.watched_days)
    doubted = _told(_IN_STOCK, (_gone(), _T0 + 24 * _HOUR))
    assert 0.0 == doubted.changes
    gone = _told(doubted, (_gone(CONFIRM), _T0 + 24 * _HOUR), (_gone(), _T0 + 24 * _HOUR))
    assert 1.0 == gone.changes
    assert pytest.approx(1.0, rel=0.02) == gone.watched_days
    assert pytest.approx(2.0, rel=0.01) == _told(gone, (_ok(1000), _T0 + 25 * _HOUR)).changes
    lapsed = _told(_IN_STOCK, (_filtered(), _T0 + _HOUR), (_filtered(), _T0 + 2 * _HOUR))
    assert pytest.approx(1.0, rel=0.01) == lapsed.changes


@pytest.mark.parametrize(("price", "counted"), [(1099, 0), (1100, 1), (901, 0), (900, 1)])
def test_only_a_large_move_of_the_price_is_counted(price: int, counted: int) -> None:
    """A tenth of it; the small steps of those who undercut each other are many and eat little of a margin."""
    assert counted == _told(_IN_STOCK, (_ok(price), _T0 + _HOUR)).changes


@pytest.mark.parametrize(
    "answer", [_swept(3000), _swept(1000), _error(), _error(SWEEP)], ids=["moved", "same", "error", "no sweep"]
)
def test_what_is_no_look_at_the_offers_counts_no_change_and_no_day(answer: Answer) -> None:
    """A sweep only asks for a look, an error says nothing."""
    after = _told(_IN_STOCK, (answer, _T0 + 24 * _HOUR))
    assert (0.0, 0.0) == (after.changes, after.watched_days)


def test_a_clock_set_back_takes_no_day_back() -> None:
    """The counts stay as they were."""
    day = _told(_IN_STOCK, (_ok(1500), _T0 + 24 * _HOUR))
    back = _told(day, (_ok(1500), _T0))
    assert (day.changes, day.watched_days) == (back.changes, back.watched_days)
