"""What one account, or one sweep, may change at once; and the order in which changes leave.

A run that looks wrong stops itself: what exceeds a limit is held for a person, the rest goes on. Deterministic and
independent of the order of the diffs. Not for: one listing's own limits (pricing.py, diffs.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

from ecauto_pipeline.domain.model import Decision, Diff, Kind, ListingFacts
from ecauto_pipeline.domain.selling.ratios import exact
from ecauto_pipeline.settings import Guards

JUDGED_FROM = 20  # ASINs; of fewer, a share of zeros says nothing
FALLS_FROM = 20  # listings; fewer that fall are no account's fall, however small the account
ACCOUNT_FALL, MASS_HIDE = "account_fall", "mass_hide"
FEW_ZEROS = 5  # from so many on, even few answers look wrong when most of them say zero


def hold_mass_hides(diffs: Iterable[Diff], shown_public: int, guards: Guards, hidden_lately: int = 0) -> list[Diff]:
    """One account's diffs, in their order, its hides HELD `mass_hide` when they are too many within hide_window.

    `hidden_lately`: listings that earlier runs hid within that window, unasked, and that are hidden still. Too many:
    together with these at least max_hide_rows, and more than max_hide_share of what would be on show without them
    (`shown_public` + `hidden_lately`), so that a mass is one in however many runs it comes. Hides of the
    blocklist and of the owner's rules are neither counted nor held.
    """
    diffs = list(diffs)
    rows = sum(map(_guarded_hide, diffs))
    together, shown_before = rows + hidden_lately, shown_public + hidden_lately
    if together < guards.max_hide_rows or together <= exact(guards.max_hide_share) * shown_before:
        return diffs
    figures = {"rows": rows, "hidden_lately": hidden_lately, "shown_public": shown_public}
    return _hold(diffs, _guarded_hide, MASS_HIDE, figures)


def hides_allowed(shown_public: int, guards: Guards, hidden_lately: int = 0) -> int:
    """How many more hides of one account `hold_mass_hides` would let pass at once; the figures are as there."""
    shown_before = shown_public + hidden_lately
    return max(guards.max_hide_rows - 1, int(exact(guards.max_hide_share) * shown_before)) - hidden_lately


def hides_leave_early(hides: int, seen_public: int, guards: Guards) -> bool:
    """Whether so many hides of one account may leave while its run still asks, as far as the run itself can tell.

    `hides`: all that are wanted so far, those of this run that left included; `seen_public`: listings that were on show
    and of which this run has had an answer. Either a handful, or at most max_hide_share of what was seen: what has been
    looked at stands for what has not, so that no portion leaves of a mass that the whole run would hold. Whether they
    are too many for a day is for `hides_allowed` to say.
    """
    return hides < FEW_ZEROS or hides <= exact(guards.max_hide_share) * seen_public


def hold_account_fall(
    diffs: Iterable[Diff], listings: Iterable[ListingFacts], guards: Guards, asked_for: frozenset[str]
) -> list[Diff]:
    """One account's diffs, in their order, all its price falls HELD `account_fall` when its prices fall too far.

    Too far: its `listings`, as these pushes would leave them, cost on average more than max_account_fall less than at
    the beginning of move_window; and FALLS_FROM of them or more fall now. Rises count against falls; what a person
    asked for (reasons `asked_for`) changes nothing and is not held.
    """
    diffs = list(diffs)
    falls = sum(_falls(diff, asked_for) for diff in diffs)
    if falls < FALLS_FROM:
        return diffs
    wanted = {
        diff.key: diff.wanted
        for diff in diffs
        if diff.kind is Kind.PRICE and diff.decision is Decision.PUSH and diff.reason not in asked_for
    }
    count, sum_of_falls = 0, 0.0
    for listing in listings:
        shown = listing.shown_price_jpy
        before = listing.moves.from_jpy if listing.moves is not None else shown
        if shown is None or before is None or before <= 0:
            continue
        count += 1
        sum_of_falls += 1 - (wanted.get(listing.key) or shown) / before
    if sum_of_falls <= guards.max_account_fall * count:
        return diffs
    figures = {"rows": falls, "listings": count, "fall_percent": round(100 * sum_of_falls / count)}
    return _hold(diffs, lambda diff: _falls(diff, asked_for), ACCOUNT_FALL, figures)


def hold_mass_delist(diffs: Iterable[Diff], listed: int, guards: Guards) -> list[Diff]:
    """One account's diffs, in their order, its delistings HELD `mass_delist` when they are too many at once.

    Too many: more than max_delist_rows, or more than max_delist_share of its `listed` listings.
    """
    diffs = list(diffs)
    rows = sum(map(_delists, diffs))
    if rows <= guards.max_delist_rows and rows <= exact(guards.max_delist_share) * listed:
        return diffs
    return _hold(diffs, _delists, "mass_delist", {"rows": rows, "listed": listed})


def mass_zero(previous_in_stock: int, now_zero: int, guards: Guards) -> bool:
    """Whether too many of the ASINs that were in stock (`previous_in_stock`) are said to be gone (`now_zero`).

    More than max_zero_share of them; fewer than JUDGED_FROM ASINs are never judged.
    """
    return previous_in_stock >= JUDGED_FROM and now_zero > exact(guards.max_zero_share) * previous_in_stock


def most_are_zero(previous_in_stock: int, now_zero: int) -> bool:
    """Whether, of an hour's few ASINs, more than half are suddenly gone: FEW_ZEROS or more, too few for a share."""
    return now_zero >= FEW_ZEROS and 2 * now_zero > previous_in_stock


