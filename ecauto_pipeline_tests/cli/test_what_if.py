"""`ecauto what-if` as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ecauto_pipeline.state.database import Database
from ecauto_pipeline_tests.cli.typed import type_command

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Types the command in a folder with one shop of which nothing is known; exit code, output, errors."""
    monkeypatch.setenv("ECAUTO_CONFIG", str(tmp_path / "ecauto.toml"))
    monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
    text = '[[base.accounts]]\nid = "shop_1"\n[alerts]\nlanguage = "en"\n'
    (tmp_path / "ecauto.toml").write_text(text, encoding="utf-8")
    (tmp_path / "data").mkdir()
    Database(f"sqlite:///{tmp_path}/data/state.db").close()

    return partial(type_command, monkeypatch, capsys, "what-if")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say what to change"),
        (("--set", "pricing"), "write KEY=VALUE"),
        (("--set", "pricing.markup=1.2"), "markup_ratio"),
        (("--set", "pricing.markup_ratio=dear"), "pricing.markup_ratio"),
        (("--set", "pricing.markup_ratio=-1"), "pricing.markup_ratio"),
        (("--set", "pricing=1"), "pricing"),
        (("--rules", "none.csv"), "none.csv"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(typed: Typed, arguments: tuple[str, ...], said: str) -> None:
    """Before anything is reckoned: the key, the nearest one, the file."""
    code, out, err = typed(*arguments)
    assert (2, "") == (code, out)
    assert said in err


def test_a_bad_file_of_rules_is_refused_by_line(typed: Typed, tmp_path: Path) -> None:
    """As `ecauto rules check` would refuse it."""
    (tmp_path / "rules.csv").write_text("item_id,fixed_price_jpy\n1,0\n", encoding="utf-8")
    code, out, err = typed("--rules", str(tmp_path / "rules.csv"))
    assert (2, "") == (code, out)
    assert "rules.csv: line 2" in " ".join(err.split())


def test_the_answer_is_a_table_or_a_document(typed: Typed) -> None:
    """Values are TOML's; what is known of nothing is zeros, and that there are no orders is said."""
    code, out, _ = typed("--set", "pricing.markup_ratio=1.25", "--set", "offers.filtered_out=keep", "--days", "2")
    assert 0 == code
    assert "pricing.markup_ratio = 1.25" in out
    assert "no orders of that time are on record" in out
    code, out, _ = typed("--set", "pricing.endings=[80]", "--days", "0", "--json")
    document = json.loads(out)
    assert ({"pricing.endings": [80]}, 0) == (document["changes"], code)
    assert {"changes", "day_0", "past", "limits"} == set(document)
    assert [] == document["day_0"]["plan"]["rows"]
    assert [{"account": "shop_1", "allowed_a_day": 88_000, "now": 0, "what_if": 0}] == document["limits"]
