"""A run in words a shop owner understands: Japanese labels, the metric's name beside each, what to look at next.

Not for: deciding exit codes (running.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecauto_pipeline.cli.console import labelled, print_json, say
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.sync.run_metrics import metrics_row

if TYPE_CHECKING:
    from ecauto_pipeline.state.work_done import WorkDone
    from ecauto_pipeline.sync.run_record import RunRecord
    from ecauto_pipeline.sync.sections import Survey

SEVEN = (
    ("全ASIN数", "total_asins"),
    ("キャッシュヒット", "cache_hits"),
    ("キャッシュミス", "cache_misses"),
    ("SP-API呼び出し", "sp_api_calls"),
    ("BASE更新", "base_api_updates"),
    ("エラー", "errors"),
    ("所要時間(秒)", "execution_time_seconds"),
)
ANSWERS = (
    ("取得成功(在庫あり)", "status_success"),
    ("在庫切れ", "status_out_of_stock"),
    ("条件に合う出品なし", "status_filtered_out"),
    ("Amazonに存在しない", "status_not_found"),
    ("回答なし(状態は変えません)", "status_api_error"),
)
ACCOUNT = (
    ("判定した対象", "targets"),
    ("更新した", "pushed"),
    ("変更不要", "unchanged"),
    ("人の確認待ち", "held"),
    ("安全のため中止", "blocked"),
    ("見送り", "skipped"),
    ("失敗", "failed"),
)
PLANNED = {"pushed": "更新する予定"}
"""What a dry run's figures are called: nothing was sent."""
SET_ASIDE = ("skipped:", "held:", "blocked:", "failed:")
MOST_REASONS = 12


def show_summary(run: RunRecord, failed_checks: Sequence[tuple[str, str, str]]) -> None:
    """Everything of one run on one screen."""
    figures: Mapping[str, Any] = metrics_row(run)
    say()
    mode = "(ドライラン: BASEには何も送っていません)" if run.dry_run else ""
    planned = PLANNED if run.dry_run else {}
    rows = [(planned.get(key, ja), key, figures.get(key)) for ja, key in SEVEN]
    labelled(f"実行結果 {run.job} {run.partition_key} {mode}", rows)
    if any(figures.get(key) for _, key in ANSWERS):
        say()
        labelled("Amazonの回答", [(ja, key, figures.get(key) or 0) for ja, key in ANSWERS])
    if figures.get("targets"):
        say()
        labelled("BASEとの照合", [(planned.get(key, ja), key, figures.get(key) or 0) for ja, key in ACCOUNT])
        _show_reasons(run.reasons)
    left = figures.get("left_over") or 0
    if left:
        say(f"\n残り {left:,} 件のASINは次の実行で調べます。")
    for rule, severity, message in failed_checks:
        say(f"[{severity}] {rule}: {message}", style="yellow" if severity == "WARN" else "red")


def show_interrupted(done: WorkDone, job: str, partition_key: str, json_output: bool) -> None:
    """What a run did until it was broken off; counted from what was committed, for its steps could not sum up."""
    rows = (
        ("SP-API呼び出し", "sp_api_calls", done.sp_api_calls),
        ("保存した回答", "answers", done.answers),
        ("BASE呼び出し", "shop_calls", done.shop_calls),
        ("BASE更新", "base_api_updates", done.edits),
        ("結果未確認の更新(次の実行が確かめます)", "unsettled", done.unsettled),
    )
    if json_output:
        print_json({"run_id": done.run_id, "interrupted": True} | {name: value for _, name, value in rows})
        return
    say()
    labelled(f"中断までに済んだこと {job} {partition_key}", list(rows))


def _show_reasons(reasons: Mapping[str, int]) -> None:
    """Why rows were left, held or stopped, the commonest first."""
    counts = Counter({key: number for key, number in reasons.items() if key.startswith(SET_ASIDE)})
    if counts:
        say()
        labelled("変更しなかった理由", [(said(key), "", number) for key, number in counts.most_common(MOST_REASONS)])


def show_survey(survey: Survey, json_output: bool) -> None:
    """The five lines of the old cache validation."""
    rows = (
        ("全ASIN数", "total_asins", survey.total_asins),
        ("キャッシュなし", "missing", survey.missing),
        ("価格期限切れ", "price_expired", survey.price_expired),
        ("在庫期限切れ", "stock_expired", survey.stock_expired),
        ("更新が必要", "cache_misses", survey.cache_misses),
    )
    if json_output:
        print_json({name: value for _, name, value in rows} | {label: value for label, _, value in rows})
        return
    labelled("キャッシュの状態", list(rows))
