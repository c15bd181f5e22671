"""docs/going-live.md followed word for word against an independent pair of servers: its files, its commands, its order.

Beside the shop on BASE there is one whose cart takes files, by docs/csv-shop.md; some goods are listed in both. Files
and commands are read out of the documents; only what a person would put in (secrets, an ASIN, a run's id, where the
servers listen) is filled in. Judged by what the servers were asked and show, never by the program's own word.
"""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ecauto_pipeline_tests.scenarios.webserver import Webserver
from proofs.independent.amazon import PLANS
from proofs.independent.goods import Good
from proofs.independent.loopback import serving
from proofs.live_shop import (
    CALLBACK,
    COUNT,
    DETAIL,
    HIDDEN_FROM_V0,
    IN_BOTH,
    SUMMARY,
    Shop,
    asin_of,
    assert_right,
    assert_right_in_the_cart,
    commands,
    expected_of,
    sections,
    shown_of,
)


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
    authorise, doctor, alerts = commands("5. Authorise, look, test")
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
    sync, status = commands("6. The first dry run")
    assert shop.run(sync).returncode in (0, 1)
    assert 0 == _edits(shop)
    assert [] == shop.cart.waiting()
    assert register == (shop.folder / "data" / "master.db").read_bytes()
    asked = {asin for _, asins, code in shop.amazon.asked if code == 200 for asin in asins}
    assert 0 < len(asked) <= 50
    assert shop.run(status).returncode in (0, 1)
    explain = re.findall(r"```sh\n(ecauto explain .*?)\n```", sections()["6. The first dry run"])[0]
    told = shop.run(explain, B000000000=sorted(asked)[0])
    assert 0 == told.returncode
    assert sorted(asked)[0] in told.stdout


def test_7_the_first_50(shop: Shop) -> None:
    """Nothing fresh is asked about again; at most 50 listings are edited, each into what it should show."""
    sync, holds = commands("7. The first 50")
    before = len([1 for operation, _, _ in shop.amazon.asked if operation == "getItemOffersBatch"])
    assert shop.run(sync).returncode in (0, 1)
    after = len([1 for operation, _, _ in shop.amazon.asked if operation == "getItemOffersBatch"])
    assert after - before <= 1, "what the dry run asked is fresh"
    assert 0 < len({form["item_id"] for _, form in shop.base.edits}) <= 50
    assert_right(shop, {int(form["item_id"]) for _, form in shop.base.edits})
    assert len(shop.cart.waiting()) <= 1, "one file a run"
    assert 0 == shop.run(holds).returncode


def test_8_everything(shop: Shop) -> None:
    """Both shops show what they should, the unknown and the late included; a second run sends neither anything."""
    capacity, dry, sync = commands("8. Everything")
    assert 0 == shop.run(capacity).returncode
    before = _edits(shop)
    assert shop.run(dry).returncode in (0, 1)
    assert before == _edits(shop)
    assert shop.run(sync).returncode in (0, 1)
    assert_right(shop, set(shop.items))
    shop.cart.take_in()
    assert_right_in_the_cart(shop)
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
    assert dict.fromkeys((asin_of(n) for n in IN_BOTH), 1) == {asin_of(n): asked[asin_of(n)] for n in IN_BOTH}
    changed = {item_id for rows in shop.cart.taken_in for item_id in rows}
    moved = {n for n in IN_BOTH if expected_of(n, shop.before[1000 + n]) != shown_of(shop.before[1000 + n])}
    assert {f"a-{n}" for n in moved} == changed
    assert {1000 + n for n in moved} <= {int(form["item_id"]) for _, form in shop.base.edits}


def test_8_another_family_settles_what_seems_gone(shop: Shop) -> None:
    """Each article that v0 calls gone was put to the competitive summary, none to v0 again: what that bore out was
    hidden, what it contradicted stays as it was in both shops."""
    gone = {asin_of(n) for n in range(COUNT) if n % 10 == 1 or n % 20 == 19 or n in HIDDEN_FROM_V0}
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
    before = {item_id: shown_of(item) for item_id, item in shop.items.items()}
    in_cart = {item_id: product.shown for item_id, product in shop.products.items()}
    for number, ratio in ((fallen, 0.4), (risen, 2.2)):
        good = shop.goods[asin_of(number)]
        shop.goods[asin_of(number)] = replace(good, price_jpy=int((good.price_jpy or 0) * ratio))
    good = shop.goods[asin_of(unsettled)]
    shop.goods[asin_of(unsettled)] = replace(good, v0_says_jpy=2 * (good.price_jpy or 0))
    count = len(shop.amazon.asked)
    _sync_with_old_stock(shop)
    assert {asin_of(number) for number in (fallen, risen, unsettled)} <= _asked(shop, SUMMARY, since=count)
    price, _, stock = before[1000 + risen]
    assert before | {1000 + risen: (price, 0, stock)} == {
        item_id: shown_of(item) for item_id, item in shop.items.items()
    }
    shop.cart.take_in()
    price, _, stock = in_cart[f"a-{risen}"]
    shown = {item_id: product.shown for item_id, product in shop.products.items()}
    assert in_cart | {f"a-{risen}": (price, 0, stock)} == shown
    held = json.loads(shop.run("ecauto holds list --json").stdout)
    held_rows = {(row["asin"], row["kind"]) for row in held}
    assert {(asin_of(fallen), "price"), (asin_of(risen), "price")} <= held_rows
    assert asin_of(unsettled) not in {asin for asin, _ in held_rows}


def test_8_a_sweep_that_sees_nothing_left_is_settled_alike(shop: Shop) -> None:
    """Once stock is old enough to be swept: one article goes, of another v0 alone says so. The first is hidden in both
    shops, the other in neither; the single look of v0 is not taken."""
    gone, there = 16, 36
    before = {item_id: shown_of(item) for item_id, item in shop.items.items()}
    in_cart = {item_id: product.shown for item_id, product in shop.products.items()}
    shop.goods[asin_of(gone)] = Good(None)
    shop.goods[asin_of(there)] = replace(shop.goods[asin_of(there)], hidden_from_v0=True)
    count = len(shop.amazon.asked)
    _sync_with_old_stock(shop)
    both = {asin_of(gone), asin_of(there)}
    assert both <= _asked(shop, "getCompetitivePricing", since=count)
    assert both <= _asked(shop, DETAIL, since=count)
    assert both <= _asked(shop, SUMMARY, since=count)
    assert set() == both & _asked(shop, "getItemOffers", since=count)
    price, _, stock = before[1000 + gone]
    assert before | {1000 + gone: (price, 0, stock)} == {
        item_id: shown_of(item) for item_id, item in shop.items.items()
    }
    shop.cart.take_in()
    price, _, stock = in_cart[f"a-{gone}"]
    shown = {item_id: product.shown for item_id, product in shop.products.items()}
    assert in_cart | {f"a-{gone}": (price, 0, stock)} == shown


def test_9_by_itself(shop: Shop) -> None:
    """The UI starts; in live mode the schedules and sensors are on."""
    (command,) = commands("9. By itself")
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
        assert shop.run(commands("8. Everything")[-1]).returncode in (0, 1)
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
    command = re.findall(r"`(ecauto rollback RUN_ID)`", sections()["Going back"])[0]
    before = _edits(shop)
    assert shop.run(command, RUN_ID=runs[0]["run_id"]).returncode in (0, 1)
    assert _edits(shop) > before
    shop.cart.take_in()
    assert (1, True) == (shop.items[1016]["visible"], shop.products["a-16"].visible), "hidden by the last run that sent"
