"""A small world for deciding and pushing: a state.db, an honest shop in memory, and shops that misbehave in one way.

Each fake is named for what it does. Amazon's side is written straight into `asins`, as an answer would leave it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Text, func, insert, select, update

from ecauto_pipeline.clock import Clock, ManualClock, to_ms
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.errors import AccountBlocked, BudgetSpent, ItemGone, ItemRefused, OutcomeUnknown, Transport
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.shops.protocol import Abilities, Item, Order, Sale, Shop, key_of
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import asins, listings, shop_accounts
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline.state.upsert import upsert
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.diffs import price, visibility
from ecauto_pipeline.sync.push_section import PushReport
from ecauto_pipeline.sync.run_record import begin_run, end_run
from ecauto_pipeline_tests.not_needed import NOT_NEEDED
from ecauto_pipeline_tests.state.blank import blank_state

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
ITEMS = ("1001", "1002", "1003", "1004")
COLUMN = {Kind.PRICE: "price_jpy", Kind.STOCK: "stock", Kind.VISIBILITY: "visible"}


def nothing(_item_id: str, _kind: Kind, _value: int) -> None:
    pass


class HonestShop:
    """A shop in memory that does what it is told, remembers every call, and tells the truth."""

    abilities = Abilities()

    def __init__(self, account_id: str, platform: str = "base") -> None:
        self.account_id, self.platform = account_id, platform
        self.stock: dict[str, Item] = {}
        self.edits: list[tuple[str, Kind, int]] = []
        self.reads: list[str] = []
        self.before_edit: Callable[[str, Kind, int], None] = nothing
        self.after_edit: Callable[[str, Kind, int], None] = nothing
        self._lock = threading.Lock()

    def put(self, item_id: str, price_jpy: int, visible: bool = True, stock: int = 1) -> None:
        self.stock[item_id] = Item(item_id, "", f"goods {item_id}", price_jpy, stock, visible, False, NOW)

    def for_undoing(self) -> Shop:
        return self

    def items(self, modified_since: datetime | None = None) -> Iterator[list[Item]]:
        yield list(self.stock.values())

    def item(self, item_id: str) -> Item:
        self.reads.append(item_id)
        if item_id not in self.stock:
            raise ItemGone("no_item")
        return self.stock[item_id]

    def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
        self.before_edit(item_id, kind, value)
        with self._lock:
            self.edits.append((item_id, kind, value))
        if item_id not in self.stock:
            raise ItemGone("bad_item_id")
        self._apply(item_id, kind, value)
        self.after_edit(item_id, kind, value)
        return self.stock[item_id]

    def series(self, edits: Sequence[tuple[Kind, int]]) -> AbstractContextManager[None]:
        return nullcontext()

    def flush(self) -> None:
        pass

    def sales(self, since: datetime, until: datetime | None = None) -> list[Sale]:
        return []

    def orders(self, since: datetime) -> list[Order]:
        return []

    def order_rows(self, order: Order) -> list[Sale]:
        return []

    def token_expires_at(self) -> datetime | None:
        return None

    def check(self) -> dict[str, object]:
        return {"shop_id": self.account_id}

    def token_file_problem(self) -> str:
        return ""

    def _apply(self, item_id: str, kind: Kind, value: int) -> None:
        changed: Any = bool(value) if kind is Kind.VISIBILITY else value
        self.stock[item_id] = replace(self.stock[item_id], **{COLUMN[kind]: changed})


class ShopThatForgetsAnswers(HonestShop):
    """Does what it is told and never says so; `acts` False: does not even do it."""

    def __init__(self, account_id: str, acts: bool = True, readable: bool = True) -> None:
        super().__init__(account_id)
        self.acts, self.readable = acts, readable

    def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
        self.edits.append((item_id, kind, value))
        if self.acts:
            self._apply(item_id, kind, value)
        raise OutcomeUnknown("timeout")

    def item(self, item_id: str) -> Item:
        if not self.readable:
            self.reads.append(item_id)
            raise Transport("timeout")
        return super().item(item_id)


class ShopOutOfCalls(HonestShop):
    """Refuses with hour_api_limit after `calls` edits, until `until`."""

    def __init__(self, account_id: str, calls: int, until: datetime) -> None:
        super().__init__(account_id)
        self.calls, self.until = calls, until

    def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
        if len(self.edits) >= self.calls:
            self.edits.append((item_id, kind, value))
            raise BudgetSpent("hour_api_limit", self.until)
        return super().edit(item_id, kind, value)


class RestrictedShop(HonestShop):
    """Answers access_denied to every edit."""

    def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
        self.edits.append((item_id, kind, value))
        raise AccountBlocked("access_denied", http_status=400)


class ShopWithRefusals(HonestShop):
    """Refuses the edits that `refuses` names with its error."""

    def __init__(self, account_id: str, refuses: Callable[[str, Kind], Exception | None]) -> None:
        super().__init__(account_id)
        self.refuses = refuses

    def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
        error = self.refuses(item_id, kind)
        if error is not None:
            self.edits.append((item_id, kind, value))
            raise error
        return super().edit(item_id, kind, value)


def refusing(item_id: str, error: Exception, kind: Kind | None = None) -> Callable[[str, Kind], Exception | None]:
    return lambda item, what: error if item == item_id and kind in (None, what) else None


UNEDITABLE = ItemRefused("uneditable", "デジタルコンテンツの商品は編集できません。", permanent=True)


_KEPT = ("asin", "revision", "change_number")
_NEVER_ASKED: dict[str, Any] = {
    one.name: None if one.nullable else "" if isinstance(one.type, Text) else 0
    for one in asins.c
    if one.name not in _KEPT
}
"""The rest of an answer is as if its ASIN had never been asked about."""


class World:
    """One installation: its tools, its shops, and a hand on Amazon's side of state.db."""

    def __init__(
        self, folder: Path, *shops: HonestShop, clock: Clock | None = None, state_url: str = "", **settings: Any
    ) -> None:
        self.folder = folder
        self.shops = shops or (HonestShop("shop_1"),)
        self.clock = clock or ManualClock(NOW)
        accounts = [{"id": shop.account_id} for shop in self.shops if shop.platform == "base"]
        self.settings: Settings = parse({"base": {"accounts": accounts}, **settings}, folder)
        self.state = Database(state_url) if state_url else blank_state(folder / "state.db")
        self.master = folder / "master.db"
        self.tools = Tools(
            settings=self.settings,
            clock=self.clock,
            state=self.state,
            history=NOT_NEEDED,  # never on the path of a decision
            register=Register(self.master, busy_timeout_s=0.05),
            shops={key_of(shop): shop for shop in self.shops},
            sp_accounts=(),
            log=logging.getLogger("selling"),
        )
        self._runs = 0
        self.read_shops()

    @property
    def shop(self) -> HonestShop:
        return self.shops[0]

    def read_shops(self, **values: Any) -> None:
        """Every shop counts as read now; `values`: other columns of its account."""
        with self.state.write() as connection:
            connection.execute(shop_accounts.delete())
            for shop in self.shops:
                key = {"platform": shop.platform, "account_id": shop.account_id}
                row = {**key, "read_at": to_ms(self.clock.now()), **values}
                connection.execute(insert(shop_accounts).values(**row))

    def list_item(self, item_id: str, price_jpy: int, *, cost_jpy: int | None = None, **fields: Any) -> str:
        """An item in a shop (`shop`: its place), its listing as read, and its ASIN in stock at `cost_jpy`."""
        shop = self.shops[fields.pop("shop", 0)]
        visible, stock = fields.pop("visible", True), fields.pop("stock", 1)
        asin: str = fields.pop("asin", f"B{int(item_id):09d}")
        shop.put(item_id, price_jpy, visible, stock)
        row: dict[str, Any] = {
            "platform": shop.platform,
            "account_id": shop.account_id,
            "item_id": item_id,
            "asin": asin,
            "register_id": int(item_id),
            "shown_price_jpy": price_jpy,
            "shown_visible": int(visible),
            "shown_stock": stock,
            "read_at": to_ms(self.clock.now()),
            "present": 1,
            "listed": 1,
            **fields,
        }
        with self.state.write() as connection:
            connection.execute(insert(listings), row)
        if cost_jpy is not None:
            self.amazon(asin, cost_jpy)
        return asin

    def amazon(self, asin: str, cost_jpy: int | None, status: str = "success", **fields: Any) -> None:
        """An authoritative answer, now. `cost_jpy` None with another status: nothing to buy."""
        now = to_ms(self.clock.now())
        row = {
            "asin": asin,
            "status": status,
            "price_jpy": cost_jpy,
            "in_stock": int(status == "success"),
            "price_at": now if status == "success" else None,
            "stock_at": now,
            "snapshot_id": f"{asin}@{now}",
            **fields,
        }
        with self.state.write() as connection:
            upsert(connection, asins, [_NEVER_ASKED | row])

    def change(self, item_id: str, **values: Any) -> None:
        """Columns of one listing, as a new reading would write them."""
        with self.state.write() as connection:
            connection.execute(update(listings).where(listings.c.item_id == item_id).values(**values))

    def run(self, **fields: Any) -> Run:
        """The next run."""
        self._runs += 1
        started = {"run_id": f"run-{self._runs}", "job": "full_sync", "started_at": self.clock.now()}
        return Run(partition_keys=("2026-06-01-12:00",), **{**started, **fields})

    def decide(self, run: Run) -> DiffReport:
        return price.run(self.tools.for_run(run)) + visibility.run(self.tools.for_run(run))

    def sync(self, **fields: Any) -> tuple[RowCounts, PushReport]:
        """One whole run of deciding and pushing: its account, and what pushing did."""
        run = self.run(**fields)
        begin_run(self.tools.for_run(run))
        decided = self.decide(run)
        pushed = push.run(self.tools.for_run(run))
        end_run(self.tools.for_run(run))
        account = decided.account + pushed.correction
        assert account.adds_up(), account
        return account, pushed

    def rows(self, table: Any = diffs, **wanted: Any) -> list[Mapping[str, Any]]:
        query = select(table)
        for name, value in wanted.items():
            query = query.where(table.c[name] == value)
        with self.state.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def decisions(self, **wanted: Any) -> list[tuple[str, str, str, str]]:
        """(item, kind, decision, reason) of every stored decision that fits."""
        found = self.rows(diffs, **wanted)
        return sorted((row["item_id"], row["kind"], row["decision"], row["reason"]) for row in found)

    def outcomes(self) -> list[tuple[str, str, str | None]]:
        """(item, kind, outcome) of every journalled edit."""
        return sorted((row["item_id"], row["kind"], row["outcome"] or "") for row in self.rows(journal))

    def listing(self, item_id: str) -> Mapping[str, Any]:
        return self.rows(listings, item_id=item_id)[0]

    def count(self, table: Any) -> int:
        with self.state.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def later(self, **span: float) -> None:
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(timedelta(**span).total_seconds())
