"""`ecauto holds`: narrowing, the effect before the word, and what came too late, typed in the tests' own process."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ecauto_pipeline.cli.holds import COMMAND
from ecauto_pipeline.domain.model import Decision, Diff, Kind, ListingKey
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.settings import load
from ecauto_pipeline.state import decisions
from ecauto_pipeline.sync.people.holds import approved_ids
from ecauto_pipeline.wiring.open import open_tools

ROWS = (
    ("1", Kind.PRICE, 1000, 3000, "move"),
    ("2", Kind.PRICE, 5000, 2000, "move"),
    ("3", Kind.VISIBILITY, 1, 0, "mass_hide"),
)


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The diff_ids of three held rows, in the order of ROWS."""
    (tmp_path / "ecauto.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("ECAUTO_CONFIG", str(tmp_path / "ecauto.toml"))
    monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
    diffs = [
        Diff(
            ListingKey("base", "base_account_1", item), f"B{item:>09}", kind, shown, wanted, Decision.HELD, reason, "s"
        )
        for item, kind, shown, wanted, reason in ROWS
    ]
    with open_tools(load(), offline=True) as tools, tools.state.write() as connection:
        decisions.store(connection, "run", "", diffs, datetime.now(UTC), closed=False)
    return [decisions.diff_id("run", diff) for diff in diffs]


def typed(*words: str, code: int = 0) -> Any:
    """What `ecauto holds WORDS --json` prints."""
    ended = CliRunner().invoke(COMMAND, [*words, "--json"])
    assert code == ended.exit_code, ended.output
    return json.loads(ended.stdout)


def test_the_list_is_narrowed_as_on_the_desk(names: list[str]) -> None:
    """By kind, reason, text and number of rows; a word it does not know is refused by name."""
    assert ["3"] == [row["item_id"] for row in typed("list", "--kind", "visibility")]
    assert ["1", "2"] == sorted(row["item_id"] for row in typed("list", "--reason", "move"))
    assert ["2"] == [row["item_id"] for row in typed("list", "--search", "B000000002")]
    assert ["2"] == [row["item_id"] for row in typed("list", "--sort", "change", "--limit", "1")]
    cut = CliRunner().invoke(COMMAND, ["list", "--limit", "1"]).stdout
    assert "ほか 2 件" in cut
    wrong = CliRunner().invoke(COMMAND, ["list", "--kind", "prize"])
    assert (2, True) == (wrong.exit_code, "price" in wrong.output)


def test_a_row_has_on_the_command_line_what_it_has_on_the_desk(names: list[str]) -> None:
    """Every figure of the page, by name."""
    row = typed("show", names[0][:8])
    for name in ("title", "shop", "price_jpy", "cost_then_jpy", "cost_now_jpy", "cost_age_s", "profit_shown_jpy",
                 "profit_wanted_jpy", "on_sale", "sources", "before", "same_asin", "amazon"):  # fmt: skip
        assert name in row
    assert row == next(one for one in typed("list") if one["diff_id"] == names[0]) | {"age_s": row["age_s"]}


def test_the_effect_is_told_and_nothing_decided(names: list[str]) -> None:
    """`--dry-run` says what the desk says before the click."""
    effect = typed("approve", "--all", "--dry-run")
    assert (3, 1, 1, -1000, 1) == tuple(
        effect[name] for name in ("rows", "rises", "falls", "price_change_jpy", "hides")
    )
    assert any("公開されたまま" in line for line in typed("reject", names[2], "--dry-run")["lines"])
    assert 3 == len(typed("list"))


def test_only_what_was_approved_can_be_sent(names: list[str]) -> None:
    """Nothing approved, or a row that nobody approved: said so before anything starts."""
    for words in (["send"], ["send", names[1][:8]]):
        ended = CliRunner().invoke(COMMAND, words)
        assert 0 != ended.exit_code
    typed("approve", names[0])
    with open_tools(load(), offline=True) as tools:
        assert [names[0]] == approved_ids(tools) == approved_ids(tools, [names[0][:8]])
        with pytest.raises(NotOnRecord):
            approved_ids(tools, [names[1]])


def test_a_yes_is_taken_back(names: list[str]) -> None:
    """Listed until then with --approved; what has no yes is named and makes the exit code 1."""
    typed("approve", *names[:2])
    assert ["1", "2"] == sorted(row["item_id"] for row in typed("list", "--approved"))
    ended = CliRunner().invoke(COMMAND, ["take-back", names[0][:8], names[2][:8]])
    assert (1, True) == (ended.exit_code, "1 件の承認を取り消し" in ended.stdout)
    assert "取り消せません（待っている）" in ended.stderr
    assert ["2"] == [row["item_id"] for row in typed("list", "--approved")]
    assert ["rejected", "approved", "open"] == [typed("show", name)["state"] for name in names]


def test_what_was_decided_before_is_named_and_the_rest_done(names: list[str]) -> None:
    """Exit code 1; nobody's word is overwritten."""
    typed("reject", names[0])
    ended = CliRunner().invoke(COMMAND, ["approve", names[0][:8], names[1][:8]])
    assert (1, True) == (ended.exit_code, "1 件を承認しました" in ended.stdout)
    assert f"{names[0][:12]} base_account_1 1 B000000001: すでに決まっています（却下" in ended.stderr
    assert ["rejected", "approved", "open"] == [typed("show", name)["state"] for name in names]
