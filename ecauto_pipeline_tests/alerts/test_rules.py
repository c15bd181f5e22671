"""Alert rules: what each of them states, at its threshold and on either side of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.alerts.rule import AlertSetup
from ecauto_pipeline.alerts.rules import OUTSIDE_RULES, RULES, judge, rule_label
from ecauto_pipeline.alerts.rules.runs import run_failed, run_stuck
from ecauto_pipeline.alerts.verdicts import Verdict, span_en, span_ja
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.operations_down import OperationDown
from ecauto_pipeline.domain.selling.register_fall import RegisterCounts
from ecauto_pipeline.settings import Alerts, Channel
from ecauto_pipeline.state.amazon_shapes import ShapeMet
from ecauto_pipeline.sync.catalogue_section import CatalogueReport
from ecauto_pipeline.sync.file_trouble import FileTrouble
from ecauto_pipeline.sync.line import STEPS
from ecauto_pipeline.sync.register_report import RegisterFall, RegisterReport, RegisterTrouble
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline.sync.sections import (
    Fault,
    FetchReport,
    ListingsReport,
    ShopsReport,
    StoppedShop,
)
from ecauto_pipeline_tests.alerts.records import STARTED, a_record, a_shape

NOW = STARTED + timedelta(minutes=10)
POLICY = Alerts(channels=(Channel(kind="webhook", url_env="HOOK"),))
HEALTHY: dict[str, object] = dict(
    cache_hits=900,
    cache_misses=100,
    sp_api_calls=5,
    status_success=80,
    status_out_of_stock=20,
    base_api_calls=100,
    execution_time_seconds=60.0,
    planned_seconds=50.0,
    targets=10,
    pushed=4,
    unchanged=6,
    oldest_pushed_data_s=600.0,
    oldest_allowed_s=3600.0,
    catalogue_nulled=0,
    token_days_left=20.0,
    probe_audited=100,
)


def verdict(name: str, **changes: Any) -> Verdict:
    broken = changes.pop("broken_channels", ())
    alerts = POLICY if changes.pop("channels", 1) else Alerts()
    setup = AlertSetup(alerts, broken, shapes=changes.pop("shapes", ()), now=NOW)
    return RULES[name].judge(a_record(**HEALTHY | changes), setup)


def test_a_healthy_run_passes_every_rule() -> None:
    """One verdict a rule, in order, all judged and passed."""
    verdicts = judge(a_record(**HEALTHY), AlertSetup(POLICY))
    assert list(RULES) == [one.rule for one in verdicts]
    assert [] == [one.rule for one in verdicts if not one.passed or not one.judged or one.remedy]


@pytest.mark.parametrize(
    ("rule", "at_the_edge", "beyond"),
    [
        (
            "sp_api_error_rate",
            {"status_success": 90, "status_out_of_stock": 0, "status_api_error": 10},
            {"status_success": 89, "status_out_of_stock": 0, "status_api_error": 11},
        ),
        ("amazon_shape", {"shapes": (a_shape(19),)}, {"shapes": (a_shape(20),)}),
        ("base_error_rate", {"base_api_errors": 5}, {"base_api_errors": 6}),
        ("cache_hit_rate", {"cache_hits": 800, "cache_misses": 200}, {"cache_hits": 799, "cache_misses": 201}),
        ("run_duration", {"execution_time_seconds": 100.0}, {"execution_time_seconds": 100.1}),
        ("oldest_pushed_data", {"oldest_pushed_data_s": 3600.0}, {"oldest_pushed_data_s": 3600.1}),
        ("operation_down", {"down": ()}, {"down": (OperationDown("x", Role.DETAIL, STARTED, "http_503"),)}),
        ("unconfirmed_on_sale", {"unconfirmed": 0}, {"unconfirmed": 1}),
        ("numbers_add_up", {"targets": 10}, {"targets": 11}),
        ("calls_made_when_due", {"sp_api_calls": 1, "cache_misses": 1}, {"sp_api_calls": 0, "cache_misses": 1}),
        ("catalogue_intact", {"catalogue_nulled": 0}, {"catalogue_nulled": 1}),
        ("held_rows", {"held_open": 0}, {"held_open": 1}),
        ("token_expiry", {"token_days_left": 7.0}, {"token_days_left": 6.9}),
        ("token_file_written", {"token_files": {}}, {"token_files": {"shop_1": "shop_1_token.json: PermissionError"}}),
        ("probe_miss_rate", {"probe_missed": 5}, {"probe_missed": 6}),
        (
            "account_blocked",
            {"breakers": (("shop_1", "hour_api_limit"),)},
            {"breakers": (("shop_1", "access_denied"),)},
        ),
        ("pushing_stopped", {"stopped": ()}, {"stopped": (StoppedShop("shop_1", "owner", STARTED),)}),
        ("base_calls_suffice", {"out_of_calls": ()}, {"out_of_calls": (("shop_1", 4),)}),
        (
            "register_read",
            {"register": RegisterReport()},
            {"register": RegisterReport(trouble=RegisterTrouble("master.db が壊れています", "master.db is damaged"))},
        ),
        (
            "register_kept",
            {"register": RegisterReport({"shop_1": RegisterCounts(80)})},
            {"register": RegisterReport({"shop_1": RegisterCounts(79)}, (RegisterFall("shop_1", "listed", 100, 79),))},
        ),
        ("register_rows", {"register": RegisterReport()}, {"register": RegisterReport(odd=1)}),
        (
            "register_rows",
            {"register": RegisterReport(unchanged_since=STARTED)},
            {"register": RegisterReport(odd=1, unchanged_since=STARTED)},
        ),
        ("register_written", {"register_problem": ""}, {"register_problem": "another program holds it"}),
        ("no_faults", {"faults": ()}, {"faults": (Fault("shop_1", "price", "shops.base.shop:74", "KeyError"),)}),
        ("orders_read", {"orders_not_read": {}}, {"orders_not_read": {"shop_1": "invalid_scope"}}),
        ("blocklist_read", {"blocklist": None}, {"blocklist": FileTrouble("b.json", "壊れ", "broken", STARTED)}),
        ("rules_read", {"rules": None}, {"rules": FileTrouble("rules.csv", "壊れ", "broken", STARTED, 3)}),
        ("views_read", {"views": None}, {"views": FileTrouble("views.csv", "壊れ", "broken", STARTED)}),
        ("history_published", {"damaged": ()}, {"damaged": ("snapshots/dt=2026-10-23/hour=12/r.parquet",)}),
        ("alert_channel_configured", {"channels": 1}, {"channels": 0}),
    ],
)
def test_every_rule_fires_just_beyond_its_threshold(
    rule: str, at_the_edge: dict[str, Any], beyond: dict[str, Any]
) -> None:
    """At the threshold a rule still passes; one step further it fires and names the next command."""
    good, bad = verdict(rule, **at_the_edge), verdict(rule, **beyond)
    assert (True, "") == (good.passed, good.remedy)
    assert (False, True) == (bad.passed, bad.judged)
    assert bad.remedy.startswith("ecauto ")
    assert bad.message_ja != bad.message_en


def test_sold_out_and_filtered_out_are_answers_not_errors() -> None:
    """A night in which everything is sold out is no API trouble."""
    found = verdict("sp_api_error_rate", status_success=0, status_out_of_stock=70, status_filtered_out=30)
    assert (True, True, 0.0) == (found.passed, found.judged, found.value)


def test_a_zero_that_lost_its_credit_later_covers_no_error() -> None:
    """Of 100 zeros not believed 80 had been counted as answers before they lost their credit: the 30 ASINs that went
    without an answer are as many as before."""
    zeros = {"zeros_not_believed": {"getItemOffersBatch": 100}, "by_reason": {"mass_zero": 20, "internal_failure": 30}}
    answers = {"status_success": 70, "status_out_of_stock": 80, "status_api_error": 50}
    found = verdict("sp_api_error_rate", **zeros, **answers)
    assert (False, 0.15) == (found.passed, found.value)


def test_few_attempts_are_reported_not_judged() -> None:
    """19 of 19 errors are shown as 100% and do not fire; the 20th attempt makes it a judgement."""
    few = verdict("base_error_rate", base_api_calls=19, base_api_errors=19)
    enough = verdict("base_error_rate", base_api_calls=20, base_api_errors=20)
    assert (True, False, 1.0) == (few.passed, few.judged, few.value)
    assert (False, True, 1.0) == (enough.passed, enough.judged, enough.value)


@pytest.mark.parametrize("rule", ["sp_api_error_rate", "base_error_rate", "probe_miss_rate", "cache_hit_rate"])
def test_no_attempts_are_no_rate(rule: str) -> None:
    """Nothing attempted is unknown, never 0%."""
    found = RULES[rule].judge(a_record(), AlertSetup(POLICY))
    assert (None, True, False) == (found.value, found.passed, found.judged)
    assert "%" not in found.message_en


def test_a_first_fill_is_not_a_bad_hit_rate() -> None:
    """ASINs nobody ever asked about do not count as misses; all new = nothing to judge."""
    first = verdict("cache_hit_rate", cache_hits=0, cache_misses=1000, never_fetched=1000)
    grown = verdict("cache_hit_rate", cache_hits=95, cache_misses=905, never_fetched=900)
    assert (True, False, None) == (first.passed, first.judged, first.value)
    assert "first fill" in first.message_en
    assert (True, True, 0.95) == (grown.passed, grown.judged, grown.value)


def test_hits_alone_are_no_proof_of_health() -> None:
    """100% hits and no call while something is due is an error; with nothing due, or no fetch asked for, it is not."""
    assert not verdict("calls_made_when_due", cache_hits=1000, sp_api_calls=0, cache_misses=3).passed
    assert verdict("calls_made_when_due", sp_api_calls=0, cache_misses=0).passed
    assert verdict("calls_made_when_due", sp_api_calls=0, cache_misses=3, fetch=False).passed


def test_what_another_run_has_answered_needs_no_call() -> None:
    """Two runs that begin together plan the same: the second finds it answered. What nobody answered is due still."""
    none = {"sp_api_calls": 0, "cache_misses": 15}
    all_of_it = verdict("calls_made_when_due", **none, planned=15, others=15)
    assert (True, False) == (all_of_it.passed, all_of_it.judged)
    assert "15 answered to another run" in all_of_it.message_en
    assert verdict("calls_made_when_due", sp_api_calls=0, cache_misses=900, planned=200, others=200).passed
    assert not verdict("calls_made_when_due", **none, planned=15, others=14).passed


def test_a_push_from_data_too_old_names_its_row() -> None:
    """What the runbook has people look at; of data young enough nothing is named."""
    row = ("shop_1", "7", "price", "B000000007")
    bad = verdict("oldest_pushed_data", oldest_pushed_data_s=3601.0, oldest_pushed=row)
    named = {"account_id": "shop_1", "item_id": "7", "kind": "price", "asin": "B000000007"}
    assert ([named], ()) == ([dict(one) for one in bad.worst], verdict("oldest_pushed_data", oldest_pushed=row).worst)


def test_a_dead_token_is_an_error_and_a_dying_one_a_warning() -> None:
    """Severity follows what still works."""
    found = [verdict("token_expiry", token_days_left=days).severity for days in (-1.0, 0.0, 3.0)]
    assert ["ERROR", "ERROR", "WARN"] == found


def test_a_refusing_channel_is_visible() -> None:
    """A channel that refused its last message fires the rule although channels are configured."""
    found = verdict("alert_channel_configured", broken_channels=("slack",))
    assert (False, True) == (found.passed, "slack" in found.message_ja)


def test_worst_rows_are_three_at_most() -> None:
    """A verdict carries the three worst rows in the order given."""
    failures = tuple(("shop_1", f"{n}", "price", "bad_price") for n in range(9))
    worst = verdict("base_error_rate", base_api_errors=9, failures=failures).worst
    assert ["0", "1", "2"] == [row["item_id"] for row in worst]


def test_runs_are_watched_from_outside() -> None:
    """A failed run fires and the next good one passes; silence longer than allowed is stuck."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert not run_failed("r1", "stock_sync", "DiskFull", failed=True).passed
    assert run_failed("r2", "stock_sync", failed=False).passed
    assert run_stuck("r1", "stock_sync", now - timedelta(seconds=60), now, 60).passed
    assert not run_stuck("r1", "stock_sync", now - timedelta(seconds=61), now, 60).passed


