"""One shop whose cart takes files, as the protocol of shops wants it.

What it shows is what its exported product file says, as of the time of that file. Edits are taken in and leave
together as one update file, which takes its name only when it is whole and on the disk: until then none has happened.
A single item is read back from the export and every update file of ours that is younger: what the cart will show once
it has imported them. Not for: what the two files look like (products.py, update_file.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.clock import Clock
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import ItemGone, ItemRefused, OutcomeUnknown, Transport
from ecauto_pipeline.settings import CsvAccount, Settings
from ecauto_pipeline.shops.csv import PLATFORM, products, update_file
from ecauto_pipeline.shops.protocol import Abilities, Item, Order, Sale

PAGE_ROWS = 500
EDIT_S = 0.01


class CsvShop:
    """One shop account. One thread at a time uses it."""

    platform = PLATFORM

    def __init__(self, account: CsvAccount, settings: Settings, clock: Clock, run_id: str) -> None:
        self.account_id = account.id
        self._table, self._clock, self._run_id = settings.csv, clock, run_id
        self._items, self._updates = settings.file(account.items), settings.file(account.updates)
        self.abilities = Abilities(edits=update_file.edits_of(settings), orders=False, together=True, edit_s=EDIT_S)
        self._read: tuple[tuple[int, int], dict[str, Item]] | None = None
        self._taken_in: dict[str, dict[Kind, int]] = {}

    def for_undoing(self) -> CsvShop:
        """Files cost no calls: nothing is kept for it."""
        return self

    def items(self, modified_since: datetime | None = None) -> Iterator[list[Item]]:
        """Pages of the product file; with `modified_since` newest first, what has no time of change before all.

        Raises Transport: nothing is known of the shop then.
        """
        items = list(self._products().values())
        if modified_since is not None:
            items.sort(key=lambda item: item.modified_at or datetime.max.replace(tzinfo=UTC), reverse=True)
        for start in range(0, len(items), PAGE_ROWS):
            yield items[start : start + PAGE_ROWS]

    def item(self, item_id: str) -> Item:
        """One item as the cart will show it once it has imported what we wrote. Raises ItemGone, Transport."""
        found = self._products().get(item_id)
        if found is None:
            raise ItemGone("no_item", f"not in {self._items.name}")
        for path in self._younger_updates(found.shown_at or self._clock.now()):
            try:
                change = update_file.from_bytes(path.read_bytes(), self._table).get(item_id, {})
            except OSError as error:
                raise Transport("damaged_update", f"{path.name}: {error.strerror}") from None
            found = _changed(found, change)
        return found

    def edit(self, item_id: str, kind: Kind, value: int) -> None:
        """Take in a price (yen), visibility (0/1) or stock. Raises ItemGone, ItemRefused, Transport."""
        if kind not in self.abilities.edits:
            raise ItemRefused("no_such_edit", f"ecauto.toml names no column for {kind}")
        known = self._read[1] if self._read is not None else self._products()
        if item_id not in known:
            raise ItemGone("bad_item_id", f"not in {self._items.name}")
        self._taken_in.setdefault(item_id, {})[kind] = value

    def series(self, edits: Sequence[tuple[Kind, int]]) -> AbstractContextManager[None]:
        """Nothing is counted."""
        return nullcontext()

    def flush(self) -> None:
        """Write the update file of what was taken in. Raises Transport: there is none, OutcomeUnknown."""
        changes, self._taken_in = self._taken_in, {}
        if not changes:
            return
        if not self._updates.is_dir():
            raise Transport("no_folder", f"{self._updates} is no folder")
        path = self._new_name()
        try:
            replace_file(path, update_file.to_bytes(changes, self._table))
        except OSError as error:
            if path.exists():
                raise OutcomeUnknown("not_written", f"{path.name}: {error.strerror}") from None
            raise Transport("not_written", f"{path.name}: {error.strerror}") from None

    def sales(self, since: datetime, until: datetime | None = None) -> list[Sale]:
        """None: a product file tells nothing of orders."""
        return []

    def orders(self, since: datetime) -> list[Order]:
        """None, as sales."""
        return []

    def order_rows(self, order: Order) -> list[Sale]:
        """None, as sales."""
        return []

    def check(self) -> dict[str, object]:
        """The file and how many products it has. Raises Transport."""
        return {"items": self._items.name, "products": len(self._products())}

    def token_expires_at(self) -> datetime | None:
        """Never: there is no token."""
        return None

    def token_file_problem(self) -> str:
        """None: there is no token."""
        return ""

    def _products(self) -> dict[str, Item]:
        """The product file, read anew where it is another one than before. Raises Transport."""
        try:
            before = self._items.stat()
            version = (before.st_mtime_ns, before.st_size)
            if self._read is not None and self._read[0] == version:
                return self._read[1]
            age = self._clock.now().timestamp() - before.st_mtime
            if 0 <= age < self._table.quiet.total_seconds():
                raise Transport("being_written", f"{self._items.name} changed {age:.0f} s ago")
            data = self._items.read_bytes()
            after = self._items.stat()
        except FileNotFoundError:
            raise Transport("file_missing", f"{self._items} is not there") from None
        except OSError as error:
            raise Transport("file_unreadable", f"{self._items.name}: {error.strerror}") from None
        if version != (after.st_mtime_ns, after.st_size) or len(data) != after.st_size:
            raise Transport("being_written", f"{self._items.name} changed while it was read")
        found = products.parse(data, self._table, datetime.fromtimestamp(before.st_mtime, UTC))
        self._read = version, found
        return found

    def _younger_updates(self, than: datetime) -> list[Path]:
        """Our update files of after then, oldest first."""
        return [path for at, path in self._written() if at >= than]

    def _written(self) -> list[tuple[datetime, Path]]:
        """Our update files with their times, oldest first."""
        try:
            paths = list(self._updates.iterdir())
        except OSError:
            return []
        stamped = [(update_file.written_at(path.name, self.account_id), path) for path in paths]
        return sorted((at, path) for at, path in stamped if at is not None)

    def _new_name(self) -> Path:
        """A name later than every file of ours: the order of the names is the order of the edits."""
        moment = max([self._clock.now(), *(at + timedelta(milliseconds=1) for at, _ in self._written())])
        return self._updates / update_file.name_of(self.account_id, moment, self._run_id)


def _changed(item: Item, change: dict[Kind, int]) -> Item:
    if Kind.PRICE in change:
        item = replace(item, price_jpy=change[Kind.PRICE])
    if Kind.STOCK in change:
        item = replace(item, stock=change[Kind.STOCK])
    if Kind.VISIBILITY in change:
        item = replace(item, visible=change[Kind.VISIBILITY] == 1)
    return item
