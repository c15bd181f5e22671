"""What an edit that is read back says of the item besides how it ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from ecauto_pipeline.domain.model import AccountKey, Kind
from ecauto_pipeline.domain.selling.joining import RegisterSide
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.state.shop_accounts import load_account
from ecauto_pipeline.sync.base_updates.read_back import read_back_open_edits
from ecauto_pipeline.sync.listings.shop_items import read_items
from ecauto_pipeline_tests.sync.diffs.selling import World


@pytest.mark.parametrize("read_back", [False, True], ids=["read as ever", "read back before"])
def test_who_hid_an_item_is_the_same_whoever_reads_it_first(tmp_path: Path, read_back: bool) -> None:
    """We showed it, a reading has seen it on show, and somebody hides it in the shop and in master.db: a person, also
    where our edit was still open and its reading back is the first to see it."""
    world = World(tmp_path)
    world.list_item("1", 2580, cost_jpy=1984, visible=False, hidden_by="ours")
    register = {"1": RegisterSide(1, "B000000001", "listed", True, 2580)}

    def read() -> None:
        with world.state.read() as connection:
            known = load_account(connection, "base", "shop_1")
        read_items(world.tools, world.shop, known, lambda _items: register)
        world.read_shops()

    world.sync()
    if read_back:
        with world.state.write() as connection:
            connection.execute(update(journal).values(outcome=None, completed_at=None))
    world.later(minutes=30)
    read()
    assert ("", 1) == (world.listing("1")["hidden_by"], world.listing("1")["shown_visible"])
    world.later(minutes=5)
    world.shop.put("1", 2580, visible=False)
    register["1"] = RegisterSide(1, "B000000001", "listed", False, 2580)
    if read_back:
        ((edit, _),) = read_back_open_edits(world.tools, world.shop, lambda _fault: None)
        assert (AccountKey("base", "shop_1"), Kind.VISIBILITY) == (edit.key.account, edit.kind)
    world.later(minutes=5)
    read()
    assert "person" == world.listing("1")["hidden_by"]
