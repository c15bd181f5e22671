"""Laws of the owner's file of rules: refused as a whole or in force as a whole, and what was in force is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from ecauto_pipeline.alerts.rule import AlertSetup
from ecauto_pipeline.alerts.rules import RULES
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.item_rules import ItemRule, RuleLine, Selectors
from ecauto_pipeline.domain.selling.rule_selection import RuleBook
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import Alerts
from ecauto_pipeline.state import catalogue
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.item_rules import lines_of, rules_in_force, selected
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.sync.file_trouble import RulesReport
from ecauto_pipeline.sync.listings.item_rules import take_up_rules
from ecauto_pipeline.sync.listings.rules_history import FOLDER, KEPT
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline.sync.sections import ListingsReport
from ecauto_pipeline_tests.domain.selling.malformed_rules import GOOD, HEAD, MALFORMED, row
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.sync.diffs.selling import NOW, World

SHEET = "\r\n".join([HEAD, GOOD, row(item_id="1002", never_sell="yes"), ""])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.settings.rules.parent.mkdir(parents=True)
    Register.create(world.master, [], [])
    for number in range(1001, 1004):
        world.list_item(str(number), 1300, cost_jpy=1000)
    yield world
    world.state.close()


def write(world: World, content: str | bytes) -> None:
    """The owner saves the file."""
    world.settings.rules.write_bytes(content.encode() if isinstance(content, str) else content)


def taken(world: World) -> RulesReport:
    """One reading's look at the file."""
    return take_up_rules(world.tools, [AccountKey("base", "shop_1")])


def lines(world: World) -> dict[str, tuple[int, ...]]:
    """The rules beside each listing, those without left out."""
    found = {item: lines_of(world.listing(item)["item_rules"]) for item in ("1001", "1002", "1003")}
    return {item: one for item, one in found.items() if one}


def in_force(world: World) -> list[int]:
    with world.state.read() as connection:
        return list(rules_in_force(connection))


def checked(found: RulesReport) -> Verdict:
    """What the check on `listings` says."""
    record = RunRecord(run_id="r", job="j", partition_key="", started_at=NOW, listings=ListingsReport(rules=found))
    return RULES["rules_read"].judge(record, AlertSetup(Alerts()))


@pytest.mark.parametrize("how", MALFORMED)
def test_a_file_with_a_mistake_is_refused_by_line_and_the_old_rules_hold(world: World, how: str) -> None:
    """The whole file; the check names every line (the first ten), a restart forgets nothing, the mended file counts."""
    write(world, SHEET)
    assert RulesReport(2, 2) == taken(world)
    content, wrong = MALFORMED[how]
    write(world, content)
    world.later(hours=1)
    found = taken(world)
    assert found.trouble is not None
    assert (2, 2, 2) == (found.rules, found.listings, found.trouble.held)
    for line in wrong:
        assert f"line {line}" in found.trouble.en
        assert f"{line}行目" in found.trouble.ja
    assert {"1001": (2,), "1002": (3,)} == lines(world)
    assert not checked(found).passed
    assert "2件" in checked(found).message_ja
    since = found.trouble.since
    world.later(hours=1)
    found = taken(world)
    assert found.trouble is not None
    assert since == found.trouble.since
    write(world, SHEET)
    assert RulesReport(2, 2) == taken(world)
    assert checked(taken(world)).passed


def test_without_a_file_there_are_no_rules(world: World) -> None:
    """And nothing to say."""
    assert RulesReport() == taken(world)
    assert checked(RulesReport()).passed
    assert {} == lines(world)


def test_a_file_that_vanished_is_not_an_empty_one(world: World) -> None:
    """Headings alone empty it; then it may go."""
    write(world, SHEET)
    taken(world)
    world.settings.rules.unlink()
    found = taken(world)
    assert found.trouble is not None
    assert "gone" in found.trouble.en
    assert {"1001": (2,), "1002": (3,)} == lines(world)
    write(world, HEAD)
    assert RulesReport() == taken(world)
    assert ({}, []) == (lines(world), in_force(world))
    world.settings.rules.unlink()
    assert RulesReport() == taken(world)


def test_a_file_that_never_could_be_read_leaves_rules_unknown(world: World) -> None:
    """The check is an error, not a warning: nobody knows what the owner forbids."""
    write(world, "nonsense")
    found = taken(world)
    assert found.trouble is not None
    assert found.trouble.held is None
    assert "ERROR" == checked(found).severity


def test_a_new_listing_finds_its_rule(world: World) -> None:
    """At the next reading, the file being as it was."""
    write(world, f"{HEAD}\n{row(asin='B000000007', never_sell='yes')}\n")
    assert RulesReport(1, 0, idle=1) == taken(world)
    world.list_item("7", 1300)
    assert RulesReport(1, 1) == taken(world)


def test_words_that_contradict_each_other_on_a_listing_refuse_the_file(world: World) -> None:
    """Both lines are named, and one listing that shows it."""
    write(world, SHEET)
    taken(world)
    tell(world, "B000001003", title="限定 イヤホン")
    words = [row(title_contains="限定", markup_ratio="1.2"), row(title_contains="イヤホン", markup_ratio="1.5")]
    write(world, "\n".join([HEAD, *words]))
    found = taken(world)
    assert found.trouble is not None
    for said in ("line 2", "line 3", "1003"):
        assert said in found.trouble.en
    assert {"1001": (2,), "1002": (3,)} == lines(world)


