"""Alert rule about an operation of Amazon's that is down: which, since when, why, and what is asked instead.

Not for: what a rule is (alerts/rule.py), when an operation is down (domain/operation_health.py), or its words
(domain/operations_down.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ecauto_pipeline.alerts.rule import AlertSetup, Finding, RunRule, Words, unmeasured
from ecauto_pipeline.alerts.verdicts import Severity
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.operations_down import OperationDown
from ecauto_pipeline.sync.run_record import RunRecord

_DONE_BY_OTHERS = Words(
    "残りの操作で続けています。この操作は数分おきに試し、回答があれば元に戻します",
    "the operations that are left go on; this one is tried every few minutes and used again when it answers",
)
_DONE_BY_NOBODY = Words(
    "価格も公開状態も変えていません。数分おきに試し、回答があれば元に戻します",
    "prices and visibility were left as they are; it is tried every few minutes and used again when it answers",
)


def _down(record: RunRecord, setup: AlertSetup) -> Finding:
    asked = record.sp_api_snapshots
    if asked is None or not (asked.calls or asked.down):
        return unmeasured("SP-APIには問い合わせていません", "Amazon was not asked", 0.0)
    if not asked.down:
        return Finding(said=Words("使えない操作はありません", "every operation that is asked answers"), value=0.0)
    return _finding(asked.down)


def _each_down(record: RunRecord, setup: AlertSetup) -> Mapping[str, Finding]:
    asked = record.sp_api_snapshots
    if asked is None:
        return {}
    names = set(asked.by_operation)
    if asked.opinions or asked.audits:  # answers of a second opinion stand nowhere else
        names |= {name.partition("/")[2] for name in asked.calls if not name.endswith("/lwaToken")}
    well = {name: Finding(said=Words(f"{name} は使えます", f"{name} is asked as usual"), value=0.0) for name in names}
    return well | {one.operation: _finding((one,)) for one in asked.down}


def _finding(down: Iterable[OperationDown]) -> Finding:
    down = tuple(down)
    severe = [one for one in down if not one.instead and one.role in (Role.SWEEP, Role.DETAIL)]
    severity: Severity = "ERROR" if severe else "WARN"
    return Finding(
        said=Words(*("\n".join(one.sentence(language) for one in down) for language in ("ja", "en"))),
        passed=False,
        value=float(len(down)),
        threshold=0.0,
        severity=severity,
        done=_DONE_BY_NOBODY if severe else _DONE_BY_OTHERS,
    )


OPERATION_DOWN = RunRule(
    name="operation_down",
    law=Words("Amazonの操作はどれも回答する", "every operation of Amazon's that is asked answers"),
    label=Words("使えないAmazonの操作", "operations of Amazon's that are down"),
    asset="sp_api_snapshots",
    severity="WARN",
    remedy="ecauto capacity",
    desk="/",
    done=_DONE_BY_OTHERS,
    page="/assets/sp_api_snapshots?view=checks",
    find=_down,
    each=_each_down,
    subject="operation",
)
