"""The shops' tokens in state: on one machine the write-ahead of the token file, in a fleet their home, sealed.

A refresh token dies when it is used, so a crash between the shop's answer and the file must not lose its successor.
Not for: the file, or which of the two is newer (shops/base/tokens.py decides), or the seal (fleet/seal.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, delete, select, update

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.state import locks
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import oauth
from ecauto_pipeline.state.upsert import insert_for, upsert

T = TypeVar("T")


class TokenWriteAhead:
    """The newest token document of each account of one platform."""

    def __init__(self, database: Database, platform: str) -> None:
        self._database, self._platform = database, platform

    def load(self, account_id: str) -> str | None:
        """The document written last, None when there never was one."""
        with self._database.read() as connection:
            return token_document(connection, self._platform, account_id)

    def each(self) -> dict[str, str]:
        """Every account's document."""
        query = select(oauth.c.account_id, oauth.c.document).where(oauth.c.platform == self._platform)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(oauth.c.account_id))
            return {account_id: document for account_id, document in rows}

    def save(self, account_id: str, document: str, obtained_at: datetime) -> None:
        """Committed and on the disk when this returns."""
        row = self._row(account_id, document, obtained_at)
        self._write(account_id, lambda connection: upsert(connection, oauth, [row]))

    def swap(self, account_id: str, before: str | None, document: str, obtained_at: datetime | None = None) -> bool:
        """The same where `before` still stands (None: where nothing does). False: somebody else wrote, nothing is done.

        `obtained_at` None leaves the moment as it is: they are the same tokens, written another way.
        """
        row = self._row(account_id, document, obtained_at)

        def work(connection: Connection) -> bool:
            if before is None:
                fresh = insert_for(connection, oauth).values(row)
                written = fresh.on_conflict_do_nothing(index_elements=["platform", "account_id"])
            else:
                written = update(oauth).where(*self._is(account_id, before)).values(row)
            return connection.execute(written.returning(oauth.c.account_id)).first() is not None

        return self._write(account_id, work)

    def forget(self, account_id: str, document: str) -> bool:
        """Drop it where it is still this one."""
        gone = delete(oauth).where(*self._is(account_id, document))
        return self._write(account_id, lambda connection: connection.execute(gone).rowcount == 1)

    def _write(self, account_id: str, work: Callable[[Connection], T]) -> T:
        """A run that was superseded writes too: what it bought would be lost."""
        return self._database.write_again(work, locks.token(self._platform, account_id), fenced=False)

    def _row(self, account_id: str, document: str, obtained_at: datetime | None) -> dict[str, object]:
        row: dict[str, object] = {"platform": self._platform, "account_id": account_id, "document": document}
        return row if obtained_at is None else {**row, "obtained_at": to_ms(obtained_at)}

    def _is(self, account_id: str, document: str) -> tuple[ColumnElement[bool], ...]:
        return (oauth.c.platform == self._platform, oauth.c.account_id == account_id, oauth.c.document == document)


def token_document(connection: Connection, platform: str, account_id: str) -> str | None:
    """The document of one account, None when there never was one."""
    return connection.execute(
        select(oauth.c.document).where(oauth.c.platform == platform, oauth.c.account_id == account_id)
    ).scalar()
