"""Moving from the older scripts: what has a meaning here arrives; secrets only where they belong."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.migrate import LegacyReport, import_legacy
from ecauto_pipeline.migrate.write import with_secrets
from ecauto_pipeline.settings import load
from ecauto_pipeline.shops.base.tokens import TokenFile
from ecauto_pipeline.sync.listings.blocklist import read_blocklist

PRICING = """
default_strategy: simple_markup
strategies:
  simple_markup: {markup_ratio: 1.35, round_to: 10, min_price_diff: 150}
  tiered_markup:
    tiers:
      - {max_price: 1000, markup_ratio: 1.4}
      - {max_price: null, markup_ratio: 1.2}
  category_based: {electronics: 1.25}
platform_overrides:
  base: {strategy: tiered_markup, currency: JPY}
safety: {min_selling_price: 400, max_selling_price: 90000, min_markup_ratio: 1.05, max_markup_ratio: 2.0}
"""


def put(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    path.write_text(text, encoding="utf-8-sig")


def account(name: str, **other: object) -> dict[str, Any]:
    credentials = {"client_id": f"id-{name}", "client_secret": f"secret #'{name}", "redirect_uri": "https://x.jp/cb"}
    return {"id": name, "owner_id": "o1", "name": "店", "active": True, "credentials": credentials} | other


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder as the older scripts leave it."""
    folder = tmp_path / "old"
    accounts = [account("base_account_1"), account("base_account_2", active=False), account("b3", proxy_id="p1")]
    del accounts[1]["active"]
    put(folder / "platforms/base/accounts/account_config.json", {"owners": [{"id": "o1"}], "accounts": accounts})
    token = {
        "access_token": "secret-access",
        "refresh_token": "secret-refresh",
        "expires_in": 3600,
        "obtained_at": "2026-01-05T10:00:00",
        "expires_at": "2026-01-05T11:00:00",
    }
    put(folder / "platforms/base/accounts/tokens/base_account_1_token.json", token)
    put(folder / "platforms/base/accounts/tokens/gone_token.json", token)
    put(folder / "config/pricing_strategy.yaml", PRICING)
    block = {"api_token": "secret-chatwork", "room_id": 123}
    put(folder / "config/notifications.json", {"enabled": False, "method": "chatwork", "chatwork": block})
    put(folder / "config/blocked_asins.json", {"blocked": [{"asin": "b00000000x"}]})
    put(folder / ".env", "REFRESH_TOKEN=secret-sp\nLWA_APP_ID=secret-app\nSP_API_BATCH_INTERVAL=12\n")
    put(folder / "inventory/data/master.db", "x")
    put(folder / "inventory/data/cache/amazon_products/B000000001.json", {"price": 100})
    return folder


def moved(old: Path, target: Path, dry_run: bool = False) -> LegacyReport:
    target.mkdir(exist_ok=True)
    return import_legacy(old, target, target / "data", dry_run=dry_run)


def test_everything_arrives(old: Path, tmp_path: Path) -> None:
    """Accounts, prices, limits, pace, alerts and register are read back by our own settings."""
    new = tmp_path / "new"
    report = moved(old, new)
    settings = load(new / "ecauto.imported.toml", {})
    shops = {shop.id: shop.active for shop in settings.base.accounts}
    assert {"base_account_1": True, "base_account_2": False, "b3": False} == shops
    assert ("tiered", 1.35, 150) == (
        settings.pricing.strategy,
        settings.pricing.markup_ratio,
        settings.pricing.min_diff_jpy,
    )
    assert [(1000, 1.4), (None, 1.2)] == [(one.max_price_jpy, one.markup_ratio) for one in settings.pricing.tiers]
    assert "budget" == settings.tiers.spend
    assert (400, 90000) == (settings.guards.min_price_jpy, settings.guards.max_price_jpy)
    assert ("chatwork", "123") == (settings.alerts.channels[0].kind, settings.alerts.channels[0].room_id)
    assert 0.08333 == settings.sp_api.limits["getItemOffersBatch"].rate_per_s
    assert (old / "inventory/data/master.db").absolute() == settings.master_db
    assert ("emulated", frozenset({"B00000000X"})) == (settings.mode, read_blocklist(new / "data/blocked_asins.json"))
    for part in ("proxy", "gone", "category_based", "switched off", "stop the older scripts"):
        assert any(part in note.en for note in report.notes), part
    assert any(one.startswith("ecauto cache import") for one in report.next_commands)


