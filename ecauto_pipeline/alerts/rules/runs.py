"""Alert rules about runs as such: how long they take, whether they end well, whether anybody would hear of it.

`run_failed` and `run_stuck` are fed by whoever watches runs; no run can judge them about itself.
Not for: what a rule is (alerts/rule.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ecauto_pipeline.alerts.rule import AlertSetup, Finding, Rule, RunRule, Words, unmeasured
from ecauto_pipeline.alerts.verdicts import Verdict, span_en, span_ja
from ecauto_pipeline.sync.run_record import RunRecord


def _duration(record: RunRecord, setup: AlertSetup) -> Finding:
    """A run without a plan is not judged."""
    took, planned, factor = record.execution_seconds, record.planned_seconds, setup.alerts.duration_factor
    if took is None or planned is None or planned <= 0:
        known_ja, known_en = ("不明", "an unknown time") if took is None else (span_ja(took), span_en(took))
        said = Words(f"実行時間 {known_ja}（計画なし）", f"run took {known_en} (no plan)")
        return Finding(said=said, judged=False, value=took)
    longest = planned * factor
    said = Words(
        f"実行時間 {span_ja(took)}（計画 {span_ja(planned)}、上限は計画の{factor:g}倍 {span_ja(longest)}）",
        f"run took {span_en(took)} (planned {span_en(planned)}, at most {factor:g}x = {span_en(longest)})",
    )
    return Finding(said=said, passed=took <= longest, value=took, threshold=longest)


RUN_DURATION = RunRule(
    name="run_duration",
    law=Words("実行時間は計画の2倍以内", "a run takes at most twice what it planned"),
    label=Words("実行時間", "run duration"),
    asset="base_updates",
    severity="WARN",
    remedy="ecauto status",
    desk="/runs",
    done=Words("残りは次の実行が引き継ぎます", "the next run takes over what is left"),
    page="/assets/base_updates?view=checks",
    find=_duration,
)


def _history(record: RunRecord, setup: AlertSetup) -> Finding:
    """A database that somebody holds is no trouble: the next run catches up."""
    if record.history is None:
        return unmeasured("履歴にはまだ書き込んでいません", "nothing was carried into history yet", 0.0)
    damaged, aside, problem = record.history.damaged, record.history.set_aside, record.history.problem
    names = ", ".join(damaged)
    if problem:
        said = Words(f"履歴に書き込めません: {problem}", f"not carried into history: {problem}")
    elif damaged:
        ja, en = _rows_of(record.history.rows_again, record.history.rows_lost)
        said = Words(
            f"壊れていた履歴ファイル {len(damaged)}件を別にしました（{ja}）: {names}",
            f"{len(damaged)} damaged files of history, set aside ({en}): {names}",
        )
    elif aside:
        said = Words(
            f"壊れたまま別にしてある履歴ファイル {len(aside)}件: {', '.join(aside)}",
            f"{len(aside)} damaged files of history that nothing has replaced: {', '.join(aside)}",
        )
    else:
        said = Words("履歴はそろっています", "history holds what was done")
    worst = tuple({"file": name} for name in damaged or aside)
    passed = not problem and not damaged and not aside
    return Finding(said=said, passed=passed, value=float(len(worst)), threshold=0.0, worst=worst)


def _rows_of(again: int, lost: int | None) -> tuple[str, str]:
    """What became of the rows of damaged files, in Japanese and English."""
    if lost is None:
        return f"{again}行を書き直し、失われた行数は不明", f"{again} rows written again, an unknown number lost"
    if lost:
        return f"{again}行を書き直し、最大{lost}行が失われました", f"{again} rows written again, at most {lost} lost"
    return f"{again}行を書き直し、失われた行はありません", f"{again} rows written again, none lost"


HISTORY_PUBLISHED = RunRule(
    name="history_published",
    of_lane=False,
    law=Words("結果は履歴に残る", "what was done is carried into history, and every file of it can be read"),
    label=Words("履歴への書き込み", "publishing history"),
    asset="base_updates",
    severity="WARN",
    remedy="ecauto history verify",
    desk="/setup",
    find=_history,
)


def _channels(record: RunRecord, setup: AlertSetup) -> Finding:
    count, broken = len(setup.alerts.channels), ", ".join(setup.broken_channels)
    if count == 0:
        said = Words("通知先が設定されていません", "no alert channel is configured")
    elif broken:
        said = Words(f"通知に失敗した通知先: {broken}", f"channels that refused the last message: {broken}")
    else:
        said = Words(f"通知先 {count}件", f"{count} alert channels")
    return Finding(said=said, passed=count > 0 and not broken, value=float(count), threshold=1.0)


ALERT_CHANNEL_CONFIGURED = RunRule(
    name="alert_channel_configured",
    of_lane=False,
    law=Words("通知先がある", "somebody hears of an alert"),
    label=Words("通知先", "alert channels"),
    asset="base_updates",
    severity="WARN",
    remedy="ecauto alerts test",
    desk="/setup",
    done=Words(
        "届かなかった通知は取っておき、復旧後に送ります", "what was not heard is kept and sent when the channel works"
    ),
    page="/assets/base_updates?view=checks",
    find=_channels,
)

RUN_FAILED = Rule(
    name="run_failed",
    law=Words("実行は正常に終わる", "every run ends well"),
    label=Words("実行の失敗", "run failed"),
    severity="ERROR",
    remedy="ecauto doctor",
    desk="/runs",
    done=Words(
        "保存済みの結果は残っています。次の実行が続きから始めます",
        "what was kept stays; the next run goes on from there",
    ),
)

RUN_STUCK = Rule(
    name="run_stuck",
    law=Words("実行中は応答がある", "a run under way gives signs of life"),
    label=Words("実行の停止", "run stuck"),
    severity="ERROR",
    remedy="ecauto status",
    desk="/runs",
    done=Words(
        "自動では止めていません。プロセスが消えていれば失敗として閉じます",
        "it was not stopped; it is marked failed once its process has gone",
    ),
)


def run_failed(run_id: str, job: str, error: str = "", *, failed: bool, ended_at: datetime | None = None) -> Verdict:
    """A run of this job ended in failure (`failed`), or ended well again. Fed by whoever watches runs, in any order."""
    error = " ".join(error.split())[:300]
    said = (
        Words(
            f"{job} の実行が失敗しました: {error or '原因不明'}", f"a run of {job} failed: {error or 'no cause given'}"
        )
        if failed
        else Words(f"{job} は正常に終了しました", f"{job} ended well")
    )
    worst = ({"run_id": run_id, "job": job},) if run_id else ()
    found = Finding(said=said, passed=not failed, value=float(failed), threshold=0.0, worst=worst)
    return replace(RUN_FAILED.verdict(found, job), page=f"/runs/{run_id}", at=ended_at)


def run_stuck(run_id: str, job: str, heartbeat_at: datetime, now: datetime, longest_silence_s: float) -> Verdict:
    """A run under way gives a sign of life at least every `longest_silence_s`."""
    silent = (now - heartbeat_at).total_seconds()
    stuck = silent > longest_silence_s
    said = (
        Words(
            f"{job} は{span_ja(silent)}応答がありません（上限 {span_ja(longest_silence_s)}）",
            f"{job} has been silent for {span_en(silent)} (at most {span_en(longest_silence_s)})",
        )
        if stuck
        else Words(f"{job} は動いています", f"{job} is alive")
    )
    worst = ({"run_id": run_id, "job": job, "heartbeat_at": heartbeat_at.isoformat()},)
    found = Finding(said=said, passed=not stuck, value=silent, threshold=longest_silence_s, worst=worst)
    return replace(RUN_STUCK.verdict(found, job), page=f"/runs/{run_id}")
