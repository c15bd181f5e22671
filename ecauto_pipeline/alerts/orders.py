"""Tells the owner of new orders, one message a shop and look: what was sold, what it costs to buy now, what is left.

An order stands in exactly one message, whichever process makes it; outbox.py sends it. What the calls to a shop do not
suffice to read is said once. Not for: the texts (order_words.py), finding orders or asking Amazon (sync/orders), alert
rules (rules/).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import datetime, timedelta

from ecauto_pipeline.alerts.channels import channel_names
from ecauto_pipeline.alerts.order_words import not_read_document, orders_document
from ecauto_pipeline.alerts.outbox import Delivered, deliver
from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import messages, orders
from ecauto_pipeline.state.orders import OrderRow
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.goods import titles_of

NO_NEWS = timedelta(minutes=2)
"""Orders that can be read so soon, at the edge of an hour of calls, are read by the next look or the one after."""


def tell_orders(
    tools: Tools, spent: Mapping[AccountKey, datetime] | None = None, environ: Mapping[str, str] = os.environ
) -> Delivered:
    """Make messages of what nobody was told of yet, and send all that is owed. Raises nothing for a channel.

    `spent`: shops whose calls are used up, until when: their orders can't be read before, which is said once, and not
    at all of a few moments.
    """
    _make_messages(tools)
    for account, until in (spent or {}).items():
        if until - tools.clock.now() > NO_NEWS:
            _make_notice(tools, account, until)
    return deliver(tools, environ)


def _make_messages(tools: Tools) -> None:
    with tools.state.read() as connection:
        seen = orders.untold(connection)
    if not seen:
        return
    titles = titles_of(tools, {row.found.asin for row in seen if row.found.asin})
    language, now = tools.settings.alerts.language, tools.clock.now()
    channels = tuple(channel_names(tools.settings.alerts.channels))
    with tools.state.write() as connection:
        rows: dict[AccountKey, list[OrderRow]] = {}
        for row in orders.untold(connection):
            rows.setdefault(row.found.key.account, []).append(row)
        for account, found in rows.items():
            ids = [row.found.order_id for row in found]
            name = "orders-" + hashlib.sha256("".join(sorted(ids)).encode()).hexdigest()[:24]
            document = orders_document(tools.name_of(account), found, titles, language)
            messages.add(connection, name, document, channels, now)
            orders.tell(connection, ids, name)


def _make_notice(tools: Tools, account: AccountKey, until: datetime) -> None:
    """That orders can't be read: once for each time that the calls were used up."""
    document = not_read_document(tools.name_of(account), until, tools.settings.alerts.language)
    channels = tuple(channel_names(tools.settings.alerts.channels))
    with tools.state.write() as connection:
        messages.add(connection, f"orders-not-read/{account}/{to_ms(until)}", document, channels, tools.clock.now())
