"""`ecauto validate --dry-run`: the five lines of the old validation, and not one call."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ecauto_pipeline.cli import main
from ecauto_pipeline.emulator.server import EmulatorServer

TOML = """
[sp_api]
endpoint = "{url}"
[base]
endpoint = "{url}/1"
[[base.accounts]]
id = "base_account_1"
"""


def test_a_dry_validation_makes_no_call_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither Amazon nor BASE nor the token service hears of it; the counts carry both their names."""
    with EmulatorServer(seed=1, listings=30, accounts=1) as emulator:
        (tmp_path / "ecauto.toml").write_text(TOML.format(url=emulator.url), encoding="utf-8")
        monkeypatch.setenv("ECAUTO_CONFIG", str(tmp_path / "ecauto.toml"))
        monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
        monkeypatch.setattr(sys, "argv", ["ecauto", "validate", "--dry-run", "--json"])
        monkeypatch.setattr(sys, "stdout", sys.stdout)
        monkeypatch.setattr(sys, "stderr", sys.stderr)
        with pytest.raises(SystemExit) as ending:
            main()
        assert [] == emulator.control.calls()
    counts = json.loads(capsys.readouterr().out)
    assert ending.value.code == 0
    assert {"全ASIN数", "キャッシュなし", "価格期限切れ", "在庫期限切れ", "更新が必要", "total_asins"} <= set(counts)
