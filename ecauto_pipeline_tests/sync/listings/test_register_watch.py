"""A register that shrinks, can't be read or makes no sense: nothing is concluded from it, and it is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.state import register_counts
from ecauto_pipeline.sync.people.register_counts import accept
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.sync.listings.shop_bench import NOON, ShopBench

ONE, TWO = "base_account_1", "base_account_2"
SIDE = ("item_id", "asin", "register_id", "register_status", "register_visible", "register_price_jpy", "listed")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[EmulatorServer, ManualClock]]:
    clock = ManualClock(NOON)
    with EmulatorServer(clock=clock, seed=1, listings=220, accounts=2) as emulator:
        yield emulator, clock


@pytest.fixture
def bench(server: tuple[EmulatorServer, ManualClock], tmp_path: Path) -> Iterator[ShopBench]:
    emulator, clock = server
    clock.set(NOON)
    emulator.control.reset(seed=1)
    yield ShopBench.at(tmp_path, emulator, clock, (ONE, TWO))
    emulator.control.clear_faults()


def known(bench: ShopBench, account: str = ONE) -> set[tuple[Any, ...]]:
    """What state holds of a shop's listings from the register."""
    return {tuple(getattr(row, name) for name in SIDE) for row in bench.rows() if row.account_id == account}


def listed(bench: ShopBench, account: str = ONE) -> int:
    return sum(row.listed for row in bench.rows() if row.account_id == account)


