"""Explanations: the past from history alone, the present with state.db, and the form in which people read them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.amazon.offers import offers_json
from ecauto_pipeline.clock import JST, ManualClock, to_ms
from ecauto_pipeline.domain.offers.offer_rule import Offer, choose
from ecauto_pipeline.domain.selling.item_rules import QUESTIONS
from ecauto_pipeline.domain.selling.rules_file import parse as parse_rules
from ecauto_pipeline.explain.labels import RULE_QUESTIONS
from ecauto_pipeline.explain.story import explain
from ecauto_pipeline.explain.words import as_document, as_markdown, sections
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state import stops
from ecauto_pipeline.state.item_rules import replace_rules
from ecauto_pipeline.state.schema import asins, listings, observations
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline_tests.alerts.alert_tools import tools_at
from ecauto_pipeline_tests.languages import half_english, half_japanese

ASIN, ITEM = "B000000001", "7001"
T0 = datetime(2026, 1, 5, 12, 0, tzinfo=JST)
SETTINGS = parse({"base": {"accounts": [{"id": "shop_1"}]}}, Path())


def minutes(number: float) -> datetime:
    return T0 + timedelta(minutes=number)


def kept_offers() -> str:
    """Three offers as the parser of an answer keeps them."""
    offers = [
        Offer("S2", "new", 2100, 0, 0, "NOW", False, False, False),
        Offer("S1", "new", 1984, 0, 0, "NOW", True, False, True),
        Offer("S3", "new", 900, 0, 99, "NOW", False, False, False),
    ]
    return offers_json(offers, choose(offers, SETTINGS.offers))


def answer(name: str, at: datetime, status: str, price: int | None = None, **other: object) -> dict[str, Any]:
    return {
        "snapshot_id": name,
        "run_id": "run",
        "asin": ASIN,
        "observed_at": at,
        "operation": "getItemOffersBatch",
        "status": status,
        "price_jpy": price,
        "in_stock": status == "success",
    } | other


def decision(name: str, at: datetime, kind: str, shown: int, wanted: int, **other: object) -> dict[str, Any]:
    return {
        "diff_id": name,
        "run_id": "run",
        "kind": kind,
        "platform": "base",
        "account_id": "shop_1",
        "item_id": ITEM,
        "asin": ASIN,
        "shown": shown,
        "wanted": wanted,
        "decision": "push",
        "reason": "moved",
        "snapshot_id": "s1",
        "decided_at": at,
    } | other


def update(name: str, at: datetime, kind: str, before: int, after: int, **other: object) -> dict[str, Any]:
    return {
        "update_id": name,
        "diff_id": name,
        "run_id": "run",
        "platform": "base",
        "account_id": "shop_1",
        "item_id": ITEM,
        "asin": ASIN,
        "kind": kind,
        "before": before,
        "after": after,
        "outcome": "done",
        "attempts": 1,
        "attempted_at": at,
        "completed_at": at + timedelta(seconds=2),
    } | other


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> HistoryReader:
    """A day: price 1984 at :00 and pushed; an error at :20; sold out at :40, hidden; a sweep "unchanged" before."""
    folder = tmp_path_factory.mktemp("past")
    store = HistoryStore(folder / "history", folder / "history.duckdb", ManualClock(minutes(120)))
    store.write(
        "snapshots",
        "run",
        [
            answer("s1", minutes(0), "success", 1984, offers_json=kept_offers(), request_id="req-1"),
            answer("s2", minutes(10), "success", operation="getCompetitivePricing"),
            answer("s3", minutes(20), "api_error", reason="quota_exceeded", http_status=429),
            answer("s4", minutes(40), "out_of_stock", reason="no_offers", offers_json="[]"),
        ],
        T0,
    )
    store.write(
        "diffs",
        "run",
        [
            decision("d1", minutes(1), "price", 2000, 2580),
            decision("d2", minutes(41), "visibility", 1, 0, reason="out_of_stock", snapshot_id="s4"),
        ],
        T0,
    )
    store.write(
        "updates",
        "run",
        [update("d1", minutes(2), "price", 2000, 2580), update("d2", minutes(42), "visibility", 1, 0)],
        T0,
    )
    store.load()
    return HistoryReader(store)


def test_an_unknown_key_says_so(reader: HistoryReader) -> None:
    """Nothing known is an answer, not an error."""
    found = explain(reader, SETTINGS, "B0NOTHERE0", minutes(60))
    assert not found.found
    assert "nothing is known" in as_markdown(found, "en")


@pytest.mark.parametrize("key", [ASIN, ITEM])
def test_a_past_price_is_worked_out_step_by_step(reader: HistoryReader, key: str) -> None:
    """At :15 the answer of :00 stood, confirmed by the sweep; price 2580 was shown because it had been sent."""
    found = explain(reader, SETTINGS, key, minutes(60), as_of=minutes(15))
    story = found.listings[0]
    assert (ASIN, "s1", "s2") == (
        found.asin,
        found.basis and found.basis.snapshot_id,
        found.last and found.last.snapshot_id,
    )
    assert [("S1", "chosen"), ("S2", "fits"), ("S3", "ships_late")] == [
        (line.seller_id, line.verdict) for line in found.offers or ()
    ]
    assert (2580, "", 2580, "update") == (
        story.wanted_price_jpy,
        story.price_blocked,
        story.price.value,
        story.price.origin,
    )
    assert ("cost_jpy", "1984") == story.price_steps[0]
    left = {"payment_fee_jpy": "133", "service_fee_jpy": "78", "profit_jpy": "385", "floor_min_profit_jpy": "2169"}
    assert left == {name: value for name, value in story.price_steps if name in left}
    assert (None, ()) == (story.visibility.value, story.notes)


def test_what_came_later_is_not_known_before(reader: HistoryReader) -> None:
    """The moment is inclusive; an update that had not ended then has no outcome."""
    at = minutes(2)
    found = explain(reader, SETTINGS, ASIN, minutes(60), as_of=at)
    assert [("d1", "", None)] == [(one.update_id, one.outcome, one.completed_at) for one in found.updates]
    assert (2000, "decision") == (found.listings[0].price.value, found.listings[0].price.origin)
    assert not explain(reader, SETTINGS, ASIN, minutes(60), as_of=minutes(-1)).answers


def test_an_error_changes_nothing_that_is_believed(reader: HistoryReader) -> None:
    """At :30 the last answer that counts is still the sweep's; the error is in the record."""
    found = explain(reader, SETTINGS, ASIN, minutes(60), as_of=minutes(30))
    assert ("s1", "s2", "s3") == (
        found.basis and found.basis.snapshot_id,
        found.last and found.last.snapshot_id,
        found.answers[0].snapshot_id,
    )


