"""What people call a shop: its id alone where no other platform has that id too, `platform:id` where one has.

Not for: which shops there are (settings, wiring/).
"""

from __future__ import annotations

from collections.abc import Collection

from ecauto_pipeline.domain.model import AccountKey


def name_of(account: AccountKey, known: Collection[AccountKey]) -> str:
    """The shortest name by which people can tell this shop from every known one."""
    shared = any(other.account_id == account.account_id and other.platform != account.platform for other in known)
    return str(account) if shared else account.account_id


def accounts_named(name: str, known: Collection[AccountKey]) -> list[AccountKey]:
    """The known shops that this name, short or long, may mean: one where it is clear, none where it is unknown."""
    return sorted(account for account in known if name in (account.account_id, str(account)))