@pytest.mark.parametrize(
    ("seconds", "en", "ja"),
    [
        (0, "0 s", "0秒"),
        (59, "59 s", "59秒"),
        (60, "1 min", "1分"),
        (5400, "1 h 30 min", "1時間30分"),
        (90000, "1 d 1 h", "1日1時間"),
    ],
)
def test_spans_read_well(seconds: int, en: str, ja: str) -> None:
    """The two largest units, no zeros."""
    assert (en, ja) == (span_en(seconds), span_ja(seconds))


def test_what_a_run_did_not_do_is_not_judged() -> None:
    """A run without sections says nothing of anything but who would hear of it: it clears no alarm and raises none."""
    empty = RunRecord(run_id="r", job="explain", partition_key="", started_at=STARTED)
    verdicts = judge(empty, AlertSetup(POLICY))
    assert ["alert_channel_configured"] == [one.rule for one in verdicts if one.judged]
    assert all(one.passed for one in verdicts)


def test_what_was_not_read_again_is_told_with_the_time_of_its_reading() -> None:
    """Of master.db nothing sounds as if it had been looked at in this run."""
    register = RegisterReport(unchanged_since=STARTED, odd=2)
    for name in ("register_read", "register_kept", "register_rows"):
        said = verdict(name, register=register)
        assert all("2026-01-05 12:00" in one for one in (said.message_ja, said.message_en)), name
        assert "2026-01-05" not in verdict(name, register=RegisterReport()).message_en


