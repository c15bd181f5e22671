"""Jobs that look after history by themselves: the publisher of a fleet, and the merging of ended days' files.

Neither is a run of the line: no row of `runs`, no shop, no Amazon. What goes wrong fails the run, which is told.
Not for: what is written (sync/publish.py), how files are merged (history/compact.py), or when (schedules.py).
"""

import dagster as dg

from ecauto_pipeline.clock import jst
from ecauto_pipeline.defs.failures import in_words, refused
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.publish import compact, publish_and_report
from ecauto_pipeline.wiring.open import open_tools


@dg.op(description="Carries what the runs of a fleet left in state into history.")
@in_words
def publish_history_op(context: dg.OpExecutionContext) -> None:
    with open_tools(load(), offline=True) as tools:
        report = publish_and_report(tools)
    if report.problem:
        raise refused(f"履歴に書き込めません: {report.problem}", f"not carried into history: {report.problem}")
    context.add_output_metadata({"loaded_rows": report.loaded_rows, **dict(report.written)})


@dg.op(description="Merges the small files of days and months that have ended.")
@in_words
def compact_history_op(context: dg.OpExecutionContext) -> None:
    with open_tools(load(), offline=True) as tools:
        report = compact(tools, jst(tools.clock.now()).date())
    context.add_output_metadata(
        {"made": report.made, "files": report.files, "rows": report.rows, "deferred": report.reason}
    )


@dg.job(description="履歴への書き込み（複数台）: a fleet's publisher; on one machine each run does it.")
def publish_history() -> None:
    publish_history_op()


@dg.job(description="履歴のファイルをまとめる: merge the files of ended days; readers and runs go on.")
def compact_history() -> None:
    compact_history_op()


HISTORY_UPKEEP = [publish_history, compact_history]
