"""Alert rules about the files that the owner writes by hand: the blocklist, the rules per item, the page views.

Not for: what a rule is (alerts/rule.py), or reading the files (sync/).
"""

from __future__ import annotations

from ecauto_pipeline.alerts.rule import AlertSetup, Finding, RunRule, Words, unmeasured
from ecauto_pipeline.clock import jst
from ecauto_pipeline.sync.file_trouble import FileTrouble
from ecauto_pipeline.sync.run_record import RunRecord

_HELD = Words(
    "最後に読めたリストを使い続けています。ファイルを直せば次の実行から効きます",
    "the last list that could be read holds; the mended file counts from the next run on",
)
_UNKNOWN = Words(
    "リストを一度も読めていないため、非公開の商品を公開に戻していません",
    "no list could ever be read, so nothing that is hidden is shown again",
)


_NO_LIST = Words("使えるリストなし", "no list is known")


def _blocklist(record: RunRecord, setup: AlertSetup) -> Finding:
    if record.listings is None:
        return unmeasured("出品禁止リストは読んでいません", "the blocklist was not read")
    trouble = record.listings.blocklist
    if trouble is None:
        count = record.listings.blocked
        return Finding(
            said=Words(f"出品禁止リストの出品 {count}件", f"{count} listings are on the blocklist"), value=float(count)
        )
    held, since = trouble.held, _since(trouble)
    in_force = Words(f"使用中のリスト {held}件", f"{held} ASINs hold") if held is not None else _NO_LIST
    return Finding(
        said=Words(f"{trouble.ja}。{since}から。{in_force.ja}", f"{trouble.en}; since {since}; {in_force.en}"),
        passed=False,
        severity="ERROR" if held is None else "WARN",
        done=_UNKNOWN if held is None else _HELD,
        worst=(_row(trouble),),
    )


BLOCKLIST_READ = RunRule(
    name="blocklist_read",
    of_lane=False,
    law=Words("出品禁止リストは読める", "the list of what must never be public can be read"),
    label=Words("出品禁止リスト", "blocklist"),
    asset="listings",
    severity="WARN",
    remedy="ecauto sync",
    desk="/setup",
    done=_HELD,
    page="/assets/listings?view=checks",
    find=_blocklist,
)


_RULES_HELD = Words(
    "最後に採用した規則を使い続けています。ファイルを直せば次の実行から効きます",
    "the rules that were taken last hold; the mended file counts from the next run on",
)
_RULES_UNKNOWN = Words(
    "規則を一度も読めていないため、価格を変えず、非公開の商品を公開に戻していません",
    "no rules could ever be read, so no price is changed and nothing that is hidden is shown again",
)


def _rules(record: RunRecord, setup: AlertSetup) -> Finding:
    if record.listings is None:
        return unmeasured("商品ごとの規則は読んでいません", "the rules per item were not read")
    found = record.listings.rules
    trouble = found.trouble
    if trouble is None:
        said = Words(
            f"商品ごとの規則 {found.rules}件、出品 {found.listings}件（どの商品にも当たらない規則 {found.idle}件）",
            f"{found.rules} rules per item select {found.listings} listings ({found.idle} rules select none)",
        )
        return Finding(said=said, value=float(found.rules))
    held, since = trouble.held, _since(trouble)
    in_force = Words(f"使用中の規則 {held}件", f"{held} rules hold") if held is not None else _NO_RULES
    return Finding(
        said=Words(f"{trouble.ja}。{since}から。{in_force.ja}", f"{trouble.en}; since {since}; {in_force.en}"),
        passed=False,
        severity="ERROR" if held is None else "WARN",
        done=_RULES_UNKNOWN if held is None else _RULES_HELD,
        worst=(_row(trouble),),
    )


_NO_RULES = Words("使える規則なし", "no rules are known")

RULES_READ = RunRule(
    name="rules_read",
    of_lane=False,
    law=Words("商品ごとの規則のファイルは正しい", "the file of rules per item is in force"),
    label=Words("商品ごとの規則", "rules per item"),
    asset="listings",
    severity="WARN",
    remedy="ecauto rules check",
    desk="/rules",
    done=_RULES_HELD,
    page="/assets/listings?view=checks",
    find=_rules,
)


def _views(record: RunRecord, setup: AlertSetup) -> Finding:
    """A line that makes no sense costs itself and is named; no line at all is the file's trouble."""
    if record.stale_asins is None:
        return unmeasured("閲覧数は読んでいません", "page views were not read")
    views = record.stale_asins.views
    if views.trouble is not None:
        said = Words(
            f"{views.trouble.ja}。{_since(views.trouble)}から", f"{views.trouble.en}; since {_since(views.trouble)}"
        )
        return Finding(said=said, passed=False, worst=(_row(views.trouble),))
    left_out = len(views.problems)
    worst = tuple({"line": line, "why": why} for line, why in views.problems)
    said = (
        Words(f"閲覧数 {views.read}行、読めない行 {left_out}", f"{views.read} rows of page views, {left_out} left out")
        if views.read or left_out
        else Words("新しい閲覧数はありません", "no new page views")
    )
    return Finding(said=said, value=float(left_out), worst=worst)


VIEWS_READ = RunRule(
    name="views_read",
    of_lane=False,
    law=Words("閲覧数のファイルは読める", "the file of page views can be read"),
    label=Words("閲覧数のファイル", "page views"),
    asset="stale_asins",
    severity="WARN",
    remedy="ecauto sync",
    desk="/setup",
    done=Words(
        "確認の間隔は今までの閲覧数のまま変えていません",
        "the tiers go by the views that were counted before",
    ),
    page="/assets/stale_asins?view=checks",
    find=_views,
)


def _since(trouble: FileTrouble) -> str:
    return jst(trouble.since).strftime("%Y-%m-%d %H:%M JST")


def _row(trouble: FileTrouble) -> dict[str, object]:
    return {"file": trouble.file, "since": _since(trouble)}
