"""What the owner's cart keeps of a sale: nothing that we could know of, unless ecauto.toml says so.

Not for: working out a profit (domain/selling/fees.py).
"""

from __future__ import annotations

from ecauto_pipeline.domain.selling.fees import Fees
from ecauto_pipeline.settings import Settings


def fees_of(settings: Settings, account_id: str) -> Fees:
    """The fees of one shop: its own, else those of all."""
    named = (one.fees for one in settings.csv.accounts if one.id == account_id)
    table = next(named, None) or settings.csv.fees
    return Fees(table.payment_ratio, table.payment_fixed_jpy, table.service_ratio, table.rounding)
