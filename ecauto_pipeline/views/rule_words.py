"""The rules per item in words: who changed them how.

Not for: what changed (state/rule_changes.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from ecauto_pipeline.state.rule_changes import How, RuleChange

HOW: Mapping[How, tuple[str, str]] = {
    "import": ("ファイルを取り込み", "a file imported"),
    "set": ("1行を書き込み", "one line set"),
    "unset": ("1行を削除", "one line taken away"),
    "file": ("rules.csvが直接変更された", "rules.csv was changed by hand"),
}


def how_changed(change: RuleChange, language: str) -> str:
    """What was done and by whom, as far as that is known."""
    done = HOW[change.how][language == "en"]
    if not change.who:
        return done
    return f"{done} ({change.who})"
