"""A person sets or lifts the rule of one listing, or of one ASIN: exactly that line of data/rules.csv.

Every other line, the file's encoding and its line ends stay as they are; `note` says who and when, where the file has
that column. The line is judged first, as by `ecauto rules check`, and in force at once, as by `import`.
Not for: how a line is written (domain/selling/rule_lines.py), how it comes into force (line_placing.py), or whole files
(rules.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.domain.selling.item_rules import RuleLine, Selectors
from ecauto_pipeline.domain.selling.rule_cells import CellError
from ecauto_pipeline.domain.selling.rule_lines import (
    EMPTY,
    EditedFile,
    bare_note,
    cells_of,
    has_column,
    stamped,
    with_line,
    without_line,
)
from ecauto_pipeline.domain.selling.rules_file import DECIDE, RulesFile, column_named, parse
from ecauto_pipeline.errors import NotOnRecord, SettingsError
from ecauto_pipeline.state.item_rules import rules_in_force, rules_of
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.listings.rules_history import Said
from ecauto_pipeline.sync.people.line_placing import place_line

Target = ListingKey | str
"""One listing, or every listing of an ASIN."""
Cells = Mapping[str, str | None]
"""What a line decides, by column of the file (domain/selling/rules_file.py), as one writes it; None or "" = empty."""
SETTABLE = (*DECIDE, "until", "note")


@dataclass(frozen=True, slots=True)
class OwnRule:
    """The line that is about one target and nothing else, as it is in force; `rule` None: there is none.

    `selectors`: what a line about it names, the one that is written first.
    """

    selectors: tuple[Selectors, ...]
    rule: RuleLine | None = None

    @property
    def cells(self) -> dict[str, str]:
        """What it decides, as one writes it; without the note."""
        return cells_of(self.rule)

    @property
    def note(self) -> str:
        return bare_note(self.rule.rule.note) if self.rule is not None else ""


def own_rule(tools: Tools, target: Target) -> OwnRule:
    """The rule of this target that is in force. Raises NotOnRecord where no such listing is known."""
    item = _item(target)
    with tools.state.read() as connection:
        found = rules_of(connection, item)
        mine = [one for one in found if target in (one.asin, one.key)]
        if not mine:
            raise NotOnRecord(f"no item is known as {item}", ja=f"{item} という商品はありません")
        rules = rules_in_force(connection, {line for one in mine for line in one.lines})
    if isinstance(target, str):
        selectors: tuple[Selectors, ...] = (Selectors(asin=target),)
    else:
        names = dict.fromkeys((tools.name_of(target.account), str(target.account), target.account_id))
        selectors = tuple(Selectors(item_id=item, account=name) for name in names)
        if len([one for one in found if one.key.item_id == item]) == 1:
            selectors += (Selectors(item_id=item),)
    return OwnRule(selectors, _about(rules.values(), selectors))


def set_rule(tools: Tools, target: Target, columns: Cells, who: str, *, seen: Mapping[str, str] | None = None) -> int:
    """Let these columns say this of `target`; columns that are not named stay, a line that decides nothing goes. How
    many rules are in force then.

    `seen`: what the person saw there (OwnRule.cells); where somebody has changed it since, nothing is written and
    NotOnRecord says so. Raises SettingsError, nothing written, where the line would be refused; NotOnRecord for an
    unknown target.
    """
    wanted = _named(columns)
    own = own_rule(tools, target)

    def make(content: bytes, line: RuleLine | None) -> EditedFile:
        _as_seen(line, seen)
        cells = cells_of(line) | {name: text or "" for name, text in wanted.items()}
        if not any(cells.get(name) for name in DECIDE):
            if line is None:
                raise _no_rule(target)
            return without_line(content, line.line)
        return _written(content, line, own.selectors[0], wanted, _stamp(tools, who))

    return place_line(tools, _item(target), own.selectors, make, Said("set", who))


def unset_rule(tools: Tools, target: Target, who: str, *, seen: Mapping[str, str] | None = None) -> int:
    """Take the line of `target` out of the file. `seen`, errors: as for set_rule; NotOnRecord where there is none."""
    own = own_rule(tools, target)

    def make(content: bytes, line: RuleLine | None) -> EditedFile:
        if line is None:
            raise _no_rule(target)
        _as_seen(line, seen)
        return without_line(content, line.line)

    return place_line(tools, _item(target), own.selectors, make, Said("unset", who))


def line_of(own: OwnRule, columns: Cells) -> RuleLine | None:
    """The rule as these columns would make it, line 0; None where it would decide nothing. Raises SettingsError."""
    cells = own.cells | {name: text or "" for name, text in _named(columns).items()}
    if not any(cells.get(name) for name in DECIDE):
        return None
    return _well(parse(_written(EMPTY, None, own.selectors[0], cells, "").alone)).lines[0]


def _written(content: bytes, line: RuleLine | None, selectors: Selectors, cells: Cells, stamp: str) -> EditedFile:
    filled = {name: text or "" for name, text in cells.items()}
    if stamp and (filled.get("note") or has_column(content, "note")):
        filled["note"] = stamped(filled.get("note", line.rule.note if line is not None else ""), stamp)
    if line is not None:
        return with_line(content, line.line, filled)
    about = {"item_id": selectors.item_id, "asin": selectors.asin, "account_id": selectors.account}
    return with_line(content, 0, {name: text for name, text in about.items() if text} | filled)


def _stamp(tools: Tools, who: str) -> str:
    """In letters that either encoding of the file has."""
    return f"{jst(tools.clock.now()):%Y-%m-%d %H:%M} {who}".encode("cp932", "replace").decode("cp932")


def _named(columns: Cells) -> dict[str, str | None]:
    try:
        named = {column_named(name): text for name, text in columns.items()}
    except CellError as error:
        raise SettingsError(str(error), ja=error.ja) from error
    for name in named.keys() - set(SETTABLE):
        raise SettingsError(
            f"{name} says whom a rule is about, not what it decides",
            ja=f"{name} は対象を選ぶ列です。決める内容ではありません",
        )
    return named


def _about(lines: Iterable[RuleLine], selectors: tuple[Selectors, ...]) -> RuleLine | None:
    """The line about these and nothing else, the first of `selectors` first."""
    found = {one.selectors: one for one in lines if one.selectors in selectors}
    return next((found[one] for one in selectors if one in found), None)


def _as_seen(line: RuleLine | None, seen: Mapping[str, str] | None) -> None:
    if seen is not None and cells_of(line) != seen:
        raise NotOnRecord(
            "this rule was changed meanwhile; look at it again",
            ja="この規則は、その間に変更されました。もう一度確かめてください",
        )


def _well(read: RulesFile) -> RulesFile:
    if read.problems:
        english, japanese = ("; ".join(one.said(spoken) for one in read.problems[:10]) for spoken in ("en", "ja"))
        raise SettingsError(english, ja=japanese)
    return read


def _no_rule(target: Target) -> NotOnRecord:
    name = _item(target)
    return NotOnRecord(f"no line of the rules is about {name} alone", ja=f"{name} だけを対象にした規則の行はありません")


def _item(target: Target) -> str:
    """The item id or ASIN that it names."""
    return target if isinstance(target, str) else target.item_id
