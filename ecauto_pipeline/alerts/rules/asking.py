"""Alert rules about asking Amazon: answers that were none, how fresh things were, what the sweep misses.

Not for: what a rule is (alerts/rule.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ecauto_pipeline.alerts.rule import AlertSetup, Finding, RunRule, Words, unmeasured
from ecauto_pipeline.alerts.rules.rates import rate
from ecauto_pipeline.alerts.verdicts import Row, percent
from ecauto_pipeline.domain.call_failures import CallsMet
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline.sync.sections import FetchReport

MOST_MISSED = 0.05
"""Share of "unchanged" sweep answers that a detail answer may contradict before the sweep is mistrusted."""


def _sp_api_errors(record: RunRecord, setup: AlertSetup) -> Finding:
    """Sold out, filtered out and not found are answers, not errors; so are zeros that we did not believe.

    Without any answer at all, calls count.
    """
    asked, alerts = record.sp_api_snapshots or FetchReport(), setup.alerts
    what = Words("SP-APIのエラー率", "SP-API error rate")
    if asked.answers:
        errors, attempts, unit = asked.silent, asked.answers, Words("件", "answers")
        worst = _unanswered(asked)
    else:
        errors, attempts, unit = asked.failed_calls, asked.sp_api_calls, Words("件", "calls")
        worst = ()
    return _because(asked.calls_met(), rate(what, unit, errors, attempts, alerts.sp_api_error_rate, alerts, worst))


def _errors_of_operations(record: RunRecord, setup: AlertSetup) -> Mapping[str, Finding]:
    asked, alerts = record.sp_api_snapshots or FetchReport(), setup.alerts
    what, unit = Words("SP-APIのエラー率", "SP-API error rate"), Words("件", "answers")
    return {
        operation: _because(
            asked.calls_met(operation),
            rate(what, unit, errors, answers, alerts.sp_api_error_rate, alerts, _unanswered(asked, operation)),
        )
        for operation, (answers, errors) in asked.by_operation.items()
        if answers
    }


def _because(met: CallsMet | None, found: Finding) -> Finding:
    """The finding with the commonest reason of the calls that failed, and its remedy, where too many did."""
    if met is None or found.passed:
        return found
    said, why = found.said, met.failure
    return replace(found, said=Words(f"{said.ja}。{why.sentence('ja')}", f"{said.en}. {why.sentence('en')}"))


def _unanswered(asked: FetchReport, operation: str = "") -> tuple[Row, ...]:
    """The goods that went longest without an answer; `operation` "": of all of them."""
    rows = sorted(asked.unanswered, key=lambda row: (-row[3], row[1]))
    of_it = [row[1:] for row in rows if operation in ("", row[0])]
    return tuple({"asin": asin, "reason": reason, "in_a_row": times} for asin, reason, times in of_it)


def _doubted_goods(asked: FetchReport, operation: str = "") -> tuple[Row, ...]:
    """The dearest goods whose zero is not believed; `operation` "": of all of them."""
    rows = sorted(asked.doubted, key=lambda row: (-(row[2] or 0), row[1]))
    return tuple({"asin": asin, "price_jpy": price} for name, asin, price in rows if operation in ("", name))


SP_API_ERROR_RATE = RunRule(
    name="sp_api_error_rate",
    law=Words("SP-APIのエラー率は10%以下", "at most 10% of the requested ASINs go without an answer"),
    label=Words("SP-APIのエラー率", "SP-API error rate"),
    asset="sp_api_snapshots",
    severity="ERROR",
    remedy="ecauto status",
    desk="/",
    done=Words(
        "回答のない商品は変更していません。次の実行で再試行します",
        "goods without an answer were left as they are; the next run asks again",
    ),
    page="/assets/sp_api_snapshots?view=checks",
    find=_sp_api_errors,
    each=_errors_of_operations,
    subject="operation",
)


def _believed(record: RunRecord, setup: AlertSetup) -> Finding:
    asked = record.sp_api_snapshots
    if asked is None or not asked.answers:
        return unmeasured("SP-APIの回答はありません", "there were no answers to believe", 0.0)
    return _doubted(sum(asked.zeros_not_believed.values()), _doubted_goods(asked))


def _believed_of_operations(record: RunRecord, setup: AlertSetup) -> Mapping[str, Finding]:
    asked = record.sp_api_snapshots or FetchReport()
    doubted = asked.zeros_not_believed
    names = {*doubted, *(name for name, (answers, _) in asked.by_operation.items() if answers)}
    return {name: _doubted(doubted.get(name, 0), _doubted_goods(asked, name)) for name in names}


def _doubted(zeros: int, goods: tuple[Row, ...]) -> Finding:
    said = (
        Words(
            f"一度に多すぎるため、在庫切れという回答 {zeros}件を信用していません（エラーではありません）",
            f'{zeros} answers "out of stock" are not believed: too many at once (they are no errors)',
        )
        if zeros
        else Words("SP-APIの回答を信用しています", "Amazon's answers are believed")
    )
    return Finding(said=said, passed=not zeros, value=float(zeros), threshold=0.0, worst=goods)


ANSWERS_BELIEVED = RunRule(
    name="answers_believed",
    law=Words("一度に大量の在庫切れは信用しない", "a mass of zeros at once is doubted"),
    label=Words("信用しなかった回答", "answers not believed"),
    asset="sp_api_snapshots",
    severity="WARN",
    remedy="ecauto status",
    desk="/",
    done=Words(
        "商品は公開したままにしました。次の実行で再確認します",
        "the goods were left on show; the next run looks again",
    ),
    page="/assets/sp_api_snapshots?view=checks",
    find=_believed,
    each=_believed_of_operations,
    subject="operation",
)


def _cache_hits(record: RunRecord, setup: AlertSetup) -> Finding:
    """ASINs nobody ever asked about are left out: the first fill of a shop is all misses by nature."""
    alerts, least = setup.alerts, setup.alerts.cache_hit_rate
    if record.stale_asins is None or record.stale_asins.survey.total_asins == 0:
        return unmeasured("キャッシュヒット率: 対象のASINがありません", "cache hit rate: no ASIN was looked at", least)
    survey = record.stale_asins.survey
    looked = survey.cache_hits + survey.cache_misses
    new = min(survey.missing, survey.cache_misses)
    known = looked - new
    if known == 0:
        return unmeasured(
            f"キャッシュヒット率: 初回取得（{looked}件）のため判定しません",
            f"cache hit rate: first fill of {looked} ASINs, not judged",
            least,
        )
    value = survey.cache_hits / known
    ja = f"キャッシュヒット率 {percent(value)}（{survey.cache_hits}/{known}件、下限 {percent(least)}）"
    en = f"cache hit rate {percent(value)} ({survey.cache_hits} of {known} ASINs, at least {percent(least)})"
    if survey.missing:
        ja += f"（うち初回取得 {survey.missing}件は対象外）"
        en += f" ({survey.missing} never fetched before are left out)"
    judged = known >= alerts.min_attempts
    if not judged:
        ja, en = f"{ja} 件数が少ないため判定しません", f"{en}; too few to judge"
    return Finding(said=Words(ja, en), passed=value >= least, judged=judged, value=value, threshold=least)


CACHE_HIT_RATE = RunRule(
    name="cache_hit_rate",
    law=Words("キャッシュヒット率は80%以上", "at least 80% of the ASINs are fresh when a run looks"),
    label=Words("キャッシュヒット率", "cache hit rate"),
    asset="stale_asins",
    severity="WARN",
    remedy="ecauto capacity",
    desk="/setup",
    done=Words("古いものから順に取得を続けています", "the oldest are asked about first, run by run"),
    page="/assets/stale_asins?view=checks",
    find=_cache_hits,
)


def _calls_when_due(record: RunRecord, setup: AlertSetup) -> Finding:
    """Hits alone are no proof of health. A run that took up another's plan has what was left of it for due; what
    another run has answered since it was planned is due no more.
    """
    asked, planned = record.sp_api_snapshots, record.stale_asins
    fetches = record.start.fetch if record.start is not None else True
    if asked is None or not fetches:
        return unmeasured("このステップでは取得しません", "this run was not to ask")
    due = asked.planned if planned is None else planned.survey.cache_misses - planned.survey.waiting
    calls = asked.sp_api_calls
    said = Words(f"期限切れ {due}件に対しSP-API呼び出し {calls}回", f"{due} ASINs due, {calls} SP-API calls made")
    if asked.others:
        ja, en = f"（別の実行が取得済み {asked.others}件）", f" ({asked.others} answered to another run meanwhile)"
        said = Words(f"{said.ja}{ja}", f"{said.en}{en}")
    nobody = any(one.role is Role.DETAIL and not one.instead for one in asked.down)  # operation_down says so
    if min(due, asked.planned or due) - asked.others <= 0 or nobody:
        return Finding(said=said, judged=False, value=float(calls))
    return Finding(said=said, passed=calls > 0, value=float(calls), threshold=1.0)


CALLS_MADE_WHEN_DUE = RunRule(
    name="calls_made_when_due",
    law=Words("期限切れがあれば必ず取得", "calls are made when something is due"),
    label=Words("期限切れなのに取得なし", "calls made when due"),
    asset="sp_api_snapshots",
    severity="ERROR",
    remedy="ecauto doctor",
    desk="/",
    done=Words(
        "価格も公開状態も変更していません。次の実行で再試行します", "nothing was changed; the next run tries again"
    ),
    page="/assets/sp_api_snapshots?view=checks",
    find=_calls_when_due,
)


def _missed_changes(record: RunRecord, setup: AlertSetup) -> Finding:
    asked = record.sp_api_snapshots or FetchReport()
    what = Words("見落とし率（「変化なし」の抜き取り確認）", 'miss rate of the sweep ("unchanged", but it had changed)')
    return rate(what, Words("件", "audited"), asked.probe_missed, asked.probe_audited, MOST_MISSED, setup.alerts)


PROBE_MISS_RATE = RunRule(
    name="probe_miss_rate",
    law=Words("巡回の見落としは少ない", "sweeps miss few changes"),
    label=Words("変化の見落とし", "sweep miss rate"),
    asset="sp_api_snapshots",
    severity="WARN",
    remedy="ecauto capacity",
    desk="/setup",
    done=Words("見つかった変化は取り込みました", "the changes that were found are taken in"),
    page="/assets/sp_api_snapshots?view=checks",
    find=_missed_changes,
)
