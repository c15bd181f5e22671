"""Alert rule about what is on show and nobody confirms: a merged ASIN, one that Amazon never answers for.

Not for: what a rule is (alerts/rule.py) or which those are (state/unconfirmed.py).
"""

from __future__ import annotations

from ecauto_pipeline.alerts.rule import AlertSetup, Finding, RunRule, Words, unmeasured
from ecauto_pipeline.sync.run_record import RunRecord

_HIDDEN = Words(
    "長く確認できない商品は非公開にしました。確認できしだい自動で公開します",
    "what was not confirmed for too long is hidden, and shown again as soon as it is",
)


def _unconfirmed(record: RunRecord, setup: AlertSetup) -> Finding:
    judged = record.visibility_diffs
    if judged is None or judged.unconfirmed is None:
        return unmeasured("公開状態は確認していません", "visibility was not looked at", 0.0)
    count = judged.unconfirmed
    ja = f"公開中で、Amazonで長く確認できていない商品 {count}件"
    en = f"{count} listings on show that Amazon has not confirmed for too long"
    worst = tuple(
        {"account": shop, "item_id": item, "asin": asin, "hours": hours, "reason": reason}
        for shop, item, asin, hours, reason in judged.unconfirmed_worst
    )
    done = _HIDDEN if judged.hides_unconfirmed else None
    return Finding(said=Words(ja, en), passed=not count, value=float(count), threshold=0.0, worst=worst, done=done)


UNCONFIRMED_ON_SALE = RunRule(
    name="unconfirmed_on_sale",
    law=Words("公開中の商品はAmazonで確認できている", "what is on show was confirmed by Amazon lately"),
    label=Words("確認できない公開商品", "on sale, unconfirmed"),
    asset="visibility_diffs",
    severity="WARN",
    remedy="ecauto unwatched",
    desk="/items?filter=unconfirmed",
    done=Words(
        "公開したままです。問い合わせは続けています([guards] hide_unconfirmed_after で自動的に非公開にできます)",
        "they are still on show, and asked about ([guards] hide_unconfirmed_after would hide them)",
    ),
    page="/assets/visibility_diffs?view=checks",
    find=_unconfirmed,
)
