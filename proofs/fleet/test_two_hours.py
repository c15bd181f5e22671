"""Two hours of twelve shops on three workers in four lanes, an hour a minute: as one machine would have kept them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from proofs.fleet.shop_fleet import ShopFleet

DETAIL = ("getItemOffersBatch", "getItemOffers")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopFleet]:
    with ExitStack() as stack:
        yield ShopFleet(tmp_path_factory.mktemp("shops"), stack)


def _asked(calls: list[dict[str, object]], *operations: str) -> Counter[str]:
    """How often each ASIN was asked about, in calls that were answered."""
    counted: Counter[str] = Counter()
    for call in calls:
        if call["operation"] in operations and call["http_status"] == 200:
            details = call["details"]
            assert isinstance(details, dict)
            counted.update(details.get("asins", []))
    return counted


def test_the_first_hour_asks_about_every_asin_once(fleet: ShopFleet) -> None:
    """Four runs at once over three machines: no ASIN is asked for its offers twice, also where lanes share it."""
    began = time.monotonic()
    fleet.round()
    calls = fleet.calls()
    asked = _asked(calls, "getItemOffersBatch")
    print(f"\n{len(asked)} ASINs in {time.monotonic() - began:.0f} s, {len(calls)} calls")
    assert {} == {asin: times for asin, times in asked.items() if times > 1}
    listed = {row["asin"] for row in fleet.ask("/emulator/register")["listings"] if row["status"] == "listed"}
    assert 0.9 * len(listed) < len(asked) <= len(listed)


def test_usage_plans_are_kept(fleet: ShopFleet) -> None:
    """By the emulator's own count: nothing was refused for going too fast."""
    assert {} == {
        f"{one['account']} {one['operation']}": one["refused"]
        for one in fleet.ask("/emulator/stats")["buckets"]
        if one["refused"]
    }