def test_secrets_are_in_private_files_and_nowhere_else(old: Path, tmp_path: Path) -> None:
    """.env and token files hold them, mode 0600; the configuration and the report do not."""
    new = tmp_path / "new"
    report = moved(old, new)
    values = dotenv_values(new / ".env")
    assert ("secret-sp", "secret-app", "secret-chatwork") == (
        values["SP_API_REFRESH_TOKEN"],
        values["LWA_APP_ID"],
        values["CHATWORK_TOKEN"],
    )
    assert "secret #'base_account_1" == values["BASE_ACCOUNT_1_CLIENT_SECRET"]
    token = new / "data/tokens/base_account_1_token.json"
    found = TokenFile(token).read()
    assert found is not None
    assert "secret-refresh" == found.refresh_token
    if os.name != "nt":
        assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in (new / ".env", token)}
    assert "secret" not in repr(report).replace("client_secret", "").replace("secrets", "")
    assert "secret-" not in (new / "ecauto.imported.toml").read_text(encoding="utf-8")


def test_a_dry_run_says_the_same_and_writes_nothing(old: Path, tmp_path: Path) -> None:
    """The same steps, an empty folder."""
    new = tmp_path / "new"
    dry = moved(old, new, dry_run=True)
    assert [] == list(new.iterdir())
    assert dry.steps == moved(old, new).steps


def test_doing_it_twice_overwrites_nothing_of_ours(old: Path, tmp_path: Path) -> None:
    """A variable that was changed since stays; a token renewed since stays; the second time adds nothing."""
    new = tmp_path / "new"
    moved(old, new)
    environ = new / ".env"
    environ.write_text(environ.read_text(encoding="utf-8").replace("secret-sp", "newer"), encoding="utf-8")
    token = TokenFile(new / "data/tokens/base_account_1_token.json")
    ours = token.read()
    assert ours is not None
    again = moved(old, new)
    assert "newer" == dotenv_values(environ)["SP_API_REFRESH_TOKEN"]
    assert ours == token.read()
    assert ["configuration"] == [step.what for step in again.steps]


def test_a_newer_token_of_theirs_is_taken(old: Path, tmp_path: Path) -> None:
    """They ran once more after the first import: their token is the living one."""
    new = tmp_path / "new"
    moved(old, new)
    path = old / "platforms/base/accounts/tokens/base_account_1_token.json"
    document = json.loads(path.read_text(encoding="utf-8-sig"))
    put(path, document | {"refresh_token": "secret-second", "obtained_at": "2026-01-06T10:00:00"})
    moved(old, new)
    found = TokenFile(new / "data/tokens/base_account_1_token.json").read()
    assert (found and found.refresh_token) == "secret-second"


def test_unreadable_files_are_notes_without_their_content(tmp_path: Path) -> None:
    """Nothing usable: no step, a note each, no quotation."""
    old = tmp_path / "old"
    put(old / "account_config.json", '{"accounts": [secret-oops')
    put(old / "pricing_strategy.yaml", "a: [secret-oops")
    put(old / "notifications.json", "[1]")
    put(old / "blocked_asins.json", "nope")
    put(old / ".env", "LWA_APP_ID='secret-oops\n")
    report = moved(old, tmp_path / "new")
    assert ((), 5) == (report.steps, len(report.notes))
    assert [".env, line 1: not NAME=value, so it is passed over"] == [n.en for n in report.notes if ".env" in n.en]
    assert "secret-oops" not in repr(report)


def test_contradicting_figures_stop_before_anything_is_written(old: Path, tmp_path: Path) -> None:
    """A floor above the ceiling is for a person."""
    put(old / "config/pricing_strategy.yaml", "safety: {min_selling_price: 500, max_selling_price: 400}")
    with pytest.raises(SettingsError, match="min_price_jpy is above max_price_jpy"):
        moved(old, tmp_path / "new")
    assert [] == list((tmp_path / "new").iterdir())


def test_no_folder_is_no_import(tmp_path: Path) -> None:
    """A typing mistake is said as one."""
    with pytest.raises(NotADirectoryError):
        moved(tmp_path / "nowhere", tmp_path / "new")


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1, max_size=20)


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True), texts, min_size=1, max_size=4))
def test_any_secret_survives_env(tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]) -> None:
    """What .env gives back is what was put in."""
    path = tmp_path_factory.mktemp("env") / ".env"
    path.write_text(with_secrets("# mine", values)[0], encoding="utf-8")
    assert values == dotenv_values(path, interpolate=False)


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
leaves = st.one_of(st.booleans(), numbers, words)
keys = st.from_regex(r"[a-z_]{1,6}", fullmatch=True)
documents = st.recursive(
    st.dictionaries(keys, leaves, max_size=3),
    lambda inner: st.dictionaries(keys, st.one_of(leaves, inner, st.lists(inner, min_size=1, max_size=2)), max_size=3),
    max_leaves=6,
)


@given(documents)
def test_any_document_survives_toml(document: dict[str, Any]) -> None:
    """Values read back as they were; only empty tables may vanish."""
    assert _pruned(document) == _pruned(tomllib.loads(tomlkit.dumps(document)))


def _pruned(value: object) -> object:
    if isinstance(value, dict):
        inner = {key: _pruned(one) for key, one in value.items()}
        return {key: one for key, one in inner.items() if one != {}}
    return [_pruned(one) for one in value] if isinstance(value, list) else value
