"""The old JSON cache (one file an ASIN), in and out.

What is imported is a memory, not an observation: it keeps the age its file states, fills only what nobody here has
asked about, and no out-of-stock is ever taken from it. Not for: what a file means (domain/cache_format.py).
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.cache_format import CachedAsin, NotACacheFile, document_of, parse
from ecauto_pipeline.state import cached_asins, catalogue
from ecauto_pipeline.sync.context import Tools

_IGNORED = {"metadata.json"}
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Files by what became of them: `taken` + `known` + `nothing_usable` + len(broken) = files.

    `known`: an answer of our own is better; `nothing_usable`: no price, or not in stock; `stale`: of those taken, how
    many have no stamp; `texts`: catalogue texts taken; `broken`: (file name, why).
    """

    files: int
    taken: int
    known: int
    nothing_usable: int
    stale: int
    texts: int
    broken: tuple[tuple[str, str], ...]
    dry_run: bool


@dataclass(frozen=True, slots=True)
class ExportReport:
    """Files written."""

    files: int
    folder: str


def import_cache(tools: Tools, folder: Path, dry_run: bool = False) -> ImportReport:
    """Read every *.json of the folder. Raises FileNotFoundError where there is no such folder."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no such folder: {folder}")
    broken: list[tuple[str, str]] = []
    counts = dict.fromkeys(("files", "taken", "known", "nothing_usable", "stale", "texts"), 0)
    batch: dict[str, CachedAsin] = {}
    for path in sorted(folder.glob("*.json")):
        if path.name.lower() in _IGNORED or not path.is_file():
            continue
        tools.go_on()
        counts["files"] += 1
        try:
            cached = parse(json.loads(path.read_text(encoding="utf-8-sig")), path.stem, tools.clock.now())
        except NotACacheFile as error:
            broken.append((path.name, str(error)))
            continue
        except (ValueError, RecursionError, OSError) as error:
            broken.append((path.name, f"can't be read: {type(error).__name__}"))
            continue
        if cached.asin in batch:
            broken.append((path.name, f"a second file of {cached.asin}"))
            continue
        batch[cached.asin] = cached
        if len(batch) >= _BATCH:
            _keep(tools, batch, counts, dry_run)
            batch = {}
    _keep(tools, batch, counts, dry_run)
    for name, why in broken[:20]:
        tools.log.warning("cache import: %s left out: %s", name, why)
    return ImportReport(**counts, broken=tuple(broken), dry_run=dry_run)


def export_cache(tools: Tools, folder: Path) -> ExportReport:
    """Write one file per ASIN that was ever answered, each whole or not at all."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tools.state.read() as connection:
        texts = catalogue.texts_of(connection)
        known = cached_asins.answered(connection)
    files = 0
    for cached in known:
        tools.go_on()
        text = texts.get(cached.asin)
        document = document_of(cached_asins.with_text(cached, text))
        replace_file(folder / f"{cached.asin}.json", json.dumps(document, ensure_ascii=False, indent=2))
        files += 1
    return ExportReport(files, str(folder))


def _keep(tools: Tools, batch: dict[str, CachedAsin], counts: dict[str, int], dry_run: bool) -> None:
    with _transaction(tools, dry_run) as connection:
        known = cached_asins.known_of(connection, list(batch))
        usable = [cached for cached in batch.values() if cached.believable]
        new = [cached for cached in usable if cached.asin not in known]
        texts = [cached for cached in batch.values() if cached.title or cached.description or cached.images]
        counts["known"] += len(usable) - len(new)
        counts["nothing_usable"] += len(batch) - len(usable)
        counts["taken"] += len(new)
        counts["stale"] += sum(cached.price_at is None or cached.stock_at is None for cached in new)
        counts["texts"] += len(texts)
        if not dry_run:
            cached_asins.remember(connection, new)
            catalogue.seed(
                connection,
                [
                    {
                        **{name: getattr(cached, name) for name in ("asin", *catalogue.TEXTS)},
                        "basic_at": to_ms(cached.basic_at) if cached.basic_at else None,
                    }
                    for cached in texts
                ],
            )


def _transaction(tools: Tools, dry_run: bool) -> contextlib.AbstractContextManager[Connection]:
    return tools.state.read() if dry_run else tools.state.write()
