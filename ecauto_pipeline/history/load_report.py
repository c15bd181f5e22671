"""What a load of the history did, for whoever asked for it. Not for: loading (writer.py)."""

from __future__ import annotations

from dataclasses import dataclass

from ecauto_pipeline.history.damage import NO_DAMAGE, Damage


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did: files and rows taken in; `deferred`: nothing, somebody holds the file, the next load catches up;
    `rebuilt`: the database was damaged, set aside and built anew; `damage`: Parquet files that were, and are set aside
    beside their place; `reason` says what there is to say, "" if nothing. `set_aside`: damaged files, of whatever day,
    in whose place no sound one stands.
    """

    files: int
    rows: int
    deferred: bool
    rebuilt: bool
    reason: str
    damage: Damage = NO_DAMAGE
    set_aside: tuple[str, ...] = ()

    @property
    def damaged(self) -> tuple[str, ...]:
        """The damaged files, as paths below the directory."""
        return self.damage.files
