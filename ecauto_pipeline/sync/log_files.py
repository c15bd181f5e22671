"""The dated log files people know from the old scripts: sync_inventory, cache_validation, sp_api_calls.

Plain lines in `<name>_YYYYMMDD.log` and the same as JSON in `<name>_YYYYMMDD.jsonl`, UTF-8, JST dates. One writer a
file: a second process writes beside it under its process id. Old files go after `[logs] keep_days`.
Not for: Dagster's own log, or figures (history/).
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import filelock

from ecauto_pipeline.clock import Clock, jst

SYNC, VALIDATION, CALLS = "sync_inventory", "cache_validation", "sp_api_calls"
_DATED = re.compile(
    r"^(?:sync_inventory|cache_validation|sp_api_calls|dagster|desk|desk-server)_(\d{8})(?:\.\d+)?\.(?:log|jsonl)(?:\.lock)?$"
)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {"time": self.formatTime(record), "level": record.levelname, "message": record.getMessage()}
        return json.dumps(entry | getattr(record, "figures", {}), ensure_ascii=False, default=str)


@contextmanager
def log_to_files(logger: logging.Logger, folder: Path, name: str, clock: Clock, keep_days: int) -> Iterator[None]:
    """While the block runs, `logger` also writes to today's files of `name`. A full disk silences the files only."""
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder, clock, keep_days)
    stem = f"{name}_{jst(clock.now()):%Y%m%d}"
    lock = filelock.FileLock(folder / f"{stem}.log.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        stem = f"{stem}.{os.getpid()}"
    handlers = [_handler(folder / f"{stem}.log", None), _handler(folder / f"{stem}.jsonl", _JsonLines())]
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
        lock.release()


class _QuietFileHandler(logging.FileHandler):
    """The log never stops the work, and says nothing on stderr when its disk is full or its file can't be made."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # opening it at the first line is what the library lets through
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None: ...


def _handler(path: Path, formatter: logging.Formatter | None) -> logging.Handler:
    handler = _QuietFileHandler(path, encoding="utf-8", errors="replace", delay=True)
    handler.setFormatter(formatter or logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    return handler


def _sweep(folder: Path, clock: Clock, keep_days: int) -> None:
    oldest = f"{jst(clock.now()) - timedelta(days=keep_days):%Y%m%d}"
    for path in folder.iterdir():
        dated = _DATED.match(path.name)
        if dated and dated[1] < oldest:
            path.unlink(missing_ok=True)
