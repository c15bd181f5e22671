"""What the shops show, joined with the owner's register: which listings take part, and why the others do not.

Shops are read side by side; one that can't be read keeps what was known of it, gets its breaker, and stops nobody.
Not for: how one shop is read (shop_items.py, shop_orders.py) or what should be shown (price_diffs, visibility_diffs).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import AccountBlocked, BudgetSpent, CallError, Transport
from ecauto_pipeline.shops.platforms import shop_keys
from ecauto_pipeline.shops.protocol import Shop, key_of
from ecauto_pipeline.state import joined_listings, locks, shop_accounts, shop_listings
from ecauto_pipeline.sync.context import Context, Progress, Tools
from ecauto_pipeline.sync.faults import FAULT, fault_of
from ecauto_pipeline.sync.listings.blocklist import current_blocklist
from ecauto_pipeline.sync.listings.item_rules import take_up_rules
from ecauto_pipeline.sync.listings.joining import join_all, join_changed, join_new, note_looks, save_demand
from ecauto_pipeline.sync.listings.register_of_run import RegisterOfRun
from ecauto_pipeline.sync.listings.shop_items import Reading, read_items
from ecauto_pipeline.sync.listings.shop_orders import read_sales
from ecauto_pipeline.sync.room_for_threads import look_for_room
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.sections import Fault, ListingsReport
from ecauto_pipeline.sync.shops_now import shops_now
from ecauto_pipeline.sync.short_waits import MOST_WAITS, back_in_a_moment, wait_out

MOST_AT_ONCE = 8
EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class _ShopRead:
    account: AccountKey
    reading: Reading | None = None
    sales: int = 0
    not_read: str = ""
    orders_not_read: str = ""
    faults: tuple[Fault, ...] = ()


def run(context: Context) -> ListingsReport:
    """Read every shop of this run, join all with the register, say what takes part.

    Raises RegisterMissing before any shop is asked; Stopped.
    """
    blocklist = current_blocklist(context)
    register = RegisterOfRun(context, blocklist)
    accounts = list(context.accounts)
    results = _read_shops(context, [context.shops[account] for account in accounts], register)
    faults = [fault for one in results for fault in one.faults]
    joined, not_joined = _join(context, accounts, register, blocklist.asins)
    faults += not_joined
    with context.state.write() as connection:
        joined_listings.retire(connection, context.active_shops or context.shops, may_retire(context))
        if not register.unchanged:
            save_demand(connection, register.all(), context.clock.now())
            note_looks(connection, register, joined, context.clock.now())
    report = _report(context, accounts, results)
    rules = take_up_rules(context, accounts)
    report = replace(report, faults=tuple(faults), blocklist=blocklist.trouble, register=register.report, rules=rules)
    with context.state.write(locks.run(context.run.run_id)) as connection:
        keep(connection, context.run.run_id, "listings", report)
    context.log.info(
        "listings read: %d of %d items, not read: %s", report.listings, report.items, dict(report.not_read)
    )
    for name, reason in report.not_read.items():
        context.log.warning("%s: not read (%s); its listings stay as they were", name, reason)
    return report


def may_retire(tools: Tools) -> tuple[AccountKey, ...] | None:
    """Whose listings this run may let take no part because these settings do not have the shop, or switch it off.

    Of any shop (None) where the settings are the installation's: state is a file beside them, or a fleet's machines go
    by one file (fleet/same_everywhere.py). Other machines that share the state may work by other settings, and a shop
    that this ecauto.toml lacks, or another lane's, may be theirs: then only what it names of its own.
    """
    if not tools.settings.shares_state or tools.settings.fleet.on:
        return None
    return shop_keys(tools.settings) if tools.lane.whole else ()


def _join(
    tools: Tools, accounts: Sequence[AccountKey], register: RegisterOfRun, blocked: frozenset[str] | None
) -> tuple[list[AccountKey], list[Fault]]:
    """Join what has changed of these shops' listings with the register, or all of them with all of it. Returns the
    shops that are joined, and why others are not: their listings stay as they were joined before."""
    if register.unchanged:
        done = _each(tools, accounts, lambda account: join_changed(tools, account, register, blocked))
        if register.unchanged:
            return done
    return _each(tools, accounts, lambda account: join_all(tools, account, register.all(), blocked))


def _each(
    tools: Tools, accounts: Sequence[AccountKey], join: Callable[[AccountKey], None]
) -> tuple[list[AccountKey], list[Fault]]:
    joined, faults = [], []
    for account in accounts:
        try:
            join(account)
        except Exception as error:
            faults.append(fault_of(tools, account, "join", error))
        else:
            joined.append(account)
    return joined, faults


def _read_shops(tools: Tools, shops: list[Shop], register: RegisterOfRun) -> list[_ShopRead]:
    results: list[_ShopRead] = []
    if not shops:
        return results
    look_for_room(min(MOST_AT_ONCE, len(shops)))
    with ThreadPoolExecutor(max_workers=min(MOST_AT_ONCE, len(shops)), thread_name_prefix="shop") as workers:
        futures = [workers.submit(_read_shop, tools, shop, register) for shop in shops]
        for future in futures:
            results.append(future.result())
            tools.progress(Progress("listings", len(results), len(shops)))
    tools.state.close_idle()  # whoever joins works alone, with the one connection that has room in memory
    return results


def _read_shop(tools: Tools, shop: Shop, register: RegisterOfRun) -> _ShopRead:
    """Raises only what concerns every shop; whatever else goes wrong is this one's state."""
    try:
        return _read_known_shop(tools, shop, register)
    except Exception as error:
        fault = fault_of(tools, key_of(shop), "items", error)
        _open_breaker(tools, shop, Transport(FAULT, fault.place))
        return _ShopRead(key_of(shop), not_read=FAULT, faults=(fault,))


