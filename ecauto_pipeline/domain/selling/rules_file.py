"""The file of rules as text (CSV with headings): its lines as values, and everything that is wrong with it, by line.

A file with one wrong line is refused as a whole by whoever takes it up: half of what an owner forbids is not what the
owner forbids. Not for: what a single cell means (rule_cells.py), opening files or keeping the last good one (sync/).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ecauto_pipeline.domain.selling import rule_cells as cells
from ecauto_pipeline.domain.selling.item_rules import ItemRule, RuleLine, Selectors
from ecauto_pipeline.domain.selling.rule_cells import CellError
from ecauto_pipeline.domain.spreadsheets import decode, folded


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """What is wrong, where: `line` from 1 as an editor counts, `column` "" where it is the line as a whole."""

    line: int
    column: str
    ja: str
    en: str

    def said(self, language: str) -> str:
        """With its place, in "ja" or "en"."""
        where = f" {self.column}" if self.column else ""
        return f"{self.line}行目{where}: {self.ja}" if language == "ja" else f"line {self.line}{where}: {self.en}"


@dataclass(frozen=True, slots=True)
class RulesFile:
    """`lines` in the file's order. A file with `problems` is no file of rules; what could be read of it is beside."""

    lines: tuple[RuleLine, ...] = ()
    problems: tuple[RuleProblem, ...] = ()


Read = Callable[[str], Any]
SELECT: Mapping[str, tuple[str, Read, str]] = {
    "account_id": ("account", cells.account, "ショップ"),
    "item_id": ("item_id", cells.item_id, "商品id"),
    "asin": ("asin", cells.asin, ""),
    "category": ("category", cells.words, "カテゴリ"),
    "brand": ("brand", cells.words, "ブランド"),
    "title_contains": ("title", cells.title_word, "商品名に含む"),
}
"""Columns that select: the field of Selectors, how a cell is read, its Japanese heading."""
DECIDE: Mapping[str, tuple[Read, str]] = {
    "exclude": (cells.exclude, "対象外"),
    "fixed_price_jpy": (cells.yen, "固定価格"),
    "min_price_jpy": (cells.yen, "下限価格"),
    "max_price_jpy": (cells.yen, "上限価格"),
    "markup_ratio": (cells.ratio, "倍率"),
    "extra_cost_jpy": (cells.extra_yen, "追加費用"),
    "never_sell": (cells.yes_or_no, "販売禁止"),
    "by_hand": (cells.by_hand, "手動価格"),
}
"""Columns that decide: how a cell is read, its Japanese heading."""
BESIDE: Mapping[str, tuple[Read, str]] = {
    "until": (cells.end_of_day, "期限"),
    "note": (str, "メモ"),
}
COLUMNS = (*SELECT, *DECIDE, *BESIDE)
JAPANESE: Mapping[str, str] = {name: one[-1] for table in (SELECT, DECIDE, BESIDE) for name, one in table.items()}
"""The Japanese heading of each column, "" for none."""
_SPELLINGS = {name: name for name in COLUMNS} | {japanese: name for name, japanese in JAPANESE.items() if japanese}
_FIELDS = tuple((name, field) for name, (field, _, _) in SELECT.items())
_READ: Mapping[str, Read] = {
    **{name: read for name, (_, read, _) in SELECT.items()},
    **{name: read for name, (read, _) in (*DECIDE.items(), *BESIDE.items())},
}


def read_rules(content: bytes) -> RulesFile:
    """A file's bytes. Total: what is no text is a problem of line 1."""
    try:
        return parse(decode(content))
    except UnicodeError:
        ja, en = "文字コードがUTF-8でもShift_JISでもありません", "is in neither UTF-8 nor Shift_JIS"
        return RulesFile((), (RuleProblem(1, "", ja, en),))


def parse(text: str) -> RulesFile:
    """Total. A file of headings alone is no rules; blank lines are passed over."""
    lines: list[RuleLine] = []
    problems: list[RuleProblem] = []
    headings: list[str] | None = None
    for line, row in _rows(text, problems):
        if headings is None:
            headings = _headings(row, line, problems)
            if not headings:
                return RulesFile((), tuple(problems))
            continue
        found = _line(line, row, headings, problems)
        if found is not None:
            lines.append(found)
    if headings is None and not problems:
        problems.append(RuleProblem(1, "", "見出しの行がありません", "there is no line of headings"))
    problems += _said_twice(lines)
    return RulesFile(tuple(lines), tuple(sorted(problems, key=lambda one: one.line)))


def columns_under(headings: list[str]) -> list[str]:
    """The column that each heading of a file without a mistake names, "" for an empty heading."""
    return [_SPELLINGS.get(folded(cell), "") for cell in headings]