LOSSES = {
    "half of its rows": "DELETE FROM listings WHERE account_id = ? AND id % 2 = 0",
    "every row": "DELETE FROM listings WHERE account_id = ?",
    "its name": "UPDATE listings SET account_id = 'another' WHERE account_id = ?",
    "what they are": "UPDATE listings SET status = '' WHERE account_id = ?",
    "their ASINs": "UPDATE listings SET asin = 'x' || id WHERE account_id = ?",
    "their item ids": "UPDATE listings SET platform_item_id = NULL WHERE account_id = ?",
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_shop_that_loses_its_rows_keeps_what_was_known(bench: ShopBench, loss: str) -> None:
    """Whatever the register loses of one shop: none of its listings leaves, no side becomes NULL, it is told with rows;
    the other shop is joined with what the register says now."""
    bench.read()
    before, number = known(bench), listed(bench)
    bench.owner_writes(LOSSES[loss], ONE)
    bench.owner_writes("UPDATE listings SET selling_price = 4321 WHERE account_id = ?", TWO)
    report = bench.read()
    assert (before, number) == (known(bench), listed(bench))
    assert {(ONE, "listed")} == {(one.account, one.figure) for one in report.register.falls}
    assert all(item and asin for item, asin in report.register.falls[0].examples)
    assert report.register.falls[0].examples
    assert {4321} == {row[5] for row in known(bench, TWO) if row[2]}


def test_a_title_column_that_empties_is_not_believed(bench: ShopBench) -> None:
    """The column gone or empty: told by its name, for every shop that had titles; what was joined stays."""
    bench.read()
    before = known(bench)
    bench.owner_writes("UPDATE products SET title_ja = ''")
    bench.owner_writes("UPDATE listings SET selling_price = 4321")
    report = bench.read()
    assert {(ONE, "title_ja"), (TWO, "title_ja")} == {(one.account, one.figure) for one in report.register.falls}
    assert before == known(bench)


def test_a_small_loss_is_believed(bench: ShopBench) -> None:
    """Fewer than twenty rows leave: they are unlisted as ever, and nobody is called."""
    bench.read()
    number = listed(bench)
    bench.owner_writes(
        "DELETE FROM listings WHERE id IN (SELECT id FROM listings WHERE account_id = ?"
        " AND status = 'listed' AND platform_item_id IS NOT NULL LIMIT 19)",
        ONE,
    )
    assert () == bench.read().register.falls
    assert number - 19 <= listed(bench) < number


def test_a_fall_stands_until_the_rows_are_back(bench: ShopBench) -> None:
    """Each run holds the register against the count from before the fall, and goes on when it is whole again."""
    bench.read()
    before = known(bench)
    bench.owner_writes(LOSSES["its name"], ONE)
    for _ in range(3):
        bench.clock.advance(25 * 3600)
        fall = bench.read().register.falls[0]
        assert (before, ONE) == (known(bench), fall.account)
        assert 0 == fall.now < fall.before
    bench.owner_writes("UPDATE listings SET account_id = ? WHERE account_id = 'another'", ONE)
    bench.owner_writes("UPDATE listings SET selling_price = 4321 WHERE account_id = ?", ONE)
    assert () == bench.read().register.falls
    assert {4321} == {row[5] for row in known(bench) if row[2]}


def test_a_fall_in_portions_is_one_fall(bench: ShopBench) -> None:
    """Portions that each are small enough, within a day: the one that makes a fifth of the shop is not believed."""
    bench.read()
    falls = []
    for _ in range(4):
        bench.clock.advance(3600)
        portion = "SELECT id FROM listings WHERE account_id = ? AND status IN ('listed', 'active') LIMIT 12"
        bench.owner_writes(f"DELETE FROM listings WHERE id IN ({portion})", ONE)
        falls.append(len(bench.read().register.falls))
    assert [0, 0] == falls[:2]
    assert 1 == falls[-1]


def test_what_a_person_accepted_is_believed_from_the_next_run_on(bench: ShopBench) -> None:
    """The rows that left are unlisted then, in that shop alone; what falls after the yes is a new fall."""
    bench.read()
    number = listed(bench)
    for shop in (ONE, TWO):
        bench.owner_writes(LOSSES["half of its rows"], shop)
    assert 2 == len(bench.read().register.falls)
    both = {one: listed(bench, one) for one in (ONE, TWO)}
    accepted = accept(bench.tools, AccountKey("base", ONE), "tanaka")
    assert [("listed", accepted[0].before)] == [(one.figure, number) for one in accepted[:1]]
    assert {TWO} == {one.account for one in bench.read().register.falls}
    assert (both[ONE] > listed(bench) > 0, both[TWO]) == (True, listed(bench, TWO))
    bench.owner_writes(LOSSES["every row"], ONE)
    left = listed(bench)
    assert {ONE, TWO} == {one.account for one in bench.read().register.falls}
    assert left == listed(bench)


def test_a_dry_run_believes_no_more_than_a_live_one(bench: ShopBench) -> None:
    """It keeps what was known, and leaves what is remembered of the register to a live run."""
    bench.read()
    before = known(bench)
    bench.owner_writes(LOSSES["every row"], ONE)
    assert ONE == bench.read(dry_run=True).register.falls[0].account
    with bench.tools.state.read() as connection:
        assert {} == register_counts.fallen(connection)
    assert before == known(bench)


def test_what_the_shop_and_the_blocklist_say_counts_all_the_same(bench: ShopBench) -> None:
    """While the register is not believed: an item that BASE lost leaves, a forbidden ASIN is marked."""
    bench.read()
    first, second = [row for row in bench.rows() if row.account_id == ONE and row.listed][:2]
    bench.owner_writes(LOSSES["every row"], ONE)
    bench.emulator.control.delete_item(ONE, int(first.item_id))
    bench.tools.settings.blocklist.write_text(f'["{second.asin}"]', encoding="utf-8")
    bench.clock.advance(24 * 3600)
    bench.read()
    assert (0, "no_item") == (bench.listing(first.item_id).listed, bench.listing(first.item_id).orphan)
    assert (1, 1) == (bench.listing(second.item_id).listed, bench.listing(second.item_id).blocked)


def test_an_installation_of_an_earlier_version_is_watched_from_its_first_run(bench: ShopBench) -> None:
    """Where nothing was counted yet, what was joined last is what is believed."""
    bench.read()
    before = known(bench)
    with bench.tools.state.write() as connection:
        connection.exec_driver_sql("UPDATE shop_accounts SET register_counts = ''")
    bench.owner_writes(LOSSES["every row"], ONE)
    assert "listed" == bench.read().register.falls[0].figure
    assert before == known(bench)


def damaged(path: Path) -> None:
    """The first page, with the tables' names, is sound; what follows is not."""
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    path.write_bytes(content)


def altered(statement: str) -> Callable[[Path], None]:
    def alter(path: Path) -> None:
        with sqlite3.connect(path) as database:
            database.execute(statement)
        database.close()

    return alter


TROUBLES: dict[str, Callable[[Path], object]] = {
    "damaged": damaged,
    "no database": lambda path: path.write_bytes(b"this is no database" * 300),
    "empty": lambda path: path.write_bytes(b""),
    "no table": altered("DROP TABLE listings"),
    "no column": altered("ALTER TABLE listings RENAME COLUMN status TO state"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_register_that_can_not_be_read_changes_nothing(bench: ShopBench, trouble: str) -> None:
    """Damaged, no database, without a table or column: every shop is read and goes on with what was known; the report
    names the file in both languages."""
    bench.read()
    before = known(bench) | known(bench, TWO)
    TROUBLES[trouble](bench.tools.settings.master_db)
    bench.clock.advance(600)
    report = bench.read()
    assert report.register.trouble is not None
    assert not report.register.trouble.waits
    assert "master.db" in report.register.trouble.ja
    assert "master.db" in report.register.trouble.en
    assert before == known(bench) | known(bench, TWO)
    assert {ONE, TWO} == set(report.modes)


def test_a_register_that_another_program_holds_changes_nothing(bench: ShopBench) -> None:
    """Locked for longer than we wait: as above, and said to be a matter of waiting."""
    bench.read()
    before = known(bench)
    path = bench.tools.settings.master_db
    bench.tools = replace(bench.tools, register=Register(path, busy_timeout_s=0.02))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    report = bench.read()
    other.close()
    assert report.register.trouble is not None
    assert report.register.trouble.waits
    assert before == known(bench)
    assert bench.read().register.trouble is None


def hidden_by(bench: ShopBench) -> dict[tuple[str, str], str]:
    return {(row.account_id, row.item_id): row.hidden_by for row in bench.rows() if row.shown_visible == 0}


def test_who_hid_what_is_first_seen_while_the_register_is_held_is_said_once_it_can_be_asked(
    bench: ShopBench, server: tuple[EmulatorServer, ManualClock], tmp_path: Path
) -> None:
    """Until then nobody is named; a person's name, said too early, would keep what the owner's scripts hid hidden."""
    emulator, clock = server
    undisturbed = ShopBench.at(tmp_path / "undisturbed", emulator, clock, (ONE, TWO))
    undisturbed.read()
    path = bench.tools.settings.master_db
    free, bench.tools = bench.tools, replace(bench.tools, register=Register(path, busy_timeout_s=0.02))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        bench.read()
    assert {""} == set(hidden_by(bench).values())
    bench.tools = free
    bench.read()
    assert {"owner_scripts", "person"} <= set(hidden_by(undisturbed).values())
    assert hidden_by(undisturbed) == hidden_by(bench)


def test_a_sale_that_is_yet_to_come_is_none(bench: ShopBench) -> None:
    """A time of the register years ahead makes nobody a best seller for ever."""
    bench.read()
    asin = next(row.asin for row in bench.rows() if row.listed)
    bench.owner_writes("ALTER TABLE products ADD COLUMN last_sold_at")
    bench.owner_writes("UPDATE products SET last_sold_at = '2999-01-01T00:00:00' WHERE asin = ?", asin)
    bench.read()
    found = bench.asin(asin)
    assert (
        found is None
        or found.last_sold_at is None
        or found.last_sold_at < (NOON + timedelta(days=1)).timestamp() * 1000
    )


ODD = st.one_of(
    st.none(),
    st.sampled_from(
        ["", " ", "\0", "-5", "1e400", "NaN", "listed\0", "2026-99-99", "9999-12-31T23:59:59", "0001-01-01 00:00:00"]
    ),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.binary(max_size=12),
    st.text(max_size=12),
    st.binary(max_size=6).map(lambda data: ("as text", data)),
)
COLUMNS = {
    "listings": ("platform_item_id", "selling_price", "in_stock_quantity", "status", "visibility", "sku", "account_id"),
    "products": (
        "amazon_price_jpy",
        "amazon_in_stock",
        "last_fetched_at",
        "title_ja",
        "last_sold_at",
        "last_viewed_at",
    ),
}


@settings(max_examples=examples(2), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_absurd_rows_are_those_rows_alone(bench: ShopBench, data: st.DataObject) -> None:
    """Whatever stands in whichever column of a few rows of either table, of any type, bytes that are no text too: the
    run reads to its end, and every other listing is what it was."""
    if not bench.runs:
        for column in ("last_sold_at", "last_viewed_at"):
            bench.owner_writes(f"ALTER TABLE products ADD COLUMN {column}")
        bench.read()
        bench.sound_rows = _sound_rows(bench)  # once: the draws of one example must not follow from the one before
    rows = bench.sound_rows
    with sqlite3.connect(bench.tools.settings.master_db) as database:
        chosen = data.draw(st.lists(st.sampled_from(rows), min_size=1, max_size=12, unique=True))
        spoiled = {str(item) for _, _, item in chosen}
        for number, product, _ in chosen:
            for table, row in (("listings", number), ("products", product)):
                column, value = data.draw(st.sampled_from(COLUMNS[table])), data.draw(ODD)
                what = "CAST(? AS TEXT)" if isinstance(value, tuple) else "?"
                value = value[1] if isinstance(value, tuple) else value
                try:
                    database.execute(f"UPDATE {table} SET {column} = {what} WHERE rowid = ?", (value, row))
                except (sqlite3.IntegrityError, UnicodeEncodeError):
                    continue
    database.close()
    before = {row for row in known(bench) if row[0] not in spoiled}
    bench.untouched = (bench.untouched or before) & before
    report = bench.read()
    assert report.register.trouble is None
    assert () == report.faults
    assert bench.untouched <= known(bench)


def _sound_rows(bench: ShopBench) -> list[tuple[int, int, str]]:
    """(listing, product, item) of some rows that nobody has spoiled."""
    with closing(sqlite3.connect(bench.tools.settings.master_db)) as database:
        return database.execute(
            "SELECT l.id, p.rowid, l.platform_item_id FROM listings l JOIN products p USING (asin)"
            " WHERE account_id = ? AND platform_item_id <> '' ORDER BY l.id LIMIT 40",
            (ONE,),
        ).fetchall()


def test_an_absurd_row_is_named_with_its_place(bench: ShopBench) -> None:
    """Table, row, column and value; what the register never said is no fault."""
    bench.read()
    row = next(row for row in bench.rows() if row.account_id == ONE and row.listed)
    bench.owner_writes("UPDATE listings SET selling_price = -5 WHERE id = ?", row.register_id)
    bench.owner_writes("INSERT INTO products (asin, title_ja) VALUES (x'42', 'x')")
    bench.owner_writes("UPDATE listings SET selling_price = NULL WHERE id = ?", row.register_id + 1)
    report = bench.read()
    expected = {("listings", str(row.register_id), "selling_price", "-5.0"), ("products", "b'B'", "asin", "b'B'")}
    assert (2, expected) == (report.register.odd, set(report.register.odd_examples))
    assert 1 == bench.listing(int(row.item_id)).listed
