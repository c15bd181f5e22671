"""What the register is told after a push, and when; what keeps it from being told is never the run's failure."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.register_fall import RegisterCounts, believed_from
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.state import register_counts
from ecauto_pipeline.state.register_counts import Watched
from ecauto_pipeline.sync.base_updates.write_back import write_back
from ecauto_pipeline.sync.push_section import WriteBackReport
from ecauto_pipeline_tests.state.query_plans import Asked, noted, steps_of
from ecauto_pipeline_tests.sync.diffs.selling import HonestShop, World
from ecauto_pipeline_tests.sync.test_faults import any_error


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


def test_telling_goes_through_no_table_of_listings_or_asins(tmp_path: Path) -> None:
    """The register's rows behind what was edited were once looked for in every listing, once for 500 of them."""
    world = World(tmp_path)
    world.list_item("1", 2000, cost_jpy=1984)
    assert world.sync()[1].written_back.problem
    _register(world)
    asked = Asked()
    with noted(world.state, asked):
        assert WriteBackReport(1, 1) == write_back(world.tools)
    ways = {step.way for step in steps_of(world.state, asked, "listings", "asins", "journal")}
    assert "SEARCH listings USING INDEX sqlite_autoindex_listings_1 (platform=? AND account_id=? AND item_id=?)" in ways
    assert set() == {way for way in ways if "SCAN" in way}


def test_each_answer_is_told_once(tmp_path: Path) -> None:
    """A run without an answer rewrites nothing of master.db, however short a time after one with many; an answer whose
    time is before that of others is told all the same."""
    world = World(tmp_path)
    _register(world)
    world.list_item("1", 2580, cost_jpy=1984)
    counts = [world.sync()[1].written_back.products for _ in range(2)]
    earlier = to_ms(world.clock.now()) - 60_000
    world.list_item("2", 2580)
    world.amazon("B000000002", 1984, price_at=earlier, stock_at=earlier)
    counts += [world.sync()[1].written_back.products for _ in range(2)]
    assert [1, 0, 1, 0] == counts


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


class BreakingRegister(Register):
    """Raises an error that nobody foresaw over whatever is to be written."""

    def __init__(self, path: Path, error: Exception) -> None:
        super().__init__(path)
        self.error = error

    def write_back(self, *what: Any, **how: Any) -> int:
        raise type(self.error)(*self.error.args)  # a new one: each carries its own frames


def in_two_shops(folder: Path) -> World:
    """A rise to be sent in each of two shops, and their rows in the register."""
    world = World(folder, HonestShop("shop_1"), HonestShop("shop_2"))
    rows = []
    for shop in (0, 1):
        asin = world.list_item(str(shop + 1), 2000, cost_jpy=1984, shop=shop)
        row = {"id": shop + 1, "asin": asin, "platform": "base", "account_id": f"shop_{shop + 1}", "status": "listed"}
        rows.append({**row, "platform_item_id": str(shop + 1), "sku": str(shop), "selling_price": 2000})
    Register.create(world.master, [{"asin": row["asin"]} for row in rows], rows)
    return world


def prices(world: World) -> list[float]:
    with closing(sqlite3.connect(world.master)) as database:
        return [price for (price,) in database.execute("SELECT selling_price FROM listings ORDER BY id")]


class Killed(BaseException):
    pass


class KilledAtRegister(Register):
    """The process ends as it hands over for the n-th time: before anything of it is written, or after all of it is."""

    def __init__(self, path: Path, at: int, written: bool) -> None:
        super().__init__(path)
        self.at, self.written = at, written

    def write_back(self, *what: Any, **how: Any) -> int:
        self.at -= 1
        done = super().write_back(*what, **how) if self.at or self.written else 0
        if self.at == 0:
            raise Killed
        return done


