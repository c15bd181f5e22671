"""Everything that comes from outside, spoiled: what reads it gives a value or says what is wrong and where, and writes
nothing.

Not for: how it is spoiled (spoiling.py), or what a run makes of it (faults.py, sync/test_faults.py).
"""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings

from ecauto_pipeline.amazon.operation import Operation, ShapelessAnswer
from ecauto_pipeline.amazon.operations import (
    catalog_items,
    competitive_pricing,
    competitive_summary,
    item_offers,
    item_offers_batch,
)
from ecauto_pipeline.cli import text_of_secrets
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.freshness import views_file
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.selling.rules_file import read_rules
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.migrate.convert import convert
from ecauto_pipeline.migrate.find import find
from ecauto_pipeline.migrate.import_settings import import_legacy
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import CsvShops, load
from ecauto_pipeline.shops.base.parse import items_of, order_heads_of
from ecauto_pipeline.shops.base.tokens import TokenFile
from ecauto_pipeline.shops.csv import products
from ecauto_pipeline.sync.listings.blocklist import read_blocklist
from ecauto_pipeline.sync.people.plan_files import read_plan
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.emulator.callers import AmazonCaller, BaseCaller
from ecauto_pipeline_tests.matrices.spoiling import spoiled_bytes, spoiled_json
from ecauto_pipeline_tests.matrices.stage import START, Stage
from ecauto_pipeline_tests.upgrades.folders import LANDED, unpacked

_SP: dict[str, tuple[Operation[Any], Callable[[AmazonCaller, list[str]], httpx.Response]]] = {
    "getItemOffersBatch": (item_offers_batch.OPERATION, AmazonCaller.batch),
    "getCompetitivePricing": (competitive_pricing.OPERATION, AmazonCaller.competitive),
    "getCompetitiveSummary": (competitive_summary.OPERATION, AmazonCaller.summary),
    "searchCatalogItems": (catalog_items.OPERATION, AmazonCaller.catalog),
    "getItemOffers": (item_offers.OPERATION, lambda caller, asins: caller.offers(asins[0])),
}
_RULES = (
    "item_id,asin,brand,title_contains,fixed_price_jpy,min_price_jpy,never_sell,until,note\n"
    "12345678,,,,4980,,,2026-12-31,year-end sale\n,B000000001,,,,3000,,,\n,,ソニー,,,,yes,,\n"
)
_TOML = """mode = "emulated"
[pricing]
markup_ratio = 1.3
tiers = [{ max_price_jpy = 3000, markup_ratio = 1.4 }]
[guards]
min_price_jpy = 500
[tiers]
high_every = "1h"
[[base.accounts]]
id = "base_account_1"
redirect_uri = "https://shop.example/"
[paths]
master_db = "data/master.db"
"""
_PLAN = {
    "version": 1,
    "made_at": "2026-06-01T00:00:00+00:00",
    "run_id": "r",
    "include_price": "all",
    "include_visibility": True,
    "rows": [
        {
            "platform": "base",
            "account_id": "base_account_1",
            "item_id": "12345678",
            "asin": "B000000001",
            "kind": "price",
            "shown": 1980,
            "wanted": 2580,
            "snapshot_id": "s1",
            "reason": "",
            "cost_jpy": 1984,
            "profit_jpy": 300,
        }
    ],
}


class Refused(str):
    """What a reader that never raises said of what it did not take, or not all of; it names the place itself."""

    __slots__ = ()


PARQUET = "Parquet of an older version"
TOTAL = frozenset({"legacy .env"})
"""These take whatever they understand and leave the rest, as the older programs did; there is nothing to refuse."""


@dataclass(frozen=True, slots=True)
class Case:
    """One parser or file. `examples`: how many spoiled ones are tried."""

    what: str
    seed: int
    examples: int

    @property
    def name(self) -> str:
        return f"fuzz {self.what}"


Reader = Callable[[Any, Path], object]
"""Gives Refused, or anything for what it took."""


@dataclass(frozen=True, slots=True)
class Target:
    """`good`: a sound one (bytes of a file, or a document); `read`: what reads it, with a folder of its own to be in;
    `refuses`: what it may say no with; `names`: what such a no has to name, "" = the caller knows the place."""

    good: Any
    read: Reader
    refuses: tuple[type[Exception], ...] = (EcautoError,)
    names: str = ""


