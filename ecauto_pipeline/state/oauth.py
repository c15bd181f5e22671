"""Write-ahead of rotated shop tokens: the new pair is here before the token file is touched.

A refresh token dies when it is used, so a crash between the shop's answer and the file must not lose its successor.
Not for: the file, or which of the two is newer (shops/base/tokens.py decides).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.state import locks
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import oauth
from ecauto_pipeline.state.upsert import upsert


class TokenWriteAhead:
    """The newest token document of each account of one platform."""

    def __init__(self, database: Database, platform: str) -> None:
        self._database, self._platform = database, platform

    def load(self, account_id: str) -> str | None:
        """The document written last, None when there never was one."""
        with self._database.read() as connection:
            return connection.execute(
                select(oauth.c.document).where(oauth.c.platform == self._platform, oauth.c.account_id == account_id)
            ).scalar()

    def save(self, account_id: str, document: str, obtained_at: datetime) -> None:
        """Committed and on the disk when this returns."""
        row = {
            "platform": self._platform,
            "account_id": account_id,
            "document": document,
            "obtained_at": to_ms(obtained_at),
        }
        lock = locks.token(self._platform, account_id)
        self._database.write_again(lambda connection: upsert(connection, oauth, [row]), lock, fenced=False)
