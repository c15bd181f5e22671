"""An explanation in the form people read: sections of plain rows for a terminal, markdown, or JSON.

Not for: finding out (story.py). Times are JST, money yen; every value is text, in letters that a Japanese Windows
console (cp932) can show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain import reasons
from ecauto_pipeline.domain.account_names import name_of
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.words import HIDDEN_BY, worded
from ecauto_pipeline.explain.model import Decided, Explanation, Figure, ListingStory, Sent

MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Section:
    """A table with a title; without columns, rows are (label, value) pairs."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def sections(one: Explanation, language: str = "ja") -> tuple[Section, ...]:
    """Summary, one section a listing, answers, offers, decisions, updates; empty ones are left out but the summary."""
    t = _EN if language == "en" else _JA
    if not one.found:
        return (Section(t["summary"], (), ((one.key, t["nothing"]),)),)
    parts = [_summary(one, t)]
    parts += [_listing(story, t, language) for story in one.listings]
    parts += [_answers(one, t), _offers(one, t), _decisions(one, t), _updates(one, t)]
    return tuple(part for part in parts if part.rows or part.note)


def as_markdown(one: Explanation, language: str = "ja") -> str:
    """The sections as markdown tables."""
    t = _EN if language == "en" else _JA
    lines = [f"# {one.asin or one.key}: {_time(one.as_of)}"]
    for part in sections(one, language):
        lines += ["", f"## {part.title}", ""]
        if part.rows:
            columns = part.columns or (t["item"], t["value"])
            lines += [_row(columns), _row(["---"] * len(columns)), *(_row(row) for row in part.rows)]
        if part.note:
            lines += ["", part.note]
    return "\n".join(lines) + "\n"


def as_document(one: Explanation) -> dict[str, object]:
    """The explanation as JSON values: times ISO 8601 in UTC, money whole yen."""
    return {name: _plain(value) for name, value in asdict(one).items()}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _summary(one: Explanation, t: Mapping[str, str]) -> Section:
    rows = [("ASIN", one.asin or t["unknown"]), (t["as_of"], _time(one.as_of))]
    if one.basis:
        said = one.basis
        price = f" {_yen(said.price_jpy)}" if said.price_jpy is not None else ""
        reason = f": {reasons.said(said.reason, t['language'])}" if said.reason else ""
        rows.append((t["amazon"], f"{said.status}{reason}{price}, {said.operation}, {_time(said.observed_at)}"))
    else:
        rows.append((t["amazon"], t["never_answered"]))
    if one.last and one.basis and one.last.snapshot_id != one.basis.snapshot_id:
        rows.append((t["confirmed"], f"{one.last.status}, {one.last.operation}, {_time(one.last.observed_at)}"))
    rows += [(name, _time(at)) for name, at in one.freshness if at is not None]
    rows += [(t["note"], note) for note in one.notes]
    return Section(t["summary"], (), tuple(rows), t["history_alone"] if one.from_history_alone else "")


def _listing(story: ListingStory, t: Mapping[str, str], language: str) -> Section:
    rows = [
        (t["price"], f"{_shown(story.price, _yen)} {_why(story.price, t)}".strip()),
        (t["visibility"], f"{_shown(story.visibility, lambda v: _public(v, t))} {_why(story.visibility, t)}".strip()),
        (t["stock"], f"{_shown(story.stock, str)} {_why(story.stock, t)}".strip()),
    ]
    if story.hidden_by:
        rows.append((t["hidden_by"], f"{worded(HIDDEN_BY, story.hidden_by, language)} ({story.hidden_by})"))
    rows += [(f"  {label}", value) for label, value in story.price_steps]
    if story.wanted_price_jpy is not None:
        blocked = f", {t['blocked']}: {story.price_blocked}" if story.price_blocked else ""
        rows.append((t["wanted"], _yen(story.wanted_price_jpy) + blocked))
    rows += [(t["note"], note) for note in story.notes]
    return Section(f"{t['listing']} {story.platform} / {story.account_id} / {story.item_id}", (), tuple(rows))


def _answers(one: Explanation, t: Mapping[str, str]) -> Section:
    rows = [
        (
            _time(row.observed_at),
            row.operation,
            row.status,
            reasons.said(row.reason or "", t["language"]),
            _yen(row.price_jpy),
            _text(row.offer_count),
            row.request_id,
        )
        for row in one.answers[:MOST_ROWS]
    ]
    columns = (t["time"], t["operation"], t["status"], t["reason"], t["price"], t["offers"], "request_id")
    return Section(t["answers"], columns, tuple(rows), _more(len(one.answers), t))


def _offers(one: Explanation, t: Mapping[str, str]) -> Section:
    if one.offers is None:
        return Section(t["choice"], (), (), t["no_offers_kept"] if one.basis else "")
    rows = [
        (
            line.verdict,
            _text(line.score),
            _yen(line.price_jpy),
            _yen(line.shipping_jpy),
            _text(line.max_hours),
            line.availability,
            "Prime" if line.is_prime else "",
            "FBA" if line.is_fba else "",
            "Buy Box" if line.is_buybox else "",
            line.seller_id,
        )
        for line in one.offers
    ]
    names = ("verdict", "score", "price", "shipping", "hours", "availability")
    return Section(t["choice"], (*(t[name] for name in names), "Prime", "FBA", "Buy Box", t["seller"]), tuple(rows))


def _shop(row: Decided | Sent, one: Explanation) -> str:
    """The shop of a row, by the shortest name that tells it from those of all rows."""
    rows: list[Decided | Sent] = [*one.decisions, *one.updates]
    known = {AccountKey(each.platform, each.account_id) for each in rows}
    return name_of(AccountKey(row.platform, row.account_id), known)


