"""BASE (thebase.in): shops with an API."""

PLATFORM = "base"
ALSO_CALLED = ("base_main",)
"""What the owner's old scripts wrote into master.db."""
ITEM_PAGE = "https://admin.thebase.com/shop_admin/items/edit/{item_id}"
"""Where the owner edits an item by hand, as the address line of BASE's administration shows it (2026-11)."""
CUSTOMER_PAGE = "{shop_url}/items/{item_id}"
"""Where customers see an item, below the shop's own address."""
