"""The tables of the owner's register as its own programs create them; for seeding one where there is none.

Source: the schema of the owner's master.db (products, listings); its further tables are none of our business.
"""

from __future__ import annotations

CREATE = """
CREATE TABLE products (
    asin TEXT PRIMARY KEY, title_ja TEXT, title_en TEXT, description_ja TEXT, description_en TEXT, category TEXT,
    brand TEXT, images TEXT, amazon_price_jpy INTEGER, amazon_in_stock BOOLEAN, last_fetched_at TIMESTAMP,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE listings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, asin TEXT NOT NULL, platform TEXT NOT NULL, account_id TEXT,
    platform_item_id TEXT, sku TEXT UNIQUE, selling_price REAL, currency TEXT DEFAULT 'JPY', in_stock_quantity INTEGER,
    status TEXT, visibility TEXT DEFAULT 'public', listed_at TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, UNIQUE (asin, platform, account_id));
"""

REQUIRED = {
    "products": ("asin", "amazon_price_jpy", "amazon_in_stock", "last_fetched_at"),
    "listings": (
        "id",
        "asin",
        "platform",
        "account_id",
        "platform_item_id",
        "selling_price",
        "in_stock_quantity",
        "status",
        "visibility",
    ),
}
