"""Laws of the public tables: their names, columns, order and types are what outsiders were promised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from ecauto_pipeline.history.tables import TABLES
from ecauto_pipeline_tests.history.rows import NOON, asked, snapshot, store_in

_TEXT, _WHOLE, _REAL, _FLAG, _TIME = "VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP WITH TIME ZONE"

_PROMISED = {
    "snapshots": "snapshot_id run_id partition_key asin observed_at operation status reason price_jpy in_stock "
    "offer_count ship_hours_max is_prime is_fba sp_account request_id",
    "diffs": "diff_id run_id partition_key kind platform account_id item_id asin shown wanted decision reason "
    "snapshot_id decided_at",
    "updates": "update_id diff_id run_id platform account_id item_id asin kind before after outcome error attempts "
    "attempted_at completed_at",
    "api_calls": "call_id run_id api operation account started_at duration_ms items http_status outcome error "
    "request_id rate_limit",
    "run_metrics": "run_id job partition_key started_at dry_run total_asins cache_hits cache_misses sp_api_calls "
    "base_api_updates errors execution_time_seconds planned_seconds targets pushed unchanged held blocked skipped "
    "failed",
    "orders": "order_id order_key run_id platform account_id item_id asin amount price_jpy cost_then_jpy "
    "cost_at_sale_jpy profit_jpy sold_at seen_at settled_at",
}
_MORE = {
    "snapshots": "http_status offers_json seller_id listing_price_jpy shipping_jpy",
    "diffs": "cost_jpy evidence tier profit_jpy",
    "updates": "key rollback_of",
    "api_calls": "",
    "run_metrics": "sp_account_calls oldest_pushed_data_s due_total held_open catalogue_nulled probe_audited "
    "probe_missed token_days_left base_api_calls base_api_errors sp_api_errors slice_no status_success "
    "status_out_of_stock status_filtered_out status_not_found status_api_error left_over reason_counts trigger "
    "opinion_audited opinion_contradicted lane",
    "orders": "status reason seller_id is_prime is_fba ship_hours_max snapshot_id",
}
_REALS = {"rate_limit", "execution_time_seconds", "planned_seconds", "oldest_pushed_data_s", "token_days_left"}
_FLAGS = {"in_stock", "is_prime", "is_fba", "dry_run"}
_WHOLES = (
    "price_jpy offer_count ship_hours_max http_status listing_price_jpy shipping_jpy cost_jpy attempts duration_ms "
    "items total_asins cache_hits cache_misses sp_api_calls base_api_updates errors targets pushed unchanged held "
    "blocked skipped failed due_total held_open catalogue_nulled probe_audited probe_missed base_api_calls "
    "base_api_errors sp_api_errors slice_no status_success status_out_of_stock status_filtered_out status_not_found "
    "status_api_error left_over opinion_audited opinion_contradicted amount cost_then_jpy cost_at_sale_jpy profit_jpy"
)


def _kind(column: str) -> str:
    if column.endswith("_at"):
        return _TIME
    if column in _REALS:
        return _REAL
    return _FLAG if column in _FLAGS else _WHOLE if column in _WHOLES.split() else _TEXT


def test_tables_are_as_promised_even_when_empty(tmp_path: Path) -> None:
    """Before a single row the six tables and the view exist, with the promised columns first, in order and type."""
    store = store_in(tmp_path)
    store.load()
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in asked(
        store,
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "ORDER BY table_name, ordinal_position",
    ):
        found.setdefault(str(table), []).append((str(column), str(kind)))
    for table, promised in _PROMISED.items():
        columns = [*promised.split(), *_MORE[table].split()]
        assert [*((name, _kind(name)) for name in columns), ("loaded_file", _WHOLE)] == found[table]
        assert tuple(promised.split()) == TABLES[table].contract
    assert found["snapshots"][:-1] == found["asin_latest"]
    assert {*_PROMISED, "asin_latest", "loaded_files"} == found.keys()
    assert [] == asked(store, "SELECT * FROM asin_latest")


def test_the_promised_columns_can_be_asked_for_bare(tmp_path: Path) -> None:
    """No name of the contract has to be quoted by the one who asks."""
    store = store_in(tmp_path)
    store.load()
    for table in TABLES.values():
        assert [] == asked(store, f"SELECT {', '.join(table.schema.names)} FROM {table.name}")


def test_there_is_no_index_to_corrupt(tmp_path: Path) -> None:
    """Uniqueness is the writer's business: no constraint, no index."""
    store = store_in(tmp_path)
    store.load()
    assert [(0,)] == asked(store, "SELECT count(*) FROM duckdb_indexes()")
    assert [(0,)] == asked(
        store, "SELECT count(*) FROM duckdb_constraints() WHERE NOT starts_with(table_name, 'duckdb')"
    )


