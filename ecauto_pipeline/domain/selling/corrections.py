"""Corrections of a price that failed: what the shop refused, or took without effect, is not sent again at once.

The same edit would fail again in every run, while the price shown may sell at a loss: it rests until something changes
(what is wanted, the item, a day), and the rules can take the listing off sale meanwhile.
Not for: finding the edits (state/corrections.py) or the hide (visibility.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ecauto_pipeline.domain.model import Kind, Outcome

RESTS_FOR = timedelta(days=1)
PRICE_FAILED, IN_SALE = "price_failed", "in_sale"
FAILED_CORRECTIONS = (PRICE_FAILED, IN_SALE)
"""Reasons: the shop refuses the price; it takes the price and goes on showing another (an item in a BASE sale)."""
PRICE_HELD, PRICE_BLOCKED = "price_held", "price_blocked"
UNCORRECTED = (*FAILED_CORRECTIONS, PRICE_HELD, PRICE_BLOCKED)
"""Reasons of a hide: the price shown is a loss, and its correction failed, waits for a person, or breaks a limit."""
OWN_ECHO = timedelta(seconds=60)
"""The shop's own time of change of an edit of ours is no later than this after it."""
WITHOUT_EFFECT = 2
"""Edits in a row that came back as another value, where nothing says that the item is in a sale."""


@dataclass(frozen=True, slots=True)
class FailedPrice:
    """A price that the shop did not take, and why (one of FAILED_CORRECTIONS)."""

    wanted_jpy: int
    reason: str


@dataclass(frozen=True, slots=True)
class Edited:
    """One edit of ours, settled. `refused`: the shop would not have it; `other_value`: its answer showed another."""

    kind: Kind
    after: int | None
    outcome: Outcome
    at: datetime
    refused: bool = False
    other_value: bool = False


def failed_price(
    edits: Sequence[Edited], shown_jpy: int | None, in_sale: bool, changed_at: datetime | None, now: datetime
) -> FailedPrice | None:
    """What the newest price edits of one listing came to; None where nothing stands against sending a price.

    `edits`: of every kind, oldest first. `shown_jpy`: what the shop shows; `in_sale`: it says that the item is in a
    sale; `changed_at`: the shop's own time of the item's last change, None = it does not say.
    """
    lately = [edit for edit in edits if now - edit.at <= RESTS_FOR]
    prices = [edit for edit in lately if edit.kind is Kind.PRICE]
    if not prices or prices[-1].after is None:
        return None
    if changed_at is not None and changed_at > max(edit.at for edit in lately) + OWN_ECHO:
        return None
    wanted, in_vain = prices[-1].after, 0
    for edit in reversed(prices):
        if edit.after != wanted or not (edit.refused or _without_effect(edit, shown_jpy)):
            break
        if edit.refused:
            return FailedPrice(wanted, PRICE_FAILED)
        in_vain += 1
    return FailedPrice(wanted, IN_SALE) if in_vain >= (1 if in_sale else WITHOUT_EFFECT) else None


def _without_effect(edit: Edited, shown_jpy: int | None) -> bool:
    return edit.other_value or (edit.outcome is Outcome.DONE and shown_jpy is not None and shown_jpy != edit.after)
