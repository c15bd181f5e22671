"""`ecauto sync` and `ecauto validate`: one Dagster run of an hour, shown while it works and summed up after.

Not for: what the run does (defs/, steps/).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ecauto_pipeline.cli.console import (
    FINE,
    GUARD,
    WITH_ERRORS,
    fail,
    print_json,
    progress_shown,
    say,
)
from ecauto_pipeline.cli.summary import show_summary, show_survey
from ecauto_pipeline.settings import Settings, load
from ecauto_pipeline.wiring.open import check, known_accounts, open_tools

if TYPE_CHECKING:
    from ecauto_pipeline.cli.running import Finished

QUIET_RULES = ("alert_channel_configured",)
"""Checks whose failing is shown but is no reason for another exit code."""

Account = Annotated[list[str] | None, typer.Option("--account", help="このショップだけ / only this shop (repeatable)")]
Json = Annotated[bool, typer.Option("--json", help="結果をJSONで / machine-readable")]
Platform = Annotated[str, typer.Option("--platform", help="販売先 / the platform; there is one: base")]
Partition = Annotated[str, typer.Option("--partition", help="対象の1時間 / the hour; default: this one")]


def register(app: typer.Typer) -> None:
    app.command("sync")(sync)
    app.command("validate")(validate)


def sync(
    price_only: Annotated[bool, typer.Option("--price-only", help="価格だけ / prices alone")] = False,
    stock_only: Annotated[bool, typer.Option("--stock-only", help="公開状態と在庫だけ / visibility and stock")] = False,
    platform: Platform = "base",
    account: Account = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="BASEには何も送らない / send BASE nothing")] = False,
    max_items: Annotated[int, typer.Option("--max-items", min=0, help="件数の上限 / listings at most; 0 = all")] = 0,
    partition: Partition = "",
    json_output: Json = False,
) -> None:
    """今の1時間ぶんの同期を1回実行します。 One run of the current hour: read, ask, decide, push."""
    if price_only and stock_only:
        fail("--price-only and --stock-only exclude each other")
    settings = ready(platform, account)
    job, include_price = "full_sync", "all"
    if price_only:
        job = "price_sync"
    elif stock_only:
        job, include_price = "stock_sync", "never"
    config: dict[str, object] = {
        "include_price": include_price,
        "dry_run": dry_run,
        "accounts": account or [],
        "max_items": max_items,
    }
    raise typer.Exit(run_and_show(settings, job, partition, config, json_output))


def validate(
    platform: Platform = "base",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="数えるだけ、通信しない / count only, no call")] = False,
    account: Account = None,
    partition: Partition = "",
    json_output: Json = False,
) -> None:
    """キャッシュを検証し、足りないものを補います。 Checks the cache and fills what is missing or expired."""
    settings = ready(platform, account, reach=not dry_run)
    from ecauto_pipeline.sync.stale_asins.plan import survey

    with open_tools(settings, offline=True) as tools:
        before = survey(tools)
    if dry_run:
        show_survey(before, json_output)
        raise typer.Exit(FINE)
    if not json_output:
        show_survey(before, False)
    config: dict[str, object] = {"accounts": account or []}
    raise typer.Exit(run_and_show(settings, "validate_cache", partition, config, json_output))


def ready(platform: str, accounts: list[str] | None, *, reach: bool = True) -> Settings:
    """Settings, checked before anything is written."""
    if platform.lower() != "base":
        fail(f"unknown platform {platform!r}; known: base")
    settings = load()
    known_accounts(settings, tuple(accounts or ()))
    check(settings, reach=reach)
    return settings


def run_and_show(
    settings: Settings,
    job: str,
    partition: str,
    config: dict[str, object],
    json_output: bool,
    op_config: dict[str, object] | None = None,
) -> int:
    """Execute and show; returns the exit code. With `op_config` the job is one without partitions."""
    return _run(settings, job, partition, config, json_output, op_config)[1]


def run_for_its_plan(settings: Settings, config: dict[str, object]) -> tuple[Finished, int]:
    """A dry run whose summary is not shown; what it decided is asked for afterwards."""
    return _run(settings, "full_sync", "", config | {"dry_run": True}, True, None, silent=True)


def _run(
    settings: Settings,
    job: str,
    partition: str,
    config: dict[str, object],
    json_output: bool,
    op_config: dict[str, object] | None,
    silent: bool = False,
) -> tuple[Finished, int]:
    from ecauto_pipeline.defs.partitions import bad_key, hour_key

    now = datetime.now(UTC)
    key = "" if op_config is not None else partition or hour_key(now)
    problem = bad_key(key, now) if key else ""
    if problem:
        fail(f"partition: {problem}")
    from ecauto_pipeline.cli.running import execute

    if not json_output:
        say(f"{job} を開始します{f'(対象 {key})' if key else ''}。Ctrl-Cでいつでも止められます。")
    config = {**config, "trigger": "cli", "spend": "due"}
    with progress_shown(quiet=json_output) as listener:
        finished = execute(job, key, config, listener, op_config)
    from ecauto_pipeline.state import runs as run_book

    with open_tools(settings, offline=True) as tools, tools.state.read() as connection:
        row = run_book.read(connection, finished.run_id)
    alerts = [entry for entry in finished.failed_checks if entry[0] not in QUIET_RULES]
    if json_output and not silent:
        from ecauto_pipeline.sync.metrics import metrics_row

        document = metrics_row(row) if row is not None else {"run_id": finished.run_id}
        print_json({**document, "success": finished.success, "error": finished.error, "alerts": alerts})
    elif not silent and row is not None:
        show_summary(row, finished.failed_checks)
    if not finished.success and "Interrupted" in finished.error:
        fail("中断しました。保存済みの回答はそのまま使い、次の実行が続きから始めます。", WITH_ERRORS)
    if not finished.success:
        if not json_output or silent:
            fail(finished.error or "the run failed; see ecauto dev", WITH_ERRORS)
        return finished, WITH_ERRORS
    figures = row.document if row is not None else {}
    if figures.get("guard_stopped"):
        return finished, GUARD
    return finished, WITH_ERRORS if alerts or figures.get("failed") else FINE


__all__ = ["ready", "register", "run_and_show", "run_for_its_plan"]
