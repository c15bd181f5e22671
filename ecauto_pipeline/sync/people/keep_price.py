"""A person keeps the price that is shown: a rule fixes it for this one listing, and the held change is rejected.

The rule is in force first: whatever dies in between, no run sends the change any more. Not for: rules in general
(rule_edits.py) or words on held rows (holds.py).
"""

from __future__ import annotations

from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.holds import Said, choose, decide
from ecauto_pipeline.sync.people.rule_edits import set_rule


def keep_price(tools: Tools, prefix: str, who: str) -> Said:
    """Fix the price shown of the one held row whose diff_id begins so, and reject the row.

    A row that was decided meanwhile is `late`, and no rule is made. Raises NotOnRecord for a name that fits none or
    several, or a row about no price; SettingsError, nothing changed, where the file of rules can't take the line.
    """
    chosen = choose(tools, [prefix])
    if chosen.late:
        return chosen
    [hold] = chosen.done
    if hold.kind is not Kind.PRICE or not hold.shown:
        raise NotOnRecord(
            f"{hold.diff_id[:12]} is about no price that could be kept",
            ja=f"{hold.diff_id[:12]} は価格の変更ではないので、固定する価格がありません",
        )
    # one price by one line: a ratio on the same line would say another
    set_rule(tools, hold.key, {"fixed_price_jpy": str(hold.shown), "markup_ratio": None}, who)
    return decide(tools, "reject", [hold.diff_id], who=who)
