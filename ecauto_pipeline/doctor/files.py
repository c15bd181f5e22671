"""Files besides state.db: the owner's register and rules, and history. A file that is not there yet is no fault.

Nothing is created or changed. Not for: state.db (state_book.py) or repairing (`ecauto history rebuild`).
"""

from __future__ import annotations

import duckdb

from ecauto_pipeline.doctor.disk_errors import fault_of
from ecauto_pipeline.doctor.findings import Chart
from ecauto_pipeline.doctor.installation import Installation
from ecauto_pipeline.doctor.rights import hindrance
from ecauto_pipeline.domain.selling.rules_file import read_rules
from ecauto_pipeline.errors import RegisterBusy, RegisterError
from ecauto_pipeline.history.database import DatabaseHeld, DatabaseTorn, database
from ecauto_pipeline.history.errors import DiskFull, HistoryError
from ecauto_pipeline.wiring.register_place import register_of

WAIT_S = 0.5
"""How long another program may hold master.db before that is said."""

ODD_ROWS = 3
"""As many are named."""


def register(chart: Chart, here: Installation) -> None:
    """master.db can be read as a run reads it, is sound, and can be written back to."""
    settings, path = here.settings, here.settings.master_db
    do_ja, do_en = "paths.master_db を確認してください", "check paths.master_db in ecauto.toml"
    in_file = not settings.register_url
    if in_file and not path.is_file():
        if settings.own_base:
            chart.ok("master.db", "最初の実行で作られます", "made at the first run")
        elif settings.mode == "emulated":
            ja, en = "最初の実行で接続先から受け取ります", "the first run asks the other side for one"
            chart.warn("master.db", ja, en, do_ja, do_en)
        else:
            chart.bad("master.db", "ありません", "is not there", do_ja, do_en)
        return
    if fault := (hindrance(path, write=False) if in_file else None):
        chart.fault("master.db", fault)
        return
    try:
        count, damage = register_of(settings, WAIT_S).look_over()
    except RegisterBusy as error:
        if in_file:
            chart.fault("master.db", "busy", state="warn")
        else:
            chart.bad("master.db", error.said("ja"), error.said("en"), do_ja, do_en)
        return
    except RegisterError as error:
        if (fault := fault_of(error)) and fault != "damaged":
            chart.fault("master.db", fault)
        elif fault:
            _damaged(chart, str(error))
        else:
            chart.bad("master.db", error.said("ja"), error.said("en"), do_ja, do_en)
        return
    if damage:
        _damaged(chart, damage)
    elif fault := (hindrance(path) or hindrance(path.parent)) if in_file else None:
        chart.fault("master.db", fault, state="warn")
    else:
        chart.ok("master.db", f"出品 {count:,}件", f"{count:,} listings")


def register_rows(chart: Chart, here: Installation) -> None:
    """Every value of master.db makes sense. One that is not there, or that another program holds, is another line."""
    register = register_of(here.settings, WAIT_S)
    if not register.is_there():
        return
    try:
        odd = register.read().odd
    except RegisterBusy:
        return
    if odd:
        places = "; ".join(f"{one.table} {one.row} {one.column}: {one.value}" for one in odd[:ODD_ROWS])
        chart.warn(
            "master.db rows",
            f"意味の通らない値 {len(odd):,}件: {places}",
            f"{len(odd):,} values make no sense: {places}",
            "その行を直してください。それまで、その行だけを除いて続けます",
            "mend those rows; until then they alone are left out",
        )


def rules(chart: Chart, here: Installation) -> None:
    """The owner's rules per item would be taken. Without such a file there is nothing to say."""
    path = here.settings.rules
    if not path.is_file():
        return
    if fault := hindrance(path, write=False):
        chart.fault("rules", fault)
        return
    found = read_rules(path.read_bytes())
    if not found.problems:
        chart.ok("rules", f"規則 {len(found.lines):,}件", f"{len(found.lines):,} rules")
        return
    ja, en = ("; ".join(one.said(language) for one in found.problems[:ODD_ROWS]) for language in ("ja", "en"))
    chart.bad(
        "rules",
        f"採用できません。誤り {len(found.problems):,}か所: {ja}",
        f"refused, {len(found.problems):,} mistakes: {en}",
        "その行を直してください。すべての行は ecauto rules check に出ます",
        "mend those lines (ecauto rules check names all of them)",
    )


def history(chart: Chart, here: Installation) -> None:
    """history.duckdb can be opened, or is held by somebody, or is made at the first run."""
    path = here.settings.data_dir / "history.duckdb"
    if not path.is_file():
        chart.ok("history", "最初の実行で作られます", "made at the first run")
        return
    if fault := hindrance(path):
        chart.fault("history", fault, str(path))
        return
    do = "ecauto history rebuild"
    try:
        with database(path, read_only=True) as connection:
            found = connection.execute("SELECT count(*) FROM snapshots").fetchone()
    except DatabaseHeld:
        chart.warn(
            "history",
            "他のプログラムが開いています。読み込みは後で行われます",
            "another program has history.duckdb open; loading waits, runs do not",
            "開いているプログラムを閉じてください",
            "close the program that has it open",
        )
    except DiskFull:
        chart.fault("history", "full")
    except (DatabaseTorn, HistoryError, duckdb.Error) as error:
        chart.bad("history", f"読めません: {type(error).__name__}", f"unreadable: {type(error).__name__}", do, do)
    else:
        count = found[0] if found else 0
        chart.ok("history", f"スナップショット {count:,}件", f"{count:,} snapshots")


def _damaged(chart: Chart, why: str) -> None:
    chart.bad(
        "master.db",
        "壊れています",
        f"damaged: {why}",
        "この台帳を使うプログラムを止め、バックアップから戻してください",
        "stop the programs that use it and restore it from a backup",
    )
