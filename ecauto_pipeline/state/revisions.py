"""What decisions read of a row has a revision that changes with it, in the transaction of whoever writes: by triggers.

A listing is judged again when its revision, or that of its ASIN, is not the one it was judged from (judged.py). No
writer has to know of it, and none can forget it: the database itself sets the mark. What a decision reads is named here
once; the readers (shop_listings.py, known_asins.py, price_moves.py, corrections.py) and the triggers go by the same
names. What joining a listing with the register reads is marked likewise (joined_listings.py).
Not for: what changes without a write, a limit that time passes (domain/selling/holds_until.py) or the terms of a
shop (sync/diffs/changed.py). Why triggers: docs/decisions/judge-what-changed.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

LISTING_FACTS = (
    *("item_id", "asin", "shown_price_jpy", "shown_visible", "shown_stock", "has_variations"),
    *("hidden_by", "register_visible", "blocked", "uneditable", "read_at", "first_seen_at", "price_by_hand"),
    "item_rules",
)
"""What of a row of listings a decision is made from."""
FACTS_OF_TIME = ("item_id", "read_at")
"""Of these no rule makes anything: what the row is called, and when it was read."""
CORRECTION_FACTS = ("shown_price_jpy", "regular_price_jpy", "item_modified_at")
"""What says of a row of listings whether the price that we set took effect."""
LISTING_INPUTS = tuple(
    dict.fromkeys(name for name in (*LISTING_FACTS, *CORRECTION_FACTS, "listed") if name not in FACTS_OF_TIME)
)
JOIN_INPUTS = (
    *("identifier", "present", "delist"),
    *("asin", "register_id", "register_status", "register_visible", "register_price_jpy"),
    *("orphan", "listed", "blocked"),
)
"""What of a row of listings joining it with the register reads, and what it writes: a row that neither its shop nor we
nor a hand in the database has changed since is joined as it would be joined now, while the register is the same."""

ASIN_FACTS = (
    *("asin", "status", "price_jpy", "in_stock", "price_at", "stock_at", "filtered_since", "filtered_count"),
    *("doubt", "snapshot_id", "last_sold_at", "last_viewed_at"),
)
"""What of a row of asins a decision is made from."""
CONTRADICTION_FACTS = ("contradictions", "doubt_price_jpy", "contradiction")
ASIN_INPUTS = (*ASIN_FACTS[1:], *CONTRADICTION_FACTS)

JOURNAL_INPUTS = (
    *("diff_id", "kind", "before", "after", "outcome", "error", "intent_at", "completed_at", "rollback_of", "refused"),
)
"""What of an edit of ours says how its listing's price has moved, and whether the shop took it."""

_SKIP = "decision = 'skipped'"
"""Of these the last row on record is what is said: once it has left, its listing is judged, and it is said again."""
_KEY = ("platform", "account_id", "item_id")
ASIN_CHANGES = "asins"
"""The counter of all changes of ASINs. On SQLite alone, where one writes after the other: there whoever has seen number
N has seen every change up to it (judged.py). In PostgreSQL a smaller number may be kept later than a larger one."""
_NEXT_CHANGE = (
    f"INSERT INTO counters (name, value) VALUES ('{ASIN_CHANGES}', 1)"
    " ON CONFLICT (name) DO UPDATE SET value = value + 1"
)
_CHANGE = f"(SELECT value FROM counters WHERE name = '{ASIN_CHANGES}')"


def complete(connection: Connection) -> None:
    """The triggers of this version are there afterwards, and no others of these names."""
    if connection.dialect.name == "sqlite":
        there = {
            name: sql
            for name, sql in connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        }
        for name, statement in sqlite_triggers().items():
            if there.get(name) != statement:
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
                connection.exec_driver_sql(statement)
        return
    for statement in postgresql_statements():
        connection.exec_driver_sql(statement)


