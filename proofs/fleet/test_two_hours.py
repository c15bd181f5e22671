"""Two hours of twelve shops on three workers in four lanes, an hour a minute: as one machine would have kept them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from proofs.fleet.servers import wait_for
from proofs.fleet.shop_fleet import ShopFleet

EACH_HOUR = {"high_every": "60s", "medium_every": "60s", "low_every": "60s"}
"""Everything is due in each of the two hours, where a real day has most goods once."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopFleet]:
    with ExitStack() as stack:
        yield ShopFleet(tmp_path_factory.mktemp("shops"), stack, document={"tiers": EACH_HOUR})


DETAIL = "getItemOffersBatch"
ANOTHER_LOOK = frozenset({"getCompetitiveSummary", "getItemOffers"})
"""Who is asked about an answer that is not believed by itself."""


def _questions(calls: list[dict[str, object]]) -> Iterator[tuple[str, str]]:
    """(operation, ASIN) of every question that was answered, in their order."""
    for call in calls:
        if call["http_status"] == 200:
            details = call["details"]
            assert isinstance(details, dict)
            yield from ((str(call["operation"]), asin) for asin in details.get("asins", []))


def _asked(calls: list[dict[str, object]], *operations: str) -> Counter[str]:
    """How often each ASIN was asked about, in calls that were answered."""
    return Counter(asin for operation, asin in _questions(calls) if operation in operations)


def _asked_twice(calls: list[dict[str, object]]) -> set[str]:
    """ASINs that were asked for their offers again although nobody had doubted what was said the first time: between
    two such questions another operation must have been asked about the answer."""
    since_detail: dict[str, bool] = {}  # whether another look was taken since
    twice = set()
    for operation, asin in _questions(calls):
        if operation == DETAIL:
            if since_detail.get(asin) is False:
                twice.add(asin)
            since_detail[asin] = False
        elif operation in ANOTHER_LOOK and asin in since_detail:
            since_detail[asin] = True
    return twice


def test_the_first_hour_asks_about_every_asin_once(fleet: ShopFleet) -> None:
    """Four runs at once over three machines: no ASIN is asked for its offers twice, also where lanes share it, unless
    its first answer was doubted and another operation asked about it."""
    began = time.monotonic()
    fleet.round()
    calls = fleet.calls()
    asked = _asked(calls, DETAIL)
    print(f"\n{len(asked)} ASINs in {time.monotonic() - began:.0f} s, {len(calls)} calls")
    again = sum(times > 1 for times in asked.values())
    print(f"{again} of them again, after another look at a doubted answer")
    assert set() == _asked_twice(calls)
    rows = fleet.ask("/emulator/register")["listings"]
    listed = {row["asin"] for row in rows if row["status"] in ("listed", "active")}
    assert 0.9 * len(listed) < len(asked)
    assert set(asked) <= listed
    working = {name for name, machine in fleet.workers.items() if "succeeded in" in machine.log("worker")}
    assert len(working) >= 2


def test_the_shops_show_what_amazon_says(fleet: ShopFleet) -> None:
    """After a second hour, with a tenth of the offers changed in between: each change is at its shop, no run failed."""
    before = max(call["seq"] for call in fleet.calls())
    changed = fleet.change_prices(share=0.1)
    wait_for(lambda: not _fresh(fleet), 300, "an hour of the shops: everything is due", every_s=1.0)
    fleet.round()
    calls = fleet.calls(before)
    asked = _asked(calls, DETAIL, "getCompetitivePricing")
    assert set() == _asked_twice(calls)
    listed = set(_asked(fleet.calls(), DETAIL))
    assert len(set(changed) & listed & set(asked)) >= 0.95 * len(set(changed) & listed)
    print(f"\n{len(changed)} changed, {len(set(changed) & set(asked))} of them were due, {len(calls)} calls")
    metrics = fleet.metrics()
    assert sum(metrics["ecauto_pushed_last_hour"].values()) > 0
    assert {0.0} == set(metrics["ecauto_lane_worked_on"].values())


def _fresh(fleet: ShopFleet) -> int:
    """ASINs whose stock nobody has to ask about yet."""
    an_hour_ago = "extract(epoch FROM now()) * 1000 - 60000"
    return int(fleet.postgresql.sql(f"SELECT count(*) FROM asins WHERE stock_at > {an_hour_ago}", fleet.state))


def test_usage_plans_are_kept(fleet: ShopFleet) -> None:
    """By the emulator's own count: no account got more than its plan, and next to nothing was refused."""
    buckets = fleet.ask("/emulator/stats")["buckets"]
    assert len({one["account"] for one in buckets}) >= len(fleet.lanes)
    assert [] == [one for one in buckets if one["allowed"] > one["allowance"]]
    assert sum(one["refused"] for one in buckets) <= 2 * len(buckets)


def test_there_is_one_register_and_one_state(fleet: ShopFleet) -> None:
    """What Amazon said stands in the register that all share; no machine made a state or a register of its own."""
    strays = [path for machine in fleet.workers.values() for path in machine.folder.rglob("*.db")]
    assert [] == [path for path in strays if path.name in ("state.db", "master.db")]
    filled = fleet.postgresql.sql("SELECT count(*) FROM products WHERE last_fetched_at IS NOT NULL", fleet.register)
    assert int(filled) > 900
    known = fleet.postgresql.sql("SELECT count(*) FROM asins WHERE status IS NOT NULL", fleet.state)
    assert int(known) > 900


def test_there_is_one_history(fleet: ShopFleet, tmp_path: Path) -> None:
    """The publisher carries what every lane's runs left to one place, each row once; no machine keeps Parquet."""
    fleet.ended(fleet.runs.submit("publish_history"))
    history = fleet.history(tmp_path)
    print(f"\n{history.answers} answers, {history.runs} runs in history")
    assert (history.ended, history.ended) == (history.runs, history.different_runs)
    assert history.answers == history.different_answers > 900
    assert 0 == history.unpublished_answers
    kept = [machine.folder.glob("data/history/**/*.parquet") for machine in fleet.workers.values()]
    assert [] == [path for found in kept for path in found]
