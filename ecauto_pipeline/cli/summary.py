"""A run in words a shop owner understands: a label and the metric's name each, what to look at next.

Not for: deciding exit codes (running.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecauto_pipeline.alerts.rules import rule_label
from ecauto_pipeline.cli.console import labelled, language, print_json, say, told
from ecauto_pipeline.domain.lanes import WHOLE_LANE
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.sync.run_metrics import metrics_row
from ecauto_pipeline.views.run_figures import ACCOUNT, ANSWERS, MOST_REASONS, PLANNED, SET_ASIDE, SEVEN

if TYPE_CHECKING:
    from ecauto_pipeline.state.work_done import WorkDone
    from ecauto_pipeline.sync.run_record import RunRecord
    from ecauto_pipeline.sync.sections import Survey


def show_summary(run: RunRecord, failed_checks: Sequence[tuple[str, str, str]]) -> None:
    """Everything of one run on one screen."""
    figures: Mapping[str, Any] = metrics_row(run)
    say()
    mode = told("(ドライラン: BASEには何も送っていません)", "(dry run: BASE was sent nothing)") if run.dry_run else ""
    planned = PLANNED if run.dry_run else {}
    rows = [(told(*planned.get(key, words)), key, figures.get(key)) for words, key in SEVEN]
    lane = "" if run.lane == WHOLE_LANE else f" {told('レーン', 'lane')} {run.lane}"
    labelled(f"{told('実行結果', 'result')} {run.job} {run.partition_key}{lane} {mode}", rows)
    if any(figures.get(key) for _, key in ANSWERS):
        say()
        answers = [(told(*words), key, figures.get(key) or 0) for words, key in ANSWERS]
        labelled(told("Amazonの回答", "what Amazon said"), answers)
    if (met := run.sp_api_snapshots.calls_met() if run.sp_api_snapshots is not None else None) is not None:
        say()
        say(
            f"{met.counted(language())} {met.failure.sentence(language())}", style="red" if met.all_failed else "yellow"
        )
    for down in run.sp_api_snapshots.down if run.sp_api_snapshots is not None else ():
        say()
        say(down.sentence(language()), style="yellow" if down.instead else "red")
    if figures.get("targets"):
        say()
        account = [(told(*planned.get(key, words)), key, figures.get(key) or 0) for words, key in ACCOUNT]
        labelled(told("BASEとの照合", "compared with BASE"), account)
        _show_reasons(run.reasons)
        _show_by_hand(run)
    left = figures.get("left_over") or 0
    if left:
        say(told(f"\n残り {left:,} 件のASINは次の実行で調べます。", f"\n{left:,} ASINs are left for the next run."))
    for rule, severity, message in failed_checks:
        warns = severity == "WARN"
        mark = told("注意", "WARNING") if warns else told("異常", "ERROR")
        say(f"[{mark}] {rule_label(rule, language())}: {message}", style="yellow" if warns else "red")


def show_interrupted(done: WorkDone, job: str, partition_key: str, json_output: bool) -> None:
    """What a run did until it was broken off; counted from what was committed, for its steps could not sum up."""
    rows = (
        (told("SP-API呼び出し", "SP-API calls"), "sp_api_calls", done.sp_api_calls),
        (told("保存した回答", "answers kept"), "answers", done.answers),
        (told("BASE呼び出し", "calls to BASE"), "shop_calls", done.shop_calls),
        (told("BASE更新", "updates at BASE"), "base_api_updates", done.edits),
        (
            told("結果未確認の更新(次の実行が確かめます)", "outcome not known yet"),
            "unsettled",
            done.unsettled,
        ),
    )
    if json_output:
        print_json({"run_id": done.run_id, "interrupted": True} | {name: value for _, name, value in rows})
        return
    say()
    title = told("中断までに済んだこと", "done until it was interrupted")
    labelled(f"{title} {job} {partition_key}", list(rows))


def _show_by_hand(run: RunRecord) -> None:
    """How many of the listings judged show a price that a person set; nothing where nobody looked, or there is none."""
    judged = run.price_diffs or run.visibility_diffs
    count = judged.by_hand if judged is not None else None
    if count:
        say(told(f"\n人がショップで変えた価格: {count:,} 件", f"\nprices that a person set at the shop: {count:,}"))


def _show_reasons(reasons: Mapping[str, int]) -> None:
    """Why rows were left, held or stopped, the commonest first."""
    counts = Counter({key: number for key, number in reasons.items() if key.startswith(SET_ASIDE)})
    if counts:
        say()
        rows = [(said(key, language()), "", number) for key, number in counts.most_common(MOST_REASONS)]
        labelled(told("変更しなかった理由", "why nothing was changed"), rows)


def show_survey(survey: Survey, json_output: bool) -> None:
    """The five lines of the old cache validation."""
    rows = (
        (("全ASIN数", "all ASINs"), "total_asins", survey.total_asins),
        (("キャッシュなし", "never answered"), "missing", survey.missing),
        (("価格期限切れ", "price too old"), "price_expired", survey.price_expired),
        (("在庫期限切れ", "stock too old"), "stock_expired", survey.stock_expired),
        (("更新が必要", "to be asked"), "cache_misses", survey.cache_misses),
    )
    if json_output:
        print_json({name: value for _, name, value in rows} | {label: value for (label, _), _, value in rows})
        return
    labelled(
        told("キャッシュの状態", "state of the cache"), [(told(*words), name, value) for words, name, value in rows]
    )
