"""Alert rules about what a run read of master.db: whether it could, what fell too far, which values make no sense.

Not for: what is written into it (register.py) or what a rule is (alerts/rule.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from ecauto_pipeline.alerts.rule import AlertSetup, Finding, RunRule, Words, unmeasured
from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.selling.register_fall import Fall
from ecauto_pipeline.sync.register_report import RegisterFall, RegisterReport
from ecauto_pipeline.sync.run_record import RunRecord

FIGURES: Mapping[str, Words] = {
    "listed": Words("出品", "listings"),
    "title_ja": Words("商品名(title_ja)", "titles (title_ja)"),
    "title_en": Words("商品名(title_en)", "titles (title_en)"),
}
"""What people call the counts of master.db (fields of RegisterCounts)."""


def fell(one: Fall | RegisterFall) -> Words:
    """A figure that fell, in words: from how many to how many."""
    what = FIGURES[one.figure]
    return Words(
        f"{what.ja}が{one.before:,}件から{one.now:,}件に減りました",
        f"{what.en} fell from {one.before:,} to {one.now:,}",
    )


def _falls(record: RunRecord, setup: AlertSetup) -> Finding:
    if record.listings is None or record.listings.register.trouble is not None:
        return unmeasured("master.dbの件数は数えていません", "master.db was not counted", 0.0)
    register = record.listings.register
    found = _fallen(register.falls, named=True)
    return replace(found, said=_as_of(found.said, register))


def _falls_of_shops(record: RunRecord, setup: AlertSetup) -> Mapping[str, Finding]:
    """Of the shops whose rows were counted."""
    if record.listings is None:
        return {}
    register = record.listings.register
    return {
        shop: _fallen(
            tuple(one for one in register.falls if one.account == shop), remedy=f"ecauto register accept {shop}"
        )
        for shop in register.counts
    }


def _fallen(falls: tuple[RegisterFall, ...], *, named: bool = False, remedy: str = "") -> Finding:
    words = [fell(one) for one in falls]
    places = [f"{one.account}: " if named else "" for one in falls]
    said = Words(
        "、".join(f"{place}{one.ja}" for place, one in zip(places, words, strict=True))
        or "master.dbの出品と商品名は減っていません",
        ", ".join(f"{place}{one.en}" for place, one in zip(places, words, strict=True))
        or "master.db holds the listings and titles it held",
    )
    rows = tuple({"item_id": item, "asin": asin} for one in falls for item, asin in one.examples)
    counts = tuple(
        {"account_id": one.account, "figure": one.figure, "before": one.before, "now": one.now} for one in falls
    )
    lost = sum(one.before - one.now for one in falls)
    return Finding(
        said=said,
        passed=not falls,
        value=float(lost),
        threshold=0.0,
        worst=counts if named or not rows else rows,
        remedy=remedy,
    )


REGISTER_KEPT = RunRule(
    name="register_kept",
    law=Words("台帳の出品と商品名は急に減らない", "no shop's listings or titles in master.db fall all at once"),
    label=Words("master.dbの急な減少", "master.db shrank"),
    asset="listings",
    severity="ERROR",
    remedy="ecauto status",
    desk="/setup",
    done=Words(
        "減少は採用していません。このショップは以前の登録内容のまま続けています",
        "it is not believed: this shop goes on with what was known of its listings",
    ),
    page="/assets/listings?view=checks",
    find=_falls,
    each=_falls_of_shops,
)


def _time(at: datetime) -> str:
    return f"{jst(at):%Y-%m-%d %H:%M}"


def _as_of(said: Words, register: RegisterReport) -> Words:
    """With the time of which it is true, where nothing was looked at in this run."""
    if register.unchanged_since is None:
        return said
    at = _time(register.unchanged_since)
    return Words(
        f"{said.ja}（{at}に読んだ内容。以後変わっていません）", f"{said.en} (as read at {at} JST, unchanged since)"
    )


def _read(record: RunRecord, setup: AlertSetup) -> Finding:
    if record.listings is None:
        return unmeasured("master.dbは読んでいません", "master.db was not to be read")
    trouble, since = record.listings.register.trouble, record.listings.register.unchanged_since
    if trouble is not None:
        return Finding(said=Words(trouble.ja, trouble.en), passed=False, severity="WARN" if trouble.waits else None)
    if since is not None:
        at = _time(since)
        return Finding(
            said=Words(
                f"master.dbは{at}に読んでから変わっていません（今回は読み直していません）",
                f"master.db has not changed since it was read at {at} JST (it was not read again)",
            )
        )
    return Finding(said=Words("master.dbを読みました", "master.db was read"))


REGISTER_READ = RunRule(
    name="register_read",
    of_lane=False,
    law=Words("台帳を読める", "master.db can be read"),
    label=Words("master.dbの読み込み", "reading master.db"),
    asset="listings",
    severity="ERROR",
    remedy="ecauto doctor",
    desk="/setup",
    done=Words(
        "以前の登録内容のまま続けています。取り下げた出品はありません",
        "every shop goes on with what was known; nothing was unlisted",
    ),
    page="/assets/listings?view=checks",
    find=_read,
)


def _odd(record: RunRecord, setup: AlertSetup) -> Finding:
    if record.listings is None or record.listings.register.trouble is not None:
        return unmeasured("master.dbの行は調べていません", "the rows of master.db were not looked at", 0.0)
    register = record.listings.register
    worst = tuple(
        {"table": table, "row": row, "column": column, "value": value}
        for table, row, column, value in register.odd_examples
    )
    said = (
        Words(
            f"master.dbに意味の通らない値が{register.odd:,}件あります",
            f"{register.odd:,} values of master.db make no sense",
        )
        if register.odd
        else Words("master.dbの値は正しい形です", "every value of master.db makes sense")
    )
    said = _as_of(said, register)
    return Finding(said=said, passed=not register.odd, value=float(register.odd), threshold=0.0, worst=worst)


REGISTER_ROWS = RunRule(
    name="register_rows",
    law=Words("台帳の値は正しい形をしている", "every value of master.db makes sense"),
    label=Words("master.dbの値の誤り", "odd values in master.db"),
    asset="listings",
    severity="WARN",
    remedy="ecauto doctor",
    desk="/setup",
    done=Words("その行だけを除き、ほかの行は続けています", "those rows alone are left out; all others go on"),
    page="/assets/listings?view=checks",
    find=_odd,
)
