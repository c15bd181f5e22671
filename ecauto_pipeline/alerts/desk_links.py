"""Where on the owner's desk an alert is settled, as addresses to click: the page of its rule, or the hold itself.

Not for: which page belongs to a rule (its declaration), or the text around the address (messages.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecauto_pipeline.alerts.verdicts import Row, Verdict

ID_LENGTH = 12
"""So much of a diff_id names one hold among any number that ever wait."""


def page_link(address: str, verdict: Verdict, grown: Sequence[str] = ()) -> str:
    """The page of the rule, or the one hold that is told of; "" where the desk has no address, or all is well again.

    `grown`: the names of what came to a set that was told of before.
    """
    if not address or not verdict.desk or verdict.passed:
        return ""
    told_of = grown or tuple(verdict.members)
    alone = hold_link(address, verdict.members.get(told_of[0], {})) if len(told_of) == 1 else ""
    return alone or f"{address.rstrip('/')}{verdict.desk}"


def hold_link(address: str, row: Mapping[str, object] | Row) -> str:
    """The page of the hold that a row of evidence is about, "" where it is about none."""
    name = str(row.get("diff_id") or "")
    return f"{address.rstrip('/')}/holds?id={name[:ID_LENGTH]}" if address and name else ""
