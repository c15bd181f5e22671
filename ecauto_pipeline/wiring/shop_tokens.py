"""Where the shops' tokens live in this installation: files on one machine, sealed in state in a fleet; and how its own
secrets lie in state.

What a fleet needs is imported in place: one machine has none of its packages. Not for: tokens themselves
(shops/base/oauth.py) or the key's variables (connections.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import BaseAccount, Settings
from ecauto_pipeline.shops import base
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.oauth import TokenWriteAhead, token_document
from ecauto_pipeline.state.salts import IN_CLEAR, AtRest

if TYPE_CHECKING:
    from ecauto_pipeline.fleet.seal import Seal
    from ecauto_pipeline.fleet.sealed_tokens import SealedTokenHome
    from ecauto_pipeline.shops.base.ports import TokenHome
    from ecauto_pipeline.shops.base.tokens import Tokens


def token_home(
    settings: Settings,
    account: BaseAccount,
    database: Database,
    clock: Clock,
    values: Mapping[str, str],
    wait: Callable[[float], None],
) -> TokenHome:
    """The home of this shop's tokens. `values`: secrets by variable. Raises SettingsError where a fleet has no key."""
    if settings.fleet.on:
        return sealed_home(settings, account.id, database, clock, seal(settings, values), wait)
    from ecauto_pipeline.shops.base.token_file_home import TokenFileHome

    return TokenFileHome(settings.token_file(account), TokenWriteAhead(database, base.PLATFORM), account.id)


def sealed_home(
    settings: Settings, account_id: str, database: Database, clock: Clock, seal: Seal, wait: Callable[[float], None]
) -> SealedTokenHome:
    """The same of a fleet, whether it is on or not."""
    from ecauto_pipeline.fleet.sealed_tokens import SealedTokenHome

    rescue = settings.data_dir / "tokens" / f"{account_id}_token.sealed"
    return SealedTokenHome(
        database, base.PLATFORM, account_id, seal, clock, call_s=settings.base.timeout_s, rescue=rescue, wait=wait
    )


def seal(settings: Settings, values: Mapping[str, str] = os.environ) -> Seal:
    """The fleet's seal. Raises SettingsError: a variable, or the packages of a fleet, are missing."""
    try:
        from ecauto_pipeline.fleet.seal import seal_of
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"a fleet needs the Python package {error.name}: install ecauto-pipeline[fleet]",
            ja=f"複数台で動かすには Python のパッケージ {error.name} が必要です（ecauto-pipeline[fleet]）",
        ) from None
    return seal_of(values, settings.fleet.key_env, settings.fleet.old_keys_env)


def at_rest(settings: Settings, values: Mapping[str, str]) -> AtRest:
    """How the installation's own secrets lie in state: sealed in a fleet. Raises SettingsError as `seal` does."""
    if not settings.fleet.on:
        return IN_CLEAR
    sealing = seal(settings, values)  # first: it says in words which package is missing
    from ecauto_pipeline.fleet.sealed_salts import SealedAtRest

    return SealedAtRest(sealing)


def authorised(settings: Settings, account: BaseAccount, connection: Connection) -> bool:
    """Whether the shop has tokens where this installation keeps them, be they good or not."""
    if settings.fleet.on:
        return token_document(connection, base.PLATFORM, account.id) is not None
    return settings.token_file(account).is_file()


def sealed_tokens(
    settings: Settings, account: BaseAccount, connection: Connection, values: Mapping[str, str]
) -> Tokens | None:
    """A fleet's tokens of this shop, None where there are none. Raises EcautoError, in words, where they don't open."""
    from ecauto_pipeline.fleet.sealed_tokens import seal_name
    from ecauto_pipeline.shops.base.tokens import from_document

    document = token_document(connection, base.PLATFORM, account.id)
    if document is None:
        return None
    return from_document(seal(settings, values).open(seal_name(base.PLATFORM, account.id), document))


def check_tokens(settings: Settings, accounts: tuple[BaseAccount, ...], database: Database, seal: Seal) -> None:
    """That a fleet's tokens are sealed, and that this machine has a key for them. Nothing is changed or sent.

    Raises SettingsError for tokens in clear, for a shop of live mode without any, and where no shop's seal opens: the
    key is wrong then. A single shop whose seal does not open is that shop's trouble, told when it is asked.
    """
    from ecauto_pipeline.fleet.keys import lie

    how = lie(TokenWriteAhead(database, base.PLATFORM), base.PLATFORM, seal)
    for account in accounts:
        lies = how.get(account.id)
        if lies == "clear" or (lies is None and settings.token_file(account).is_file()):
            raise SettingsError(
                f"{account.id}: its tokens are not sealed yet; run: ecauto keys seal",
                ja=f"{account.id}: トークンがまだ封印されていません。ecauto keys seal を実行してください",
            )
        if lies is None and settings.mode == "live":
            raise unauthorised(account)
    mine = [how[account.id] for account in accounts if account.id in how]
    if mine and all(lies == "unopened" for lies in mine):
        raise SettingsError(
            f"[fleet] key_env: {settings.fleet.key_env} is not the key that the tokens are sealed with",
            ja=f"[fleet] key_env: {settings.fleet.key_env} の鍵ではトークンを開けません（封印した鍵と違います）",
        )


def unauthorised(account: BaseAccount) -> SettingsError:
    return SettingsError(
        f"{account.id}: no token file yet; run: ecauto auth base {account.id}",
        ja=f"{account.id}: まだ認可されていません。ecauto auth base {account.id} を実行してください",
    )