def _decisions(one: Explanation, t: Mapping[str, str]) -> Section:
    rows = [
        (
            _time(row.decided_at),
            f"{_shop(row, one)}/{row.item_id}",
            row.kind,
            _change(row.shown, row.wanted),
            row.decision + (f" ({row.state})" if row.state else ""),
            reasons.said(row.reason, t["language"]),
            row.evidence,
        )
        for row in one.decisions[:MOST_ROWS]
    ]
    columns = (t["time"], t["listing"], t["kind"], t["change"], t["decision"], t["reason"], t["evidence"])
    return Section(t["decisions"], columns, tuple(rows), _more(len(one.decisions), t))


def _updates(one: Explanation, t: Mapping[str, str]) -> Section:
    rows = [
        (
            _time(row.attempted_at),
            f"{_shop(row, one)}/{row.item_id}",
            row.kind,
            _change(row.before, row.after),
            row.outcome or t["open"],
            row.error,
            _text(row.attempts),
        )
        for row in one.updates[:MOST_ROWS]
    ]
    columns = (t["time"], t["listing"], t["kind"], t["change"], t["outcome"], t["error"], t["attempts"])
    return Section(t["updates"], columns, tuple(rows), _more(len(one.updates), t))


def _shown(figure: Figure, form: Callable[[int], str]) -> str:
    return "?" if figure.value is None else form(figure.value)


def _why(figure: Figure, t: Mapping[str, str]) -> str:
    """How it is known, the last decision about it and what became of it."""
    parts = []
    if figure.since is not None:
        parts.append(f"{t[figure.origin]} {_time(figure.since)}")
    if figure.decision is not None:
        parts.append(_decision_text(figure.decision, t))
    if figure.update is not None:
        parts.append(_update_text(figure.update, t))
    return f"({'; '.join(parts)})" if parts else ""


def _decision_text(one: Decided, t: Mapping[str, str]) -> str:
    change = _change(one.shown, one.wanted)
    why = reasons.said(one.reason, t["language"])
    return f"{t['decided']} {one.decision} {change} {why} {_time(one.decided_at)}".replace("  ", " ")


def _update_text(one: Sent, t: Mapping[str, str]) -> str:
    return f"{t['sent']} {_change(one.before, one.after)} {one.outcome or t['open']} {_time(one.attempted_at)}"


def _change(before: int | None, after: int | None) -> str:
    return f"{_text(before) or '?'} → {_text(after) or '?'}"


def _public(value: int, t: Mapping[str, str]) -> str:
    return t["public"] if value else t["hidden"]


def _yen(value: int | None) -> str:
    return "" if value is None else f"{value:,}円"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _time(moment: datetime | None) -> str:
    return "" if moment is None else jst(moment).strftime("%Y-%m-%d %H:%M:%S")


def _more(count: int, t: Mapping[str, str]) -> str:
    return "" if count <= MOST_ROWS else f"{t['more']} {count - MOST_ROWS}"


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


_WORDS = {
    "summary": ("要約", "Summary"),
    "nothing": ("記録がありません", "nothing is known about it"),
    "unknown": ("不明", "unknown"),
    "as_of": ("時点 (JST)", "as of (JST)"),
    "amazon": ("Amazonの回答", "Amazon said"),
    "never_answered": ("まだ回答がありません", "no answer yet"),
    "confirmed": ("最後の確認", "last confirmed"),
    "note": ("メモ", "note"),
    "history_alone": ("履歴だけから再現しています。", "From history alone."),
    "listing": ("出品", "Listing"),
    "price": ("価格", "price"),
    "visibility": ("公開状態", "visibility"),
    "stock": ("在庫数", "stock"),
    "hidden_by": ("非公開にした者", "hidden by"),
    "wanted": ("計算した売価", "price worked out"),
    "blocked": ("送信禁止", "blocked"),
    "time": ("時刻 (JST)", "time (JST)"),
    "operation": ("API操作", "operation"),
    "status": ("結果", "status"),
    "language": ("ja", "en"),
    "reason": ("理由", "reason"),
    "offers": ("オファー数", "offers"),
    "answers": ("Amazonの回答の記録", "What Amazon said"),
    "choice": ("オファーの選択", "How the offer was chosen"),
    "no_offers_kept": ("この回答のオファーは保存されていません。", "No offers were kept with this answer."),
    "verdict": ("判定", "verdict"),
    "score": ("点数", "score"),
    "shipping": ("送料", "shipping"),
    "hours": ("発送までの時間", "hours to ship"),
    "availability": ("入荷状況", "availability"),
    "seller": ("出品者", "seller"),
    "kind": ("種類", "kind"),
    "change": ("変更", "change"),
    "decision": ("判断", "decision"),
    "evidence": ("根拠", "evidence"),
    "decisions": ("判断の記録", "Decisions"),
    "updates": ("送信の記録", "Updates sent"),
    "outcome": ("結果", "outcome"),
    "error": ("エラー", "error"),
    "attempts": ("試行", "attempts"),
    "open": ("結果待ち", "under way"),
    "read": ("読み取り", "read"),
    "update": ("送信済み", "sent"),
    "decided": ("判断", "decided"),
    "sent": ("送信", "sent"),
    "public": ("公開", "public"),
    "hidden": ("非公開", "hidden"),
    "more": ("ほか", "and more:"),
    "item": ("項目", "item"),
    "value": ("値", "value"),
}
_JA = {name: words[0] for name, words in _WORDS.items()}
_EN = {name: words[1] for name, words in _WORDS.items()}
