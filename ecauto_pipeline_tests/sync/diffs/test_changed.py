"""A run judges what has changed, and comes to what judging everything would come to."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from ecauto_pipeline.clock import ManualClock, to_ms
from ecauto_pipeline.domain.model import Decision, Kind
from ecauto_pipeline.domain.selling.item_rules import ItemRule, RuleLine, Selectors
from ecauto_pipeline.errors import ItemRefused
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.item_rules import replace_rules
from ecauto_pipeline.state.judged import KINDS, JudgingStep, seen_of
from ecauto_pipeline.state.owner_files import BLOCKLIST, keep_well, note_broken
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.state.single_rule import put_rule, take_rule
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.context import Context, IncludePrice
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.diffs import price, visibility
from ecauto_pipeline.sync.diffs.decide import decide, standing_of
from ecauto_pipeline.sync.diffs.evaluate import load_input
from ecauto_pipeline.sync.people.holds import approve, list_holds, reject
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.sync.diffs.selling import ITEMS, ShopWithRefusals, World

EVALUATIONS = {"price": price.evaluate_prices, "visibility": visibility.evaluate_visibility}


def judged(world: World, **run: Any) -> tuple[int | None, int | None]:
    """How many listings each step of the next run looks at."""
    context = world.tools.for_run(world.run(**run))
    return price.run(context).judged, visibility.run(context).judged


def verdicts(context: Context, step: JudgingStep) -> tuple[Counter[object], Counter[object]]:
    """What judging what has changed comes to, with what is carried over, and what judging everything does."""
    with context.state.read() as connection:
        standing, now = standing_of(context, connection), context.clock.now()
        part = load_input(context, connection, now, step, standing)
        assert part.chosen is not None
        for account in context.accounts:
            stale = {one.item_id for one in seen_of(connection, account, step, now) if not one.holds}
            assert stale <= {key.item_id for key in part.listings if key.account == account}
        some = EVALUATIONS[step](context, part, standing)
        everything = load_input(context, connection, now)
        whole = EVALUATIONS[step](context, everything, standing)
    mine: Counter[object] = Counter((one.key.account, one.kind, one.decision, one.reason) for one in some.found)
    for (account, kind, word), count in part.chosen.carried.items():
        mine[account, kind, Decision.SKIPPED if word else Decision.UNCHANGED, word] += count
    found = {(one.key, one.kind) for one in some.found}
    for key in part.listings:
        for kind in KINDS[step]:
            mine[key.account, kind, Decision.UNCHANGED, ""] += (key, kind) not in found
    told = [one for one in whole.found if one.key in part.listings]
    assert sorted(map(repr, some.found)) == sorted(map(repr, told))
    theirs: Counter[object] = Counter((one.key.account, one.kind, one.decision, one.reason) for one in whole.found)
    changed = {(one.key, one.kind) for one in whole.found}
    for key in everything.listings:
        for kind in KINDS[step]:
            theirs[key.account, kind, Decision.UNCHANGED, ""] += (key, kind) not in changed
    return +mine, +theirs


def agrees(world: World, include: IncludePrice = "all") -> None:
    context = world.tools.for_run(world.run(include_price=include))
    for step in KINDS:
        mine, theirs = verdicts(context, step)
        assert theirs == mine, step


def figures(report: DiffReport) -> DiffReport:
    return replace(report, judged=None)


def test_where_nothing_has_changed_nothing_is_judged_and_every_figure_stands(world: World) -> None:
    """The whole shop is counted though nobody looked at it again."""
    world.list_item("1005", 1300)  # never asked about: skipped
    world.list_item("1006", 1300, cost_jpy=None, shown_visible=0, visible=False)
    first = world.decide(world.run())
    world.later(minutes=1)
    assert (0, 0) == judged(world)
    second = world.decide(world.run())
    assert (0, figures(first)) == (second.judged, figures(second))
    assert (12 + 6, 4) == (second.account.targets, second.reasons["skipped:never_fetched"])


CHANGES: dict[str, Callable[[World], object]] = {
    "an answer": lambda world: world.amazon("B000001002", 1010),
    "another price at the shop": lambda world: world.change("1002", shown_price_jpy=1500),
    "hidden at the shop": lambda world: world.change("1002", shown_visible=0, hidden_by="person"),
    "sold there": lambda world: world.change("1002", shown_stock=0),
    "on the blocklist": lambda world: world.change("1002", blocked=1),
    "another ASIN": lambda world: world.change("1002", asin="B000001001"),
    "a rule": lambda world: ruled(world, "1002", ItemRule(fixed_price_jpy=1480, line=2)),
    "a view": lambda world: demand(world, "B000001002", last_viewed_at=1),
}


def ruled(world: World, item: str, rule: ItemRule) -> None:
    with world.state.write() as connection:
        replace_rules(connection, [RuleLine(Selectors(item_id=item), rule)])
    world.change(item, item_rules=str(rule.line))


def demand(world: World, asin: str, **values: Any) -> None:
    with world.state.write() as connection:
        connection.execute(update(asins).where(asins.c.asin == asin).values(**values))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_has_changed_is_judged_and_nothing_else(world: World, change: Callable[[World], object]) -> None:
    """One listing of four, once."""
    change(world)
    agrees(world)
    assert (1, 1) == judged(world)


def test_a_rule_that_says_something_else_is_seen_where_it_selects(world: World) -> None:
    """Beside the listing stands the number of the line alone, and that is the same."""
    ruled(world, "1002", ItemRule(exclude="all", line=2))
    world.decide(world.run())
    with world.state.write() as connection:
        replace_rules(connection, [RuleLine(Selectors(item_id="1002"), ItemRule(never_sell=True, line=2))])
    assert (1, 1) == judged(world)


def test_one_rule_in_the_place_of_another_is_seen_where_it_selects(world: World) -> None:
    """All others stay as they are, and so do their listings."""
    ruled(world, "1002", ItemRule(exclude="all", line=2))
    world.change("1003", item_rules="12")
    world.decide(world.run())
    with world.state.write() as connection:
        take_rule(connection, 2)
        put_rule(connection, RuleLine(Selectors(item_id="1002"), ItemRule(never_sell=True, line=2)))
    assert (1, 1) == judged(world)


@pytest.mark.parametrize("after", ["settings", "a closed shop", "a day", "an unreadable blocklist", "on request"])
def test_everything_is_judged_where_the_terms_are_others(world: World, after: str) -> None:
    """And once a day, and when somebody wants it."""
    run: dict[str, Any] = {}
    match after:
        case "settings":
            other = parse({"base": {"accounts": [{"id": "shop_1"}]}, "pricing": {"markup_ratio": 1.31}}, world.folder)
            world.tools = replace(world.tools, settings=other)
        case "a closed shop":
            world.read_shops(breaker="token", breaker_since=to_ms(world.clock.now()))
        case "a day":
            world.later(hours=23, minutes=30)
            world.read_shops()
        case "an unreadable blocklist":
            with world.state.write() as connection:
                note_broken(connection, BLOCKLIST, world.clock.now())
        case _:
            run = {"judge_all": True}
    assert (4, 4) == judged(world, **run)


def test_a_dry_run_judges_everything_and_a_live_one_after_it_what_it_had_to(world: World) -> None:
    """A plan is what a live run would send; nothing of it is remembered."""
    world.amazon("B000001002", 2000)
    assert (4, 4) == judged(world, dry_run=True)
    assert (1, 1) == judged(world)


def _excluded_till_noon(world: World) -> None:
    ruled(world, "1002", ItemRule(exclude="price", until=world.clock.now() + timedelta(hours=2), line=2))
    world.change("1002", shown_price_jpy=1500)


def _priced_by_a_clock_ahead(world: World) -> None:
    world.amazon("B000001002", 1200, price_at=to_ms(world.clock.now() + timedelta(hours=2)))


def _never_confirmed(world: World) -> None:
    demand(world, "B000001002", stock_at=to_ms(world.clock.now() - timedelta(hours=28)))


def _too_old_to_show(world: World) -> None:
    world.decide(world.run())
    world.later(hours=3)
    world.read_shops()
    world.change("1002", shown_visible=0, hidden_by="ours")
    demand(world, "B000001002", stock_at=to_ms(world.clock.now() - timedelta(hours=25)))


def _sold_a_week_ago(world: World) -> None:
    now = world.clock.now()
    world.change("1002", shown_visible=0, hidden_by="ours")
    sold, seen = to_ms(now - timedelta(days=6, hours=23)), to_ms(now - timedelta(hours=3))
    demand(world, "B000001002", stock_at=seen, last_sold_at=sold)


@pytest.mark.parametrize(
    ("before", "hours", "pushed"),
    [
        (_excluded_till_noon, 2, ("price", "moved")),
        (_priced_by_a_clock_ahead, 2, ("price", "below_floor")),
        (_never_confirmed, 2, ("visibility", "unconfirmed")),
        (_too_old_to_show, -2, ("visibility", "in_stock")),
        (_sold_a_week_ago, 2, ("visibility", "in_stock")),
    ],
    ids=["end of a rule", "price of a clock ahead", "too long unconfirmed", "clock set back", "sells no more"],
)
def test_what_time_alone_changes_is_seen(
    world: World, before: Callable[[World], None], hours: int, pushed: tuple[str, str]
) -> None:
    """Nothing is written, and a listing that was left alone has to be changed."""
    document = {"base": {"accounts": [{"id": "shop_1"}]}, "guards": {"hide_unconfirmed_after": "29h"}}
    world.tools = replace(world.tools, settings=parse(document, world.folder))
    before(world)
    world.decide(world.run())
    assert 0 == world.decide(world.run()).account.pushed
    happen(world, Shop("shop_1"), "clock", "", 60 * hours)
    assert 1 == world.decide(run := world.run()).account.pushed
    assert [("1002", *pushed[:1], "push", pushed[1])] == world.decisions(run_id=run.run_id, decision="push")


@pytest.mark.parametrize(("age", "limit"), [(30, "48h"), (5, "8h")], ids=["switched on", "shortened"])
def test_other_settings_say_anew_how_long_a_verdict_holds(world: World, age: int, limit: str) -> None:
    """It is the same under both, and changes at another moment."""
    world.later(hours=age)
    world.read_shops()
    world.sync()
    happen(world, Shop("shop_1"), "settings", "", {"guards": {"hide_unconfirmed_after": limit}})
    world.sync()
    world.later(hours=int(limit.removesuffix("h")) - age)
    world.read_shops()
    agrees(world)
    assert 4 == world.decide(run := world.run()).account.pushed
    assert {"unconfirmed"} == {reason for *_, reason in world.decisions(run_id=run.run_id, decision="push")}


def test_what_every_run_looks_at_is_what_stands(world: World) -> None:
    """A push that was not sent, a hold; not what was sent and done."""
    world.amazon("B000001002", 1200)
    world.amazon("B000001003", 4000)
    world.decide(world.run())
    assert (2, 2) == judged(world)
    world.sync()
    world.sync()
    world.later(minutes=1)
    assert (1, 1) == judged(world)  # the hold


def test_what_changes_while_it_is_judged_is_judged_again(world: World) -> None:
    """What was read before the change says nothing of the listing after it."""
    world.change("1002", shown_stock=5)
    context = world.tools.for_run(world.run())

    def late(inputs_context: Context, inputs: Any, standing: Any) -> Any:
        evaluated = price.evaluate_prices(inputs_context, inputs, standing)
        world.change("1002", shown_price_jpy=1500)
        return evaluated

    decide(context, "price", late)
    assert 1 == price.run(world.tools.for_run(world.run())).to_push


def judge_beside(world: World, meanwhile: Callable[[], None]) -> None:
    """One process reads what it judges; something happens; then it writes what it has decided of what it saw."""

    def late(context: Context, inputs: Any, standing: Any) -> Any:
        evaluated = price.evaluate_prices(context, inputs, standing)
        meanwhile()
        return evaluated

    decide(world.tools.for_run(world.run()), "price", late)


OTHER_SETTINGS: tuple[dict[str, dict[str, Any]], ...] = (
    {"pricing": {"markup_ratio": 1.3}},
    {"pricing": {"markup_ratio": 1.5}},
    {"guards": {"hide_unconfirmed_after": "30h"}},
    {"guards": {"hide_unconfirmed_after": "8h"}},
    {"tiers": {"high_sold_within": "2d"}},
)
EVENTS = st.one_of(
    st.tuples(st.just("answer"), st.sampled_from(ITEMS), st.sampled_from([700, 1000, 1010, 1400, 4000])),
    st.tuples(
        st.just("absent"), st.sampled_from(ITEMS), st.sampled_from(["out_of_stock", "filtered_out", "not_found"])
    ),
    st.tuples(st.just("doubt"), st.sampled_from(ITEMS), st.sampled_from(["zero", "jump", ""])),
    st.tuples(st.just("shows"), st.sampled_from(ITEMS), st.sampled_from([900, 1300, 2000])),
    st.tuples(st.just("hidden"), st.sampled_from(ITEMS), st.sampled_from(["person", "ours"])),
    st.tuples(st.just("forgotten"), st.sampled_from(ITEMS), st.just(0)),
    st.tuples(st.just("beside"), st.sampled_from(ITEMS), st.sampled_from([700, 1400])),
    st.tuples(st.just("sold"), st.sampled_from(ITEMS), st.just(0)),
    st.tuples(st.just("viewed"), st.sampled_from(ITEMS), st.just(0)),
    st.tuples(st.just("blocked"), st.sampled_from(ITEMS), st.sampled_from([0, 1])),
    st.tuples(st.just("listed"), st.sampled_from(ITEMS), st.sampled_from([0, 1])),
    st.tuples(st.just("rule"), st.sampled_from(ITEMS), st.sampled_from([ItemRule(line=2, fixed_price_jpy=1480)])),
    st.tuples(st.just("never"), st.sampled_from(ITEMS), st.sampled_from([ItemRule(line=3, never_sell=True)])),
    st.tuples(st.just("refuses"), st.sampled_from(ITEMS), st.booleans()),
    st.tuples(st.just("list"), st.just(""), st.booleans()),
    st.tuples(st.just("settings"), st.just(""), st.sampled_from(OTHER_SETTINGS)),
    st.tuples(st.just("breaker"), st.just(""), st.sampled_from(["", "token"])),
    st.tuples(st.just("said"), st.just(""), st.sampled_from(["yes", "no"])),
    st.tuples(st.just("clock"), st.just(""), st.sampled_from([-60, 1, 20, 61, 6 * 60, 23 * 60, 24 * 60 + 1])),
    st.tuples(st.just("run"), st.just(""), st.sampled_from(["all", "floor", "never"])),
    *[st.tuples(st.just("run"), st.just(""), st.just("all"))] * 4,
    st.tuples(st.just("killed"), st.just(""), st.sampled_from(["price", "visibility"])),
    st.tuples(st.just("dry"), st.just(""), st.just(0)),
)


class Shop(ShopWithRefusals):
    """Refuses every price of the items in `refused`."""

    def __init__(self, account_id: str) -> None:
        super().__init__(account_id, self._word)
        self.refused: set[str] = set()

    def _word(self, item: str, kind: Kind) -> Exception | None:
        return ItemRefused("bad_price") if item in self.refused and kind is Kind.PRICE else None


def happen(world: World, shop: Shop, event: str, item: str, value: Any) -> None:
    """One thing that happens to a shop, at Amazon, to the owner's files, to the clock or to a run."""
    asin = f"B{int(item):09d}" if item else ""
    match event:
        case "answer":
            world.amazon(asin, value)
        case "absent":
            now = to_ms(world.clock.now())
            twice = {"filtered_since": now - 7_200_000, "filtered_count": 2} if value == "filtered_out" else {}
            world.amazon(asin, None, value, **twice)
        case "doubt":
            demand(world, asin, doubt=value, doubt_price_jpy=5000, contradictions=3, contradiction="{}")
        case "shows":
            world.change(item, shown_price_jpy=value, price_by_hand=1)
        case "forgotten":
            with world.state.write() as connection:
                connection.execute(delete(asins).where(asins.c.asin == asin))
        case "beside":
            judge_beside(world, lambda: happen(world, shop, "judged answer", item, value))
        case "judged answer":
            world.amazon(asin, value)
            world.decide(world.run())
        case "hidden":
            world.change(item, shown_visible=0, hidden_by=value)
        case "sold":
            world.change(item, shown_stock=0)
            demand(world, asin, last_sold_at=to_ms(world.clock.now()))
        case "viewed":
            demand(world, asin, last_viewed_at=to_ms(world.clock.now()))
        case "blocked" | "listed":
            world.change(item, **{event: value})
        case "rule" | "never":
            until = world.clock.now() + timedelta(hours=6)
            ruled(world, item, value._replace(until=until))
        case "refuses":
            (shop.refused.add if value else shop.refused.discard)(item)
        case "list":
            with world.state.write() as connection:
                if value:
                    keep_well(connection, BLOCKLIST, "", world.clock.now())
                else:
                    keep_well(connection, BLOCKLIST, None, world.clock.now())
                    note_broken(connection, BLOCKLIST, world.clock.now())
        case "settings":
            document = {"base": {"accounts": [{"id": "shop_1"}]}, **value}
            world.tools = replace(world.tools, settings=parse(document, world.folder))
        case "breaker":
            world.read_shops(breaker=value, breaker_since=to_ms(world.clock.now()) if value else None)
        case "said":
            ids = [one.diff_id for one in list_holds(world.tools)]
            if ids:
                (approve if value == "yes" else reject)(world.tools, ids[:1])
        case "clock":
            assert isinstance(world.clock, ManualClock)
            world.clock.set(world.clock.now() + timedelta(minutes=value))
            world.read_shops()
        case "run":
            world.sync(include_price=value)
        case "killed":  # after one of the steps, before anything was sent
            context = world.tools.for_run(world.run())
            (price if value == "price" else visibility).run(context)
        case "dry":
            context = world.tools.for_run(world.run(dry_run=True))
            price.run(context)
            visibility.run(context)
            push.run(context)


@settings(max_examples=examples(4), deadline=None)
@given(st.lists(EVENTS, min_size=4, max_size=14))
def test_after_any_history_both_come_to_the_same(history: list[tuple[str, str, Any]]) -> None:
    """Answers, edits from outside, rules, settings, ages, a clock that goes forth and back, runs killed between their
    steps: of every listing the same verdict, of every shop the same figures, and the same goes to the shop."""
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop("shop_1")
        world = World(Path(folder), shop)
        for item in ITEMS:
            world.list_item(item, 1300, cost_jpy=1000)
        world.decide(world.run())
        for event in history:
            happen(world, shop, *event)
            if event[0] in ("run", "killed", "dry"):
                agrees(world)
        agrees(world)
        world.state.close()
