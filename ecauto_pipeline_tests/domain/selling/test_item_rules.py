"""Laws of what several rules say of one item: a cell decides, the narrowest one first, and nothing empty permits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.domain.selling.item_rules import ItemRule, RuleLine, Selectors, together
from ecauto_pipeline.domain.selling.rule_selection import Goods, RuleBook, first_ties
from ecauto_pipeline.domain.selling.rules_file import parse
from ecauto_pipeline_tests.domain.selling.listings_and_facts import a_rule
from ecauto_pipeline_tests.domain.selling.malformed_rules import HEAD, row

NOW = datetime(2026, 11, 10, 3, tzinfo=UTC)
KEY = ListingKey("base", "shop_1", "1001")
ASIN = "B000000001"
GOODS = Goods("【限定】ＳＯＮＹ ワイヤレス イヤホン 黒", "Sony", "イヤホン")


def book(*rows: dict[str, str]) -> RuleBook:
    """The rules of these lines; the first one is line 2."""
    found = parse("\n".join([HEAD, *(row(**cells) for cells in rows)]))
    assert () == found.problems
    return RuleBook(found.lines)


def said(*rows: dict[str, str], now: datetime = NOW, goods: Goods = GOODS) -> ItemRule | None:
    """What these lines say together of the listing above."""
    rules = book(*rows)
    return rules.say(rules.selecting(KEY, ASIN, goods), now)


def test_every_selector_has_to_match() -> None:
    """One that does not, and the rule is about another item."""
    fits = {"account_id": "shop_1", "item_id": "1001", "asin": ASIN, "category": "イヤホン", "brand": "ソニー"}
    fits |= {"brand": "SONY", "title_contains": "ワイヤレス"}
    others = {"account_id": "shop_2", "item_id": "1002", "asin": "B000000002", "category": "本", "brand": "アンカー"}
    others |= {"title_contains": "有線"}
    assert said({**fits, "never_sell": "yes"})
    for name, other in others.items():
        assert said({**fits, name: other, "never_sell": "yes"}) is None, name


@pytest.mark.parametrize(
    "cells",
    [
        {"brand": "ｓｏｎｙ"},
        {"title_contains": "sony"},
        {"title_contains": "sony　ワイヤレス"},
        {"title_contains": "【限定】"},
        {"category": " イヤホン "},
        {"asin": "b000000001"},
        {"account_id": "base:shop_1"},
        {"item_id": "１００１"},
    ],
    ids=str,
)
def test_letters_of_another_width_or_case_are_the_same(cells: dict[str, str]) -> None:
    """In the file and in what Amazon says; blanks count once."""
    assert said({**cells, "never_sell": "yes"})


def test_what_is_not_known_selects_nothing() -> None:
    """A title, brand or category that nobody has told is not the empty one."""
    for column in ("title_contains", "brand", "category"):
        assert said({column: "sony", "never_sell": "yes"}, goods=Goods()) is None


ORDER = ("item_id", "asin", "title_contains", "brand", "category", "account_id")
CELL = {"item_id": "1001", "asin": ASIN, "title_contains": "sony", "brand": "sony", "category": "イヤホン"}
CELL |= {"account_id": "shop_1"}


@pytest.mark.parametrize("place", range(len(ORDER) - 1))
def test_the_selectors_weigh_in_the_order_of_the_papers(place: int) -> None:
    """One of more weight beats all of less weight together, wherever it stands in the file."""
    strong = {ORDER[place]: CELL[ORDER[place]], "markup_ratio": "1.5"}
    weak = {name: CELL[name] for name in ORDER[place + 1 :]} | {"markup_ratio": "1.2"}
    for rows in permutations((strong, weak)):
        rule = said(*rows)
        assert rule is not None
        assert (1.5, ()) == (rule.markup_ratio, rule.tied)


def test_more_selectors_beat_fewer() -> None:
    """Of rules with the same selectors at the front."""
    rule = said(
        {"brand": "sony", "markup_ratio": "1.2"}, {"brand": "sony", "account_id": "shop_1", "markup_ratio": "1.5"}
    )
    assert rule is not None
    assert (1.5, 3) == (rule.markup_ratio, rule.line_of("price"))


def test_a_cell_decides_not_a_line() -> None:
    """The item's own line says its price; what it leaves empty, the brand's line goes on saying."""
    rule = said(
        {"brand": "sony", "min_price_jpy": "3000", "markup_ratio": "1.4", "never_sell": "yes"},
        {"item_id": "1001", "fixed_price_jpy": "4980"},
    )
    assert rule is not None
    assert (4980, None, 3000, True) == (rule.fixed_price_jpy, rule.markup_ratio, rule.min_price_jpy, rule.never_sell)
    assert (3, 2, 2) == tuple(rule.line_of(name) for name in ("price", "min_price_jpy", "on_sale"))


def test_what_was_forbidden_is_allowed_by_a_word_not_by_silence() -> None:
    """`no` and `none` are words."""
    brand = {"brand": "sony", "never_sell": "yes", "exclude": "price"}
    rule = said(brand, {"item_id": "1001", "never_sell": "no", "exclude": "none"})
    assert rule is not None
    assert (False, "") == (rule.never_sell, rule.exclude)
    rule = said(brand, {"item_id": "1001", "extra_cost_jpy": "100"})
    assert rule is not None
    assert (True, "price", 100) == (rule.never_sell, rule.exclude, rule.extra_cost_jpy)


def test_what_is_left_alone_is_decided_for_price_and_visibility_apart() -> None:
    """The category's line leaves visibility alone, the item's price: both are left alone."""
    rule = said({"category": "イヤホン", "exclude": "visibility"}, {"item_id": "1001", "exclude": "price"})
    assert rule is not None
    assert "all" == rule.exclude


def test_a_rule_holds_until_the_end_of_its_last_day() -> None:
    """Then what stands behind it holds again."""
    rows = ({"brand": "sony", "markup_ratio": "1.4"}, {"item_id": "1001", "markup_ratio": "1.2", "until": "2026-11-10"})
    midnight = datetime(2026, 11, 10, 15, tzinfo=UTC)
    for now, ratio in ((midnight - timedelta(seconds=1), 1.2), (midnight, 1.4)):
        rule = said(*rows, now=now)
        assert rule is not None
        assert ratio == rule.markup_ratio
    assert said(rows[1], now=midnight) is None


def test_words_of_one_title_that_say_the_same_are_no_tie() -> None:
    """A list of words never to sell may meet twice in one title."""
    rule = said({"title_contains": "限定", "never_sell": "yes"}, {"title_contains": "sony", "never_sell": "yes"})
    assert rule is not None
    assert (True, ()) == (rule.never_sell, rule.tied)


def test_the_word_that_contains_the_other_is_the_narrower_one() -> None:
    """Every title with it has the other one too."""
    rule = said(
        {"title_contains": "イヤ", "markup_ratio": "1.2"}, {"title_contains": "イヤホン", "markup_ratio": "1.5"}
    )
    assert rule is not None
    assert (1.5, ()) == (rule.markup_ratio, rule.tied)


def test_words_that_contradict_each_other_are_a_tie_with_an_example() -> None:
    """It only shows on a listing that has both; there, what permits least holds."""
    rules = book(
        {"title_contains": "限定", "markup_ratio": "1.2", "min_price_jpy": "1000", "max_price_jpy": "8000"},
        {"title_contains": "sony", "markup_ratio": "1.5", "min_price_jpy": "2000", "max_price_jpy": "9000"},
        {"brand": "アンカー", "never_sell": "yes"},
    )
    lines = rules.selecting(KEY, ASIN, GOODS)
    assert [((2, 3), KEY)] == [(one.lines, one.key) for one in first_ties(rules, {KEY: lines}, NOW)]
    rule = rules.say(lines, NOW)
    assert rule is not None
    assert ("price", None, 2000, 8000) == (rule.exclude, rule.markup_ratio, rule.min_price_jpy, rule.max_price_jpy)
    assert (2, 3) == rule.tied


def test_a_narrower_rule_settles_a_tie() -> None:
    """The owner's way out: a line for the item."""
    rows = ({"title_contains": "限定", "markup_ratio": "1.2"}, {"title_contains": "sony", "markup_ratio": "1.5"})
    rule = said(*rows, {"asin": ASIN, "markup_ratio": "1.3"})
    assert rule is not None
    assert (1.3, ()) == (rule.markup_ratio, rule.tied)


