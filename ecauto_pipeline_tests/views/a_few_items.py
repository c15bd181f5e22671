"""A dozen listings in two shops, each standing another way, in a project of their own. Not for: laws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.selling.item_rules import ItemRule, RuleLine, Selectors
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import load
from ecauto_pipeline.state.item_rules import replace_rules
from ecauto_pipeline.state.schema import asins, catalogue, listings
from ecauto_pipeline.state.schema_decisions import diffs
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.wiring.open import open_tools

TOML = """
[base.fees]
plan = "standard"
[[base.accounts]]
id = "s1"
[[base.accounts]]
id = "s2"
[[base.accounts]]
id = "off"
active = false
"""
ON_SALE: dict[str, object] = {
    "account_id": "s1", "shown_price_jpy": 2580, "shown_visible": 1, "shown_stock": 1, "present": 1, "listed": 1,
    "register_id": 1, "register_status": "listed", "cost": 1984, "title": "茶こし", "age_h": 1.0, "changed_h": 10.0,
}  # fmt: skip
ITEMS: dict[str, dict[str, object]] = {
    "101": {"title": "ワイヤレス  イヤホン 黒", "identifier": "KURO-1"},
    "102": {"shown_visible": 0, "hidden_by": "ours"},
    "103": {"shown_visible": 0, "hidden_by": "person", "shown_price_jpy": 1000},
    "104": {"shown_price_jpy": 1000},
    "105": {"decision": "held", "shown_price_jpy": 9800},
    "106": {"decision": "blocked", "cost": 200, "shown_price_jpy": 400},
    "107": {"age_h": 80.0, "cost": 1000},
    "108": {"present": 0, "shown_visible": None, "shown_price_jpy": None, "orphan": "no_item", "changed_h": None},
    "109": {"failures": 9, "failing_since_h": 100.0, "failing_reason": "wrong_shape"},
    "110": {"account_id": "s2", "asin": "B000000101", "item_rules": "2", "changed_h": 1.0},
    "111": {"shown_stock": 0, "title": None, "told": "カタログの Coffee Mill"},
    "112": {"shown_visible": None, "shown_price_jpy": None, "cost": None, "title": "=1+1", "changed_h": None},
    "113": {"account_id": "off"},
}
_FAILING = ("failures", "failing_reason")
RULE = RuleLine(Selectors(item_id="110"), ItemRule(extra_cost_jpy=300, line=2))


@contextmanager
def a_few_items(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Tools]:
    """The project, which this process works on from now, and tools over it."""
    (folder / "ecauto.toml").write_text(TOML, encoding="utf-8")
    patch.setenv("ECAUTO_CONFIG", str(folder / "ecauto.toml"))
    patch.delenv("ECAUTO_DATA_DIR", raising=False)
    (folder / "data").mkdir()
    settings = load()
    chosen = {item: ON_SALE | {"asin": f"B000000{item}"} | one for item, one in ITEMS.items()}
    named = {one["asin"]: one["title"] for one in reversed(chosen.values())}
    Register.create(settings.master_db, [{"asin": asin, "title_ja": title} for asin, title in named.items()], [])
    with open_tools(settings, offline=True) as tools:
        _fill(tools, chosen)
        yield tools


def _fill(tools: Tools, chosen: dict[str, dict[str, object]]) -> None:
    now = tools.clock.now()

    def ago(hours: object) -> int | None:
        return to_ms(now - timedelta(hours=hours)) if isinstance(hours, float) else None

    with tools.state.write() as connection:
        replace_rules(connection, [RULE])
        known = set()
        for item, one in chosen.items():
            key = {"platform": "base", "account_id": one["account_id"], "item_id": item, "asin": one["asin"]}
            row = key | {name: one[name] for name in one if name in listings.c}
            connection.execute(insert(listings).values(**row, item_modified_at=ago(one["changed_h"])))
            if one["asin"] not in known:
                known.add(one["asin"])
                facts: dict[str, object] = {name: one[name] for name in _FAILING if name in one}
                facts |= {"asin": one["asin"], "failing_since": ago(one.get("failing_since_h"))}
                if one["cost"]:
                    facts |= {"status": "success", "price_jpy": one["cost"], "snapshot_id": "s"}
                    facts |= dict.fromkeys(("price_at", "stock_at"), ago(one["age_h"]))
                connection.execute(insert(asins).values(**facts))
            if "told" in one:
                connection.execute(insert(catalogue).values(asin=one["asin"], title=one["told"]))
            if "decision" in one:
                judged = {"diff_id": item, "run_id": "r", "kind": "price", "decided_at": to_ms(now)}
                state = "open" if one["decision"] == "held" else "closed"
                connection.execute(insert(diffs).values(**key, **judged, decision=one["decision"], state=state))
