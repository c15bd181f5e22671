"""Rows of which a column is one of many values, asked in one statement that is made once, for SQLite and PostgreSQL.

SQLite is given each value as a variable of its own, PostgreSQL all of them as one array, which takes a fraction of the
processor on this side. Not for: few values that are known when the statement is written (`in_` does).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam


def one_of(dialect: str, column: ColumnElement[Any], values: str) -> ColumnElement[bool]:
    """True where the text in `column` is in the list that is given as `values` when it is executed (<= 500 of them)."""
    if dialect == "sqlite":
        return column.in_(bindparam(values, expanding=True))
    return column == any_(bindparam(values, type_=ARRAY(Text)))
