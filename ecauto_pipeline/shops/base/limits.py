"""What BASE allows and how it counts, in one place; ecauto.toml may say otherwise ([base.limits]).

Source: baseinc/api-docs (April 2019); hour and day limits confirmed by operators up to December 2025.
"""

from __future__ import annotations

from datetime import timedelta

CALLS_PER_HOUR = 5_000  # per shop, from minute 00
CALLS_PER_DAY = 100_000  # per shop, from midnight in Japan
PAGE_ROWS = 100  # of items and orders alike
ACCESS_TOKEN_LIFE = timedelta(hours=1)
REFRESH_TOKEN_LIFE = timedelta(days=30)
REFRESH_EARLY = timedelta(minutes=5)  # by our clock, before the access token ends
REFRESH_WARNING = timedelta(days=7)
SCOPES = ("read_users", "read_items", "write_items", "read_orders")
