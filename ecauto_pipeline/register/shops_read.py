"""Which rows of the register are some shops': a condition in SQL. Not for: reading them (master.py)."""

from __future__ import annotations

from collections.abc import Collection


class Mine:
    """Which listings are read: a condition and what it asks for. `blanks`: the characters that are none of a name."""

    def __init__(self, accounts: Collection[str] | None, blanks: str) -> None:
        self.names = [] if accounts is None else sorted({name.casefold() for name in accounts})
        marks = ", ".join(["''", *"?" * len(self.names)])
        name = f"lower(trim(account_id, {blanks}))"
        known = f" WHERE account_id IS NULL OR {name} IN ({marks})"
        self.where = "" if accounts is None else known
