"""A rate over some attempts, said and judged: the shape that three rules share.

Under `alerts.min_attempts` it is reported, not judged; no attempts give no rate at all. Not for: the rules themselves.
"""

from __future__ import annotations

from ecauto_pipeline.alerts.rule import Finding, Words, unmeasured
from ecauto_pipeline.alerts.verdicts import Row, percent
from ecauto_pipeline.settings import Alerts


def rate(
    what: Words, unit: Words, errors: int, attempts: int, most: float, alerts: Alerts, worst: tuple[Row, ...] = ()
) -> Finding:
    """At most the share `most` of `attempts`; `unit` is what an attempt is called."""
    if attempts <= 0:
        return unmeasured(f"{what.ja}: 対象がありません", f"{what.en}: nothing was attempted", most)
    value = errors / attempts
    ja = f"{what.ja} {percent(value)}（{errors}/{attempts}{unit.ja}、上限 {percent(most)}）"
    en = f"{what.en} {percent(value)} ({errors} of {attempts} {unit.en}, at most {percent(most)})"
    judged = attempts >= alerts.min_attempts
    if not judged:
        ja += f" {alerts.min_attempts}{unit.ja}未満のため判定しません"
        en += f"; under {alerts.min_attempts} it is reported, not judged"
    return Finding(said=Words(ja, en), passed=value <= most, judged=judged, value=value, threshold=most, worst=worst)
