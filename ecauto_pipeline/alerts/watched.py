"""What the alert rules still look at: an alert about a shop that is off, a lane or a rule that is no more, ends.

It ends because nobody looks any more, not because it is well: people are told so in these words. Not for: judging
(rules/) or telling (announce.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from ecauto_pipeline.alerts.rule import Words
from ecauto_pipeline.alerts.rules import OUTSIDE_RULES, RULES
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.shops.platforms import shop_accounts
from ecauto_pipeline.sync.context import Tools

SHOP_OFF = Words(
    "このショップは停止中です（active = false）。監視の対象から外しました",
    "this shop is switched off (active = false): no longer watched",
)
NO_SHOP = Words(
    "このショップは ecauto.toml にありません。監視の対象から外しました",
    "this shop is not in ecauto.toml: no longer watched",
)
NO_OPERATION = Words(
    "この操作は使われていません。監視の対象から外しました", "this operation is not used any more: no longer watched"
)
NO_LANE = Words(
    "このレーンは ecauto.toml にありません。監視の対象から外しました",
    "this lane is not in ecauto.toml: no longer watched",
)
LANE_BY_LANE = Words(
    "レーンごとに監視するようになりました。全体としては監視していません",
    "each lane is watched by itself now: the whole no longer is",
)
NO_RULE = Words("この項目は監視しなくなりました", "there is no such rule any more: no longer watched")


@dataclass(frozen=True, slots=True)
class Watched:
    """`shops`: whether each shop that ecauto.toml names is active; {} = it names none, so nothing is known of them.
    `lanes`: the ids of `[[lanes]]`; none = one lane with everything."""

    shops: dict[str, bool]
    operations: frozenset[str]
    lanes: frozenset[str] = frozenset()

    def why_not(self, key: str) -> Words | None:
        """Why nobody looks at what an alert (`rule` or `rule:subject`) is about; None where somebody may."""
        name, _, told_under = key.partition(":")
        subject, _, lane = told_under.partition("@")
        rule = RULES.get(name)
        if rule is None and name not in OUTSIDE_RULES:
            return NO_RULE
        if lane and lane not in self.lanes:
            return NO_LANE
        if rule is None:
            return None
        if self.lanes and not lane and told_under != rule.told_under(subject, "a lane"):
            return LANE_BY_LANE
        if rule.subject == "shop" and subject and self.shops and not self.shops.get(subject, False):
            return SHOP_OFF if subject in self.shops else NO_SHOP
        if rule.subject == "operation" and subject and subject not in self.operations:
            return NO_OPERATION
        return None


def watched_by(tools: Tools) -> Watched:
    """As ecauto.toml says now."""
    shops = {tools.name_of(key): one.active for key, one in shop_accounts(tools.settings).items()}
    operations = frozenset({*tools.operations.under(tools.settings).names, *map(str, Role)})
    return Watched(shops, operations, frozenset(lane.id for lane in tools.settings.lanes))
