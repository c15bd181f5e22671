"""Bad input: one clear line on stderr, exit 2, nothing written."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.cli import main, text_of_secrets
from ecauto_pipeline.errors import SettingsError

LIVE = 'mode = "live"\n[[base.accounts]]\nid = "shop_1"\nclient_id_env = "SHOP_ID"\nclient_secret_env = "SHOP_SECRET"\n'
SECRETS = {
    "SP_API_REFRESH_TOKEN": "Atzr|very-secret",
    "LWA_APP_ID": "app",
    "LWA_CLIENT_SECRET": "hush-hush",
    "SHOP_ID": "id",
    "SHOP_SECRET": "sesame",
}


class Installation:
    """A folder with an ecauto.toml; commands run in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._patch, self._capsys = folder, monkeypatch, capsys
        monkeypatch.setenv("ECAUTO_CONFIG", str(folder / "ecauto.toml"))
        monkeypatch.setenv("DAGSTER_HOME", str(folder / "instance"))
        monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
        for name in SECRETS:
            monkeypatch.delenv(name, raising=False)

    def write(self, text: str) -> None:
        (self.folder / "ecauto.toml").write_text(text, encoding="utf-8")

    def with_secrets(self) -> None:
        for name, value in SECRETS.items():
            self._patch.setenv(name, value)

    def with_token(self) -> None:
        tokens = self.folder / "data" / "tokens"
        tokens.mkdir(parents=True)
        (tokens / "shop_1_token.json").write_text('{"access_token": "a", "refresh_token": "r"}', encoding="utf-8")

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}

    def refused(self, *arguments: str) -> str:
        """The one line that the command says; asserts exit 2 and that nothing was written."""
        before = self.files()
        said = self.failed(*arguments)
        assert before == self.files()
        return said

    def failed(self, *arguments: str) -> str:
        """The one line that the command says; asserts exit 2."""
        self._patch.setattr(sys, "argv", ["ecauto", *arguments])
        self._patch.setattr(sys, "stdout", sys.stdout)
        self._patch.setattr(sys, "stderr", sys.stderr)
        with pytest.raises(SystemExit) as ending:
            main()
        said = self._capsys.readouterr().err.strip()
        assert ending.value.code == 2
        assert len(said.splitlines()) == 1
        return said


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Installation:
    return Installation(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[pricing]\nmarkup_ratio = 'much'\n", "pricing.markup_ratio"),
        ("[pricing]\nmarkup_rate = 1.3\n", "markup_ratio"),
        ("[ttl]\nprice = '24 hours'\n", "ttl.price"),
        ("mode = 'production'\n", "mode"),
        ("[tiers]\nspend = 'bugdet'\n", "tiers.spend"),
        ("[schedules]\ninclude_price = 'flor'\n", "schedules.include_price"),
        ("[[[", "ecauto.toml を読めません。TOMLの書き方を確かめてください（1行3文字目）"),
    ],
)
def test_a_wrong_setting_is_named(here: Installation, text: str, words: str) -> None:
    """A value of the wrong type and an unknown key: the line names the key, or the nearest known one."""
    here.write(text)
    assert words in here.refused("sync")


