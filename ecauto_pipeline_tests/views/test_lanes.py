"""The lanes as `ecauto status` shows them: each by its own shops, and none where none is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from ecauto_pipeline.cli.status import show
from ecauto_pipeline.clock import ManualClock, to_ms
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.views.lanes import LaneNow, as_data, lanes_now
from ecauto_pipeline.views.status import gather
from ecauto_pipeline.wiring.open import open_tools

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "alerts": {"min_free_gb": 0.0},
    "base": {"accounts": [{"id": "tokyo"}, {"id": "osaka"}, {"id": "nara", "active": False}]},
    "sp_api": {"accounts": [{"id": "sp_1"}, {"id": "sp_2"}, {"id": "sp_3"}]},
    "lanes": [
        {"id": "east", "shops": ["tokyo"], "sp_accounts": ["sp_1"]},
        {"id": "west", "shops": ["osaka"], "sp_accounts": ["sp_2"]},
        {"id": "off", "shops": ["nara"], "sp_accounts": ["sp_3"]},
    ],
}


def test_each_lane_is_counted_by_its_own_shops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was never answered has no age, what never ran no time, and a lane of shops that are off no goods."""
    with open_tools(parse(DOCUMENT, tmp_path), clock=ManualClock(NOW), offline=True) as tools:
        with tools.state.write() as connection:
            rows = (("tokyo", "B000000001"), ("tokyo", "B000000002"), ("osaka", "B000000003"), ("nara", "B000000004"))
            keys = ("platform", "account_id", "item_id", "asin", "listed")
            connection.execute(insert(listings), [dict(zip(keys, ("base", s, a, a, 1), strict=True)) for s, a in rows])
            at = to_ms(NOW - timedelta(hours=2))
            stamps = dict.fromkeys(("price_at", "stock_at", "detail_at"), at)
            connection.execute(insert(asins), {"asin": "B000000001", "status": "success", "in_stock": 1, **stamps})
            run_book.begin(connection, "run", "stock_sync", "", NOW, False, "", "east")
        east, west, off = lanes_now(tools)
        document = gather(tools)
        show(document)
    assert LaneNow("east", ("tokyo",), ("sp_1",), 2, 1, 7200.0, NOW) == east
    assert LaneNow("west", ("osaka",), ("sp_2",), 1, 1, None, None) == west
    assert LaneNow("off", (), ("sp_3",), 0, 0, None, None) == off
    assert [as_data(one) for one in (east, west, off)] == document["lanes"]
    assert "east" in capsys.readouterr().out


def test_where_no_lanes_are_written_none_are_shown(tmp_path: Path) -> None:
    """One lane with everything is what the rest of status is about."""
    with open_tools(parse({}, tmp_path), clock=ManualClock(NOW), offline=True) as tools:
        assert () == lanes_now(tools)
        assert [] == gather(tools)["lanes"]
