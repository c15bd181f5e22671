"""What undoing a run would do and not do, in words: the preview that stands before the click.

Not for: the judgement (sync/people/rollback_preview.py) or doing it (`ecauto rollback`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.model import Decision, Diff, Kind
from ecauto_pipeline.domain.words import KINDS, worded
from ecauto_pipeline.state import decisions, run_edits, stops
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.goods import titles_of
from ecauto_pipeline.sync.people.rollback_preview import UndoPreview, UndoRow, preview_rollback
from ecauto_pipeline.sync.run_record import RunRecord, read_record
from ecauto_pipeline.views.run_words import Words, job_words, plain_reason
from ecauto_pipeline.wiring.accounts import shop_accounts

NAMED = 200
"""Rows that are shown one by one."""
NOT_DONE = (Decision.BLOCKED, Decision.SKIPPED)


@dataclass(frozen=True, slots=True)
class Undoing:
    """The preview with what people call things. `since`: of the runs that changed a row since, "11-23 18:05 stock
    sync" in both languages; `stopped`: pushing is stopped, so that the next run does not send it all again."""

    preview: UndoPreview
    titles: Mapping[str, str]
    since: Mapping[str, tuple[str, str]]
    stopped: bool


def undoing_of(tools: Tools, run_id: str) -> Undoing:
    """Raises NotOnRecord for a run without an edit that was done, or whose edits are past their 30 days."""
    shops = shop_accounts(tools.settings)
    preview = preview_rollback(tools, run_id, tuple(key for key, shop in shops.items() if shop.active))
    shown = preview.rows[:NAMED]
    with tools.state.read() as connection:
        runs = [run_book.read(connection, one) for one in sorted({row.by_run for row in shown} - {""})]
        stopped = bool(stops.standing(connection))
    since = {
        run.run_id: (
            f"{jst(run.started_at):%m-%d %H:%M} {job_words(run.job, 'ja')}",
            f"{jst(run.started_at):%m-%d %H:%M} {job_words(run.job, 'en')}",
        )
        for run in runs
        if run is not None
    }
    return Undoing(preview, titles_of(tools, {row.asin for row in shown}), since, stopped)


@dataclass(frozen=True, slots=True)
class Undone:
    """What a rollback did. `back`: edits that were put back; `left`: (item id, title, change, why) of what was not, in
    both languages where it is words; `waiting`: rows that only wait for calls: the same again sends them."""

    back: int
    left: tuple[tuple[str, str, Words, Words], ...]
    waiting: int


def not_put_back(connection: Connection, rollback_id: str, record: RunRecord | None) -> list[Diff]:
    """What this rollback left as it is, or what its shop did not take, each with why; not what only waits."""
    stayed = record.by_hand.stayed if record is not None and record.by_hand is not None else {}
    rows = decisions.of_run(connection, rollback_id)
    return [
        row.diff if row.diff.decision in NOT_DONE else replace(row.diff, reason=stayed[row.diff_id])
        for row in rows
        if row.diff.decision in NOT_DONE or row.diff_id in stayed
    ]


def undone_by(tools: Tools, rollback_id: str) -> Undone:
    """What the rollback of this run id did, or would have done where it was a dry one."""
    with tools.state.read() as connection:
        counts = run_edits.count_of_run(connection, rollback_id)
        record = read_record(connection, rollback_id)
        rows = not_put_back(connection, rollback_id, record)
    titles = titles_of(tools, {diff.asin for diff in rows[:NAMED]})
    left = tuple(
        (
            diff.key.item_id,
            titles.get(diff.asin) or diff.asin,
            (values(diff.kind, diff.shown, diff.wanted, "ja"), values(diff.kind, diff.shown, diff.wanted, "en")),
            (why(diff.reason, "ja"), why(diff.reason, "en")),
        )
        for diff in rows
    )
    waiting = record.by_hand.left if record is not None and record.by_hand is not None else 0
    return Undone(counts.get("done", 0) + counts.get("dry_run", 0), left, waiting)


