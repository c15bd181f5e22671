"""What runs, their ends and commands are called, for people: each code beside its words in Japanese and English.

Not for: figures of a run (run_figures.py) or reasons of rows (domain/reasons.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecauto_pipeline.domain.reasons import said

Words = tuple[str, str]

JOBS: Mapping[str, Words] = {
    "stock_sync": ("在庫の同期", "stock sync"),
    "price_sync": ("価格の同期", "price sync"),
    "full_sync": ("全体の同期", "full sync"),
    "validate_cache": ("キャッシュの確認", "cache check"),
    "catalog_refresh": ("商品情報の更新", "catalogue refresh"),
    "order_watch": ("注文の確認", "new orders"),
    "release_holds": ("承認した変更の送信", "approved changes sent"),
    "rollback_run": ("実行の取り消し", "undoing of runs"),
    "apply_plan": ("計画の適用", "plan applied"),
}
BY_ASSETS: Words = ("Dagsterでの個別の実行", "assets run in Dagster")
"""A run of no job of ours: Materialize in Dagster's UI."""

NEVER_SEND = frozenset({"validate_cache", "catalog_refresh", "order_watch"})
"""Jobs whose runs change nothing at a shop, whatever they find."""

ENDS: Mapping[str, Words] = {
    "running": ("実行中", "under way"),
    "dead": ("途中で落ちました", "died on the way"),
    "SUCCESS": ("完了", "done"),
    "FAILURE": ("失敗", "failed"),
    "CANCELED": ("中止", "cancelled"),
    "": ("Dagsterに記録なし", "not on Dagster's record"),
}
"""How a run ended, as Dagster saw it; the first two while it has not ended."""

EXITS: Mapping[int, Words] = {
    0: ("完了しました", "done"),
    1: ("終わりました。確認が必要なものがあります", "ended; a person should look"),
    2: ("実行できませんでした（設定か指定の問題）", "could not be done: settings, or what was asked for"),
    3: ("安全のための制限で止まりました。確認待ちを見てください", "stopped by a guard: look at what waits"),
    130: ("途中で中止しました。済んだことは残っています", "interrupted; what was done is kept"),
}
"""What the exit code of a command says (cli/exit_codes.py)."""

COMMANDS: Mapping[str, Words] = {
    "sync": ("同期", "sync"),
    "validate": ("キャッシュの確認", "cache check"),
    "rollback": ("実行の取り消し", "undoing of a run"),
    "what-if": ("変更の試算", "what-if"),
    "apply": ("計画の適用", "plan applied"),
    "runs": ("実行の中止", "ending a run"),
    "holds": ("承認した変更の送信", "approved changes sent"),
}
_DRY: Words = ("（ドライラン）", " (dry run)")


def job_words(job: str, language: str) -> str:
    """What a job is called."""
    return JOBS.get(job, BY_ASSETS)[language == "en"]


def exit_words(code: int, language: str) -> str:
    """What became of a command, by its exit code; one that a signal ended has a negative one."""
    killed = ("強制終了されました", "killed") if code < 0 else ("エラーで終わりました", "ended with an error")
    return EXITS.get(130 if code == -2 else code, killed)[language == "en"]


def command_words(words: Sequence[str], language: str) -> str:
    """What a command is called that was started with these words."""
    english = language == "en"
    named = COMMANDS.get(words[0]) if words else None
    name = named[english] if named else f"ecauto {' '.join(words)}"
    return name + (_DRY[english] if "--dry-run" in words else "")


def plain_reason(reason: str, language: str) -> str:
    """A reason's words without its code."""
    return said(reason, language).removesuffix(f" ({reason})")


def what_to_look_at(document: object) -> str:
    """Why a person should look, as a command printed it with --json; "" = it said nothing of the kind."""
    told: dict[str, Any] = document if isinstance(document, dict) else {}
    alerts = [str(message) for _, _, message in told.get("alerts") or ()]
    return str(told.get("error") or "") or " / ".join(alerts)
