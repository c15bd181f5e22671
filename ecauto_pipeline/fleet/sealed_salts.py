"""The installation's own secrets (state/salts.py) under the fleet's seal: how they lie, brought under the newest key,
and out of the seal again.

Each change is one transaction, so a death leaves every secret whole, under a key or in clear; doing it again ends it.
Not for: tokens (keys.py), which also have a turn.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecauto_pipeline.errors import Transport
from ecauto_pipeline.fleet.keys import Lies, Rotated, lies
from ecauto_pipeline.fleet.seal import Seal, SealBroken, is_sealed
from ecauto_pipeline.state import salts
from ecauto_pipeline.state.database import Database


@dataclass(frozen=True, slots=True)
class SealedAtRest:
    """A fleet's way to keep them. A row in clear is read, and sealed by who reads it."""

    seal: Seal

    def write(self, name: str, secret: str) -> str:
        return self.seal.close(_seal_name(name), secret)

    def read(self, name: str, row: str) -> str:
        if not is_sealed(row):
            return row
        try:
            return self.seal.open(_seal_name(name), row)
        except SealBroken as error:
            raise Transport("token_key", str(error), ja=error.ja) from None


def lie(database: Database, seal: Seal) -> dict[str, Lies]:
    """Every secret there is by its name, and how it lies. Nothing is changed."""
    with database.read() as connection:
        return {name: lies(seal, _seal_name(name), row) for name, row in salts.rows(connection).items()}


def rotate(database: Database, seal: Seal) -> Rotated:
    """All of them under the newest key, those in clear too; what no key opens is named and left."""
    resealed, already, unopened = 0, 0, []
    at_rest = SealedAtRest(seal)
    with database.write() as connection:
        for name, row in salts.rows(connection).items():
            how = lies(seal, _seal_name(name), row)
            if how == "unopened":
                unopened.append(name)
            elif how == "newest":
                already += 1
            else:
                salts.replace_row(connection, name, row, at_rest.write(name, at_rest.read(name, row)))
                resealed += 1
    return Rotated(resealed, already, tuple(unopened))


def unseal(database: Database, seal: Seal) -> None:
    """All of them in clear, for one machine. Raises Transport `token_key`; then nothing is changed."""
    at_rest = SealedAtRest(seal)
    with database.write() as connection:
        for name, row in salts.rows(connection).items():
            salts.replace_row(connection, name, row, at_rest.read(name, row))


def forget(database: Database, name: str) -> bool:
    """Drop a secret that no key opens any more; False where there is none."""
    with database.write() as connection:
        row = salts.rows(connection).get(name)
        if row is not None:
            salts.forget_row(connection, name, row)
    return row is not None


def _seal_name(name: str) -> str:
    """What the seal of a secret names: none of a shop's, which begin with their platform."""
    return f"salt:{name}"
