"""The register of an installation: the owner's file, or PostgreSQL where the settings name an address.

Not for: reading or writing it (register/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.register.master import BUSY_TIMEOUT_S, Register
from ecauto_pipeline.settings import Settings

if TYPE_CHECKING:
    from ecauto_pipeline.register.postgresql import PostgresRegister


def register_of(settings: Settings, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Register:
    """Opens nothing. Raises SettingsError, without a password in it, for an address of no PostgreSQL."""
    if not settings.register_url:
        return Register(settings.master_db, busy_timeout_s)
    from ecauto_pipeline.register.postgresql import open_postgresql

    return open_postgresql(settings.register_url, busy_timeout_s)


def register_in_postgresql(settings: Settings) -> PostgresRegister:
    """Raises SettingsError where the register is a file."""
    if not settings.register_url:
        raise SettingsError(
            "[paths] master_db names a file; to carry it over it has to be an address (postgresql+psycopg://...)",
            ja="[paths] master_db がファイルです。PostgreSQL のアドレス (postgresql+psycopg://...) を書いてください",
        )
    from ecauto_pipeline.register.postgresql import open_postgresql

    return open_postgresql(settings.register_url)


def seed(settings: Settings, rows: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
    """A register of these rows where there is none. Raises RegisterError."""
    if not settings.register_url:
        Register.create(settings.master_db, rows["products"], rows["listings"])
        return
    from ecauto_pipeline.register.postgresql import open_postgresql

    open_postgresql(settings.register_url).seed(rows["products"], rows["listings"])
