"""One standing alert a rule and subject: who fires it, who ends it, and that a run which did not look says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.alerts.announce import announce
from ecauto_pipeline.alerts.rules import judge
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.domain.model import Decision, Diff, Kind, ListingKey
from ecauto_pipeline.domain.selling.register_fall import RegisterCounts
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.state import decisions, shop_accounts
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.register_report import RegisterFall, RegisterReport
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline.sync.sections import StartReport, StoppedShop
from ecauto_pipeline_tests.alerts.alert_tools import tools_at
from ecauto_pipeline_tests.alerts.receivers import HttpReceiver, http_receiver
from ecauto_pipeline_tests.alerts.records import STARTED, a_record

ENVIRON = {"HOOK": "https://example.jp/hook"}
SHOPS = ("shop_1", "shop_2", "shop_3")
WELL = a_record(shops=SHOPS, token_days=dict.fromkeys(SHOPS, 20.0), token_days_left=20.0)
QUESTION = RunRecord(run_id="q", job="capacity", partition_key="", started_at=STARTED, start=StartReport())


class Owner:
    """Somebody who is told by webhook."""

    def __init__(self, tools: Tools, receiver: HttpReceiver) -> None:
        self.tools, self.receiver = tools, receiver

    def hears(self, record: RunRecord) -> list[tuple[str, str, str]]:
        """(rule, subject, state) of what is said after this run."""
        before = len(self.receiver.received)
        announce(self.tools, judge(record, alert_setup(self.tools)), record, ENVIRON)
        new = [one.json for one in self.receiver.received[before:]]
        return [(one["rule"], one["subject"], one["state"]) for one in new]


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    with http_receiver() as receiver:
        channel = {"kind": "webhook", "url_env": "HOOK", "endpoint": receiver.url}
        yield Owner(tools_at(tmp_path, {"alerts": {"channels": [channel]}}), receiver)


ONE_FELL = RegisterFall("shop_1", "listed", 1000, 0, (("77", "B000000001"),))
TWO_FELL = RegisterFall("shop_2", "title_ja", 500, 0)
COUNTED = {"shop_1": RegisterCounts(), "shop_2": RegisterCounts(500)}
TROUBLES = [
    (
        "register_kept",
        {"register": RegisterReport(COUNTED, (ONE_FELL,))},
        {"register": RegisterReport(COUNTED, (ONE_FELL, TWO_FELL))},
    ),
    ("account_blocked", {"breakers": (("shop_1", "token"),)}, {"breakers": (("shop_1", "token"), ("shop_2", "token"))}),
    ("orders_read", {"orders_not_read": {"shop_1": "x"}}, {"orders_not_read": {"shop_1": "x", "shop_2": "x"}}),
    (
        "pushing_stopped",
        {"stopped": (StoppedShop("shop_1", "owner", STARTED),)},
        {"stopped": tuple(StoppedShop(shop, "owner", STARTED) for shop in ("shop_1", "shop_2"))},
    ),
    ("base_calls_suffice", {"out_of_calls": (("shop_1", 4),)}, {"out_of_calls": (("shop_1", 4), ("shop_2", 1))}),
    (
        "token_expiry",
        {"token_days_left": 3.0, "token_days": {"shop_1": 3.0, "shop_2": 20.0}},
        {"token_days_left": 3.0, "token_days": {"shop_1": 3.0, "shop_2": 4.0}},
    ),
    (
        "base_error_rate",
        {"base_api_calls": 90, "base_api_errors": 20, "calls_of_shops": {"shop_1": (30, 20), "shop_2": (60, 0)}},
        {"base_api_calls": 90, "base_api_errors": 40, "calls_of_shops": {"shop_1": (30, 20), "shop_2": (60, 20)}},
    ),
]


@pytest.mark.parametrize(("rule", "one", "both"), TROUBLES, ids=[trouble[0] for trouble in TROUBLES])
def test_each_shop_has_its_own_alert(owner: Owner, rule: str, one: dict[str, Any], both: dict[str, Any]) -> None:
    """A second shop's trouble is told though the rule fires already, and each one's recovery by itself."""
    well = {
        "base_api_calls": 90,
        "calls_of_shops": {"shop_1": (30, 0), "shop_2": (60, 0)},
        "token_days": {"shop_1": 20.0, "shop_2": 20.0},
        "token_days_left": 20.0,
        "register": RegisterReport(dict.fromkeys(SHOPS, RegisterCounts(1000, 900))),
    }

    def heard(**figures: object) -> list[tuple[str, str, str]]:
        return owner.hears(a_record(shops=SHOPS, **well | figures))

    assert [(rule, "shop_1", "firing")] == heard(**one)
    assert [(rule, "shop_2", "firing")] == heard(**both)
    assert [(rule, "shop_2", "recovered")] == heard(**one)
    assert [(rule, "shop_1", "recovered")] == heard()


def test_a_shop_that_is_closed_still_is_not_said_to_have_calls_again(owner: Owner) -> None:
    """The next run of the hour finds nothing to wait, for it has not tried: that ends no alarm."""
    calls = {"base_api_calls": 60, "calls_of_shops": {"shop_1": (30, 0), "shop_2": (30, 0)}}

    def heard(**figures: object) -> list[tuple[str, str, str]]:
        return owner.hears(a_record(shops=SHOPS, **calls, **figures))

    assert [("base_calls_suffice", "shop_1", "firing")] == heard(out_of_calls=(("shop_1", 4),))
    assert [] == heard(breakers=(("shop_1", "hour_api_limit"),))
    assert [("base_calls_suffice", "shop_1", "recovered")] == heard()


def test_each_operation_has_its_own_alert(owner: Owner) -> None:
    """One operation that fails does not hide the next, nor does one that works clear the other."""
    first = a_record(status_success=150, status_api_error=50, by_operation={"detail": (100, 50), "sweep": (100, 0)})
    other = a_record(status_success=50, status_api_error=50, by_operation={"sweep": (100, 50)})
    well = a_record(status_success=200, by_operation={"detail": (100, 0), "sweep": (100, 0)})
    assert [("sp_api_error_rate", "detail", "firing")] == owner.hears(first)
    assert [("sp_api_error_rate", "sweep", "firing")] == owner.hears(other)
    assert [("sp_api_error_rate", name, "recovered") for name in ("detail", "sweep")] == owner.hears(well)


@pytest.mark.parametrize("job", ["question", "dry run", "another shop"])
def test_a_run_that_did_not_look_says_nothing(owner: Owner, job: str) -> None:
    """A question, a rehearsal, and a run of another shop fire nothing and end nothing, whatever they say of it."""
    bad = a_record(
        shops=SHOPS, orders_not_read={"shop_1": "x"}, targets=1, breakers=(("shop_1", "token"),), register_problem="x"
    )
    assert WELL.listings is not None
    other_shop = replace(WELL.listings, by_account={"shop_2": 5})
    seen: dict[str, tuple[RunRecord, set[str]]] = {
        "question": (QUESTION, set()),
        "dry run": (replace(WELL, dry_run=True), set()),
        "another shop": (replace(WELL, listings=other_shop), {"orders_read"}),
    }
    record, still_open = seen[job]
    fired = {(rule, subject) for rule, subject, _ in owner.hears(bad)}
    assert {("account_blocked", "shop_1"), ("orders_read", "shop_1"), ("numbers_add_up", "")} <= fired
    between = owner.hears(record)
    if still_open:
        assert not still_open & {rule for rule, _, _ in between}
    else:
        assert [] == between
        assert [] == owner.hears(replace(record, dry_run=True))
    after = {(rule, subject) for rule, subject, _ in (*between, *owner.hears(WELL))}
    assert fired == after


def hold(tools: Tools, run_id: str, items: Sequence[int], account: str = "shop_1") -> None:
    diffs = [
        Diff(
            *(ListingKey("base", account, str(item)), f"B{item:09d}", Kind.PRICE, 1000, 3000),
            decision=Decision.HELD,
            reason="move",
            snapshot_id=run_id,
        )
        for item in items
    ]
    with tools.state.write() as connection:
        decisions.store(connection, run_id, "", diffs, tools.clock.now(), closed=False)


def test_holds_are_told_again_when_they_grow(owner: Owner) -> None:
    """By how many and which; not when they shrink, nor when the same listing is held on newer data."""
    hold(owner.tools, "r1", [1, 2])
    assert [("held_rows", "shop_1", "firing")] == owner.hears(a_record(shops=SHOPS, held_open=2))
    assert [] == owner.hears(a_record(shops=SHOPS, held_open=2))
    hold(owner.tools, "r2", [2, 3, 4, 5, 6])
    assert [("held_rows", "shop_1", "firing")] == owner.hears(a_record(shops=SHOPS, held_open=7))
    grown = owner.receiver.received[-1].json
    assert "新たに4件" in grown["body"]
    assert 3 == len(grown["worst"])
    assert {"3", "4", "5", "6"} > {row["item_id"] for row in grown["worst"]}
    with owner.tools.state.write() as connection:
        decisions.move(connection, [row.diff_id for row in decisions.holds(connection)], "reject", STARTED)
    assert [("held_rows", "shop_1", "recovered")] == owner.hears(a_record(shops=SHOPS))
    hold(owner.tools, "r3", [9], "shop_2")
    assert [("held_rows", "shop_2", "firing")] == owner.hears(a_record(shops=SHOPS, held_open=1))


def test_zeros_that_are_not_believed_are_said_to_be_that(owner: Owner) -> None:
    """Amazon answered; that we doubt the answers is a word of its own and no error rate."""
    zeros = {"zeros_not_believed": {"sweep": 441}, "by_reason": {"mass_zero": 441}}
    figures = {"status_success": 300, "status_api_error": 441, **zeros}
    doubted = a_record(**figures, by_operation={"sweep": (300, 0)})
    assert [("answers_believed", "sweep", "firing")] == owner.hears(doubted)
    said = owner.receiver.received[-1].json["body"]
    assert "441件" in said
    assert "信用していません" in said
    believed = a_record(status_success=700, by_operation={"sweep": (700, 0)})
    assert [("answers_believed", "sweep", "recovered")] == owner.hears(believed)


def titled(tools: Tools, titles: dict[str, str]) -> None:
    """A register that calls these ASINs so."""
    path = tools.settings.master_db
    path.parent.mkdir(parents=True, exist_ok=True)
    Register(path).create(path, [{"asin": asin, "title_ja": title} for asin, title in titles.items()], [])


def test_a_message_names_the_goods_says_what_was_done_and_leads_to_the_page(owner: Owner) -> None:
    """The title from the register, short and without markup; three rows at most; the link of [alerts] ui_url."""
    title = "[info]*加湿器* <b>大容量</b>\n" + "とても長い説明" * 20
    titled(owner.tools, {f"B{item:09d}": title for item in range(5)})
    hold(owner.tools, "r1", range(5))
    owner.hears(a_record(shops=SHOPS, held_open=5))
    body = owner.receiver.received[-1].json["body"]
    assert 3 == body.count("「［info］＊加湿器＊ ＜b＞大容量＜/b＞ とても長い説明")
    assert "<b>" not in body
    assert "対応: 保留にしました。承認されるまで送りません" in body
    assert "画面: http://127.0.0.1:3000/locations/ecauto_pipeline/jobs/release_holds/playground" in body


def test_a_message_about_a_hold_leads_to_that_hold_on_the_desk(owner: Owner) -> None:
    """Its own link, whether it is the only one or the only new one; loopback's address where no other is said."""
    hold(owner.tools, "r1", [1])
    owner.hears(a_record(shops=SHOPS, held_open=1))
    with owner.tools.state.read() as connection:
        first = decisions.holds(connection)[0].diff_id[:12]
    told = owner.receiver.received[-1].json
    assert f"デスク: http://127.0.0.1:3001/holds?id={first}\n" in told["body"]
    assert f"http://127.0.0.1:3001/holds?id={first}" == told["desk"]
    hold(owner.tools, "r2", [2])
    owner.hears(a_record(shops=SHOPS, held_open=2))
    body = owner.receiver.received[-1].json["body"]
    with owner.tools.state.read() as connection:
        second = next(row.diff_id[:12] for row in decisions.holds(connection) if row.diff.key.item_id == "2")
    assert (True, False) == (f"デスク: http://127.0.0.1:3001/holds?id={second}\n" in body, first in body)