def _read_known_shop(tools: Tools, shop: Shop, register: RegisterOfRun) -> _ShopRead:
    of_shop = (shop.platform, shop.account_id)
    with tools.state.read() as connection:
        known = shop_accounts.load_account(connection, *of_shop)
    if known.waits_at(tools.clock.now()):
        return _ShopRead(key_of(shop), not_read=known.breaker)
    try:
        reading = _items_in_time(tools, shop, known, register)
    except CallError as error:
        if isinstance(error, BudgetSpent) and not shop_accounts.breaker_of(error)[0]:
            return _ShopRead(key_of(shop), not_read=error.reason)  # what was read lately stands: it can still be hidden
        return _ShopRead(key_of(shop), not_read=_open_breaker(tools, shop, error))
    with tools.state.write(locks.shop(key_of(shop))) as connection:
        shop_accounts.record_read(
            connection,
            *of_shop,
            read_at=reading.started_at,
            modified_seen=reading.modified_seen,
            full=reading.mode == "full",
        )
        shop_accounts.close_breaker(connection, *of_shop)
    join_new(tools, key_of(shop), register)
    sales, orders_not_read, faults = 0, "", list[Fault]()
    try:
        sales = read_sales(tools, shop, known) if shop.abilities.orders else 0
    except CallError as error:
        lacks_scope = isinstance(error, AccountBlocked) and error.reason == "invalid_scope"
        orders_not_read = error.reason
        if not lacks_scope and shop_accounts.breaker_of(error)[0]:
            _open_breaker(tools, shop, error)
    except Exception as error:
        faults.append(fault_of(tools, key_of(shop), "orders", error))
        orders_not_read = FAULT
    try:
        _note_token(tools, shop)
    except Exception as error:
        faults.append(fault_of(tools, key_of(shop), "token", error))
    return _ShopRead(key_of(shop), reading, sales, orders_not_read=orders_not_read, faults=tuple(faults))


def _items_in_time(tools: Tools, shop: Shop, known: shop_accounts.ShopAccount, register: RegisterOfRun) -> Reading:
    """Its items, read from the beginning again where the shop's calls were spent for a moment."""
    waits = 0
    while True:
        try:
            return read_items(tools, shop, known, partial(register.of, key_of(shop)))
        except BudgetSpent as spent:
            if waits == MOST_WAITS or not back_in_a_moment(tools, spent):
                raise
            waits += 1
            wait_out(tools, spent)


def _open_breaker(tools: Tools, shop: Shop, error: CallError) -> str:
    of_shop = (shop.platform, shop.account_id)
    reason, until = shop_accounts.breaker_of(error)
    with tools.state.write(locks.shop(key_of(shop))) as connection:
        before = shop_accounts.load_account(connection, *of_shop)
        kept = before.breaker if before.needs_person else "not_read"  # a time-out does not mend a restricted shop
        news = shop_accounts.open_breaker(connection, *of_shop, reason or kept, tools.clock.now(), until)
    if news:
        tools.log.warning("%s: %s (%s)", tools.name_of(key_of(shop)), reason or kept, error)
    return reason or error.reason


def _note_token(tools: Tools, shop: Shop) -> None:
    try:
        expires_at = shop.token_expires_at()
    except CallError as error:
        tools.log.warning("%s: the token's age is not known (%s)", tools.name_of(key_of(shop)), error.reason)
        return
    with tools.state.write(locks.shop(key_of(shop))) as connection:
        shop_accounts.record_refresh_expiry(connection, shop.platform, shop.account_id, expires_at)


def _report(tools: Tools, accounts: list[AccountKey], results: list[_ShopRead]) -> ListingsReport:
    with tools.state.read() as connection:
        by_account = shop_listings.count_shops(connection, accounts)
        orphans = shop_listings.count_by(connection, "orphan", accounts, listed=False)
        hidden_by = shop_listings.count_by(connection, "hidden_by", accounts, listed=True)
        examples = shop_listings.orphan_examples(connection, accounts, EXAMPLES)
        shops = shops_now(connection, tools)
    named = [(tools.name_of(result.account), result) for result in results]
    problems = {name: tools.shops[result.account].token_file_problem() for name, result in named}
    read = {name: result.reading for name, result in named if result.reading is not None}
    return ListingsReport(
        listings=sum(count.listed for count in by_account.values()),
        items=sum(count.present for count in by_account.values()),
        by_account={tools.name_of(account): count.listed for account, count in by_account.items()},
        orphans=orphans,
        orphan_examples=tuple(f"{tools.name_of(key.account)} {key.item_id}" for key in examples),
        hidden_by=hidden_by,
        modes={account: reading.mode for account, reading in read.items()},
        pages={account: reading.pages for account, reading in read.items()},
        not_read={name: result.not_read for name, result in named if result.not_read},
        orders_not_read={name: result.orders_not_read for name, result in named if result.orders_not_read},
        token_files={name: problem for name, problem in problems.items() if problem},
        sales=sum(result.sales for result in results),
        blocked=sum(count.blocked for count in by_account.values()),
        shops=shops,
    )
