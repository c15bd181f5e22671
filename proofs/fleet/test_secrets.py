"""After a fleet has worked, and some of it has failed, none of its secrets stands in clear anywhere but where a person
put it: not in PostgreSQL, object storage, Redis, logs, what commands print, Dagster's UI or the desk.

The secrets of SP-API and BASE are the emulator's own, which no place has a reason to hold; all else is made here. Not
for: one machine (proofs/test_audit.py) or how to look (secret_search.py).
"""

from __future__ import annotations

import base64
import http.cookiejar
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pyarrow.fs as pafs
import pytest
import redis

from ecauto_pipeline.fleet.seal import Seal, new_key
from ecauto_pipeline.fleet.sealed_tokens import seal_name
from ecauto_pipeline.history.objects import open_objects
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.oauth import TokenWriteAhead
from ecauto_pipeline.wiring.ports import free_port
from proofs.fleet.machines import ECAUTO
from proofs.fleet.secret_search import Search, forms, parquet_text, unpacked
from proofs.fleet.servers import PostgreSQL, Redis, wait_for
from proofs.fleet.shop_fleet import ShopFleet

PLANTED_WHERE_A_PERSON_PUT_IT = ("ecauto.toml",)
"""Of each machine: the passwords in its addresses are there because this proof wrote them."""
OF_THE_EMULATOR = ("EMULATED-NOT-A-SECRET", "EMULATED-REFRESH-TOKEN", "Atza|")
"""What its client secrets, refresh tokens and SP-API access tokens begin with or hold."""
QUERIES = {
    "runs": "{ runsOrError { ... on Runs { results { runId jobName status runConfigYaml tags { key value }"
    " stats { __typename } eventConnection { events { __typename ... on MessageEvent { message }"
    " ... on ErrorEvent { error { message stack causes { message stack } } }"
    " ... on MaterializationEvent { metadataEntries { label description"
    " ... on TextMetadataEntry { text } ... on JsonMetadataEntry { jsonString } } } } } } } } }",
    "instance": "{ instance { info runLauncher { name } daemonHealth { allDaemonStatuses"
    " { daemonType lastHeartbeatErrors { message stack } } } } }",
    "workspace": "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus displayMetadata"
    " { key value } locationOrLoadError { __typename ... on PythonError { message stack } } } } } }",
}
PAGES = ("/", "/holds", "/items", "/runs", "/rules", "/money", "/setup")