def test_why_it_is_hidden(reader: HistoryReader) -> None:
    """After :42 it is hidden, because Amazon had no offer, and the text says so in both languages."""
    found = explain(reader, SETTINGS, ASIN, minutes(60))
    story = found.listings[0]
    assert (0, "out_of_stock") == (
        story.visibility.value,
        story.visibility.decision and story.visibility.decision.reason,
    )
    text = as_markdown(found, "en")
    assert "hidden (sent 2026-01-05 12:42:02; decided push 1 → 0 out of stock at Amazon (out_" in text
    assert "非公開" in as_markdown(found, "ja")
    assert "Amazonで在庫切れ (out_of_stock)" in as_markdown(found, "ja")
    assert () == story.price_steps


def test_an_old_answer_is_found_beyond_the_window(reader: HistoryReader) -> None:
    """A year later the last answer and decision are still the reason for what is shown."""
    later = minutes(60) + timedelta(days=400)
    found = explain(reader, SETTINGS, ASIN, later)
    assert ("s4", (), 0) == (found.basis and found.basis.snapshot_id, found.answers, found.listings[0].visibility.value)


def test_rules_of_today_that_give_another_price_are_named(reader: HistoryReader) -> None:
    """The decision wanted 2580; with another markup today the explanation says that the rules have changed."""
    changed = parse({"base": {"accounts": [{"id": "shop_1", "markup_ratio": 1.5}]}}, Path())
    found = explain(reader, changed, ASIN, minutes(60), as_of=minutes(15))
    assert (2980, ("rules_changed_since:2580",)) == (found.listings[0].wanted_price_jpy, found.listings[0].notes)


@pytest.mark.parametrize(
    ("language", "words"),
    [("ja", "このショップへの送信は人が止めている"), ("en", "a person has stopped the pushing to its shop")],
)
def test_a_stop_is_named_beside_the_listing(reader: HistoryReader, tmp_path: Path, language: str, words: str) -> None:
    """Why nothing comes of what was decided: since when, and who said so; gone once pushing is resumed."""
    tools = tools_at(tmp_path)
    with tools.state.write() as connection:
        connection.execute(listings.insert().values(platform="base", account_id="shop_1", item_id=ITEM, asin=ASIN))
        stops.put(connection, (), minutes(95), "owner")
    page = as_markdown(explain(reader, SETTINGS, ITEM, minutes(100), state=tools.state), language)
    assert f"{words} (2026-01-05 13:35, owner)" in page
    with tools.state.write() as connection:
        stops.lift(connection, (), ())
    assert words not in as_markdown(explain(reader, SETTINGS, ITEM, minutes(100), state=tools.state), language)


