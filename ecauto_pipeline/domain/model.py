"""The words of the trade as values: what Amazon said, what a shop shows, what we decided.

Shared by every rule and step. Not for: rules (their own modules) or storage (state/, history/).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ecauto_pipeline.domain.selling.item_rules import ItemRule


class Status(StrEnum):
    """What one answer about one ASIN means. The first four are authoritative: Amazon answered."""

    SUCCESS = "success"
    OUT_OF_STOCK = "out_of_stock"
    FILTERED_OUT = "filtered_out"
    NOT_FOUND = "not_found"
    API_ERROR = "api_error"

    @property
    def authoritative(self) -> bool:
        return self is not Status.API_ERROR


class Kind(StrEnum):
    """What a diff changes."""

    PRICE = "price"
    VISIBILITY = "visibility"
    STOCK = "stock"
    DELIST = "delist"


class Decision(StrEnum):
    """What became of one target (a listing and a kind). UNCHANGED is counted, never stored as a diff."""

    PUSH = "push"
    HELD = "held"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    UNCHANGED = "unchanged"


class Outcome(StrEnum):
    """How a push ended."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DRY_RUN = "dry_run"


class Tier(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Role(StrEnum):
    """What an SP-API operation is asked for; the order is that of tables.

    A sweep says whether anything has changed, a detail brings the offers, a confirm is a second look at one ASIN. An
    opinion is asked of another family of Amazon's whether a doubted answer is right, and never yields a price; the
    catalogue knows texts, neither price nor stock.
    """

    SWEEP = "sweep"
    DETAIL = "detail"
    CONFIRM = "confirm"
    OPINION = "opinion"
    CATALOGUE = "catalogue"


@dataclass(frozen=True, slots=True)
class OfferSeen:
    """One new offer as a source without ship times shows it. None = the source did not say, which is not free, not no.

    `cost_jpy`: what the shop would pay, None while shipping is unknown; it is then `listing_price_jpy` or more.
    """

    seller_id: str
    listing_price_jpy: int
    shipping_jpy: int | None = None
    is_prime: bool | None = None
    is_fba: bool | None = None

    @property
    def cost_jpy(self) -> int | None:
        return None if self.shipping_jpy is None else self.listing_price_jpy + self.shipping_jpy


@dataclass(frozen=True, slots=True)
class Answer:
    """One row a requested ASIN a request: what one operation said of one ASIN.

    `price_jpy` is what the shop would pay (ListingPrice + shipping of the chosen offer), only with SUCCESS and only
    from a detail or confirm operation. `in_stock` None = unknown. `probe_*` are the figures that a later sweep is
    compared with (Buy Box ListingPrice + shipping, number of new offers); None = not said.
    A sweep and an opinion answer SUCCESS with price_jpy None, meaning "there are new offers"; `seen`: those that an
    opinion showed.
    """

    asin: str
    operation: str
    status: Status
    reason: str = ""
    price_jpy: int | None = None
    in_stock: bool | None = None
    offer_count: int | None = None
    ship_hours_max: int | None = None
    is_prime: bool | None = None
    is_fba: bool | None = None
    seller_id: str = ""
    listing_price_jpy: int | None = None
    shipping_jpy: int | None = None
    probe_price_jpy: int | None = None
    probe_offer_count: int | None = None
    http_status: int | None = None
    request_id: str = ""
    offers_json: str = ""
    of_call: bool = False
    merged_into: str = ""
    seen: tuple[OfferSeen, ...] = ()


class AccountKey(NamedTuple):
    """One shop: an account of one platform. As text, `platform:account_id`. (A tuple: hashed once a verdict.)"""

    platform: str
    account_id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.account_id}"


class ListingKey(NamedTuple):
    """A listing: an item offered in one account of one platform. (A tuple, as AccountKey.)"""

    platform: str
    account_id: str
    item_id: str

    @property
    def account(self) -> AccountKey:
        """The shop it is offered in."""
        return AccountKey(self.platform, self.account_id)


@dataclass(frozen=True, slots=True)
class AsinFacts:
    """What we may decide from about one ASIN: its last answers that count. Times aware UTC, None = never.

    `price_at` / `stock_at` say when price and stock were last confirmed; `snapshot_id` is the detail behind them.
    `doubt` names a second look still owed (`zero`, `jump`), "" where there is none; while it is owed the last
    believed facts stand, but nothing that the doubt would change may be pushed. `contradictions`: how often a second
    opinion has said no to it, with the price that is doubted and both answers (JSON); told from three on.
    """

    asin: str
    status: Status | None = None
    price_jpy: int | None = None
    in_stock: bool | None = None
    price_at: datetime | None = None
    stock_at: datetime | None = None
    filtered_since: datetime | None = None
    filtered_count: int = 0
    doubt: str = ""
    snapshot_id: str = ""
    contradictions: int = 0
    doubt_price_jpy: int | None = None
    contradiction: str = ""


class PriceEdit(NamedTuple):
    """One price edit of ours that was done, or may have been. `asked`: a person approved it, or took a run back.

    (A tuple: a day of a large shop has tens of thousands.)
    """

    at: datetime
    before_jpy: int | None
    after_jpy: int
    asked: bool = False


@dataclass(frozen=True, slots=True)
class PriceMoves:
    """The steps that count, oldest first, and the price before the first of them."""

    from_jpy: int
    steps: tuple[PriceEdit, ...]


@dataclass(frozen=True, slots=True)
class ListingFacts:
    """What a shop shows for one listing, as last read. `shown_*` None = not read.

    `failed_price_jpy`, `failed_price`: a price that the shop lately refused or took without effect, and which of
    corrections.FAILED_CORRECTIONS it was; None and "" where there is none. `price_by_hand`: a person set the price that
    is shown. `moves`: our price edits within the guards' move_window that count, None = none.
    """

    key: ListingKey
    asin: str
    shown_price_jpy: int | None
    shown_visible: bool | None
    shown_stock: int | None
    has_variations: bool = False
    hidden_by: str = ""
    register_visible: bool | None = None
    blocked_by_list: bool | None = False  # None: nobody knows, no list could ever be read
    uneditable: str = ""
    read_at: datetime | None = None
    first_seen_at: datetime | None = None
    failed_price_jpy: int | None = None
    failed_price: str = ""
    price_by_hand: bool = False
    rule: ItemRule | None = None  # what the owner's rules say of it, None = nothing
    moves: PriceMoves | None = None


@dataclass(frozen=True, slots=True)
class Diff:
    """One decision about one listing and kind. `shown`/`wanted`: yen, 0/1, or quantity; None = unknown.

    `profit_jpy`: what is left of a sale at the price that it leads to: of a price the wanted one, else the one
    on show once the run is done.
    """

    key: ListingKey
    asin: str
    kind: Kind
    shown: int | None
    wanted: int | None
    decision: Decision
    reason: str
    snapshot_id: str = ""
    cost_jpy: int | None = None
    evidence: str = ""
    tier: str = ""  # of its ASIN when it was decided, "" = not judged by the line
    profit_jpy: int | None = None
