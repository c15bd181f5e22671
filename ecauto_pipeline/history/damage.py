"""What damaged Parquet files cost: which they were, and what is still known of their rows.

Not for: telling that a file is damaged (loading.py) or giving its rows back (rescue.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A file that can't be read to the end, set aside beside its place; `name`: its path below the directory.

    `rows`: how many it held, None = nobody knows; `again`: of them that the database had and that were written anew.
    """

    name: str
    rows: int | None
    again: int = 0

    @property
    def lost(self) -> int | None:
        """Rows that nobody has any more, at most: one of them may stand in another file too."""
        if self.rows is None:
            return 0 if self.again else None  # the database takes a file whole or not at all
        return max(0, self.rows - self.again)


@dataclass(frozen=True, slots=True)
class Damage:
    """All that one piece of work met. `from_state`: rows of these files that state.db still had, written anew."""

    of: tuple[DamagedFile, ...] = ()
    from_state: int = 0

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.of)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that these files belong to, sorted."""
        return tuple(sorted({name.split("/", 1)[0] for name in self.files}))

    @property
    def again(self) -> int:
        """Rows that were written anew, from wherever."""
        return self.from_state + sum(one.again for one in self.of)

    @property
    def lost(self) -> int | None:
        """Rows that nobody has any more, at most; None: of one file at least nobody knows how many it held."""
        known = [one.lost for one in self.of if one.lost is not None]
        return max(0, sum(known) - self.from_state) if len(known) == len(self.of) else None

    def __add__(self, other: Damage) -> Damage:
        return Damage(self.of + other.of, self.from_state + other.from_state)

    def given_back(self, rows: int) -> Damage:
        """The same once so many more rows came out of state.db."""
        return replace(self, from_state=self.from_state + rows)


NO_DAMAGE = Damage()
