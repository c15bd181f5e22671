"""A register that is what it was is not read again, and every listing stands as if it had been."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from ecauto_pipeline.clock import ManualClock, to_ms
from ecauto_pipeline.domain.model import AccountKey, Kind, ListingKey
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.shops.protocol import Item, Sale, key_of
from ecauto_pipeline.state.schema import asins, listings, shop_accounts
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.state.shown import record_edit
from ecauto_pipeline.sync.base_updates.write_back import write_back
from ecauto_pipeline.sync.listings import read
from ecauto_pipeline.sync.run_record import begin_run
from ecauto_pipeline.sync.sections import ListingsReport
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.sync.diffs.selling import NOW, HonestShop, World

ONE, TWO = AccountKey("base", "shop_1"), AccountKey("base", "shop_2")
ITEMS = ("1001", "1002", "1003", "1004")
SIDES = (
    *("platform", "account_id", "item_id", "identifier", "asin", "register_id", "register_status"),
    *("register_visible", "register_price_jpy", "orphan", "listed", "blocked", "present", "delist"),
    *("shown_price_jpy", "shown_visible", "hidden_by", "price_by_hand", "item_rules", "revision"),
)
ROW = "INSERT INTO listings (asin, platform, account_id, platform_item_id, status, visibility, selling_price)"


class Died(BaseException):
    """The process ends here."""


class ShopThatDies(HonestShop):
    """Honest; ends the process at its next call of `dies`, "" = never."""

    dies = ""

    def _live(self, call: str) -> None:
        if self.dies == call:
            raise Died

    def items(self, modified_since: datetime | None = None) -> Iterator[list[Item]]:
        self._live("items")
        yield from super().items(modified_since)

    def sales(self, since: datetime, until: datetime | None = None) -> list[Sale]:
        self._live("sales")
        return super().sales(since, until)

    def token_file_problem(self) -> str:
        self._live("report")
        return ""


def asin_of_item(item: str) -> str:
    return f"B{int(item):09d}"


class TwoShops:
    """One installation over two shops: its own state and its own master.db; the shops may be others' too."""

    def __init__(self, folder: Path, clock: ManualClock, *shops: ShopThatDies) -> None:
        folder.mkdir()
        self.world = World(folder, *shops, clock=clock)
        with self.world.state.write() as connection:
            connection.execute(shop_accounts.delete())
        later = Register(self.world.master, 0.02, wall_s=lambda: time.time() + 60)
        self.world.tools = replace(self.world.tools, register=later)
        Register.create(self.world.master, [{"asin": asin_of_item(one), "title_ja": "品"} for one in ITEMS], [])
        for one in ITEMS:
            self.owner(f"{ROW} VALUES (?, 'base', 'shop_1', ?, 'listed', 'public', 1300)", asin_of_item(one), one)
        self.owner("ALTER TABLE products ADD COLUMN last_sold_at TEXT")

    def owner(self, statement: str, *values: Any) -> None:
        """Another program changes master.db."""
        with closing(sqlite3.connect(self.world.master)) as database, database:
            database.execute(statement, values)

    def read(self, **run: Any) -> ListingsReport:
        context = self.world.tools.for_run(self.world.run(**run))
        begin_run(context)
        return read.run(context)

    def sides(self) -> list[tuple[Any, ...]]:
        with self.world.state.read() as connection:
            rows = connection.execute(select(*(listings.c[name] for name in SIDES)))
            return sorted((tuple(row) for row in rows), key=repr)

    def sold(self) -> list[tuple[Any, ...]]:
        with self.world.state.read() as connection:
            known = select(asins.c.asin, asins.c.last_sold_at).where(asins.c.last_sold_at.is_not(None))
            return sorted(map(tuple, connection.execute(known)))


