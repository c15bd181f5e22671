"""What people are told of an operation of Amazon's that is down: which, since when, why, and who does its work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecauto_pipeline.alerts.rule import AlertSetup
from ecauto_pipeline.alerts.rules import RULES
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.operations_down import OperationDown
from ecauto_pipeline.settings import Alerts
from ecauto_pipeline_tests.alerts.records import STARTED, a_record

_BATCH = OperationDown("getItemOffersBatch", Role.DETAIL, STARTED, "http_503", 503, (), ("getItemOffers",))
_GONE = OperationDown("getItemOffersBatch", Role.DETAIL, STARTED, "http_404_not_found", 404)
_SETUP = AlertSetup(Alerts())


def _verdicts(**figures: Any) -> dict[str, Verdict]:
    return {one.subject: one for one in RULES["operation_down"].verdicts(a_record(**figures), _SETUP)}


@pytest.mark.parametrize(
    ("down", "ja", "en"),
    [
        (
            _BATCH,
            "getItemOffersBatch は 01-05 12:00 から使えません（代わりに getItemOffers）。"
            "接続先の障害(HTTP 5xx) (server_trouble)。待ってください。次の実行でもう一度試します",
            "getItemOffersBatch is down since 01-05 12:00; getItemOffers instead: "
            "trouble at the other side (HTTP 5xx) (server_trouble); wait; the next run tries again",
        ),
        (
            replace(_BATCH, reason="role_missing", http_status=403, accounts=("sp_1",)),
            "getItemOffersBatch (sp_1) は 01-05 12:00 から使えません（代わりに getItemOffers）。"
            "Amazonがアクセスを拒否している: アプリケーションにロールが足りない (role_missing)。",
            "getItemOffersBatch (sp_1) is down since 01-05 12:00; getItemOffers instead: "
            "Amazon denies access to the resource: the application lacks a role (role_missing); ",
        ),
        (
            replace(_BATCH, reason="http_400_invalid_input", http_status=400),
            "Amazonが呼び出しの形を受け付けない(HTTP 400): どのASINでも同じ (call_refused)。",
            "Amazon refuses the call as such (HTTP 400), whatever ASIN it is about (call_refused); ",
        ),
        (
            _GONE,
            "代わりはなく、価格も公開状態も変えません。情報は古くなっていきます）。Amazonにその操作がない",
            "nothing is asked instead: prices and visibility stay as they are, and age: Amazon does not know the",
        ),
        (
            OperationDown("getCompetitivePricing", Role.SWEEP, instead=("getItemOffersBatch",)),
            "getCompetitivePricing: 使わない設定（[sp_api] without）; 代わりに getItemOffersBatch",
            "getCompetitivePricing: switched off ([sp_api] without); getItemOffersBatch instead",
        ),
    ],
    ids=["trouble", "role", "refused", "gone", "switched off"],
)
def test_one_sentence_says_which_since_when_why_and_who_instead(down: OperationDown, ja: str, en: str) -> None:
    """In the words that calls fail in everywhere, in both languages."""
    assert (True, True) == (ja in down.sentence("ja"), en in down.sentence("en"))


def test_the_alert_is_of_the_operation_and_grave_only_where_nobody_does_its_work() -> None:
    """One a subject, with the sentence; a batch that others stand in for wants a look this week, v0 gone one today."""
    warned, grave = _verdicts(down=(_BATCH,)), _verdicts(down=(_GONE,))
    assert {"getItemOffersBatch"} == set(warned) == set(grave)
    assert ("WARN", "ERROR") == tuple(one["getItemOffersBatch"].severity for one in (warned, grave))
    assert _BATCH.sentence("en") == warned["getItemOffersBatch"].message_en
    assert _GONE.sentence("ja") == grave["getItemOffersBatch"].message_ja


@pytest.mark.parametrize("role", [Role.CONFIRM, Role.OPINION, Role.CATALOGUE])
def test_an_operation_without_which_prices_and_visibility_are_worked_on_is_no_matter_of_today(role: Role) -> None:
    """Nobody takes its work over, and the message does not say that everything was left as it is."""
    found = _verdicts(down=(OperationDown("x", role, STARTED, "http_503", 503),))["x"]
    assert (False, "WARN") == (found.passed, found.severity)
    assert "left as they are" not in found.done_en


def test_it_ends_when_the_operation_is_asked_as_usual() -> None:
    """A run in which it answered ends the alert; one that did not ask it leaves it standing."""
    well = _verdicts(by_operation={"getItemOffersBatch": (20, 0)}, sp_api_calls=1)
    assert well["getItemOffersBatch"].judged
    assert well["getItemOffersBatch"].passed
    assert "getItemOffersBatch" not in _verdicts(by_operation={"getItemOffers": (20, 0)}, sp_api_calls=1)


def test_that_nothing_was_asked_is_no_second_alert_where_nobody_can_be() -> None:
    """`calls_made_when_due` speaks of a run that could have asked; with others left to ask it still does."""
    figures = {"cache_misses": 5, "sp_api_calls": 0}
    rule = RULES["calls_made_when_due"]
    said = [rule.judge(a_record(**figures, down=down), _SETUP).passed for down in ((), (_BATCH,), (_GONE,))]
    assert [False, False, True] == said
