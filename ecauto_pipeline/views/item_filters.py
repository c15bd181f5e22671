"""The filters of the list of items, each with its words: how a listing stands, and what is said about it.

Filters of one group ("hidden:ours" and "hidden:person") widen each other, those of several groups narrow each other.
Not for: finding the rows (items.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from ecauto_pipeline.domain.reasons import WORDS
from ecauto_pipeline.domain.words import HIDDEN_BY
from ecauto_pipeline.state.unwatched import UNANSWERABLE

STATES: Mapping[str, tuple[str, str]] = {
    "on_sale": ("販売中", "on sale"),
    "sold_out": ("在庫0", "no stock"),
    "hidden": ("非公開", "hidden"),
    "absent": ("ショップにない", "not in the shop"),
    "unread": ("未読み取り", "not read yet"),
}
"""How a listing stands in its shop; each in one of these."""
WHY_UNWATCHED = (
    *("orphan_no_item", "orphan_no_register", "orphan_asin_mismatch", "orphan_bad_asin", "gone_both_sides"),
    *("deleted_at_shop", "register_not_listed", "blocklist", "uneditable", UNANSWERABLE, "never_answered"),
)
_PLAIN: Mapping[str, tuple[str, str]] = {
    "on_sale": STATES["on_sale"],
    "hidden": STATES["hidden"],
    "sold_out": STATES["sold_out"],
    "loss": ("赤字", "at a loss"),
    "held": ("確認待ち", "waits for a person"),
    "blocked": ("上限・下限で中止", "stopped by a limit"),
    "unconfirmed": ("未確認のまま公開中", "on show, not confirmed"),
    "unanswerable": ("Amazonが回答しない", "Amazon gives no answer"),
    "rule": ("規則あり", "a rule applies"),
    "unwatched": ("同期されていない", "not watched"),
    "absent": STATES["absent"],
    "unread": STATES["unread"],
}
FILTERS: Mapping[str, tuple[str, str]] = {
    **_PLAIN,
    **{f"hidden:{who}": words for who, words in HIDDEN_BY.items()},
    **{f"unwatched:{why}": WORDS[why] for why in WHY_UNWATCHED},
}
"""Every filter by name, in the order in which they are shown; a name with ":" is one kind of what stands before it."""
BITS: Mapping[str, int] = {name: 1 << place for place, name in enumerate(FILTERS)}


class Standing(NamedTuple):
    """How one listing stands. `state`: one of STATES; `hidden_by` and `unwatched`: "" = it is not."""

    state: str
    hidden_by: str
    unwatched: str
    loss: bool
    held: bool
    blocked: bool
    unconfirmed: bool
    rule: bool


@lru_cache(maxsize=4096)
def bits_of(standing: Standing) -> int:
    """Which filters it passes. There are few ways to stand, and a hundred thousand listings."""
    bits = BITS[standing.state]
    if standing.state == "hidden":
        bits |= BITS.get(f"hidden:{standing.hidden_by}", 0)
    if standing.unwatched:
        bits |= BITS["unwatched"] | BITS.get(f"unwatched:{standing.unwatched}", 0)
        bits |= BITS["unanswerable"] if standing.unwatched == UNANSWERABLE else 0
    for name in ("loss", "held", "blocked", "unconfirmed", "rule"):
        bits |= BITS[name] if getattr(standing, name) else 0
    return bits


def state_of(present: int, visible: int | None, stock: int | None, delist: str) -> str:
    """One of STATES, by what the shop showed when it was last read."""
    if not present or delist:
        return "absent"
    if visible is None:
        return "unread"
    return "hidden" if not visible else "sold_out" if stock == 0 else "on_sale"


def masks_of(filters: Iterable[str]) -> list[int]:
    """Of each group, the bits of which a listing has to have one. An unknown name is left out."""
    groups: dict[str, int] = {}
    for name in filters:
        if name in BITS:
            group = name.partition(":")[0]
            groups[group] = groups.get(group, 0) | BITS[name]
    return list(groups.values())


def kinds_of(name: str) -> Sequence[str]:
    """The filters that are kinds of this one."""
    return [one for one in FILTERS if one.startswith(f"{name}:")]
