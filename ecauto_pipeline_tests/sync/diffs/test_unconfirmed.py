"""Nothing is on sale unconfirmed and unnoticed: counted, told with its reason, hidden where the owner wants it."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.unconfirmed import is_unconfirmed, unconfirmed
from ecauto_pipeline.sync.stale_asins.plan import policy_of
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


def test_what_is_found_by_old_answers_is_all_that_is_unconfirmed(tmp_path: Path) -> None:
    """Every age on either side of a limit, tier, row without an answer and listing there can be: the few that are
    looked at hold all that a look at each would find."""
    world = World(tmp_path)
    ages = (None, 2.9, 3.1, 17.9, 18.1, 71.9, 72.1, 2000.0)
    stock = [None if hours is None else _ago(hours) for hours in ages]
    demand = [None, _ago(24), _ago(20 * 24), _ago(60 * 24)]
    facts = list(product(("success", None), stock, demand, demand[:2]))
    rows = [(place, *one, seen, asked) for place, one in enumerate(facts) for seen in (2, 4, 100) for asked in (0, 1)]
    with world.state.write() as connection:
        listed = [
            {"platform": "base", "account_id": "shop_1", "item_id": str(number), "asin": f"B{number}"}
            | {"listed": int(place % 7 > 0), "shown_visible": int(place % 5 > 0), "first_seen_at": _ago(seen)}
            for number, (place, *_, seen, _asked) in enumerate(rows)
        ]
        connection.execute(insert(listings), listed)
        known = [
            {"asin": f"B{number}", "status": status, "stock_at": at, "last_sold_at": sold, "last_viewed_at": viewed}
            for number, (_, status, at, sold, viewed, _seen, asked) in enumerate(rows)
            if asked
        ]
        connection.execute(insert(asins), known)
    world.decide(world.run())
    with world.state.read() as connection:
        policy, shops = policy_of(world.tools), [AccountKey("base", "shop_1")]
        found = [one.key.item_id for one in unconfirmed(connection, shops, NOW, policy, 3)]
        of_each = select(listings.c.item_id).select_from(listings.outerjoin(asins, asins.c.asin == listings.c.asin))
        every = connection.execute(of_each.where(is_unconfirmed(NOW, policy, 3))).scalars().all()
    assert sorted(every) == sorted(found)
    assert 100 < len(found) < len(rows) - 100
