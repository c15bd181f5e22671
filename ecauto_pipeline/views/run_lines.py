"""One run in a line of words. What nobody measured is said to be so.

Not for: where the figures come from (runs.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from ecauto_pipeline.clock import jst
from ecauto_pipeline.views.run_words import ENDS, job_words
from ecauto_pipeline.views.runs import RunLine

_NOT_MEASURED = ("測定なし", "not measured")


def headline(line: RunLine, language: str, *, end: bool = True) -> str:
    """Which run it is: the job, and what its figures must not be taken for; `end`: how it ended, too."""
    english = language == "en"
    marks = [
        *(["dry run" if english else "ドライラン"] if line.dry_run else []),
        *(["sends nothing" if english else "送信なし"] if not line.sends else []),
        *([ENDS[line.end][english]] if end and line.end not in ("SUCCESS", "") else []),
    ]
    name = job_words(line.job, language)
    return name + (f" ({', '.join(marks)})" if english else f"（{'・'.join(marks)}）") if marks else name


def what_it_did(line: RunLine, language: str) -> str:
    """What it asked, changed and held, and what failed, in one sentence."""
    parts = list(_parts_en(line) if language == "en" else _parts_ja(line))
    return ("; " if language == "en" else "、").join(parts)


def took(line: RunLine, language: str) -> str:
    """How long it took; "" while it goes on."""
    if line.ended_at is None:
        return ""
    seconds = max(0, round((line.ended_at - line.started_at).total_seconds()))
    minutes, rest = divmod(seconds, 60)
    if language == "en":
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes}分{rest}秒" if minutes else f"{rest}秒"


def mood(line: RunLine) -> Literal["good", "bad", "doubtful", "plain"]:
    """Whether somebody has to look at it."""
    if line.end in ("running", "CANCELED"):
        return "plain"
    if line.end in ("FAILURE", "dead"):
        return "bad"
    if line.matches("failed"):
        return "doubtful"
    return "good" if line.end == "SUCCESS" else "plain"


def sentence(line: RunLine, language: str) -> str:
    """The whole line: when, which, how long, what."""
    at = f"{jst(line.started_at):%m-%d %H:%M}"
    return "  ".join(
        part for part in (at, headline(line, language), took(line, language), what_it_did(line, language)) if part
    )


def as_data(line: RunLine) -> dict[str, Any]:
    """The line as JSON, times in Japanese time, and its words in both languages."""
    return {
        "run_id": line.run_id,
        "job": line.job,
        "partition_key": line.partition_key,
        "started_at": jst(line.started_at).isoformat(timespec="seconds"),
        "ended_at": None if line.ended_at is None else jst(line.ended_at).isoformat(timespec="seconds"),
        "dry_run": line.dry_run,
        "end": line.end,
        "stopped_by": line.stop_by,
        "trigger": line.trigger,
        "asked": line.asked,
        "silent": line.silent,
        "changed": line.changed,
        "held": line.held,
        "failed": line.failed,
        "found": line.found,
        "refused": line.refused,
        "left_over": line.left_over,
        "troubles": [en for _, en in line.troubles],
        "said_ja": sentence(line, "ja"),
        "said_en": sentence(line, "en"),
    }


def _parts_ja(line: RunLine) -> Iterator[str]:
    none = _NOT_MEASURED[0]
    if line.asks:
        silent = f"（回答なし{line.silent:,}件）" if line.silent else ""
        yield f"Amazonの確認は{none}" if line.asked is None else f"Amazonに{line.asked:,}件を確認{silent}"
    if line.found is not None:
        yield f"注文 {line.found:,}件" if line.job == "order_watch" else f"商品情報 {line.found:,}件"
    if line.sends:
        if line.changed is None:
            yield f"変更は{none}"
        else:
            yield f"{line.changed:,}件を変更する予定（未送信）" if line.dry_run else f"{line.changed:,}件を変更"
    if line.refused:
        yield f"{line.refused:,}件は見送り"
    if line.held:
        yield f"確認待ち{line.held:,}件"
    if line.failed is not None:
        yield f"失敗{line.failed:,}件" if line.failed else "失敗なし"
    yield from (ja for ja, _ in line.troubles)
    if line.stop_by:
        yield f"{line.stop_by} が中止"


def _parts_en(line: RunLine) -> Iterator[str]:
    none = _NOT_MEASURED[1]
    if line.asks:
        silent = f" ({line.silent:,} without an answer)" if line.silent else ""
        yield f"Amazon: {none}" if line.asked is None else f"asked Amazon about {line.asked:,}{silent}"
    if line.found is not None:
        yield f"{line.found:,} orders" if line.job == "order_watch" else f"{line.found:,} products"
    if line.sends:
        if line.changed is None:
            yield f"changes: {none}"
        else:
            yield f"would change {line.changed:,} (nothing sent)" if line.dry_run else f"changed {line.changed:,}"
    if line.refused:
        yield f"{line.refused:,} not done"
    if line.held:
        yield f"{line.held:,} wait for a person"
    if line.failed is not None:
        yield f"{line.failed:,} failed" if line.failed else "none failed"
    yield from (en for _, en in line.troubles)
    if line.stop_by:
        yield f"ended by {line.stop_by}"
