"""docs/going-live.md followed word for word against an independent pair of servers: its files, its commands, its order.

Beside the shop on BASE there is one whose cart takes files, by docs/csv-shop.md; some goods are listed in both. Files
and commands are read out of the documents; only what a person would put in (secrets, an ASIN, a run's id, where the
servers listen) is filled in. Judged by what the servers were asked and show, never by the program's own word.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline_tests.scenarios.webserver import ROOT, Webserver
from proofs.independent.amazon import PLANS, Amazon
from proofs.independent.base import Base
from proofs.independent.cart import Cart, Product
from proofs.independent.goods import Good
from proofs.independent.loopback import Asked, Reply, serving

DOCUMENT = (ROOT / "docs" / "going-live.md").read_text(encoding="utf-8")
CART_TABLES = (ROOT / "docs" / "csv-shop.md").read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
CALLBACK = "http://127.0.0.1:8910/callback"
PACE = 60.0
COUNT = 120
IN_BOTH = range(40)
HIDDEN_FROM_V0 = (6, 46, 86)
DETAIL, SUMMARY = "getItemOffersBatch", "getCompetitiveSummary"


def _asin(number: int) -> str:
    return f"B0LIVE{number:04d}"


def _sections() -> dict[str, str]:
    parts = re.split(r"^## ", DOCUMENT, flags=re.M)[1:]
    return {part.split("\n", 1)[0].strip(): part for part in parts}


def _block(section: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", _sections()[section], re.S)
    assert found is not None, f"no {language} block under {section!r}"
    return found[1]


def _commands(section: str) -> list[str]:
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
        self.goods = {_asin(n): _good(n) for n in range(COUNT) if n % 20 != 19}  # Amazon does not know every twentieth
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
            connection.execute("INSERT INTO products (asin, title_ja) VALUES (?, ?)", (_asin(number), item["title"]))
            connection.executemany(
                "INSERT INTO listings (asin, platform, account_id, platform_item_id, sku, selling_price, currency,"
                " in_stock_quantity, status, visibility) VALUES (?, ?, ?, ?, ?, ?, 'JPY', 1, 'listed', ?)",
                [(_asin(number), *place, item["price"], hidden) for place in places],
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
    return Product(f"c-{_asin(number)}", item["title"], item["price"], bool(item["visible"]), item["stock"])


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
        "identifier": f"b-{_asin(number)}-20250102030405",
        "modified": 1_750_000_000 + number,
        "variations": [],
    }


def _expected(number: int, before: dict[str, Any]) -> tuple[int, int, int]:
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


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    one = Shop(tmp_path_factory.mktemp("live"))
    with serving(one.amazon.answer) as amazon, serving(one.base.answer) as base, serving(one.hear) as chat:
        one.lay_out(amazon, base, chat)
        yield one


def _edits(shop: Shop) -> int:
    return len(shop.base.edits)


def _asked(shop: Shop, operation: str, since: int = 0) -> set[str]:
    """The ASINs about which that operation was asked and answered, the first calls left out."""
    calls = [asins for name, asins, code in shop.amazon.asked[since:] if name == operation and code == 200]
    return {asin for asins in calls for asin in asins}


def test_5_authorise_look_test(shop: Shop) -> None:
    """The shop is authorised as its owner would in a browser; the doctor is content; the message arrives.

    Each of the doctor's two looks asks Amazon about one ASIN, as it is told to; nothing else is asked.
    """
    authorise, doctor, alerts = _commands("5. Authorise, look, test")
    before = subprocess.run(shlex.split(doctor), cwd=shop.folder, env=shop.environ(), capture_output=True, text=True)
    assert before.returncode == 1, "without a token the doctor is not content"
    process = subprocess.Popen(
        shlex.split(authorise), cwd=shop.folder, env=shop.environ(), stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdout is not None
    address = next(line.strip() for line in process.stdout if line.startswith("http"))
    next(line for line in process.stdout if CALLBACK in line)
    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 30
    while True:
        try:
            browser.open(address, timeout=10).read()
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.5)
    assert "base_account_1" in process.stdout.read()
    assert 0 == process.wait(30)
    token = next((shop.folder / "data").rglob("*base_account_1*.json"))
    assert 0o600 == token.stat().st_mode & 0o777
    looked = shop.run(doctor)
    assert 0 == looked.returncode
    assert 0 == shop.run(alerts).returncode
    assert 1 == len(shop.messages)
    assert "/1/items" not in {path for _, path in shop.base.asked}
    assert ["getItemOffers"] * 2 == [operation for operation, _, _ in shop.amazon.asked if operation in PLANS]


def test_6_the_first_dry_run(shop: Shop) -> None:
    """Amazon is asked about 50 listings, BASE is read and sent nothing, master.db stays as it was; one is explained."""
    register = (shop.folder / "data" / "master.db").read_bytes()
    sync, status = _commands("6. The first dry run")
    assert shop.run(sync).returncode in (0, 1)
    assert 0 == _edits(shop)
    assert [] == shop.cart.waiting()
    assert register == (shop.folder / "data" / "master.db").read_bytes()
    asked = {asin for _, asins, code in shop.amazon.asked if code == 200 for asin in asins}
    assert 0 < len(asked) <= 50
    assert shop.run(status).returncode in (0, 1)
    explain = re.findall(r"```sh\n(ecauto explain .*?)\n```", _sections()["6. The first dry run"])[0]
    told = shop.run(explain, B000000000=sorted(asked)[0])
    assert 0 == told.returncode
    assert sorted(asked)[0] in told.stdout


def test_7_the_first_50(shop: Shop) -> None:
    """Nothing fresh is asked about again; at most 50 listings are edited, each into what it should show."""
    sync, holds = _commands("7. The first 50")
    before = len([1 for operation, _, _ in shop.amazon.asked if operation == "getItemOffersBatch"])
    assert shop.run(sync).returncode in (0, 1)
    after = len([1 for operation, _, _ in shop.amazon.asked if operation == "getItemOffersBatch"])
    assert after - before <= 1, "what the dry run asked is fresh"
    assert 0 < len({form["item_id"] for _, form in shop.base.edits}) <= 50
    _right(shop, {int(form["item_id"]) for _, form in shop.base.edits})
    assert len(shop.cart.waiting()) <= 1, "one file a run"
    assert 0 == shop.run(holds).returncode


def test_8_everything(shop: Shop) -> None:
    """Both shops show what they should, the unknown and the late included; a second run sends neither anything."""
    capacity, dry, sync = _commands("8. Everything")
    assert 0 == shop.run(capacity).returncode
    before = _edits(shop)
    assert shop.run(dry).returncode in (0, 1)
    assert before == _edits(shop)
    assert shop.run(sync).returncode in (0, 1)
    _right(shop, set(shop.items))
    shop.cart.take_in()
    _right_in_the_cart(shop)
    shop.cart.export(ago_s=30)
    settled = _edits(shop)
    assert shop.run(sync).returncode in (0, 1)
    assert settled == _edits(shop)
    assert [] == shop.cart.waiting()
    refused = [code for _, _, code in shop.amazon.asked if code == 429]
    print(f"\n{len(shop.amazon.asked)} calls of SP-API, {len(refused)} refused; {settled} edits")
    assert len(refused) <= 2
    assert 400 not in {code for _, _, code in shop.amazon.asked}, "asked in a form that the papers do not allow"


def test_8_what_is_listed_in_both_is_asked_once(shop: Shop) -> None:
    """One question about an article serves the shop on BASE and the cart: both were right after it."""
    asked = Counter(asin for name, asins, code in shop.amazon.asked if code == 200 for asin in asins if name == DETAIL)
    assert dict.fromkeys((_asin(n) for n in IN_BOTH), 1) == {_asin(n): asked[_asin(n)] for n in IN_BOTH}
    changed = {item_id for rows in shop.cart.taken_in for item_id in rows}
    moved = {n for n in IN_BOTH if _expected(n, shop.before[1000 + n]) != _shown(shop.before[1000 + n])}
    assert {f"a-{n}" for n in moved} == changed
    assert {1000 + n for n in moved} <= {int(form["item_id"]) for _, form in shop.base.edits}


def test_8_another_family_settles_what_seems_gone(shop: Shop) -> None:
    """Each article that v0 calls gone was put to the competitive summary, none to v0 again: what that bore out was
    hidden, what it contradicted stays as it was in both shops."""
    gone = {_asin(n) for n in range(COUNT) if n % 10 == 1 or n % 20 == 19 or n in HIDDEN_FROM_V0}
    assert gone <= _asked(shop, SUMMARY)
    assert set() == gone & _asked(shop, "getItemOffers", since=2), "after the doctor's two looks"
    assert {1} == {shop.items[1000 + n]["visible"] for n in HIDDEN_FROM_V0}
    assert {0} == {shop.items[1000 + n]["visible"] for n in range(COUNT) if n % 10 == 1 or n % 20 == 19}
    assert shop.products["a-6"].visible
    assert not shop.products["a-1"].visible


def test_8_a_jump_waits_for_a_person_and_one_that_v0_alone_sees_is_none(shop: Shop) -> None:
    """Three articles jump, in both shops. To half the price: held in both, they show what they showed. To more than
    double: held too, and as what they show would be a loss they are off sale meanwhile. To double by v0 alone: the
    other family is asked and contradicts, nothing changes."""
    fallen, risen, unsettled = 27, 17, 38
    before = {item_id: _shown(item) for item_id, item in shop.items.items()}
    in_cart = {item_id: product.shown for item_id, product in shop.products.items()}
    for number, ratio in ((fallen, 0.4), (risen, 2.2)):
        good = shop.goods[_asin(number)]
        shop.goods[_asin(number)] = replace(good, price_jpy=int((good.price_jpy or 0) * ratio))
    good = shop.goods[_asin(unsettled)]
    shop.goods[_asin(unsettled)] = replace(good, v0_says_jpy=2 * (good.price_jpy or 0))
    count = len(shop.amazon.asked)
    _sync_with_old_stock(shop)
    assert {_asin(number) for number in (fallen, risen, unsettled)} <= _asked(shop, SUMMARY, since=count)
    price, _, stock = before[1000 + risen]
    assert before | {1000 + risen: (price, 0, stock)} == {item_id: _shown(item) for item_id, item in shop.items.items()}
    shop.cart.take_in()
    price, _, stock = in_cart[f"a-{risen}"]
    shown = {item_id: product.shown for item_id, product in shop.products.items()}
    assert in_cart | {f"a-{risen}": (price, 0, stock)} == shown
    held = json.loads(shop.run("ecauto holds list --json").stdout)
    held_rows = {(row["asin"], row["kind"]) for row in held}
    assert {(_asin(fallen), "price"), (_asin(risen), "price")} <= held_rows
    assert _asin(unsettled) not in {asin for asin, _ in held_rows}


def test_8_a_sweep_that_sees_nothing_left_is_settled_alike(shop: Shop) -> None:
    """Once stock is old enough to be swept: one article goes, of another v0 alone says so. The first is hidden in both
    shops, the other in neither; the single look of v0 is not taken."""
    gone, there = 16, 36
    before = {item_id: _shown(item) for item_id, item in shop.items.items()}
    in_cart = {item_id: product.shown for item_id, product in shop.products.items()}
    shop.goods[_asin(gone)] = Good(None)
    shop.goods[_asin(there)] = replace(shop.goods[_asin(there)], hidden_from_v0=True)
    count = len(shop.amazon.asked)
    _sync_with_old_stock(shop)
    both = {_asin(gone), _asin(there)}
    assert both <= _asked(shop, "getCompetitivePricing", since=count)
    assert both <= _asked(shop, DETAIL, since=count)
    assert both <= _asked(shop, SUMMARY, since=count)
    assert set() == both & _asked(shop, "getItemOffers", since=count)
    price, _, stock = before[1000 + gone]
    assert before | {1000 + gone: (price, 0, stock)} == {item_id: _shown(item) for item_id, item in shop.items.items()}
    shop.cart.take_in()
    price, _, stock = in_cart[f"a-{gone}"]
    shown = {item_id: product.shown for item_id, product in shop.products.items()}
    assert in_cart | {f"a-{gone}": (price, 0, stock)} == shown


def test_9_by_itself(shop: Shop) -> None:
    """The UI starts; in live mode the schedules and sensors are on."""
    (command,) = _commands("9. By itself")
    assert _is_free(3000), "the document's port is taken by another program"
    process = subprocess.Popen(
        shlex.split(command),
        cwd=shop.folder,
        env=shop.environ(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    server = Webserver(3000)
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules { name scheduleState { status } }"
    query += " sensors { name sensorState { status } } } } } }"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                (found,) = server.ask(query)["repositoriesOrError"]["nodes"]
                break
            except (OSError, RuntimeError, ValueError):
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(1)
    finally:
        process.terminate()
        process.wait(60)
    assert _is_free(3000), "ended, it leaves no server behind"
    states = {one["name"]: one["scheduleState"]["status"] for one in found["schedules"]}
    states |= {one["name"]: one["sensorState"]["status"] for one in found["sensors"]}
    print(states)
    assert {"stock_sync_schedule", "next_slice", "alerts_after_failure", "alerts_watch"} <= set(states)
    assert {"RUNNING"} == set(states.values())


def _sync_with_old_stock(shop: Shop) -> None:
    """A run to which everything is due: stock is old after a minute."""
    toml = shop.folder / "ecauto.toml"
    as_written = toml.read_text(encoding="utf-8")
    every = "".join(f'{tier}_every = "1m"\n' for tier in ("high", "medium", "low"))
    toml.write_text(f'{as_written}\n[ttl]\nstock = "1m"\n\n[tiers]\n{every}', encoding="utf-8")
    time.sleep(max(0.0, shop.amazon.answered_s + 60 - time.time()))  # the program's own clock: it is another process
    try:
        assert shop.run(_commands("8. Everything")[-1]).returncode in (0, 1)
    finally:
        toml.write_text(as_written, encoding="utf-8")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def test_going_back(shop: Shop) -> None:
    """A run is undone where nobody changed the item since: both shops show what they showed before."""
    status = json.loads(shop.run("ecauto status --json").stdout)
    runs = [run for run in status["runs"] if run["base_api_updates"]]
    command = re.findall(r"`(ecauto rollback RUN_ID)`", _sections()["Going back"])[0]
    before = _edits(shop)
    assert shop.run(command, RUN_ID=runs[0]["run_id"]).returncode in (0, 1)
    assert _edits(shop) > before
    shop.cart.take_in()
    assert (1, True) == (shop.items[1016]["visible"], shop.products["a-16"].visible), "hidden by the last run that sent"


def _right(shop: Shop, item_ids: set[int]) -> None:
    wrong = {}
    for item_id in item_ids:
        shown = _shown(shop.items[item_id])
        expected = _expected(item_id - 1000, shop.before[item_id])
        if shown != expected:
            wrong[item_id] = (expected, shown)
    assert {} == wrong


def _right_in_the_cart(shop: Shop) -> None:
    expected = {f"a-{n}": _expected(n, shop.before[1000 + n]) for n in IN_BOTH}
    assert expected == {item_id: product.shown for item_id, product in shop.products.items()}


def _shown(item: dict[str, Any]) -> tuple[int, int, int]:
    return item["price"], item["visible"], item["stock"]