def test_words_that_come_to_contradict_each_other_are_told(world: World) -> None:
    """A listing that came later shows it: the rules stay, its price is left alone, and the check says which lines."""
    words = [row(title_contains="限定", markup_ratio="1.2"), row(title_contains="イヤホン", markup_ratio="1.5")]
    write(world, "\n".join([HEAD, *words]))
    assert RulesReport(2, 0, idle=2) == taken(world)
    tell(world, "B000001003", title="限定 イヤホン")
    found = taken(world)
    assert found.trouble is not None
    assert "line 2: contradicts line 3" in found.trouble.en
    assert {"1003": (2, 3)} == lines(world)


def tell(world: World, asin: str, **texts: str) -> None:
    """Amazon's catalogue says this of an ASIN."""
    with world.state.write() as connection:
        catalogue.keep(connection, [{"asin": asin, **texts}], world.clock.now())


def test_brand_and_category_are_amazon_s_word_else_the_register_s(world: World) -> None:
    """What neither says selects nothing."""
    world.master.unlink()
    Register.create(
        world.master,
        [
            {"asin": "B000001001", "title_ja": "イヤホン", "brand": "SONY", "category": "家電"},
            {"asin": "B000001002", "title_ja": "イヤホン", "brand": "SONY", "category": "家電"},
        ],
        [],
    )
    tell(world, "B000001002", brand="アンカー")
    brands = [row(brand="ｓｏｎｙ", never_sell="yes"), row(brand="アンカー", category="家電", markup_ratio="1.4")]
    write(world, "\n".join([HEAD, *brands]))
    assert RulesReport(2, 2) == taken(world)
    assert {"1001": (2,), "1002": (3,)} == lines(world)


def test_while_the_register_can_t_be_read_no_brand_is_forgotten(world: World) -> None:
    """A ban by brand does not end with the file that knows the brand."""
    world.master.unlink()
    Register.create(world.master, [{"asin": "B000001001", "brand": "SONY"}], [])
    write(world, f"{HEAD}\n{row(brand='sony', never_sell='yes')}\n")
    assert RulesReport(1, 1) == taken(world)
    world.master.rename(world.master.with_suffix(".away"))
    assert RulesReport(1, 1) == taken(world)
    assert {"1001": (2,)} == lines(world)


def test_what_was_in_force_is_kept_as_a_file(world: World) -> None:
    """One copy a change, as Excel opens it, the newest hundred; a refused file leaves none."""
    folder = world.settings.data_dir / FOLDER
    write(world, SHEET)
    taken(world)
    assert not folder.exists()
    write(world, "nonsense")
    taken(world)
    assert not folder.exists()
    folder.mkdir()
    for number in range(KEPT):
        (folder / f"rules-20250101-{number:06d}.csv").touch()
    for number in range(3):
        write(world, f"{HEAD}\n{row(item_id='1001', fixed_price_jpy=str(2000 + number))}\n")
        world.later(minutes=1)
        taken(world)
    copies = sorted(folder.iterdir())
    assert KEPT == len(copies)
    for copy, said in zip(copies[-3:], ("1980", "2000", "2001"), strict=True):
        assert said in copy.read_text(encoding="utf-8-sig")
        assert copy.read_bytes().startswith(b"\xef\xbb\xbf")


def _beside(item: int, kept: str, asin: int) -> dict[str, str]:
    shop = {"platform": "base", "account_id": f"shop_{1 + item % 2}"}
    return {**shop, "item_id": str(item), "asin": f"B00000000{asin}" if asin else "", "item_rules": kept}


BESIDE = st.lists(
    st.builds(_beside, st.integers(1, 6), st.sampled_from(["", "2", "3 7"]), st.integers(0, 3)),
    unique_by=lambda row: row["item_id"],
)
LINES = st.lists(
    st.builds(
        Selectors,
        item_id=st.sampled_from(["", "1", "2", "9"]),
        asin=st.sampled_from(["", "B000000001", "B000000002"]),
        account=st.sampled_from(["", "shop_1", "base:shop_2"]),
    ).filter(any),
    max_size=4,
    unique=True,
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}")
    yield made
    made.close()


@settings(max_examples=examples(25), deadline=None)
@given(BESIDE, LINES)
def test_whom_rules_name_and_whom_they_named_are_all_that_they_change(
    database: Database, beside: list[dict[str, str]], selectors: list[Selectors]
) -> None:
    """The few listings that are looked at, and all of them, come to the same lines beside the same listings."""
    book = RuleBook(RuleLine(one, ItemRule(line=line)) for line, one in enumerate(selectors, 2))
    with database.write() as connection:
        connection.execute(delete(listings))
        if beside:
            connection.execute(insert(listings), beside)
        few, every = (list(selected(connection, named)) for named in (book.named, None))
    changes = ({one.key: book.selecting(one.key, one.asin) for one in some} for some in (every, few))
    theirs, mine = ({key: said for key, said in each.items() if said} for each in changes)
    assert theirs == mine
    assert {one.key for one in every if one.lines} <= {one.key for one in few}


def test_of_rules_that_name_single_goods_no_other_listing_is_looked_at(world: World) -> None:
    """One ASIN, and one beside which a line was kept."""
    world.change("1003", item_rules="2")
    book = RuleBook([RuleLine(Selectors(asin="B000001001"), ItemRule(line=2))])
    with world.state.read() as connection:
        assert ["1001", "1003"] == [one.key.item_id for one in selected(connection, book.named)]
