"""The register in PostgreSQL: the laws of master.db, and carried from the owner's file and back without a loss."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ecauto_pipeline.errors import RegisterBusy, RegisterError, RegisterMissing, SettingsError
from ecauto_pipeline.register.carrying import Carried, Lost, TableCarried, carry
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.register.owner_file import OwnerFile
from ecauto_pipeline.register.postgresql import PostgresRegister, open_postgresql
from ecauto_pipeline.register.rows import ListingRow, ProductRow
from ecauto_pipeline_tests.register.register_laws import LAWS, LISTINGS, PRODUCTS
from proofs.fleet.servers import PostgreSQL


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_of_the_register_holds_on_postgresql(law: Callable[[Register], None], postgresql_url: str) -> None:
    """The same functions as on SQLite."""
    register = PostgresRegister(postgresql_url)
    assert register.seed(PRODUCTS, LISTINGS)
    assert not register.seed([{**PRODUCTS[0], "asin": "B000000009"}], [])
    law(register)


def test_what_is_no_register_is_said_without_a_password(postgresql_url: str) -> None:
    """Tables that are not there yet, a server that does not answer, an address of something else."""
    empty = PostgresRegister(postgresql_url)
    assert not empty.is_there()
    with pytest.raises(RegisterMissing, match="register import"):
        empty.check()
    away = PostgresRegister("postgresql+psycopg://me:secret@127.0.0.1:1/shop", 0.5)
    for work in (away.check, away.read):
        with pytest.raises(RegisterBusy) as told:
            work()
        assert "secret" not in f"{told.value} {told.value.ja}"
    with pytest.raises(SettingsError):
        open_postgresql("mysql://me:secret@127.0.0.1/shop")


def _dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return [line for line in database.iterdump() if line.startswith("INSERT")]


def _said(register: Register) -> tuple[list[ProductRow], list[ListingRow]]:
    """What a run reads, whatever order the database has it in."""
    read = register.read()
    return sorted(read.products, key=lambda row: row.asin), read.listings


def _owners(path: Path) -> OwnerFile:
    """A file with columns, a table and spellings of the owner's own."""
    Register.create(path, PRODUCTS, LISTINGS)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("ALTER TABLE products ADD COLUMN points INTEGER")
        database.execute("ALTER TABLE products ADD COLUMN [my note] TEXT")
        database.execute("UPDATE products SET points = 12, [my note] = '50% ?' WHERE asin = 'B000000001'")
        database.execute("CREATE TABLE orders (id)")
        database.execute("INSERT INTO orders VALUES (1)")
    return OwnerFile(path)


def test_a_register_is_carried_there_and_back_as_it_is(postgresql_url: str, tmp_path: Path) -> None:
    """Looked at first, then done; done again there is nothing to do; a new file gets every row of the old one."""
    owner, fleet = _owners(tmp_path / "master.db"), PostgresRegister(postgresql_url)
    wanted = (TableCarried("products", 2, 2, 0, 0, 0), TableCarried("listings", 2, 2, 0, 0, 0))
    lost = (Lost("table", "orders", 1, "1 rows"),)
    assert Carried(False, wanted, lost) == carry(owner, fleet, apply=False)
    assert not fleet.is_there()
    assert Carried(True, wanted, lost) == carry(owner, fleet, apply=True)
    assert 0 == carry(owner, fleet, apply=True).to_do
    assert _said(owner) == _said(fleet)
    before = _dump(owner.path)
    assert 0 == carry(fleet, owner, apply=True).to_do
    assert before == _dump(owner.path)
    copy = OwnerFile(tmp_path / "copy.db")
    assert 4 == carry(fleet, copy, apply=False).to_do
    assert not copy.path.exists()
    told = carry(fleet, copy, apply=True)
    assert {"products.points", "products.my note"} == {one.place for one in told.lost if one.kind == "column"}
    assert _said(owner) == _said(copy)


def test_what_can_not_come_along_is_told_with_its_place(postgresql_url: str, tmp_path: Path) -> None:
    """Text where a number belongs, a NUL, bytes: the value is left out and named, its row comes; a row without what
    it is known by stays behind."""
    owner, fleet = _owners(tmp_path / "master.db"), PostgresRegister(postgresql_url)
    with closing(sqlite3.connect(owner.path)) as database, database:
        database.execute("UPDATE products SET amazon_price_jpy = 'dear', title_ja = 'a' || char(0) || 'b'")
        database.execute("UPDATE listings SET selling_price = x'00' WHERE id = 1")
        database.execute("UPDATE listings SET platform = x'ff' WHERE id = 2")
    told = carry(owner, fleet, apply=True)
    assert {
        ("table", "orders", 1),
        ("value", "products.amazon_price_jpy", 2),
        ("value", "products.title_ja", 2),
        ("value", "listings.selling_price", 1),
        ("value", "listings.platform", 1),
        ("row", "listings", 1),
    } == {(one.kind, one.place, one.count) for one in told.lost}
    assert {"B000000001": "ab", "B000000002": "ab"} == fleet.titles(["B000000001", "B000000002"])
    assert [(1, None)] == [(row.register_id, row.selling_price_jpy) for row in fleet.read().listings]


def test_rows_that_differ_are_counted_and_what_stands_there_alone_stays(postgresql_url: str, tmp_path: Path) -> None:
    """Unless it is to go. A listing that is added afterwards gets a number of its own."""
    owner, fleet = _owners(tmp_path / "master.db"), PostgresRegister(postgresql_url)
    fleet.seed([*PRODUCTS, {**PRODUCTS[0], "asin": "B000000003"}], LISTINGS)
    looked = carry(owner, fleet, apply=False)
    assert TableCarried("products", 2, 0, 1, 1, 1) == looked.tables[0]
    with closing(sqlite3.connect(owner.path)) as database, database:
        database.execute("UPDATE listings SET id = 70 WHERE id = 2")
    for apply in (False, True):  # the listing's ASIN and shop stand there under another number
        with pytest.raises(RegisterError, match="shop_2"):
            carry(owner, fleet, apply=apply)
    assert {"B000000001", "B000000002", "B000000003"} == {row.asin for row in fleet.read().products}
    carry(owner, fleet, apply=True, remove_rest=True)
    assert _said(owner) == _said(fleet)
    with fleet.writing() as asked:
        asked.execute("INSERT INTO listings (asin, platform) VALUES ('B000000009', 'base')")
    assert 71 == max(row.register_id for row in fleet.read().listings)


def test_a_hundred_thousand_rows_are_carried_or_none(postgresql_server: PostgreSQL, tmp_path: Path) -> None:
    """Broken off in the middle nothing is there."""
    url = postgresql_server.url(postgresql_server.new_database())
    products = [{**PRODUCTS[0], "asin": f"B{number:09}"} for number in range(100_000)]
    owner, fleet = OwnerFile(Register.create(tmp_path / "master.db", products, LISTINGS).path), PostgresRegister(url)

    class Torn(OwnerFile):
        def column_kinds(self, database: object, table: str) -> list[tuple[str, str]]:
            if table == "listings":
                raise KeyboardInterrupt
            return super().column_kinds(database, table)  # type: ignore[arg-type]  # what carry() hands it

    with pytest.raises(KeyboardInterrupt):
        carry(Torn(owner.path), fleet, apply=True)
    assert not fleet.is_there()
    assert 100_002 == carry(owner, fleet, apply=True).to_do
