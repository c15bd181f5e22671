"""What a rollback of one run would put back, and what not, by what is known now: no shop is asked, nothing is written.

The same judgement as a rollback's own (rollback.py), on what the shops showed when they were last read; the rollback
itself reads them again. Not for: a dry run, which asks the shops (`ecauto rollback --dry-run`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey, Decision, Diff, Kind, ListingFacts, ListingKey
from ecauto_pipeline.shops.protocol import Item
from ecauto_pipeline.state import run_edits
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.state.of_accounts import item_of
from ecauto_pipeline.state.shop_listings import listing_facts
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.people.reading_back import Reading
from ecauto_pipeline.sync.people.rollback import Rollback
from ecauto_pipeline.sync.people.rollback_gate import WRONG_PRICE
from ecauto_pipeline.sync.people.undoing import choose

Becomes = Literal["back", "hidden", "left"]
MOST = 500
"""Edits that are judged; of a run that made more (a first sync) the rest is counted alone."""
_ORDER: Sequence[Becomes] = ("left", "hidden", "back")


@dataclass(frozen=True, slots=True)
class UndoRow:
    """One target. `becomes`: set from `shown` to `wanted` ("back"), taken off sale because its price can't go back
    ("hidden"), or left as it is ("left"), for `reason` ("" = it is as before already).

    `by_run`: the run that changed it since, "" = none did: then a person or the shop."""

    key: ListingKey
    asin: str
    kind: Kind
    shown: int | None
    wanted: int | None
    becomes: Becomes
    reason: str
    by_run: str = ""


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """`rows`: of those judged, what is left alone first. `unjudged`: edits past MOST. `undone`: edits of this run that
    a rollback has put back already."""

    run_id: str
    rows: tuple[UndoRow, ...]
    unjudged: int = 0
    undone: int = 0

    def count(self, becomes: Becomes) -> int:
        """Targets that would become this."""
        return sum(row.becomes == becomes for row in self.rows)

    @property
    def left(self) -> Mapping[str, int]:
        """Targets that would be left as they are, by reason."""
        return Counter(row.reason for row in self.rows if row.becomes == "left")


def preview_rollback(tools: Tools, run_id: str, active: Sequence[AccountKey]) -> UndoPreview:
    """`active`: the shops that can be worked on. Raises NotOnRecord for a run without an edit that was done,
    or may have been: such a one is left alone here, a rollback reads it back first."""
    run = Run("", "rollback_run", (), tools.clock.now(), dry_run=True)
    with tools.state.read() as connection:
        chosen = choose(connection, [run_id], None)
        edits = chosen.edits[:MOST]
        listings = _as_last_read(tools, connection, edits)
        work = Rollback(tools.for_run(run), replace(chosen, edits=edits), listings)
        diffs = work.not_looked_at(active)
        for account in sorted({edit.key.account for edit in edits} & set(active)):
            of_shop = [edit for edit in edits if edit.key.account == account]
            items = {key.item_id: _item(facts) for key, facts in listings.items() if key.account == account}
            diffs += work.diffs_of(connection, of_shop, Reading(items, "not_listed"))
        later = run_edits.changed_after(connection, chosen.runs[0])
    targets = {edit.target for edit in chosen.all_edits} - {edit.target for edit in chosen.unsettled}
    rows = sorted(
        (_row(diff, later) for diff in diffs),
        key=lambda row: (_ORDER.index(row.becomes), row.reason, row.key, row.kind),
    )
    return UndoPreview(chosen.runs[0], tuple(rows), len(chosen.edits) - len(edits), len(targets) - len(chosen.edits))


def _row(diff: Diff, later: Mapping[tuple[ListingKey, Kind], Update]) -> UndoRow:
    after = later.get((diff.key, diff.kind))
    changed = diff.reason == "changed_since" and after is not None and after.after == diff.shown
    sent: Becomes = "hidden" if diff.reason == WRONG_PRICE else "back"
    becomes = sent if diff.decision is Decision.PUSH else "left"
    return UndoRow(
        *(diff.key, diff.asin, diff.kind, diff.shown, diff.wanted, becomes, diff.reason),
        by_run=after.run_id if changed and after is not None else "",
    )


def _as_last_read(tools: Tools, connection: Connection, edits: Sequence[Update]) -> dict[ListingKey, ListingFacts]:
    """What state.db says that the shops show of these items."""
    now = tools.clock.now()
    found: dict[ListingKey, ListingFacts] = {}
    for key in sorted({edit.key for edit in edits}):
        found |= {one.key: one for one in listing_facts(connection, (key.account,), now, items=item_of(key))}
    return found


def _item(facts: ListingFacts) -> Item:
    return Item(
        item_id=facts.key.item_id,
        identifier="",
        title="",
        price_jpy=facts.shown_price_jpy,
        stock=facts.shown_stock,
        visible=facts.shown_visible,
        has_variations=facts.has_variations,
        modified_at=None,
    )