def test_a_dry_run_says_nothing_of_writing_the_register() -> None:
    """It was not to write master.db: an open alarm about it stays open."""
    record = a_record(**HEALTHY)
    assert record.base_updates is not None
    dry = replace(record, base_updates=replace(record.base_updates, dry_run=True))
    assert not RULES["register_written"].judge(dry, AlertSetup(POLICY)).judged


def test_a_run_that_took_up_a_plan_is_held_to_what_was_left_of_it() -> None:
    """It has no plan of its own; with work in hand and no call made it is as wrong as any other."""
    nothing_said = RunRecord(
        run_id="r", job="materialize", partition_key="", started_at=STARTED, sp_api_snapshots=FetchReport(planned=5)
    )
    assert not RULES["calls_made_when_due"].judge(nothing_said, AlertSetup(POLICY)).passed


def test_orders_that_a_permission_hides_name_the_shop_to_authorise() -> None:
    """The remedy is a command that can be typed as it stands."""
    found = verdict("orders_read", orders_not_read={"shop_1": "timeout", "shop_2": "invalid_scope"})
    assert "ecauto auth base shop_2" == found.remedy
    assert "shop_1 (no answer in time (timeout))" in found.message("en")


def test_shops_are_judged_as_reading_left_them_until_something_is_sent() -> None:
    """The check of `listings` speaks before anything was pushed."""
    listings = ListingsReport(shops=ShopsReport(breakers=(("shop_1", "token"),)))
    record = RunRecord(run_id="r", job="j", partition_key="", started_at=STARTED, listings=listings)
    found = RULES["account_blocked"].judge(record, AlertSetup(POLICY))
    assert (False, "ecauto auth base shop_1") == (found.passed, found.remedy)


