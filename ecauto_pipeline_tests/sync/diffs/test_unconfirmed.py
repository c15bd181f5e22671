"""Nothing is on sale unconfirmed and unnoticed: counted, told with its reason, hidden where the owner wants it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline_tests.sync.diffs.selling import NOW, World


def _ago(hours: float) -> int:
    return to_ms(NOW - timedelta(hours=hours))


@pytest.mark.parametrize(
    ("facts", "listing", "expected"),
    [
        ({"stock_at": _ago(71.9)}, {}, 0),  # low tier: three times 24 hours
        ({"stock_at": _ago(72.1)}, {}, 1),
        ({"stock_at": _ago(3.1), "last_sold_at": _ago(24)}, {}, 1),  # high tier: three times one hour
        ({"stock_at": _ago(17.9), "last_viewed_at": _ago(24)}, {}, 0),  # medium tier: three times six
        ({"stock_at": _ago(18.1), "last_viewed_at": _ago(24)}, {}, 1),
        ({"status": None, "stock_at": None}, {"first_seen_at": _ago(72.1)}, 1),  # never answered
        ({"status": None, "stock_at": None}, {"first_seen_at": _ago(71)}, 0),
        ({"stock_at": _ago(100)}, {"shown_visible": 0}, 0),
        ({"stock_at": _ago(100)}, {"listed": 0}, 0),
    ],
)
def test_what_is_on_show_and_not_confirmed_is_counted(
    tmp_path: Path, facts: dict[str, Any], listing: dict[str, Any], expected: int
) -> None:
    """Three times what its tier allows since Amazon's last answer that counts, or since we first saw the listing."""
    world = World(tmp_path)
    world.list_item("1", 2580)
    world.amazon("B000000001", 1984, **{"error_reason": "merged", **facts})
    world.change("1", **{"listed": 1, **listing})
    report = world.decide(world.run())
    assert expected == report.unconfirmed
    assert [("1", "B000000001", "merged")] * expected == [
        (item, asin, reason) for _, item, asin, _, reason in report.unconfirmed_worst
    ]


def test_it_is_hidden_by_us_and_comes_back_when_amazon_confirms(tmp_path: Path) -> None:
    """With `hide_unconfirmed_after`: one hide of ours, nothing more while it lasts, shown again by itself."""
    world = World(tmp_path, guards={"hide_unconfirmed_after": "72h"})
    world.list_item("1", 2580)
    world.amazon("B000000001", 1984, stock_at=_ago(73))
    account, report = world.sync()
    assert ([("1", "visibility", 0)], 1) == (world.shop.edits, account.pushed)
    assert ("ours", "unconfirmed") == tuple(world.listing("1")[name] for name in ("hidden_by", "hidden_reason"))
    assert (None, 0) == (report.oldest_pushed_data_s, world.sync()[1].edits)
    world.amazon("B000000001", 1984)
    world.sync()
    assert [("1", "visibility", 1)] == world.shop.edits[1:]
