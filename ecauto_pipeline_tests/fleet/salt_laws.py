"""Laws of the installation's own secrets under a fleet's seal, whatever database state lies in: each a function of it.

Run on SQLite by test_sealed_salts.py, on PostgreSQL by proofs/fleet/test_tokens.py.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ecauto_pipeline.errors import Transport
from ecauto_pipeline.fleet import sealed_salts
from ecauto_pipeline.fleet.keys import Rotated
from ecauto_pipeline.fleet.seal import Seal, is_sealed, new_key
from ecauto_pipeline.fleet.sealed_salts import SealedAtRest
from ecauto_pipeline.state import salts
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.orders import order_keys
from ecauto_pipeline.state.salts import IN_CLEAR, ORDERS, AtRest


def a_fleets_secret_is_sealed_from_the_first_order_on(database: Database) -> None:
    """Made once, sealed, and the same for whoever has the key."""
    at_rest = SealedAtRest(Seal([new_key()]))
    first = _secret(database, at_rest)
    assert is_sealed(_row(database))
    assert first == _secret(database, at_rest)
    assert first.hex() not in _row(database)


def a_secret_in_clear_is_sealed_by_who_first_uses_it(database: Database) -> None:
    """What one machine made goes on to name orders as before, and lies in clear no more; used again, nothing is
    written."""
    before = _secret(database, IN_CLEAR)
    at_rest = SealedAtRest(Seal([new_key()]))
    assert before == _secret(database, at_rest)
    sealed = _row(database)
    assert is_sealed(sealed)
    assert (before, sealed) == (_secret(database, at_rest), _row(database))


def without_its_key_nothing_is_named_and_nothing_changed(database: Database) -> None:
    """A machine with another key, or that is no fleet's any more, is refused in words: a secret of its own would make
    each order a new one."""
    _secret(database, SealedAtRest(Seal([new_key()])))
    before = _row(database)
    for stranger in (SealedAtRest(Seal([new_key()])), IN_CLEAR):
        with pytest.raises(Transport) as told:
            _secret(database, stranger)
        assert "token_key" == told.value.reason
        assert told.value.ja
    assert before == _row(database)


def rotating_brings_it_under_the_newest_key(database: Database) -> None:
    """From an older key and from clear; done twice it ends the same; what no key opens is named and left."""
    old, newest = new_key(), new_key()
    secret = _secret(database, SealedAtRest(Seal([old])))
    both = Seal([newest, old])
    assert {ORDERS: "older"} == sealed_salts.lie(database, both)
    assert Rotated(1, 0, ()) == sealed_salts.rotate(database, both)
    assert Rotated(0, 1, ()) == sealed_salts.rotate(database, both)
    assert secret == _secret(database, SealedAtRest(Seal([newest])))
    stranger = Seal([new_key()])
    assert {ORDERS: "unopened"} == sealed_salts.lie(database, stranger)
    assert Rotated(0, 0, (ORDERS,)) == sealed_salts.rotate(database, stranger)
    sealed_salts.unseal(database, both)
    assert {ORDERS: "clear"} == sealed_salts.lie(database, both)
    assert Rotated(1, 0, ()) == sealed_salts.rotate(database, both)


def it_comes_out_for_one_machine_and_can_be_forgotten(database: Database) -> None:
    """Out of the seal it is the same secret; forgotten, the next order makes another."""
    seal = Seal([new_key()])
    secret = _secret(database, SealedAtRest(seal))
    sealed_salts.unseal(database, seal)
    assert secret == _secret(database, IN_CLEAR)
    assert sealed_salts.forget(database, ORDERS)
    assert not sealed_salts.forget(database, ORDERS)
    assert secret != _secret(database, IN_CLEAR)


LAWS: tuple[Callable[[Database], None], ...] = (
    a_fleets_secret_is_sealed_from_the_first_order_on,
    a_secret_in_clear_is_sealed_by_who_first_uses_it,
    without_its_key_nothing_is_named_and_nothing_changed,
    rotating_brings_it_under_the_newest_key,
    it_comes_out_for_one_machine_and_can_be_forgotten,
)


def _secret(database: Database, at_rest: AtRest) -> bytes:
    with database.write() as connection:
        return order_keys(connection, at_rest).secret


def _row(database: Database) -> str:
    with database.read() as connection:
        return salts.rows(connection)[ORDERS]
