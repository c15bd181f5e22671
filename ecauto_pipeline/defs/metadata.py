"""How reports and progress look in the UI: numbers as plottable metadata, long work as live log lines.

Not for: which numbers there are (each step's report).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

import dagster as dg

from ecauto_pipeline.clock import jst
from ecauto_pipeline.sync.context import Context, Progress
from ecauto_pipeline.sync.run_record import SectionName, sections_of_hour

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FLAT = ("account", "survey", "shops")
"""Fields of a report whose own figures are shown without a prefix: they are what the report is about."""
DECIDING = ("price_diffs", "visibility_diffs", "base_updates")
"""Assets whose figures of a dry run are of what would be."""
ADD_UP: Mapping[str, tuple[str, ...]] = {
    "sp_api_snapshots": ("asked", "sp_api_calls", "failed_calls"),
    "base_updates": ("edits", "pushed", "failed"),
}
"""Figures that are sums over an hour's runs."""
OBSERVE_EVERY_S = 60.0
LOG_EVERY_S = 10.0


def figures(report: object) -> dict[str, Any]:
    """A step's report as metadata: numbers stay numbers (Dagster plots them), the rest becomes text or a table.

    What says nothing is left out: empty lists and words, and zeros of a report within the report.
    """
    if not is_dataclass(report):
        raise TypeError(f"a report is a dataclass, not {type(report).__name__}")
    shown: dict[str, Any] = {}
    for field in fields(report):
        value = getattr(report, field.name)
        if isinstance(value, Mapping) and any(is_dataclass(inner) for inner in value.values()):
            shown[field.name] = _table(value)
        elif isinstance(value, Mapping):
            shown |= {f"{field.name}/{_word(key)}": _plain(inner) for key, inner in value.items()}
        elif is_dataclass(value):
            prefix = "" if field.name in FLAT else f"{field.name}/"
            shown |= {f"{prefix}{name}": inner for name, inner in figures(value).items() if inner or not prefix}
        elif value is not None and value not in ("", (), [], frozenset()):
            shown[field.name] = _plain(value)
    return shown


def run_figures(work: Context, asset: SectionName, report: object) -> dict[str, Any]:
    """`figures` of a step of this run as its asset shows them.

    A dry run's decisions and edits stand under `dry_run/`, so that a plot never counts them as edits; what adds up
    over the runs of an hour stands under `hour/` as well, for Dagster plots one run an hour.
    """
    own = figures(report)
    if work.run.dry_run:
        return {f"dry_run/{name}": value for name, value in own.items()} if asset in DECIDING else own
    with work.state.read() as connection:
        of_hour = sections_of_hour(connection, work.run.partition_key, asset)
    shown = [figures(one) | {"sp_api_calls": getattr(one, "sp_api_calls", 0)} for one in of_hour]
    sums = {f"hour/{name}": sum(one.get(name) or 0 for one in shown) for name in ADD_UP.get(asset, ())}
    return own | (sums if len(of_hour) > 0 else {})


def _table(rows: Mapping[object, DataclassInstance]) -> dg.MarkdownMetadataValue:
    """A mapping of dataclasses as a table: one row a key, one column a field."""
    columns = [field.name for field in fields(next(iter(rows.values())))]
    lines = [["", *columns], ["---"] * (len(columns) + 1)]
    lines += [[_word(key), *(str(getattr(row, name)) for name in columns)] for key, row in rows.items()]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines))


def _word(key: object) -> str:
    if isinstance(key, tuple):
        return "/".join(_word(part) for part in key)
    return str(key.value if isinstance(key, Enum) else key)


def _plain(value: object) -> object:
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return jst(value).strftime("%Y-%m-%d %H:%M:%S JST")
    if isinstance(value, Mapping):
        return dg.MetadataValue.json({_word(key): str(inner) for key, inner in value.items()})
    if isinstance(value, tuple | list | set | frozenset):
        return dg.MetadataValue.md("\n".join(f"* {_line(one)}" for one in list(value)[:20]))
    return str(value)


def _line(value: object) -> str:
    return ", ".join(_word(part) for part in value) if isinstance(value, tuple | list) else str(value)


@contextmanager
def live_progress(context: dg.AssetExecutionContext, work: Context) -> Iterator[Context]:
    """The work, its progress in the run's log every ten seconds and as an observation of the asset every minute."""
    logged = observed = time.monotonic()

    def tell(progress: Progress) -> None:
        nonlocal logged, observed
        work.progress(progress)
        now = time.monotonic()
        if now - logged >= LOG_EVERY_S or progress.done >= progress.total:
            logged = now
            context.log.info(line(progress))
        if now - observed >= OBSERVE_EVERY_S:
            observed = now
            numbers = {name: value for name, value in progress.details.items() if isinstance(value, int | float)}
            if progress.remaining_s is not None:
                numbers["remaining_s"] = round(progress.remaining_s)
            context.log_event(
                dg.AssetObservation(
                    asset_key=context.asset_key,
                    partition=context.partition_keys[-1]
                    if context.has_partition_key or context.partition_keys
                    else None,
                    metadata={"done": progress.done, "total": progress.total, **numbers},
                )
            )

    yield replace(work, progress=tell)


def line(progress: Progress) -> str:
    """One line of progress for people: n of N, remaining time, the counts that matter."""
    remaining = f", 残り約{progress.remaining_s:.0f}秒" if progress.remaining_s is not None else ""
    details = ", ".join(f"{name} {value}" for name, value in progress.details.items())
    return f"{progress.step}: {progress.done}/{progress.total}{remaining}{'; ' if details else ''}{details}"
