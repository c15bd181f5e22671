"""What the step `listings` reports of master.db: counts by shop, what fell, what could not be read, odd rows.

Not for: measuring it (sync/listings/register_watch.py) or what people are told (alerts/rules/register.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ecauto_pipeline.domain.selling.register_fall import RegisterCounts


@dataclass(frozen=True, slots=True)
class RegisterFall:
    """One figure of a shop (a field of RegisterCounts) that fell too far. `examples`: (item_id, asin) that left."""

    account: str
    figure: str
    before: int
    now: int
    examples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RegisterTrouble:
    """Why master.db could not be read, in words that name the file. `waits`: another program holds it."""

    ja: str
    en: str
    waits: bool = False


@dataclass(frozen=True, slots=True)
class RegisterReport:
    """One look at master.db. `counts`: by account, of the accounts of the run; none where it could not be read.

    `falls`: what was not believed; `odd`: values that make no sense, `odd_examples` of them: (table, row, column,
    value). `unchanged_since`: it was not read in this run, for it is what it was when it was read last: then counts
    and odd values are those of that moment. None: they are of this run.
    """

    counts: Mapping[str, RegisterCounts] = field(default_factory=dict)
    falls: tuple[RegisterFall, ...] = ()
    trouble: RegisterTrouble | None = None
    odd: int = 0
    odd_examples: tuple[tuple[str, str, str, str], ...] = ()
    unchanged_since: datetime | None = None
