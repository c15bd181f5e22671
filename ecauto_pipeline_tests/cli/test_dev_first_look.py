"""What `ecauto dev` learns before it starts Dagster's servers."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ecauto_pipeline.cli.dev_first_look import FirstLook
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline_tests.pages import ROOT

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("file", "holds", "raises", "logged"),
    [
        ("data/dagster/history/runs.db", b"no database" * 100, pytest.raises(EcautoError, match="damaged"), ""),
        ("dagster.yaml", b"nonsense: 7", pytest.raises(EOFError), "nonsense"),
    ],
    ids=["a damaged file", "settings of Dagster's"],
)
def test_what_the_first_look_meets_is_said(
    tmp_path: Path, file: str, holds: bytes, raises: AbstractContextManager[object], logged: str
) -> None:
    """A fault of the disk as everywhere, with the next step; of anything else the log has the reason."""
    for name in ("workspace.yaml", "dagster.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "ecauto.toml").write_text("", encoding="utf-8")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_bytes(holds)
    environ = {name: value for name, value in os.environ.items() if name not in ("DAGSTER_HOME", "ECAUTO_DATA_DIR")}
    environ["ECAUTO_CONFIG"] = str(tmp_path / "ecauto.toml")
    look = FirstLook(tmp_path / "workspace.yaml", environ, tmp_path / "dagster.log")
    with raises:
        look.found()
    assert logged in (tmp_path / "dagster.log").read_text(encoding="utf-8")
