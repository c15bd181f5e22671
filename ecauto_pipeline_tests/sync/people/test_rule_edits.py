"""Laws of setting one rule: that line of the file alone changes, nobody's words are lost, a refusal leaves no trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.errors import NotOnRecord, SettingsError
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.state.item_rules import rules_in_force, selected
from ecauto_pipeline.state.owner_files import RULES, read_owner_file
from ecauto_pipeline.state.rule_changes import changes
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.listings.item_rules import take_up_rules
from ecauto_pipeline.sync.listings.rules_history import FOLDER, Said
from ecauto_pipeline.sync.people.rule_edits import own_rule, set_rule, unset_rule
from ecauto_pipeline.sync.people.rules import import_rules, rules_fingerprint
from ecauto_pipeline.sync.people.rules_placing import place_rules
from ecauto_pipeline_tests.domain.selling.malformed_rules import GOOD, HEAD, row
from ecauto_pipeline_tests.sync.diffs.selling import World

ONE = ListingKey("base", "shop_1", "1001")
TWO = ListingKey("base", "shop_1", "1002")


def a_world(folder: Path) -> World:
    """Three items on sale, no rule."""
    world = World(folder)
    world.settings.rules.parent.mkdir(parents=True)
    Register.create(world.master, [{"asin": "B000001001", "title_ja": "wireless earphones"}], [])
    for number in range(1001, 1004):
        world.list_item(str(number), 1300, cost_jpy=1000)
    return world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = a_world(tmp_path)
    yield world
    world.state.close()


def saved(world: World, content: bytes) -> bytes:
    """The owner saves this file and a run reads it."""
    world.settings.rules.write_bytes(content)
    assert take_up_rules(world.tools, [AccountKey("base", "shop_1")]).trouble is None
    return content


@pytest.mark.parametrize(
    ("mark", "codec", "end"), [(b"", "utf-8", "\n"), (b"\xef\xbb\xbf", "utf-8", "\r\n"), (b"", "cp932", "\r\n")]
)
def test_only_the_line_of_the_item_changes(world: World, mark: bytes, codec: str, end: str) -> None:
    """Byte for byte: the other lines, blank ones, quotation marks that nobody needs, encoding, mark and line ends."""
    head = "商品id,asin,ブランド,固定価格,期限,メモ"
    lines = [head, '"1001",,,"1,980",,"歳末　セール, 前金"', "", ",,ソニー,9800,,", ",B000000009,,2500,2026-12-31,"]
    before = mark + (end.join(lines) + end).encode(codec)
    saved(world, before)
    set_rule(world.tools, ONE, {"fixed_price_jpy": "2980", "until": "2027-01-31"}, "花子")
    found = world.settings.rules.read_bytes()
    pairs = zip(before.split(b"\n"), found.split(b"\n"), strict=True)
    changed = [number for number, (was, is_now) in enumerate(pairs) if was != is_now]
    assert ([1], mark) == (changed, found[: len(mark)])
    line = found.decode("utf-8-sig" if mark else codec).split(end)[1]
    assert line.startswith('1001,,,2980,2027-01-31,"歳末　セール, 前金 [20')
    assert line.endswith('花子]"')


def test_a_new_line_stands_at_the_end_and_needs_no_file(world: World) -> None:
    """An item without a line gets one, an ASIN as well; a column that the file lacks is added to its headings alone."""
    set_rule(world.tools, ONE, {"min_price_jpy": "1500"}, "taro")
    set_rule(world.tools, "B000001002", {"never_sell": "yes"}, "taro")
    assert {"min_price_jpy": "1500"} == own_rule(world.tools, ONE).cells
    assert {"never_sell": "yes"} == own_rule(world.tools, "B000001002").cells
    saved(world, b"item_id,fixed_price_jpy\n1003,2500")
    set_rule(world.tools, ONE, {"max_price_jpy": "3000"}, "taro")
    expected = b"item_id,fixed_price_jpy,account_id,max_price_jpy\n1003,2500\n1001,,shop_1,3000\n"
    assert expected == world.settings.rules.read_bytes()


def test_a_line_that_decides_nothing_goes(world: World) -> None:
    """By emptying its last cell or by taking it away; the rest of the file stays byte for byte."""
    rest = f"{HEAD}\n{GOOD}\n"
    ways: tuple[Callable[[], object], ...] = (
        lambda: set_rule(world.tools, TWO, {"fixed_price_jpy": None}, "taro"),
        lambda: unset_rule(world.tools, TWO, "taro"),
    )
    for take_away in ways:
        saved(world, (rest + row(item_id="1002", fixed_price_jpy="4980", note="あ") + "\n").encode())
        take_away()
        assert rest.encode() == world.settings.rules.read_bytes()
        with pytest.raises(NotOnRecord):
            take_away()


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"fixed_price_jpy": "0"}, "fixed_price_jpy"),
        ({"min_price_jpy": "5000", "max_price_jpy": "4000"}, "min_price_jpy"),
        ({"fixed_price": "10"}, "fixed_price_jpy"),
        ({"asin": "B000000001"}, "asin"),
    ],
)
def test_what_would_be_refused_leaves_everything_as_it_was(world: World, columns: dict[str, str], named: str) -> None:
    """The file, the rules in force, the history of changes; what is wrong is named."""
    before = saved(world, f"{HEAD}\n{GOOD}\n".encode())
    with pytest.raises(SettingsError, match=named):
        set_rule(world.tools, ONE, columns, "taro")
    with world.state.read() as connection:
        assert (before, [2], 1) == (
            world.settings.rules.read_bytes(), list(rules_in_force(connection)), len(changes(connection, 9))
        )  # fmt: skip


SEVERAL = """item_id,account_id,asin,title_contains,fixed_price_jpy,min_price_jpy,NOTE
,,B000001001,,,1100,
1001,,,,,1200,"two
lines"