def _of_file(name: str, read: Callable[[Path], object]) -> Reader:
    """What reads a file by its path; it may not change it."""

    def reads(content: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(content)
        try:
            return read(path)
        finally:
            assert path.read_bytes() == content, f"{name} was written to"

    return reads


def _imports(name: str) -> Reader:
    """A folder of the older programs, one file of it spoiled: looked through, converted, imported as a rehearsal."""

    def reads(content: bytes, folder: Path) -> object:
        old = folder / "old"
        (old / "config").mkdir(parents=True, exist_ok=True)
        for left in old.rglob("*.*"):
            left.unlink()
        (old / "config" / name).write_bytes(content)
        convert(find(old))
        report = import_legacy(old, folder / "new", folder / "new" / "data", dry_run=True)
        assert not (folder / "new").exists(), "a rehearsal has written"
        assert all(note.ja and note.en for note in report.notes), "a note without words"
        return report if report.steps else Refused(" ".join(note.en for note in report.notes) or "nothing to take over")

    return reads


def _csv_items(content: bytes, _folder: Path) -> object:
    return products.parse(content, CsvShops(), datetime(2026, 6, 1, tzinfo=UTC))


@functools.lru_cache(maxsize=1)
def targets(stage: Stage) -> dict[str, Target]:
    """All of them, with sound examples taken from the emulator and from an installation that has run."""
    day = stage.begin()
    asins = stage.control.asins()[:3]
    found: dict[str, Target] = {}
    with httpx.Client(base_url=stage.emulator.url, trust_env=False, timeout=60) as http:
        amazon = AmazonCaller(http)
        for name, (operation, ask) in _SP.items():
            found[name] = Target(
                ask(amazon, asins).json(),
                functools.partial(_answer_of, operation, asins),
                (ShapelessAnswer,),
            )
        shop = BaseCaller(http, day.accounts[0], stage.control.issue_base_tokens(day.accounts[0]))
        items, orders = shop.get("items").json(), shop.get("orders").json()
    found["BASE items"] = Target(items, lambda document, _: _of_object(items_of, document))
    found["BASE orders"] = Target(orders, lambda document, _: _of_object(order_heads_of, document))
    found["ecauto.toml"] = Target(
        _TOML.encode(), _of_file("ecauto.toml", lambda path: load(path, {})), names="ecauto.toml"
    )
    found["rules.csv"] = Target(_RULES.encode(), lambda content, _: _told(read_rules(content)))
    found["views.csv"] = Target(
        b"asin,viewed_at,count\nB000000001,2026-06-01 10:00,3\n", lambda content, _: _views(content)
    )
    token = json.dumps(stage.control.issue_base_tokens(day.accounts[0])).encode()
    found["token file"] = Target(token, _of_file("t_token.json", lambda path: TokenFile(path).read()))
    found["plan file"] = Target(
        json.dumps(_PLAN).encode(), lambda content, _: read_plan(content.decode("utf-8", "replace"))
    )
    found["blocklist"] = Target(
        b'{"asins": ["B000000001", {"asin": "B000000002"}]}',
        _of_file("blocked_asins.json", read_blocklist),
        names="blocked_asins.json",
    )
    found["CSV shop"] = Target(
        "item_id,sku,title,price,visible,stock\n1,c-B000000001,靴,1980,1,1\n2,c-B000000002,帽子,2980,0,0\n".encode(),
        _csv_items,
    )
    found["master.db"] = Target(
        day.settings.master_db.read_bytes()[:65_536],
        _of_file("master.db", lambda path: Register(path, 1.0).read()),
        names="master.db",
    )
    for name, content in {
        "account_config.json": b'{"accounts": [{"id": "base_account_1", "active": true, "credentials": {}}]}',
        "pricing_strategy.yaml": b"default:\n  markup_ratio: 1.3\n  tiers:\n    - {up_to: 3000, ratio: 1.4}\n",
        "notifications.json": b'{"enabled": true, "method": "chatwork", "chatwork": {"api_token": "x", "room_id": 1}}',
        ".env": b"LWA_APP_ID=amzn1\nLWA_CLIENT_SECRET='x y'\n",
    }.items():
        found[f"legacy {name}"] = Target(content, _imports(name))
    found["JSON cache"] = Target(_cached(), functools.partial(_cache, day.settings))
    with tempfile.TemporaryDirectory(dir=stage.folder) as earlier:
        found[PARQUET] = Target(_earlier_parquet(Path(earlier)), _parquet, names="earlier.parquet")
    found[".env"] = Target(b"NAME='x y'\nOTHER=1\n", _of_file(".env", text_of_secrets), names=".env")
    return found


def _answer_of(operation: Any, asins: list[str], document: Any, _folder: Path) -> object:
    payload = (document.get("payload") or document) if isinstance(document, dict) else document  # as the library does
    read = operation.read(payload, asins, "rid")
    assert set(read.answers) <= set(asins), "an answer about an ASIN that was not asked"
    failed = [one for one in read.answers.values() if getattr(one, "status", None) is Status.API_ERROR]
    return Refused(" ".join(one.reason for one in failed)) if len(failed) == len(asins) else read


def _of_object(read: Callable[[Any], object], document: Any) -> object:
    return read(document) if isinstance(document, dict) else Refused("no object")  # as the client does


def _told(found: Any) -> object:
    for problem in found.problems:
        assert problem.ja, "a problem without words"
    return Refused(" ".join(problem.ja for problem in found.problems)) if found.problems else found


def _views(content: bytes) -> object:
    """As a file: what is no text is refused whole, a row that makes no sense is named by its line."""
    try:
        found = views_file.parse(products.decode(content, "utf-8"), START)
    except EcautoError as refusal:
        return Refused(refusal)
    return Refused(" ".join(map(str, found.problems))) if found.problems else found


def _cached() -> bytes:
    entry = {"asin": "B000000001", "price": 1980, "in_stock": True, "updated_at": "2026-06-01T10:00:00"}
    return json.dumps(entry).encode()


def _cache(settings_: Any, content: bytes, folder: Path) -> object:
    from ecauto_pipeline.migrate.cache_files import import_cache

    (folder / "cache").mkdir(exist_ok=True)
    (folder / "cache" / "B000000001.json").write_bytes(content)
    with open_tools(settings_, offline=True) as tools:
        report = import_cache(tools, folder / "cache", dry_run=True)
    return Refused(" ".join(map(str, report.broken))) if report.broken else report


def _earlier_parquet(folder: Path) -> bytes:
    """Answers that the first version wrote."""
    unpacked(LANDED[0], folder)
    return min((folder / "data" / "history" / "snapshots").rglob("*.parquet")).read_bytes()


def _parquet(content: bytes, folder: Path) -> object:
    """A file of history: loaded whole, or set aside and named; a load never ends over it."""
    shutil.rmtree(folder / "parquet", ignore_errors=True)
    history = folder / "parquet" / "history"
    file = history / "snapshots" / "dt=2026-06-01" / "hour=10" / "earlier.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    report = HistoryStore(history, folder / "parquet" / "history.duckdb", ManualClock(START)).load()
    if not report.damage.files:
        assert file.read_bytes() == content, "a file of history was written to"
        return report
    assert any(path.read_bytes() == content for path in file.parent.iterdir()), "a damaged file was not kept"
    return Refused(" ".join(report.damage.files))


NAMES = (
    *_SP,
    "BASE items",
    "BASE orders",
    "ecauto.toml",
    "rules.csv",
    "views.csv",
    "token file",
    "plan file",
    "blocklist",
    "CSV shop",
    "master.db",
    "legacy account_config.json",
    "legacy pricing_strategy.yaml",
    "legacy notifications.json",
    "legacy .env",
    "JSON cache",
    ".env",
    PARQUET,
)
DEAR = frozenset({"master.db", "JSON cache", PARQUET})
"""Each of these costs a file or a database: a tenth of the examples."""


def cases(seed_: int, examples: int = 3_000) -> list[Case]:
    """Every parser and file."""
    return [Case(name, seed_, examples // 10 if name in DEAR else examples) for name in NAMES]


READ, REFUSED = "read", "refused"


def judge(counted: Counter[tuple[str, str]]) -> tuple[str, list[str]]:
    """Of a whole matrix: how many of each were read and refused; who only ever does one of both shows nothing."""
    wrong = [f"{what}: nothing was ever {READ}" for what in NAMES if not counted[what, READ]]
    wrong += [
        f"{what}: nothing was ever {REFUSED}" for what in NAMES if not counted[what, REFUSED] and what not in TOTAL
    ]
    each = ", ".join(f"{what} {counted[what, READ]}/{counted[what, REFUSED]}" for what in NAMES)
    return f" read/refused: {each},", wrong


def play(stage: Stage, case: Case) -> list[str]:
    """Read so many spoiled ones; the first that is neither read nor refused in words, made small."""
    folder = stage.folder / "fuzz"
    folder.mkdir(exist_ok=True)

    def count(how: str) -> None:
        stage.count(case.what, how)

    return tried(targets(stage)[case.what], folder, case.seed, case.examples, count)


def _read(target: Target, content: Any, folder: Path) -> str | None:
    """What it says when it refuses; None when it reads."""
    try:
        given = target.read(content, folder)
    except target.refuses as refusal:
        return str(refusal)
    return str(given) if isinstance(given, Refused) else None


def tried(
    target: Target, folder: Path, luck: int, examples: int, count: Callable[[str], None] = lambda how: None
) -> list[str]:
    """So many spoiled ones of a target, read in this folder, after the sound one, which has to be read."""
    said = _read(target, target.good, folder)
    if said is not None:
        return [f"the sound one was refused: {said}"]
    spoiled: Any = spoiled_bytes(target.good) if isinstance(target.good, bytes) else spoiled_json(target.good)

    @seed(luck)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(spoiled)
    def holds(content: Any) -> None:
        said = _read(target, content, folder)
        count(READ if said is None else REFUSED)
        assert said is None or (said and target.names in said), f"refused without the name of its place: {said!r}"

    try:
        holds()
    except Exception as error:  # hypothesis groups what it finds
        inner = error.exceptions if isinstance(error, ExceptionGroup) else [error]
        return [f"{type(one).__name__}: {one} {getattr(one, '__notes__', [])}"[:1_500] for one in inner]
    return []