def column_named(word: str) -> str:
    """The column that a person names, in English or Japanese. Raises CellError."""
    name = folded(word)
    if name not in _SPELLINGS:
        near = get_close_matches(name, _SPELLINGS, 1)
        ja, en = (f"（{near[0]} ですか）", f" (is it {near[0]}?)") if near else ("", "")
        raise CellError(f"{word[:30]}: 知らない列です{ja}", f"{word[:30]}: no column of ours{en}")
    return _SPELLINGS[name]


def _rows(text: str, problems: list[RuleProblem]) -> Iterator[tuple[int, list[str]]]:
    """(where it begins, cells) of every line that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            ja = '引用符（"）の使い方が正しくありません'
            problems.append(RuleProblem(line, "", ja, "its quotation marks don't match"))
            return
        if any(row) and any(map(str.strip, row)):
            yield line, row


def _headings(row: list[str], line: int, problems: list[RuleProblem]) -> list[str]:
    """The columns by place, "" for an empty one; [] where they can't be read."""
    named = [folded(cell) for cell in row]
    found = [_SPELLINGS.get(name, "") for name in named]
    before = len(problems)
    if not any(found):
        ja, en = (
            "見出しの行ではありません（コンマ区切りで列名を書きます）",
            "no headings (names of columns, with commas)",
        )
        problems.append(RuleProblem(line, "", ja, en))
        return []
    for place, (name, column) in enumerate(zip(named, found, strict=True)):
        if name and not column:
            near = get_close_matches(name, _SPELLINGS, 1)
            ja, en = "知らない列です", "no column of ours"
            ja, en = (f"{ja}（{near[0]} ですか）", f"{en} (is it {near[0]}?)") if near else (ja, en)
            problems.append(RuleProblem(line, row[place].strip()[:30], ja, en))
        elif column and column in found[:place]:
            problems.append(RuleProblem(line, column, "同じ列が2つあります", "the column stands there twice"))
    return found if len(problems) == before else []


def _line(line: int, row: list[str], headings: list[str], problems: list[RuleProblem]) -> RuleLine | None:
    values: dict[str, Any] = {}
    before = len(problems)
    for place, cell in enumerate(row):
        text = cell and cell.strip()
        if not text:
            continue
        column = headings[place] if place < len(headings) else ""
        try:
            if not column:
                raise CellError(
                    "見出しのない列に値があります（コンマの数を確認）", "a value under no heading (count the commas)"
                )
            cells.check_text(text)
            values[column] = _READ[column](text)
        except CellError as error:
            problems.append(RuleProblem(line, column, error.ja, error.en))
    if len(problems) == before:
        problems += [RuleProblem(line, column, ja, en) for column, ja, en in _contradictions(values)]
    if len(problems) > before:
        return None
    selectors = Selectors(**{field: values.pop(name) for name, field in _FIELDS if name in values})
    return RuleLine(selectors, ItemRule(line=line, **values))


def _contradictions(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(column, ja, en) of what makes no sense together in one line."""
    if values.keys().isdisjoint(SELECT):
        yield "", "どの商品の規則かが書かれていません", "it does not say which items it is about"
    if values.keys().isdisjoint(DECIDE):
        yield "", "何をするかが書かれていません", "it decides nothing"
    exclude = values.get("exclude", "")
    if exclude in ("price", "all"):
        for name in ("fixed_price_jpy", "max_price_jpy", "markup_ratio"):
            if name in values:
                yield name, f"exclude = {exclude} と一緒には使えません", f"has no effect beside exclude = {exclude}"
    if exclude in ("visibility", "all") and values.get("never_sell"):
        yield "never_sell", f"exclude = {exclude} と一緒には使えません", f"contradicts exclude = {exclude}"
    if "fixed_price_jpy" in values and "markup_ratio" in values:
        yield "markup_ratio", "固定価格と倍率はどちらか一つです", "a fixed price leaves no room for a ratio"
    least, most = values.get("min_price_jpy"), values.get("max_price_jpy")
    if least is not None and most is not None and least > most:
        yield "min_price_jpy", "下限価格が上限価格より高くなっています", "the floor is above the ceiling"
    fixed = values.get("fixed_price_jpy")
    if fixed is not None and (fixed < (least or 0) or (most is not None and fixed > most)):
        yield "fixed_price_jpy", "固定価格が下限・上限の外です", "the fixed price is outside its own floor and ceiling"


def _said_twice(lines: list[RuleLine]) -> Iterator[RuleProblem]:
    """Two lines about exactly the same items: nobody could say which one wins."""
    first: dict[Selectors, int] = {}
    for one in lines:
        line = first.setdefault(one.selectors, one.line)
        if line != one.line:
            ja = f"{line}行目と同じ商品の規則です（1行にまとめてください）"
            yield RuleProblem(one.line, "", ja, f"is about the same items as line {line} (make them one)")
