"""Held rows in narrow terminals: what is to be copied stays whole, goods have names, the price of holding is said."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len
from sqlalchemy import insert

from ecauto_pipeline.domain.model import Decision, Diff, Kind, ListingKey
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import load
from ecauto_pipeline.state import decisions
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.views.held_rows import short_ids
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.register.test_master import LISTING, PRODUCT

TITLE = "とても長い商品名の工具セット [bold]六角レンチ[/bold] 9本組 ボールポイント 収納ケース付き 日本製"
ROWS = (
    ("base_account_1", "10000001", "B0AAAAAAA1", Kind.PRICE, 1_980, 39_800, "move", 1),
    ("base_account_2", "20000001", "B0AAAAAAA1", Kind.PRICE, 1_980, 39_800, "move", 0),
    ("base_account_1", "10000002", "B0AAAAAAA2", Kind.VISIBILITY, 1, 0, "mass_hide", 1),
)


LEFT = {"10000001": 12_345, "10000002": -321}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three held rows: one ASIN in two shops, of which one is hidden, and a hide of another."""
    (tmp_path / "ecauto.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ECAUTO_CONFIG", raising=False)
    monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
    (tmp_path / "data").mkdir()
    Register.create(tmp_path / "data" / "master.db", [{**PRODUCT, "asin": "B0AAAAAAA1", "title_ja": TITLE}], [LISTING])
    with open_tools(load(), offline=True) as tools, tools.state.write() as connection:
        for account, item, asin, kind, shown, wanted, reason, visible in ROWS:
            key = ListingKey("base", account, item)
            diff = Diff(
                key, asin, kind, shown, wanted, Decision.HELD, reason, snapshot_id="s", profit_jpy=LEFT.get(item)
            )
            decisions.store(connection, "run", "", [diff], datetime.now(UTC), closed=False)
            side = {"platform": "base", "account_id": account, "item_id": item, "asin": asin, "listed": 1}
            connection.execute(insert(listings), [{**side, "shown_visible": visible, "shown_stock": 1}])
    return tmp_path


Typed = Callable[..., tuple[int, str]]


@pytest.fixture
def typed(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """A command typed in the project: its exit code, and what it said."""
    return lambda *words: type_command(monkeypatch, capsys, *words)[:2]


@pytest.mark.skipif(os.name == "nt", reason="a terminal of POSIX")
@pytest.mark.parametrize("columns", [60, 80])
def test_what_is_copied_is_whole_in_a_narrow_terminal(project: Path, typed: Typed, columns: int) -> None:
    """Each row begins with 8 characters of its id and its ASIN; no line is longer than the terminal is wide."""
    from ecauto_pipeline_tests.cli import terminal

    seen = terminal.typed(project, columns, "holds", "list")
    assert [] == [line for line in seen.lines if cell_len(line) > columns]
    copied = [line.split()[:2] for line in seen.lines if re.match(r"[0-9a-f]{8}  B0", line)]
    held = json.loads(typed("holds", "list", "--json")[1])
    assert [[row["diff_id"][:8], row["asin"]] for row in held] == copied
    text = "\n".join(seen.lines)
    for item in ("10000001", "20000001", "10000002"):
        assert item in text
    assert ("とても長い商品名の工具セット [bold]六角" in text, 3) == (True, text.count("この間"))
    assert ("この価格で売れると手元に 12,345円" in text, "今の価格で売れると手元に -321円" in text) == (True, True)
    assert LEFT == {row["item_id"]: row["profit_jpy"] for row in held if row["profit_jpy"] is not None}
    assert (2, 1) == (text.count("今のまま販売を続けています"), text.count("販売を止めています"))


def test_one_word_for_an_asin_in_every_shop(typed: Typed) -> None:
    """`--asin` decides the rows of both shops, `--asin --account` of one; an ASIN that waits nowhere is an error."""
    assert 2 == typed("holds", "approve", "--asin", "B0NOTTHERE")[0]
    one = json.loads(typed("holds", "reject", "--asin", "B0AAAAAAA2", "--account", "base_account_1", "--json")[1])
    assert ["10000002"] == [row["item_id"] for row in one]
    both = json.loads(typed("holds", "approve", "--asin", "B0AAAAAAA1", "--json")[1])
    assert {"10000001", "20000001"} == {row["item_id"] for row in both}
    assert [] == json.loads(typed("holds", "list", "--json")[1])


def test_the_short_id_is_understood_by_show_and_explain(typed: Typed) -> None:
    """What the list shows is what the other commands take."""
    held = json.loads(typed("holds", "list", "--json")[1])
    for row in held:
        shown = json.loads(typed("holds", "show", row["diff_id"][:8], "--json")[1])
        assert (row["diff_id"], row["title"]) == (shown["diff_id"], shown["title"])
        assert row["item_id"] in typed("explain", row["diff_id"][:8], "--json")[1]


def test_short_ids_tell_rows_apart() -> None:
    """Eight characters, or as many as it takes."""
    assert {"abcdefgh1": "abcdefgh", "bcdefghi1": "bcdefghi"} == short_ids(["abcdefgh1", "bcdefghi1"])
    assert {"abcdefgh1": "abcdefgh1", "abcdefgh2": "abcdefgh2"} == short_ids(["abcdefgh1", "abcdefgh2"])
