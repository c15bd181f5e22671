"""An alert about what nobody looks at any more ends, in words that do not call it a recovery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ecauto_pipeline.alerts.announce import announce, firing_now
from ecauto_pipeline.alerts.rules import judge
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.notices import Remembered, save_notice
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline_tests.alerts.alert_tools import NOON, tools_at
from ecauto_pipeline_tests.alerts.receivers import HttpReceiver, http_receiver
from ecauto_pipeline_tests.alerts.records import a_record
from ecauto_pipeline_tests.alerts.test_subjects import hold

ENVIRON = {"HOOK": "https://example.jp/hook"}
BLOCKED = a_record(shops=("shop_1", "shop_2"), breakers=(("shop_1", "token"), ("shop_2", "token")))
WITHOUT_1 = a_record(shops=("shop_2",), breakers=(("shop_2", "token"),))


class Owner:
    """Somebody who is told by webhook, and edits ecauto.toml."""

    def __init__(self, folder: Path, receiver: HttpReceiver) -> None:
        self.folder, self.receiver = folder, receiver
        self.tools: Tools = tools_at(folder, self.document({"shop_1": True, "shop_2": True}))

    def document(self, shops: Mapping[str, bool], language: str = "ja") -> dict[str, object]:
        channel = {"kind": "webhook", "url_env": "HOOK", "endpoint": self.receiver.url}
        accounts = [{"id": name, "active": active} for name, active in shops.items()]
        return {"alerts": {"channels": [channel], "language": language}, "base": {"accounts": accounts}}

    def has_shops(self, language: str = "ja", **shops: bool) -> None:
        self.tools = replace(self.tools, settings=parse(self.document(shops, language), self.folder))

    def hears(self, record: RunRecord | None) -> list[tuple[str, str, str]]:
        """(rule, subject, state) of what is said after this run, or with none."""
        before = len(self.receiver.received)
        announce(self.tools, judge(record, alert_setup(self.tools)) if record else (), record, ENVIRON)
        new = [one.json for one in self.receiver.received[before:]]
        return [(one["rule"], one["subject"], one["state"]) for one in new]


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    with http_receiver() as receiver:
        yield Owner(tmp_path, receiver)


@pytest.mark.parametrize(
    ("shops", "language", "words"),
    [
        ({"shop_1": False, "shop_2": True}, "ja", "active = false"),
        ({"shop_1": False, "shop_2": True}, "en", "no longer watched"),
        ({"shop_2": True}, "ja", "ecauto.toml にありません"),
        ({"shop_1": False, "shop_2": False}, "en", "switched off"),
    ],
)
def test_a_shop_that_is_switched_off_has_no_standing_alert(
    owner: Owner, shops: dict[str, bool], language: str, words: str
) -> None:
    """The next thing that tells anything closes it, once, as no recovery; the other shop's stands."""
    assert {("account_blocked", name, "firing") for name in ("shop_1", "shop_2")} == set(owner.hears(BLOCKED))
    owner.has_shops(language, **shops)
    closed = [("account_blocked", name, "closed") for name in ("shop_1", "shop_2") if not shops.get(name)]
    assert closed == owner.hears(None)
    told = owner.receiver.received[-1].json
    assert words in told["body"]
    assert not any(word in told["title"] + told["body"] for word in ("復旧", "RECOVERED"))
    assert [] == owner.hears(None)
    left = [f"account_blocked:{name}" for name in ("shop_1", "shop_2") if shops.get(name)]
    assert left == [key for key, _ in firing_now(owner.tools)]


def test_a_run_that_began_before_says_nothing_of_it_and_a_shop_that_is_back_is_watched_again(owner: Owner) -> None:
    """What is told of a shop depends on whether it is watched when it is told."""
    owner.hears(BLOCKED)
    owner.has_shops(shop_1=False, shop_2=True)
    assert [("account_blocked", "shop_1", "closed")] == owner.hears(BLOCKED)
    assert [] == owner.hears(BLOCKED)
    assert [] == owner.hears(WITHOUT_1)
    owner.has_shops(shop_1=True, shop_2=True)
    assert [("account_blocked", "shop_1", "firing")] == owner.hears(BLOCKED)


def test_what_is_held_in_a_shop_that_is_off_calls_nobody(owner: Owner) -> None:
    """Nobody could approve it there; it is told again when the shop is on."""
    hold(owner.tools, "run-1", [1, 2])
    held = a_record(shops=("shop_1", "shop_2"), held_open=2)
    assert [("held_rows", "shop_1", "firing")] == owner.hears(held)
    owner.has_shops(shop_1=False, shop_2=True)
    off = a_record(shops=("shop_2",), held_open=2)
    assert [("held_rows", "shop_1", "closed")] == owner.hears(off)
    assert [] == owner.hears(off)


@pytest.mark.parametrize("key", ["sp_api_error_rate:getNothing", "a_rule_of_old", "a_rule_of_old:shop_1"])
def test_what_the_program_does_not_know_any_more_is_closed(owner: Owner, key: str) -> None:
    """An operation that is no more, a rule of an earlier version."""
    with owner.tools.state.write() as connection:
        document = {"told": {"webhook:HOOK": "firing"}, "notice": {}, "members": []}
        save_notice(connection, Remembered(key, "firing", NOON, document))
    rule, _, subject = key.partition(":")
    assert [(rule, subject, "closed")] == owner.hears(None)
    assert () == firing_now(owner.tools)


def test_where_ecauto_toml_names_no_shop_nothing_is_closed(owner: Owner) -> None:
    """The emulator's shops, for one: whether one of them is watched is not known from there."""
    owner.has_shops()
    assert 2 == len(owner.hears(BLOCKED))
    assert [] == owner.hears(None)
