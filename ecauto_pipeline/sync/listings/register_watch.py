"""What a run goes by of master.db: what it says, or what was known before where that can't be read or believed.

A shop whose listings or titles fall too far at once goes on with what was known of it; so does every shop while
master.db is damaged, locked or lacks a column. Not for: joining (read.py) or what counts as a fall (domain/selling/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.joining import LISTED, RegisterSide
from ecauto_pipeline.domain.selling.register_fall import Fall, RegisterCounts, believed_from, falls
from ecauto_pipeline.domain.selling.sku import valid_asin
from ecauto_pipeline.errors import RegisterBusy, RegisterError, RegisterMissing
from ecauto_pipeline.register.rows import ProductRow, RegisterRows
from ecauto_pipeline.state import register_counts
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.faults import concerns_everybody, place_of
from ecauto_pipeline.sync.listings.register_index import Index, Sides, folded, index_of, known_sides
from ecauto_pipeline.sync.register_report import RegisterFall, RegisterReport, RegisterTrouble

EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class RegisterNow:
    """What to join each shop of the run with, what is known of demand, and what to report. `believed`: shops whose rows
    were read in this run and did not fall; `counts`: theirs; `stamp`: by which it is known again, "" = by none."""

    sides: Mapping[AccountKey, Sides] = field(default_factory=dict)
    products: tuple[ProductRow, ...] = ()
    report: RegisterReport = field(default_factory=RegisterReport)
    believed: frozenset[AccountKey] = frozenset()
    counts: Mapping[AccountKey, RegisterCounts] = field(default_factory=dict)
    stamp: str = ""

    def of(self, account: AccountKey) -> Sides:
        """The published rows of this shop by item_id."""
        return self.sides.get(account, {})


def read_register(context: Context, *, under_way: bool = False) -> RegisterNow:
    """The register as this run goes by it. Raises RegisterMissing, unless its shops are asked already (`under_way`);
    and what concerns everybody."""
    read = _read(context, under_way=under_way)
    if isinstance(read, RegisterTrouble):
        context.log.error("%s; what is known of every listing stays", read.en)
        with context.state.read() as connection:
            known = {account: known_sides(connection, account, {}) for account in context.accounts}
        return RegisterNow(known, report=RegisterReport(trouble=read))
    rows, index = read
    counts = _count(context, rows, index)
    sides, fell, believed = {}, [], set()
    with context.state.write() as connection:
        for account in context.accounts:
            said = index.get(folded(account), {})
            found = _judged(context, connection, account, counts[account])
            sides[account] = known_sides(connection, account, said) if found else said
            believed |= set() if found else {account}
            fell += [_told(context, account, one, said, sides[account]) for one in found]
    for one in fell:
        context.log.error("%s: %s fell from %d to %d; not believed", one.account, one.figure, one.before, one.now)
    return RegisterNow(
        sides,
        tuple(rows.products),
        RegisterReport(
            counts={context.name_of(account): count for account, count in counts.items()},
            falls=tuple(fell),
            odd=len(rows.odd),
            odd_examples=tuple((one.table, one.row, one.column, one.value) for one in rows.odd[:EXAMPLES]),
        ),
        frozenset(believed),
        counts,
        rows.stamp,
    )


def is_believed(context: Context, counts: Mapping[AccountKey, RegisterCounts]) -> bool:
    """Whether a register that is as it was when these were counted is believed today; what is remembered of it moves
    with time as if it had been counted again."""
    with context.state.write() as connection:
        return not any([_judged(context, connection, account, one) for account, one in counts.items()])


def _read(context: Context, *, under_way: bool) -> tuple[RegisterRows, Index] | RegisterTrouble:
    try:
        rows = context.register.read(
            None if context.lane.whole else [account.account_id for account in context.accounts]
        )
        return rows, index_of(rows.listings)
    except RegisterError as error:
        if isinstance(error, RegisterMissing) and not under_way:
            raise
        return RegisterTrouble(error.said("ja"), error.said("en"), isinstance(error, RegisterBusy))
    except Exception as error:
        if concerns_everybody(error):
            raise
        name, place = context.register.name, f"{type(error).__name__}, {place_of(error)}"
        context.log.exception("master.db was not read")
        return RegisterTrouble(f"{name} を読めません（{place}）", f"{name} can't be read ({place})")


def _count(context: Context, rows: RegisterRows, index: Index) -> Mapping[AccountKey, RegisterCounts]:
    titled = {row.asin: (row.has_title_ja, row.has_title_en) for row in rows.products}
    counts = {}
    for account in context.accounts:
        asins = [side.asin for side in index.get(folded(account), {}).values() if _counts(side)]
        titles = [titled.get(asin, (False, False)) for asin in asins]
        counts[account] = RegisterCounts(len(asins), sum(ja for ja, _ in titles), sum(en for _, en in titles))
    return counts


def _counts(side: RegisterSide | None) -> bool:
    return side is not None and side.status == LISTED and valid_asin(side.asin)


def _judged(context: Context, connection: Connection, account: AccountKey, counts: RegisterCounts) -> tuple[Fall, ...]:
    """What fell, held against what is believed; a live run remembers what it saw."""
    now = context.clock.now()
    known = register_counts.load(connection, account)
    believed = known.believed if known else believed_from(register_counts.joined(connection, account), now)
    found = falls(believed.counts, counts, context.settings.guards.max_register_fall)
    if not context.run.dry_run:
        after = believed if found else believed.after(counts, now)
        register_counts.save(connection, account, register_counts.Watched(after, counts if found else None))
    return found


def _told(context: Context, account: AccountKey, fall: Fall, said: Sides, known: Sides) -> RegisterFall:
    """The fall with some of the listings that left."""
    left = [(item, side.asin) for item, side in known.items() if _counts(side) and not _counts(said.get(item))]
    examples = tuple(sorted(left)[:EXAMPLES]) if fall.figure == "listed" else ()
    return RegisterFall(context.name_of(account), fall.figure, fall.before, fall.now, examples)
