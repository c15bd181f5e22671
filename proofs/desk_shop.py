"""A demo shop in which something happens before somebody looks: prices jump, goods sell out, orders come.

Through the emulator's control plane and the commands of a person alone. Not for: desk or browser (desk_walk.py).
"""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecauto_pipeline.emulator import process
from proofs.desk_walk import PATIENCE_S, Desk

HELD, SOLD_OUT, MOVED, ORDERS = 9, 3, 12, 6
_EVERYTHING_IS_DUE = """
[ttl]
price = "30s"
stock = "30s"
[tiers]
high_every = "30s"
medium_every = "30s"
low_every = "30s"
"""


@dataclass(frozen=True, slots=True)
class BusyShop:
    """`url`: the emulator's; `moved`: (account, item id, price before) of an item that the second run re-priced."""

    url: str
    moved: tuple[str, str, int]

    def control(self, path: str, body: Any = None) -> Any:
        """What the emulator's control plane answers."""
        content = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(f"{self.url}/emulator/{path}", content, {"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.loads(answer.read())

    def item(self, account: str, item_id: str) -> dict[str, Any]:
        """An item as the shop has it now."""
        items = self.control(f"world/items?account={account}")
        return next(one for one in items if str(one["item_id"]) == item_id)


def made_busy(desk: Desk) -> BusyShop:
    """The demo's shop after its second run: `HELD` new prices wait, goods sold out, orders came."""
    url = process.running(desk.folder / "data" / "emulator")
    assert url is not None
    found = desk.ecauto("items", "--filter", "on_sale", "--sort", "-price", "--json", "--limit", "400")
    single = _of_one_asin(json.loads(found.stdout)["items"])
    goods = [one for one in single if 2_000 <= (one["cost_jpy"] or 0) <= 9_000]
    held, sold_out, moved = goods[:HELD], goods[HELD:][:SOLD_OUT], goods[HELD + SOLD_OUT :][:MOVED]
    last = moved[-1]
    shop = BusyShop(url, (last["account_id"], last["item_id"], last["price_jpy"]))
    _look_for_orders(desk)  # the watch begins with its first look
    for ratio, rows in ((3.0, held), (1.15, moved)):
        for row in rows:
            shop.control(f"world/asins/{row['asin']}", {"price_jpy": round(row["cost_jpy"] * ratio)})
    for row in sold_out:
        shop.control(f"world/asins/{row['asin']}", {"offers": []})
    for row in moved[:ORDERS]:
        shop.control("orders", {"account": row["account_id"], "item_id": int(row["item_id"])})
    config = desk.folder / "ecauto.toml"
    usual = config.read_text(encoding="utf-8")
    desk.ecauto("rules", "import", str(_rules(desk.folder, moved)))
    config.write_text(usual + _EVERYTHING_IS_DUE, encoding="utf-8")
    _wait_until_all_is_due(desk)
    desk.ecauto("sync")
    config.write_text(usual, encoding="utf-8")
    _look_for_orders(desk)
    assert len(desk.known("holds", "list")) >= HELD
    return shop


def _wait_until_all_is_due(desk: Desk) -> None:
    """As the desk's own figures say it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        fresh = desk.known("status")["freshness"]
        if fresh["due"] == fresh["total_asins"] > 0:
            return
        assert time.monotonic() < deadline, fresh


def _look_for_orders(desk: Desk) -> None:
    """What the sensor `new_orders` starts every two minutes of a live shop."""
    watch = "from ecauto_pipeline.cli.running import ready, run_and_name as run\n"
    watch += "run(ready('', None), 'order_watch', {'dry_run': False}, True, {})"
    done = desk.python(watch)
    assert 0 == done.returncode, done.stderr


def _of_one_asin(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whose ASIN no other listing has: what happens to one happens to no other."""
    asins = [one["asin"] for one in items]
    return [one for one in items if asins.count(one["asin"]) == 1]


def _rules(folder: Path, moved: list[dict[str, Any]]) -> Path:
    path = folder / "owner-rules.csv"
    lines = ["item_id,asin,brand,fixed_price_jpy,min_price_jpy,never_sell,until,note"]
    lines += [f"{moved[6]['item_id']},,,{moved[6]['price_jpy'] + 500},,,2030-12-31,歳末の売価"]
    lines += [f",{moved[7]['asin']},,,{moved[7]['price_jpy']},,,最低この価格", ",,ソニー,,,yes,,許可のないブランド"]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8-sig")
    return path
