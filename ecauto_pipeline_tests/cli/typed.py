"""One command as a person types it, in this process. Not for: laws, or what a process of its own has to show."""

from __future__ import annotations

import sys

import pytest

from ecauto_pipeline.cli import main


def type_command(patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, what was said, what was said as an error; the streams are put back as they were."""
    for name, value in (("argv", ["ecauto", *words]), ("stdout", sys.stdout), ("stderr", sys.stderr)):
        patch.setattr(sys, name, value)
    with pytest.raises(SystemExit) as ending:
        main()
    out, err = capsys.readouterr()
    return int(ending.value.code or 0), out, err