@dataclass(frozen=True, slots=True)
class Worked:
    """A fleet after its work; `planted`: its secrets by name; `said`: what commands printed, by command."""

    fleet: ShopFleet
    planted: Mapping[str, str]
    said: Mapping[str, str]
    ui: str
    desk: str


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worked]:
    planted = {
        name: f"canary/{secrets.token_hex(12)}+{name}"
        for name in ("s3", "desk password", "metrics token", "webhook", "heartbeat", "chatwork")
    }
    planted |= {name: f"canary{secrets.token_hex(12)}" for name in ("postgresql", "redis")}
    planted |= {"key": new_key(), "old key": new_key()}
    ui, desk, nobody = free_port(), free_port(), free_port()
    environ = {
        "AWS_SECRET_ACCESS_KEY": planted["s3"],
        "ECAUTO_FLEET_KEY": planted["old key"],
        "DESK": planted["desk password"],
        "METRICS": planted["metrics token"],
        "HOOK": f"http://127.0.0.1:{nobody}/{planted['webhook']}",
        "HEART": f"http://127.0.0.1:{nobody}/{planted['heartbeat']}",
        "CHATWORK": planted["chatwork"],
        "PGPASSWORD": planted["postgresql"],
    }
    toml = f'[desk]\nport = {desk}\npassword_env = "DESK"\nmetrics_token_env = "METRICS"\n\n'
    toml += '[alerts]\nheartbeat_url_env = "HEART"\n\n[[alerts.channels]]\nkind = "webhook"\nurl_env = "HOOK"\n\n'
    toml += '[[alerts.channels]]\nkind = "chatwork"\ntoken_env = "CHATWORK"\nroom_id = "1"\n'
    toml += f'endpoint = "http://127.0.0.1:{nobody}"\n'
    webserver = [sys.executable, "-m", "dagster_webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(ui)]
    with ExitStack() as stack:
        fleet = ShopFleet(
            tmp_path_factory.mktemp("secrets"),
            stack,
            listings=120,
            workers=1,
            runs_each=4,
            environ=environ,
            toml=toml,
            postgresql=PostgreSQL(password=planted["postgresql"]),
            redis=Redis(password=planted["redis"]),
            services={"ui": webserver, "desk": [*ECAUTO, "desk"]},
        )
        fleet.round()
        said = _fails(fleet, planted)
        yield Worked(fleet, planted, said, f"http://127.0.0.1:{ui}", f"http://127.0.0.1:{desk}")


def _fails(fleet: ShopFleet, planted: Mapping[str, str]) -> dict[str, str]:
    """PostgreSQL dies in the middle of a run, publishing meets a store that hangs, a shop's token dies, the key
    changes; and every command that looks at something is asked, while all is well and while PostgreSQL is away."""
    before = fleet.last_call()
    run_id = fleet.submit(fleet.lanes[0])
    wait_for(lambda: fleet.calls_of(fleet.lanes[0], before) > 0, 120, "a run to begin")
    fleet.postgresql.kill()
    time.sleep(3)
    fleet.postgresql.start()
    fleet.runs.over(run_id, 600.0)
    fleet.ask("/emulator/tokens", {"action": "revoke", "account": fleet.shops_of(fleet.lanes[1])[0]})
    fleet.ended(fleet.submit(fleet.lanes[1]))
    fleet.s3.pause()
    fleet.runs.over(fleet.runs.submit("publish_history"), 240.0)
    fleet.s3.resume()
    fleet.runs.over(fleet.runs.submit("publish_history"), 240.0)
    said = {}
    fleet.control.environ.update(ECAUTO_FLEET_KEY=planted["key"], ECAUTO_FLEET_OLD_KEYS=planted["old key"])
    for words in (
        ("keys", "rotate"),
        ("keys", "list"),
        ("doctor", "--ask"),
        ("status", "--json"),
        ("fleet", "status", "--json"),
        ("alerts", "test"),
        ("history", "verify"),
        ("orders",),
        ("sync", "--lane", fleet.lanes[2]),
    ):
        said[" ".join(words)] = _told(fleet, *words)
    fleet.postgresql.kill()
    for words in (("doctor",), ("keys", "list")):
        said[f"{' '.join(words)}, PostgreSQL away"] = _told(fleet, *words)
    fleet.postgresql.start()
    return said


def _told(fleet: ShopFleet, *words: str) -> str:
    done = fleet.command(*words)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def search(worked: Worked) -> Search:
    """Every secret that there was, the shops' tokens among them, which no machine has in a file."""
    database = Database(worked.fleet.postgresql.url(worked.fleet.state))
    rows = TokenWriteAhead(database, "base").each()
    database.close()
    seal = Seal([worked.planted["key"], worked.planted["old key"]])
    tokens: dict[str, str] = {}
    for account, sealed in rows.items():
        document = json.loads(seal.open(seal_name("base", account), sealed))
        tokens |= {f"{name} of {account}": document[name] for name in ("access_token", "refresh_token")}
    assert len(tokens) >= 20
    return Search({**worked.planted, **tokens, **{name: name for name in OF_THE_EMULATOR}})


def test_the_search_finds_a_secret_however_it_is_written() -> None:
    """Else a zero would mean nothing."""
    secret = "canary/one+two"
    for text in (secret, urllib.parse.quote(secret, safe=""), secret.encode().hex()):
        assert any(form in f"before {text} after".encode() for form in forms(secret))
    for before in (b"", b"a", b"ab", b"abc"):
        for code in (base64.b64encode, base64.urlsafe_b64encode):
            assert any(form in code(before + secret.encode() + b" after") for form in forms(secret))
    assert not any(form in b"canary/one-two" for form in forms(secret))


def test_postgresql_holds_no_secret_in_clear(worked: Worked, search: Search) -> None:
    """State, register and Dagster's own records, dumped whole, what is compressed in them unpacked."""
    server = worked.fleet.postgresql
    names = server.sql("SELECT datname FROM pg_database WHERE datname LIKE 'test_%'").splitlines()
    assert 3 == len(names)
    for name in names:
        told = ["pg_dump", "-h", "127.0.0.1", "-p", str(server.port), "-U", "ecauto", name]
        dump = subprocess.run(told, check=True, capture_output=True).stdout
        search.look(f"dump: {name}", dump)
        columns = server.sql(
            "SELECT table_name || '.' || column_name FROM information_schema.columns"
            " WHERE data_type = 'bytea' AND table_schema = 'public'",
            name,
        ).splitlines()
        for column in columns:
            table, _, field = column.partition(".")
            values = server.sql(f'SELECT "{field}" FROM "{table}" WHERE "{field}" IS NOT NULL', name).splitlines()
            for content in unpacked(values):
                search.look(f"packed: {name} {column}", content)
    events = [int(server.sql("SELECT count(*) FROM event_logs", name)) for name in names if _is_dagsters(server, name)]
    assert len(events) == 1
    assert events[0] > 100
    assert search.looked_at["packed"] > 0
    assert [] == search.found
    sealed = server.sql("SELECT count(*) FROM oauth WHERE document LIKE 'sealed:%'", worked.fleet.state)
    assert int(sealed) >= 10
    assert "sealed:" == server.sql("SELECT substr(value, 1, 7) FROM salts", worked.fleet.state)


def _is_dagsters(server: PostgreSQL, name: str) -> bool:
    return server.sql("SELECT to_regclass('event_logs') IS NOT NULL", name) == "t"


def test_object_storage_holds_no_secret(worked: Worked, search: Search) -> None:
    """Every object, as its bytes and as the rows in it."""
    store = open_objects(worked.fleet.bucket.url(), worked.fleet.s3.endpoint, os.environ)
    everything = pafs.FileSelector(worked.fleet.bucket.bucket, recursive=True)
    for info in store.filesystem.get_file_info(everything):
        if info.type == pafs.FileType.File:
            with store.filesystem.open_input_stream(info.path) as stream:
                content = stream.read()
            search.look(f"object: {info.path}", content)
            if info.path.endswith(".parquet"):
                search.look(f"rows: {info.path}", parquet_text(content))
    assert search.looked_at["rows"] > 3
    assert [] == search.found


def test_redis_holds_no_secret(worked: Worked, search: Search) -> None:
    """Messages and results that workers left."""
    with redis.Redis.from_url(worked.fleet.redis.url()) as client:
        for key in client.scan_iter():
            search.look(f"redis: {key!r}", bytes(key) + (client.dump(key) or b""))
    assert search.looked_at["redis"] > 0
    assert [] == search.found


def test_no_machine_writes_a_secret_down(worked: Worked, search: Search) -> None:
    """Logs of workers, daemon, webserver and desk, the data folders, Dagster's own files; the emulator's machine is the
    other side."""
    machines = {"control": worked.fleet.control, **worked.fleet.workers}
    for name, machine in machines.items():
        search.look_into(name, machine.folder, PLANTED_WHERE_A_PERSON_PUT_IT)
    assert {"control", *worked.fleet.workers} <= set(search.looked_at)
    assert "succeeded in" in worked.fleet.workers["w1"].log("worker")
    assert [] == search.found


def test_no_command_prints_a_secret(worked: Worked, search: Search) -> None:
    """Also while PostgreSQL is away, and where a channel of alerts or the store refuses."""
    for words, text in worked.said.items():
        assert text, words
        search.look(f"command: {words}", text.encode())
    assert [] == search.found


def test_dagsters_ui_shows_no_secret(worked: Worked, search: Search) -> None:
    """What its pages are made of: runs with their events and errors, the instance, the code location."""
    _reached(worked.ui + "/server_info")
    for name, query in QUERIES.items():
        body = json.dumps({"query": query}).encode()
        answer = _open().open(
            urllib.request.Request(f"{worked.ui}/graphql", body, {"Content-Type": "application/json"}), timeout=60
        )
        content = answer.read()
        assert not json.loads(content).get("errors"), content[:2000]
        assert name != "runs" or content.count(b"MaterializationEvent") > 10
        search.look(f"graphql: {name}", content)
    assert [] == search.found


def test_the_desk_shows_no_secret(worked: Worked, search: Search) -> None:
    """Its pages to who has given the password, its figures to who has the token, and the door to who has neither."""
    _reached(worked.desk + "/login")
    browser = _open()
    form = urllib.parse.urlencode({"password": worked.planted["desk password"]}).encode()
    browser.open(urllib.request.Request(f"{worked.desk}/login", form, {"Origin": worked.desk}), timeout=60).read()
    for page in PAGES:
        content = browser.open(worked.desk + page, timeout=60).read()
        assert b'type="password"' not in content, page
        search.look(f"desk: {page}", content)
    figures = urllib.request.Request(
        f"{worked.desk}/metrics", headers={"Authorization": f"Bearer {worked.planted['metrics token']}"}
    )
    search.look("desk: /metrics", _open().open(figures, timeout=60).read())
    search.look("desk: /login", _open().open(f"{worked.desk}/login", timeout=60).read())
    assert [] == search.found


def _open() -> urllib.request.OpenerDirector:
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)


def _reached(url: str) -> None:
    def answers() -> bool:
        try:
            return bool(_open().open(url, timeout=10).status == 200)
        except OSError:
            return False

    wait_for(answers, 120, url, 0.5)
