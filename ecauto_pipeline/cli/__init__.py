"""`ecauto`: the command line. One module a command (commands.py lists them).

Exit codes: 0 fine, 1 done with errors or alerts, 2 usage or configuration, 3 stopped by a guard, 130 interrupted.
At its top it imports only what Ctrl-C needs; the first second of a command is all imports.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

from ecauto_pipeline.cli import interrupts


def main() -> None:
    """The entry point: every error of ours, and Ctrl-C, is one clear line and its exit code."""
    with interrupts.one_line_and_gone():
        _command()


def _command() -> None:
    from ecauto_pipeline.cli.commands import command_line
    from ecauto_pipeline.cli.console import USAGE, prepare_streams
    from ecauto_pipeline.errors import EcautoError

    prepare_streams()
    # numpy starts a thread a core for algebra that nobody here does
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()  # until the command's modules are loaded (commands.py): they stay, there is nothing to collect
    try:
        command_line(_read_secrets)(prog_name="ecauto", standalone_mode=True)
    except EcautoError as error:
        _end(error, USAGE)
    except KeyboardInterrupt:
        sys.exit(interrupts.INTERRUPTED)
    finally:
        gc.enable()


def _read_secrets() -> None:
    """Into the environment what `.env` beside ecauto.toml holds; what is set already wins."""
    from ecauto_pipeline.settings import config_path

    config = config_path()
    file = (config.parent if config is not None else Path.cwd()) / ".env"
    if file.is_file():
        from dotenv import load_dotenv

        load_dotenv(file, override=False)


def _end(error: Exception, code: int) -> None:
    import typer

    from ecauto_pipeline.cli.console import fail

    try:
        fail(str(error), code)
    except typer.Exit as ending:
        sys.exit(ending.exit_code)
