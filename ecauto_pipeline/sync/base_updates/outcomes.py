"""How one edit ended, written in one transaction each: the journal, what the listing shows now, the decision.

Not for: making the edit, or what its end means for the rest of the shop (shop_worker.py).
"""

from __future__ import annotations

from ecauto_pipeline.errors import CallError, ItemRefused
from ecauto_pipeline.shops.protocol import Item, Shop, key_of
from ecauto_pipeline.state import decisions, journal, locks, shown
from ecauto_pipeline.state.corrections import OTHER_VALUE
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.sync.base_updates.read_back import shown_value
from ecauto_pipeline.sync.context import Context

MOST_TEXT = 300


def note_done(context: Context, decided: Decided, update_id: str, item: Item | None) -> bool:
    """The shop has answered. False where its answer shows another value than ours: the matter ends there.

    `item` None: it took our value, and shows nothing.
    """
    diff, now = decided.diff, context.clock.now()
    value = diff.wanted if item is None else shown_value(item, diff.kind)
    with context.state.write(locks.shop(diff.key.account)) as connection:
        if value == diff.wanted:
            journal.finish(connection, update_id, "confirm", now)
            shown.record_edit(connection, diff.key, diff.kind, value, now, diff.reason, diff.cost_jpy)
        else:
            journal.finish(connection, update_id, "refuse", now, f"{OTHER_VALUE}: shows {value}")
            shown.record_reading(connection, diff.key, diff.kind, value)
            decisions.move(connection, [decided.diff_id], "end", now)
    return value == diff.wanted


def note_failed(context: Context, decided: Decided, update_id: str, error: CallError) -> None:
    """The shop would not, or was not reached; what it will never do is remembered of the listing."""
    now, refused = context.clock.now(), isinstance(error, ItemRefused)
    with context.state.write(locks.shop(decided.diff.key.account)) as connection:
        journal.finish(connection, update_id, "refuse", now, text_of(error), refused=refused)
        decisions.move(connection, [decided.diff_id], "end", now)
        if isinstance(error, ItemRefused) and error.permanent:
            shown.record_uneditable(connection, decided.diff.key, error.reason)


def note_lost(context: Context, shop: Shop, update_id: str, error: CallError) -> Update:
    """Nobody knows whether it happened; the edit as it is to be read back."""
    with context.state.write(locks.shop(key_of(shop))) as connection:
        journal.finish(connection, update_id, "lose", context.clock.now(), text_of(error))
        found = journal.unsettled(connection, shop.platform, shop.account_id)
    return next(row for row in found if row.update_id == update_id)


def take_back(context: Context, decided: Decided, update_id: str, *, rolls_back: bool) -> None:
    """No edit has left: its intent goes, and the decision waits again; one of a rollback ends."""
    with context.state.write(locks.shop(decided.diff.key.account)) as connection:
        journal.withdraw(connection, update_id)
        if rolls_back:
            decisions.move(connection, [decided.diff_id], "end", context.clock.now())
        else:
            decisions.reopen(connection, decided.diff_id, context.clock.now())


def text_of(error: CallError) -> str:
    """Reason and message, for the records."""
    message = str(error)
    return (message if message.startswith(error.reason) else f"{error.reason}: {message}")[:MOST_TEXT]
