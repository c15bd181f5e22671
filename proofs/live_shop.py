"""The owner's side of going live by the document: two servers, a cart, a folder, and what should come of it.

What its files and commands say is read out of docs/going-live.md and docs/csv-shop.md. Not for: the steps
(test_going_live.py), or the servers (independent/).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from ecauto_pipeline_tests.scenarios.webserver import ROOT
from proofs.independent.amazon import Amazon
from proofs.independent.base import Base
from proofs.independent.cart import Cart, Product
from proofs.independent.goods import Good
from proofs.independent.loopback import Asked, Reply

DOCUMENT = (ROOT / "docs" / "going-live.md").read_text(encoding="utf-8")
CART_TABLES = (ROOT / "docs" / "csv-shop.md").read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
CALLBACK = "http://127.0.0.1:8910/callback"
PACE = 60.0
COUNT = 120
IN_BOTH = range(40)
HIDDEN_FROM_V0 = (6, 46, 86)
DETAIL, SUMMARY = "getItemOffersBatch", "getCompetitiveSummary"


def asin_of(number: int) -> str:
    return f"B0LIVE{number:04d}"


def sections() -> dict[str, str]:
    parts = re.split(r"^## ", DOCUMENT, flags=re.M)[1:]
    return {part.split("\n", 1)[0].strip(): part for part in parts}


def _block(section: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", sections()[section], re.S)
    assert found is not None, f"no {language} block under {section!r}"
    return found[1]


def commands(section: str) -> list[str]:
    return _block(section, "sh").strip().splitlines()


class Shop:
    """Two servers and a folder: what the owner has before reading the document."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secrets = {
            "SP_API_REFRESH_TOKEN": "Atzr|independent",
            "LWA_APP_ID": "amzn1.application-oa2-client.independent",
            "LWA_CLIENT_SECRET": "amzn1.oa2-cs.v1.independent",
            "BASE_ACCOUNT_1_CLIENT_ID": "client-1",
            "BASE_ACCOUNT_1_CLIENT_SECRET": "secret-1",
            "CHATWORK_TOKEN": "chatwork-1",
        }
        self.goods = {
            asin_of(n): _good(n) for n in range(COUNT) if n % 20 != 19
        }  # Amazon does not know every twentieth
        self.items = {1000 + n: _item(n) for n in range(COUNT)}
        self.before = {item_id: dict(item) for item_id, item in self.items.items()}
        self.products = {f"a-{n}": _product(n) for n in IN_BOTH}
        self.cart = Cart(
            "store_1", folder / "data/store_1/products.csv", folder / "data/store_1/updates", self.products
        )
        self.amazon = Amazon(self.goods, self.secrets, PACE)
        self.base = Base({"client-1": self.items}, {"client-1": "secret-1"}, CALLBACK)
        self.messages: list[Asked] = []

    def hear(self, one: Asked) -> Reply:
        self.messages.append(one)
        return Reply(200, {"message_id": "1"})

    def lay_out(self, amazon: str, base: str, chat: str) -> None:
        """Steps 3 and 4 of the document, the servers' places from its last chapter put in."""
        for name in ("workspace.yaml", "dagster.yaml"):
            shutil.copy(ROOT / name, self.folder / name)
        (self.folder / "data" / "dagster").mkdir(parents=True)
        lines = [line.split("=")[0] for line in _block("3. Secrets", "ini").strip().splitlines()]
        assert set(lines) == set(self.secrets), "the document's .env names other variables"
        env = self.folder / ".env"
        env.write_text("".join(f"{name}={self.secrets[name]}\n" for name in lines), encoding="utf-8")
        env.chmod(0o600)
        toml = _block("4. ecauto.toml", "toml")
        places = _block("Against other servers", "toml")
        sp_api = re.search(r"(\[sp_api\]\n.*?)\n\n", places, re.S)
        shops = re.search(r"(\[base\]\n.*?)\n\n", places, re.S)
        assert sp_api is not None
        assert shops is not None
        toml = toml.replace("[[sp_api.accounts]]", f"{sp_api[1]}\n\n[[sp_api.accounts]]", 1)
        toml = toml.replace("[[base.accounts]]", f"{shops[1]}\n\n[[base.accounts]]", 1)
        toml = toml.replace("http://127.0.0.1:9001", amazon).replace("http://127.0.0.1:9002", base)
        toml = toml.replace('kind = "chatwork"', f'kind = "chatwork"\nendpoint = "{chat}"')
        toml += f"\n{CART_TABLES}"
        self.cart.updates.mkdir(parents=True)
        self.cart.export(ago_s=300)
        (self.folder / "ecauto.toml").write_text(toml, encoding="utf-8")
        self._register()

    def _register(self) -> None:
        """The owner's master.db, as the owner's scripts left it."""
        connection = sqlite3.connect(self.folder / "data" / "master.db")
        connection.executescript(
            "CREATE TABLE products (asin TEXT PRIMARY KEY, title_ja TEXT, amazon_price_jpy INTEGER,"
            " amazon_in_stock BOOLEAN, last_fetched_at TIMESTAMP, updated_at TIMESTAMP);"
            "CREATE TABLE listings (id INTEGER PRIMARY KEY AUTOINCREMENT, asin TEXT NOT NULL, platform TEXT NOT NULL,"
            " account_id TEXT, platform_item_id TEXT, sku TEXT UNIQUE, selling_price REAL, currency TEXT,"
            " in_stock_quantity INTEGER, status TEXT, visibility TEXT, updated_at TIMESTAMP);"
        )
        for item in self.items.values():
            number = item["item_id"] - 1000
            hidden = "hidden" if number % 10 == 4 else "public"
            places = [("base", "base_account_1", str(item["item_id"]), item["identifier"])]
            if number in IN_BOTH:
                places.append(("csv", "store_1", f"a-{number}", self.products[f"a-{number}"].code))
            connection.execute("INSERT INTO products (asin, title_ja) VALUES (?, ?)", (asin_of(number), item["title"]))
            connection.executemany(
                "INSERT INTO listings (asin, platform, account_id, platform_item_id, sku, selling_price, currency,"
                " in_stock_quantity, status, visibility) VALUES (?, ?, ?, ?, ?, ?, 'JPY', 1, 'listed', ?)",
                [(asin_of(number), *place, item["price"], hidden) for place in places],
            )
        connection.commit()
        connection.close()

    def environ(self) -> dict[str, str]:
        ours = ("DAGSTER_HOME", "ECAUTO_", "SP_API_", "LWA_", "BASE_ACCOUNT", "CHATWORK")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"}

    def run(self, command: str, **replaced: str) -> subprocess.CompletedProcess[str]:
        """One line of the document, as it stands there."""
        for written, meant in replaced.items():
            command = command.replace(written, meant)
        done = subprocess.run(
            shlex.split(command), cwd=self.folder, env=self.environ(), capture_output=True, text=True, timeout=300
        )
        print(f"\n$ {command}\n{done.stdout[-1500:]}{done.stderr[-400:]}")
        return done


