"""One line of the owner's file of rules in the place of the one that stood there, and in force: of a hundred thousand
others none is judged or kept anew, they only move up where one above them goes.

The line is judged by itself and beside the lines about the same listings. The file that it is put into is the one in
force, which was judged as a whole when it came there; another one, saved by hand, is taken up first. All of it happens
in one write: whoever comes second begins from what the first has left.
Not for: whole files (rules_placing.py), how a line is written (domain/selling/rule_lines.py), or who wants it
(rule_edits.py).
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.domain.selling.item_rules import RuleLine, Selectors
from ecauto_pipeline.domain.selling.rule_cells import CellError
from ecauto_pipeline.domain.selling.rule_lines import EMPTY, EditedFile
from ecauto_pipeline.domain.selling.rule_selection import RuleBook, first_ties
from ecauto_pipeline.domain.selling.rules_file import RuleProblem, parse
from ecauto_pipeline.domain.spreadsheets import decode
from ecauto_pipeline.errors import NotOnRecord, SettingsError
from ecauto_pipeline.shops.platforms import shop_keys
from ecauto_pipeline.state.item_rules import Lines, count_rules, rules_in_force, rules_of, save_selected
from ecauto_pipeline.state.owner_files import RULES, keep_well, read_owner_file
from ecauto_pipeline.state.rule_changes import note_change
from ecauto_pipeline.state.single_rule import move_rules, put_rule, rule_about, selected_by, take_rule
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.listings.item_rules import take_up_rules, tie_problems
from ecauto_pipeline.sync.listings.rules_history import Said, change_between, keep_former
from ecauto_pipeline.sync.listings.shared_files import bring_file
from ecauto_pipeline.sync.people.rules_placing import MOST_TRIES, content_of, text_of

_OTHER = b"another file than the one in force"
Make = Callable[[bytes, RuleLine | None], EditedFile]


def place_line(tools: Tools, item: str, selectors: Sequence[Selectors], make: Make, said: Said) -> int:
    """Put what `make` makes of the file in its place and in force; how many rules are in force then.

    `make(content, line)` is given the file as it stands and the line about `selectors` (None = there is none).
    `item`: the item id or ASIN that they name. Raises SettingsError, nothing written, where the line or the file that
    somebody saved would be refused; NotOnRecord where the file does not stand still; whatever `make` raises.
    """
    path = tools.settings.rules
    for _ in range(MOST_TRIES):
        with tools.state.write() as connection:
            content = _in_force(tools, connection)
            if content is not _OTHER:
                return _placed(tools, connection, content, item, selectors, make, said)
        trouble = take_up_rules(tools, sorted(shop_keys(tools.settings))).trouble  # as a change of its own
        if trouble is not None:
            raise SettingsError(trouble.en, ja=trouble.ja)
    raise NotOnRecord(
        f"{path.name} keeps changing; try again", ja=f"{path.name} が変わり続けています。もう一度お試しください"
    )


def _in_force(tools: Tools, connection: Connection) -> bytes | None:
    """The owner's file, None = there is none and none is missed; _OTHER where what stands there is not in force."""
    known = read_owner_file(connection, RULES)
    if tools.settings.fleet.on and known.content is not None:
        bring_file(tools.settings, "rules", known.content)  # of another machine's word, the newest
    content = content_of(tools.settings.rules)
    if known.broken_since is not None or (None if content is None else text_of(content)) != known.content:
        return _OTHER
    return content


def _placed(
    tools: Tools,
    connection: Connection,
    content: bytes | None,
    item: str,
    selectors: Sequence[Selectors],
    make: Make,
    said: Said,
) -> int:
    own, now = rule_about(connection, selectors), tools.clock.now()
    try:
        edited = make(EMPTY if content is None else content, own)
    except CellError as error:
        raise SettingsError(str(error), ja=error.ja) from error
    if edited.content == content:
        return count_rules(connection)
    rule = _judged(edited)
    if own is not None:
        beside = selected_by(connection, own.line)
        save_selected(connection, ((one.key, tuple(n for n in one.lines if n != own.line)) for one in beside))
        take_rule(connection, own.line)
    for after, by in edited.moved:
        move_rules(connection, after, by)
    if rule is not None:
        put_rule(connection, rule)
    _select(connection, item, rule, now)
    rules = count_rules(connection)
    if content is not None:
        keep_former(tools, _with_mark(content))
    keep_well(connection, RULES, decode(edited.content), now)
    note_change(connection, change_between(said, edited.came, edited.went, rules, now))
    replace_file(tools.settings.rules, edited.content)  # last: what dies before it has changed nothing at all
    return rules


def _with_mark(content: bytes) -> bytes | str:
    """As former files are kept: with the mark by which Excel knows UTF-8. What is UTF-8 already is not made text."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return decode(content)
    return content if content.startswith(BOM_UTF8) else BOM_UTF8 + content


def _judged(edited: EditedFile) -> RuleLine | None:
    """The line as a rule of the file; None = it is gone. Raises SettingsError."""
    if not edited.line:
        return None
    read = parse(edited.alone)
    if read.problems:
        raise _refused([replace(one, line=edited.line) for one in read.problems])
    [found] = read.lines
    return replace(found, rule=found.rule._replace(line=edited.line))


def _select(connection: Connection, item: str, rule: RuleLine | None, now: datetime) -> None:
    """Beside each listing of `item` stands the line, where it is about it. Raises SettingsError where the lines of one
    contradict each other now."""
    book = RuleBook([rule] if rule is not None else [])
    chosen: dict[ListingKey, Lines] = {}
    for one in rules_of(connection, item):
        chosen[one.key] = tuple(sorted({*one.lines, *book.selecting(one.key, one.asin)}))
    known = rules_in_force(connection, {line for lines in chosen.values() for line in lines})
    ties = first_ties(RuleBook(known.values()), chosen, now)
    if ties:
        raise _refused(tie_problems(ties))
    save_selected(connection, chosen.items())


def _refused(problems: Sequence[RuleProblem]) -> SettingsError:
    english, japanese = ("; ".join(one.said(spoken) for one in problems[:10]) for spoken in ("en", "ja"))
    return SettingsError(english, ja=japanese)
