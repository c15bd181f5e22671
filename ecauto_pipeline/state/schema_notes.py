"""The small tables of state.db: what people were told, how far work has come, what the owner's files said last,
what a person has stopped, which operations are down, the orders that were told of.

They belong to schema.py's metadata, apart for their reasons to change. Not for: facts, decisions, calls, runs.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, Table, Text

from ecauto_pipeline.state.schema import MS, metadata

notices = Table(  # alert rules: what was last said to people
    "notices",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("state", Text, nullable=False),  # ok | firing
    Column("since", MS, nullable=False),
    Column("said_at", MS),
    Column("document", Text, nullable=False, server_default="{}"),
)


marks = Table(  # how far a piece of work has come
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", MS, nullable=False),
)


owner_files = Table(  # what a file of the owner's said when it could last be read
    "owner_files",
    metadata,
    Column("name", Text, primary_key=True),  # blocklist | views | rules
    Column("content", Text),  # NULL = never read, or nothing of it is kept
    Column("read_at", MS),
    Column("broken_since", MS),  # NULL = it can be read
)


item_rules = Table(  # the rules per item that are in force, as domain/selling/item_rules.py has them
    "item_rules",
    metadata,
    Column("line", Integer, primary_key=True),  # where it stands in the owner's file
    *(Column(name, Text, nullable=False, server_default="") for name in ("item_id", "asin", "title")),
    *(Column(name, Text, nullable=False, server_default="") for name in ("brand", "category", "account")),
    Column("exclude", Text, nullable=False, server_default=""),
    *(Column(name, Integer) for name in ("fixed_price_jpy", "min_price_jpy", "max_price_jpy")),
    Column("markup_ratio", Float),
    Column("extra_cost_jpy", Integer),
    Column("never_sell", Integer),  # NULL = not said
    Column("by_hand", Text, nullable=False, server_default=""),
    Column("until_at", MS),
    Column("note", Text, nullable=False, server_default=""),
)


rule_changes = Table(  # each time other rules came into force
    "rule_changes",
    metadata,
    Column("change_id", Integer, primary_key=True),
    Column("changed_at", MS, nullable=False),
    Column("how", Text, nullable=False),  # import | set | unset | file
    Column("who", Text, nullable=False, server_default=""),  # "" = a run found the file changed
    Column("rules", Integer, nullable=False),  # in force from then on
    Column("added", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("lines", Text, nullable=False, server_default="{}"),  # JSON: the first ones added and removed, as text
)


stops = Table(  # shops that a person lets nothing be sent to
    "stops",
    metadata,
    Column("platform", Text, primary_key=True),  # "" with account_id "" = every shop
    Column("account_id", Text, primary_key=True),
    Column("since", MS, nullable=False),
    Column("who", Text, nullable=False, server_default=""),
)


orders = Table(  # one row an item row of an order, without anything about its buyer
    "orders",
    metadata,
    Column("order_id", Text, primary_key=True),  # keyed hash of shop, order and row
    Column("order_key", Text, nullable=False),  # keyed hash of shop and order
    Column("run_id", Text, nullable=False),  # who found it
    Column("platform", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("asin", Text, nullable=False, server_default=""),  # "" = nobody can place the item
    Column("amount", Integer, nullable=False),
    Column("price_jpy", Integer),  # of one piece, as the costs are
    Column("cost_then_jpy", Integer),
    Column("cost_at_sale_jpy", Integer),
    Column("profit_jpy", Integer),  # of the whole row
    Column("sold_at", MS, nullable=False),
    Column("seen_at", MS, nullable=False),
    Column("settled_at", MS),  # NULL = Amazon is still to be asked
    Column("status", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("seller_id", Text, nullable=False, server_default=""),
    Column("is_prime", Integer),
    Column("is_fba", Integer),
    Column("ship_hours_max", Integer),
    Column("snapshot_id", Text, nullable=False, server_default=""),
    Column("message_id", Text, nullable=False, server_default=""),  # "" = nobody has been told
    Column("exported", Integer, nullable=False, server_default="0"),
    Index("ix_orders_message", "message_id"),
    Index("ix_orders_sold", "sold_at"),
)


messages = Table(  # what is to be told once a channel, whole before the first try
    "messages",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("made_at", MS, nullable=False),
    Column("document", Text, nullable=False),  # JSON: title, body, what programs read
    Column("told", Text, nullable=False, server_default="{}"),  # JSON: owed | sending | sent by channel
    Column("done_at", MS),  # NULL = a channel is still to be told
)


salts = Table(  # secrets of this installation's own making; they leave it never
    "salts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
