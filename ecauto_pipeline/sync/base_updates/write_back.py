"""What the owner's other programs should know, written into master.db: what the shops show now, what Amazon said.

Only the columns that are ours to write, only what was done or believed. Another program holding the file delays it to
the next run; of a shop whose register is not believed the edits wait, for its rows may be others by now.
Not for: dry runs, or how rows are written (register/).
"""

from __future__ import annotations

from collections.abc import Sequence

from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.register.rows import ListingUpdate, OddRow, ProductUpdate
from ecauto_pipeline.register.stamp import OwnWrites
from ecauto_pipeline.state import journal, register_counts, register_looks
from ecauto_pipeline.state.asins import Confirmed, not_told, note_told
from ecauto_pipeline.state.listing_lookup import register_ids
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.faults import concerns_everybody, place_of
from ecauto_pipeline.sync.sections import WriteBackReport

NAMED = 3
"""As many rows are named that take nothing."""


def write_back(tools: Tools) -> WriteBackReport:
    """Write what is new since the last time. What keeps the register from being written is a report, never an error.

    Raises what concerns everybody: the disk, state.db itself, Stopped.
    """
    refused: list[OddRow] = []
    own = OwnWrites()
    try:
        edits, updates = _listing_updates(tools)
        answered = _answered(tools)
        products = [_product_update(one) for one in answered]
        if updates:
            tools.register.write_back((), updates, refused=refused, own=own)
        owed = {row.row for row in refused}
        with tools.state.write() as connection:
            told = [edit.update_id for edit, number in edits if str(number) not in owed]
            journal.mark_written_back(connection, told)
        if products:
            tools.register.write_back(products, (), refused=refused, own=own)
        if answered or own.known:
            with tools.state.write() as connection:
                note_told(connection, answered)
                if own.known:
                    written = [edit.key for edit, number in edits if number is not None]
                    register_looks.carry(connection, own.before, own.after, written)
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
    return WriteBackReport(len(updates), len(products))


def _refused(tools: Tools, rows: Sequence[OddRow]) -> WriteBackReport:
    named = ", ".join(f"{row.table} {row.row} ({row.value})" for row in rows[:NAMED])
    tools.log.warning("%d rows of master.db refused what was to be written: %s", len(rows), named)
    return WriteBackReport(
        problem=f"{len(rows)} rows refuse it, all others are written: {named}",
        problem_ja=f"{len(rows)}行が書き込みを受け付けません（ほかの行は書きました）: {named}",
    )


def _listing_updates(tools: Tools) -> tuple[list[tuple[journal.Update, int | None]], list[ListingUpdate]]:
    """The journal rows concerned, each with its register row, and one update per listing: the last value of a kind."""
    with tools.state.read() as connection:
        waiting = register_counts.fallen(connection)
        edits = [edit for edit in journal.not_written_back(connection) if edit.key.account not in waiting]
        numbers = register_ids(connection, {edit.key.item_id for edit in edits})
    values: dict[int, dict[Kind, int]] = {}
    for edit in edits:
        number = numbers.get(edit.key)
        if number is not None and edit.kind is not Kind.DELIST:
            values.setdefault(number, {})[edit.kind] = edit.after
    updates = [
        ListingUpdate(
            register_id=number,
            selling_price_jpy=kinds.get(Kind.PRICE),
            visible=bool(kinds[Kind.VISIBILITY]) if Kind.VISIBILITY in kinds else None,
            in_stock_quantity=kinds.get(Kind.STOCK),
        )
        for number, kinds in sorted(values.items())
    ]
    return [(edit, numbers.get(edit.key)) for edit in edits], updates


def _answered(tools: Tools) -> list[Confirmed]:
    """What Amazon said since the register was told last, each answer once."""
    with tools.state.read() as connection:
        return not_told(connection)


def _product_update(one: Confirmed) -> ProductUpdate:
    return ProductUpdate(
        asin=one.asin,
        amazon_price_jpy=one.price_jpy,
        amazon_in_stock=one.in_stock,
        last_fetched_at=one.confirmed_at,
    )