def _owing(folder: Path) -> World:
    """Two edits and two answers that the register was not told of."""
    world = in_two_shops(folder)
    whole = world.tools
    world.tools = replace(whole, register=BreakingRegister(world.master, ValueError()))
    world.sync()
    world.tools = whole
    return world


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_told_by_parts_the_register_is_what_all_at_once_leaves(tmp_path: Path, at_once: int) -> None:
    """Each edit and each answer is told once, whatever is told at once; then nothing is news."""
    world = _owing(tmp_path)
    assert WriteBackReport(2, 2) == write_back(world.tools, at_once)
    assert [2580, 2580] == prices(world)
    assert WriteBackReport() == write_back(world.tools, at_once)


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_killed_between_two_parts_nothing_is_lost(tmp_path: Path, at: int, written: bool) -> None:
    """What was told and noted is not told again, what was under way is, and the register ends as without the kill."""
    world = _owing(tmp_path)
    with pytest.raises(Killed):
        write_back(replace(world.tools, register=KilledAtRegister(world.master, at, written)), 1)
    later = write_back(world.tools, 1)
    assert 4 - (at - 1) == later.listings + later.products
    assert [2580, 2580] == prices(world)
    assert WriteBackReport() == write_back(world.tools, 1)


@any_error
def test_an_error_nobody_foresaw_is_this_step_s_state(tmp_path: Path, error: Exception) -> None:
    """The edits are sent and stay owed to the register; type and place are told, in both languages, no message is; the
    next run that can writes them."""
    world = in_two_shops(tmp_path)
    whole = world.tools
    world.tools = replace(whole, register=BreakingRegister(world.master, error))
    account, report = world.sync()
    assert 2 == account.pushed
    for said in (report.written_back.problem, report.written_back.problem_ja):
        assert type(error).__name__ in said
        assert "base_updates.write_back:" in said
        assert "secret" not in said
    world.tools = whole
    world.sync()
    assert [2580, 2580] == prices(world)


def test_a_shop_whose_register_is_not_believed_is_not_written_to(tmp_path: Path) -> None:
    """Its rows may be others by now: its edits wait and are written when it is believed again; the other's are not
    kept waiting."""
    world = in_two_shops(tmp_path)
    shop, now = AccountKey("base", "shop_1"), world.clock.now()
    believed = believed_from(RegisterCounts(1), now)
    with world.state.write() as connection:
        register_counts.save(connection, shop, Watched(believed, RegisterCounts(0)))
    account, _ = world.sync()
    assert (2, [2000, 2580]) == (account.pushed, prices(world))
    with world.state.write() as connection:
        register_counts.save(connection, shop, Watched(believed))
    world.sync()
    assert [2580, 2580] == prices(world)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_busy_register_is_said_in_the_reader_s_language(tmp_path: Path, language: str) -> None:
    """No English in a Japanese sentence."""
    world = in_two_shops(tmp_path)
    with closing(sqlite3.connect(world.master)) as other:
        other.execute("BEGIN IMMEDIATE")
        _, report = world.sync()
    said = {"ja": report.written_back.problem_ja, "en": report.written_back.problem}[language]
    assert {"ja": "ほかのプログラムが使っています", "en": "another program holds it"}[language] in said


@pytest.mark.parametrize("how", ["ABORT", "ROLLBACK"])
def test_a_row_that_takes_nothing_keeps_no_other_from_being_written(tmp_path: Path, how: str) -> None:
    """A rule of the owner's own refuses one row: it is named and stays owed, all others are written; once the rule is
    gone the row is written too."""
    world = in_two_shops(tmp_path)
    rule = f"CREATE TRIGGER mine BEFORE UPDATE ON listings WHEN new.id = 1 BEGIN SELECT RAISE({how}, 'no'); END"
    with closing(sqlite3.connect(world.master)) as database:
        database.execute(rule)
    _, report = world.sync()
    assert [2000, 2580] == prices(world)
    assert "listings 1 (SQLITE_CONSTRAINT_TRIGGER)" in report.written_back.problem
    assert "listings 1 (SQLITE_CONSTRAINT_TRIGGER)" in report.written_back.problem_ja
    with closing(sqlite3.connect(world.master)) as database:
        database.execute("DROP TRIGGER mine")
    _, report = world.sync()
    assert ("", [2580, 2580]) == (report.written_back.problem, prices(world))
