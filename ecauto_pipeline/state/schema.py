"""The tables of state.db: what must survive a crash and be shared by processes.

Times are INTEGER milliseconds since the epoch (UTC), money whole yen, booleans 0/1, unknown is NULL.
Not for: history (history/) or the owner's register (register/).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

from ecauto_pipeline.state.few_rows import (
    NOT_TOLD,
    PRICE_UNJUDGED,
    UNANSWERED,
    VISIBILITY_UNJUDGED,
    index_where,
    of_sqlite,
)

metadata = MetaData()
MS = BigInteger
SHOP = ("platform", "account_id")


def text_column(name: str) -> Column[str]:
    """Text that is never NULL, empty where nothing is said."""
    return Column(name, Text, nullable=False, server_default="")


asins = Table(
    "asins",
    metadata,
    Column("asin", Text, primary_key=True),
    # the last answers that count
    Column("status", Text),
    text_column("reason"),
    Column("price_jpy", Integer),
    Column("in_stock", Integer),
    Column("offer_count", Integer),
    Column("ship_hours_max", Integer),
    Column("is_prime", Integer),
    Column("is_fba", Integer),
    text_column("snapshot_id"),
    # stamps: when each field was last confirmed
    Column("price_at", MS),
    Column("stock_at", MS),
    Column("detail_at", MS),
    Column("basic_at", MS),
    Column("category_at", MS),
    # filtered_out must be said twice
    Column("filtered_since", MS),
    Column("filtered_count", Integer, nullable=False, server_default="0"),
    # a second look still owed: zero | jump
    text_column("doubt"),
    Column("doubt_price_jpy", Integer),
    Column("doubt_at", MS),
    text_column("doubt_operation"),
    text_column("doubt_snapshot_id"),
    # what the next sweep is compared with, and what it asked for
    Column("probe_price_jpy", Integer),
    Column("probe_offer_count", Integer),
    Column("probe_at", MS),
    text_column("wants_detail"),  # new | changed | zero | doubtful | audit | "" ; survives until a detail answers
    # answers that were none
    Column("error_count", Integer, nullable=False, server_default="0"),
    Column("error_at", MS),
    text_column("error_reason"),
    # demand
    Column("last_sold_at", MS),
    Column("last_viewed_at", MS),
    Column("orders_30d", Float, nullable=False, server_default="0"),
    Column("views_30d", Float, nullable=False, server_default="0"),
    Column("demand_at", MS),
    # failures of its own in a row, those of whole calls not counted
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failed_at", MS),
    Column("failing_since", MS),  # of the reason that still stands
    text_column("failing_reason"),
    text_column("merged_into"),
    # a second opinion said no to the doubt that stands
    Column("contradictions", Integer, nullable=False, server_default="0"),
    Column("contradicted_at", MS),
    Column("contradicted_since", MS),
    text_column("contradiction"),  # JSON, both answers
    Column("audited_at", MS),  # an unchanged answer was last checked by the second opinion
    Column("changes", Float, nullable=False, server_default="0"),  # how often it changes: faded counts as of detail_at
    Column("watched_days", Float, nullable=False, server_default="0"),
    # cadence of spend = "budget"
    Column("tau_s", Float),
    Column("next_check_at", MS),
    Column("next_full_at", MS),
    Column("revision", MS, nullable=False, server_default="0"),  # of what decisions read of it (revisions.py)
    Column("told_at", MS),  # the newer of price_at and stock_at when the register was last told; NULL = never
    # the number of the last change of its revision, or of its coming, among those of all (revisions.py; SQLite alone)
    Column("change_number", MS, nullable=False, server_default="0"),
    of_sqlite(Index("ix_asins_change_number", "change_number")),
    Index("ix_asins_stock_at", "stock_at"),
    index_where("ix_asins_sold", ("last_sold_at",), "last_sold_at IS NOT NULL"),
    index_where("ix_asins_viewed", ("last_viewed_at",), "last_viewed_at IS NOT NULL"),
    index_where("ix_asins_not_told", ("asin",), NOT_TOLD),
    index_where("ix_asins_unanswered", ("asin",), UNANSWERED),
    index_where("ix_asins_doubt", ("asin",), "doubt != ''"),
)


catalogue = Table(
    "catalogue",
    metadata,
    Column("asin", Text, primary_key=True),
    Column("title", Text),
    Column("description", Text),
    Column("brand", Text),
    Column("category", Text),
    Column("images", Text),  # JSON list of addresses
    Column("basic_at", MS),
    Column("category_at", MS),
)


listings = Table(
    "listings",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("asin", Text),  # NULL for an item nobody can place
    text_column("identifier"),
    # the register's side; register_id NULL = not in master.db
    Column("register_id", Integer),
    text_column("register_status"),
    Column("register_visible", Integer),
    Column("register_price_jpy", Integer),
    # what the shop shows, as last read
    Column("shown_price_jpy", Integer),
    Column("shown_visible", Integer),
    Column("shown_stock", Integer),
    Column("has_variations", Integer, nullable=False, server_default="0"),
    Column("price_by_hand", Integer, nullable=False, server_default="0"),  # a person set the price that is shown
    Column("regular_price_jpy", Integer),  # the price beside which a sale's is shown; NULL = it is in no sale
    Column("item_modified_at", MS),
    # the last price we set, and the cost behind it
    Column("priced_jpy", Integer),
    Column("priced_cost_jpy", Integer),
    Column("read_at", MS),
    Column("present", Integer, nullable=False, server_default="0"),  # in the shop at the last whole read
    Column("gone_at", MS),  # when it was found to be in the shop no more; NULL = it is there, or was never seen there
    Column("first_seen_at", MS),
    # why it is hidden: "" (it is not, or unknown) | ours | owner_scripts | person | blocklist | shop
    text_column("hidden_by"),
    text_column("hidden_reason"),
    Column("hidden_at", MS),
    Column("blocked", Integer, nullable=False, server_default="0"),  # its ASIN is on the blocklist: never public
    text_column("item_rules"),  # the lines of the owner's rules that select it: "12 57"; "" = none
    text_column("uneditable"),  # BASE refuses edits of this item for good; the reason
    text_column("orphan"),  # "" | no_register | no_item | asin_mismatch | bad_asin
    text_column("delist"),  # "" | delisted_candidate
    Column("listed", Integer, nullable=False, server_default="0"),  # both sides, listed, account active: takes part
    # how often what the join reads or writes of it has changed since it was joined (revisions.py); NULL = not once
    Column("unjoined", MS, server_default="1"),
    Column("revision", MS, nullable=False, server_default="0"),  # of what decisions read of it (revisions.py)
    # what was decided of its price last (judged.py): from which revisions of it and its ASIN, when, for how long that
    # holds, and what it was; NULL = it has to be judged
    Column("price_revision", MS),
    Column("price_asin_revision", MS),
    Column("price_judged_at", MS),
    Column("price_holds_until", MS),
    Column("price_said", Text),
    # the same of its visibility and stock
    Column("visibility_revision", MS),
    Column("visibility_asin_revision", MS),
    Column("visibility_judged_at", MS),
    Column("visibility_holds_until", MS),
    Column("visibility_said", Text),
    Column("stock_said", Text),
    Index("ix_listings_asin", "asin"),
    # of the few
    index_where("ix_listings_unjoined", SHOP, "unjoined IS NOT NULL"),
    index_where("ix_listings_orphan", SHOP, "orphan != ''"),
    index_where("ix_listings_hider", (*SHOP, "hidden_by", "listed"), "hidden_by != ''"),
    index_where("ix_listings_hider_unknown", SHOP, "shown_visible = 0 AND hidden_by = ''"),
    index_where("ix_listings_by_hand", (*SHOP, "listed"), "price_by_hand = 1"),
    index_where("ix_listings_ruled", (*SHOP, "listed"), "item_rules != ''"),
    of_sqlite(index_where("ix_listings_price_unjudged", SHOP, PRICE_UNJUDGED.replace("listings.", ""))),
    of_sqlite(index_where("ix_listings_visibility_unjudged", SHOP, VISIBILITY_UNJUDGED.replace("listings.", ""))),
    of_sqlite(index_where("ix_listings_price_until", ("price_holds_until",), "price_holds_until IS NOT NULL")),
    of_sqlite(
        index_where("ix_listings_visibility_until", ("visibility_holds_until",), "visibility_holds_until IS NOT NULL")
    ),
    Index("ix_listings_taking_part", "listed", "asin", "account_id"),  # the planner reads this and nothing else
    of_sqlite(
        Index(  # whoever counts reads this and nothing else
            "ix_listings_counted",
            *(*SHOP, "listed", "shown_visible", "present", "blocked", "price_said", "visibility_said", "stock_said"),
        )
    ),
)


shop_accounts = Table(
    "shop_accounts",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("full_read_at", MS),
    Column("read_at", MS),
    Column("modified_seen", MS),
    Column("orders_read_at", MS),
    text_column("breaker"),  # "" | access_denied | token | hour_api_limit | day_api_limit | not_read
    Column("breaker_since", MS),
    Column("breaker_until", MS),  # NULL = until a person or a good answer closes it
    Column("refresh_expires_at", MS),
    text_column("register_counts"),  # JSON: what of its register is believed, what fell (register_counts.py)
    text_column("register_look"),  # JSON: when all of its register was last joined, as which (register_looks.py)
)


judged_shops = Table(  # when a step last judged all of a shop's listings, and by which terms
    "judged_shops",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("step", Text, primary_key=True),  # price | visibility
    Column("terms", Text, nullable=False),
    Column("whole_at", MS, nullable=False),
    # up to which change_number its ASINs were looked at; NULL = all of them have to be compared
    Column("asins_seen", MS),
    Column("judged_at", MS),  # no verdict of it was made later
)


counters = Table(  # numbers that rise with each change of something, and never fall
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", MS, nullable=False),
)


oauth = Table(  # write-ahead of rotated tokens: never lost between BASE's answer and the token file
    "oauth",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("obtained_at", MS, nullable=False),
)


observations = Table(  # answers not yet in history
    "observations",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("snapshot_id", Text, nullable=False, unique=True),
    Column("run_id", Text, nullable=False, index=True),
    text_column("partition_key"),
    Column("asin", Text, nullable=False),
    Column("observed_at", MS, nullable=False),
    Column("operation", Text, nullable=False),
    Column("status", Text, nullable=False),
    text_column("reason"),
    Column("price_jpy", Integer),
    Column("in_stock", Integer),
    Column("offer_count", Integer),
    Column("ship_hours_max", Integer),
    Column("is_prime", Integer),
    Column("is_fba", Integer),
    text_column("sp_account"),
    text_column("request_id"),
    Column("http_status", Integer),
    text_column("offers_json"),
    text_column("seller_id"),
    Column("listing_price_jpy", Integer),
    Column("shipping_jpy", Integer),
)
