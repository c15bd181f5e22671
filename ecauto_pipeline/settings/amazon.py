"""The tables about Amazon: accounts, usage plans, ages, tiers, which offer counts.

Not for: facts about an operation; they stand beside it in amazon/operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from ecauto_pipeline.settings.section import Section
from ecauto_pipeline.settings.values import Duration


class SpAccount(Section):
    """One selling account and application; each has its own buckets."""

    id: str = Field("sp_1", min_length=1, description="a name of your choice, shown in records")
    refresh_token_env: str = Field("SP_API_REFRESH_TOKEN", description="variable that holds the refresh token")
    lwa_app_id_env: str = Field("LWA_APP_ID", description="variable that holds the application's client id")
    lwa_client_secret_env: str = Field("LWA_CLIENT_SECRET", description="variable that holds its client secret")


class OperationLimits(Section):
    """Start values of a bucket; what the API advertises afterwards wins. None = the documented default."""

    rate_per_s: float | None = Field(None, gt=0, description="calls a second")
    burst: float | None = Field(None, ge=1, description="calls that may be made at once after a pause")
    batch: int | None = Field(None, ge=1, le=20, description="ASINs in one call, never above what Amazon takes")


class SpApi(Section):
    """Amazon's side. In emulated mode an endpoint that is not set is our own emulator; LWA follows a set SP-API."""

    endpoint: str = Field(
        "https://sellingpartnerapi-fe.amazon.com", pattern=r"^https?://", description="the Selling Partner API"
    )
    lwa_endpoint: str = Field(
        "https://api.amazon.com", pattern=r"^https?://", description="Login with Amazon, where tokens come from"
    )
    marketplace_id: str = Field("A1VC38T7YXB528", description="Amazon.co.jp")
    accounts: tuple[SpAccount, ...] = Field((), description="selling accounts; none = one with the default names")
    limits: Mapping[str, OperationLimits] = Field(  # by operation; their names are checked where they are known
        default_factory=dict, description="usage plans that differ from the documented ones"
    )
    without: tuple[str, ...] = Field((), description="operations of Amazon's that are not asked, by name")
    audit_share: float = Field(
        0.005, ge=0, le=1, description="share of a day's unchanged answers that a second opinion checks; 0 = none"
    )
    timeout_s: float = Field(30.0, gt=0, description="longest wait for one answer")


class Ttl(Section):
    """How old a field of an ASIN may get before it is asked for again."""

    basic: Duration = Field(timedelta(days=7), description="title, description, images")
    category: Duration = Field(timedelta(days=30), description="category and brand")
    price: Duration = Field(timedelta(hours=24), description="price; an older one is never pushed")
    stock: Duration = Field(timedelta(hours=1), description="stock")


class Tiers(Section):
    """Best sellers more often: how old the stock of an ASIN may get, by what it sells."""

    high_sold_within: Duration = Field(timedelta(days=7), description="high tier: sold within this time")
    high_every: Duration = Field(timedelta(hours=1), description="maximum age of stock, high tier")
    medium_viewed_within: Duration = Field(timedelta(days=30), description="medium tier: viewed within this time")
    medium_every: Duration = Field(timedelta(hours=6), description="maximum age of stock, medium tier")
    low_every: Duration = Field(timedelta(hours=24), description="maximum age of stock, all others")
    low_may_come_early: Duration = Field(
        timedelta(0), description="how early a low-tier check may come to reach its home hour; 0 = never early"
    )
    spend: Literal["due", "budget"] = Field(
        "due", description='"due": ask only about what is too old; "budget": leave no call unused (large shops)'
    )

    @model_validator(mode="after")
    def _early_is_a_part(self) -> Tiers:
        if self.low_may_come_early > self.low_every / 2:
            raise ValueError("low_may_come_early: at most half of low_every")
        return self


class Offers(Section):
    """Which offer on Amazon counts."""

    max_ship_hours: int = Field(72, ge=0, description="longest time to ship")
    free_shipping_only: bool = Field(True, description="only offers without a shipping fee")
    filtered_out: Literal["hide", "keep"] = Field(
        "hide", description="what to do with a listing whose offers all fail the rule, twice in a row"
    )
    confirm_after: Duration = Field(timedelta(minutes=60), description="least time between those two answers")
    sellers_only: tuple[str, ...] = Field((), description="seller ids: only offers of these count; none = all sellers")
    sellers_never: tuple[str, ...] = Field((), description="seller ids whose offers never count")
    min_rating_percent: int | None = Field(
        None, ge=0, le=100, description="least share of positive feedback of the seller (Amazon itself is not asked)"
    )
    min_rating_count: int | None = Field(None, ge=0, description="least number of feedbacks of the seller")
    prime_only: bool = Field(False, description="only Prime offers")
    fba_only: bool = Field(False, description="only offers that Amazon ships (FBA, or Amazon's own)")
    amazon_only: bool = Field(False, description="only Amazon's own offers")
    min_offers: int = Field(
        1, ge=1, le=20, description="fewer fitting offers than this are too thin: treated as if none fitted"
    )
    unknown: Literal["refuse", "accept"] = Field(
        "refuse", description="an offer of which Amazon does not say what the rule above asks"
    )

    @model_validator(mode="after")
    def _somebody_may_sell(self) -> Offers:
        both = {name.strip().upper() for name in self.sellers_only} & {n.strip().upper() for n in self.sellers_never}
        if both:
            raise ValueError(f"sellers_only and sellers_never both name {sorted(both)[0]}")
        if any(not name.strip() for name in (*self.sellers_only, *self.sellers_never)):
            raise ValueError("sellers_only, sellers_never: an empty seller id")
        return self
