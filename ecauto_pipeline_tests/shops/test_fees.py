"""The fees that a shop pays, from ecauto.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.fees import NO_FEES, Fees
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import parse
from ecauto_pipeline.shops.platforms import fees_of

STANDARD, GROWTH = Fees(0.036, 40, 0.03), Fees(0.029)
OWN = {"plan": "custom", "payment_ratio": 0.046, "payment_fixed_jpy": 30, "service_ratio": 0.0, "rounding": "nearest"}


def fees(account: AccountKey, **document: Any) -> Fees:
    return fees_of(parse(document, Path(".")), account)


def base(*accounts: dict[str, Any], **table: Any) -> dict[str, Any]:
    return {"base": {"accounts": list(accounts), **table}}


SHOP = AccountKey("base", "shop_1")


def test_a_shop_pays_the_standard_plan_unless_it_says_otherwise() -> None:
    """Nothing said, or a shop that the file does not name: the plan that every shop begins with."""
    assert STANDARD == fees(SHOP)
    assert STANDARD == fees(SHOP, **base({"id": "shop_2", "fees": {"plan": "growth"}}))


def test_one_plan_for_all_shops_and_one_shop_of_its_own() -> None:
    """[base.fees] holds for every shop but the one with `fees` of its own."""
    document = base({"id": "shop_1"}, {"id": "shop_2", "fees": {"plan": "standard"}}, fees={"plan": "growth"})
    assert GROWTH == fees(SHOP, **document)
    assert STANDARD == fees(AccountKey("base", "shop_2"), **document)


def test_figures_of_ones_own() -> None:
    """Plan "custom": exactly what is written, a zero included."""
    assert Fees(0.046, 30, 0.0, "nearest") == fees(SHOP, **base(fees=OWN))


def test_a_cart_of_files_has_no_fees_until_they_are_said() -> None:
    """Nobody knows what another cart takes: nothing, until [csv.fees] or the shop's own `fees` say."""
    shop = {"id": "cart", "items": "items.csv", "updates": "updates"}
    cart = AccountKey("csv", "cart")
    assert NO_FEES == fees(cart, csv={"accounts": [shop]})
    assert Fees(0.03, 10) == fees(
        cart, csv={"accounts": [shop], "fees": {"payment_ratio": 0.03, "payment_fixed_jpy": 10}}
    )
    own = {**shop, "fees": {"service_ratio": 0.05}}
    assert Fees(service_ratio=0.05) == fees(cart, csv={"accounts": [own], "fees": {"payment_ratio": 0.03}})


def test_a_platform_that_is_none_of_ours_keeps_nothing() -> None:
    """Old rows of history may name one; its prices can still be explained."""
    assert NO_FEES == fees(AccountKey("elsewhere", "x"))


@pytest.mark.parametrize(
    ("document", "nearest"),
    [
        (base(fees={"pln": "growth"}), "plan"),
        (base({"id": "a", "fees": {"payment_rate": 0.03}}), "payment_ratio"),
        ({"csv": {"fees": {"fixed_jpy": 10}}}, "payment_fixed_jpy"),
    ],
)
def test_an_unknown_key_of_fees_names_the_nearest(document: dict[str, Any], nearest: str) -> None:
    """As everywhere in ecauto.toml, also within one shop's own fees."""
    with pytest.raises(SettingsError, match=f"nearest known one is '{nearest}'"):
        parse(document, Path("."))
