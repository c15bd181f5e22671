"""What the owner's other programs should know, written into master.db: what the shops show now, what Amazon said.

Only the columns that are ours to write, only what was done or believed. Another program holding the file delays it to
the next run; of a shop whose register is not believed the edits wait, for its rows may be others by now.
Not for: dry runs, or how rows are written (register/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import Kind, ListingKey
from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.register.rows import ListingUpdate, OddRow, ProductUpdate
from ecauto_pipeline.register.stamp import OwnWrites
from ecauto_pipeline.state import register_counts, register_looks
from ecauto_pipeline.state.asins import Confirmed, not_told, note_told
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.state.listing_lookup import register_ids
from ecauto_pipeline.state.written_back import mark_written_back, not_written_back
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.faults import concerns_everybody, place_of
from ecauto_pipeline.sync.push_section import WriteBackReport

NAMED = 3
"""As many rows are named that take nothing."""
AT_ONCE = 5_000
"""Listings, or ASINs, that are told at once: after a first fill 100,000 are owed, and these are in memory together."""


def write_back(tools: Tools, at_once: int = AT_ONCE) -> WriteBackReport:
    """Write what is new since the last time, so many listings or ASINs after others. What keeps the register from being
    written is a report, never an error; what was told before stays told.

    Raises what concerns everybody: the disk, state.db itself, Stopped.
    """
    refused: list[OddRow] = []
    tools.state.close_idle()  # whoever tells works alone, with the one connection that has room in memory
    try:
        told = WriteBackReport(_tell_edits(tools, refused, at_once), _tell_answers(tools, refused, at_once))
    except RegisterError as error:
        tools.log.warning("master.db was not written, the next run tries again: %s", error)
        return WriteBackReport(problem=error.said("en"), problem_ja=error.said("ja"))
    except Exception as error:
        if concerns_everybody(error):
            raise
        what = f"{type(error).__name__}, {place_of(error)}"
        tools.log.exception("master.db was not written, the next run tries again: %s", what)
        return WriteBackReport(
            problem=f"an error nobody foresaw ({what})", problem_ja=f"想定外のエラーが起きました（{what}）"
        )
    if refused:
        return _refused(tools, refused)
    return told


def _tell_edits(tools: Tools, refused: list[OddRow], at_once: int) -> int:
    """All of a listing's at once: no value of it is told after a later one. Returns of how many."""
    count, after = 0, None
    while edits := _owed(tools, after, at_once):
        after = edits[-1].key
        with tools.state.read() as connection:
            waiting = register_counts.fallen(connection)
            edits = [edit for edit in edits if edit.key.account not in waiting]
            numbers = register_ids(connection, {edit.key for edit in edits})
        updates, own = _listing_updates(edits, numbers), OwnWrites()
        if updates:
            tools.register.write_back((), updates, refused=refused, own=own)
        owed = {row.row for row in refused}
        told = [edit.update_id for edit in edits if str(numbers.get(edit.key)) not in owed]
        with tools.state.write() as connection:
            mark_written_back(connection, told)
            _carry(connection, own, [edit.key for edit in edits if edit.key in numbers])
        count += len(updates)
    return count


def _owed(tools: Tools, after: ListingKey | None, most: int) -> list[Update]:
    with tools.state.read() as connection:
        return not_written_back(connection, after, most)


def _tell_answers(tools: Tools, refused: list[OddRow], at_once: int) -> int:
    """What Amazon said since the register was told last, each answer once. Returns of how many ASINs."""
    count, after = 0, ""
    while answered := _news(tools, after, at_once):
        after, own = answered[-1].asin, OwnWrites()
        tools.register.write_back([_product_update(one) for one in answered], (), refused=refused, own=own)
        with tools.state.write() as connection:
            note_told(connection, answered)
            _carry(connection, own, ())
        count += len(answered)
    return count


def _news(tools: Tools, after: str, most: int) -> list[Confirmed]:
    with tools.state.read() as connection:
        return not_told(connection, after, most)


def _carry(connection: Connection, own: OwnWrites, written: Iterable[ListingKey]) -> None:
    """The register is what it was, and what we wrote."""
    if own.known:
        register_looks.carry(connection, own.before, own.after, written)


def _refused(tools: Tools, rows: Sequence[OddRow]) -> WriteBackReport:
    named = ", ".join(f"{row.table} {row.row} ({row.value})" for row in rows[:NAMED])
    tools.log.warning("%d rows of master.db refused what was to be written: %s", len(rows), named)
    return WriteBackReport(
        problem=f"{len(rows)} rows refuse it, all others are written: {named}",
        problem_ja=f"{len(rows)}行が書き込みを受け付けません（ほかの行は書きました）: {named}",
    )


def _listing_updates(edits: Iterable[Update], numbers: Mapping[ListingKey, int]) -> list[ListingUpdate]:
    """One update a listing, of those that have a row in the register: the last value of a kind."""
    values: dict[int, dict[Kind, int]] = {}
    for edit in edits:
        number = numbers.get(edit.key)
        if number is not None and edit.kind is not Kind.DELIST:
            values.setdefault(number, {})[edit.kind] = edit.after
    return [
        ListingUpdate(
            register_id=number,
            selling_price_jpy=kinds.get(Kind.PRICE),
            visible=bool(kinds[Kind.VISIBILITY]) if Kind.VISIBILITY in kinds else None,
            in_stock_quantity=kinds.get(Kind.STOCK),
        )
        for number, kinds in sorted(values.items())
    ]


def _product_update(one: Confirmed) -> ProductUpdate:
    return ProductUpdate(
        asin=one.asin,
        amazon_price_jpy=one.price_jpy,
        amazon_in_stock=one.in_stock,
        last_fetched_at=one.confirmed_at,
    )
