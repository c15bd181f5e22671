"""For each line of the doctor the faults it is there for, made in real places of a house in which all is well.

Files, folders, rights, databases, environment: nothing of ours is replaced. Not for: laws (test_lines.py) or the house
itself (house.py).
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.register_fall import RegisterCounts, believed_from
from ecauto_pipeline.state import register_counts, schema_notes
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database, to_json
from ecauto_pipeline.state.register_counts import Watched
from ecauto_pipeline.state.schema import shop_accounts
from ecauto_pipeline.state.schema_calls import windows
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline.state.schema_notes import notices
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.sections import FetchReport
from ecauto_pipeline_tests.doctor.house import NOW, PLACE, House, write_token


@dataclass(frozen=True, slots=True)
class Made:
    """A fault of one line: how it is made, how bad the doctor finds it, and words of what there is to do."""

    line: str
    what: str
    make: Callable[[House], object]
    state: str
    do: str


def _distribution(made: House, *wants: str) -> None:
    about = made.folder / "packages" / "ecauto_pipeline-9.dist-info"
    about.mkdir(parents=True)
    head = ["Metadata-Version: 2.1", "Name: ecauto-pipeline", "Version: 9"]
    (about / "METADATA").write_text("\n".join([*head, *wants, ""]), encoding="utf-8")
    made.import_path.append(str(about.parent))


def _dagster(made: House, document: str) -> None:
    """A DAGSTER_HOME with this dagster.yaml."""
    home = made.folder / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(document, encoding="utf-8")
    made.environ["DAGSTER_HOME"] = str(home)


def _stopped(made: House, account_id: str = "") -> None:
    key = {"platform": "base" if account_id else "", "account_id": account_id}
    made.kept(schema_notes.stops, **key, since=to_ms(NOW), who="owner")


def _set(made: House, table: str, **values: object) -> None:
    made.document[table] = {**made.document.get(table, {}), **values}


def _emulated_that_names_the_real_service(made: House) -> None:
    made.document["mode"] = "emulated"
    _set(made, "base", endpoint="https://api.thebase.in/1")


def _a_file_where_the_folder_belongs(made: House) -> None:
    shutil.rmtree(made.file("data"))
    made.file("data").write_bytes(b"")


def _closed(made: House, *names: str) -> None:
    """These and the token may be read by nobody, all else may be read and written by everybody."""
    for one in (made.folder, *made.folder.rglob("*")):
        if one.name != ".env":
            one.chmod(0o777 if one.is_dir() else 0o666)
    made.file("data/tokens/shop_1_token.json").chmod(0)
    for name in names:
        made.file(name).chmod(0)
    made.no_rights = True


def _read_only(made: House, *names: str) -> None:
    """These may be read and not written, all else may be both."""
    _closed(made)
    made.file("data/tokens/shop_1_token.json").chmod(0o644)
    for name in names:
        made.file(name).chmod(0o555 if made.file(name).is_dir() else 0o444)


def _somebody_works_in_the_register(made: House) -> None:
    made.held = sqlite3.connect(made.file("data/master.db"), check_same_thread=False)
    made.held.execute("BEGIN EXCLUSIVE")


def _torn(made: House, name: str) -> None:
    made.file(name).write_bytes(b"this is none" * 5000)


def _page_torn(made: House, name: str) -> None:
    """Its head is as it was; what stands behind is not."""
    size = made.file(name).stat().st_size
    with made.file(name).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))


def _a_change_of_state(made: House, table: Any, **values: object) -> None:
    row = {"run_id": "r", "item_id": "1", "asin": "B000000001", "kind": "price"}
    made.kept(table, **{name: value for name, value in {**PLACE, **row, **values}.items() if name in table.c})


def _a_rule_of_nothing(made: House) -> None:
    (made.folder / "data" / "rules.csv").write_text("item_id,fixed_price_jpy\n1001,0\n", encoding="utf-8")


def _rules_closed(made: House) -> None:
    _a_rule_of_nothing(made)
    _one_closed(made, "data/rules.csv")


def _a_price_below_zero(made: House) -> None:
    row = "(asin, platform, account_id, platform_item_id, status, selling_price)"
    made.register(f"INSERT INTO listings {row} VALUES ('B000000001', 'base', 'shop_1', '77', 'listed', -5)")


def _most_listings_gone(made: House) -> None:
    """And of a shop that is no more."""
    watched = Watched(believed_from(RegisterCounts(1000, 900), NOW), RegisterCounts(100, 90))
    state = Database(f"sqlite:///{made.folder}/data/state.db")
    with state.write() as connection:
        for shop in ("shop_1", "shop_of_old"):
            register_counts.save(connection, AccountKey("base", shop), watched)
    state.close()


def _calls_failed(made: House, failed: int, reason: str, calls: int = 20) -> None:
    """The last run that asked Amazon met this."""
    operation, state = "getItemOffersBatch", Database(f"sqlite:///{made.folder}/data/state.db")
    report = FetchReport(
        calls={f"sp_1/{operation}": calls}, failed_calls=failed, failed_for=((operation, reason, failed),)
    )
    with state.write() as connection:
        run_book.begin(connection, "r", "stock_sync", "", NOW, False)
        keep(connection, "r", "sp_api_snapshots", report)
    state.close()


def _role_missing(made: House) -> None:
    _calls_failed(made, 20, "role_missing")


def _channel_refused(made: House) -> None:
    document = to_json({"broken": {"slack:SLACK": "HTTP 404"}})
    made.kept(notices, rule="_book", state="ok", since=0, document=document)


def _sign_lost(made: House) -> None:
    made.environ["HEARTBEAT"] = "https://hc.example/secret"
    _set(made, "alerts", heartbeat_url_env="HEARTBEAT")
    made.kept(notices, rule="_book", state="ok", since=0, document=to_json({"heartbeat": "HTTP 404"}))


def _one_closed(made: House, name: str) -> None:
    """This file alone: nobody else may read the shop's token either, so there is no shop that needs one."""
    _without_tokens(made)
    _closed(made, name)


