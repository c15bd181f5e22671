"""Laws of the file of rules: it is read as spreadsheets write it, and never half."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.selling.item_rules import ItemRule, Selectors
from ecauto_pipeline.domain.selling.rules_file import COLUMNS, DECIDE, SELECT, RulesFile, parse, read_rules
from ecauto_pipeline_tests.domain.selling.malformed_rules import GOOD, HEAD, MALFORMED, row
from ecauto_pipeline_tests.languages import JAPANESE, half_english, half_japanese

SHEET = "\r\n".join([HEAD, row(brand="ソニー", markup_ratio="1.4", note="前金"), GOOD, ""])


def only(**cells: str) -> tuple[Selectors, ItemRule]:
    """The rule of a file of one line."""
    found = parse(f"{HEAD}\n{row(**cells)}\n")
    assert () == found.problems
    return found.lines[0].selectors, found.lines[0].rule


def test_there_are_thirty_malformed_files() -> None:
    """At least."""
    assert len(MALFORMED) >= 30


@pytest.mark.parametrize("how", MALFORMED)
def test_what_is_wrong_is_named_by_its_line(how: str) -> None:
    """Every wrong line, in both languages, none twice for one cell; a sound line is never blamed."""
    content, lines = MALFORMED[how]
    problems = read_rules(content).problems
    assert lines == tuple(one.line for one in problems)
    for one in problems:
        assert f"line {one.line}" in one.said("en")
        assert f"{one.line}行目" in one.said("ja")
        assert JAPANESE.search(one.ja)
        assert not half_japanese(re.sub(r"'[^']*'", "", one.en))  # what the owner wrote is quoted as it is
        assert not half_english(one.ja)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
def test_a_sheet_is_read_as_excel_saves_it(encoding: str, ends: str) -> None:
    """UTF-8 with or without its mark, or cp932; any line ends; blank lines and columns without a heading, if empty."""
    text = SHEET.replace(HEAD, HEAD + ",,").replace("\r\n", ends) + ends + "," * 17 + ends
    found = read_rules(text.encode(encoding))
    assert () == found.problems
    assert [Selectors(brand="ソニー"), Selectors(item_id="1001")] == [one.selectors for one in found.lines]
    assert [2, 3] == [one.line for one in found.lines]
    assert [1.4, None] == [one.rule.markup_ratio for one in found.lines]


def test_headings_may_be_japanese_or_few() -> None:
    """In any order, in full-width letters too; a column that is not there says nothing."""
    found = parse("固定価格,商品ＩＤ\n1980,1001\n")
    assert RulesFile(parse(f"{HEAD}\n{GOOD}\n").lines) == found


@pytest.mark.parametrize(
    "written", ["1980", "１９８０", '"1,980"', '"１，９８０円"', '"¥1,980"', " 1980 ", '"\\1,980"']
)
def test_an_amount_is_read_as_people_write_it(written: str) -> None:
    """Full-width digits, thousands, the sign and the word of the yen (a backslash in cp932)."""
    assert 1980 == only(item_id="1001", fixed_price_jpy=written)[1].fixed_price_jpy


@pytest.mark.parametrize("written", ["2026-12-31", "2026/12/31", "2026/12/31 ", "２０２６年１２月３１日", "2026.12.31"])
def test_a_rule_ends_with_its_last_day_in_japan(written: str) -> None:
    """The day itself included."""
    assert datetime(2026, 12, 31, 15, tzinfo=UTC) == only(item_id="1001", never_sell="1", until=written)[1].until


def test_an_empty_cell_is_none_never_nothing() -> None:
    """No price, floor, ceiling or extra cost of 0 yen comes of it, and no permission."""
    for cell in ("", " ", "　", '"  "'):
        rule = only(item_id="1001", exclude="visibility", **dict.fromkeys({*DECIDE} - {"exclude"}, cell))[1]
        assert ItemRule(exclude="visibility", line=2) == rule


@pytest.mark.parametrize("written", ["9" * 5000, "0" * 5000 + "1" * 12])
def test_an_amount_of_thousands_of_digits_is_a_mistake_of_its_line(written: str) -> None:
    """Not an error of the program: Python refuses to read such a number."""
    found = read_rules(f"asin,fixed_price_jpy\nB000000001,{written}\n".encode())
    assert [2] == [one.line for one in found.problems]


def test_zero_extra_cost_is_something_said() -> None:
    """Unlike an empty cell."""
    assert 0 == only(item_id="1001", extra_cost_jpy="0")[1].extra_cost_jpy


def test_a_note_may_go_over_several_lines() -> None:
    """The lines after it are named as an editor counts them."""
    text = f"{HEAD}\n{row(item_id='1001', never_sell='1', note=chr(34) + '一行目' + chr(10) + '二行目' + chr(34))}\n"
    found = parse(text + row(item_id="1002", fixed_price_jpy="x"))
    assert [2] == [one.line for one in found.lines]
    assert [4] == [one.line for one in found.problems]


def test_headings_alone_are_no_rules() -> None:
    """That is how the last rule is taken away."""
    assert RulesFile() == parse(HEAD)


@given(st.binary(max_size=400))
def test_any_bytes_are_rules_or_named(content: bytes) -> None:
    """Never an error of ours, and never both silent and empty but for headings alone."""
    found = read_rules(content)
    assert found.lines or found.problems or found == RulesFile()


@given(st.lists(st.sampled_from([*"0123456789,.-yn\"'\n\r", "B00000000A", "1980", "ソニー", "price"]), max_size=60))
def test_whatever_is_written_says_something_of_somebody(pieces: list[str]) -> None:
    """No line that is taken selects everything, and none decides nothing."""
    found = parse(HEAD + "\n" + "".join(pieces))
    for one in found.lines:
        assert any(one.selectors)
        assert one.rule != ItemRule(line=one.line, until=one.rule.until, note=one.rule.note)


def test_the_columns_are_those_of_the_papers() -> None:
    """Select, decide, and what stands beside."""
    assert set(HEAD.split(",")) == set(COLUMNS)
    assert set(SELECT).isdisjoint(DECIDE)
