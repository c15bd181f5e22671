"""What BASE keeps of a sale, by plan.

Source: BASE's fee guide as its help pages give it, read 2026-11: standard plan 3.6% + 40 yen an order for the payment
and 3% for the service; growth plan (a monthly fee besides, about 20,000 yen) 2.9% for the payment and nothing for the
service; both on goods plus the shipping that the customer pays. Some means of payment are said to cost a point more.
How BASE rounds is documented nowhere: up.
Not for: working out a profit (domain/selling/fees.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ecauto_pipeline.domain.selling.fees import Fees
from ecauto_pipeline.settings import BaseAccount, BaseFees, Settings

PLANS: Final[Mapping[str, Fees]] = {
    "standard": Fees(payment_ratio=0.036, payment_fixed_jpy=40, service_ratio=0.03),
    "growth": Fees(payment_ratio=0.029, payment_fixed_jpy=0, service_ratio=0.0),
}


def fees_of(settings: Settings, account_id: str) -> Fees:
    """The fees of one shop: by its own plan, else by that of all."""
    named = (one for one in settings.base.accounts if one.id == account_id)
    account: BaseAccount | None = next(named, None)
    return _fees(account.fees if account and account.fees else settings.base.fees)


def _fees(table: BaseFees) -> Fees:
    if table.plan != "custom":
        return PLANS[table.plan]
    return Fees(table.payment_ratio or 0.0, table.payment_fixed_jpy or 0, table.service_ratio or 0.0, table.rounding)
