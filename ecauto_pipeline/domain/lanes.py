"""A lane as a value: some shops, and the SP-API accounts that ask for them. What one lane does costs no other's calls.

Without `[[lanes]]` in ecauto.toml there is one, the whole. Not for: reading the table (settings/lanes.py) or whose turn
it is (defs/schedules.py, defs/sensors.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.settings.lanes import WHOLE_LANE as WHOLE_LANE


@dataclass(frozen=True, slots=True)
class Lane:
    """`shops`: its active shops, in order; `sp_accounts`: the ids of its accounts. The whole has every one there is."""

    id: str = WHOLE_LANE
    shops: tuple[AccountKey, ...] = ()
    sp_accounts: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it is the lane of every shop and account, whichever those are."""
        return self.id == WHOLE_LANE

    def has(self, account: AccountKey) -> bool:
        """Whether this shop is worked on in this lane."""
        return self.whole or account in self.shops

    def asks_with(self, sp_account: str) -> bool:
        """Whether this SP-API account's calls are this lane's."""
        return self.whole or sp_account in self.sp_accounts


WHOLE = Lane()


def in_turn(lanes: Sequence[Lane], first: str) -> tuple[Lane, ...]:
    """The lanes, beginning with the one of this id, each once; in their own order where there is none of it."""
    place = next((number for number, lane in enumerate(lanes) if lane.id == first), 0)
    return (*lanes[place:], *lanes[:place])


def meets(lane: str, other: str) -> bool:
    """Whether runs of these two lanes (their ids) work on the same shops: a run of the whole meets every lane."""
    return lane == other or WHOLE_LANE in (lane, other)


def lane_of(account: AccountKey, lanes: Sequence[Lane]) -> Lane:
    """The lane in which this shop is worked on; the whole where none has it."""
    return next((lane for lane in lanes if account in lane.shops), WHOLE)
