"""Everything that comes from outside: a sound one of each, what reads it, and what it may say no with.

Not for: what reads (fuzz_readers.py), or how often and how spoiled it is tried (fuzz.py).
"""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ecauto_pipeline.amazon.operation import Operation, ShapelessAnswer
from ecauto_pipeline.amazon.operations import (
    catalog_items,
    competitive_pricing,
    competitive_summary,
    item_offers,
    item_offers_batch,
)
from ecauto_pipeline.cli import text_of_secrets
from ecauto_pipeline.domain.selling.rules_file import read_rules
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import load
from ecauto_pipeline.settings.env_lines import readable_lines
from ecauto_pipeline.shops.base.parse import items_of, order_heads_of
from ecauto_pipeline.shops.base.tokens import TokenFile
from ecauto_pipeline.sync.listings.blocklist import read_blocklist
from ecauto_pipeline.sync.people.plan_files import read_plan
from ecauto_pipeline_tests.emulator.callers import AmazonCaller, BaseCaller
from ecauto_pipeline_tests.matrices.fuzz_readers import (
    Reader,
    answer_of,
    cache,
    csv_items,
    imports,
    of_file,
    of_object,
    parquet,
    told,
    views,
)
from ecauto_pipeline_tests.matrices.stage import Stage
from ecauto_pipeline_tests.upgrades.folders import LANDED, unpacked

SP: dict[str, tuple[Operation[Any], Callable[[AmazonCaller, list[str]], httpx.Response]]] = {
    "getItemOffersBatch": (item_offers_batch.OPERATION, AmazonCaller.batch),
    "getCompetitivePricing": (competitive_pricing.OPERATION, AmazonCaller.competitive),
    "getCompetitiveSummary": (competitive_summary.OPERATION, AmazonCaller.summary),
    "searchCatalogItems": (catalog_items.OPERATION, AmazonCaller.catalog),
    "getItemOffers": (item_offers.OPERATION, lambda caller, asins: caller.offers(asins[0])),
}
_RULES = (
    "item_id,asin,brand,title_contains,fixed_price_jpy,min_price_jpy,never_sell,until,note\n"
    "12345678,,,,4980,,,2026-12-31,year-end sale\n,B000000001,,,,3000,,,\n,,ソニー,,,,yes,,\n"
)
_TOML = """mode = "emulated"
[pricing]
markup_ratio = 1.3
tiers = [{ max_price_jpy = 3000, markup_ratio = 1.4 }]
[guards]
min_price_jpy = 500
[tiers]
high_every = "1h"
[[base.accounts]]
id = "base_account_1"
redirect_uri = "https://shop.example/"
[paths]
master_db = "data/master.db"
"""
_PLAN = {
    "version": 1,
    "made_at": "2026-06-01T00:00:00+00:00",
    "run_id": "r",
    "include_price": "all",
    "include_visibility": True,
    "rows": [
        {
            "platform": "base",
            "account_id": "base_account_1",
            "item_id": "12345678",
            "asin": "B000000001",
            "kind": "price",
            "shown": 1980,
            "wanted": 2580,
            "snapshot_id": "s1",
            "reason": "",
            "cost_jpy": 1984,
            "profit_jpy": 300,
        }
    ],
}


PARQUET = "Parquet of an older version"
TOTAL = frozenset({"legacy .env"})
"""These take whatever they understand and leave the rest, as the older programs did; there is nothing to refuse."""


@dataclass(frozen=True, slots=True)
class Target:
    """`good`: a sound one (bytes of a file, or a document); `read`: what reads it, with a folder of its own to be in;
    `refuses`: what it may say no with; `names`: what such a no has to name, "" = the caller knows the place."""

    good: Any
    read: Reader
    refuses: tuple[type[Exception], ...] = (EcautoError,)
    names: str = ""