1002,,,,,1300,
1002,shop_1,,,2000,,
,,B000001002,,,900,"three
lines
here"
1003,base:shop_1,,,,1400,
"""


@pytest.mark.parametrize(("last_heading", "same"), [("note", 4), ('"note\n"', 3)], ids=["one-line", "two-lines"])
def test_one_line_leaves_what_an_import_of_the_same_file_would(
    world: World, tmp_path: Path, last_heading: str, same: int
) -> None:
    """Rules in force, the lines beside each listing, the text that is known and the history of changes, wherever the
    line stands, however many lines of the file it and the headings take, and also where the headings grow (which an
    import counts as a change, where they take two lines)."""
    saved(world, SEVERAL.replace("NOTE", last_heading).encode())
    acts: tuple[Callable[[], object], ...] = (
        lambda: set_rule(world.tools, "B000001001", {"min_price_jpy": "1150"}, "taro"),
        lambda: set_rule(world.tools, ONE, {"fixed_price_jpy": "1980", "note": "one line"}, "taro"),
        lambda: set_rule(world.tools, TWO, {"fixed_price_jpy": None}, "taro"),
        lambda: unset_rule(world.tools, "B000001001", "taro"),
        lambda: set_rule(world.tools, "B000001003", {"never_sell": "yes"}, "taro"),
        lambda: unset_rule(world.tools, "B000001002", "taro"),
        lambda: unset_rule(world.tools, ListingKey("base", "shop_1", "1003"), "taro"),
        lambda: set_rule(world.tools, TWO, {"max_price_jpy": "9000"}, "taro"),
    )
    for number, act in enumerate(acts):
        (tmp_path / str(number)).mkdir()
        other = a_world(tmp_path / str(number))
        saved(other, world.settings.rules.read_bytes())
        act()
        import_rules(other.tools, world.settings.rules.read_bytes())
        assert in_force(other)[:same] == in_force(world)[:same], number
        other.state.close()


def in_force(world: World) -> tuple[object, ...]:
    """What stands in state: rules, text, the lines beside each listing, what the last change was."""
    with world.state.read() as connection:
        last = changes(connection, 1)[0]
        return (
            rules_in_force(connection),
            read_owner_file(connection, RULES).content,
            [(one.key, one.text) for one in selected(connection)],
            (last.rules, last.added, last.removed, last.added_lines, last.removed_lines),
        )


@pytest.mark.parametrize(
    ("others", "change"),
    [
        ("1001,base:shop_1,,5000,", lambda tools: set_rule(tools, ONE, {"max_price_jpy": "4000"}, "taro")),
        (",,earphones,,1100\n,,wireless,,1200", lambda tools: unset_rule(tools, ONE, "taro")),
    ],
    ids=["set", "unset"],
)
def test_lines_that_contradict_each_other_then_are_refused(
    world: World, others: str, change: Callable[[Tools], object]
) -> None:
    """By the line that is set, or because the one that decided between them goes; nothing is written."""
    head = "item_id,account_id,title_contains,max_price_jpy,min_price_jpy"
    before = saved(world, f"{head}\n1001,shop_1,,,1000\n{others}\n".encode())
    standing = in_force(world)
    with pytest.raises(SettingsError, match="contradicts"):
        change(world.tools)
    assert (before, standing) == (world.settings.rules.read_bytes(), in_force(world))


def test_a_file_that_can_t_be_in_force_is_not_written_over(world: World) -> None:
    """Broken by hand, or gone: the person hears of it and nothing is written; no line of it could be lost."""
    saved(world, f"{HEAD}\n{GOOD}\n".encode())
    world.settings.rules.write_bytes(b"nothing of ours")
    with pytest.raises(SettingsError):
        set_rule(world.tools, TWO, {"never_sell": "yes"}, "taro")
    assert b"nothing of ours" == world.settings.rules.read_bytes()
    world.settings.rules.unlink()
    with pytest.raises(SettingsError):
        set_rule(world.tools, TWO, {"never_sell": "yes"}, "taro")
    assert not world.settings.rules.exists()


def test_a_file_that_can_t_be_written_changes_nothing(world: World) -> None:
    """Neither the rules in force nor what is known of the file: where the copy of the former one has no place, too."""
    before = saved(world, f"{HEAD}\n{GOOD}\n".encode())
    standing = in_force(world)
    (world.settings.data_dir / FOLDER).write_bytes(b"no folder")
    with pytest.raises(OSError, match="rules-history"):
        set_rule(world.tools, TWO, {"never_sell": "yes"}, "taro")
    assert (before, standing) == (world.settings.rules.read_bytes(), in_force(world))


def test_two_people_lose_neither_s_line(world: World) -> None:
    """Whoever comes second begins again from what the first has left, so that a line set in between stays."""
    saved(world, f"{HEAD}\n{GOOD}\n".encode())
    calls = []

    def second(content: bytes | None) -> bytes:
        calls.append(content)
        if len(calls) == 1:
            set_rule(world.tools, TWO, {"never_sell": "yes"}, "first")
        return (content or b"") + (row(item_id="1003", min_price_jpy="900") + "\n").encode()

    place_rules(world.tools, second, Said("set", "second"))
    assert (2, {"never_sell": "yes"}) == (len(calls), own_rule(world.tools, TWO).cells)
    assert {"min_price_jpy": "900"} == own_rule(world.tools, ListingKey("base", "shop_1", "1003")).cells


def test_the_loser_over_one_line_or_one_file_is_told(world: World) -> None:
    """What the person saw is not what stands there: nothing is written."""
    saved(world, f"{HEAD}\n{GOOD}\n".encode())
    seen, compared = own_rule(world.tools, ONE).cells, rules_fingerprint(world.tools)
    set_rule(world.tools, ONE, {"fixed_price_jpy": "2100"}, "first", seen=seen)
    too_late: tuple[Callable[[], object], ...] = (
        lambda: set_rule(world.tools, ONE, {"fixed_price_jpy": "2200"}, "second", seen=seen),
        lambda: unset_rule(world.tools, ONE, "second", seen=seen),
        lambda: import_rules(world.tools, f"{HEAD}\n".encode(), "second", instead_of=compared),
    )
    for late in too_late:
        with pytest.raises(NotOnRecord):
            late()
    assert {"fixed_price_jpy": "2100"} == own_rule(world.tools, ONE).cells


def test_every_change_is_kept_with_who_and_when(world: World) -> None:
    """What was saved by hand is a change of its own, also where a line is set before any run has read it."""
    import_rules(world.tools, f"{HEAD}\n{GOOD}\n".encode(), "hanako")
    by_hand = row(item_id="1003", min_price_jpy="900")
    world.settings.rules.write_bytes(f"{HEAD}\n{GOOD}\n{by_hand}\n".encode())
    set_rule(world.tools, TWO, {"never_sell": "yes"}, "taro")
    unset_rule(world.tools, ONE, "taro")
    with world.state.read() as connection:
        found = changes(connection, 9)
    assert [
        ("unset", "taro", 2, 0, 1),
        ("set", "taro", 3, 1, 0),
        ("file", "", 2, 1, 0),
        ("import", "hanako", 1, 1, 0),
    ] == [(one.how, one.who, one.rules, one.added, one.removed) for one in found]
    assert ((by_hand,), (GOOD,)) == (found[2].added_lines, found[0].removed_lines)
