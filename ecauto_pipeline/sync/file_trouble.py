"""A file of the owner's that can't be used, as a run reports it.

Not for: reading such files (sync/listings, sync/stale_asins) or telling people (alerts/rules/owner_files.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FileTrouble:
    """A file of the owner's that can't be read, why (`file` is named in it), and since when.

    `held`: how many entries of what it said last hold meanwhile; None: nothing of it is known, or kept.
    """

    file: str
    ja: str
    en: str
    since: datetime
    held: int | None = None


@dataclass(frozen=True, slots=True)
class RulesReport:
    """The rules per item that hold in this run: `rules` of them, selecting `listings` of the run's that take part.

    `idle`: lines that select nothing at all; `over`: lines whose last day is past; `trouble`: why the file is refused,
    None = it is in force.
    """

    rules: int = 0
    listings: int = 0
    idle: int = 0
    over: int = 0
    trouble: FileTrouble | None = None