@functools.lru_cache(maxsize=1)
def targets(stage: Stage) -> dict[str, Target]:
    """All of them, with sound examples taken from the emulator and from an installation that has run."""
    day = stage.begin()
    asins = stage.control.asins()[:3]
    found: dict[str, Target] = {}
    with httpx.Client(base_url=stage.emulator.url, trust_env=False, timeout=60) as http:
        amazon = AmazonCaller(http)
        for name, (operation, ask) in SP.items():
            found[name] = Target(
                ask(amazon, asins).json(),
                functools.partial(answer_of, operation, asins),
                (ShapelessAnswer,),
            )
        shop = BaseCaller(http, day.accounts[0], stage.control.issue_base_tokens(day.accounts[0]))
        items, orders = shop.get("items").json(), shop.get("orders").json()
    found["BASE items"] = Target(items, lambda document, _: of_object(items_of, document))
    found["BASE orders"] = Target(orders, lambda document, _: of_object(order_heads_of, document))
    found["ecauto.toml"] = Target(
        _TOML.encode(), of_file("ecauto.toml", lambda path: load(path, {})), names="ecauto.toml"
    )
    found["rules.csv"] = Target(_RULES.encode(), lambda content, _: told(read_rules(content)))
    found["views.csv"] = Target(
        b"asin,viewed_at,count\nB000000001,2026-06-01 10:00,3\n", lambda content, _: views(content)
    )
    token = json.dumps(stage.control.issue_base_tokens(day.accounts[0])).encode()
    found["token file"] = Target(token, of_file("t_token.json", lambda path: TokenFile(path).read()))
    found["plan file"] = Target(
        json.dumps(_PLAN).encode(), lambda content, _: read_plan(content.decode("utf-8", "replace"))
    )
    found["blocklist"] = Target(
        b'{"asins": ["B000000001", {"asin": "B000000002"}]}',
        of_file("blocked_asins.json", read_blocklist),
        names="blocked_asins.json",
    )
    found["CSV shop"] = Target(
        "item_id,sku,title,price,visible,stock\n1,c-B000000001,靴,1980,1,1\n2,c-B000000002,帽子,2980,0,0\n".encode(),
        csv_items,
    )
    found["master.db"] = Target(
        day.settings.master_db.read_bytes()[:65_536],
        of_file("master.db", lambda path: Register(path, 1.0).read()),
        names="master.db",
    )
    for name, content in {
        "account_config.json": b'{"accounts": [{"id": "base_account_1", "active": true, "credentials": {}}]}',
        "pricing_strategy.yaml": b"default:\n  markup_ratio: 1.3\n  tiers:\n    - {up_to: 3000, ratio: 1.4}\n",
        "notifications.json": b'{"enabled": true, "method": "chatwork", "chatwork": {"api_token": "x", "room_id": 1}}',
        ".env": b"LWA_APP_ID=amzn1\nLWA_CLIENT_SECRET='x y'\n",
    }.items():
        found[f"legacy {name}"] = Target(content, imports(name))
    found["JSON cache"] = Target(_cached(), functools.partial(cache, day.settings))
    with tempfile.TemporaryDirectory(dir=stage.folder) as earlier:
        found[PARQUET] = Target(_earlier_parquet(Path(earlier)), parquet, names="earlier.parquet")
    found[".env"] = Target(
        b"NAME='x y'\nOTHER=1\n", of_file(".env", lambda file: readable_lines(text_of_secrets(file))), names=".env"
    )
    return found


def _cached() -> bytes:
    entry = {"asin": "B000000001", "price": 1980, "in_stock": True, "updated_at": "2026-06-01T10:00:00"}
    return json.dumps(entry).encode()


def _earlier_parquet(folder: Path) -> bytes:
    """Answers that the first version wrote."""
    unpacked(LANDED[0], folder)
    return min((folder / "data" / "history" / "snapshots").rglob("*.parquet")).read_bytes()


NAMES = (
    *SP,
    "BASE items",
    "BASE orders",
    "ecauto.toml",
    "rules.csv",
    "views.csv",
    "token file",
    "plan file",
    "blocklist",
    "CSV shop",
    "master.db",
    "legacy account_config.json",
    "legacy pricing_strategy.yaml",
    "legacy notifications.json",
    "legacy .env",
    "JSON cache",
    ".env",
    PARQUET,
)