def effects(undoing: Undoing, language: str) -> Iterator[str]:
    """What follows from undoing it, a line each."""
    english, preview = language == "en", undoing.preview
    back, hidden, left = (preview.count(one) for one in ("back", "hidden", "left"))
    if back:
        yield f"{back:,} changes go back to what was before" if english else f"{back:,}件を変更前に戻します"
    else:
        yield "nothing goes back" if english else "変更前に戻すものはありません"
    if hidden:
        yield (
            f"{hidden:,} items are hidden: their price is a loss and can't go back"
            if english
            else f"{hidden:,}件は赤字の価格を戻せないので非公開にします"
        )
    if left:
        reasons = sorted(preview.left.items(), key=lambda one: (-one[1], one[0]))
        if english:
            yield f"{left:,} stay as they are ({', '.join(f'{why(one, language)}: {many:,}' for one, many in reasons)})"
        else:
            said_why = "、".join(f"{why(one, language)} {many:,}件" for one, many in reasons)
            yield f"{left:,}件はそのままにします（{said_why}）"
    if preview.undone:
        yield f"{preview.undone:,} were put back before" if english else f"{preview.undone:,}件は取り消し済みです"
    if preview.unjudged:
        yield (
            f"{preview.unjudged:,} more are judged when it is done"
            if english
            else f"ほか{preview.unjudged:,}件は実行するときに判断します"
        )
    yield (
        "each value is read from the shop again before anything is sent"
        if english
        else "送る前に、ショップの今の値をもう一度読んで確かめます"
    )
    if not undoing.stopped:
        yield (
            "pushing goes on: while the cause is there, the next run sends it again. Stop pushing first to keep it back"
            if english
            else "送信は止まっていません。原因が残っていると次の実行がまた送ります（先に「送信の停止」ができます）"
        )


def why(reason: str, language: str) -> str:
    """Why a row stays as it is."""
    if not reason:
        return "as it was before already" if language == "en" else "すでに変更前と同じ"
    if reason == "changed_since":
        return "changed since" if language == "en" else "その後に変更された"
    return plain_reason(reason, language)


def why_row(undoing: Undoing, row: UndoRow, language: str) -> str:
    """Why this row stays as it is, with who changed it where that is known."""
    english = language == "en"
    if row.becomes == "hidden":
        return "hidden, for its price can't go back" if english else "価格を戻せないので非公開にします"
    if row.becomes == "back":
        return "goes back" if english else "戻します"
    reason = why(row.reason, language)
    if row.reason == "changed_since" and row.by_run:
        named = undoing.since.get(row.by_run)
        by = named[english] if named else row.by_run[:8]
        reason = f"changed by a later run, {by}" if english else f"あとの実行が変更: {by}"
    elif row.reason == "changed_since":
        reason = "changed at the shop by a person" if english else "人がショップで変更"
    return f"stays ({reason})" if english else f"そのまま（{reason}）"


def change(row: UndoRow, language: str) -> str:
    """What the row shows, and what it would show."""
    return values(row.kind, row.shown, row.wanted, language)


def values(kind: Kind, shown: int | None, wanted: int | None, language: str) -> str:
    """ "価格 1,980円 → 2,280円"; "?" where a value is unknown."""
    english = language == "en"
    if kind is Kind.VISIBILITY:
        words = {0: ("非公開", "hidden"), 1: ("公開", "shown")}
        named = [words[one][english] if one in words else "?" for one in (shown, wanted)]
    else:
        unit = "円" if kind is Kind.PRICE and not english else ""
        named = ["?" if one is None else f"{one:,}{unit}" for one in (shown, wanted)]
    head = "" if kind is Kind.VISIBILITY else f"{worded(KINDS, kind, language)} "
    return f"{head}{named[0]} {'->' if english else '→'} {named[1]}"


def as_data(undoing: Undoing) -> dict[str, Any]:
    preview = undoing.preview
    return {
        "run_id": preview.run_id,
        "back": preview.count("back"),
        "hidden": preview.count("hidden"),
        "left": dict(preview.left),
        "undone": preview.undone,
        "unjudged": preview.unjudged,
        "stopped": undoing.stopped,
        "rows": [
            {
                "platform": row.key.platform,
                "account_id": row.key.account_id,
                "item_id": row.key.item_id,
                "asin": row.asin,
                "title": undoing.titles.get(row.asin, ""),
                "kind": row.kind.value,
                "shown": row.shown,
                "wanted": row.wanted,
                "becomes": row.becomes,
                "reason": row.reason,
                "by_run": row.by_run,
                "said_ja": why_row(undoing, row, "ja"),
                "said_en": why_row(undoing, row, "en"),
            }
            for row in preview.rows[:NAMED]
        ],
    }
