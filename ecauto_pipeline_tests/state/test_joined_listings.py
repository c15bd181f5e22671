"""Who hid what was first seen hidden is one rule, said in Python for a row and in SQL for all that waited."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from sqlalchemy import Connection, insert, select

from ecauto_pipeline.domain.selling.hidden_by import OWNER_SCRIPTS, PERSON, SeenBefore, who_hid
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.joined_listings import settle_who_hid
from ecauto_pipeline.state.schema import listings

SHOP = ("base", "shop_1")
HIDERS = ("", "ours", OWNER_SCRIPTS, PERSON, "blocklist", "shop")
ROWS = list(product((None, 1, 0), (None, 1, 0), HIDERS, (None, 7)))
"""What the shop shows, what the register says, who is known to have hidden it, when it was read."""


@pytest.fixture
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}")
    with database.write() as opened:
        yield opened
    database.close()


def _save(connection: Connection) -> None:
    columns = ("shown_visible", "register_visible", "hidden_by", "read_at")
    key = {"platform": SHOP[0], "account_id": SHOP[1]}
    rows = [{**key, "item_id": str(number), **dict(zip(columns, row, strict=True))} for number, row in enumerate(ROWS)]
    connection.execute(insert(listings), rows)


def _flag(value: int | None) -> bool | None:
    return None if value is None else value == 1


def test_what_waited_for_the_register_is_settled_as_if_it_had_been_asked_at_once(connection: Connection) -> None:
    """First seen hidden while master.db could not be read, it gets the word that a reading of both would have had;
    a row that does not wait (public, never read, hidden by somebody known) keeps it. Every row there can be."""
    _save(connection)
    settle_who_hid(connection, *SHOP)
    settled = dict(connection.execute(select(listings.c.item_id, listings.c.hidden_by)).all())
    for number, (shown, register, known, read_at) in enumerate(ROWS):
        waits = read_at is not None and shown == 0 and not known
        at_once = who_hid(None, _flag(shown), _flag(register), None)
        assert (at_once if waits else known) == settled[str(number)], ROWS[number]


def test_what_is_settled_stands_at_the_next_reading(connection: Connection) -> None:
    """Both say the same of a listing that is hidden still: the next reading finds no other word, and settling again
    changes nothing."""
    _save(connection)
    settle_who_hid(connection, *SHOP)
    first = list(connection.execute(select(listings.c.item_id, listings.c.hidden_by, listings.c.hidden_at)))
    for number, hider, _ in first:
        shown, register, _, read_at = ROWS[int(number)]
        if shown == 0 and read_at is not None:
            assert hider == who_hid(SeenBefore(False, hider), False, _flag(register), None)
    settle_who_hid(connection, *SHOP)
    again = list(connection.execute(select(listings.c.item_id, listings.c.hidden_by, listings.c.hidden_at)))
    assert first == again
