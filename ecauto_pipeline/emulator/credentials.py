"""The well-known credentials of the emulator: obviously fake, the same in every world, so that nothing needs copying.

For: the emulator itself and whoever wires a client to it. Not for: anything that leaves this machine; the real hosts
refuse all of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MARKETPLACE_ID = "A1VC38T7YXB528"
BASE_SCOPES = ("read_users", "read_items", "write_items", "read_orders")


@dataclass(frozen=True, slots=True)
class SpAccount:
    """One selling account with one application: the pair that owns a set of rate buckets."""

    id: str
    refresh_token: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BaseApp:
    """The application registered for one BASE shop."""

    account: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


SP_ACCOUNTS: tuple[SpAccount, ...] = tuple(
    SpAccount(
        id=f"sp_{n}",
        refresh_token=f"Atzr|EMULATED-REFRESH-TOKEN-sp-{n}",
        client_id=f"amzn1.application-oa2-client.emulated-{n}",
        client_secret=f"amzn1.oa2-cs.v1.EMULATED-NOT-A-SECRET-{n}",
    )
    for n in range(1, 9)
)


def base_account_id(number: int) -> str:
    """The id of shop `number` (1 ..)."""
    return f"base_account_{number}"


def base_app(account: str) -> BaseApp:
    """The application of a shop account called `base_account_<n>`. Raises ValueError on any other name."""
    prefix, _, number = account.rpartition("_")
    if prefix != "base_account" or not number.isdigit():
        raise ValueError(f"not an emulated shop: {account!r}")
    return BaseApp(
        account=account,
        client_id=f"emulated-base-client-{number}",
        client_secret=f"EMULATED-NOT-A-SECRET-base-{number}",
        redirect_uri=f"http://127.0.0.1/emulated/callback/{number}",
    )
