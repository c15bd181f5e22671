"""What a person does about what `verify` found: one sentence a kind of trouble, each leading to a history that is well.

Not for: finding it (verify.py).
"""

from __future__ import annotations

from collections.abc import Callable

from ecauto_pipeline.history.listing import place_of_damaged_name
from ecauto_pipeline.history.verify import TableReport, VerifyReport

REBUILD = "ecauto history rebuild"


def advice(report: VerifyReport, language: str = "ja") -> list[str]:
    """In the order in which it is to be done; [] where all is well, or nothing could be looked at."""
    if not report.checked:
        return []
    ja = language == "ja"
    said = []
    if report.damage:
        said.append(
            f"history.duckdbが壊れています。次の実行か {REBUILD} が、Parquetから作り直します"
            if ja
            else f"history.duckdb is damaged: the next run, or {REBUILD}, makes it anew from Parquet"
        )
    gone = _named(report, lambda one: one.missing_files)
    if gone:
        said.append(
            f"なくなったファイル: {gone}。バックアップがあれば元の場所に戻し、{REBUILD} を実行してください"
            "（戻さずに実行すると、その行は失われます）"
            if ja
            else f"files that are gone: {gone}. Put them back from a backup and run {REBUILD}"
            " (without them their rows are lost)"
        )
    unreadable = _named(report, lambda one: one.unreadable_files)
    if unreadable:
        said.append(
            f"壊れているファイル: {unreadable}。{REBUILD} が別にし、残っている行を書き直します"
            if ja
            else f"damaged files: {unreadable}. {REBUILD} sets them aside and writes again what rows are left elsewhere"
        )
    if any(one.missing_rows or one.extra_rows or one.duplicated_keys for one in report.tables) and not said:
        said.append(
            f"行数が違います。{REBUILD} で作り直せます" if ja else f"rows differ: {REBUILD} makes the database anew"
        )
    for name in (name for one in report.tables for name in one.set_aside):
        place = place_of_damaged_name(name)
        said.append(
            f"壊れていたため読み込まないファイル: {name}。バックアップがあれば {place} に戻して {REBUILD} を実行し、"
            f"なければ {name} を削除してください（その行は戻りません）"
            if ja
            else f"damaged, not read any more: {name}. Put a backup of it at {place} and run {REBUILD};"
            f" without one, delete {name} (its rows do not come back)"
        )
    return said


def _named(report: VerifyReport, of: Callable[[TableReport], tuple[str, ...]]) -> str:
    return ", ".join(name for one in report.tables for name in of(one))
