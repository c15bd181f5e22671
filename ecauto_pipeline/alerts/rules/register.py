"""Alert rules about what is in master.db after a run: its catalogue text, and what was to be written back.

Not for: what a run read of it (register_read.py) or what a rule is (alerts/rule.py).
"""

from __future__ import annotations

from ecauto_pipeline.alerts.rule import AlertSetup, Finding, RunRule, Words, unmeasured
from ecauto_pipeline.sync.run_record import RunRecord


def _catalogue(record: RunRecord, setup: AlertSetup) -> Finding:
    lost = record.pushed.catalogue_nulled if record.pushed is not None else None
    if lost is None:
        return unmeasured("商品情報は調べていません", "catalogue was not looked at", 0.0)
    said = Words(f"空になった商品情報の項目 {lost}件", f"{lost} catalogue fields went from a value to nothing")
    return Finding(said=said, passed=lost == 0, value=float(lost), threshold=0.0)


CATALOGUE_INTACT = RunRule(
    name="catalogue_intact",
    of_lane=False,
    law=Words("カタログ情報は消えない", "no title, description, brand, category or image vanishes"),
    label=Words("商品情報の消失", "catalogue intact"),
    asset="base_updates",
    severity="ERROR",
    remedy="ecauto doctor",
    desk="/setup",
    done=Words(
        "Amazonから取得した内容は保存してあります。次のcatalog_refreshで書き戻します",
        "what Amazon has told is kept; the next catalog_refresh writes it back",
    ),
    page="/assets/base_updates?view=checks",
    find=_catalogue,
)


def _written(record: RunRecord, setup: AlertSetup) -> Finding:
    """Every run writes what the runs before it could not: one that succeeds leaves nothing behind."""
    if record.pushed is None or record.pushed.dry_run:
        return unmeasured("master.dbには書き込まない実行です", "this run was not to write master.db")
    problem, problem_ja = record.pushed.written_back.problem, record.pushed.written_back.problem_ja
    said = (
        Words(f"master.dbに書き込めません: {problem_ja or problem}", f"master.db was not written: {problem}")
        if problem
        else Words("master.dbは最新です", "master.db holds what was done")
    )
    return Finding(said=said, passed=not problem)


REGISTER_WRITTEN = RunRule(
    name="register_written",
    law=Words("結果はmaster.dbに書き戻される", "what was done and learned is written into master.db"),
    label=Words("master.dbへの書き込み", "writing master.db"),
    asset="base_updates",
    severity="WARN",
    remedy="ecauto doctor",
    desk="/setup",
    done=Words(
        "結果は保存済みです。次の実行でまとめて書き込みます", "the results are kept; the next run writes all of them"
    ),
    page="/assets/base_updates?view=checks",
    find=_written,
)
