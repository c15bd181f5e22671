"""The tables of the shops, one a platform.

Not for: what a shop may be sold for (selling.py).
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from ecauto_pipeline.settings.section import Section
from ecauto_pipeline.settings.values import Duration

Rounding = Literal["up", "nearest", "down"]
_ROUNDING = "each fee to whole yen; how a platform does it is rarely documented"


class ShopFees(Section):
    """What a platform keeps of a sale; shares of what the customer pays."""

    payment_ratio: float = Field(0.0, ge=0, le=0.25, description="share for the payment")
    payment_fixed_jpy: int = Field(0, ge=0, description="yen for the payment of an order")
    service_ratio: float = Field(0.0, ge=0, le=0.25, description="share for the service")
    rounding: Rounding = Field("up", description=_ROUNDING)


class ShopAccount(Section):
    """One shop, whatever its platform."""

    id: str = Field(min_length=1, pattern=r"^[A-Za-z0-9_.-]+$", description="account_id in master.db")
    active: bool = Field(True, description="false: neither read nor written, its ASINs cost no calls")
    strategy: Literal["simple", "tiered"] | None = Field(None, description="pricing strategy of this shop alone")
    markup_ratio: float | None = Field(None, gt=0, description="markup of this shop alone")


class Shops(Section):
    """A platform's table: its shops are its `accounts`."""

    accounts: tuple[ShopAccount, ...] = ()


class BaseFees(Section):
    """BASE's fees by plan; figures of your own with plan "custom" alone."""

    plan: Literal["standard", "growth", "custom"] = Field("standard", description="the shop's plan at BASE")
    payment_ratio: float | None = Field(None, ge=0, le=0.25, description='share for the payment (plan "custom")')
    payment_fixed_jpy: int | None = Field(None, ge=0, description='yen for the payment of an order (plan "custom")')
    service_ratio: float | None = Field(None, ge=0, le=0.25, description='share for the service (plan "custom")')
    rounding: Rounding = Field("up", description=_ROUNDING + ' (plan "custom")')

    @model_validator(mode="after")
    def _figures_belong_to_custom(self) -> BaseFees:
        figures = ("payment_ratio", "payment_fixed_jpy", "service_ratio")
        if self.plan == "custom":
            missing = [name for name in figures if getattr(self, name) is None]
            if missing:
                raise ValueError(f'plan "custom" needs {", ".join(missing)} too')
        elif self.model_fields_set & {*figures, "rounding"}:
            raise ValueError('figures count with plan = "custom" alone')
        return self


class BaseAccount(ShopAccount):
    """One shop on BASE."""

    client_id_env: str = Field("", description='variable of the client id; "" = <ID>_CLIENT_ID')
    client_secret_env: str = Field("", description='variable of the client secret; "" = <ID>_CLIENT_SECRET')
    redirect_uri: str = Field("", description="the callback address registered with the BASE application")
    token_file: str = Field("", description='"" = data/tokens/<id>_token.json')
    shop_url: str = Field(
        "",
        pattern=r"^(https?://[^/?#\s]+/?)?$",
        description='the address that customers open, as "https://example.thebase.in": the desk links to items there',
    )
    fees: BaseFees | None = Field(None, description="fees of this shop alone: the keys of [base.fees]")

    def client_id_variable(self) -> str:
        return self.client_id_env or f"{_variable(self.id)}_CLIENT_ID"

    def client_secret_variable(self) -> str:
        return self.client_secret_env or f"{_variable(self.id)}_CLIENT_SECRET"


def _variable(account_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", account_id).upper()


class BaseLimits(Section):
    """What BASE allows one shop; the hour starts at minute 00, the day at midnight JST."""

    per_hour: int = Field(5000, ge=1, description="calls of one shop in a clock hour")
    per_day: int = Field(100_000, ge=1, description="calls of one shop in a day")
    min_interval_s: float = Field(0.0, ge=0, description="pause between two calls of one shop")
    reserve: float = Field(
        0.1, ge=0, le=0.25, description="share of both that is kept for hides and for undoing (rollback)"
    )


class BaseShops(Shops):
    """BASE's side. In emulated mode an endpoint that is not set means our own emulator."""

    endpoint: str = Field("https://api.thebase.in/1", pattern=r"^https?://", description="the BASE API")
    accounts: tuple[BaseAccount, ...] = Field((), description="the shops; none in emulated mode = the emulator's")
    limits: BaseLimits = BaseLimits()
    fees: BaseFees = BaseFees()
    timeout_s: float = Field(30.0, gt=0, description="longest wait for one answer")


class CsvAccount(ShopAccount):
    """One shop whose cart takes files."""

    items: str = Field(min_length=1, description="the product file that the cart exports")
    updates: str = Field(min_length=1, description="an existing folder: one update file a run is written there")
    fees: ShopFees | None = Field(None, description="fees of this shop alone: the keys of [csv.fees]")


class CsvColumns(Section):
    """What the columns are called in the product file and in the update files; "" = the cart has none."""

    item_id: str = Field(
        "item_id", min_length=1, description="the item's id in the cart (platform_item_id in master.db)"
    )
    sku: str = Field("sku", description="the owner's own code; compared with the ASIN in master.db")
    title: str = Field("title", description="the name of the item")
    price: str = Field("price", description="selling price in whole yen")
    visible: str = Field("visible", description="public or hidden")
    stock: str = Field("stock", description="pieces")
    modified: str = Field(
        "", description="time of the last change; only where the cart counts a sale as one (a reading may end early)"
    )


class CsvShops(Shops):
    """Shops whose cart takes files: read from a product file, changed by update files. No API, no orders."""

    accounts: tuple[CsvAccount, ...] = Field((), description="the shops")
    columns: CsvColumns = CsvColumns()
    fees: ShopFees = ShopFees()
    encoding: Literal["utf-8", "utf-8-sig", "cp932"] = Field(
        "utf-8", description="of both files (cp932 = Windows' Shift_JIS); a UTF-8 mark in the product file is heeded"
    )
    visible_value: str = Field("1", min_length=1, description="what the column says of a public item")
    hidden_value: str = Field("0", min_length=1, description="what it says of a hidden one")
    quiet: Duration = Field(
        timedelta(seconds=10), description="a product file younger than this is still being written"
    )

    @model_validator(mode="after")
    def _check_ids_unique(self) -> CsvShops:
        if self.visible_value == self.hidden_value:
            raise ValueError("visible_value and hidden_value are the same")
        names = [name for name in self.columns.model_dump().values() if name]
        if len(set(names)) != len(names):
            raise ValueError("columns: the same name twice")
        return self
