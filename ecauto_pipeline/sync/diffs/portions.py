"""Shops of which every listing is judged, a few of them at a time: what is judged at once is in memory at once.

Each shop's verdicts, guards, rows and looks are its own, so that the portions come to what all of it together would.
One shop is one portion, however large. Not for: judging a portion, or which listings of it (decide.py, changed.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state.judged import JudgingStep
from ecauto_pipeline.state.shop_listings import count_shops
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.diffs.changed import judged_whole
from ecauto_pipeline.sync.diffs.evaluate import closed_accounts, fixed_kinds

AT_ONCE = 10_000
"""Listings of a portion, unless a single shop has more: some 10 MB."""


def in_portions(context: Context, step: JudgingStep, at_once: int = AT_ONCE) -> Sequence[Context]:
    """The same run over some of its shops each, in their order; those of which only what has changed is judged are one
    portion, the last. A run of some best sellers is one: they are chosen among all of its shops."""
    if context.run.max_items is not None:
        return [context]
    accounts = context.accounts
    with context.state.read() as connection:
        if context.run.dry_run:
            whole = frozenset(accounts)
        else:
            now = context.clock.now()
            closed = closed_accounts(context, connection, now)
            whole = judged_whole(context, connection, step, now, fixed_kinds(context), closed)
        if not whole:
            return [context]
        counts = count_shops(connection, whole)
    sizes = {account: count.listed for account, count in counts.items()}
    portions = list(_portions(sorted(whole), sizes, at_once))
    others = [account for account in accounts if account not in whole]
    portions += [others] if others else []
    if len(portions) == 1:
        return [context]
    return [replace(context, run=replace(context.run, accounts=tuple(portion))) for portion in portions]


def _portions(accounts: Iterable[AccountKey], sizes: dict[AccountKey, int], at_once: int) -> Iterator[list[AccountKey]]:
    portion: list[AccountKey] = []
    size = 0
    for account in accounts:
        if portion and size + sizes[account] > at_once:
            yield portion
            portion, size = [], 0
        portion.append(account)
        size += sizes[account]
    if portion:
        yield portion