def push_order(diff: Diff) -> tuple[int, str, str, str, str]:
    """Sort key of pushes: hides, price rises, price falls, restocks, un-hides; then the listing. Total."""
    return (_rank(diff), diff.key.platform, diff.key.account_id, diff.key.item_id, str(diff.kind))


def stops_a_loss(diff: Diff) -> bool:
    """Whether this is a push that ends a wrong sale: a hide, or a price that rises. Nothing else is in a hurry."""
    if diff.decision is not Decision.PUSH or diff.shown is None or diff.wanted is None:
        return False
    if diff.kind is Kind.VISIBILITY:
        return diff.wanted == 0
    return diff.kind is Kind.PRICE and diff.wanted > diff.shown


def _rank(diff: Diff) -> int:
    if diff.kind is Kind.VISIBILITY:
        return 0 if diff.wanted == 0 else 5
    if diff.kind is Kind.PRICE:
        falls = diff.shown is not None and diff.wanted is not None and diff.wanted < diff.shown
        return 2 if falls else 1
    return 3 if diff.kind is Kind.STOCK else 4


def _guarded_hide(diff: Diff) -> bool:
    hides = diff.kind is Kind.VISIBILITY and diff.decision is Decision.PUSH and diff.wanted == 0
    return hides and diff.reason not in ("blocklist", "rule_never_sell")


def _falls(diff: Diff, asked_for: frozenset[str]) -> bool:
    pushed = diff.kind is Kind.PRICE and diff.decision is Decision.PUSH and diff.reason not in asked_for
    return pushed and diff.shown is not None and diff.wanted is not None and diff.wanted < diff.shown


def _delists(diff: Diff) -> bool:
    return diff.kind is Kind.DELIST and diff.decision is Decision.PUSH


def _hold(diffs: list[Diff], concerned: Callable[[Diff], bool], reason: str, figures: dict[str, int]) -> list[Diff]:
    """The diffs with the concerned ones held; evidence: JSON of the figures and of the reason they had."""
    return [
        replace(
            diff,
            decision=Decision.HELD,
            reason=reason,
            evidence=json.dumps({**figures, "reason": diff.reason}, ensure_ascii=False),
        )
        if concerned(diff)
        else diff
        for diff in diffs
    ]
