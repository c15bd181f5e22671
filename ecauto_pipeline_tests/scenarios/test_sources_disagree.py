"""What a person's word does to a row about which two of Amazon's sources disagree, as the runbook promises it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.offers.second_opinion import DISAGREE, HELD_AFTER
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state import asins
from ecauto_pipeline.sync.people.holds import Hold, approve, list_holds, reject
from ecauto_pipeline_tests.pages import ROOT
from ecauto_pipeline_tests.scenarios.picking import Listed, cost_of, edits_of, item_of, seen, selling, sound
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_START = datetime(2026, 6, 8, 1, 0, tzinfo=UTC)
_BOTH: dict[str, object] = {"believed": {}, "doubted": {}, "second": {"offers": []}}


@dataclass
class Disagreed:
    """A shop in which v0 calls two items gone and says of two that they cost a third of what they did."""

    day: ShopDay
    gone: list[Listed]
    fallen: list[Listed]
    before: int

    def holds(self) -> dict[str, Hold]:
        with self.day.tools() as tools:
            return {hold.asin: hold for hold in list_holds(tools) if hold.reason == DISAGREE}

    def edits(self, listed: Listed) -> list[dict[str, str]]:
        return edits_of(self.day, listed, self.before)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disagreed]:
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=9, listings=40, accounts=2, speed=100.0) as emulator:
        day = ShopDay(tmp_path_factory.mktemp("disagreed"), emulator, clock, loads_when_asked=True)
        chosen = sound(day, 8)
        dear = sorted(chosen, key=lambda one: -one.price_jpy)
        play = Disagreed(day, chosen[:2], [one for one in dear if one not in chosen[:2]][:2], 0)
        day.run()
        _contradicted(play)
        play.before = seen(day)
        day.run(fetch=False)
        yield play


def _contradicted(play: Disagreed) -> None:
    """As after three contradictions: the doubt stands, with both answers."""
    now, since = play.day.clock.now(), play.day.clock.now() - timedelta(hours=2)
    with play.day.tools() as tools, tools.state.write() as connection:
        rows = asins.read(connection, [one.asin for one in (*play.gone, *play.fallen)])
        for one in (*play.gone, *play.fallen):
            cheap = cost_of(one.price_jpy) // 3
            price, doubt = (None, "zero") if one in play.gone else (cheap, "jump")
            rows[one.asin] = replace(
                rows[one.asin],
                doubt=doubt,
                doubt_price_jpy=price,
                doubt_at=since,
                contradictions=HELD_AFTER,
                contradicted_at=now,
                contradicted_since=since,
                contradiction=json.dumps(_BOTH),
            )
        asins.write(connection, rows.values())


def test_what_a_person_says_of_it(shop: Disagreed) -> None:
    """Approved, v0's word is sent; rejected, the item stays as it is, on show, and the same is not asked again."""
    held = shop.holds()
    assert {one.asin for one in (*shop.gone, *shop.fallen)} == set(held)
    assert set(_BOTH) <= set(held[shop.gone[0].asin].evidence)
    assert [] == [edit for one in (*shop.gone, *shop.fallen) for edit in shop.edits(one)]
    with shop.day.tools() as tools:
        approve(tools, [held[one.asin].diff_id for one in (shop.gone[0], shop.fallen[0])])
        reject(tools, [held[one.asin].diff_id for one in (shop.gone[1], shop.fallen[1])])
    for _ in range(2):
        shop.day.run(fetch=False)
    hidden, kept = (item_of(shop.day, one) for one in shop.gone)
    cheap, dear = (item_of(shop.day, one) for one in shop.fallen)
    assert (False, True) == (hidden["visible"], kept["visible"])
    wanted = selling(cost_of(shop.fallen[0].price_jpy) // 3)
    assert [(wanted, True), (shop.fallen[1].price_jpy, True)] == [
        (one["price_jpy"], one["visible"]) for one in (cheap, dear)
    ]
    assert {} == shop.holds()


def test_the_runbook_says_so_in_both_languages() -> None:
    """Three answers, two words and their end: where an owner looks when the row is held."""
    for page in ("docs/runbook.md", "docs/ja/runbook.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        section = text[text.index("### held_rows") : text.index("### token_expiry")]
        assert [] == [word for word in (DISAGREE, *_BOTH, "ecauto holds show") if f"`{word}" not in section]
