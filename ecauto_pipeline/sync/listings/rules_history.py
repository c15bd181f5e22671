"""What the file of rules said before: a copy each time another one takes its place, the newest hundred kept; and what
changed, by whom.

Not for: deciding that it does (item_rules.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.clock import jst
from ecauto_pipeline.state.rule_changes import How, RuleChange
from ecauto_pipeline.sync.context import Tools

FOLDER = "rules-history"
KEPT = 100
BOM = "\ufeff"
"""Excel takes a CSV for cp932 without it."""
MOST_LINES, MOST_LETTERS = 20, 300
"""Of a change so many lines each way are kept as text, and of a line so many letters."""


@dataclass(frozen=True, slots=True)
class Said:
    """Whose word other rules are."""

    how: How
    who: str = ""


FOUND = Said("file")
"""Somebody saved the file; a run found it so."""


def change_of(said: Said, before: str | None, after: str | None, rules: int, now: datetime) -> RuleChange:
    """What came and went between two contents of the file, line by line below the headings, wherever a line stands."""
    return change_between(said, islice(_lines(after), 1, None), islice(_lines(before), 1, None), rules, now)


def change_between(said: Said, came: Iterable[str], went: Iterable[str], rules: int, now: datetime) -> RuleChange:
    """The same of the lines that came and went; blank ones do not count, nor does one that did both."""
    new, old = Counter(filter(_says_something, came)), Counter(filter(_says_something, went))
    came_alone, went_alone = new - old, old - new
    return RuleChange(
        *(now, said.how, said.who, rules, came_alone.total(), went_alone.total()),
        *(tuple(_first(came_alone)), tuple(_first(went_alone))),
    )


def _lines(text: str | None) -> Iterator[str]:
    return filter(_says_something, (line.rstrip("\r") for line in (text or "").split("\n")))


def _says_something(line: str) -> bool:
    return bool(line.strip(", "))


def _first(lines: Counter[str]) -> Iterator[str]:
    return (line[:MOST_LETTERS] for line in islice(lines.elements(), MOST_LINES))


def keep_former(tools: Tools, text: str | bytes) -> None:
    """Keep what stood there until now, under the time at which it ends (text as Excel opens it, bytes as they are); the
    same as the newest copy is not kept again."""
    folder = tools.settings.data_dir / FOLDER
    copies = sorted(folder.glob("rules-*.csv")) if folder.is_dir() else []
    content = text if isinstance(text, bytes) else (BOM + text).encode("utf-8")
    if copies and copies[-1].read_bytes() == content:
        return
    stem = f"rules-{jst(tools.clock.now()):%Y%m%d-%H%M%S}"
    names = (f"{stem}.csv" if number == 1 else f"{stem}-{number}.csv" for number in count(1))
    replace_file(next(folder / name for name in names if not (folder / name).exists()), content)
    for old in copies[: max(0, len(copies) + 1 - KEPT)]:
        old.unlink(missing_ok=True)