def test_now_adds_what_history_does_not_know_yet(reader: HistoryReader, tmp_path: Path) -> None:
    """A fresh answer, a held diff, an intent without outcome and the last read of the shop are all there."""
    tools = tools_at(tmp_path)
    common = {"platform": "base", "account_id": "shop_1", "item_id": ITEM, "asin": ASIN}
    with tools.state.write() as connection:
        connection.execute(
            observations.insert().values(
                snapshot_id="s5",
                run_id="run2",
                asin=ASIN,
                observed_at=to_ms(minutes(90)),
                operation="getItemOffers",
                status="success",
                price_jpy=5000,
                in_stock=1,
            )
        )
        connection.execute(
            diffs.insert().values(
                diff_id="d3",
                run_id="run2",
                kind="price",
                shown=2580,
                wanted=6500,
                decision="held",
                reason="move",
                decided_at=to_ms(minutes(91)),
                evidence='{"ratio":1.52}',
                **common,
            )
        )
        connection.execute(
            journal.insert().values(
                update_id="u9",
                key="k",
                diff_id="d9",
                run_id="run2",
                kind="stock",
                before=0,
                after=1,
                intent_at=to_ms(minutes(92)),
                **common,
            )
        )
        connection.execute(
            listings.insert().values(
                shown_price_jpy=2600,
                shown_visible=0,
                shown_stock=1,
                read_at=to_ms(minutes(80)),
                hidden_by="ours",
                listed=1,
                uneditable="bad_item",
                **common,
            )
        )
        connection.execute(
            asins.insert().values(asin=ASIN, status="success", stock_at=to_ms(minutes(90)), doubt="jump")
        )
    now = explain(reader, SETTINGS, ITEM, minutes(95), state=tools.state)
    story = now.listings[0]
    assert ("s5", 6500, ("doubt:jump",)) == (now.basis and now.basis.snapshot_id, story.wanted_price_jpy, now.notes)
    assert ("held", "open", "u9", "") == (
        now.decisions[0].decision,
        now.decisions[0].state,
        now.updates[0].update_id,
        now.updates[0].outcome,
    )
    assert (2580, "decision", "ours") == (story.price.value, story.price.origin, story.hidden_by)
    past = explain(reader, SETTINGS, ITEM, minutes(95), as_of=minutes(95), state=tools.state)
    assert (True, "s4") == (past.from_history_alone, past.basis and past.basis.snapshot_id)


def test_every_form_holds_the_same_story(reader: HistoryReader) -> None:
    """JSON round-trips; markdown escapes bars; sections have as many cells as columns, in both languages."""
    found = explain(reader, SETTINGS, ASIN, minutes(60))
    assert ASIN == json.loads(json.dumps(as_document(found)))["asin"]
    for language in ("ja", "en"):
        parts = sections(found, language)
        assert {len(part.columns) or 2 for part in parts} == {len(row) for part in parts for row in part.rows} | {2}
        for part in parts:
            assert all(len(row) == (len(part.columns) or 2) for row in part.rows)
        assert as_markdown(found, language).encode("cp932")
    assert len(sections(found, "ja")) == len(sections(found, "en"))
    assert "" == half_japanese(as_markdown(found, "en"))
    assert [] == [line for line in as_markdown(found, "ja").splitlines() if half_english(line)]


def test_shops_of_one_id_on_two_platforms_are_told_apart(reader: HistoryReader) -> None:
    """Each row of the record names its shop by as much as it takes."""
    found = explain(reader, SETTINGS, ASIN, minutes(60))
    assert f"shop_1/{ITEM}" in as_markdown(found, "en")
    assert f"base:shop_1/{ITEM}" not in as_markdown(found, "en")
    elsewhere = replace(found.updates[0], platform="csv")
    text = as_markdown(replace(found, updates=(*found.updates, elsewhere)), "en")
    assert f"base:shop_1/{ITEM}" in text
    assert f"csv:shop_1/{ITEM}" in text


def test_the_rule_of_an_item_and_its_line_are_named(tmp_path: Path, reader: HistoryReader) -> None:
    """The price is worked out by it, and every line that has a say stands beside what it decides; in the past too, as
    prices are worked out by today's rules."""
    tools = tools_at(tmp_path, at=minutes(60))
    found = parse_rules("item_id,asin,fixed_price_jpy,min_price_jpy\n7001,,2700,\n,B000000001,,2600\n")
    with tools.state.write() as connection:
        key = {"platform": "base", "account_id": "shop_1", "item_id": ITEM, "asin": ASIN}
        connection.execute(listings.insert().values(**key, listed=1, present=1, item_rules="2 3"))
        replace_rules(connection, found.lines)
    for as_of in (None, minutes(5)):
        for name in (ITEM, ASIN):
            one = explain(reader, SETTINGS, name, minutes(60), as_of=as_of, state=tools.state)
            (story,) = one.listings
            assert (("price", 2), ("min_price_jpy", 3)) == story.rules
            assert 2700 == story.wanted_price_jpy or story.wanted_price_jpy is None
    text = as_markdown(explain(reader, SETTINGS, ITEM, minutes(60), as_of=minutes(5), state=tools.state), "ja")
    for said in ("価格の決め方: 2行目", "下限価格: 3行目", "2,700円"):
        assert said in text
    tools.state.close()


def test_every_question_of_the_rules_has_its_words() -> None:
    """In both languages."""
    assert set(QUESTIONS) == set(RULE_QUESTIONS)
