"""The shops' tokens in state: on one machine the write-ahead of the token file, in a fleet their home, sealed.

A refresh token dies when it is used, so a crash between the shop's answer and the file must not lose its successor.
Not for: the file, or which of the two is newer (shops/base/tokens.py decides), or the seal (fleet/seal.py).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, select, update

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import oauth
from ecauto_pipeline.state.upsert import insert_for, upsert


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
        with self._database.write() as connection:
            upsert(connection, oauth, [self._row(account_id, document, obtained_at)])

    def swap(self, account_id: str, before: str | None, document: str, obtained_at: datetime | None = None) -> bool:
        """The same where `before` still stands (None: where nothing does). False: somebody else wrote, nothing is done.

        `obtained_at` None leaves the moment as it is: they are the same tokens, written another way.
        """
        row = self._row(account_id, document, obtained_at)
        with self._database.write() as connection:
            if before is None:
                fresh = insert_for(connection, oauth).values(row)
                written = fresh.on_conflict_do_nothing(index_elements=["platform", "account_id"])
            else:
                written = update(oauth).where(*self._is(account_id, before)).values(row)
            return connection.execute(written.returning(oauth.c.account_id)).first() is not None

    def forget(self, account_id: str, document: str) -> bool:
        """Drop it where it is still this one."""
        with self._database.write() as connection:
            return connection.execute(delete(oauth).where(*self._is(account_id, document))).rowcount == 1

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
