"""Reads a shop's orders since the last reading: which ASINs sell, and when they last did. Buyers stay with the shop.

A week at a time, each kept before the next is asked for. Orders of the last minutes are read twice, so that two clocks
that differ lose none, and counted once, also when the watch for orders (sync/orders) was there first.
Not for: what demand means (domain/freshness/cadence.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ecauto_pipeline.shops.protocol import Sale, Shop, key_of
from ecauto_pipeline.state import orders, shop_accounts, shop_listings
from ecauto_pipeline.state.sales import add_sales
from ecauto_pipeline.state.shop_accounts import ShopAccount
from ecauto_pipeline.sync.context import Tools

FIRST_LOOK_BACK = timedelta(days=30)
AT_ONCE = timedelta(days=7)
READ_TWICE = timedelta(minutes=10)
MOST_A_RUN = 1000


def read_sales(tools: Tools, shop: Shop, known: ShopAccount) -> int:
    """Order rows counted. Raises the CallError family; the weeks read until then are kept."""
    now = tools.clock.now()
    counted_until = known.orders_read_at or now - FIRST_LOOK_BACK
    total = 0
    while True:
        tools.go_on()
        end = counted_until + AT_ONCE
        last = end >= now
        sales = shop.sales(counted_until - READ_TWICE, None if last else end)
        counted = [sale for sale in sales if sale.ordered_at >= counted_until]
        upto = max([now, counted_until, *(sale.ordered_at + timedelta(seconds=1) for sale in counted)]) if last else end
        total += _keep(tools, shop, sales, counted, upto)
        counted_until = upto
        if last or total >= MOST_A_RUN:
            return total


def _keep(tools: Tools, shop: Shop, sales: list[Sale], counted: list[Sale], upto: datetime) -> int:
    of_shop = (shop.platform, shop.account_id)
    with tools.state.write() as connection:
        done_until = shop_accounts.load_account(connection, *of_shop).orders_read_at
        if done_until is not None:  # another run may have counted some of them meanwhile
            counted = [sale for sale in counted if sale.ordered_at >= done_until]
            upto = max(upto, done_until)
        keys = orders.order_keys(connection, tools.at_rest)
        names = [keys.of_row(key_of(shop), sale.unique_key, sale.row) for sale in counted]
        watched = orders.counted(connection, names)
        counted = [sale for name, sale in zip(names, counted, strict=True) if name not in watched]
        asins = shop_listings.asins_of_items(connection, *of_shop, [sale.item_id for sale in sales])
        last_sold: dict[str, datetime] = {}
        for sale in sales:
            if sale.item_id in asins:
                asin = asins[sale.item_id]
                last_sold[asin] = max(sale.ordered_at, last_sold.get(asin, sale.ordered_at))
        rows = [(asins[sale.item_id], sale.ordered_at) for sale in counted if sale.item_id in asins]
        add_sales(connection, rows, last_sold, tools.clock.now())
        shop_accounts.record_orders(connection, *of_shop, upto)
    return len(counted)
