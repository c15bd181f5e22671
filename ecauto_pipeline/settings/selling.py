"""The tables about prices: from cost to selling price, and the guards.

Not for: how they are applied (domain/selling).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ecauto_pipeline.settings.section import Section
from ecauto_pipeline.settings.values import Duration, DurationOrNever, Share

Ending = Annotated[int, Field(ge=0, le=9999)]
"""The last digits of a price."""


class PriceTier(Section):
    """One step of strategy "tiered"."""

    max_price_jpy: int | None = Field(None, gt=0, description="up to this cost; the last tier leaves it out")
    markup_ratio: float = Field(gt=0, description="selling price = cost x this")


class Pricing(Section):
    """From cost to selling price: truncated to yen, then rounded half up."""

    strategy: Literal["simple", "tiered"] = Field("simple", description='"simple": one ratio; "tiered": by cost')
    markup_ratio: float = Field(1.3, gt=0, description='selling price = cost x this (strategy "simple")')
    round_to_jpy: int = Field(10, ge=1, description="prices are multiples of this")
    endings: tuple[Ending, ...] = Field(
        (), max_length=20, description="then moved to the nearest price that ends in one of these: [80, 980]; [] = off"
    )
    min_diff_jpy: int = Field(100, ge=0, description="smaller changes are not sent")
    min_diff_ratio: float = Field(0.0, ge=0, le=1, description="changes of this share are sent too; 0 = off")
    extra_cost_jpy: int = Field(0, ge=0, description="what a sale costs besides the goods: packing, postage, ...")
    min_profit_jpy: int = Field(0, ge=0, description="least profit of a sale, after fees and every cost")
    min_profit_ratio: float = Field(0.0, ge=0, le=0.4, description="least profit as a share of the price; 0 = off")
    by_hand: Literal["overwrite", "hold", "keep"] = Field(
        "overwrite",
        description="what becomes of a price that a person set at the shop; a loss is corrected, or hidden, even so",
    )
    tiers: tuple[PriceTier, ...] = Field(
        (
            PriceTier(max_price_jpy=1000, markup_ratio=1.4),
            PriceTier(max_price_jpy=5000, markup_ratio=1.3),
            PriceTier(max_price_jpy=10000, markup_ratio=1.25),
            PriceTier(markup_ratio=1.2),
        ),
        description='cost limits and ratios (strategy "tiered"), rising',
    )

    @model_validator(mode="after")
    def _no_ending_twice(self) -> Pricing:
        if len(set(self.endings)) != len(self.endings):
            raise ValueError("endings: the same one twice")
        return self

    @model_validator(mode="after")
    def _tiers_rise(self) -> Pricing:
        bounds = [tier.max_price_jpy for tier in self.tiers]
        limits = [bound for bound in bounds if bound is not None]
        if not bounds or None in bounds[:-1]:
            raise ValueError("tiers: only the last one may leave max_price_jpy out")
        if sorted(set(limits)) != limits:
            raise ValueError("tiers: max_price_jpy must rise")
        return self


class Guards(Section):
    """Limits that block a price, and shares past which rows wait for a person. Nothing is ever clamped."""

    min_price_jpy: int = Field(500, ge=1, description="a wanted price below is blocked")
    max_price_jpy: int = Field(100_000, ge=1, description="a wanted price above is blocked")
    min_markup_ratio: float = Field(1.05, gt=0, description="the margin floor: below cost x this is blocked")
    max_markup_ratio: float = Field(2.0, gt=0, description="above cost x this is blocked")
    max_move_ratio: float = Field(0.5, gt=0, description="a price that moves by more is held, in one step or ...")
    move_window: Duration = Field(
        timedelta(hours=24), gt=timedelta(0), le=timedelta(days=3), description="... in several within this, <= 3 days"
    )
    max_move_up_ratio: float | None = Field(None, gt=0, description="another limit for rises; not set = the same")
    max_move_down_ratio: float | None = Field(None, gt=0, description="another limit for falls; not set = the same")
    max_account_fall: Share = Field(
        0.1, description="a shop whose prices fall by more on average within move_window has all its falls held"
    )
    max_hide_share: Share = Field(0.2, description="hides are held past this share of an account ...")
    max_hide_rows: int = Field(50, ge=0, description="... and at least this many rows, counted ...")
    hide_window: Duration = Field(
        timedelta(hours=24), gt=timedelta(0), le=timedelta(days=3), description="... over this time, at most 3 days"
    )
    hide_unconfirmed_after: DurationOrNever = Field(
        None, description='what Amazon has not confirmed for so long is hidden until it does; "" = never'
    )
    max_zero_share: Share = Field(0.2, description="a sweep with more zeros than this against yesterday is doubted")
    max_delist_share: Share = Field(0.01, description="delisting past this share of an account is held ...")
    max_delist_rows: int = Field(20, ge=0, description="... or past this many rows")
    max_register_fall: Share = Field(
        0.2, description="a shop's listings or titles in master.db that fall by more, and by 20 rows, are not believed"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Guards:
        if self.min_price_jpy > self.max_price_jpy:
            raise ValueError("min_price_jpy is above max_price_jpy")
        if self.min_markup_ratio > self.max_markup_ratio:
            raise ValueError("min_markup_ratio is above max_markup_ratio")
        return self
