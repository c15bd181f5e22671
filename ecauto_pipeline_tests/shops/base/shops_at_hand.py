"""A BaseShop against the emulator with real state, and a ledger that only remembers: for the tests of this folder."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.emulator.credentials import base_app
from ecauto_pipeline.shops.base.client import BaseClient
from ecauto_pipeline.shops.base.oauth import BaseApplication, TokenKeeper
from ecauto_pipeline.shops.base.ports import TokenHome
from ecauto_pipeline.shops.base.shop import BaseShop
from ecauto_pipeline.shops.base.token_file_home import TokenFileHome
from ecauto_pipeline.shops.base.tokens import TokenFile, Tokens
from ecauto_pipeline.shops.base.wire import BaseWire
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.oauth import TokenWriteAhead
from ecauto_pipeline.state.windows import ShopWindows
from ecauto_pipeline_tests.state.blank import blank_state

NOON = datetime(2026, 11, 10, 3, 10, tzinfo=UTC)
ACCOUNT = "base_account_1"


@dataclass
class RememberedCalls:
    """A ledger in memory."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def record(self, **row: Any) -> None:
        self.rows.append(row)

    def held(self) -> AbstractContextManager[None]:
        return nullcontext()

    def of(self, operation: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["operation"] == operation]


@dataclass
class Hands:
    """Everything a test wants to look at."""

    shop: BaseShop
    keeper: TokenKeeper
    windows: ShopWindows
    calls: RememberedCalls
    token_path: Path
    ahead: TokenWriteAhead
    wire: BaseWire


def set_up(
    folder: Path,
    url: str,
    clock: Clock,
    *,
    account: str = ACCOUNT,
    per_hour: int = 5000,
    timeout_s: float = 5.0,
    min_interval_s: float = 0.0,
    home: TokenHome | None = None,
    database: Database | None = None,
) -> Hands:
    """A shop of `account` at `url`; its token file is data/tokens/<account>_token.json under `folder`, or its tokens
    have another `home`. `database`: another state than state.db there."""
    database = database or blank_state(folder / "state.db")
    windows = ShopWindows(
        database, clock, "base", account, per_hour=per_hour, per_day=100_000, min_interval_s=min_interval_s
    )
    calls = RememberedCalls()
    wire = BaseWire(account, f"{url}/1", clock, windows, calls, timeout_s=timeout_s)
    app = base_app(account)
    path = folder / "tokens" / f"{account}_token.json"
    application = BaseApplication(app.client_id, app.client_secret, app.redirect_uri)
    ahead = TokenWriteAhead(database, "base")
    home = home or TokenFileHome(path, ahead, account)
    keeper = TokenKeeper(wire, application, home, clock)
    return Hands(BaseShop(BaseClient(wire, keeper, random.Random(1))), keeper, windows, calls, path, ahead, wire)


def authorise(hands: Hands, emulator: Any, clock: Clock, **options: Any) -> None:
    """Put a token file in place, as if the owner had said yes."""
    issued = emulator.control.issue_base_tokens(hands.shop.account_id, **options)
    TokenFile(hands.token_path).write(
        Tokens(issued["access_token"], issued["refresh_token"], clock.now(), clock.now() + timedelta(hours=1))
    )