def test_asin_latest_is_the_newest_answer_that_amazon_gave(tmp_path: Path) -> None:
    """An api_error is no answer; of two answers in one instant the larger snapshot_id is the later."""
    store = store_in(tmp_path)
    one: dict[str, Any] = {"asin": "B0", "observed_at": NOON}
    rows = [
        snapshot(1, **one),
        snapshot(2, **one, status="out_of_stock", price_jpy=None),
        snapshot(3, status="api_error", asin="B0"),
        snapshot(4, status="api_error", asin="B1"),
        snapshot(5, status="not_found", asin="B2"),
        snapshot(6, status="filtered_out", asin="B3"),
        snapshot(1000, status="success", asin="B3"),
    ]
    store.write("snapshots", "r1", rows, NOON)
    store.load()
    assert [("B0", "s00000002", None), ("B2", "s00000005", 1005), ("B3", "s00001000", 2000)] == asked(
        store, "SELECT asin, snapshot_id, price_jpy FROM asin_latest ORDER BY asin"
    )


def test_a_database_of_an_older_version_gets_the_columns_added_since(tmp_path: Path) -> None:
    """A column we add later appears in a database that exists, and its rows are kept."""
    store = store_in(tmp_path)
    store.write("run_metrics", "r1", [{"run_id": "r1", "started_at": NOON}], NOON)
    store.load()
    with duckdb.connect(str(store.database)) as connection:
        connection.execute("ALTER TABLE run_metrics DROP COLUMN left_over")
    store.write("run_metrics", "r2", [{"run_id": "r2", "started_at": NOON, "left_over": 3}], NOON)
    store.load()
    assert [("r1", None), ("r2", 3)] == asked(store, "SELECT run_id, left_over FROM run_metrics ORDER BY 1")


def test_a_database_from_before_a_table_was_promised_gets_it(tmp_path: Path) -> None:
    """Folders of an earlier version go on: the table appears with the next load, and what is there stays."""
    store = store_in(tmp_path)
    store.write("run_metrics", "r1", [{"run_id": "r1", "started_at": NOON}], NOON)
    store.load()
    with duckdb.connect(str(store.database)) as connection:
        connection.execute("DROP TABLE orders")
    sold = {"order_id": "o1", "run_id": "r2", "item_id": "7", "sold_at": NOON, "price_jpy": 2580, "is_fba": True}
    store.write("orders", "r2", [sold], NOON)
    store.load()
    assert [("o1", 2580, True)] == asked(store, "SELECT order_id, price_jpy, is_fba FROM orders")
    assert [("r1",)] == asked(store, "SELECT run_id FROM run_metrics")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE orders",
        "DROP TABLE snapshots",
        "DROP VIEW asin_latest",
        "ALTER TABLE updates DROP COLUMN rollback_of",
        "ALTER TABLE snapshots DROP COLUMN offers_json",
    ],
)
def test_what_is_missing_is_made_by_the_next_load(tmp_path: Path, statement: str) -> None:
    """A table, a column, the view; also one whose table has changed beneath it. Nothing is built anew for that."""
    store = store_in(tmp_path)
    store.write("snapshots", "r1", [snapshot(1)], NOON)
    store.load()
    with duckdb.connect(str(store.database)) as connection:
        connection.execute(statement)
    store.write("snapshots", "r2", [snapshot(2, asin="B9")], NOON)
    assert not store.load().rebuilt
    with duckdb.connect(str(store.database), read_only=True) as connection:
        for name, table in TABLES.items():
            columns = [column for column, *_ in connection.execute(f'SELECT * FROM "{name}" LIMIT 0').description]
            assert {*table.names, "loaded_file"} == set(columns)
        assert ("s00000002",) in connection.execute("SELECT snapshot_id FROM asin_latest").fetchall()
