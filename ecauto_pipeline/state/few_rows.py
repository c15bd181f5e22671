"""Conditions that few rows of a large table meet, each with an index of these rows alone, and said in one way.

SQLite finds such an index only by the very words it was made with, and takes one by shop or by `listed` for the better
one where a question names these: so questions hide them from it (`+ 0`; of_accounts' `found_else`). Not for: what the
rows mean (schema.py), or how a table is counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Index, TextClause, text


def index_where(name: str, columns: Sequence[str], words: str) -> Index:
    """An index of these rows alone. Who asks for them says the same words, for by a value that comes later SQLite finds
    none of them."""
    return Index(name, *columns, sqlite_where=words_for("sqlite", words), postgresql_where=words_for("", words))


def of_sqlite(index: Index) -> Index:
    """The same index, where state is SQLite's alone: PostgreSQL, which is not asked so, would only keep it up; and of
    tables that it has not looked through yet it takes the one that counts for as good as the key, and goes through a
    whole shop for each row."""
    index.ddl_if(dialect="sqlite")
    return index


def words_for(dialect: str, words: str) -> TextClause:
    """A condition that an index has, as this dialect spells it."""
    return text(words.replace("IS DISTINCT FROM", "IS NOT") if dialect == "sqlite" else words)


NOT_TOLD = (
    "told_at IS DISTINCT FROM CASE WHEN coalesce(price_at, 0) > coalesce(stock_at, 0)"
    " THEN coalesce(price_at, 0) ELSE coalesce(stock_at, 0) END AND status IS NOT NULL"
)
"""Of asins: what was confirmed since the register was told."""
UNANSWERED = "(status IS NULL OR stock_at IS NULL)"
"""Of asins: asked about, and no answer that counts says anything of its stock."""


def unjudged(step: str, kinds: Sequence[str]) -> str:
    """Of listings: what takes part and has no verdict of this step (said of these kinds) that was made of the row as it
    is, or none that was made with its ASIN known. (`+ 0`, as in every question to an index of few: else SQLite takes
    one that has this column for the better one.)"""
    said = "".join(f" OR listings.{kind}_said IS NULL" for kind in kinds)
    return (
        f"listings.listed + 0 = 1 AND (listings.{step}_revision IS DISTINCT FROM listings.revision"
        f" OR listings.{step}_asin_revision IS NULL OR listings.{step}_judged_at IS NULL{said})"
    )


PRICE_UNJUDGED = unjudged("price", ("price",))
VISIBILITY_UNJUDGED = unjudged("visibility", ("visibility", "stock"))
