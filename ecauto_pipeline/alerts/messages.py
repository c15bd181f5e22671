"""The texts of alerts: a verdict, a recovery, a digest or a test as one message in Japanese or English.

Not for: when to send (alerts/notices.py) or how (alerts/channels).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ecauto_pipeline.alerts.channels import Message
from ecauto_pipeline.alerts.desk_links import hold_link, page_link
from ecauto_pipeline.alerts.rule import Words
from ecauto_pipeline.alerts.rules import rule_label
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.domain.words import KINDS, worded
from ecauto_pipeline.sync.run_record import RunRecord

NoticeState = Literal["firing", "recovered", "closed", "digest", "test"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing people are told once."""

    key: str
    rule: str
    state: NoticeState
    severity: str
    title: str
    body: str
    document: Mapping[str, object]

    def message(self) -> Message:
        return Message(self.title, self.body, self.document)


def notice_of(
    verdict: Verdict,
    record: RunRecord | None,
    language: str,
    since: datetime,
    grown: Sequence[str] = (),
    ui_url: str = "",
    desk_url: str = "",
) -> Notice:
    """The message about a change of state: numbers, the three worst rows, what was done, the command and the pages.

    `grown`: what came to a set that was told of before, counted; its rows are the verdict's worst then.
    """
    english = language == "en"
    name = rule_label(verdict.rule, language)
    about = f"{name} ({verdict.subject})" if verdict.subject else name
    if verdict.passed:
        mark = "[ecauto RECOVERED]" if english else "【ecauto 復旧】"
    elif verdict.severity == "ERROR":
        mark = "[ecauto ERROR]" if english else "【ecauto 異常】"
    else:
        mark = "[ecauto WARNING]" if english else "【ecauto 注意】"
    more = (f"{len(grown)} more. " if english else f"新たに{len(grown)}件。") if grown else ""
    lines = [more + verdict.message(language)]
    desk = page_link(desk_url, verdict, grown)
    for row in verdict.worst:
        lines.append(f"- {row_text(row, language)}")
        its_own = hold_link(desk_url, row) if not verdict.passed else ""
        if its_own and its_own != desk:
            lines.append(f"  {its_own}")
    if verdict.done(language):
        lines.append(f"{'Done' if english else '対応'}: {verdict.done(language)}")
    if verdict.remedy:
        lines.append(f"{'Next' if english else '次の一手'}: {verdict.remedy}")
    link = f"{ui_url.rstrip('/')}{verdict.page}" if ui_url and verdict.page and not verdict.passed else ""
    if desk:
        lines.append(f"{'Desk' if english else 'デスク'}: {desk}")
    if link:
        lines.append(f"{'Page' if english else '画面'}: {link}")
    lines.append(f"{'Since' if english else '発生' if not verdict.passed else '復旧'}: {_jst(since)}")
    if record is not None:
        dry = " (dry run)" if record.dry_run else ""
        lines.append(f"{'Run' if english else '実行'}: {record.job} {record.partition_key} {record.run_id}{dry}")
    state: NoticeState = "recovered" if verdict.passed else "firing"
    document = {
        "rule": verdict.rule,
        "subject": verdict.subject,
        "state": state,
        "severity": verdict.severity,
        "value": verdict.value,
        "threshold": verdict.threshold,
        "remedy": verdict.remedy,
        "done": verdict.done(language),
        "link": link,
        "desk": desk,
        "worst": [{key: _plain(value) for key, value in row.items()} for row in verdict.worst],
        "since": since.isoformat(),
        "run_id": record.run_id if record is not None else "",
        "job": record.job if record is not None else "",
        "partition_key": record.partition_key if record is not None else "",
    }
    return Notice(verdict.key, verdict.rule, state, verdict.severity, f"{mark} {about}", "\n".join(lines), document)


def closed_notice(key: str, why: Words, firing_since: datetime, now: datetime, language: str) -> Notice:
    """An alert that ends because nobody looks any more, which is no recovery."""
    english = language == "en"
    rule, _, subject = key.partition(":")
    title = f"{'[ecauto CLOSED]' if english else '【ecauto 監視終了】'} {rule_label(rule, language)}"
    lines = [
        why.en if english else why.ja,
        f"{'It is not known to be well' if english else '直ったかどうかはわかりません'}",
        f"{'Since' if english else '発生'}: {_jst(firing_since)}",
        f"{'Closed' if english else '終了'}: {_jst(now)}",
    ]
    document = {"rule": rule, "subject": subject, "state": "closed", "since": now.isoformat(), "severity": "WARN"}
    about = f"{title} ({subject})" if subject else title
    return Notice(key, rule, "closed", "WARN", about, "\n".join(lines), document)


def digest_notice(firing: Sequence[tuple[str, datetime]], changes: int, now: datetime, language: str) -> Notice:
    """The summary of a day: what fires now and since when, how often states changed since the last one."""
    english = language == "en"
    title = "[ecauto] Daily summary" if english else "【ecauto】本日のまとめ"
    if firing:
        lines = [f"{len(firing)} alerts open:" if english else f"発生中の警告 {len(firing)}件:"]
        for key, since in firing:
            rule, _, subject = key.partition(":")
            name = rule_label(rule, language) + (f" ({subject})" if subject else "")
            lines.append(f"- {name} ({'since ' if english else ''}{_jst(since)}{'' if english else ' から'})")
    else:
        lines = ["No alert is open." if english else "発生中の警告はありません。"]
    lines.append(f"{changes} changes since the last summary" if english else f"前回からの状態変化 {changes}件")
    document = {"firing": [key for key, _ in firing], "changes": changes, "at": now.isoformat(), "state": "digest"}
    return Notice("digest", "digest", "digest", "WARN", title, "\n".join(lines), document)


def trial_notice(now: datetime, language: str) -> Notice:
    """What `ecauto alerts test` sends."""
    english = language == "en"
    title = "[ecauto] Test message" if english else "【ecauto】通知テスト"
    body = (
        f"This channel works. Sent {_jst(now)}." if english else f"この通知先は正しく設定されています。送信 {_jst(now)}"
    )
    return Notice("test", "test", "test", "WARN", title, body, {"state": "test", "at": now.isoformat()})


_NAMES_JA: Mapping[str, str] = {
    "asin": "ASIN",
    "item_id": "商品ID",
    "account_id": "ショップ",
    "kind": "種類",
    "shown": "表示中",
    "wanted": "あるべき値",
    "reason": "理由",
    "in_a_row": "続いた回数",
    "price_jpy": "これまでの価格",
    "doing": "処理",
    "place": "場所",
    "error": "エラー",
}
"""What a row's values are called in Japanese; in English their names are words."""


_UNSAID = ("title", "diff_id")
"""Said first, and said by the link."""


def row_text(row: Mapping[str, object], language: str) -> str:
    """One row of evidence on one line: the title of the goods, then its values by name, in the row's own order."""
    title = f"「{row['title']}」 " if row.get("title") else ""
    values = {name: _worded(name, value, language) for name, value in row.items() if name not in _UNSAID}
    if language == "en":
        return title + ", ".join(f"{name}={value}" for name, value in values.items())
    return title + "、".join(f"{_NAMES_JA.get(name, name)} {value}" for name, value in values.items())


def _worded(name: str, value: object, language: str) -> object:
    if name == "reason":
        return said(str(value), language)
    if name == "kind":
        return worded(KINDS, str(value), language)
    return "–" if value is None else _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _jst(moment: datetime) -> str:
    return jst(moment).strftime("%Y-%m-%d %H:%M JST")
