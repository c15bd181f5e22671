"""The owner's file of rules per item (data/rules.csv), taken up by every reading: judged, kept, and beside each listing
the lines that select it.

A file with one mistake is refused as a whole, and so is one that has vanished: the last good rules hold. Titles, brands
and categories are those of Amazon's catalogue, else those of master.db. Not for: what a line says
(domain/selling/rules_file.py) or what is made of it (domain/selling/pricing.py, visibility.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.domain.selling.item_rules import RuleLine
from ecauto_pipeline.domain.selling.rule_selection import UNKNOWN, Goods, RuleBook, Tie, first_ties
from ecauto_pipeline.domain.selling.rules_file import RuleProblem, parse, read_rules
from ecauto_pipeline.domain.spreadsheets import decode
from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.state import item_rules as kept
from ecauto_pipeline.state.item_rules import Lines
from ecauto_pipeline.state.owner_files import RULES, OwnerFile, keep_well, note_broken, read_owner_file
from ecauto_pipeline.state.rule_changes import note_change
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.file_trouble import FileTrouble, RulesReport
from ecauto_pipeline.sync.listings.rules_history import FOUND, Said, change_of, keep_former

MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class FileRead:
    """The file as it is now. `text` None: there is none, and none is missed; `problems`: why it can't be in force."""

    text: str | None
    lines: tuple[RuleLine, ...] = ()
    problems: tuple[RuleProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lines of some rules select each listing that any of them could, or did, and where they contradict each
    other."""

    lines: Mapping[ListingKey, Lines]
    before: Mapping[ListingKey, Lines]
    ties: tuple[Tie, ...]

    def changed(self) -> Iterable[tuple[ListingKey, Lines]]:
        """What is not as it was."""
        return ((key, lines) for key, lines in self.lines.items() if lines != self.before[key])

    def counts(self) -> dict[int, int]:
        """How many listings each line selects, those that select none left out."""
        found: dict[int, int] = {}
        for lines in self.lines.values():
            for line in lines:
                found[line] = found.get(line, 0) + 1
        return found


def take_up_rules(tools: Tools, accounts: Sequence[AccountKey]) -> RulesReport:
    """The rules that hold from now on; `accounts`: whose listings are counted in the report.

    Where another process takes up a file at the same moment, it is looked at once more.
    """
    while True:
        with tools.state.read() as connection:
            known = read_owner_file(connection, RULES)
            in_force = kept.rules_in_force(connection)
        read = read_file(tools, known)
        if read.text is None and not read.problems and known == OwnerFile():
            return RulesReport()
        taken = take_up(tools, accounts, known, in_force, read)
        if taken is not None:
            return taken


def read_file(tools: Tools, known: OwnerFile) -> FileRead:
    """What the file says, whatever it is."""
    path = tools.settings.rules
    try:
        return of_bytes(path.read_bytes())
    except FileNotFoundError:
        if not known.content or not parse(known.content).lines:
            return FileRead(None)
        return _wrong(
            "なくなっています（見出しだけの行を残すと空になります）", "is gone (to have no rules leave the headings)"
        )
    except OSError as error:
        name = type(error).__name__
        return _wrong(f"読めません（{name}）", f"can't be read ({name})")


def of_bytes(content: bytes) -> FileRead:
    """A file's bytes, judged by themselves."""
    found = read_rules(content)
    return FileRead(None if found.problems else decode(content), found.lines, found.problems)


def select(tools: Tools, book: RuleBook, now: datetime) -> Selection | None:
    """Ask the rules about every listing that they can select. None while titles and brands are asked for and master.db
    can't be read."""
    goods: Mapping[str, Goods] = {}
    if book.asks_goods:
        try:
            told = tools.register.goods()
        except RegisterError as error:
            tools.log.warning("%s; the rules per item stay as they are", error)
            return None
        with tools.state.read() as connection:
            goods = _merged(told, kept.goods_told(connection))
    lines, before = {}, {}
    with tools.state.read() as connection:
        for one in kept.selected(connection, book.named):
            before[one.key] = one.lines
            lines[one.key] = book.selecting(one.key, one.asin, goods.get(one.asin, UNKNOWN))
    return Selection(lines, before, tuple(first_ties(book, lines, now)))


def tie_problems(ties: Iterable[Tie]) -> tuple[RuleProblem, ...]:
    """What contradicts what, and for which listing."""
    found = []
    for tie in ties:
        first, *others = tie.lines
        ja = f"{'・'.join(map(str, others))}行目と食い違います（例: {tie.key.account} の商品 {tie.key.item_id}）"
        en = f"contradicts line {', '.join(map(str, others))} (for one: item {tie.key.item_id} of {tie.key.account})"
        found.append(RuleProblem(first, "", ja, en))
    return tuple(found)


def take_up(
    tools: Tools,
    accounts: Sequence[AccountKey],
    known: OwnerFile,
    in_force: Mapping[int, RuleLine],
    read: FileRead,
    said: Said = FOUND,
    put: Callable[[], bool] | None = None,
) -> RulesReport | None:
    """Judge what was read and let it be in force; None where somebody else was faster.

    `known`, `in_force`: what stands in state.db. `put`: puts what was read in the place of the file, where that is
    still as it was (else False); it is called within the transaction, for a file without a mistake alone. With a
    mistake nothing at all is written then.
    """
    now = tools.clock.now()
    problems, rules = read.problems, tuple(in_force.values())
    new = not problems and (read.text or None) != known.content
    chosen = None
    if new:
        chosen = select(tools, RuleBook(read.lines), now)
        problems = tie_problems(chosen.ties) if chosen is not None else _NOT_ASKED if put is not None else ()
        new = chosen is not None and not problems
    if new:
        rules = read.lines
        if known.content is not None:
            keep_former(tools, known.content)
    else:
        chosen = select(tools, RuleBook(rules), now)
        problems = problems or tie_problems(chosen.ties if chosen is not None else ())
    if put is not None and problems:
        return RulesReport(len(rules), trouble=_trouble(tools.settings.rules.name, problems, now, len(rules)))
    with tools.state.write() as connection:
        if read_owner_file(connection, RULES) != known:
            return None
        if put is not None and not put():
            return None
        since = now
        if problems:
            since = note_broken(connection, RULES, now)
        elif new:
            keep_well(connection, RULES, read.text, now)
            kept.replace_rules(connection, rules)
            note_change(connection, change_of(said, known.content, read.text, len(rules), now))
        elif known.broken_since is not None:
            keep_well(connection, RULES, known.content, now)
        if chosen is not None:
            kept.save_selected(connection, chosen.changed())
        ruled = kept.count_selected(connection, accounts)
    trouble = _trouble(tools.settings.rules.name, problems, since, len(rules) if known.content else None)
    if trouble is not None:
        tools.log.warning("%s", trouble.en)
    counts = chosen.counts() if chosen is not None else {one.line: 1 for one in rules}
    idle, past = sum(one.line not in counts for one in rules), sum(over(one, now) for one in rules)
    return RulesReport(len(rules), ruled, idle, past, trouble)


_NOT_ASKED = (
    RuleProblem(
        1,
        "",
        "master.dbを読めないため、商品名やブランドで選ぶ規則を確かめられません",
        "master.db can't be read, so that rules by title or brand can't be checked",
    ),
)


def _trouble(name: str, problems: Sequence[RuleProblem], since: datetime, held: int | None) -> FileTrouble | None:
    if not problems:
        return None
    more = len(problems) - MOST_NAMED
    ja = "、".join(one.said("ja") for one in problems[:MOST_NAMED]) + (f"、ほか{more}か所" if more > 0 else "")
    en = "; ".join(one.said("en") for one in problems[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
    return FileTrouble(name, f"{name}: {ja}", f"{name}: {en}", since, held)


def over(one: RuleLine, now: datetime) -> bool:
    """Its last day is past."""
    return one.rule.until is not None and one.rule.until <= now


def _merged(register: Mapping[str, tuple[str, str, str]], told: Mapping[str, Goods]) -> dict[str, Goods]:
    """Amazon's word first, what it left unsaid from the register."""
    found = {asin: Goods(*words) for asin, words in register.items()}
    for asin, goods in told.items():
        other = found.get(asin, UNKNOWN)
        found[asin] = Goods(*(said or else_said for said, else_said in zip(goods, other, strict=True)))
    return found


def _wrong(ja: str, en: str) -> FileRead:
    return FileRead(None, (), (RuleProblem(1, "", ja, en),))
