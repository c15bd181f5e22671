"""Alert rules about the shops: whether they let us work, for how long, and whether they tell what was sold.

Not for: what a rule is (alerts/rule.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from ecauto_pipeline.alerts.rule import AlertSetup, Finding, RunRule, Words, unmeasured
from ecauto_pipeline.alerts.rules.rates import rate
from ecauto_pipeline.domain.reasons import said as in_words
from ecauto_pipeline.domain.words import changes_wait
from ecauto_pipeline.sync.push_section import PushReport
from ecauto_pipeline.sync.run_record import RunRecord

BLOCKING_BREAKERS = frozenset({"access_denied", "token", "not_read", "shop_unreachable"})
"""What keeps a whole shop from being worked on; an hour's or day's used up calls are base_calls_suffice's matter."""


def _base_errors(record: RunRecord, setup: AlertSetup) -> Finding:
    pushed, alerts = record.pushed or PushReport(), setup.alerts
    worst = tuple(
        {"account_id": account, "item_id": item, "kind": kind, "reason": reason}
        for account, item, kind, reason in pushed.failures
    )
    what, unit = Words("BASE APIのエラー率", "BASE error rate"), Words("回", "calls")
    return rate(what, unit, pushed.base_errors, pushed.base_calls, alerts.base_error_rate, alerts, worst)


def _errors_of_shops(record: RunRecord, setup: AlertSetup) -> Mapping[str, Finding]:
    pushed, alerts = record.pushed or PushReport(), setup.alerts
    what, unit = Words("BASE APIのエラー率", "BASE error rate"), Words("回", "calls")
    found = {}
    for shop, (calls, errors) in pushed.calls_of_shops.items():
        worst = tuple(
            {"item_id": item, "kind": kind, "reason": reason}
            for account, item, kind, reason in pushed.failures
            if account == shop
        )
        found[shop] = rate(what, unit, errors, calls, alerts.base_error_rate, alerts, worst)
    return found


BASE_ERROR_RATE = RunRule(
    name="base_error_rate",
    law=Words("BASEのエラー率は5%以下", "at most 5% of the BASE calls fail"),
    label=Words("BASE APIのエラー率", "BASE error rate"),
    asset="base_updates",
    severity="ERROR",
    remedy="ecauto doctor",
    desk="/runs",
    done=Words(
        "届かなかった変更は記録に残り、次の実行で再試行します",
        "what did not arrive is on record; the next run tries again",
    ),
    page="/assets/base_updates?view=checks",
    find=_base_errors,
    each=_errors_of_shops,
    subject="shop",
)


def _blocked(record: RunRecord, setup: AlertSetup) -> Finding:
    if record.shops is None:
        return unmeasured("ショップは調べていません", "the shops were not looked at", 0.0)
    blocked = [(account, reason) for account, reason in record.shops.breakers if reason in BLOCKING_BREAKERS]
    ja, en = (", ".join(f"{account} ({in_words(reason, one)})" for account, reason in blocked) for one in ("ja", "en"))
    said = (
        Words(f"利用できないショップ {len(blocked)}件: {ja}", f"{len(blocked)} shops refuse us: {en}")
        if blocked
        else Words("すべてのショップが利用できます", "every shop accepts us")
    )
    remedy = f"ecauto auth base {blocked[0][0]}" if blocked and blocked[0][1] == "token" else ""
    worst = tuple(row for account, _ in blocked for row in setup.waiting.get(account, ()))
    return Finding(said=said, passed=not blocked, value=float(len(blocked)), threshold=0.0, remedy=remedy, worst=worst)


def _blocked_shops(record: RunRecord, setup: AlertSetup) -> Mapping[str, Finding]:
    if record.shops is None:
        return {}
    why = {account: reason for account, reason in record.shops.breakers if reason in BLOCKING_BREAKERS}
    return {shop: _refuses(shop, why.get(shop, ""), setup) for shop in {*record.shops.shops, *why}}


def _refuses(shop: str, reason: str, setup: AlertSetup) -> Finding:
    said_ja = f"このショップは利用できません: {in_words(reason, 'ja')}" if reason else "このショップは利用できます"
    said_en = f"this shop refuses us: {in_words(reason, 'en')}" if reason else "this shop accepts us"
    return Finding(
        said=Words(said_ja, said_en),
        passed=not reason,
        value=float(bool(reason)),
        threshold=0.0,
        remedy=f"ecauto auth base {shop}" if reason == "token" else "",
        worst=setup.waiting.get(shop, ()) if reason else (),
    )


ACCOUNT_BLOCKED = RunRule(
    name="account_blocked",
    law=Words("全ショップが利用可能", "every active shop can be worked on"),
    label=Words("ショップの利用制限", "shop blocked"),
    asset="listings",
    severity="ERROR",
    remedy="ecauto doctor",
    desk="/setup",
    done=Words(
        "このショップへの更新を止め、ほかのショップは続けています",
        "nothing is sent to this shop; the others go on",
    ),
    page="/assets/listings?view=checks",
    find=_blocked,
    each=_blocked_shops,
    subject="shop",
)


def _faults(record: RunRecord, setup: AlertSetup) -> Finding:
    faults = (*(record.listings.faults if record.listings else ()), *(record.pushed.faults if record.pushed else ()))
    if record.listings is None and record.pushed is None:
        return unmeasured("ショップの処理はありません", "nothing was done with the shops", 0.0)
    names = ", ".join(dict.fromkeys(f"{one.account} ({one.error}, {one.place})" for one in faults))
    said = (
        Words(
            f"想定外のエラー {len(faults)}件: {names}。他のショップは続けています",
            f"{len(faults)} errors nobody foresaw: {names}; the other shops went on",
        )
        if faults
        else Words("想定外のエラーはありません", "no error that nobody foresaw")
    )
    worst = tuple(
        {"account_id": one.account, "doing": one.doing, "place": one.place, "error": one.error} for one in faults
    )
    return Finding(said=said, passed=not faults, value=float(len(faults)), threshold=0.0, worst=worst)


