"""`ecauto keys ...` and `ecauto register import | export`, typed as by a person, where state and register are in
PostgreSQL: one machine's data go into a fleet and out again whole.

Not for: laws of the seal (test_tokens.py) or of carrying the register (test_register.py).
"""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.fleet.seal import new_key
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.shops.base.tokens import TokenFile, Tokens
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.orders import order_keys
from ecauto_pipeline.state.salts import IN_CLEAR
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.register.register_laws import LISTINGS, PRODUCTS
from proofs.fleet.servers import PostgreSQL, S3Bucket

SHOPS = ("tokyo", "nara", "kobe")
SWITCHED_OFF = "kobe"
NOW = datetime(2026, 11, 1, 3, tzinfo=UTC)
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(
    postgresql_url: str,
    postgresql_server: PostgreSQL,
    s3: S3Bucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Typed:
    """A machine of a fleet in `tmp_path`, whose tables `ecauto fleet migrate` has made; what types a command there."""
    register = postgresql_server.url(postgresql_server.new_database())
    lines = ["[fleet]", "on = true", 'key_env = "KEY"', 'old_keys_env = "OLD"', "", "[alerts]", 'language = "en"', ""]
    lines += ["[state]", f'url = "{postgresql_url}"', "", "[history]", f'url = "{s3.url()}"', ""]
    lines += ["[paths]", f'master_db = "{register}"', ""]
    for shop in SHOPS:
        lines += ["[[base.accounts]]", f'id = "{shop}"', f"active = {str(shop != SWITCHED_OFF).lower()}", ""]
    (tmp_path / "ecauto.toml").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setenv("ECAUTO_CONFIG", str(tmp_path / "ecauto.toml"))
    monkeypatch.setenv("ECAUTO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def type_words(*words: str) -> tuple[int, str, str]:
        return type_command(monkeypatch, capsys, *words)

    code, said, wrong = type_words("fleet", "migrate")
    assert 0 == code, said + wrong
    return type_words


def _lie(typed: Typed) -> dict[str, Any]:
    code, said, wrong = typed("keys", "list", "--json")
    assert 0 == code, said + wrong
    return dict(json.loads(said))


def _all(how: str, orders: str = "") -> dict[str, Any]:
    return {"tokens": dict.fromkeys(SHOPS, how), "secrets": {"orders": orders or how}}


def test_tokens_and_the_secret_of_orders_go_under_the_seal_through_two_keys_and_out_again(
    typed: Typed, postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed, rotated, refused without its key, unsealed: at the end the files and the secret are those of before.

    Of a shop that is switched off, too.
    """
    files = {shop: tmp_path / "data" / "tokens" / f"{shop}_token.json" for shop in SHOPS}
    for shop, path in files.items():
        TokenFile(path).write(Tokens(f"a-{shop}", f"r-{shop}", NOW, NOW + timedelta(hours=1)))
    state = Database(postgresql_url)
    with state.write() as connection:
        secret = order_keys(connection, IN_CLEAR)
    _, first, _ = typed("keys", "new")
    old, newest = first.strip(), new_key()

    monkeypatch.setenv("KEY", old)
    assert {"tokens": dict.fromkeys(SHOPS, "none"), "secrets": {"orders": "clear"}} == _lie(typed)
    assert 0 == typed("keys", "seal")[0]
    assert [] == [path for path in files.values() if path.exists()]
    assert _all("newest") == _lie(typed)

    monkeypatch.setenv("KEY", newest)
    monkeypatch.setenv("OLD", old)
    assert _all("older") == _lie(typed)
    code, said, _ = typed("keys", "rotate")
    assert (0, True) == (code, f"{len(SHOPS) + 1} sealed anew, 0 lay under the newest key already" in said)
    code, said, _ = typed("keys", "rotate")
    assert (0, True) == (code, f"0 sealed anew, {len(SHOPS) + 1} lay under the newest key already" in said)
    monkeypatch.setenv("OLD", "")
    assert _all("newest") == _lie(typed)

    monkeypatch.setenv("KEY", new_key())
    assert _all("unopened") == _lie(typed)
    code, said, wrong = typed("keys", "rotate")
    assert (1, True) == (code, all(name in said + wrong for name in (*SHOPS, "names of orders", "keep the old keys")))
    assert 1 == typed("keys", "unseal", "--yes")[0]

    monkeypatch.setenv("KEY", newest)
    assert 0 == typed("keys", "unseal", "--yes")[0]
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in files.values()}
    found = {shop: TokenFile(path).read() for shop, path in files.items()}
    assert [f"r-{shop}" for shop in SHOPS] == [one.refresh_token for one in found.values() if one is not None]
    assert {"tokens": dict.fromkeys(SHOPS, "none"), "secrets": {"orders": "clear"}} == _lie(typed)
    with state.write() as connection:
        assert secret == order_keys(connection, IN_CLEAR)
    state.close()


def test_what_no_key_opens_is_forgotten_by_name_alone(
    typed: Typed, postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One shop, or the secret of orders; the other shop's tokens stay as they are; what is not there is said."""
    monkeypatch.setenv("KEY", new_key())
    for shop in SHOPS:
        path = tmp_path / "data" / "tokens" / f"{shop}_token.json"
        TokenFile(path).write(Tokens("a", "r", NOW, NOW + timedelta(hours=1)))
    state = Database(postgresql_url)
    with state.write() as connection:
        order_keys(connection, IN_CLEAR)
    state.close()
    assert 0 == typed("keys", "seal")[0]
    monkeypatch.setenv("KEY", new_key())
    for words in ((), ("tokyo", "--orders")):
        assert 2 == typed("keys", "forget", "--yes", *words)[0]
    assert _all("unopened") == _lie(typed)
    assert 0 == typed("keys", "forget", "tokyo", "--yes")[0]
    assert 0 == typed("keys", "forget", "--orders", "--yes")[0]
    assert {"tokens": {"tokyo": "none", "nara": "unopened", "kobe": "unopened"}, "secrets": {}} == _lie(typed)
    assert [2, 2] == [typed("keys", "forget", word, "--yes")[0] for word in ("tokyo", "--orders")]


def test_a_fleet_is_stopped_where_somebody_stops_it_and_stays_so_on_the_way_back(typed: Typed, tmp_path: Path) -> None:
    """Its state is new: what stopped the one machine is not in it. Back on one machine state is the fleet's still."""
    assert (2, True) == (typed("resume")[0], "not stopped" in typed("resume")[2])
    assert 0 == typed("stop")[0]
    text = (tmp_path / "ecauto.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("master_db", "key_env", "old_keys_env"))]
    alone = "\n".join(lines).replace("on = true", "on = false")
    (tmp_path / "ecauto.toml").write_text(alone, encoding="utf-8")
    assert 0 == typed("resume")[0]


def _rows(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return [line for line in database.iterdump() if line.startswith("INSERT")]


def test_a_register_goes_into_postgresql_and_out_again_by_commands(typed: Typed, tmp_path: Path) -> None:
    """Looked at first, which changes nothing; done, and done again there is nothing left; the file that comes out has
    the rows that went in."""
    owner, copy = tmp_path / "owner.db", tmp_path / "copy.db"
    Register.create(owner, PRODUCTS, LISTINGS)
    before, count = _rows(owner), len(PRODUCTS) + len(LISTINGS)
    for words in (("--dry-run", "--json"), ("--json",)):  # without --yes nothing is done, nor asked
        code, said, wrong = typed("register", "import", str(owner), *words)
        assert 0 == code, wrong
        assert [(len(PRODUCTS), len(PRODUCTS)), (len(LISTINGS), len(LISTINGS))] == [
            (one["rows"], one["new"]) for one in json.loads(said)["tables"]
        ]
    code, said, wrong = typed("register", "import", str(owner), "--yes")
    assert (0, True, True) == (code, "Nothing would be lost" in said, f"{count} rows carried over" in said), wrong
    assert "0 rows carried over" in typed("register", "import", str(owner), "--yes")[1]
    assert 0 == typed("register", "export", str(copy), "--dry-run")[0]
    assert not copy.exists()
    assert f"{count} rows carried over" in typed("register", "export", str(copy), "--yes")[1]
    assert before == _rows(owner) == _rows(copy)
