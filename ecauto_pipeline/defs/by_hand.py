"""Jobs that people start for a reason: release held rows, undo a run, apply a plan, refresh the catalogue.

Each is one op with a described launchpad form, laid out to be filled in, on the same resource as the assets.
Not for: what runs by itself, what each may do (jobs.py), or questions (questions.py).
"""

from pathlib import Path

import dagster as dg
from pydantic import Field

from ecauto_pipeline.defs.failures import in_words, moment_of, refused
from ecauto_pipeline.defs.metadata import figures
from ecauto_pipeline.defs.resources import Pipeline
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.sync.catalog_refresh import refresh
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
    """Which runs to undo."""

    target_run_ids: list[str] = Field(description="the runs whose edits are put back where BASE still shows them")
    since: str = Field("", description='and every run since then, JST: "2026-11-23 18:00"; empty = only those named')


class PlanConfig(dg.Config):
    """Which plan to apply."""

    file: str = Field(description="path of the plan that ecauto plan wrote")


@dg.op(description="Approves held rows and sends at once what the rules still want of them.")
@in_words
def release_holds_op(context: dg.OpExecutionContext, config: HoldsConfig, pipeline: Pipeline) -> None:
    if not config.diff_ids:
        raise refused(
            "diff_ids が空です。ecauto holds list で保留中の変更を確認してください",
            "diff_ids is empty; ecauto holds list shows what waits",
        )
    try:
        report = release(pipeline.context, config.diff_ids, config.who)
    except NotOnRecord as error:
        raise refused(f"diff_ids: {error.ja}", f"diff_ids: {error}") from error
    context.add_output_metadata(figures(report))


@dg.op(description="Puts back what runs changed, where BASE still shows it: losses on sale first.")
@in_words
def rollback_run_op(context: dg.OpExecutionContext, config: RollbackConfig, pipeline: Pipeline) -> None:
    since = moment_of("since", config.since) if config.since else None
    if not config.target_run_ids and since is None:
        raise refused("target_run_ids が空です。取り消す実行のIDを入れてください", "target_run_ids is empty")
    try:
        report = undo(pipeline.context, *config.target_run_ids, since=since)
    except NotOnRecord as error:
        raise refused(error.ja, str(error)) from error
    context.add_output_metadata(figures(report))


@dg.op(description="Sends exactly what a plan names, row by row, where nothing has changed since.")
@in_words
def apply_plan_op(context: dg.OpExecutionContext, config: PlanConfig, pipeline: Pipeline) -> None:
    try:
        text = Path(config.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise refused(f"計画のファイルを読めません: {config.file}", f"can't read the plan {config.file}") from error
    document = read_plan(text)
    report = apply_document(pipeline.context, document)
    context.add_output_metadata(figures(report))


@dg.op(description="Titles, images, brand and category on their 7- and 30-day ages; never nulls anything.")
@in_words
def catalog_refresh_op(context: dg.OpExecutionContext, pipeline: Pipeline) -> None:
    context.add_output_metadata(figures(refresh(pipeline.context, pipeline.context.run.slice_s)))


def form(op: str, **fields: object) -> dict[str, object]:
    """What the launchpad shows to be filled in."""
    return {"ops": {op: {"config": fields}}}


@dg.job(
    description="保留中の変更を承認して送信: approve held rows and send them.",
    config=form("release_holds_op", diff_ids=[], who="") | _DRY,
)
def release_holds() -> None:
    release_holds_op()


@dg.job(
    description="実行の取り消し: put back what runs changed.",
    config=form("rollback_run_op", target_run_ids=[], since="") | _DRY,
)
def rollback_run() -> None:
    rollback_run_op()


@dg.job(description="計画の適用: send what a plan file names.")
def apply_plan() -> None:
    apply_plan_op()


@dg.job(description="カタログ情報の更新: titles, images, brand and category, by age.")
def catalog_refresh() -> None:
    catalog_refresh_op()


BY_HAND = [release_holds, rollback_run, apply_plan, catalog_refresh]
