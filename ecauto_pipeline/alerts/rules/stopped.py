"""Alert rule: nobody has stopped the pushing. A stop that is forgotten looks like a shop in which all is well.

Not for: stopping (sync/people/stop.py), or shops that refuse us (shops.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from ecauto_pipeline.alerts.rule import AlertSetup, Finding, RunRule, Words, unmeasured
from ecauto_pipeline.clock import jst
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline.sync.sections import StoppedShop


def _said(one: StoppedShop) -> Words:
    since = f"{jst(one.since):%m-%d %H:%M}"
    return Words(f"{since} から送信停止中（{one.who}）", f"pushing stopped since {since} by {one.who}")


def _stopped(record: RunRecord, setup: AlertSetup) -> Finding:
    if record.shops is None:
        return unmeasured("ショップは調べていません", "the shops were not looked at", 0.0)
    found = record.shops.stopped
    ja, en = (
        ", ".join(f"{one.account}: {getattr(_said(one), language)}" for one in found) for language in ("ja", "en")
    )
    said = Words(ja, en) if found else Words("送信は止められていません", "nobody has stopped the pushing")
    return Finding(said=said, passed=not found, value=float(len(found)), threshold=0.0)


def _stopped_shops(record: RunRecord, setup: AlertSetup) -> Mapping[str, Finding]:
    if record.shops is None:
        return {}
    stopped = {one.account: one for one in record.shops.stopped}
    return {
        shop: Finding(
            said=_said(stopped[shop])
            if shop in stopped
            else Words("送信は止められていません", "nobody has stopped the pushing"),
            passed=shop not in stopped,
            value=float(shop in stopped),
            threshold=0.0,
            remedy=f"ecauto resume {shop}" if shop in stopped else "",
        )
        for shop in {*record.shops.shops, *stopped}
    }


PUSHING_STOPPED = RunRule(
    name="pushing_stopped",
    law=Words("送信は止められていない", "nobody has stopped the pushing"),
    label=Words("送信停止中", "pushing stopped"),
    asset="base_updates",
    severity="WARN",
    remedy="ecauto resume",
    desk="/",
    done=Words(
        "決めた変更は送らず、再開後の実行が改めて判断します",
        "what is decided is not sent; the first run after it is resumed judges anew",
    ),
    page="/assets/base_updates?view=checks",
    find=_stopped,
    each=_stopped_shops,
    subject="shop",
)
