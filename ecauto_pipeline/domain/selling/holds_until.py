"""How long a verdict holds when nothing is written: the next moment at which time alone may change it.

Every limit of time that the rules of selling know stands here, whether or not it matters to this verdict: too early
costs one look more, too late a listing that nobody corrects. A property test holds the rules to it.
Not for: what changes by a write (state/revisions.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ecauto_pipeline.domain.model import AsinFacts, ListingFacts
from ecauto_pipeline.domain.selling.corrections import RESTS_FOR
from ecauto_pipeline.domain.selling.diffs import CLOCK_TOLERANCE
from ecauto_pipeline.settings import Settings, Tiers


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How old things may get before they count otherwise. `hide_after` None: nothing is hidden for its age."""

    price: timedelta
    sold_within: timedelta
    viewed_within: timedelta
    move_window: timedelta
    hide_after: timedelta | None

    @classmethod
    def of(cls, settings: Settings) -> TimeLimits:
        tiers: Tiers = settings.tiers
        return cls(
            price=settings.ttl.price,
            sold_within=tiers.high_sold_within,
            viewed_within=tiers.medium_viewed_within,
            move_window=settings.guards.move_window,
            hide_after=settings.guards.hide_unconfirmed_after,
        )

    @property
    def journal(self) -> timedelta:
        """How far back edits of ours matter."""
        return max(self.move_window, RESTS_FOR)

    def of_edit(self, at: datetime) -> tuple[datetime, datetime]:
        """The moments at which an edit of this time stops counting: as a step of a price, as one that failed."""
        return at + self.move_window, at + RESTS_FOR


def holds_until(
    listing: ListingFacts,
    facts: AsinFacts | None,
    sold_at: datetime | None,
    viewed_at: datetime | None,
    now: datetime,
    stock_max_age: timedelta,
    limits: TimeLimits,
    others: Iterable[datetime] = (),
) -> datetime | None:
    """The earliest limit from `now` on; None where time changes nothing.

    `stock_max_age`: of its tier now. `others`: the ends of the owner's rules that may select it, and of the edits of it
    that count (`of_edit`).
    """
    moments = [*_moments(listing, facts, sold_at, viewed_at, stock_max_age, limits), *others]
    return min((moment for moment in moments if moment >= now), default=None)


def _moments(
    listing: ListingFacts,
    facts: AsinFacts | None,
    sold_at: datetime | None,
    viewed_at: datetime | None,
    stock_max_age: timedelta,
    limits: TimeLimits,
) -> Iterator[datetime]:
    price_at, stock_at = (facts.price_at, facts.stock_at) if facts is not None else (None, None)
    if price_at is not None:
        yield price_at + limits.price
        yield price_at - CLOCK_TOLERANCE
    if stock_at is not None:
        yield stock_at + stock_max_age
        yield stock_at - CLOCK_TOLERANCE
    if sold_at is not None:
        yield sold_at + limits.sold_within
    if viewed_at is not None:
        yield viewed_at + limits.viewed_within
    if limits.hide_after is not None:
        if stock_at is not None:
            yield stock_at + limits.hide_after
        if listing.first_seen_at is not None:
            yield listing.first_seen_at + limits.hide_after
