"""Alert rules about what does not happen: no run, no daemon, no room. Nobody fails when nothing runs, so nobody tells.

Fed by the next thing that runs: a command, `ecauto dev`, the sensor. Not for: finding out (doctor/silence.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ecauto_pipeline.alerts.rule import Finding, Rule, Words, in_lane
from ecauto_pipeline.alerts.verdicts import Verdict, span_en, span_ja
from ecauto_pipeline.settings import WHOLE_LANE

NOTHING_RAN = Rule(
    name="nothing_ran",
    law=Words("予定の間隔の2倍以内に何かが実行される", "something runs within twice the schedule's period"),
    label=Words("実行なし", "nothing ran"),
    severity="ERROR",
    remedy="ecauto status",
    desk="/",
    done=Words("何も送られていません", "nothing is sent meanwhile"),
    page="/automation",
)
DAEMON_DOWN = Rule(
    name="daemon_down",
    law=Words("Dagsterのデーモンが動いている", "Dagster's daemon is up"),
    label=Words("デーモンの停止", "daemon down"),
    severity="ERROR",
    remedy="ecauto dev",
    desk="/setup",
    done=Words("自動では起動していません", "it is not started by itself"),
    page="/deployment/daemons",
)
DISK_LOW = Rule(
    name="disk_low",
    law=Words("ディスクに空きがある", "there is room on the disk"),
    label=Words("ディスクの空き", "disk space"),
    severity="ERROR",
    remedy="ecauto doctor",
    desk="/setup",
    done=Words("自動では何も消していません", "nothing was deleted for it"),
)
SILENCE = (NOTHING_RAN, DAEMON_DOWN, DISK_LOW)
GIB = 1024**3


def nothing_ran(last_sign_at: datetime | None, period: timedelta, now: datetime, lane: str = WHOLE_LANE) -> Verdict:
    """`period`: the longest time between two ticks of the stock schedule. Where nothing ever ran, nothing is judged.
    `lane`: nothing of its runs, while those of others go on."""
    subject = in_lane("", lane)
    if last_sign_at is None:
        said = Words("まだ一度も同期していません", "nothing was ever synced")
        return NOTHING_RAN.verdict(Finding(said=said, judged=False), subject)
    silent, longest = (now - last_sign_at).total_seconds(), 2 * period.total_seconds()
    said = Words(
        f"{span_ja(silent)}のあいだ何も実行されていません（上限 {span_ja(longest)}）",
        f"nothing has run for {span_en(silent)} (at most {span_en(longest)})",
    )
    return NOTHING_RAN.verdict(Finding(said=said, passed=silent <= longest, value=silent, threshold=longest), subject)


def daemon_down(last_beat_at: datetime | None, longest: timedelta, now: datetime) -> Verdict:
    """`longest`: how long a daemon that is up may be silent. Where none was ever up, nothing is judged."""
    if last_beat_at is None:
        return DAEMON_DOWN.verdict(Finding(said=Words("デーモンの記録なし", "no daemon was ever up"), judged=False))
    silent, most = (now - last_beat_at).total_seconds(), longest.total_seconds()
    said = Words(
        f"Dagsterのデーモンが{span_ja(silent)}応答していません。予定の実行は始まりません",
        f"Dagster's daemon has been silent for {span_en(silent)}: nothing starts by itself",
    )
    return DAEMON_DOWN.verdict(Finding(said=said, passed=silent <= most, value=silent, threshold=most))


def disk_low(free_bytes: int, min_free_gb: float) -> Verdict:
    """`free_bytes`: on the disk of the data folder; `min_free_gb`: in GiB, as ecauto.toml says."""
    free = free_bytes / GIB
    said = Words(
        f"ディスクの空き {free:.1f} GiB（下限 {min_free_gb:g} GiB）", f"{free:.1f} GiB free (at least {min_free_gb:g})"
    )
    return DISK_LOW.verdict(Finding(said=said, passed=free >= min_free_gb, value=free, threshold=min_free_gb))
