"""What the register is told after a push, and when."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ecauto_pipeline.register.master import Register
from ecauto_pipeline_tests.sync.diffs.selling import World


def _register(world: World) -> None:
    Register.create(
        world.master,
        [{"asin": "B000000001", "amazon_price_jpy": 1000, "amazon_in_stock": 1, "title_ja": "品"}],
        [
            {
                "id": 1,
                "asin": "B000000001",
                "platform": "base",
                "account_id": "shop_1",
                "platform_item_id": "1",
                "sku": "b-B000000001-20251101000000",
                "selling_price": 2000,
                "status": "listed",
                "visibility": "public",
            }
        ],
    )


def _told(world: World) -> tuple[object, ...]:
    with closing(sqlite3.connect(world.master)) as database:
        listing = database.execute("SELECT selling_price, visibility FROM listings").fetchone()
        product = database.execute("SELECT amazon_price_jpy, amazon_in_stock, title_ja FROM products").fetchone()
    return (*listing, *product)


def test_the_register_is_told_what_was_done_and_nothing_else(tmp_path: Path) -> None:
    """After a push: selling_price, Amazon's price and stock; a dry run tells it nothing; a second run has no news."""
    world = World(tmp_path)
    _register(world)
    world.list_item("1", 2000, cost_jpy=1984)
    world.sync(dry_run=True)
    assert (2000, "public", 1000, 1, "品") == _told(world)
    _, report = world.sync()
    assert (2580, "public", 1984, 1, "品") == _told(world)
    assert (1, 1, "") == (report.written_back.listings, report.written_back.products, report.written_back.problem)


def test_a_busy_register_delays_the_news_to_the_next_run(tmp_path: Path) -> None:
    """Another program holds master.db: reported, the push stands, the next run writes it."""
    world = World(tmp_path)
    _register(world)
    world.list_item("1", 2000, cost_jpy=1984)
    with closing(sqlite3.connect(world.master)) as other:
        other.execute("BEGIN IMMEDIATE")
        account, report = world.sync()
    assert 1 == account.pushed
    assert "another program" in report.written_back.problem
    _, report = world.sync()
    assert ("", 2580) == (report.written_back.problem, _told(world)[0])
