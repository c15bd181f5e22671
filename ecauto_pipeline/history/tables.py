"""The shape of the public tables: names, order and types of their columns.

The columns of `Table.contract` are a promise to whoever queries `history.duckdb`; what we need besides follows.
Times are timestamp[us, UTC], money whole yen in 64-bit integers, unknown is null. Arrow is imported by whoever asks for
its schema: a question needs none of it. Not for: rows (casting.py), files or the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ecauto_pipeline.history.errors import RowRefused

if TYPE_CHECKING:
    import pyarrow as pa

AUTHORITATIVE = ("success", "out_of_stock", "filtered_out", "not_found")
"""The statuses in which Amazon did answer; `api_error` is the absence of an answer."""

TEXT, WHOLE, REAL, FLAG, TIME = "VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP WITH TIME ZONE"
"""DuckDB's types, one a kind of column."""


@dataclass(frozen=True, slots=True)
class Table:
    """One public table. `key` names a fact once and for all, `time` is the column it is ordered by.

    `columns`: (name, DuckDB's type), in order; `contract`: the names that are a promise; `required`: never null.
    `digits` are the text columns that hold an integer (`shown`, `wanted`, `before`, `after`). `settled` is the column
    of a time that says which of two rows of a key is the later word (null = none yet); "" = rows never change.
    """

    name: str
    key: str
    time: str
    columns: tuple[tuple[str, str], ...]
    contract: tuple[str, ...]
    required: tuple[str, ...]
    digits: tuple[str, ...] = ()
    settled: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns, in order."""
        return tuple(name for name, _ in self.columns)

    @property
    def times(self) -> frozenset[str]:
        """The columns that are moments."""
        return frozenset(name for name, kind in self.columns if kind == TIME)

    @property
    def schema(self) -> pa.Schema:
        """What its files hold, as Arrow says it."""
        return _schema(self.columns)


@cache
def _schema(columns: tuple[tuple[str, str], ...]) -> pa.Schema:
    import pyarrow as pa

    kinds = {
        TEXT: pa.string(),
        WHOLE: pa.int64(),
        REAL: pa.float64(),
        FLAG: pa.bool_(),
        TIME: pa.timestamp("us", "UTC"),
    }
    return pa.schema([pa.field(name, kinds[kind]) for name, kind in columns])


def _table(
    name: str,
    key: str,
    time: str,
    contract: Sequence[tuple[str, str]],
    more: Sequence[tuple[str, str]] = (),
    *,
    required: tuple[str, ...] = (),
    digits: tuple[str, ...] = (),
    settled: str = "",
) -> Table:
    return Table(
        name=name,
        key=key,
        time=time,
        columns=(*contract, *more),
        contract=tuple(column for column, _ in contract),
        required=(key, *required),
        digits=digits,
        settled=settled,
    )


SNAPSHOTS = _table(
    "snapshots",
    "snapshot_id",
    "observed_at",
    [
        ("snapshot_id", TEXT),
        ("run_id", TEXT),
        ("partition_key", TEXT),
        ("asin", TEXT),
        ("observed_at", TIME),
        ("operation", TEXT),
        ("status", TEXT),
        ("reason", TEXT),
        ("price_jpy", WHOLE),
        ("in_stock", FLAG),
        ("offer_count", WHOLE),
        ("ship_hours_max", WHOLE),
        ("is_prime", FLAG),
        ("is_fba", FLAG),
        ("sp_account", TEXT),
        ("request_id", TEXT),
    ],
    [
        ("http_status", WHOLE),
        ("offers_json", TEXT),
        ("seller_id", TEXT),
        ("listing_price_jpy", WHOLE),
        ("shipping_jpy", WHOLE),
    ],
    required=("run_id", "asin", "observed_at", "status"),
)

DIFFS = _table(
    "diffs",
    "diff_id",
    "decided_at",
    [
        ("diff_id", TEXT),
        ("run_id", TEXT),
        ("partition_key", TEXT),
        ("kind", TEXT),
        ("platform", TEXT),
        ("account_id", TEXT),
        ("item_id", TEXT),
        ("asin", TEXT),
        ("shown", TEXT),
        ("wanted", TEXT),
        ("decision", TEXT),
        ("reason", TEXT),
        ("snapshot_id", TEXT),
        ("decided_at", TIME),
    ],
    [("cost_jpy", WHOLE), ("evidence", TEXT), ("tier", TEXT), ("profit_jpy", WHOLE)],
    required=("run_id", "kind", "decision", "decided_at"),
    digits=("shown", "wanted"),
)

UPDATES = _table(
    "updates",
    "update_id",
    "attempted_at",
    [
        ("update_id", TEXT),
        ("diff_id", TEXT),
        ("run_id", TEXT),
        ("platform", TEXT),
        ("account_id", TEXT),
        ("item_id", TEXT),
        ("asin", TEXT),
        ("kind", TEXT),
        ("before", TEXT),
        ("after", TEXT),
        ("outcome", TEXT),
        ("error", TEXT),
        ("attempts", WHOLE),
        ("attempted_at", TIME),
        ("completed_at", TIME),
    ],
    [("key", TEXT), ("rollback_of", TEXT)],
    required=("run_id", "outcome"),
    digits=("before", "after"),
    settled="completed_at",
)

API_CALLS = _table(
    "api_calls",
    "call_id",
    "started_at",
    [
        ("call_id", TEXT),
        ("run_id", TEXT),
        ("api", TEXT),
        ("operation", TEXT),
        ("account", TEXT),
        ("started_at", TIME),
        ("duration_ms", WHOLE),
        ("items", WHOLE),
        ("http_status", WHOLE),
        ("outcome", TEXT),
        ("error", TEXT),
        ("request_id", TEXT),
        ("rate_limit", REAL),
    ],
    required=("api", "started_at"),
)

RUN_METRICS = _table(
    "run_metrics",
    "run_id",
    "started_at",
    [
        ("run_id", TEXT),
        ("job", TEXT),
        ("partition_key", TEXT),
        ("started_at", TIME),
        ("dry_run", FLAG),
        ("total_asins", WHOLE),
        ("cache_hits", WHOLE),
        ("cache_misses", WHOLE),
        ("sp_api_calls", WHOLE),
        ("base_api_updates", WHOLE),
        ("errors", WHOLE),
        ("execution_time_seconds", REAL),
        ("planned_seconds", REAL),
        ("targets", WHOLE),
        ("pushed", WHOLE),
        ("unchanged", WHOLE),
        ("held", WHOLE),
        ("blocked", WHOLE),
        ("skipped", WHOLE),
        ("failed", WHOLE),
    ],
    [
        ("sp_account_calls", TEXT),
        ("oldest_pushed_data_s", REAL),
        ("due_total", WHOLE),
        ("held_open", WHOLE),
        ("catalogue_nulled", WHOLE),
        ("probe_audited", WHOLE),
        ("probe_missed", WHOLE),
        ("token_days_left", REAL),
        ("base_api_calls", WHOLE),
        ("base_api_errors", WHOLE),
        ("sp_api_errors", WHOLE),
        ("slice_no", WHOLE),
        ("status_success", WHOLE),
        ("status_out_of_stock", WHOLE),
        ("status_filtered_out", WHOLE),
        ("status_not_found", WHOLE),
        ("status_api_error", WHOLE),
        ("left_over", WHOLE),
        ("reason_counts", TEXT),
        ("trigger", TEXT),
        ("opinion_audited", WHOLE),
        ("opinion_contradicted", WHOLE),
        ("lane", TEXT),
    ],
    required=("started_at",),
)

ORDERS = _table(
    "orders",
    "order_id",
    "sold_at",
    [
        ("order_id", TEXT),
        ("order_key", TEXT),
        ("run_id", TEXT),
        ("platform", TEXT),
        ("account_id", TEXT),
        ("item_id", TEXT),
        ("asin", TEXT),
        ("amount", WHOLE),
        ("price_jpy", WHOLE),
        ("cost_then_jpy", WHOLE),
        ("cost_at_sale_jpy", WHOLE),
        ("profit_jpy", WHOLE),
        ("sold_at", TIME),
        ("seen_at", TIME),
        ("settled_at", TIME),
    ],
    [
        ("status", TEXT),
        ("reason", TEXT),
        ("seller_id", TEXT),
        ("is_prime", FLAG),
        ("is_fba", FLAG),
        ("ship_hours_max", WHOLE),
        ("snapshot_id", TEXT),
    ],
    required=("run_id", "item_id", "sold_at"),
    settled="settled_at",
)

TABLES: dict[str, Table] = {table.name: table for table in (SNAPSHOTS, DIFFS, UPDATES, API_CALLS, RUN_METRICS, ORDERS)}


def table_of(name: str) -> Table:
    """The table called `name`. Raises RowRefused on a name that is none of them."""
    try:
        return TABLES[name]
    except KeyError:
        raise RowRefused(f"no history table {name!r}; there are {', '.join(TABLES)}") from None
