"""`ecauto`: the command line. One module a command (commands.py lists them).

Exit codes (exit_codes.py): 0 fine, 1 a person should look, 2 usage or configuration, 3 a guard, 130 interrupted.
At its top it imports only what Ctrl-C needs; the first second of a command is all imports.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence
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
        command_line(_before_a_command)(prog_name="ecauto", standalone_mode=True)
    except EcautoError as error:
        _end(error, USAGE)
    except Exception as error:
        _end_of_a_fault(error, USAGE)
    except KeyboardInterrupt:
        sys.exit(interrupts.INTERRUPTED)
    finally:
        gc.enable()


def _before_a_command() -> None:
    from ecauto_pipeline.cli.silence import say_what_was_silent

    _read_secrets()
    say_what_was_silent()


def _read_secrets() -> None:
    """Into the environment what `.env` beside ecauto.toml holds; what is set already wins."""
    from ecauto_pipeline.settings import config_path

    config = config_path()
    file = (config.parent if config is not None else Path.cwd()) / ".env"
    if file.is_file():
        from dotenv import load_dotenv

        from ecauto_pipeline.settings.env_lines import readable_lines

        text, passed_over = readable_lines(text_of_secrets(file))
        _say_what_is_passed_over(file, passed_over)
        load_dotenv(stream=io.StringIO(text), override=False)


def _say_what_is_passed_over(file: Path, numbers: Sequence[int]) -> None:
    """A line each on stderr; what stands there may be a secret, and is not said."""
    for number in numbers:
        from ecauto_pipeline.cli.console import err, told

        said = told(
            f"{file} の{number}行目は 名前=値 の形ではないため、読み飛ばしました",
            f"{file}, line {number}: not NAME=value, so it is passed over",
        )
        err().print(said, style="yellow", markup=False, soft_wrap=True)


def text_of_secrets(file: Path) -> str:
    """The text of a file that Dagster's processes will read as UTF-8, too. Raises SettingsError where it is none."""
    from ecauto_pipeline.errors import SettingsError

    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        raise SettingsError(
            f"{file} can't be read: {error.strerror}", ja=f"{file} を読めません（{error.strerror}）"
        ) from None
    if "\0" in text:  # UTF-16 of plain letters is also valid UTF-8, with a zero beside each
        raise SettingsError(
            f"{file} is not UTF-8: save it as UTF-8", ja=f"{file} はUTF-8ではありません。UTF-8で保存し直してください"
        )
    return text


def _end_of_a_fault(error: Exception, code: int) -> None:
    """A full disk, a folder without rights, a damaged database: one line. Anything else is raised again, whole."""
    from ecauto_pipeline.doctor.disk_errors import fault_of

    if fault_of(error) is None:
        raise error
    _end(error, code)


def _end(error: Exception, code: int) -> None:
    import typer

    from ecauto_pipeline.cli.console import fail
    from ecauto_pipeline.doctor.disk_errors import told

    try:
        fail(told(error, "en"), code, ja=told(error, "ja"))
    except typer.Exit as ending:
        sys.exit(ending.exit_code)