def _one_read_only(made: House, name: str) -> None:
    _without_tokens(made)
    _read_only(made, name)


def _without_tokens(made: House) -> None:
    made.document["csv"] = {"accounts": [{"id": "shop_2", "items": "data/items.csv", "updates": "data/updates"}]}
    made.document["base"] = {"accounts": [{"id": "shop_1", "active": False}]}


def _forget(made: House, table: str) -> None:
    with closing(sqlite3.connect(made.file("data/state.db"))) as database:
        database.execute(f"DROP TABLE {table}")
        database.commit()


def _somebody_asks_history(made: House) -> None:
    """Another process: DuckDB lets one process open the file as often as it likes."""
    program = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    path = str(made.file("data/history.duckdb"))
    made.other = subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert made.other.stdout is not None
    made.other.stdout.readline()


_POSTGRES = "storage: {postgres: {postgres_url: "
_PARTS = "storage: {postgres: {postgres_db: {hostname: h, username: u, password: p, db_name: d}}}"
_BROKER = "run_launcher: {config: {broker: "
HOUR = to_ms(NOW.replace(minute=0))
FAULTS: tuple[Made, ...] = (
    Made("python", "too old", lambda h: _distribution(h, "Requires-Python: >=9"), "bad", "Python >=9"),
    Made("packages", "another version", lambda h: _distribution(h, "Requires-Dist: requests==0.1"), "bad", "pip"),
    Made("packages", "missing", lambda h: _distribution(h, "Requires-Dist: is-not-there"), "bad", "pip install"),
    Made("mode", "the other side's address", _emulated_that_names_the_real_service, "bad", "remove base.endpoint"),
    Made("shops", "none", lambda h: h.document.pop("base"), "bad", "[[base.accounts]]"),
    Made("spending", "not chosen", lambda h: h.document.pop("tiers"), "warn", "[tiers] spend"),
    Made("secrets", "missing", lambda h: h.environ.pop("LWA_APP_ID"), "bad", ".env"),
    Made("secrets", "blank", lambda h: h.environ.update(SHOP_1_CLIENT_ID=" "), "bad", ".env"),
    Made("state", "in memory", lambda h: _set(h, "state", url="sqlite:///:memory:"), "bad", "[state] url"),
    Made("state", "no address", lambda h: _set(h, "state", url="nonsense"), "bad", "[state] url"),
    Made("state", "another kind", lambda h: _set(h, "state", url="mysql://u:geheim@h/x"), "bad", "[state] url"),
    Made("disk", "less than the owner's limit", lambda h: _set(h, "alerts", min_free_gb=1e9), "bad", "make room"),
    Made("data folder", "a file", _a_file_where_the_folder_belongs, "bad", "another name"),
    Made("data folder", "read-only", lambda h: _read_only(h, "data"), "bad", "the right"),
    Made("data folder", "closed", lambda h: _closed(h, "data"), "bad", "the right"),
    Made("data folder", "a folder in it", lambda h: _read_only(h, "data/tokens"), "bad", "the right"),
    Made(".env", "others can read it", lambda h: h.file(".env").chmod(0o644), "bad", "chmod 600 .env"),
    Made(
        "DAGSTER_HOME", "not there", lambda h: h.environ.update(DAGSTER_HOME="/not/there"), "bad", "create the folder"
    ),
    Made("endpoint", "nobody answers", lambda h: h.endpoints.update(lwa="http://127.0.0.1:9"), "bad", "the network"),
    Made("clock", "slow", lambda h: setattr(h, "skew_s", 100.0), "warn", "NTP"),
    Made("clock", "another year", lambda h: setattr(h, "skew_s", -4e7), "bad", "NTP"),
    Made("PostgreSQL", "no variable", lambda h: _dagster(h, _POSTGRES + "{env: NOT_THERE}}}"), "bad", ".env"),
    Made("PostgreSQL", "another driver", lambda h: _dagster(h, _POSTGRES + "'postgresql://h/d'}}"), "bad", "psycopg2"),
    Made("PostgreSQL", "the driver of its parts", lambda h: _dagster(h, _PARTS), "bad", "psycopg2"),
    Made("PostgreSQL", "no YAML", lambda h: _dagster(h, "storage: ["), "bad", "deploy/dagster.yaml"),
    Made("Redis", "no variable", lambda h: _dagster(h, _BROKER + "{env: NOT_THERE}}}"), "bad", ".env"),
    Made("object storage", "a key in it", lambda h: _set(h, "history", url="s3://key@bucket/h"), "bad", "[history]"),
    Made("token", "none", lambda h: h.file("data/tokens/shop_1_token.json").unlink(), "bad", "ecauto auth base shop_1"),
    Made(
        "token", "no token file", lambda h: _torn(h, "data/tokens/shop_1_token.json"), "bad", "ecauto auth base shop_1"
    ),
    Made("token", "closed", _closed, "bad", "the right"),
    Made(
        "token",
        "others can read it",
        lambda h: h.file("data/tokens/shop_1_token.json").chmod(0o644),
        "bad",
        "chmod 600 shop_1_token.json",
    ),
    Made(
        "token",
        "old",
        lambda h: write_token(h.file("data/tokens/shop_1_token.json"), NOW - timedelta(days=25)),
        "warn",
        "ecauto auth base shop_1",
    ),
    Made(
        "token",
        "dead",
        lambda h: write_token(h.file("data/tokens/shop_1_token.json"), NOW - timedelta(days=31)),
        "bad",
        "ecauto auth base shop_1",
    ),
    Made("master.db", "none", lambda h: h.file("data/master.db").unlink(), "bad", "paths.master_db"),
    Made("master.db", "a table gone", lambda h: h.register("DROP TABLE products"), "bad", "paths.master_db"),
    Made(
        "master.db",
        "a column gone",
        lambda h: h.register("ALTER TABLE listings DROP COLUMN visibility"),
        "bad",
        "paths.master_db",
    ),
    Made("master.db", "no database", lambda h: _torn(h, "data/master.db"), "bad", "restore it from a backup"),
    Made("master.db", "a page torn", lambda h: _page_torn(h, "data/master.db"), "bad", "restore it from a backup"),
    Made("master.db", "held", _somebody_works_in_the_register, "warn", "close that program"),
    Made("master.db", "closed", lambda h: _one_closed(h, "data/master.db"), "bad", "the right"),
    Made("master.db", "read-only", lambda h: _one_read_only(h, "data/master.db"), "warn", "the right"),
    Made("master.db rows", "a price below zero", _a_price_below_zero, "warn", "mend those rows"),
    Made("rules", "a price of nothing", _a_rule_of_nothing, "bad", "ecauto rules check"),
    Made("rules", "closed", _rules_closed, "bad", "the right"),
    Made("state.db", "no database", lambda h: _torn(h, "data/state.db"), "bad", "a backup"),
    Made("state.db", "a page torn", lambda h: _page_torn(h, "data/state.db"), "bad", "a backup"),
    Made("state.db", "of an earlier version", lambda h: _forget(h, "plans"), "warn", "the next run"),
    Made("state.db", "closed", lambda h: _one_closed(h, "data/state.db"), "bad", "the right"),
    Made("state.db", "read-only", lambda h: _one_read_only(h, "data/state.db"), "bad", "the right"),
    Made("history", "no database", lambda h: _torn(h, "data/history.duckdb"), "bad", "ecauto history rebuild"),
    Made("history", "held", _somebody_asks_history, "warn", "close the program"),
    Made("history", "closed", lambda h: _one_closed(h, "data/history.duckdb"), "bad", "the right"),
    Made("SP-API", "a role is missing", _role_missing, "bad", "Product Listing"),
    Made("SP-API", "a fifth of the calls", lambda h: _calls_failed(h, 4, "timeout"), "warn", "the network"),
    Made(
        "holds",
        "one",
        lambda h: _a_change_of_state(h, diffs, diff_id="d", decision="held", decided_at=0),
        "warn",
        "holds",
    ),
    Made(
        "journal",
        "no outcome",
        lambda h: _a_change_of_state(h, journal, update_id="u", key="k", diff_id="d", intent_at=0),
        "warn",
        "the next run",
    ),
    Made(
        "budget",
        "nearly spent",
        lambda h: _a_change_of_state(h, windows, span="hour", starts_at=HOUR, calls=4600),
        "warn",
        "renews at",
    ),
    Made(
        "shop", "refused", lambda h: _a_change_of_state(h, shop_accounts, breaker="access_denied"), "bad", "admin page"
    ),
    Made(
        "shop", "its token", lambda h: _a_change_of_state(h, shop_accounts, breaker="token"), "bad", "ecauto auth base"
    ),
    Made("shop", "not read", lambda h: _a_change_of_state(h, shop_accounts, breaker="not_read"), "bad", "the next run"),
    Made(
        "shop",
        "no answer",
        lambda h: _a_change_of_state(h, shop_accounts, breaker="shop_unreachable"),
        "bad",
        "network",
    ),
    Made("stop", "one shop", lambda h: _stopped(h, "shop_1"), "warn", "ecauto resume shop_1"),
    Made("stop", "every shop", _stopped, "warn", "ecauto resume"),
    Made("shop", "hour", lambda h: _a_change_of_state(h, shop_accounts, breaker="hour_api_limit"), "bad", "wait"),
    Made("master.db listings", "most of them gone", _most_listings_gone, "bad", "ecauto register accept shop_1"),
    Made("alert channels", "none", lambda h: _set(h, "alerts", channels=[]), "warn", "[[alerts.channels]]"),
    Made("alert channel", "no address", lambda h: h.environ.pop("SLACK"), "bad", ".env"),
    Made(
        "alert channel",
        "no address for signs of life",
        lambda h: _set(h, "alerts", heartbeat_url_env="X"),
        "bad",
        ".env",
    ),
    Made("alert channel", "a sign did not arrive", _sign_lost, "warn", "HEARTBEAT"),
    Made("alert channel", "refused the last message", _channel_refused, "warn", "ecauto alerts test"),
)
"""At least one for each line of the doctor."""
