"""What may become of a decision and of an edit: every allowed move, once, as data; state/ writes no other.

A decision (table `diffs`). A push waits, is sent, and stays `sent` when the shop took it; a held row waits for a
person's word and expires when newer facts settle the matter; blocked, skipped and dry ones are filed at birth.

    new        --wait-------> open          a push or a hold of a live run
    new        --file-------> closed        blocked, skipped, or of a dry run
    open       --send-------> sent          its intent is in the journal
    open       --supersede--> superseded    a later run judged the same target
    open       --approve----> approved      a person said yes
    open       --reject-----> rejected      a person said no
    open       --expire-----> expired       newer facts settled the matter
    open       --drop-------> closed        it ended without a call
    sent       --reopen-----> open          the shop surely did not act on it
    sent       --end--------> closed        the call ended without the change
    approved   --take_back--> rejected      a person took the yes back before anything was sent for it
    approved   --expire-----> expired       as above; the word goes with it
    rejected   --expire-----> expired       as above

An edit (table `journal`; `intent` is an outcome of NULL). Nobody repeats an intent or an unknown one blindly: it is
read back first.

    new        --intend-----> intent        committed before the call
    new        --record-----> done          a mark of ours, no call to make
    new        --rehearse---> dry_run       what a live run would send
    intent     --confirm----> done          the shop shows our value
    intent     --refuse-----> failed        the shop said no, or shows another value
    intent     --lose-------> unknown       no answer
    intent     --withdraw---> withdrawn     the shop surely did not act on it; the row goes
    unknown    --confirm----> done          read back
    unknown    --refuse-----> failed        read back
    unknown    --lose-------> unknown       it could not be read back
    failed     --intend-----> intent        the same change tried again in the same run
    failed     --confirm----> done          its answer came late, after it had been read back
    dry_run    --rehearse---> dry_run       the same step of a dry run, again

Not for: who moves when (sync/), or the rows themselves (state/decisions.py, state/journal.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

DecisionState = Literal["open", "sent", "superseded", "approved", "rejected", "expired", "closed"]
DecisionEvent = Literal[
    "wait", "file", "send", "supersede", "approve", "reject", "take_back", "expire", "drop", "reopen", "end"
]
EditState = Literal["intent", "done", "failed", "unknown", "withdrawn", "dry_run"]
EditEvent = Literal["intend", "record", "rehearse", "confirm", "refuse", "lose", "withdraw"]
Table = Mapping[str, Mapping[str, str]]
"""{state: {event: next state}}; a state without moves is one that stays."""

NEW: Final = "new"
"""Where every row begins: it is not there yet."""

DECISIONS: Final[Table] = {
    NEW: {"wait": "open", "file": "closed"},
    "open": {
        "send": "sent",
        "supersede": "superseded",
        "approve": "approved",
        "reject": "rejected",
        "expire": "expired",
        "drop": "closed",
    },
    "sent": {"reopen": "open", "end": "closed"},
    "approved": {"take_back": "rejected", "expire": "expired"},
    "rejected": {"expire": "expired"},
    "superseded": {},
    "expired": {},
    "closed": {},
}
EDITS: Final[Table] = {
    NEW: {"intend": "intent", "record": "done", "rehearse": "dry_run"},
    "intent": {"confirm": "done", "refuse": "failed", "lose": "unknown", "withdraw": "withdrawn"},
    "unknown": {"confirm": "done", "refuse": "failed", "lose": "unknown"},
    "failed": {"intend": "intent", "confirm": "done"},
    "dry_run": {"rehearse": "dry_run"},
    "done": {},
    "withdrawn": {},
}


class MoveNotAllowed(ValueError):
    """A mistake in the program: this event can't happen to a row in this state. Nothing was written."""


def next_state(table: Table, state: str, event: str) -> str:
    """Where `event` leads from `state`. Raises MoveNotAllowed."""
    try:
        return table[state][event]
    except KeyError:
        raise MoveNotAllowed(f"{event!r} can't happen to a row that is {state!r}") from None


def moves_of(table: Table, event: str) -> tuple[tuple[str, ...], str]:
    """The states in which `event` may happen to a row that is there, and the one to which it leads from all of them.

    Raises MoveNotAllowed for an event that never happens to such a row.
    """
    starts = tuple(state for state, moves in table.items() if event in moves and state != NEW)
    if not starts:
        raise MoveNotAllowed(f"{event!r} happens to no row that is there")
    return starts, table[starts[0]][event]