def test_a_missing_secret_is_named_and_never_printed(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable's name is said; the values of the others are not."""
    here.write(LIVE)
    here.with_secrets()
    monkeypatch.delenv("LWA_CLIENT_SECRET")
    said = here.refused("sync")
    assert "LWA_CLIENT_SECRET" in said
    assert not [value for value in SECRETS.values() if len(value) > 5 and value in said]


@pytest.mark.parametrize("kind", ["absent", "no database", "without tables"])
def test_live_mode_wants_a_real_register(here: Installation, kind: str) -> None:
    """In live mode a master.db that is absent, not a database, or without the tables ends the command."""
    here.write(LIVE)
    here.with_secrets()
    here.with_token()
    master = here.folder / "data" / "master.db"
    if kind == "no database":
        master.write_bytes(b"this is no database" * 300)
    if kind == "without tables":
        sqlite3.connect(master).close()
        with sqlite3.connect(master) as connection:
            connection.execute("create table other (x)")
    assert "master.db" in here.refused("sync")


@pytest.mark.parametrize("command", ["sync", "validate", "plan", "apply plan.json", "rollback 4f1c2a90"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_damaged_register_is_one_line_with_the_next_step(here: Installation, command: str, language: str) -> None:
    """Whichever command meets it, in one language: what it is, and that a backup mends it."""
    here.write(f'{LIVE}[alerts]\nlanguage = "{language}"\n')
    here.with_secrets()
    here.with_token()
    (here.folder / "data" / "master.db").write_bytes(b"this is no database" * 300)
    plan = {"version": 1, "made_at": "2026-01-05T00:00:00+00:00", "include_price": "all", "include_visibility": True}
    (here.folder / "plan.json").write_text(json.dumps({**plan, "rows": []}), encoding="utf-8")
    said = here.refused(*command.replace("plan.json", str(here.folder / "plan.json")).split())
    japanese = (
        "エラー: master.db はデータベースではありません"
        " → ファイルが壊れています。ecauto doctor で確認し、バックアップから戻してください"
    )
    english = (
        "error: master.db: file is not a database"
        " → the file is damaged; look with ecauto doctor, restore it from a backup"
    )
    assert (japanese if language == "ja" else english) == said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no disk that is always full")
@pytest.mark.parametrize("command", ["report -o /dev/full"])
def test_a_full_disk_is_one_line_with_the_next_step(here: Installation, command: str) -> None:
    """The file that there was no room for, and what to do; no trace."""
    here.write("")
    assert "エラー: ディスクがいっぱいです。空きを増やしてもう一度実行してください" == here.failed(*command.split())


def test_an_endpoint_that_nobody_serves_is_named(here: Installation) -> None:
    """An unreachable endpoint is said before anything is written."""
    here.write('[sp_api]\nendpoint = "http://127.0.0.1:9"\n')
    assert "sp_api.endpoint" in here.refused("sync")


@pytest.mark.parametrize(
    "command",
    [
        "sync",
        "sync --price-only",
        "validate",
        "validate --dry-run",
        "plan",
        "holds list",
        "holds approve",
        "holds reject",
    ],
)
def test_an_unknown_account_is_named_with_the_known_ones(here: Installation, command: str) -> None:
    """So is one that is switched off; before any call, and with nothing written."""
    here.write('[alerts]\nlanguage = "en"\n')
    for account, why in (("typo", "unknown account 'typo'"), ("base_account_3", "'base_account_3' is switched off")):
        said = here.refused(*command.split(), "--account", account)
        assert why in said
        assert "known: base_account_1, base_account_2" in said


@pytest.mark.parametrize("key", ["1999-01-01-00:00", "2999-01-01-00:00", "yesterday", "2026-11-23-10:30"])
def test_a_partition_out_of_range_is_refused(here: Installation, key: str) -> None:
    """Before the first hour, in the future, no key at all, not the beginning of an hour."""
    here.write("")
    assert key in here.refused("sync", "--partition", key)


@pytest.mark.parametrize("command", [("status",), ("doctor",), ("holds", "list"), ("history", "verify")])
@pytest.mark.parametrize(
    "content",
    [
        "SP_API_REFRESH_TOKEN=x\n".encode("utf-16"),
        "SP_API_REFRESH_TOKEN=x\n".encode("utf-16-le"),
        "# 秘密\nSP_API_REFRESH_TOKEN=x\n".encode("cp932"),
    ],
)
def test_an_env_file_that_is_not_utf8_is_one_line(here: Installation, content: bytes, command: tuple[str, ...]) -> None:
    """Every command names the file and says to save it as UTF-8: Dagster's own processes read it so, too."""
    here.write(LIVE)
    (here.folder / ".env").write_bytes(content)
    said = here.refused(*command)
    assert str(here.folder / ".env") in said
    assert "UTF-8" in said


def test_a_line_of_an_env_file_that_holds_nothing_is_named(
    here: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In words of ours with file and line, and never with what stands there: it may be a secret. The others count."""
    here.write(LIVE)
    file = here.folder / ".env"
    file.write_text("SHOP_SECRET='sesame\nSHOP_ID=id\n", encoding="utf-8")
    monkeypatch.setenv("SHOP_ID", "so that it is gone again afterwards")
    monkeypatch.delenv("SHOP_ID")
    monkeypatch.setattr(sys, "argv", ["ecauto", "rules", "check"])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert "id" == os.environ["SHOP_ID"]
    assert [f"{file} の1行目は 名前=値 の形ではないため、読み飛ばしました"] == [
        line for line in said.splitlines() if ".env" in line
    ]
    assert "sesame" not in said
    assert "dotenv" not in said


def test_a_sentence_is_in_the_language_of_ecauto_toml(here: Installation) -> None:
    """Japanese by default, English where `[alerts] language` says so, also when the rest of the file is wrong."""
    wrong = "[pricing]\nmarkup_rate = 1.3\n"
    here.write(wrong)
    japanese = "エラー: ecauto.toml: 知らないキー 'pricing.markup_rate' です（いちばん近いのは 'markup_ratio'）"
    assert japanese == here.refused("sync")
    here.write(wrong + '[alerts]\nlanguage = "en"\n')
    english = "error: ecauto.toml: unknown key 'pricing.markup_rate'; the nearest known one is 'markup_ratio'"
    assert english == here.refused("sync")


@given(
    content=st.binary(max_size=60)
    | st.text(max_size=40).map(lambda text: f"NAME={text}\n".encode("utf-16"))
    | st.text(alphabet=st.characters(codec="cp932"), max_size=40).map(lambda text: f"# {text}\nNAME=x".encode("cp932"))
)
def test_any_bytes_of_an_env_file_are_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """Whatever stands in it: secrets that an environment can hold, or one sentence that names the file."""
    file = tmp_path_factory.getbasetemp() / "any.env"
    file.write_bytes(content)
    said: list[str] = []
    text = ""
    try:
        text = text_of_secrets(file)
    except SettingsError as refused:
        said = [str(refused), refused.ja]
    assert [] == [sentence for sentence in said if str(file) not in sentence]
    for name, value in dotenv_values(stream=io.StringIO(text)).items():
        assert "\0" not in name + (value or "")
