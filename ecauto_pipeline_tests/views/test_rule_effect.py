"""The effect of a rule is what a run would decide, and finding it out writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.errors import NotOnRecord, SettingsError
from ecauto_pipeline.reports.what_if import what_if
from ecauto_pipeline.views.rule_effect import effects_of
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.desk.shop import a_filled_shop


def test_the_effect_is_what_a_run_would_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fixed price and a ban, beside the plan of a what-if with the same rule; no file of rules comes of it."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    key = ListingKey("base", *shop.cheaper[:2])
    with open_tools(shop.settings, offline=True) as tools:
        (as_it_is,) = effects_of(tools, key, {"by_hand": "keep"})
        assert as_it_is.now == as_it_is.then
        price = (as_it_is.now.price_jpy or 0) + 300
        for columns, rule in (
            ({"fixed_price_jpy": str(price)}, ItemRule(fixed_price_jpy=price)),
            ({"never_sell": "yes"}, ItemRule(never_sell=True)),
        ):
            (effect,) = effects_of(tools, shop.cheaper[2], columns)
            shops = (AccountKey("base", shop.cheaper[0]),)
            found = what_if(tools, tools.settings, shops, 0, {key: rule}.get)
            rows = [row for row in found.then.plan["rows"] if row["item_id"] == key.item_id]
            assert [
                (effect.then.price_jpy if row["kind"] == "price" else int(effect.then.on_show or 0)) for row in rows
            ] == [row["wanted"] for row in rows]
            assert 1 == len(rows)
            assert (effect.then.profit_jpy or 0) >= (effect.now.profit_jpy or 0)
        with pytest.raises(SettingsError, match="fixed_price_jpy"):
            effects_of(tools, key, {"fixed_price_jpy": "-5"})
        with pytest.raises(NotOnRecord):
            effects_of(tools, "B000000000", {"never_sell": "yes"})
    assert not shop.settings.rules.exists()
