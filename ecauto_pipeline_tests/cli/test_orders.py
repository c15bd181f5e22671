"""`ecauto orders list` as it is typed: what was sold, the costs, what is left."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.cli.orders import list_orders
from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import load
from ecauto_pipeline.state import orders
from ecauto_pipeline.state.orders import AskedOrder, FoundOrder
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.register.test_master import LISTING, PRODUCT


def test_orders_are_listed_with_their_money(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The newest first; what Amazon could not sell, or is still asked about, says so in place of a cost."""
    (tmp_path / "ecauto.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("ECAUTO_CONFIG", str(tmp_path / "ecauto.toml"))
    monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
    (tmp_path / "data").mkdir()
    Register.create(tmp_path / "data" / "master.db", [{**PRODUCT, "asin": "B000000001", "title_ja": "工具"}], [LISTING])
    now = datetime.now(UTC)
    with open_tools(load(), offline=True) as tools, tools.state.write() as connection:
        for number, hours in (("1", 1), ("2", 2), ("3", 3), ("4", 24 * 9)):
            key = ListingKey("base", "base_account_1", f"10{number}")
            sold_at = now - timedelta(hours=hours)
            found = FoundOrder(number, f"o{number}", key, "B000000001", 1, 2580, sold_at)
            orders.add(connection, [found], "run", now)
        asked = AskedOrder("success", cost_at_sale_jpy=1984, profit_jpy=385, seller_id="A1")
        orders.settle(connection, "1", asked, now)
        orders.settle(connection, "2", AskedOrder("out_of_stock"), now)
    list_orders(7)
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "この7日の注文 3 件" == lines[0]
    assert lines[1].endswith("base_account_1  101  工具")
    assert "販売 2,580  前の仕入れ -  今の仕入れ 1,984  利益 385" == lines[2]
    assert ["今の仕入れ 在庫切れ" in lines[4], "今の仕入れ Amazonに確認中" in lines[6]] == [True, True]
    list_orders(7, json_output=True)
    rows = json.loads(capsys.readouterr().out)
    assert [("101", 385, "success"), ("102", None, "out_of_stock"), ("103", None, "")] == [
        (row["item_id"], row["profit_jpy"], row["status"]) for row in rows
    ]