def _good(number: int) -> Good:
    kind = number % 10
    if kind == 1:
        return Good(None)  # sold out
    if kind == 2:
        return Good(2000 + number * 10, hours=240)  # ships late
    return Good(2000 + number * 10, hidden_from_v0=number in HIDDEN_FROM_V0)


def _product(number: int) -> Product:
    """The same article in the cart, as it is on BASE."""
    item = _item(number)
    return Product(f"c-{asin_of(number)}", item["title"], item["price"], bool(item["visible"]), item["stock"])


def _selling(cost_jpy: int) -> int:
    return (cost_jpy * 13 // 10 + 5) // 10 * 10


def _item(number: int) -> dict[str, Any]:
    kind = number % 10
    right = _selling(2000 + number * 10)
    return {
        "item_id": 1000 + number,
        "title": f"独立の商品 {number}",
        "detail": "",
        "price": right + 300 if kind == 0 else right,
        "proper_price": None,
        "stock": 0 if kind == 3 else 1,
        "visible": 0 if kind in (4, 5) else 1,
        "list_order": number,
        "identifier": f"b-{asin_of(number)}-20250102030405",
        "modified": 1_750_000_000 + number,
        "variations": [],
    }


def expected_of(number: int, before: dict[str, Any]) -> tuple[int, int, int]:
    """Price, visible, stock after everything ran once: worked out from the owner's words."""
    price, visible, stock = before["price"], before["visible"], before["stock"]
    if number % 20 == 19:  # Amazon knows no such article: it can't be bought
        return price, 0, stock
    kind = number % 10
    if kind == 0:
        price -= 300
    if kind == 1:
        visible = 0
    if kind == 3:
        stock = 1
    if kind == 4:  # hidden by the owner's scripts, in stock again
        visible = 1
    return price, visible, stock


def shown_of(item: dict[str, Any]) -> tuple[int, int, int]:
    return item["price"], item["visible"], item["stock"]


def assert_right(shop: Shop, item_ids: set[int]) -> None:
    wrong = {}
    for item_id in item_ids:
        shown = shown_of(shop.items[item_id])
        expected = expected_of(item_id - 1000, shop.before[item_id])
        if shown != expected:
            wrong[item_id] = (expected, shown)
    assert {} == wrong


def assert_right_in_the_cart(shop: Shop) -> None:
    expected = {f"a-{n}": expected_of(n, shop.before[1000 + n]) for n in IN_BOTH}
    assert expected == {item_id: product.shown for item_id, product in shop.products.items()}