def shops() -> tuple[ShopThatDies, ShopThatDies]:
    one, two = ShopThatDies("shop_1"), ShopThatDies("shop_2")
    for item in ITEMS:
        one.put(item, 1300)
    return one, two


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[TwoShops]:
    """Four items that were joined with all of master.db a minute ago."""
    made = TwoShops(tmp_path / "one", ManualClock(NOW), *shops())
    assert made.read().register.unchanged_since is None
    made.world.later(minutes=1)
    yield made
    made.world.state.close()


def since(report: ListingsReport) -> datetime | None:
    return report.register.unchanged_since


def test_what_has_not_changed_is_not_read_and_is_told_as_of_then(installed: TwoShops) -> None:
    """Its counts and odd values are those of the last reading, with its time; nothing of it is said of today."""
    installed.owner("UPDATE products SET last_sold_at = 'never' WHERE asin = ?", asin_of_item("1001"))
    first, at = installed.read(), installed.world.clock.now()
    installed.world.later(minutes=10)
    second = installed.read()
    assert (None, at) == (since(first), since(second))
    assert replace(second.register, unchanged_since=None) == first.register
    assert (1, 4) == (first.register.odd, first.register.counts["shop_1"].listed)


def replaced(one: TwoShops) -> None:
    """By a copy with another price, of the same size."""
    other = one.world.folder / "other.db"
    shutil.copyfile(one.world.master, other)
    with closing(sqlite3.connect(other)) as database, database:
        database.execute("UPDATE listings SET selling_price = 1400")
    other.replace(one.world.master)


def copied_over(one: TwoShops) -> None:
    """A copy into the same file, its time set back to what it was."""
    other = one.world.folder / "other.db"
    shutil.copy2(one.world.master, other)
    one.world.master.write_bytes(other.read_bytes())
    shutil.copystat(other, one.world.master)


def in_wal(one: TwoShops) -> None:
    """A commit that stands beside the file, in its log, while another program keeps it open."""
    one.owner("PRAGMA journal_mode = WAL")
    one.read()
    one.world.later(minutes=1)
    one.read()
    kept = sqlite3.connect(one.world.master, isolation_level=None)
    kept.execute("UPDATE listings SET selling_price = 1400")
    KEPT_OPEN.append(kept)


def set_back(one: TwoShops) -> None:
    """The machine's clock, by three hours."""
    assert isinstance(one.world.clock, ManualClock)
    one.world.clock.set(one.world.clock.now() - timedelta(hours=3))


def forbidden(one: TwoShops) -> None:
    """One of the ASINs is on the blocklist now."""
    one.world.settings.blocklist.parent.mkdir(exist_ok=True)
    one.world.settings.blocklist.write_text(f'["{asin_of_item("1002")}"]')


KEPT_OPEN: list[sqlite3.Connection] = []


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.owner("UPDATE listings SET status = 'sold' WHERE platform_item_id = '1001'"),
        replaced,
        copied_over,
        in_wal,
        lambda one: one.world.later(hours=23, minutes=30),
        set_back,
        forbidden,
        lambda one: one.world.shop.put("1005", 1300),
    ],
    ids=["written", "replaced", "copied over", "log", "a day", "clock set back", "blocklist", "new item"],
)
def test_it_is_read_where_it_may_be_another_or_something_new_is_asked(
    installed: TwoShops, change: Callable[[TwoShops], object]
) -> None:
    """And once a day; afterwards not again."""
    change(installed)
    assert since(installed.read()) is None
    installed.world.later(minutes=1)
    assert since(installed.read()) is not None
    while KEPT_OPEN:
        KEPT_OPEN.pop().close()


def test_it_is_read_on_request(installed: TwoShops) -> None:
    """`ecauto sync --all` reads what has not changed."""
    assert since(installed.read(judge_all=True)) is None


def test_a_write_of_this_very_moment_is_read_again(installed: TwoShops) -> None:
    """Within one tick of the file's clock another may follow that looks the same."""
    just_now = replace(installed.world.tools, register=Register(installed.world.master))
    installed.world.tools = just_now
    installed.owner("UPDATE listings SET selling_price = 1400")
    assert since(installed.read()) is None
    assert since(installed.read()) is None


