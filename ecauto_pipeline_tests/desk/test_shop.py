"""The shop that the desk's tests look at is as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.sync.people.holds import list_holds
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.desk.shop import a_filled_shop


def test_one_price_waits_and_three_changes_were_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done to four ASINs between two runs is what the shop has to show."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    with open_tools(shop.settings, offline=True) as tools:
        held = {(row.key.account_id, row.key.item_id, row.asin) for row in list_holds(tools)}
        with tools.state.read() as connection:
            told = {
                name: connection.exec_driver_sql(
                    "select kind, outcome from journal where item_id = ? order by intent_at desc limit 1", (item[1],)
                ).one()
                for name, item in (("hidden", shop.hidden), ("dearer", shop.dearer), ("cheaper", shop.cheaper))
            }
    assert shop.held in held
    assert {"hidden": ("visibility", "done"), "dearer": ("price", "done"), "cheaper": ("price", "done")} == told
