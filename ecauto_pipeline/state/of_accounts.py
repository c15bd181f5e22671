"""Rows of certain shops in any table that names a shop by `platform` and `account_id`.

Not for: which shops (sync/context.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Table, and_, false, or_

from ecauto_pipeline.domain.model import AccountKey


def of_accounts(table: Table, accounts: Iterable[AccountKey]) -> ColumnElement[bool]:
    """True for the rows of these shops; of no shop, for none."""
    columns = table.c
    each = (and_(columns.platform == one.platform, columns.account_id == one.account_id) for one in accounts)
    return or_(false(), *each)
