"""Which shop people mean by a name, before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.cli.running import chosen
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.wiring.accounts import known_accounts, shop_accounts


def files(account_id: str, active: bool = True) -> dict[str, object]:
    return {"id": account_id, "active": active, "items": "p.csv", "updates": "u"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    base = ({"id": "tokyo"}, {"id": "osaka"})
    return parse({"base": {"accounts": base}, "csv": {"accounts": (files("tokyo"), files("nara", False))}}, tmp_path)


def test_shops_of_every_platform_are_known(settings: Settings) -> None:
    """A cart that takes files is named like any other shop."""
    assert ["base:tokyo", "base:osaka", "csv:tokyo", "csv:nara"] == [str(key) for key in shop_accounts(settings)]
    assert (AccountKey("base", "osaka"),) == known_accounts(settings, ["osaka"])
    assert (AccountKey("csv", "tokyo"),) == known_accounts(settings, ["csv:tokyo"])


@pytest.mark.parametrize(
    ("name", "said"),
    [("tokyo", "could be base:tokyo, csv:tokyo"), ("kyoto", "known: base:tokyo, osaka, csv:tokyo"), ("nara", "off")],
)
def test_a_name_that_does_not_say_which_shop_is_refused(settings: Settings, name: str, said: str) -> None:
    """Unknown, switched off, or one of two: the sentence names those there are."""
    with pytest.raises(SettingsError, match=said):
        known_accounts(settings, [name])


def test_a_platform_stands_for_its_active_shops(settings: Settings) -> None:
    """`--platform csv` is a run for the carts; all platforms together are a run without limits."""
    assert ["csv:tokyo"] == chosen(settings, "csv", None)
    assert ["base:tokyo"] == chosen(settings, "BASE", ["tokyo"])
    assert [] == chosen(settings, "", None)


def test_the_emulators_shops_stand_beside_the_carts(tmp_path: Path) -> None:
    """Where ecauto.toml names no shop on BASE, emulated mode still has its own."""
    settings = parse({"csv": {"accounts": (files("nara"),)}}, tmp_path)
    assert {"base", "csv"} == {key.platform for key in shop_accounts(settings)}