def test_a_rule_is_declared_once_and_whole() -> None:
    """Law and label in both languages, a remedy, and for rules of a run an asset of the line that shows it."""
    for rule in (*RULES.values(), *OUTSIDE_RULES.values()):
        assert all((rule.law.ja, rule.law.en, rule.label.ja, rule.label.en, rule.remedy))
        assert (rule.label.ja, rule.label.en) == tuple(rule_label(rule.name, one) for one in ("ja", "en"))
    assert set(STEPS) >= {rule.asset for rule in RULES.values()}
    assert "of_yesterday" == rule_label("of_yesterday", "ja")


counts = st.integers(0, 10**6)


@given(
    st.builds(
        a_record,
        **{
            name: counts
            for name in (
                "cache_hits",
                "cache_misses",
                "never_fetched",
                "sp_api_calls",
                "sp_api_errors",
                "status_success",
                "status_api_error",
                "base_api_calls",
                "base_api_errors",
                "targets",
                "pushed",
                "held",
                "failed",
                "held_open",
                "probe_audited",
                "probe_missed",
            )
        },
    )
)
def test_any_run_gets_one_verdict_a_rule(record: RunRecord) -> None:
    """No figures make a rule raise; what is not judged passes; every verdict can be written as JSON."""
    for found in judge(record, AlertSetup(POLICY)):
        assert found.passed or found.judged
        assert (found.passed, bool(found.remedy)) in ((True, False), (False, True))
        assert (found.message_ja + found.message_en).encode("cp932")  # a Japanese Windows console can show it
        assert json.dumps({"value": found.value, "ja": found.message("ja"), "en": found.message("en")})


