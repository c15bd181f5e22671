"""An explanation as values: what Amazon said, what was decided, what was sent about one ASIN, up to one moment.

Not for: finding it out (story.py) or showing it (words.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

Steps = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OfferLine:
    """One offer of the answer behind the price. `verdict`: "chosen", "fits" or why it does not fit."""

    seller_id: str
    price_jpy: int | None
    shipping_jpy: int | None
    max_hours: int | None
    availability: str
    is_prime: bool | None
    is_fba: bool | None
    is_buybox: bool
    score: int | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer about the ASIN."""

    snapshot_id: str
    run_id: str
    observed_at: datetime
    operation: str
    status: str
    reason: str
    price_jpy: int | None
    in_stock: bool | None
    offer_count: int | None
    http_status: int | None
    request_id: str
    offers_json: str = ""

    @property
    def authoritative(self) -> bool:
        return self.status != "api_error"


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision. `shown` / `wanted`: yen, 0/1 or quantity; `state` only where state.db still knows the row."""

    diff_id: str
    run_id: str
    decided_at: datetime
    platform: str
    account_id: str
    item_id: str
    kind: str
    shown: int | None
    wanted: int | None
    decision: str
    reason: str
    snapshot_id: str
    cost_jpy: int | None
    evidence: str
    state: str = ""
    profit_jpy: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """One update. `outcome` "" = on its way, nobody knows yet."""

    update_id: str
    diff_id: str
    run_id: str
    attempted_at: datetime
    completed_at: datetime | None
    platform: str
    account_id: str
    item_id: str
    kind: str
    before: int | None
    after: int | None
    outcome: str
    error: str
    attempts: int | None
    rollback_of: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a shop showed for one kind, and how that is known: `origin` "update", "decision", "read" or ""."""

    value: int | None = None
    since: datetime | None = None
    origin: str = ""
    decision: Decided | None = None
    update: Sent | None = None


@dataclass(frozen=True, slots=True)
class ListingStory:
    """One listing at that moment: what it showed and the last decision and update of each kind.

    `gone`: the shop had it no more; its figures are the last ones. `gone_since` None where the moment is not known.
    `rules`: what the owner's rules of today answer about it (item_rules.QUESTIONS), and in which line.
    """

    platform: str
    account_id: str
    item_id: str
    price: Figure = Figure()
    visibility: Figure = Figure()
    stock: Figure = Figure()
    price_steps: Steps = ()
    wanted_price_jpy: int | None = None
    price_blocked: str = ""
    hidden_by: str = ""
    notes: tuple[str, ...] = ()
    gone: bool = False
    gone_since: datetime | None = None
    rules: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything known about `asin` at `as_of`; lists are newest first. `basis`: the answer behind price and stock."""

    key: str
    asin: str
    as_of: datetime
    from_history_alone: bool
    answers: tuple[Answered, ...] = ()
    last: Answered | None = None
    basis: Answered | None = None
    offers: tuple[OfferLine, ...] | None = None
    listings: tuple[ListingStory, ...] = ()
    decisions: tuple[Decided, ...] = ()
    updates: tuple[Sent, ...] = ()
    freshness: tuple[tuple[str, datetime | None], ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def found(self) -> bool:
        """Whether anything at all is known."""
        return bool(self.answers or self.last or self.decisions or self.updates or self.listings)
