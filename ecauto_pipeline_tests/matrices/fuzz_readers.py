"""What reads each thing that comes from outside, as the program does: it gives what it took, or Refused.

Not for: sound ones (fuzz_targets.py), or spoiling them (fuzz.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.freshness import views_file
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.migrate.convert import convert
from ecauto_pipeline.migrate.find import find
from ecauto_pipeline.migrate.import_settings import import_legacy
from ecauto_pipeline.settings import CsvShops
from ecauto_pipeline.shops.csv import products
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.matrices.stage import START


class Refused(str):
    """What a reader that never raises said of what it did not take, or not all of; it names the place itself."""

    __slots__ = ()


Reader = Callable[[Any, Path], object]
"""Gives Refused, or anything for what it took."""


def of_file(name: str, read: Callable[[Path], object]) -> Reader:
    """What reads a file by its path; it may not change it."""

    def reads(content: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(content)
        try:
            return read(path)
        finally:
            assert path.read_bytes() == content, f"{name} was written to"

    return reads


def imports(name: str) -> Reader:
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


def csv_items(content: bytes, _folder: Path) -> object:
    return products.parse(content, CsvShops(), datetime(2026, 6, 1, tzinfo=UTC))


def answer_of(operation: Any, asins: list[str], document: Any, _folder: Path) -> object:
    payload = (document.get("payload") or document) if isinstance(document, dict) else document  # as the library does
    read = operation.read(payload, asins, "rid")
    assert set(read.answers) <= set(asins), "an answer about an ASIN that was not asked"
    failed = [one for one in read.answers.values() if getattr(one, "status", None) is Status.API_ERROR]
    return Refused(" ".join(one.reason for one in failed)) if len(failed) == len(asins) else read


def of_object(read: Callable[[Any], object], document: Any) -> object:
    return read(document) if isinstance(document, dict) else Refused("no object")  # as the client does


def told(found: Any) -> object:
    for problem in found.problems:
        assert problem.ja, "a problem without words"
    return Refused(" ".join(problem.ja for problem in found.problems)) if found.problems else found


def views(content: bytes) -> object:
    """As a file: what is no text is refused whole, a row that makes no sense is named by its line."""
    try:
        found = views_file.parse(products.decode(content, "utf-8"), START)
    except EcautoError as refusal:
        return Refused(refusal)
    return Refused(" ".join(map(str, found.problems))) if found.problems else found


def cache(settings_: Any, content: bytes, folder: Path) -> object:
    from ecauto_pipeline.migrate.cache_files import import_cache

    (folder / "cache").mkdir(exist_ok=True)
    (folder / "cache" / "B000000001.json").write_bytes(content)
    with open_tools(settings_, offline=True) as tools:
        report = import_cache(tools, folder / "cache", dry_run=True)
    return Refused(" ".join(map(str, report.broken))) if report.broken else report


def parquet(content: bytes, folder: Path) -> object:
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
