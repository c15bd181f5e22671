"""Jobs that people start for a reason: release held rows, undo a run, apply a plan, refresh the catalogue, explain.

Each is one op with a described launchpad form, on the same resource as the assets. Not for: what runs by itself.
"""

from pathlib import Path

import dagster as dg
from pydantic import Field

from ecauto_pipeline.defs.resources import Pipeline
from ecauto_pipeline.defs.showing import figures
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.steps.catalogue import refresh
from ecauto_pipeline.steps.explain import explain as story_of
from ecauto_pipeline.steps.explained import as_markdown
from ecauto_pipeline.steps.holds import release_holds as release
from ecauto_pipeline.steps.noting import note_outcome
from ecauto_pipeline.steps.plan import apply_plan as apply_document
from ecauto_pipeline.steps.plan import read_plan
from ecauto_pipeline.steps.rollback import rollback_run as undo


class HoldsConfig(dg.Config):
    """Which held rows to approve and send."""

    diff_ids: list[str] = Field(description="beginnings of the diff_ids to release (ecauto holds list)")
    who: str = Field("", description="who says yes; kept with the decision")


class RollbackConfig(dg.Config):
    """Which run to undo."""

    target_run_id: str = Field(description="the run whose edits are put back where BASE still shows them")


class PlanConfig(dg.Config):
    """Which plan to apply."""

    file: str = Field(description="path of the plan that ecauto plan wrote")


class ExplainConfig(dg.Config):
    """What to explain."""

    key: str = Field(description="an ASIN or a BASE item id")


@dg.op(description="Approves held rows and sends at once what the rules still want of them.")
def release_holds_op(context: dg.OpExecutionContext, config: HoldsConfig, pipeline: Pipeline) -> None:
    report = release(pipeline.tools, pipeline.run, config.diff_ids, config.who)
    note_outcome(pipeline.tools, pipeline.run, report.decided.account, report.pushed)
    context.add_output_metadata(figures(report))


@dg.op(description="Puts back what a run changed, where BASE still shows it, through the same guards.")
def rollback_run_op(context: dg.OpExecutionContext, config: RollbackConfig, pipeline: Pipeline) -> None:
    report = undo(pipeline.tools, pipeline.run, config.target_run_id)
    note_outcome(pipeline.tools, pipeline.run, None, report.pushed, whole=report.account, refused=report.refused)
    context.add_output_metadata(figures(report))


@dg.op(description="Sends exactly what a plan names, row by row, where nothing has changed since.")
def apply_plan_op(context: dg.OpExecutionContext, config: PlanConfig, pipeline: Pipeline) -> None:
    document = read_plan(Path(config.file).read_text(encoding="utf-8"))
    report = apply_document(pipeline.tools, pipeline.run, document)
    note_outcome(pipeline.tools, pipeline.run, report.decided.account, report.pushed, refused=report.refused)
    context.add_output_metadata(figures(report))


@dg.op(description="Titles, images, brand and category on their 7- and 30-day ages; never nulls anything.")
def catalog_refresh_op(context: dg.OpExecutionContext, pipeline: Pipeline) -> None:
    context.add_output_metadata(figures(refresh(pipeline.tools, pipeline.run, pipeline.run.slice_s)))


@dg.op(description="Why this price, why hidden: what Amazon said, what was decided, what was sent.")
def explain_op(context: dg.OpExecutionContext, config: ExplainConfig, pipeline: Pipeline) -> None:
    tools = pipeline.tools
    reader = HistoryReader(tools.history)
    story = story_of(reader, tools.settings, config.key, tools.clock.now(), state=tools.state)
    text = as_markdown(story, tools.settings.alerts.language)
    context.add_output_metadata({"explanation": dg.MetadataValue.md(text)})


@dg.job(description="保留中の変更を承認して送信: approve held rows and send them.")
def release_holds() -> None:
    release_holds_op()


@dg.job(description="実行の取り消し: put back what a run changed.")
def rollback_run() -> None:
    rollback_run_op()


@dg.job(description="計画の適用: send what a plan file names.")
def apply_plan() -> None:
    apply_plan_op()


@dg.job(description="カタログ情報の更新: titles, images, brand and category, by age.")
def catalog_refresh() -> None:
    catalog_refresh_op()


@dg.job(description="価格と公開状態の説明: why this price, why hidden.")
def explain() -> None:
    explain_op()


BY_HAND = [release_holds, rollback_run, apply_plan, catalog_refresh, explain]
