"""How edits ended, written in one transaction: the journal, what the listing shows now, the decision.

Not for: making the edit, or what its end means for the rest of the shop (shop_worker.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.errors import CallError, ItemRefused
from ecauto_pipeline.shops.protocol import Shop, key_of
from ecauto_pipeline.state import decisions, journal, locks, shown
from ecauto_pipeline.state.corrections import OTHER_VALUE
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.edit_groups import confirm_all
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.state.shop_accounts import breaker_of, open_breaker
from ecauto_pipeline.sync.base_updates.ends import Answered
from ecauto_pipeline.sync.context import Context

MOST_TEXT = 300


def note_answers(connection: Connection, answers: Sequence[Answered]) -> None:
    """The shop has answered. Where its answer shows another value than ours the matter ends there."""
    done = [one for one in answers if one.value == one.decided.diff.wanted]
    confirm_all(connection, [(one.update_id, one.left_at, one.ended_at) for one in done])
    shown.record_edits(connection, [(one.decided.diff, one.ended_at) for one in done])
    for one in answers:
        diff, now = one.decided.diff, one.ended_at
        if one.value != diff.wanted:
            journal.finish(connection, one.update_id, "refuse", now, f"{OTHER_VALUE}: shows {one.value}")
            shown.record_reading(connection, diff.key, diff.kind, one.value, now)
            decisions.move(connection, [one.decided.diff_id], "end", now)


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


def note_not_done(context: Context, decided: Decided) -> None:
    """Read back as not done: this run has tried; the next one judges anew."""
    with context.state.write(locks.shop(decided.diff.key.account)) as connection:
        decisions.move(connection, [decided.diff_id], "drop", context.clock.now())


def note_closed(context: Context, shop: Shop, error: CallError) -> bool:
    """Nothing more to this shop: its breaker says so to other runs. Whether it has opened by this."""
    reason, until = breaker_of(error)
    if not reason:
        return False
    with context.state.write(locks.shop(key_of(shop))) as connection:
        now = context.clock.now()
        return open_breaker(connection, shop.platform, shop.account_id, reason, now, until)


def take_back(connection: Connection, decided: Decided, update_id: str, now: datetime, *, ends: bool) -> None:
    """No edit has left: its intent goes, and the decision waits again, or `ends`. Where somebody else has settled the
    intent meanwhile (this process slept), the decision is theirs, too."""
    if not journal.withdraw(connection, update_id):
        return
    if ends:
        decisions.move(connection, [decided.diff_id], "end", now)
    else:
        decisions.reopen(connection, decided.diff_id, now)


def text_of(error: CallError) -> str:
    """Reason and message, for the records."""
    message = str(error)
    return (message if message.startswith(error.reason) else f"{error.reason}: {message}")[:MOST_TEXT]
