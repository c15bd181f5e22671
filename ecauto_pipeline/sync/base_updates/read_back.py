"""Edits of which nobody knows whether they happened: read back from the shop, settled, never repeated blindly.

Not for: making edits (shop_worker.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from ecauto_pipeline.domain.model import Kind, Outcome
from ecauto_pipeline.errors import AccountBlocked, BudgetSpent, CallError, ItemGone
from ecauto_pipeline.shops.protocol import Item, Shop, key_of
from ecauto_pipeline.state import decisions, journal, locks, shown
from ecauto_pipeline.state.corrections import OTHER_VALUE
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.faults import fault_of
from ecauto_pipeline.sync.sections import Fault

_EVENTS: Final[dict[Outcome, Literal["confirm", "refuse", "lose"]]] = {
    Outcome.DONE: "confirm",
    Outcome.FAILED: "refuse",
    Outcome.UNKNOWN: "lose",
}


def shown_value(item: Item, kind: Kind) -> int | None:
    """What an item shows of one kind: yen, 0/1 or quantity; None where the shop does not say."""
    if kind is Kind.PRICE:
        return item.price_jpy
    if kind is Kind.STOCK:
        return item.stock
    return None if item.visible is None else int(item.visible)


def read_back_open_edits(tools: Tools, shop: Shop, tell: Callable[[Fault], None]) -> list[tuple[Update, Outcome]]:
    """Settle what earlier runs left open in one shop; whoever calls holds that shop's lease.

    An edit over which something unforeseen is raised stays open, and the next one is looked at; `tell` hears of it.

    Raises BudgetSpent, AccountBlocked when the shop can't be read any further; what was settled stands.
    """
    with tools.state.read() as connection:
        open_ones = journal.unsettled(connection, shop.platform, shop.account_id)
    settled = []
    for update in open_ones:
        tools.go_on()
        try:
            settled.append((update, read_back_edit(tools, shop, update)))
        except (BudgetSpent, AccountBlocked):
            raise
        except Exception as error:
            tell(fault_of(tools, key_of(shop), "read back", error))
    return settled


def read_back_edit(tools: Tools, shop: Shop, update: Update) -> Outcome:
    """Read one item back. DONE when it shows our value, FAILED when it shows another (its decision opens again when
    that is the old value), UNKNOWN when it can't be read now."""
    try:
        item = shop.item(update.key.item_id)
    except (BudgetSpent, AccountBlocked):
        raise
    except ItemGone as error:
        return _end(tools, update, Outcome.FAILED, f"read back: {error.reason}", None)
    except CallError as error:
        return _end(tools, update, Outcome.UNKNOWN, f"not read back: {error.reason}", None)
    value = shown_value(item, update.kind)
    if value is None:
        return _end(tools, update, Outcome.UNKNOWN, "read back: no value", None)
    if value == update.after:
        return _end(tools, update, Outcome.DONE, "", value)
    answered = f"{OTHER_VALUE}, " if update.error.startswith(OTHER_VALUE) else ""  # an answer there was, and it said so
    return _end(tools, update, Outcome.FAILED, f"{answered}read back: shows {value}", value)


def _end(tools: Tools, update: Update, outcome: Outcome, error: str, value: int | None) -> Outcome:
    now = tools.clock.now()
    with tools.state.write(locks.shop(update.key.account)) as connection:
        journal.finish(connection, update.update_id, _EVENTS[outcome], now, error)
        if outcome is Outcome.DONE:
            decided = decisions.by_id(connection, update.diff_id)
            reason, cost_jpy = (decided.diff.reason, decided.diff.cost_jpy) if decided else ("", None)
            shown.record_edit(connection, update.key, update.kind, value, now, reason, cost_jpy)
        elif value is not None:
            shown.record_reading(connection, update.key, update.kind, value, now)
        if outcome is Outcome.FAILED:
            if value is not None and value == update.before and not update.rollback_of:
                decisions.reopen(connection, update.diff_id, now)
            else:
                decisions.move(connection, [update.diff_id], "end", now)
    return outcome