def test_a_message_about_many_holds_leads_to_all_and_each_named_row_to_itself(tmp_path: Path) -> None:
    """Under the address that [desk] url gives people; what is over has no link."""
    with http_receiver() as receiver:
        channel = {"kind": "webhook", "url_env": "HOOK", "endpoint": receiver.url}
        document = {"alerts": {"channels": [channel]}, "desk": {"url": "https://desk.example.jp/"}}
        owner = Owner(tools_at(tmp_path, document), receiver)
        hold(owner.tools, "r1", range(5))
        owner.hears(a_record(shops=SHOPS, held_open=5))
        body = receiver.received[-1].json["body"]
        assert ("デスク: https://desk.example.jp/holds\n" in body, 3) == (
            True,
            body.count("\n  https://desk.example.jp/holds?id="),
        )
        with owner.tools.state.write() as connection:
            decisions.move(connection, [row.diff_id for row in decisions.holds(connection)], "reject", STARTED)
        owner.hears(a_record(shops=SHOPS))
        assert "desk.example.jp" not in receiver.received[-1].json["body"]


def test_a_desk_that_listens_on_every_address_has_no_link_of_its_own(tmp_path: Path) -> None:
    """Nobody can open 0.0.0.0: the link comes with [desk] url."""
    with http_receiver() as receiver:
        channel = {"kind": "webhook", "url_env": "HOOK", "endpoint": receiver.url}
        document = {"alerts": {"channels": [channel]}, "desk": {"host": "0.0.0.0", "password_env": "DESK"}}
        owner = Owner(tools_at(tmp_path, document), receiver)
        hold(owner.tools, "r1", [1])
        owner.hears(a_record(shops=SHOPS, held_open=1))
        assert "デスク" not in receiver.received[-1].json["body"]