NO_FAULTS = RunRule(
    name="no_faults",
    law=Words("想定外のエラーはない", "no shop's work ends in an error that nobody foresaw"),
    label=Words("想定外のエラー", "unforeseen error"),
    asset="base_updates",
    severity="ERROR",
    remedy="ecauto doctor",
    desk="/runs",
    find=_faults,
)


def _orders(record: RunRecord, setup: AlertSetup) -> Finding:
    if record.listings is None:
        return unmeasured("注文は調べていません", "orders were not looked at", 0.0)
    silent = record.listings.orders_not_read
    ja, en = (", ".join(f"{name} ({in_words(reason, one)})" for name, reason in silent.items()) for one in ("ja", "en"))
    said = (
        Words(
            f"注文を読めないショップ {len(silent)}件: {ja}",
            f"{len(silent)} shops whose orders can't be read: {en}",
        )
        if silent
        else Words("読み込んだショップの注文はすべて読めています", "the orders of every shop that was read are known")
    )
    lacking = next((account for account, reason in silent.items() if reason == "invalid_scope"), "")
    remedy = f"ecauto auth base {lacking}" if lacking else ""
    return Finding(said=said, passed=not silent, value=float(len(silent)), threshold=0.0, remedy=remedy)


def _orders_of_shops(record: RunRecord, setup: AlertSetup) -> Mapping[str, Finding]:
    """Of the shops that this run was to read; one whose items could not be read says nothing of its orders."""
    if record.listings is None:
        return {}
    silent, not_read = record.listings.orders_not_read, record.listings.not_read
    found = {}
    for shop in {*record.listings.by_account, *silent} - {*not_read}:
        reason = silent.get(shop, "")
        found[shop] = Finding(
            said=Words(
                f"注文を読めません: {in_words(reason, 'ja')}" if reason else "注文は読めています",
                f"its orders can't be read: {in_words(reason, 'en')}" if reason else "its orders are read",
            ),
            passed=not reason,
            value=float(bool(reason)),
            threshold=0.0,
            remedy=f"ecauto auth base {shop}" if reason == "invalid_scope" else "",
        )
    return found


ORDERS_READ = RunRule(
    name="orders_read",
    law=Words("全ショップの注文を読める", "the orders of every shop that was read are read too"),
    label=Words("注文の読み込み", "reading orders"),
    asset="listings",
    severity="WARN",
    remedy="ecauto doctor",
    desk="/setup",
    done=Words("価格と在庫の更新は続けています", "price and stock are worked on as before"),
    page="/assets/listings?view=checks",
    find=_orders,
    each=_orders_of_shops,
    subject="shop",
)


def _out_of_calls(record: RunRecord, setup: AlertSetup) -> Finding:
    """The rest waits and goes on by itself."""
    if record.pushed is None:
        return unmeasured("BASEには何も送っていません", "nothing was to be sent to BASE", 0.0)
    out = record.pushed.out_of_calls
    names_ja = ", ".join(f"{account} ({count:,}件が待機)" for account, count in out)
    names_en = ", ".join(f"{account} ({count:,} wait)" for account, count in out)
    waiting = sum(count for _, count in out)
    said = (
        Words(
            f"BASEの呼び出し上限に達したショップ: {names_ja}。次の時間に自動で続けます",
            f"shops out of BASE calls: {names_en}; they go on by themselves",
        )
        if waiting
        else Words("BASEの呼び出しは足りています", "BASE takes every change")
    )
    return Finding(said=said, passed=not waiting, value=float(waiting), threshold=0.0)


def _shops_out_of_calls(record: RunRecord, setup: AlertSetup) -> Mapping[str, Finding]:
    """Of the shops that this run worked on; of one that is closed still, that nothing was seen to wait says nothing."""
    if record.pushed is None:
        return {}
    waiting = dict(record.pushed.out_of_calls)
    closed = {shop for shop, reason in record.pushed.shops.breakers if reason not in BLOCKING_BREAKERS}
    worked_on = record.listings.by_account if record.listings is not None else record.pushed.by_account
    found = {}
    for shop in ({*worked_on} - closed) | {*waiting}:
        rows = waiting.get(shop, 0)
        found[shop] = Finding(
            said=Words(
                f"BASEの呼び出し上限に達し、{rows:,}件が待機しています" if rows else "BASEの呼び出しは足りています",
                f"out of BASE calls, {changes_wait(rows)}" if rows else "BASE takes every change",
            ),
            passed=not rows,
            value=float(rows),
            threshold=0.0,
        )
    return found


BASE_CALLS_SUFFICE = RunRule(
    name="base_calls_suffice",
    law=Words("BASEの呼び出しは足りている", "BASE takes every change within its hour"),
    label=Words("BASEの呼び出し上限", "BASE call limit"),
    asset="base_updates",
    severity="WARN",
    remedy="ecauto capacity",
    desk="/setup",
    done=Words("残りは次の時間に自動で送ります", "the rest is sent by itself in the next hour"),
    page="/assets/base_updates?view=checks",
    find=_out_of_calls,
    each=_shops_out_of_calls,
    subject="shop",
)
