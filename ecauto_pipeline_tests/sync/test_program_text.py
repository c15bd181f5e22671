"""What a step signs with: the program that decided, not the one that lies in the files by then."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ecauto_pipeline.sync import program_text
from ecauto_pipeline.sync.diffs.changed import DECIDED_BY
from ecauto_pipeline.sync.listings.register_of_run import JOINED_BY
from ecauto_pipeline.sync.program_text import digest_of_program
from ecauto_pipeline_tests.pages import ROOT


def test_files_that_were_replaced_under_a_process_are_not_what_it_decides_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process and its copies sign as nobody else does, the next one as the files say."""
    parts = [(str(tmp_path / name),) for name in ("before", "after", "copy")]
    for (name,) in parts:
        Path(name).mkdir()
        (Path(name) / "rule.py").write_text("RATIO = 0.03", encoding="utf-8")
    before = digest_of_program(parts[0])
    monkeypatch.setattr(program_text, "_LOADED_AT", time.time() + 60)
    next_one = digest_of_program(parts[1])
    assert before != next_one
    monkeypatch.setattr(program_text, "_LOADED_AT", 0.0)
    assert before == digest_of_program(parts[2])


@pytest.mark.parametrize("parts", [DECIDED_BY, JOINED_BY])
def test_every_part_is_there_and_what_platforms_keep_and_are_called_is_among_them(parts: tuple[str, ...]) -> None:
    """Fees and names of a platform lie in its own folder."""
    package = ROOT / "ecauto_pipeline"
    assert [] == [part for part in parts if not (package / part).exists()]
    for name in ("shops/base/fees.py", "shops/csv/__init__.py"):
        assert any((package / name).is_relative_to(package / part) for part in parts)
