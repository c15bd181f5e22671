"""Which rows of the register are some shops': a condition in SQL. Not for: reading them (master.py)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ecauto_pipeline.register.statements import Statements


@dataclass(frozen=True, slots=True)
class Mine:
    """Which listings are read: a condition and what it asks for."""

    where: str = ""
    values: Sequence[Any] = ()


def rows_of(database: Statements, accounts: Collection[str] | None, blanks: str) -> Mine:
    """The listings in accounts of these ids, however they are spelled, and those that name no account; None = all.

    The spellings are asked for first, and each is judged once, not once a row: a register of a hundred shops is gone
    through twice for the ten that are read. `blanks`: the characters that are none of a name. In one transaction with
    what is read by it.
    """
    if accounts is None:
        return Mine()
    names = sorted({name.casefold() for name in accounts} | {""})
    known = f"lower(trim(account_id, {blanks})) IN ({', '.join('?' * len(names))})"
    spelled = database.execute(
        f"SELECT account_id FROM (SELECT DISTINCT account_id FROM listings) AS each_once WHERE {known}", names
    )
    found = [row[0] for row in spelled]
    theirs = f" OR account_id IN ({', '.join('?' * len(found))})" if found else ""
    return Mine(f" WHERE account_id IS NULL{theirs}", found)
