"""A project with 100,000 listings in two shops and a long past, for measuring the desk: state.db, master.db, history.

Titles stand in master.db (with descriptions beside them, as the owner's has), for every tenth in the catalogue alone.
Of each hundred listings seven are hidden, two at a loss, one has a rule; 5,000 changes wait for a person.
Not for: measuring (desk.py) or the past itself (desk_past.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from benchmarks.desk_past import a_long_past
from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.selling.item_rules import ItemRule, RuleLine, Selectors
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import load
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.item_rules import replace_rules
from ecauto_pipeline.state.schema import asins, catalogue, listings, shop_accounts
from ecauto_pipeline.state.schema_decisions import diffs

COUNT, HELD = 100_000, 5_000
SHOPS = ("shop_1", "shop_2")
_TOML = 'mode = "emulated"\n' + "".join(f'[[base.accounts]]\nid = "{shop}"\n' for shop in SHOPS)
_DESCRIPTION = "軽くて丈夫な商品です。保証書つき。" * 20
_PART = 20_000


def a_large_project(folder: Path) -> Path:
    """Make it in `folder`; its ecauto.toml."""
    count, held = COUNT, HELD
    config = folder / "ecauto.toml"
    config.write_text(_TOML, encoding="utf-8")
    settings, now = load(config), datetime.now(UTC)
    settings.data_dir.mkdir()
    database = Database(settings.state_url())
    with database.write() as connection:
        for shop in SHOPS:
            row = {"platform": "base", "account_id": shop, "read_at": to_ms(now), "full_read_at": to_ms(now)}
            connection.execute(insert(shop_accounts).values(**row))
        for start in range(0, count, _PART):
            numbers = range(start, min(count, start + _PART))
            connection.execute(insert(listings), [_listing(n, now) for n in numbers])
            connection.execute(insert(asins), [_fact(n, now) for n in numbers])
        connection.execute(insert(catalogue), [_told(n) for n in range(0, count, 10)])
        connection.execute(insert(diffs), [_held(n, now) for n in range(held)])
        replace_rules(connection, (_rule(n) for n in range(0, count, 100)))
        a_long_past(settings, connection, now)
    Register.create(settings.master_db, _products(count), [])
    return config


def asin_of(number: int) -> str:
    return f"B{number:09d}"


def item_of(number: int) -> str:
    return str(10_000_000 + number)


def title_of(number: int) -> str:
    return f"【Amazon.co.jp限定】ワイヤレスイヤホン Bluetooth 5.3 防水 軽量 黒 型番{number}号 (正規品)"


def _cost(number: int) -> int:
    return 1000 + number * 7919 % 9_000


def _price(number: int) -> int:
    return _cost(number) if number % 50 == 0 else (_cost(number) * 13 // 10 + 5) // 10 * 10


def _key(number: int) -> dict[str, object]:
    return {"platform": "base", "account_id": SHOPS[number % 2], "item_id": item_of(number), "asin": asin_of(number)}


def _listing(number: int, now: datetime) -> dict[str, object]:
    hidden = number % 100 < 7
    return _key(number) | {
        "identifier": asin_of(number),
        "register_id": number,
        "register_status": "listed",
        "shown_price_jpy": _price(number),
        "shown_visible": int(not hidden),
        "shown_stock": 1,
        "read_at": to_ms(now),
        "first_seen_at": to_ms(now - timedelta(days=90)),
        "item_modified_at": to_ms(now - timedelta(minutes=number * 31 % 40_000)),
        "present": 1,
        "listed": 1,
        "hidden_by": ("ours" if number % 2 else "person") if hidden else "",
        "item_rules": str(number + 2) if number % 100 == 0 else "",
    }


def _fact(number: int, now: datetime) -> dict[str, object]:
    at = to_ms(now - timedelta(seconds=number * 37 % 90_000))
    gone = number % 100 < 4
    known = {"status": "out_of_stock", "price_jpy": None} if gone else {"status": "success", "price_jpy": _cost(number)}
    stamps = {"snapshot_id": f"snapshot-{number}", "price_at": at, "stock_at": at}
    return {"asin": asin_of(number), "in_stock": int(not gone)} | known | stamps


def _told(number: int) -> dict[str, object]:
    images = json.dumps([f"https://images.example.invalid/{number}.jpg"])
    return {"asin": asin_of(number), "title": title_of(number), "images": images, "description": _DESCRIPTION}


def _held(number: int, now: datetime) -> dict[str, object]:
    return _key(number * 20 + 9) | {
        "diff_id": f"{number:032x}",
        "run_id": "bench",
        "kind": "price",
        "shown": _price(number),
        "wanted": 2 * _price(number),
        "decision": "held",
        "reason": "move",
        "decided_at": to_ms(now - timedelta(hours=number % 48)),
        "evidence": "{}",
        "state": "open",
    }


def _rule(number: int) -> RuleLine:
    return RuleLine(Selectors(item_id=item_of(number)), ItemRule(min_price_jpy=500, line=number + 2))


def _products(count: int) -> Iterable[dict[str, object]]:
    for number in range(count):
        title = None if number % 10 == 0 else title_of(number)
        yield {"asin": asin_of(number), "title_ja": title, "description_ja": _DESCRIPTION, "images": "[]"}