@pytest.mark.parametrize(
    ("shape", "fires"),
    [
        (a_shape(1, NOW - timedelta(minutes=14, seconds=59)), False),
        (a_shape(1, NOW - timedelta(minutes=15)), True),
        (a_shape(20, NOW), True),
        (a_shape(20, NOW, accepted_at=NOW), False),
        (a_shape(20, NOW, gone_at=NOW), False),
        (a_shape(20, NOW - timedelta(days=30)), False),
        (a_shape(20, NOW - timedelta(days=29, hours=23)), True),
    ],
    ids=["young", "15 minutes", "20 ASINs", "a person has looked", "gone", "there for 30 days", "not quite"],
)
def test_a_shape_is_news_at_twenty_asins_or_after_a_quarter_of_an_hour(shape: ShapeMet, fires: bool) -> None:
    """Whichever comes first, and until somebody has looked, or it has stood for 30 days, or was measured away."""
    found = verdict("amazon_shape", shapes=(shape,))
    assert fires is not found.passed
    assert found.judged


def test_a_new_shape_is_told_with_all_that_a_person_needs() -> None:
    """Operation, shape, how many, since when, the example's file, and that nothing was hidden or re-priced for it."""
    file = "data/samples/getItemOffersBatch-missing-offers-123456.json"
    key = ("getItemOffersBatch", "missing Offers")
    setup = AlertSetup(POLICY, shapes=(a_shape(20), a_shape(3)), samples={key: file}, now=NOW + timedelta(minutes=5))
    found = RULES["amazon_shape"].judge(a_record(**HEALTHY), setup)
    for text in (found.message_ja, found.message_en):
        assert all(part in text for part in ("getItemOffersBatch", "missing Offers", "20", "2026-01-05 12:00", file))
    assert ("ecauto samples list", {f"{key[0]}: {key[1]}"}) == (found.remedy, set(found.members))
    assert "re-priced" in found.done_en
    assert {"operation", "shape", "answers", "since", "example"} == set(found.worst[0])


def test_whether_a_shape_is_there_is_not_known_by_a_run_that_asked_nothing() -> None:
    """It neither raises nor ends the alert; a run of the catalogue alone asks, too."""
    setup = AlertSetup(POLICY, shapes=(a_shape(20),), now=NOW)
    nothing = RunRecord(run_id="r", job="stock_sync", partition_key="", started_at=STARTED)
    refreshed = replace(nothing, job="catalog_refresh", catalog_refresh=CatalogueReport(asked=20))
    told = [RULES["amazon_shape"].judge(record, setup) for record in (nothing, refreshed)]
    assert [(True, False), (False, True)] == [(one.passed, one.judged) for one in told]
