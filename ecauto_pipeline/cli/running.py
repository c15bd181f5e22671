"""What every command that runs a job does: check first, run while showing progress, sum up, give the exit code.

Not for: Dagster (dagster_run.py) or the words of the summary (summary.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from ecauto_pipeline.cli.console import err, fail, print_json, say, told
from ecauto_pipeline.cli.exit_codes import exit_code, firing
from ecauto_pipeline.cli.interrupts import INTERRUPTED, SAID, SAID_IN_ENGLISH
from ecauto_pipeline.cli.progress import progress_shown
from ecauto_pipeline.cli.summary import show_interrupted, show_summary
from ecauto_pipeline.domain.lanes import WHOLE, Lane
from ecauto_pipeline.settings import Settings, load
from ecauto_pipeline.shops.platforms import PLATFORMS
from ecauto_pipeline.state.owner import new_owner
from ecauto_pipeline.state.work_done import work_done
from ecauto_pipeline.wiring.accounts import known_accounts, shop_accounts
from ecauto_pipeline.wiring.lanes import in_lane, known_lane, working_lanes
from ecauto_pipeline.wiring.open import check, open_tools

if TYPE_CHECKING:
    from ecauto_pipeline.cli.dagster_run import Finished


def ready(platform: str, accounts: list[str] | None, *, reach: bool = True, lane: str = "") -> Settings:
    """Settings, checked before anything is written. `platform` "" = all of them; `lane` "" = of every lane."""
    if platform and platform.lower() not in PLATFORMS:
        fail(
            f"unknown platform {platform!r}; known: {', '.join(PLATFORMS)}",
            ja=f"知らない販売先 {platform!r} です。使えるのは: {', '.join(PLATFORMS)}",
        )
    settings = load()
    known_accounts(settings, accounts or (), platform.lower())
    check(settings, reach=reach, lane=known_lane(settings, lane))
    return settings


def chosen(settings: Settings, platform: str, accounts: list[str] | None) -> list[str]:
    """The shops a run is for, as its launchpad names them; [] = every active one."""
    if accounts or not platform:
        return [str(account) for account in known_accounts(settings, accounts or (), platform.lower())]
    active = [account for account, shop in shop_accounts(settings).items() if shop.active]
    of_it = [str(account) for account in active if account.platform == platform.lower()]
    if not of_it:
        fail(f"no active shop on {platform.lower()}", ja=f"{platform.lower()} に有効なショップがありません")
    return [] if len(of_it) == len(active) else of_it


def shares_of(settings: Settings, lane: str, platform: str, accounts: list[str] | None) -> list[dict[str, object]]:
    """What the launchpad says of shops and lane, for each run that a command is to make: one a lane, in the order of
    the file, or the one `lane` that was named; only lanes that have one of the chosen shops."""
    wanted = chosen(settings, platform, accounts)
    keys = known_accounts(settings, wanted)
    if lane:
        found = known_lane(settings, lane)
        in_lane(found, keys)
        return [{"accounts": wanted, **_named(found)}]
    lanes = working_lanes(settings)
    if lanes == (WHOLE,):
        return [{"accounts": wanted}]
    mine = {one: [str(key) for key in keys if one.has(key)] for one in lanes}
    return [{"accounts": names, **_named(one)} for one, names in mine.items() if names or not wanted]


def _named(lane: Lane) -> dict[str, object]:
    return {} if lane.whole else {"lane": lane.id}


def run_lanes_and_show(
    settings: Settings, job: str, partition: str, shares: Sequence[dict[str, object]], json_output: bool
) -> int:
    """One run after the other, each shown; the highest of their exit codes. One that fails stops no other; whoever is
    interrupted begins no further one. As JSON an array where there are several, else the run's own document."""
    if len(shares) == 1:
        return run_and_show(settings, job, partition, shares[0], json_output)
    documents: list[object] = []
    codes = []
    for share in shares:
        try:
            codes.append(_run(settings, job, partition, share, json_output, None, print_it=documents.append)[1])
        except typer.Exit as ended:
            if ended.exit_code == INTERRUPTED:
                raise
            codes.append(ended.exit_code)
    if json_output:
        print_json(documents)
    return max(codes, default=0)


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


def run_and_name(
    settings: Settings, job: str, config: dict[str, object], json_output: bool, op_config: dict[str, object]
) -> tuple[Finished, int]:
    """`run_and_show` of a job without partitions, with the run itself, for who has more to say about it."""
    return _run(settings, job, "", config, json_output, op_config)


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
    print_it: Callable[[dict[str, object]], None] = print_json,
) -> tuple[Finished, int]:
    from ecauto_pipeline.defs.partitions import bad_key, first_hour, hour_key

    now = datetime.now(UTC)
    key = "" if op_config is not None else partition or hour_key(now)
    problem = bad_key(key, first_hour(settings, now), now) if key else None
    if problem is not None:
        ja, en = problem
        fail(f"--partition {en}", ja=f"--partition {ja}")
    from ecauto_pipeline.cli.dagster_run import execute
    from ecauto_pipeline.sync.people.start_sync import start_told
    from ecauto_pipeline.sync.stale_asins.next_slice import SYNC_JOBS

    if not json_output:
        of_hour_ja, of_hour = (f"(対象 {key})", f" ({key})") if key else ("", "")
        if config.get("lane"):
            of_hour_ja, of_hour = f"(レーン {config['lane']}){of_hour_ja}", f" (lane {config['lane']}){of_hour}"
        say(
            told(
                f"{job} を開始します{of_hour_ja}。Ctrl-Cでいつでも止められます。",
                f"{job}{of_hour} begins; Ctrl-C stops it at any time",
            )
        )
    config = {**config, "trigger": "cli", "spend": "due"}
    dry_run, language = bool(config.get("dry_run")), settings.alerts.language
    told_of = start_told(lambda: open_tools(settings, offline=True), new_owner()) if job in SYNC_JOBS else nullcontext()
    with told_of, progress_shown(quiet=json_output, dry_run=dry_run, language=language) as listener:
        finished = execute(job, key, config, listener, op_config)
    from ecauto_pipeline.sync.run_record import read_record

    with open_tools(settings, offline=True) as tools, tools.state.read() as connection:
        record = read_record(connection, finished.run_id)
        done = work_done(connection, finished.run_id) if finished.interrupted else None
    if done is not None:
        show_interrupted(done, job, key, json_output)
        err().print(told(SAID, SAID_IN_ENGLISH), markup=False)
        raise typer.Exit(INTERRUPTED)
    if json_output and not silent:
        from ecauto_pipeline.sync.run_metrics import metrics_row

        document = metrics_row(record) if record is not None else {"run_id": finished.run_id}
        print_it({**document, "success": finished.success, "error": finished.error, "alerts": firing(finished)})
    elif not silent and record is not None:
        show_summary(record, finished.failed_checks)
    code = exit_code(finished, record, settings.alerts)
    if not finished.success and (silent or not json_output):
        fail(
            finished.error or "the run failed; see ecauto dev",
            code,
            ja=finished.error or "実行に失敗しました。ecauto dev の画面で確かめてください",
        )
    return finished, code
