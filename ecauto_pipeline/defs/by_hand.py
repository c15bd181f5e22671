"""Jobs that people start for a reason: release held rows, undo a run, apply a plan, refresh the catalogue, explain.

Each is one op with a described launchpad form, laid out to be filled in, on the same resource as the assets.
Not for: what runs by itself.
"""

from datetime import datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from ecauto_pipeline.clock import JST
from ecauto_pipeline.defs.metadata import figures
from ecauto_pipeline.defs.resources import Pipeline
from ecauto_pipeline.explain.story import explain as story_of
from ecauto_pipeline.explain.words import as_markdown
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.sync.catalog_refresh import refresh
from ecauto_pipeline.sync.noting import note_outcome
from ecauto_pipeline.sync.people.holds import release_holds as release
from ecauto_pipeline.sync.people.plan_files import apply_plan as apply_document
from ecauto_pipeline.sync.people.plan_files import read_plan
from ecauto_pipeline.sync.people.rollback import rollback_run as undo

_DRY = {"resources": {"pipeline": {"config": {"dry_run": False}}}}


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
    as_of: str = Field("", description='a moment of the past, JST: "2026-11-23 18:00"; empty = now')


@dg.op(description="Approves held rows and sends at once what the rules still want of them.")
def release_holds_op(context: dg.OpExecutionContext, config: HoldsConfig, pipeline: Pipeline) -> None:
    if not config.diff_ids:
        raise dg.Failure(
            description="diff_ids が空です。ecauto holds list で保留中の変更を確認してください (none given)"
        )
    report = release(pipeline.context, config.diff_ids, config.who)
    note_outcome(pipeline.context, report.decided.account, report.pushed)
    context.add_output_metadata(figures(report))


@dg.op(description="Puts back what a run changed, where BASE still shows it, through the same guards.")
def rollback_run_op(context: dg.OpExecutionContext, config: RollbackConfig, pipeline: Pipeline) -> None:
    if not config.target_run_id:
        raise dg.Failure(description="target_run_id が空です。取り消す実行のIDを入れてください (no run id given)")
    report = undo(pipeline.context, config.target_run_id)
    note_outcome(pipeline.context, None, report.pushed, whole=report.account, refused=report.refused)
    context.add_output_metadata(figures(report))


@dg.op(description="Sends exactly what a plan names, row by row, where nothing has changed since.")
def apply_plan_op(context: dg.OpExecutionContext, config: PlanConfig, pipeline: Pipeline) -> None:
    document = read_plan(Path(config.file).read_text(encoding="utf-8"))
    report = apply_document(pipeline.context, document)
    note_outcome(pipeline.context, report.decided.account, report.pushed, refused=report.refused)
    context.add_output_metadata(figures(report))


@dg.op(description="Titles, images, brand and category on their 7- and 30-day ages; never nulls anything.")
def catalog_refresh_op(context: dg.OpExecutionContext, pipeline: Pipeline) -> None:
    context.add_output_metadata(figures(refresh(pipeline.context, pipeline.context.run.slice_s)))


@dg.op(description="Why this price, why hidden: what Amazon said, what was decided, what was sent.")
def explain_op(context: dg.OpExecutionContext, config: ExplainConfig, pipeline: Pipeline) -> None:
    from ecauto_pipeline.explain.picture import history_png
    from ecauto_pipeline.reports.drawing import as_markdown as picture_markdown  # matplotlib is slow to import

    tools, key = pipeline.context, config.key.strip()
    moment = _moment(config.as_of) if config.as_of else None
    story = story_of(
        HistoryReader(tools.history),
        tools.settings,
        key,
        tools.clock.now(),
        as_of=moment,
        state=tools.state,
    )
    if not story.found:
        raise dg.Failure(description=f"{key!r}: ASINとしても商品IDとしても記録がありません (nothing is known about it)")
    language = tools.settings.alerts.language
    context.add_output_metadata(
        {
            "explanation": dg.MetadataValue.md(as_markdown(story, language)),
            "picture": dg.MetadataValue.md(picture_markdown(key, history_png(story, language))),
        }
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise dg.Failure(description=f'as_of: {text!r} is no time; one looks like "2026-11-23 18:00"') from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=JST)


def _form(op: str, **fields: object) -> dict[str, object]:
    """What the launchpad shows to be filled in."""
    return {"ops": {op: {"config": fields}}}


@dg.job(
    description="保留中の変更を承認して送信: approve held rows and send them.",
    config=_form("release_holds_op", diff_ids=[], who="") | _DRY,
)
def release_holds() -> None:
    release_holds_op()


@dg.job(
    description="実行の取り消し: put back what a run changed.",
    config=_form("rollback_run_op", target_run_id="") | _DRY,
)
def rollback_run() -> None:
    rollback_run_op()


@dg.job(description="計画の適用: send what a plan file names.")
def apply_plan() -> None:
    apply_plan_op()


@dg.job(description="カタログ情報の更新: titles, images, brand and category, by age.")
def catalog_refresh() -> None:
    catalog_refresh_op()


@dg.job(
    description="価格と公開状態の説明: why this price, why hidden. The answer: explain_op > Output > explanation.",
    config=_form("explain_op", key="", as_of=""),
)
def explain() -> None:
    explain_op()


BY_HAND = [release_holds, rollback_run, apply_plan, catalog_refresh, explain]
