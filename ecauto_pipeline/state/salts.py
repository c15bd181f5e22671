"""Secrets of this installation's own making, a row of `salts` each: made once, under a name, and never replaced.

How one lies in its row is said by whoever opens the state: as it is on one machine, sealed in a fleet, whose database
others can read. A row that still lies in clear is sealed by the first who uses it. Not for: the seal (fleet/seal.py) or
tokens (oauth.py).
"""

from __future__ import annotations

import secrets
from typing import Protocol

from sqlalchemy import Connection, delete, select, update

from ecauto_pipeline.errors import Transport
from ecauto_pipeline.state.schema_notes import salts
from ecauto_pipeline.state.upsert import insert_for

ORDERS = "orders"
"""The secret behind the names of orders (state/orders.py)."""


class AtRest(Protocol):
    """How a secret is written into its row and read from there; both are texts."""

    def write(self, name: str, secret: str) -> str: ...

    def read(self, name: str, row: str) -> str:
        """Raises Transport `token_key` where this machine can't read it."""
        ...


class InClear:
    """One machine's way: state.db is its owner's alone."""

    def write(self, name: str, secret: str) -> str:
        return secret

    def read(self, name: str, row: str) -> str:
        if _is_secret(row):
            return row
        raise Transport("token_key", f"the secret {name} is sealed", ja=f"{name}の秘密が封印されています")


IN_CLEAR = InClear()


def salt(connection: Connection, name: str, at_rest: AtRest) -> bytes:
    """The secret of this name, 32 bytes; made where there is none (needs a write transaction).

    Raises Transport `token_key` where the row can't be read: another secret would name everything anew.
    """
    row = _row(connection, name)
    if row is None:
        fresh = insert_for(connection, salts).values(name=name, value=at_rest.write(name, secrets.token_hex(32)))
        connection.execute(fresh.on_conflict_do_nothing(index_elements=["name"]))
        row = _row(connection, name)
        assert row is not None
    secret = at_rest.read(name, row)
    if secret == row and (covered := at_rest.write(name, secret)) != row:
        replace_row(connection, name, row, covered)
    return bytes.fromhex(secret)


def rows(connection: Connection) -> dict[str, str]:
    """Every row as it lies, by name."""
    return {name: value for name, value in connection.execute(select(salts).order_by(salts.c.name))}


def replace_row(connection: Connection, name: str, before: str, after: str) -> None:
    """The same secret, written another way, where `before` still stands."""
    connection.execute(update(salts).where(salts.c.name == name, salts.c.value == before).values(value=after))


def forget_row(connection: Connection, name: str, row: str) -> None:
    """Drop it where it is still this one: the next who needs a secret of this name makes another."""
    connection.execute(delete(salts).where(salts.c.name == name, salts.c.value == row))


def _row(connection: Connection, name: str) -> str | None:
    return connection.execute(select(salts.c.value).where(salts.c.name == name)).scalar_one_or_none()


def _is_secret(row: str) -> bool:
    try:
        return len(bytes.fromhex(row)) == 32
    except ValueError:
        return False
