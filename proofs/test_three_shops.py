"""A healthy shop waits for no other: beside a restricted one and a slow one that runs out of calls it takes the edits
that it takes alone, and is done before the slow one has answered once. Prints both times."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.scenarios.picking import seen
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

EDITS = 150
SLOW_S = 20.0
"""How long the slow shop takes to answer one edit; all of the healthy one's come before."""


def _seconds(folder: Path, troubled: bool) -> tuple[float, int]:
    """From the first edit that a shop saw to the last one of the healthy shop, and how many that shop took."""
    with EmulatorServer(seed=5, listings=900, accounts=4, speed=1000.0) as emulator:
        day = ShopDay(folder, emulator)
        restricted, spent, healthy = day.accounts[:3]
        day.run()
        for account in (restricted, spent, healthy):
            items = [item for item in day.control.items(account) if item["visible"] and item["editable"]]
            for item in items[:EDITS]:
                day.control.edit_item(account, item["item_id"], price_jpy=item["price_jpy"] * 8 // 10)
        day.run(push=False)
        if troubled:
            day.control.add_faults({"kind": "access_denied", "account": restricted})
            day.control.add_faults({"kind": "hour_api_limit", "account": spent, "operation": "items/edit", "after": 2})
            day.control.add_faults({"kind": "slow", "account": spent, "operation": "items/edit", "seconds": SLOW_S})
        since = seen(day)
        day.run(accounts=() if troubled else (AccountKey("base", healthy),))
        times = [
            (call["account"], datetime.fromisoformat(call["at"])) for call in day.edits(since) if call["http_status"]
        ]
    own = [at for account, at in times if account == healthy]
    return (max(own) - min(at for _, at in times)).total_seconds(), len(own)


def test_a_healthy_shop_waits_for_no_other(tmp_path: Path) -> None:
    """A refused, B cut off and slow: C's edits are as many, and all have left before B answered the first."""
    alone, edits = _seconds(tmp_path / "alone", troubled=False)
    beside, same = _seconds(tmp_path / "beside", troubled=True)
    print(f"\n{edits} edits alone in {alone:.2f} s, {same} beside troubled shops in {beside:.2f} s")
    assert edits == same > 50
    assert beside < SLOW_S