def sqlite_triggers() -> Mapping[str, str]:
    """By name, each as SQLite itself writes it down."""
    return {
        "listings_revision": _sqlite(
            *("listings_revision", "listings", f"UPDATE OF {', '.join(LISTING_INPUTS)}", LISTING_INPUTS),
            "UPDATE listings SET revision = revision + 1 WHERE rowid = new.rowid",
        ),
        "listings_unjoined": _sqlite(
            *("listings_unjoined", "listings", f"UPDATE OF {', '.join(JOIN_INPUTS)}", JOIN_INPUTS),
            "UPDATE listings SET unjoined = coalesce(unjoined, 0) + 1 WHERE rowid = new.rowid",
        ),
        "asins_revision": _sqlite(
            *("asins_revision", "asins", f"UPDATE OF {', '.join(ASIN_INPUTS)}", ASIN_INPUTS),
            f"{_NEXT_CHANGE}; UPDATE asins SET revision = revision + 1, change_number = {_CHANGE}"
            " WHERE rowid = new.rowid",
        ),
        "asins_came": _sqlite(
            *("asins_came", "asins", "INSERT", ()),
            f"{_NEXT_CHANGE}; UPDATE asins SET change_number = {_CHANGE} WHERE rowid = new.rowid",
        ),
        "asins_forgotten": _sqlite(
            "asins_forgotten",
            "asins",
            "DELETE",
            (),
            "UPDATE listings SET revision = revision + 1 WHERE asin = old.asin",
        ),
        "journal_intended": _sqlite("journal_intended", "journal", "INSERT", (), _listing_of("new")),
        "journal_revision": _sqlite(
            "journal_revision", "journal", f"UPDATE OF {', '.join(JOURNAL_INPUTS)}", JOURNAL_INPUTS, _listing_of("new")
        ),
        "journal_withdrawn": _sqlite("journal_withdrawn", "journal", "DELETE", (), _listing_of("old")),
        "diffs_forgotten": (
            f"CREATE TRIGGER diffs_forgotten AFTER DELETE ON diffs WHEN old.{_SKIP} BEGIN {_listing_of('old')}; END"
        ),
    }


def postgresql_statements() -> Sequence[str]:
    """In order; each may be executed again and changes nothing."""
    raises = "NEW.revision := OLD.revision + 1; RETURN NEW;"
    return (
        _function("ecauto_revision", raises),
        _function("ecauto_unjoined", "NEW.unjoined := coalesce(OLD.unjoined, 0) + 1; RETURN NEW;"),
        _function(
            "ecauto_asin_forgotten",
            "UPDATE listings SET revision = revision + 1 WHERE asin = OLD.asin; RETURN NULL;",
        ),
        _function("ecauto_edited", f"{_listing_of('NEW')}; RETURN NULL;"),
        _function("ecauto_withdrawn", f"{_listing_of('OLD')}; RETURN NULL;"),
        *_postgresql("listings_revision", "listings", "BEFORE UPDATE", "ecauto_revision", LISTING_INPUTS),
        *_postgresql("listings_unjoined", "listings", "BEFORE UPDATE", "ecauto_unjoined", JOIN_INPUTS),
        *_postgresql("asins_revision", "asins", "BEFORE UPDATE", "ecauto_revision", ASIN_INPUTS),
        *_postgresql("asins_forgotten", "asins", "AFTER DELETE", "ecauto_asin_forgotten", ()),
        *_postgresql("journal_intended", "journal", "AFTER INSERT", "ecauto_edited", ()),
        *_postgresql("journal_revision", "journal", "AFTER UPDATE", "ecauto_edited", JOURNAL_INPUTS),
        *_postgresql("journal_withdrawn", "journal", "AFTER DELETE", "ecauto_withdrawn", ()),
        "DROP TRIGGER IF EXISTS diffs_forgotten ON diffs",
        f"CREATE TRIGGER diffs_forgotten AFTER DELETE ON diffs FOR EACH ROW WHEN (OLD.{_SKIP})"
        " EXECUTE FUNCTION ecauto_withdrawn()",
    )


def described() -> list[str]:
    """What the triggers are, as text: part of the shape of the tables."""
    return [*sqlite_triggers().values(), *postgresql_statements()]


def _listing_of(row: str) -> str:
    same = " AND ".join(f"{name} = {row}.{name}" for name in _KEY)
    return f"UPDATE listings SET revision = revision + 1 WHERE {same}"


def _sqlite(name: str, table: str, event: str, inputs: Sequence[str], does: str) -> str:
    changed = " OR ".join(f"old.{column} IS NOT new.{column}" for column in inputs)
    return f"CREATE TRIGGER {name} AFTER {event} ON {table}{f' WHEN {changed}' if changed else ''} BEGIN {does}; END"


def _function(name: str, body: str) -> str:
    return f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def _postgresql(name: str, table: str, event: str, function: str, inputs: Sequence[str]) -> tuple[str, str]:
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in inputs)
    when = f" WHEN ({changed})" if changed else ""
    return (
        f"DROP TRIGGER IF EXISTS {name} ON {table}",
        f"CREATE TRIGGER {name} {event} ON {table} FOR EACH ROW{when} EXECUTE FUNCTION {function}()",
    )
