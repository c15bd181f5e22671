"""Laws of one item over time: what nobody knew is no line, every edit is there, hidden spans are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.views.item_series import (
    ItemSeries,
    Step,
    as_document,
    cost_steps,
    series_of,
    since_known,
    steps,
    within,
)
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.desk.shop import a_filled_shop

START = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_a_price_of_amazon_s_is_known_as_long_as_it_is_believed() -> None:
    """A day without an answer is a gap; no usable answer says nothing, a sweep confirms, out of stock is an end."""
    answers = [
        (at(0), "success", 1000),
        (at(20), "success", None),  # a sweep
        (at(30), "api_error", None),
        (at(60), "success", 1000),
        (at(70), "success", 1200),
        (at(80), "out_of_stock", None),
    ]
    expected = [(0, 1000), (44, None), (60, 1000), (70, 1200), (80, None)]
    assert [Step(at(hour), value) for hour, value in expected] == list(cost_steps(answers, DAY, at(100)))


def test_a_price_nobody_has_confirmed_lately_ends_before_now() -> None:
    """The line does not go on to the edge of the chart."""
    assert (Step(at(0), 1000), Step(at(24), None)) == cost_steps([(at(0), "success", 1000)], DAY, at(48))


def test_between_two_sightings_that_differ_nobody_knows() -> None:
    """Someone set another price by hand: when, nobody saw. Our own edit is a step, without a gap."""
    by_hand = [(at(0), 900), (at(5), 900), (at(9), 1100)]
    assert (Step(at(0), 900), Step(at(5), None), Step(at(9), 1100)) == steps(by_hand, at(20))
    ours = [(at(0), 900), (at(5), 900), (at(5), 1100), (at(9), 1100)]
    assert (Step(at(0), 900), Step(at(5), 1100)) == steps(ours, at(20))


def test_a_chart_begins_shortly_before_anything_is_known() -> None:
    """Else goods of an hour ago are a point at the end of a week; what was known at the start stays as it is."""
    young = ItemSeries("B0AAAAAAAA", at(0), at(168), cost=(Step(at(148), 900), Step(at(150), None)))
    assert at(147) == since_known(young).start
    known = ItemSeries("B0AAAAAAAA", at(0), at(168), cost=(Step(at(0), 900),))
    assert (known, at(0)) == (since_known(known), since_known(ItemSeries("B0AAAAAAAA", at(0), at(168))).start)


def test_a_span_of_time_begins_with_what_held_then() -> None:
    """And with nothing where nothing was known."""
    line = (Step(at(0), 900), Step(at(5), 1100))
    assert (Step(at(3), 900), Step(at(5), 1100)) == within(line, at(3))
    assert line == within(line, at(-3))


def test_what_happened_to_an_item_is_all_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The price that followed Amazon's, the span in which it was hidden, each edit with both values, as JSON too."""
    shop = a_filled_shop(tmp_path, monkeypatch)

    def looked(item: str) -> ItemSeries:
        with open_tools(shop.settings, offline=True) as tools:
            return series_of(tools, HistoryReader(tools.history, most_mb=64), item, 7)

    dearer = looked(shop.dearer[1])
    (listing,) = dearer.listings
    edit = next(one for one in listing.edits if one.kind == "price" and one.after == listing.price[-1].value)
    assert (shop.dearer[2], shop.dearer[1], "done") == (dearer.asin, listing.key.item_id, edit.outcome)
    assert (edit.before or 0) < (edit.after or 0)
    known = [step.value for step in dearer.cost if step.value is not None]
    assert known[0] < known[-1]
    (gone,) = looked(shop.hidden[1]).listings
    assert [(1, 0)] == [(one.before, one.after) for one in gone.edits if one.kind == "visibility"]
    assert ([dearer.end.date()], 1) == ([gone.hidden[-1].end.date()], len(gone.hidden))
    document = as_document(dearer)
    assert [len(listing.edits)] == [len(one["edits"]) for one in document["listings"]]
