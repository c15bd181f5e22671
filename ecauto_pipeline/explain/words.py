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
from ecauto_pipeline.domain.words import DECISION_STATES, DECISIONS, KINDS, OUTCOMES, STATUSES, Words, worded
from ecauto_pipeline.explain.labels import RULE_QUESTIONS, STAMPS, hider, labels, note_text, step_label
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
    t = labels(language)
    if not one.found:
        return (Section(t["summary"], (), ((one.key, t["nothing"]),)),)
    parts = [_summary(one, t)]
    parts += [_listing(story, t, language) for story in one.listings]
    parts += [_answers(one, t), _offers(one, t), _decisions(one, t), _updates(one, t)]
    return tuple(part for part in parts if part.rows or part.note)


def as_markdown(one: Explanation, language: str = "ja") -> str:
    """The sections as markdown tables."""
    t = labels(language)
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
        price = f" {_yen(said.price_jpy, t)}" if said.price_jpy is not None else ""
        reason = f": {reasons.said(said.reason, t['language'])}" if said.reason else ""
        rows.append(
            (
                t["amazon"],
                f"{_coded(STATUSES, said.status, t)}{reason}{price}, {said.operation}, {_time(said.observed_at)}",
            )
        )
    else:
        rows.append((t["amazon"], t["never_answered"]))
    if one.last and one.basis and one.last.snapshot_id != one.basis.snapshot_id:
        rows.append(
            (
                t["confirmed"],
                f"{_coded(STATUSES, one.last.status, t)}, {one.last.operation}, {_time(one.last.observed_at)}",
            )
        )
    rows += [(worded(STAMPS, name, t["language"]), _time(at)) for name, at in one.freshness if at is not None]
    rows += [(t["note"], note_text(note, t["language"])) for note in one.notes]
    return Section(t["summary"], (), tuple(rows), t["history_alone"] if one.from_history_alone else "")


def _listing(story: ListingStory, t: Mapping[str, str], language: str) -> Section:
    figures = [
        ("price", f"{_shown(story.price, lambda v: _yen(v, t))} {_why(story.price, t)}"),
        ("visibility", f"{_shown(story.visibility, lambda v: _public(v, t))} {_why(story.visibility, t)}"),
        ("stock", f"{_shown(story.stock, str)} {_why(story.stock, t)}"),
    ]
    last = f"{t['shown_last']}: " if story.gone else ""
    rows = [(t[name], f"{last}{text}".strip()) for name, text in figures]
    if story.gone:
        since = f" ({t['gone_since']} {_time(story.gone_since)})" if story.gone_since is not None else ""
        rows.insert(0, (t["state"], t["gone"] + since))
    if story.hidden_by:
        rows.append((t["hidden_by"], hider(story.hidden_by, language)))
    for question, line in story.rules:
        rows.append((t["rule"], t["line"].format(worded(RULE_QUESTIONS, question, language), line)))
    rows += [(f"  {step_label(label, language)}", value) for label, value in story.price_steps]
    if story.wanted_price_jpy is not None:
        why = reasons.said(f"price_{story.price_blocked}", language) if story.price_blocked else ""
        blocked = f", {t['blocked']}: {why}" if why else ""
        rows.append((t["wanted"], _yen(story.wanted_price_jpy, t) + blocked))
    rows += [(t["note"], note_text(note, language)) for note in story.notes]
    return Section(f"{t['listing']} {story.platform} / {story.account_id} / {story.item_id}", (), tuple(rows))


def _answers(one: Explanation, t: Mapping[str, str]) -> Section:
    rows = [
        (
            _time(row.observed_at),
            row.operation,
            _coded(STATUSES, row.status, t),
            reasons.said(row.reason or "", t["language"]),
            _yen(row.price_jpy, t),
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
            _yen(line.price_jpy, t),
            _yen(line.shipping_jpy, t),
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
            worded(KINDS, row.kind, t["language"]),
            _change(row.shown, row.wanted),
            _coded(DECISIONS, row.decision, t) + (f", {_coded(DECISION_STATES, row.state, t)}" if row.state else ""),
            reasons.said(row.reason, t["language"]),
            _yen(row.profit_jpy, t),
            row.evidence,
        )
        for row in one.decisions[:MOST_ROWS]
    ]
    columns = (t["time"], t["listing"], t["kind"], t["change"], t["decision"], t["reason"], t["left"], t["evidence"])
    return Section(t["decisions"], columns, tuple(rows), _more(len(one.decisions), t))


def _updates(one: Explanation, t: Mapping[str, str]) -> Section:
    rows = [
        (
            _time(row.attempted_at),
            f"{_shop(row, one)}/{row.item_id}",
            worded(KINDS, row.kind, t["language"]),
            _change(row.before, row.after),
            _coded(OUTCOMES, row.outcome, t) if row.outcome else t["open"],
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
    return f"{t['decided']} {_coded(DECISIONS, one.decision, t)} {change} {why} {_time(one.decided_at)}".replace(
        "  ", " "
    )


def _update_text(one: Sent, t: Mapping[str, str]) -> str:
    outcome = _coded(OUTCOMES, one.outcome, t) if one.outcome else t["open"]
    return f"{t['sent']} {_change(one.before, one.after)} {outcome} {_time(one.attempted_at)}"


def _coded(table: Words, code: str, t: Mapping[str, str]) -> str:
    """Japanese readers get words and the code, English ones the code: it is an English word."""
    return f"{worded(table, code)} ({code})" if t["language"] == "ja" and code in table else code


def _change(before: int | None, after: int | None) -> str:
    return f"{_text(before) or '?'} → {_text(after) or '?'}"


def _public(value: int, t: Mapping[str, str]) -> str:
    return t["public"] if value else t["hidden"]


def _yen(value: int | None, t: Mapping[str, str]) -> str:
    return "" if value is None else f"{value:,}{t['yen']}"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _time(moment: datetime | None) -> str:
    return "" if moment is None else jst(moment).strftime("%Y-%m-%d %H:%M:%S")


def _more(count: int, t: Mapping[str, str]) -> str:
    return "" if count <= MOST_ROWS else f"{t['more']} {count - MOST_ROWS}"


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
