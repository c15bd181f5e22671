"""The tables of state.db about what was decided of listings and what was sent to the shops for it.

They belong to schema.py's metadata. Not for: what each decision was made of (schema.py).
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint

from ecauto_pipeline.state.schema import MS, metadata, text_column

diffs = Table(  # decisions; how long a row of each table lives: lifetimes.py
    "diffs",
    metadata,
    Column("diff_id", Text, primary_key=True),
    Column("run_id", Text, nullable=False, index=True),
    text_column("partition_key"),
    Column("kind", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("asin", Text, nullable=False),
    Column("shown", Integer),
    Column("wanted", Integer),
    Column("decision", Text, nullable=False),
    text_column("reason"),
    text_column("snapshot_id"),
    Column("decided_at", MS, nullable=False),
    Column("cost_jpy", Integer),
    Column("profit_jpy", Integer),  # what is left of a sale at the price it leads to, NULL = unknown
    text_column("evidence"),
    text_column("tier"),
    # open | sent | superseded | expired | approved | rejected | closed
    Column("state", Text, nullable=False, server_default="open"),
    Column("state_at", MS),
    Column("exported", Integer, nullable=False, server_default="0"),
    Index("ix_diffs_listing", "platform", "account_id", "item_id", "kind", "state"),
    Index("ix_diffs_state", "state", "decision"),
    Index("ix_diffs_decided_at", "decided_at"),
    Index("ix_diffs_exported", "exported", "decided_at"),
)


journal = Table(  # the update journal: intent before the call, outcome after it
    "journal",
    metadata,
    Column("update_id", Text, primary_key=True),
    Column("key", Text, nullable=False),  # of listing, kind, wanted, snapshot
    Column("diff_id", Text, nullable=False),
    Column("run_id", Text, nullable=False, index=True),
    Column("platform", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("asin", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("before", Integer),
    Column("after", Integer),
    Column("outcome", Text),  # NULL = intent without outcome: read back at the next start
    text_column("error"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("intent_at", MS, nullable=False),
    Column("attempted_at", MS),
    Column("completed_at", MS),
    text_column("rollback_of"),
    Column("written_back", Integer, nullable=False, server_default="0"),
    Column("exported", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0"),  # the shop would not have this value for this item
    Index("ix_journal_open", "outcome"),
    Index("ix_journal_listing", "platform", "account_id", "item_id"),
    Index("ix_journal_intent_at", "intent_at"),
    Index("ix_journal_exported", "exported", "outcome"),
    Index("ix_journal_written_back", "written_back", "outcome"),
    UniqueConstraint("key", "run_id", name="uq_journal_key_run"),
)