_LINES = st.builds(
    RuleLine,
    st.builds(
        Selectors,
        item_id=st.sampled_from(("", "1001")),
        asin=st.sampled_from(("", ASIN)),
        title=st.sampled_from(("", "sony", "限定", "イヤホン")),
        brand=st.sampled_from(("", "sony")),
        account=st.sampled_from(("", "shop_1")),
    ).filter(any),
    st.builds(
        a_rule,
        exclude=st.sampled_from(("", "visibility", "none")),
        min_price_jpy=st.none() | st.integers(1, 3),
        max_price_jpy=st.none() | st.integers(1, 3),
        never_sell=st.sampled_from((None, True)),
        line=st.integers(2, 99),
    ),
)


@given(st.lists(_LINES, max_size=5, unique_by=(lambda one: one.line, lambda one: one.selectors)))
def test_what_rules_say_together_does_not_depend_on_their_order(lines: list[RuleLine]) -> None:
    """The file may be sorted by any column."""
    found = {together(order, NOW) for order in permutations(lines)}
    assert 1 == len(found)


@given(st.lists(_LINES, min_size=1, max_size=6, unique_by=(lambda one: one.line, lambda one: one.selectors)))
def test_one_more_rule_with_empty_cells_permits_nothing_more(lines: list[RuleLine]) -> None:
    """A floor, a ceiling, a ban that stands without it stands with it, where none of its own is written."""
    before = together(lines, NOW)
    silent = RuleLine(Selectors(item_id="1001", asin=ASIN, title="sony"), ItemRule(extra_cost_jpy=1, line=1))
    after = together([*lines, silent], NOW)
    assert before is not None
    assert after is not None
    for name in ("leaves_price", "leaves_visibility", "min_price_jpy", "max_price_jpy"):
        assert getattr(before, name) == getattr(after, name)
    assert bool(before.never_sell) == bool(after.never_sell)
