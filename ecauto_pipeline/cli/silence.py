"""The first line of any command in live mode: what has not happened since somebody last looked, each change once.

Nobody fails when nothing runs, so the next thing that runs tells: here a command, at the terminal and through the alert
channels. Not for: finding out (doctor/silence.py), or a diagnosis (status.py, doctor.py).
"""

from __future__ import annotations

from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.settings import Settings, config_path, load


def say_what_was_silent() -> None:
    """One line a change on stderr. Whatever is wrong with the installation itself, the command says."""
    try:
        settings = load() if config_path() is not None else None
    except EcautoError:
        return
    if settings is not None and settings.mode == "live" and _has_worked(settings):
        _tell(settings)


def _has_worked(settings: Settings) -> bool:
    return bool(settings.state.url) or (settings.data_dir / "state.db").is_file()


def _tell(settings: Settings) -> None:
    from ecauto_pipeline.alerts.announce import announce, told_at_terminal
    from ecauto_pipeline.alerts.rules.silence import SILENCE
    from ecauto_pipeline.cli.console import err
    from ecauto_pipeline.doctor.dagster_files import dagster_home, look_at_dagster
    from ecauto_pipeline.doctor.silence import silences
    from ecauto_pipeline.state.database import UNUSABLE
    from ecauto_pipeline.wiring.open import open_tools

    try:
        with open_tools(settings, offline=True) as tools:
            announce(tools, silences(tools, look_at_dagster(dagster_home()).daemon_at))
            lines = told_at_terminal(tools, [rule.name for rule in SILENCE])
    except (EcautoError, OSError, UNUSABLE):
        return
    for line in lines:
        err().print(line, style="yellow", markup=False)
