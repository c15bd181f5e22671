"""What one row of an asset holds, column by column, with units: the schema on the asset's page in the UI.

Names come from the tables themselves; a column without a word here is a test failure, not a blank.
Not for: where rows are kept (state/schema.py, history/tables.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.history.tables import DIFFS, SNAPSHOTS, UPDATES, Table
from ecauto_pipeline.state.described import columns_of

_MS = "milliseconds since 1970, UTC"
COMMON: Mapping[str, str] = {
    "run_id": "Dagster's run",
    "partition_key": "the hour (JST) it belongs to",
    "asin": "Amazon's article number, 10 characters",
    "platform": "where it is sold; also the name of that table in ecauto.toml",
    "account_id": "the shop",
    "item_id": "BASE's item number",
    "kind": "price | visibility | stock | delist",
    "reason": "one word; docs/glossary.md says what it means",
}


def _roles(*roles: Role) -> str:
    """What each role asks with: `detail (getItemOffersBatch) | ...`."""
    named = {role: ", ".join(operation.name for operation in registered().of(role)) for role in roles}
    return " | ".join(f"{role} ({names})" for role, names in named.items())


_SAID = "what was decided of it last: empty = left as it is, else why it is skipped; null = is judged by every run"


def _judged(step: str, what: str) -> dict[str, str]:
    """What stands beside a listing of the last verdict on this."""
    return {
        f"{step}_revision": f"the revision that {what} was judged from last; null = to be judged",
        f"{step}_asin_revision": "the same of its ASIN",
        f"{step}_judged_at": f"when; {_MS}",
        f"{step}_holds_until": f"when time alone may change that; null = never; {_MS}",
        f"{step}_said": _SAID,
    }


WORDS: Mapping[str, Mapping[str, str]] = {
    "listings": {
        "identifier": "BASE's identifier (SKU) as the shop shows it",
        "register_id": "row in master.db; empty = not registered",
        "register_status": "master.db: listed, active, ...",
        "register_visible": "master.db: 1 public, 0 hidden",
        "register_price_jpy": "master.db: selling price in yen",
        "shown_price_jpy": "yen, as BASE showed it last",
        "shown_visible": "1 public, 0 hidden, as BASE showed it last",
        "shown_stock": "pieces, as BASE showed them last",
        "has_variations": "1 = has variations; its stock is never touched",
        "price_by_hand": "1 = a person set the price shown: it is neither ours nor master.db's",
        "regular_price_jpy": "the price that a sale of BASE is shown beside; null = in no sale",
        "item_modified_at": f"BASE's own time of change; {_MS}",
        "priced_jpy": "yen, the price we set last; NULL = none of ours",
        "priced_cost_jpy": "yen, what that price was made from",
        "read_at": f"last read from BASE; {_MS}",
        "present": "1 = in the shop at the last whole read",
        "gone_at": f"when it was found to be in the shop no more; {_MS}",
        "first_seen_at": _MS,
        "hidden_by": "ours | owner_scripts | person | blocklist | shop; empty = not hidden, or unknown",
        "hidden_reason": "why we hid it",
        "hidden_at": _MS,
        "blocked": "1 = its ASIN is on the blocklist: never public",
        "item_rules": "lines of rules.csv that select it; empty = none",
        "uneditable": "why BASE refuses edits for good",
        "orphan": "no_register | no_item | asin_mismatch | bad_asin; empty = fits",
        "delist": "delisted_candidate: seems deleted at BASE",
        "listed": "1 = takes part in syncs",
        "unjoined": "changes of it since it was joined with master.db; empty = it is joined as it is",
        "revision": "counts the changes of what decisions read of this row",
        **_judged("price", "price"),
        **_judged("visibility", "visibility and stock"),
        "stock_said": _SAID,
    },
    "stale_asins": {
        "plan_id": "the plan it belongs to: of an hour, a lane and a scope",
        "seq": "place in the order of asking",
        "operation": _roles(Role.DETAIL, Role.SWEEP),
        "tier": "high | medium | low",
    },
    "sp_api_snapshots": {
        "snapshot_id": "the answer",
        "observed_at": "when Amazon answered, UTC",
        "operation": "SP-API operation",
        "status": "success | out_of_stock | filtered_out | not_found | api_error",
        "price_jpy": "yen, shipping included; empty where the operation carries none",
        "in_stock": "empty = unknown",
        "offer_count": "offers in the answer",
        "ship_hours_max": "hours until the chosen offer ships",
        "is_prime": "the chosen offer is Prime",
        "is_fba": "the chosen offer is fulfilled by Amazon",
        "sp_account": "the selling account that asked",
        "request_id": "Amazon's number of the call",
        "http_status": "of the call, or of this ASIN within a batch",
        "offers_json": "the offers, each with why it did not fit",
        "seller_id": "seller of the chosen offer",
        "listing_price_jpy": "yen without shipping",
        "shipping_jpy": "yen",
    },
    "diffs": {
        "diff_id": "the decision",
        "shown": "what BASE showed: yen, 0/1 or pieces, as text",
        "wanted": "what it should show: yen, 0/1 or pieces, as text",
        "decision": "push | held | blocked | skipped",
        "snapshot_id": "the answer it rests on",
        "decided_at": "UTC",
        "cost_jpy": "Amazon's price in yen",
        "profit_jpy": "yen left of a sale after fees, at the price wanted (of a price) or shown; empty = unknown",
        "evidence": "JSON: the numbers behind a hold",
        "tier": "high | medium | low",
    },
    "base_updates": {
        "update_id": "the edit",
        "diff_id": "the decision it carries out",
        "before": "what BASE showed: yen, 0/1 or pieces, as text",
        "after": "what was sent: yen, 0/1 or pieces, as text",
        "outcome": "done | failed | unknown | dry_run",
        "error": "BASE's words",
        "attempts": "calls that it took",
        "attempted_at": "UTC",
        "completed_at": "UTC; empty = nobody knows how it ended",
        "key": "idempotency key",
        "rollback_of": "the edit that this one undoes",
    },
}
_TABLES: Mapping[str, tuple[Table | str, str]] = {  # of history, or of state.db by its name
    "listings": ("listings", "listings"),
    "stale_asins": ("plan_targets", "stale_asins"),
    "sp_api_snapshots": (SNAPSHOTS, "sp_api_snapshots"),
    "price_diffs": (DIFFS, "diffs"),
    "visibility_diffs": (DIFFS, "diffs"),
    "base_updates": (UPDATES, "base_updates"),
}


def column_schema(asset: str) -> Mapping[str, dg.TableSchema]:
    """Definition metadata of an asset: its columns with types and meanings."""
    table, words = _TABLES[asset]
    said = {**COMMON, **WORDS[words]}
    columns = table.columns if isinstance(table, Table) else columns_of(table)
    return {"dagster/column_schema": dg.TableSchema([dg.TableColumn(name, kind, said[name]) for name, kind in columns])}
