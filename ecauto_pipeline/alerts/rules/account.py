"""Alert rules about what was decided and sent: the account of the run, the age of its data, what waits for a person.

None of them needs a minimum number of attempts: one row is one too many. Not for: what a rule is (alerts/rule.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from ecauto_pipeline.alerts.rule import AlertSetup, Finding, RunRule, Words, unmeasured
from ecauto_pipeline.alerts.verdicts import Row, span_en, span_ja
from ecauto_pipeline.domain.words import changes_wait
from ecauto_pipeline.sync.run_record import RunRecord

_ENDS = {
    "pushed": "送信",
    "unchanged": "変更なし",
    "held": "保留",
    "blocked": "禁止",
    "skipped": "対象外",
    "failed": "失敗",
}


def _oldest_data(record: RunRecord, setup: AlertSetup) -> Finding:
    age = record.pushed.oldest_pushed_data_s if record.pushed is not None else None
    most = record.pushed.oldest_allowed_s if record.pushed is not None else None
    if age is None:
        return unmeasured("送信した変更はありません", "nothing was pushed", most)
    if most is None:
        said = Words(
            f"送信に使った最古のデータ {span_ja(age)}前（上限不明）", f"oldest data {span_en(age)} (no limit known)"
        )
        return Finding(said=said, judged=False, value=age)
    said = Words(
        f"送信に使った最古のデータは{span_ja(age)}前（上限 {span_ja(most)}）",
        f"the oldest data behind a push was {span_en(age)} old (at most {span_en(most)})",
    )
    passed = age <= most
    return Finding(said=said, passed=passed, value=age, threshold=most, worst=() if passed else _oldest_row(record))


def _oldest_row(record: RunRecord) -> tuple[Row, ...]:
    oldest = record.pushed.oldest_pushed if record.pushed is not None else None
    if oldest is None:
        return ()
    account, item, kind, asin = oldest
    return ({"asin": asin, "account_id": account, "item_id": item, "kind": kind},)


OLDEST_PUSHED_DATA = RunRule(
    name="oldest_pushed_data",
    law=Words("古いデータで更新しない", "nothing is pushed from data older than its maximum age"),
    label=Words("送信データの鮮度", "age of pushed data"),
    asset="base_updates",
    severity="ERROR",
    remedy="ecauto status",
    desk="/runs",
    done=Words(
        "送信済みです。誤りなら取り消せます（ecauto rollback）", "sent; ecauto rollback takes it back if it is wrong"
    ),
    page="/assets/base_updates?view=checks",
    find=_oldest_data,
)


def _adds_up(record: RunRecord, setup: AlertSetup) -> Finding:
    if record.account is None:
        return unmeasured("送信していないため判定しません", "nothing was to be sent, not judged", 0.0)
    counts = asdict(record.account)
    targets, total = counts["targets"], sum(counts[name] for name in _ENDS)
    sign = "=" if total == targets else "≠"
    account_ja = " + ".join(f"{ja} {counts[name]}" for name, ja in _ENDS.items())
    account_en = " + ".join(f"{name} {counts[name]}" for name in _ENDS)
    said = Words(
        f"対象 {targets} {sign} {account_ja}（計 {total}）", f"targets {targets} {sign} {account_en} (sum {total})"
    )
    return Finding(said=said, passed=total == targets, value=float(targets - total), threshold=0.0)


NUMBERS_ADD_UP = RunRule(
    name="numbers_add_up",
    law=Words("数が合う", "targets = pushed + unchanged + held + blocked + skipped + failed"),
    label=Words("件数の整合", "numbers add up"),
    asset="base_updates",
    severity="ERROR",
    remedy="ecauto history verify",
    desk="/runs",
    done=Words("自動では何もしていません", "nothing was done about it"),
    page="/assets/base_updates?view=checks",
    find=_adds_up,
)


def _held(record: RunRecord, setup: AlertSetup) -> Finding:
    if record.shops is None:
        return unmeasured("保留は調べていません", "held changes were not looked at", 0.0)
    waiting = record.shops.held_open
    said = Words(f"確認待ちの保留 {waiting}件", f"{changes_wait(waiting, 'held change')} for a person")
    return Finding(said=said, passed=waiting == 0, value=float(waiting), threshold=0.0)


def _held_in(record: RunRecord, setup: AlertSetup) -> Mapping[str, Finding]:
    """By shop. The rows are those that wait now, which a person may have seen to since the run counted them."""
    if record.shops is None:
        return {}
    found = {}
    for shop in {*record.shops.shops, *setup.held}:
        rows = setup.held.get(shop, {})
        said = Words(f"確認待ちの保留 {len(rows)}件", f"{changes_wait(len(rows), 'held change')} for a person")
        found[shop] = Finding(
            said=said,
            passed=not rows,
            value=float(len(rows)),
            threshold=0.0,
            worst=tuple(rows.values()),
            members=rows,
        )
    return found


HELD_ROWS = RunRule(
    name="held_rows",
    law=Words("保留が溜まらない", "no rows wait for a person"),
    label=Words("保留の確認待ち", "held changes"),
    asset="base_updates",
    severity="WARN",
    remedy="ecauto holds list",
    desk="/holds",
    done=Words("保留にしました。承認されるまで送りません", "held; nothing of it is sent until somebody approves"),
    page="/locations/ecauto_pipeline/jobs/release_holds/playground",
    find=_held,
    each=_held_in,
    subject="shop",
)
