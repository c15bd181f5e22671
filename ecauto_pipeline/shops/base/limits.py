"""What BASE allows and how it counts, in one place; ecauto.toml may say otherwise ([base.limits]).

Source: baseinc/api-docs (April 2019); hour and day limits confirmed by operators up to December 2025.
"""

from __future__ import annotations

from datetime import timedelta

from ecauto_pipeline.settings import Settings

PAGE_ROWS = 100  # of items and orders alike
ACCESS_TOKEN_LIFE = timedelta(hours=1)
REFRESH_TOKEN_LIFE = timedelta(days=30)
REFRESH_EARLY = timedelta(minutes=5)  # by our clock, before the access token ends
SCOPES = ("read_users", "read_items", "write_items", "read_orders")


def calls_a_day(settings: Settings) -> int:
    """What both windows together leave one shop in a day."""
    limits = settings.base.limits
    return min(limits.per_day, 24 * limits.per_hour)