def test_what_another_program_holds_or_has_broken_off_is_not_called_unchanged(installed: TwoShops) -> None:
    """Locked: nothing is known of it today. A journal that waits to be rolled back: what is in the file is not it."""
    with closing(sqlite3.connect(installed.world.master, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        held = installed.read().register
    assert (True, None) == (held.trouble is not None and held.trouble.waits, held.unchanged_since)
    assert [since(installed.read()), since(installed.read()) is None] == [None, False]
    journal_file = installed.world.master.with_name("master.db-journal")
    journal_file.write_bytes(bytes.fromhex("d9d505f920a163d7") + bytes(504))
    assert since(installed.read()) is None


def test_one_that_goes_while_its_shops_are_read_is_trouble_and_no_shops(installed: TwoShops) -> None:
    """A new item asks for what is no longer there: every listing stays, no shop is kept away from."""

    class GoesAtTheItems(ShopThatDies):
        def items(self, modified_since: datetime | None = None) -> Iterator[list[Item]]:
            installed.world.master.rename(installed.world.folder / "gone.db")
            self.stock = shop.stock
            self.put("1005", 1300)
            yield from super().items(modified_since)

    shop = installed.world.shop
    before = {row[2]: row[5] for row in installed.sides()}
    tools = installed.world.tools
    installed.world.tools = replace(tools, shops={**tools.shops, ONE: GoesAtTheItems("shop_1")})
    report = installed.read()
    assert ({}, ()) == (report.not_read, report.faults)
    assert report.register.trouble is not None
    assert before == {row[2]: row[5] for row in installed.sides() if row[2] in before}


def pushed(one: TwoShops, item: str, kind: Kind, value: int) -> None:
    """An edit of ours that its shop took: in the journal, beside the listing, not yet in the register."""
    key, now = ListingKey(*ONE, item), one.world.clock.now()
    edit = {"update_id": f"u{one.world.count(journal)}", "diff_id": "d", "run_id": "r", **key._asdict()}
    edit |= {"asin": "x", "kind": kind.value, "after": value, "outcome": "done"}
    with one.world.state.write() as connection:
        stamps = {"intent_at": to_ms(now), "completed_at": to_ms(now)}
        connection.execute(insert(journal).values(**edit, **stamps, key=edit["update_id"]))
        record_edit(connection, key, kind, value, now)


def test_what_we_write_ourselves_is_known_without_reading_all(installed: TwoShops) -> None:
    """The rows we wrote are asked for, no others; prices that Amazon said change no listing's side."""
    pushed(installed, "1002", Kind.PRICE, 1500)
    installed.world.amazon(asin_of_item("1003"), 900)
    assert (1, 1) == (lambda told: (told.listings, told.products))(write_back(installed.world.tools))
    assert since(installed.read()) is not None
    assert {"1002": 1500, "1003": 1300} == {row[2]: row[8] for row in installed.sides() if row[2] in ("1002", "1003")}


def test_what_we_write_by_parts_is_known_without_reading_all(installed: TwoShops) -> None:
    """Each part goes from the stamp that the one before left; of two edits of a listing the later is told, once."""
    pushed(installed, "1003", Kind.PRICE, 1900)
    for price_jpy in (1700, 1500):
        pushed(installed, "1002", Kind.PRICE, price_jpy)
        installed.world.later(seconds=1)
    installed.world.amazon(asin_of_item("1003"), 900)
    assert (2, 1) == (lambda told: (told.listings, told.products))(write_back(installed.world.tools, 1))
    assert since(installed.read()) is not None
    assert {"1002": 1500, "1003": 1900} == {row[2]: row[8] for row in installed.sides() if row[2] in ("1002", "1003")}


def test_what_others_write_beside_us_is_read(installed: TwoShops) -> None:
    """Before our write, or by the owner's own trigger in it: what is in the register is not only what it was and what
    we wrote."""
    pushed(installed, "1002", Kind.PRICE, 1500)
    installed.owner("UPDATE listings SET status = 'sold' WHERE platform_item_id = '1001'")
    write_back(installed.world.tools)
    assert since(installed.read()) is None
    installed.owner(
        "CREATE TRIGGER sold AFTER UPDATE ON listings BEGIN"
        " UPDATE listings SET status = 'listed' WHERE platform_item_id = '1001'; END"
    )
    installed.read()
    pushed(installed, "1002", Kind.PRICE, 1600)
    write_back(installed.world.tools)
    assert since(installed.read()) is None
    assert {1} == {row[10] for row in installed.sides() if row[2] == "1001"}


EVENTS = st.one_of(
    *[st.tuples(st.just("read"), st.sampled_from(["", "", "shop_1", "dry"]))] * 4,
    st.tuples(st.just("shows"), st.sampled_from(ITEMS), st.sampled_from(["price", "hidden", "shown", "code", "gone"])),
    st.tuples(st.just("new"), st.sampled_from(["1005", "1006"]), st.sampled_from(["shop", "register", "both"])),
    st.tuples(
        *(st.just("row"), st.sampled_from(ITEMS)),
        st.sampled_from(["sold", "listed", "price", "asin", "visibility", "deleted", "twice", "account", "sale"]),
    ),
    st.tuples(st.just("pushed"), st.sampled_from(ITEMS), st.sampled_from([Kind.PRICE, Kind.VISIBILITY])),
    st.tuples(st.just("file"), st.sampled_from(["replaced", "held", "gone", "blocklist", "no blocklist", "broken"])),
    st.tuples(st.just("hand"), st.sampled_from(ITEMS), st.sampled_from(["register_price_jpy", "delist", "asin"])),
    st.tuples(st.just("dies"), st.sampled_from(["items", "sales", "report"])),
    st.tuples(st.just("shops"), st.sampled_from(["one", "both"])),
    st.tuples(st.just("clock"), st.sampled_from([-60, 1, 61, 24 * 60 + 1])),
)
ROWS = {
    "sold": "UPDATE listings SET status = 'sold' WHERE platform_item_id = ?",
    "listed": "UPDATE listings SET status = 'active' WHERE platform_item_id = ?",
    "price": "UPDATE listings SET selling_price = selling_price + 100 WHERE platform_item_id = ?",
    "asin": "UPDATE OR IGNORE listings SET asin = 'B00000200' || (id % 10) WHERE platform_item_id = ?",
    "visibility": "UPDATE listings SET visibility = 'hidden' WHERE platform_item_id = ?",
    "deleted": "DELETE FROM listings WHERE platform_item_id = ?",
    "twice": f"{ROW.replace('INSERT', 'INSERT OR IGNORE')} VALUES"
    " ('B000009999', 'base', 'shop_1', ?, 'listed', 'public', 1)",
    "account": "UPDATE OR IGNORE listings SET account_id = 'shop_2' WHERE platform_item_id = ?",
    "sale": "UPDATE products SET last_sold_at = '2026-06-02T00:00:00' WHERE asin = 'B00000' || ?",
}


SHOWS: dict[str, dict[str, Any]] = {
    "price": {"price_jpy": 2000},
    "hidden": {"visible": False},
    "shown": {"visible": True},
    "code": {"identifier": "b-B000008888-20251101000000"},
}


def happen(one: TwoShops, event: tuple[Any, ...]) -> None:
    """What happens to an installation and its files."""
    match event:
        case ("row", item, what):
            one.owner(ROWS[what], item)
        case ("new", item, "register" | "both"):
            insert_row = ROW.replace("INSERT", "INSERT OR IGNORE")
            one.owner(f"{insert_row} VALUES (?, 'base', 'shop_1', ?, 'listed', 'hidden', 1)", asin_of_item(item), item)
        case ("pushed", item, kind):
            if any(row[2] == item for row in one.sides()):
                pushed(one, item, kind, 1700 if kind is Kind.PRICE else 0)
                write_back(one.world.tools)
        case ("file", "replaced"):
            replaced(one)
        case ("file", "held" | "gone" as how):
            unreadable(one, how)
        case ("file", what):
            path = one.world.settings.blocklist
            path.parent.mkdir(exist_ok=True)
            path.write_text({"blocklist": f'["{asin_of_item("1001")}"]', "no blocklist": "[]"}.get(what, "{"))
        case ("hand", item, column):
            value = {"register_price_jpy": 7, "delist": "delisted_candidate", "asin": "B000007777"}[column]
            with one.world.state.write() as connection:
                connection.execute(update(listings).where(listings.c.item_id == item).values({column: value}))


def unreadable(one: TwoShops, how: str) -> None:
    """A run meets it locked, or a folder in its place."""
    if how == "held":
        with closing(sqlite3.connect(one.world.master, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            one.read()
        return
    aside = one.world.master.rename(one.world.folder / "aside.db")
    with pytest.raises(Exception, match="no such register"):
        one.read()
    aside.rename(one.world.master)


def at_the_shop(shop: ShopThatDies, event: tuple[Any, ...]) -> None:
    """What people do to the one shop that both installations read."""
    match event:
        case ("shows", item, "gone"):
            shop.stock.pop(item, None)
        case ("shows", item, what) if item in shop.stock:
            shop.stock[item] = replace(shop.stock[item], **SHOWS[what])
        case ("new", item, "shop" | "both"):
            shop.put(item, 1300, visible=item == "1005")
        case ("pushed", item, kind) if item in shop.stock:
            shop.edit(item, kind, 1700 if kind is Kind.PRICE else 0)


def agree(quick: TwoShops, careful: TwoShops, **run: Any) -> None:
    mine, theirs = quick.read(**run), careful.read(**run, judge_all=True)
    assert careful.sides() == quick.sides()
    assert careful.sold() == quick.sold()
    assert replace(theirs.register, unchanged_since=None) == replace(mine.register, unchanged_since=None)
    same = ("listings", "items", "by_account", "orphans", "hidden_by", "not_read", "blocked", "faults")
    assert [getattr(theirs, name) for name in same] == [getattr(mine, name) for name in same]


@settings(max_examples=examples(2), deadline=None)
@given(st.lists(EVENTS, min_size=3, max_size=8))
def test_after_any_history_every_listing_stands_as_if_all_had_been_read(history: list[tuple[Any, ...]]) -> None:
    """Items new, changed and gone; rows of the register written, doubled, deleted; the file replaced, held, taken away;
    our own writes; hands in state; runs that die; shops added and left out; a clock that goes forth and back."""
    with tempfile.TemporaryDirectory() as folder:
        clock, (one, two) = ManualClock(NOW), shops()
        quick, careful = (TwoShops(Path(folder) / name, clock, one, two) for name in ("quick", "careful"))
        both = dict(quick.world.tools.shops)
        try:
            agree(quick, careful)
            for event in history:
                at_the_shop(one, event)
                for installation in (quick, careful):
                    happen(installation, event)
                match event:
                    case ("read", how):
                        accounts = (AccountKey("base", how),) if how == "shop_1" else ()
                        agree(quick, careful, accounts=accounts, dry_run=how == "dry")
                    case ("dies", call):
                        one.dies = call
                        for installation, whole in ((quick, False), (careful, True)):
                            with pytest.raises(Died):
                                installation.read(judge_all=whole)
                        one.dies = ""
                    case ("shops", number):
                        some = both if number == "both" else {key_of(one): one}
                        for installation in (quick, careful):
                            installation.world.tools = replace(installation.world.tools, shops=some)
                    case ("clock", minutes):
                        clock.set(clock.now() + timedelta(minutes=minutes))
            agree(quick, careful)
            clock.advance(60)
            agree(quick, careful)
        finally:
            quick.world.state.close()
            careful.world.state.close()
