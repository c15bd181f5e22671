"""What is owed of a doubt that a run left standing when it died: its answers are in state, and none is asked for again.

The doubted answer is put to the second opinion as it was given; where that has said that it can't say, a single look is
owed; where it contradicted, or the single look was taken, nothing is. What is in history already can't be put: then the
look in detail is taken anew. Not for: a doubt of an earlier plan (that is asked about as things are now) or what an
opinion makes of a doubt (opinions.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.amazon.registry import Operations
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.offers.learning import AsinRow
from ecauto_pipeline.state import observations
from ecauto_pipeline.state.observations import Kept
from ecauto_pipeline.sync.sp_api_snapshots.opinions import Claim
from ecauto_pipeline.sync.sp_api_snapshots.settled import reached


@dataclass(frozen=True, slots=True)
class Standing:
    """Doubts by what is owed of them. `to_opinion`: ASIN -> the doubted answer; `to_single_look`: in the order asked
    for; `done`: nothing. An ASIN in none of them has no answer in state."""

    to_opinion: Mapping[str, Claim]
    to_single_look: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()

    @property
    def owed(self) -> set[str]:
        """Those of which something is."""
        return {*self.to_opinion, *self.to_single_look}

    @property
    def asins(self) -> set[str]:
        """Those that need no look in detail."""
        return {*self.owed, *self.done}


def standing_doubts(
    connection: Connection, asked: Iterable[AsinRow], since: datetime, now: datetime, operations: Operations
) -> Standing:
    """Those of the ASINs `asked` (a call's worth) whose doubt comes of an answer between `since`, when the plan was
    made, and `now`."""
    rows = {row.asin: row for row in asked if row.doubt and reached(row.detail_at, since, now)}
    if not rows:
        return Standing({})
    said: dict[str, list[Kept]] = defaultdict(list)
    for kept in observations.kept_since(connection, list(rows), since):
        said[kept.answer.asin].append(kept)
    roles = {one.name: one.role for one in operations}
    to_opinion: dict[str, Claim] = {}
    to_single_look, done = [], set()
    for asin, row in rows.items():
        looks = [place for place, one in enumerate(said[asin]) if _is_look(one, roles)]
        if not looks:
            continue
        last = said[asin][looks[-1]]
        after = {roles.get(one.answer.operation) for one in said[asin][looks[-1] + 1 :]}
        looked_alone = len(looks) > 1 and roles[last.answer.operation] is Role.CONFIRM
        if looked_alone or (row.contradicted_at is not None and row.contradicted_at >= last.observed_at):
            done.add(asin)
        elif Role.OPINION in after:
            to_single_look.append(asin)
        else:
            to_opinion[asin] = Claim(last.snapshot_id, last.answer, answered_at=last.observed_at)
    return Standing(to_opinion, tuple(to_single_look), frozenset(done))


def _is_look(kept: Kept, roles: Mapping[str, Role]) -> bool:
    """Whether it is Amazon's word on the offers; the first may be a single look that stood in for one in detail."""
    return kept.answer.status.authoritative and roles.get(kept.answer.operation) in (Role.DETAIL, Role.CONFIRM)
