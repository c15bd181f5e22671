"""Amazon renames a field under a running shop: nothing wrong is hidden or re-priced, and a person hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from ecauto_pipeline.alerts.rules import RULES
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline_tests.scenarios.picking import seen
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_START = datetime(2026, 6, 8, 1, 0, tzinfo=UTC)
_RENAMED = {"kind": "renamed", "family": "pricing/v0", "names": {"SubCondition": "itemSubCondition"}}
"""Without it no offer is known to be new; a day later and an hour after that, so that it is said twice."""


@dataclass
class Played:
    """The edits that the shops saw while the field was renamed, and what the rule said after each run of these."""

    wrong: list[dict[str, Any]] = field(default_factory=list)
    told: list[Verdict] = field(default_factory=list)
    unanswered: int = 0


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=9, listings=40, accounts=2, speed=100.0) as emulator:
        day, found = ShopDay(tmp_path_factory.mktemp("renamed"), emulator, clock, loads_when_asked=True), Played()
        day.run()
        since = seen(day)
        day.control.add_faults(_RENAMED)
        for hours in (25, 1.5):
            day.advance(hours * 3600.0)
            result = day.run()
            found.unanswered += result.reports["sp_api_snapshots"].by_reason.get("unreadable_offer", 0)
            with day.tools() as tools:
                found.told.append(RULES["amazon_shape"].judge(record_of(tools, result.run_id), alert_setup(tools)))
        found.wrong = [edit for edit in day.edits(since) if not _right(day, edit)]
        yield found


def _right(day: ShopDay, edit: dict[str, Any]) -> bool:
    """Whether it hides what Amazon has no offer for; a price is never right while no offer can be read."""
    (row,) = day.register(
        "select asin from listings where platform_item_id = ?", str(edit["details"]["item_id"])
    )  # as the register says whose it is
    hides = dict(edit["details"]["fields"]) == {"visible": "0"}
    return hides and not day.control.truth(row["asin"], datetime.fromisoformat(edit["at"]))["offers"]


def test_a_renamed_field_hides_nothing_and_prices_nothing(played: Played) -> None:
    """Two runs over a shop whose offers can't be read surely: what they say is no answer, and nothing wrong is sent."""
    assert played.unanswered > 40
    assert [] == played.wrong


def test_the_first_run_that_meets_it_tells(played: Played) -> None:
    """The alarm stands after the first run, names operation and shape, and stays while nothing has changed."""
    first, second = played.told
    assert (False, False) == (first.passed, second.passed)
    assert "getItemOffersBatch" in first.message_en
    assert "missing Offers.SubCondition" in first.message_en