def test_goods_without_an_answer_and_doubted_goods_are_named(owner: Owner) -> None:
    """Those that went longest unanswered, the dearest of the doubted: each operation's own three, with titles."""
    titled(owner.tools, {"B000000001": "加湿器", "B000000002": "掃除機"})
    silent = (("detail", "B000000001", "timeout", 7), ("sweep", "B000000002", "html_502", 9))
    owner.hears(a_record(status_success=50, status_api_error=50, by_operation={"detail": (100, 50)}, unanswered=silent))
    assert (
        "- 「加湿器」 ASIN B000000001、理由 時間内に返事がない (timeout)、続いた回数 7\n"
        in owner.receiver.received[-1].json["body"]
    )
    doubted = (("sweep", "B000000001", 900), ("sweep", "B000000002", 98000))
    owner.hears(a_record(status_success=90, zeros_not_believed={"sweep": 2}, doubted=doubted))
    body = owner.receiver.received[-1].json["body"]
    assert "「掃除機」 ASIN B000000002、これまでの価格 98000\n- 「加湿器」" in body


def skip(tools: Tools, run_id: str, shop: str, item: int, kind: Kind, at: datetime) -> None:
    diff = Diff(
        *(ListingKey("base", shop, str(item)), f"B{item:09d}", kind, 1, 0),
        decision=Decision.SKIPPED,
        reason="account_blocked",
        snapshot_id=run_id,
    )
    with tools.state.write() as connection:
        decisions.store(connection, run_id, "", [diff], at, closed=False)


def test_a_blocked_shop_names_the_changes_that_do_not_reach_it(owner: Owner) -> None:
    """Hides before prices, of that shop alone; what was skipped before it was closed is not of it."""
    titled(owner.tools, {"B000000001": "加湿器"})
    now = owner.tools.clock.now()
    with owner.tools.state.write() as connection:
        shop_accounts.open_breaker(connection, "base", "shop_1", "token", now, None)
    skip(owner.tools, "before", "shop_1", 4, Kind.VISIBILITY, now - timedelta(days=1))
    skip(owner.tools, "now", "shop_1", 2, Kind.PRICE, now)
    skip(owner.tools, "now", "shop_1", 1, Kind.VISIBILITY, now)
    skip(owner.tools, "now", "shop_2", 3, Kind.VISIBILITY, now)
    owner.hears(a_record(shops=SHOPS, breakers=(("shop_1", "token"),)))
    told = owner.receiver.received[-1].json
    assert [("1", "visibility"), ("2", "price")] == [(row["item_id"], row["kind"]) for row in told["worst"]]
    assert "- 「加湿器」 ASIN B000000001、商品ID 1、種類 公開、表示中 1、あるべき値 0、理由 " in told["body"]
