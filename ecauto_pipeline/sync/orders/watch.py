"""The watch for orders: keeps what is new, counts it for demand at once, and asks Amazon what the goods cost now.

Taken up by itself: a row that an earlier run kept and could not ask about is asked about by this one. Rows that no slot
comes for within `ASKED_WITHIN` are settled without an answer, so that people hear of them.
Not for: when to run (defs/order_watch.py) or telling people (alerts/orders.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from ecauto_pipeline.domain.model import AccountKey, ListingKey, Status
from ecauto_pipeline.domain.selling.fees import profit_jpy
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.errors import CallError, ItemGone
from ecauto_pipeline.shops.protocol import Order, Sale, Shop, key_of
from ecauto_pipeline.state import locks, orders, shop_accounts, shop_listings
from ecauto_pipeline.state.observations import Observation
from ecauto_pipeline.state.of_accounts import item_of
from ecauto_pipeline.state.orders import AskedOrder, FoundOrder, OrderRow
from ecauto_pipeline.state.sales import add_sales
from ecauto_pipeline.state.shop_listings import listing_facts
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.faults import FAULT, fault_of
from ecauto_pipeline.sync.order_section import OrdersReport
from ecauto_pipeline.sync.orders.ask import ask_about
from ecauto_pipeline.sync.orders.new_orders import new_orders, seen
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.selling_terms import TermsOfShops

ASKS_FOR_S = 60.0
"""How long one run asks at most: whoever waits for the first message does not wait for the last answer."""
ASKED_WITHIN = timedelta(minutes=10)

GONE = frozenset({Status.OUT_OF_STOCK, Status.NOT_FOUND})


def run(context: Context) -> OrdersReport:
    """Find, count, ask, for the shops of this run. A dry run only says how many orders are new. Raises Stopped."""
    shops = [context.shops[account] for account in context.accounts if context.shops[account].abilities.orders]
    found: list[FoundOrder] = []
    numbers: Counter[AccountKey] = Counter()
    not_read: dict[str, str] = {}
    for shop in shops:
        name = context.name_of(key_of(shop))
        try:
            new = new_orders(context, shop)
            numbers[key_of(shop)] += len(new)
            for order in new if not context.run.dry_run else ():
                context.go_on()
                found += _keep(context, shop, order)
        except CallError as error:
            not_read[name] = error.reason
        except Exception as error:  # what nobody foresaw in one shop stops no other
            fault_of(context, key_of(shop), "orders", error)
            not_read[name] = FAULT
    settled = [] if context.run.dry_run else _ask(context)
    report = _report(context, found, numbers, settled, not_read)
    with context.state.write(locks.run(context.run.run_id)) as connection:
        keep(connection, context.run.run_id, "order_watch", report)
    context.log.info("%d new orders, %d ASINs asked about, not read: %s", report.orders, report.asked, not_read)
    return report


def _keep(context: Context, shop: Shop, order: Order) -> list[FoundOrder]:
    """One order with its rows, counted for demand in the same transaction. Returns the rows nobody kept before."""
    rows: list[Sale] = []
    with suppress(ItemGone):  # taken back between the list and its detail
        rows = shop.order_rows(order)
    account, now = key_of(shop), context.clock.now()
    of_shop = (account.platform, account.account_id)
    with context.state.write() as connection:
        keys = orders.order_keys(connection, context.at_rest)
        name = keys.of_order(account, order.unique_key)
        if not rows:
            orders.add_empty(connection, name, account, context.run.run_id, order.ordered_at)
        asins = shop_listings.asins_of_items(connection, *of_shop, [sale.item_id for sale in rows])
        fresh = orders.add(
            connection,
            [
                FoundOrder(
                    order_id=keys.of_row(account, sale.unique_key, sale.row),
                    order_key=name,
                    key=ListingKey(*of_shop, sale.item_id),
                    asin=asins.get(sale.item_id, ""),
                    amount=sale.amount,
                    price_jpy=sale.price_jpy,
                    sold_at=sale.ordered_at,
                )
                for sale in rows
            ],
            context.run.run_id,
            now,
        )
        counted_until = shop_accounts.load_account(connection, *of_shop).orders_read_at
        placed = [row for row in fresh if row.asin]
        uncounted = [row for row in placed if counted_until is None or row.sold_at >= counted_until]
        last_sold = {row.asin: row.sold_at for row in placed}
        add_sales(connection, [(row.asin, row.sold_at) for row in uncounted], last_sold, now)
    seen(context, account, order.ordered_at)
    return fresh


def _ask(context: Context) -> list[tuple[OrderRow, AskedOrder]]:
    """Settle every row that waits, ASIN by ASIN as answers come."""
    with context.state.read() as connection:
        waiting = [row for row in orders.unsettled(connection) if row.found.key.account in context.accounts]
    by_asin: dict[str, list[OrderRow]] = {}
    for row in waiting:
        by_asin.setdefault(row.found.asin, []).append(row)
    nowhere = by_asin.pop("", [])
    terms = TermsOfShops(context.settings)
    settled = [_settle(context, terms, row, None) for row in nowhere]
    deadline = context.clock.monotonic() + ASKS_FOR_S
    wanted = list(by_asin)
    for asin, answer in ask_about(context, wanted if context.run.fetch else [], deadline):
        settled += [_settle(context, terms, row, answer) for row in by_asin.pop(asin)]
    now = context.clock.now()
    late = [row for rows in by_asin.values() for row in rows if now - row.seen_at >= ASKED_WITHIN]
    return settled + [_settle(context, terms, row, None) for row in late]


def _settle(
    context: Context, terms: TermsOfShops, row: OrderRow, answer: Observation | None
) -> tuple[OrderRow, AskedOrder]:
    asked = AskedOrder()
    if answer is not None:
        cost_jpy = answer.price_jpy if answer.status == Status.SUCCESS else None
        key = row.found.key
        with context.state.read() as connection:
            listing = next(listing_facts(connection, (key.account,), context.clock.now(), items=item_of(key)), None)
        asked = AskedOrder(
            status=answer.status,
            reason=answer.reason,
            cost_at_sale_jpy=cost_jpy,
            profit_jpy=_left(row.found, cost_jpy, terms.of(key.account, listing.rule if listing else None)),
            seller_id=answer.seller_id,
            is_prime=answer.is_prime,
            is_fba=answer.is_fba,
            ship_hours_max=answer.ship_hours_max,
            snapshot_id=answer.snapshot_id,
        )
    with context.state.write() as connection:
        orders.settle(connection, row.found.order_id, asked, context.clock.now())
    return row, asked


def _left(sold: FoundOrder, cost_jpy: int | None, terms: SellingTerms) -> int | None:
    """What is left of the whole row when its goods are bought at this cost; the fee of an order is on each row."""
    if cost_jpy is None or sold.price_jpy is None:
        return None
    pieces = sold.amount
    return profit_jpy(sold.price_jpy * pieces, cost_jpy * pieces, terms.fees, terms.extra_cost_jpy * pieces)


def _report(
    context: Context,
    found: Sequence[FoundOrder],
    numbers: Counter[AccountKey],
    settled: Sequence[tuple[OrderRow, AskedOrder]],
    not_read: dict[str, str],
) -> OrdersReport:
    with context.state.read() as connection:
        waiting = len(orders.unsettled(connection))
    of_shops = Counter(context.name_of(row.key.account) for row in found)
    statuses = {row.found.asin: asked.status for row, asked in settled if asked.status}
    return OrdersReport(
        orders=numbers.total(),
        rows=len(found),
        by_account=dict(of_shops),
        asked=len(statuses),
        by_status=dict(Counter(statuses.values())),
        gone=sum(asked.status in GONE for _, asked in settled),
        at_a_loss=sum(asked.profit_jpy is not None and asked.profit_jpy < 0 for _, asked in settled),
        waiting=waiting,
        not_read=not_read,
    )
