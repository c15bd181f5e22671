"""What the owner of a shop does in a matrix because the program says so: authorises it again.

BASE hands out a new refresh token for the old one, once. Where that one answer is lost on its way, or whoever asked
dies before it can be kept, nobody but the owner can open the shop: no program could. So this is done for a shop whose
new tokens never arrived, by the emulator's list of calls, and only once the program has said so; whatever else closes a
shop it has to get over by itself. Not for: what must hold then (laws.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ecauto_pipeline.shops.base.oauth import authorization_url
from ecauto_pipeline.state.shop_accounts import load_accounts
from ecauto_pipeline.wiring.authorize import exchange_code
from ecauto_pipeline.wiring.clients import token_keeper
from ecauto_pipeline.wiring.emulated import authorize_as_owner
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_RENEWAL = "oauth/token"


def authorise_what_was_lost(day: ShopDay) -> list[str]:
    """The shops that were authorised again: those whose new tokens never arrived, and of which the program says it."""
    done = []
    with day.tools() as tools:
        with tools.state.read() as connection:
            closed = {key.account_id for key, shop in load_accounts(connection).items() if shop.breaker == "token"}
        for account_id in sorted(closed):
            if tokens_were_lost(day.control.calls(api="base", account=account_id)):
                with token_keeper(tools, account_id) as (keeper, endpoint):
                    application = keeper.application
                    url = authorization_url(endpoint, application.client_id, application.redirect_uri, "owner")
                    exchange_code(keeper, authorize_as_owner(url) or "", account_id, tools.state)
                done.append(account_id)
    return done


def tokens_were_lost(calls: Iterable[Mapping[str, Any]]) -> bool:
    """Whether BASE has given one shop tokens with which nobody has come since; its calls, oldest first."""
    given = False
    for call in calls:
        if call["operation"] == _RENEWAL:
            given = given or call["outcome"].startswith("ok")
        elif call["outcome"].startswith("ok"):
            given = False
    return given
