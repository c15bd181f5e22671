"""`ecauto register accept`: a person's word on what fell in master.db."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.register_fall import RegisterCounts, believed_from
from ecauto_pipeline.state import register_counts
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.register_counts import Watched
from ecauto_pipeline_tests.cli.typed import type_command

ONE, TWO = AccountKey("base", "shop_1"), AccountKey("base", "shop_2")
NOW = datetime(2026, 1, 5, 3, 30, tzinfo=UTC)
FELL = Watched(believed_from(RegisterCounts(1000, 900, 5), NOW), RegisterCounts(400, 0, 5))


class Owner:
    """Types commands in a folder with two shops."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._patch, self._capsys = folder, monkeypatch, capsys
        monkeypatch.setenv("ECAUTO_CONFIG", str(folder / "ecauto.toml"))
        monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
        self.speaks("ja")
        (folder / "data").mkdir()
        self.state = Database(f"sqlite:///{folder}/data/state.db")

    def speaks(self, language: str) -> None:
        shops = '[[base.accounts]]\nid = "shop_1"\n[[base.accounts]]\nid = "shop_2"\n'
        text = f'{shops}[alerts]\nlanguage = "{language}"\n'
        (self.folder / "ecauto.toml").write_text(text, encoding="utf-8")

    def types(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, what was said, what was said as an error."""
        return type_command(self._patch, self._capsys, *arguments)

    def fell(self, *shops: AccountKey) -> None:
        with self.state.write() as connection:
            for shop in shops:
                register_counts.save(connection, shop, FELL)

    def still_fallen(self) -> set[AccountKey]:
        with self.state.read() as connection:
            return set(register_counts.fallen(connection))


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Owner:
    return Owner(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ja", ("shop_1: 出品が1,000件から400件に減りました", "商品名(title_ja)が900件から0件", "認めました")),
        ("en", ("shop_1: listings fell from 1,000 to 400", "titles (title_ja) fell from 900 to 0", "accepted")),
    ],
)
def test_accepting_says_before_and_after(owner: Owner, language: str, words: tuple[str, ...]) -> None:
    """Exit 0, each figure in the owner's language; the other shop's fall stands; a second yes has nothing to accept."""
    owner.speaks(language)
    owner.fell(ONE, TWO)
    code, out, err = owner.types("register", "accept", "shop_1")
    assert (0, "") == (code, err)
    assert [] == [word for word in words if word not in out]
    assert {TWO} == owner.still_fallen()
    code, _, err = owner.types("register", "accept", "shop_1")
    assert (2, 1) == (code, len(err.strip().splitlines()))


def test_what_did_not_fall_and_whom_nobody_knows(owner: Owner) -> None:
    """One line each, exit 2."""
    for shop, words in (("shop_1", "ショップ shop_1 で認める減少はありません"), ("shop_9", "'shop_9'")):
        code, _, err = owner.types("register", "accept", shop)
        assert (2, True) == (code, words in err)
