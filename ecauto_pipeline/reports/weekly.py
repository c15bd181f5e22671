"""The weekly report: one page of HTML that holds everything it shows and asks no address for anything.

Not for: pictures themselves (pictures.py) or where rows come from (picture_rows.py).
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ecauto_pipeline.alerts.announce import firing_now
from ecauto_pipeline.alerts.rules import rule_label
from ecauto_pipeline.alerts.verdicts import percent, span_en, span_ja
from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.offers.second_opinion import Audited
from ecauto_pipeline.domain.words import unwatched_line
from ecauto_pipeline.history.summaries import HistorySummaries
from ecauto_pipeline.reports import pictures
from ecauto_pipeline.reports.picture_rows import budget_rows, freshness_rows, held_now
from ecauto_pipeline.state.unwatched import count_unwatched
from ecauto_pipeline.sync.context import Tools

WEEK = timedelta(days=7)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WeekFacts:
    """What the page tells. Rows as the pictures and `run_metrics` name them; `firing`: (key, since);
    `unwatched`: items that nothing keeps in step, by reason, None where no shop was read yet; `left`: what is left of
    sales at the prices sent, as history sums it up.
    """

    start: datetime
    end: datetime
    runs: Sequence[Row] = ()
    freshness: Sequence[Row] = ()
    budget: Sequence[Row] = ()
    answers: Sequence[Row] = ()
    updates: Sequence[Row] = ()
    held: Sequence[Row] = ()
    firing: Sequence[tuple[str, datetime]] = ()
    unwatched: Mapping[str, int] | None = None
    left: Row = field(default_factory=dict)


def weekly_report(
    tools: Tools,
    past: HistorySummaries,
    end: datetime,
    language: str = "ja",
    accounts: Iterable[AccountKey] = (),
) -> str:
    """The page for the seven days before `end`. `accounts`: the shops that are to be watched."""
    start = end - WEEK
    runs = past.runs_between(start, end)
    live = [str(row["run_id"]) for row in runs if not row.get("dry_run")]
    with tools.state.read() as connection:
        unwatched = count_unwatched(connection, accounts, end)
    return page(
        WeekFacts(
            start,
            end,
            runs,
            freshness_rows(tools, past, end, WEEK),
            budget_rows(tools, past, end, WEEK),
            past.answers_by_hour(start, end),
            past.updates_by_kind(start, end),
            held_now(tools, end),
            firing_now(tools),
            unwatched,
            next(iter(past.left_of_sales(start, end, live)), {}),
        ),
        language,
    )


def page(facts: WeekFacts, language: str = "ja") -> str:
    """The facts as one self-contained HTML document."""
    english = language == "en"
    title = "ecauto: the week" if english else "ecauto 週次レポート"
    span = f"{_day(facts.start)} – {_day(facts.end)} (JST)"
    images = [
        ("鮮度", "Freshness", pictures.freshness_by_tier(facts.freshness, language)),
        ("予算", "Budget", pictures.budget_by_hour(facts.budget, language)),
        ("Amazonの回答", "Amazon's answers", pictures.outcomes_by_hour(facts.answers, language)),
        ("BASEへの更新", "Updates sent to BASE", pictures.updates_by_kind(facts.updates, language)),
        ("確認待ちの保留", "Held for a person", pictures.held_rows(facts.held, language)),
    ]
    parts = [
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title} {span}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1><p class=span>{span}</p>",
        _cards(figures(facts, language)),
        _alerts(facts, language),
        f"<p>{html.escape(unwatched_line(facts.unwatched, language))}</p>",
    ]
    for ja, en, image in images:
        name = en if english else ja
        parts.append(f'<h2>{name}</h2><img alt="{name}" src="{pictures.as_data_uri(image)}">')
    parts.append("</body></html>")
    return "\n".join(parts)


def figures(facts: WeekFacts, language: str = "ja") -> list[tuple[str, str]]:
    """The numbers at the top, by name; a rate nobody attempted, or a week without a run, is a dash, not 0."""
    live = [row for row in facts.runs if not row.get("dry_run")]
    total = {name: sum(row.get(name) or 0 for row in live) for name in _SUMMED}
    answers = sum(row["count"] for row in facts.answers)
    errors = sum(row["count"] for row in facts.answers if row["status"] == "api_error")
    looked = total["cache_hits"] + total["cache_misses"]
    took = [row["execution_time_seconds"] for row in live if row.get("execution_time_seconds") is not None]
    done = sum(row["count"] for row in facts.updates if row["outcome"] == "done")
    failed = sum(row["count"] for row in facts.updates if row["outcome"] == "failed")
    audits = Audited(total["opinion_audited"], total["opinion_contradicted"])
    english, left = language == "en", facts.left
    span = span_en if english else span_ja
    rows = [
        ("実行回数", "runs", f"{len(live):,}"),
        ("平均の実行時間", "mean duration", span(sum(took) / len(took)) if took else "–"),
        ("Amazonの回答", "answers from Amazon", f"{answers:,}" if facts.runs else "–"),
        ("SP-APIのエラー率", "SP-API error rate", percent(errors / answers) if answers else "–"),
        ("キャッシュヒット率", "cache hit rate", percent(total["cache_hits"] / looked) if looked else "–"),
        (
            "第二意見と食い違った回答",
            "contradicted by a second opinion",
            "–" if audits.share is None else percent(audits.share),
        ),
        ("BASEへの更新", "updates done", f"{done:,}" if live else "–"),
        ("更新の失敗", "updates failed", f"{failed:,}" if live else "–"),
        ("手元に残る額(送った価格の平均)", "left of a sale, mean", _yen(left.get("mean_left_jpy"), english)),
        ("手元に残る額(最低)", "left of a sale, least", _yen(left.get("least_left_jpy"), english)),
        ("赤字を避けて非公開", "hidden for a loss", f"{left.get('hidden') or 0:,}" if live else "–"),
        ("確認待ちの保留", "held now", f"{sum(row['count'] for row in facts.held):,}"),
    ]
    return [(en if english else ja, value) for ja, en, value in rows]


def _yen(amount: int | None, english: bool) -> str:
    return "–" if amount is None else f"{amount:,}{' yen' if english else '円'}"


_SUMMED = ("cache_hits", "cache_misses", "opinion_audited", "opinion_contradicted")


def _cards(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<div><b>{html.escape(value)}</b><span>{html.escape(name)}</span></div>" for name, value in rows)
    return f"<section class=cards>{cells}</section>"


def _alerts(facts: WeekFacts, language: str) -> str:
    english = language == "en"
    if not facts.firing:
        return f"<p class=good>{'No alert is open.' if english else '発生中の警告はありません。'}</p>"
    items = []
    for key, since in facts.firing:
        rule, _, subject = key.partition(":")
        name = rule_label(rule, language) + (f" ({subject})" if subject else "")
        items.append(f"<li>{html.escape(name)} — {jst(since).strftime('%Y-%m-%d %H:%M')}</li>")
    return f"<h2>{'Open alerts' if english else '発生中の警告'}</h2><ul class=bad>{''.join(items)}</ul>"


def _day(moment: datetime) -> str:
    return jst(moment).strftime("%Y-%m-%d %H:%M")


_STYLE = (
    "body{font-family:system-ui,'Hiragino Sans','Yu Gothic','Noto Sans JP',sans-serif;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem;color:#222}h1{margin:0}h2{margin:2rem 0 .5rem;font-size:1.1rem}"
    ".span{color:#666;margin:.2rem 0 1.5rem}"
    "img{max-width:100%;height:auto;border:1px solid #eee;border-radius:6px}"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.75rem}"
    ".cards div{border:1px solid #e4e4e4;border-radius:6px;padding:.75rem 1rem}"
    ".cards b{display:block;font-size:1.4rem}.cards span{color:#666;font-size:.85rem}"
    ".good{color:#00694c}.bad{color:#a33c00}@media print{body{margin:0;max-width:none}}"
)
