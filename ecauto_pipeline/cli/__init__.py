"""`ecauto`: the command line. One module a command; Dagster is imported only where a run is started.

Exit codes: 0 fine, 1 done with errors or alerts, 2 usage or configuration, 3 stopped by a guard.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typer
from dotenv import load_dotenv

from ecauto_pipeline.cli import (
    alerts,
    apply,
    auth,
    cache,
    capacity,
    demo,
    dev,
    doctor,
    emulator,
    explain,
    history,
    holds,
    import_legacy,
    plan,
    report,
    rollback,
    status,
    sync,
    validate,
)
from ecauto_pipeline.cli.arguments import command_line
from ecauto_pipeline.cli.console import GUARD, USAGE, fail, prepare_streams
from ecauto_pipeline.errors import EcautoError, GuardStop
from ecauto_pipeline.settings import config_path

app = typer.Typer(
    name="ecauto",
    help="BASEの商品の価格・公開状態・在庫を、Amazonに合わせて保ちます。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (demo, dev, emulator, sync, validate, status, explain, capacity, holds, rollback, plan, apply):
    command.register(app)
for command in (cache, import_legacy, auth, alerts, doctor, report, history):
    command.register(app)


def main() -> None:
    """The entry point: every error of ours is one clear line and its exit code."""
    prepare_streams()
    config = config_path()
    load_dotenv((config.parent if config is not None else Path.cwd()) / ".env", override=False)
    try:
        command_line(app)(standalone_mode=True)
    except GuardStop as error:
        _end(error, GUARD)
    except EcautoError as error:
        _end(error, USAGE)
    except KeyboardInterrupt:
        sys.exit(130)


def _end(error: Exception, code: int) -> None:
    try:
        fail(str(error), code)
    except typer.Exit as ending:
        sys.exit(ending.exit_code)
