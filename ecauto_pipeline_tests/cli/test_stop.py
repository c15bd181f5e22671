"""`ecauto stop` and `ecauto resume` as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import stops
from ecauto_pipeline_tests.cli.test_register_accept import Owner

ONE, TWO = AccountKey("base", "shop_1"), AccountKey("base", "shop_2")


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Owner:
    return Owner(tmp_path, monkeypatch, capsys)


def stopped(owner: Owner) -> list[AccountKey]:
    with owner.state.read() as connection:
        return [key for key in (ONE, TWO) if stops.stop_of(connection, key) is not None]


@pytest.mark.parametrize(
    ("language", "all_of_them", "goes_on", "nothing"),
    [
        ("ja", "すべてのショップ: 送信停止中", "再開しました", "送信は止まっていません"),
        ("en", "every shop: pushing stopped since", "pushing goes on", "pushing is not stopped"),
    ],
)
def test_all_pushing_stops_and_goes_on(
    owner: Owner, language: str, all_of_them: str, goes_on: str, nothing: str
) -> None:
    """Exit 0 and one line each, with what to type next; a second resume has nothing to do: exit 2."""
    owner.speaks(language)
    code, out, err = owner.types("stop")
    assert (0, "", [ONE, TWO]) == (code, err, stopped(owner))
    assert (True, True, True) == (all_of_them in out, "ecauto rollback RUN_ID" in out, "ecauto resume" in out)
    code, out, _ = owner.types("resume")
    assert (0, True, []) == (code, goes_on in out, stopped(owner))
    code, _, err = owner.types("resume")
    assert (2, True) == (code, nothing in err)


def test_one_shop_by_its_name(owner: Owner) -> None:
    """The others stay as they are; a shop that nobody knows is named, and nothing is stopped."""
    assert 0 == owner.types("stop", "shop_1")[0]
    assert [ONE] == stopped(owner)
    code, _, err = owner.types("stop", "shop_9")
    assert (2, True, [ONE]) == (code, "shop_9" in err, stopped(owner))
    owner.types("stop")
    assert 0 == owner.types("resume", "shop_2")[0]
    assert [ONE] == stopped(owner)


def test_status_names_it_first(owner: Owner) -> None:
    """Whatever else is wrong: nothing reaches the shops, who said so, and what to type."""
    owner.types("stop", "shop_2")
    code, out, _ = owner.types("status")
    first = out.splitlines()[0]
    assert 1 == code
    assert first.startswith("要対応: 送信停止中: shop_2（")
    assert first.endswith("(次: ecauto resume shop_2)")
