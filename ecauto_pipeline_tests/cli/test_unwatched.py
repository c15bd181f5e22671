"""`ecauto unwatched` as it is typed: each listing that nothing keeps in step, its goods and the reason in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import insert

from ecauto_pipeline.cli.unwatched import unwatched
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import load
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.register.test_master import LISTING, PRODUCT


def test_each_is_listed_under_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Item, ASIN, shop and title on a line below the reason's words; the same rows as JSON; what is in step is not."""
    (tmp_path / "ecauto.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("ECAUTO_CONFIG", str(tmp_path / "ecauto.toml"))
    monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
    (tmp_path / "data").mkdir()
    Register.create(tmp_path / "data" / "master.db", [{**PRODUCT, "asin": "B000000001", "title_ja": "工具"}], [LISTING])
    side = {"platform": "base", "account_id": "base_account_1", "present": 1, "listed": 1, "register_id": 1}
    side |= {"register_status": "listed"}
    rows = (("101", "B000000001", 1, ""), ("102", "B000000002", 0, ""), ("103", "B000000003", 0, "no_item"))
    with open_tools(load(), offline=True) as tools, tools.state.write() as connection:
        for item, asin, blocked, orphan in rows:
            row = {"item_id": item, "asin": asin, "blocked": blocked, "orphan": orphan}
            connection.execute(insert(listings), [{**side, **row}])
    unwatched()
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert "101  B000000001  base_account_1  工具" == lines[lines.index(said("blocklist", "ja")) + 1]
    assert "103  B000000003  base_account_1" == lines[lines.index(said("orphan_no_item", "ja")) + 1]
    unwatched(json_output=True)
    found = {row["item_id"]: row["reason"] for row in json.loads(capsys.readouterr().out)}
    assert {"101": "blocklist", "103": "orphan_no_item"} == found
