"""Columns of a hundred thousand rows in one piece of memory each, where as many objects would be ten times as large
and, once gone, leave holes in it: texts that are read again by their place, whole numbers to sort by.

Not for: what the rows are (items.py).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
UNKNOWN = -(2**63)
"""Stands in a column of numbers where none is known."""


class Texts:
    """Texts in the order in which they were added."""

    def __init__(self) -> None:
        self._letters, self._ends = bytearray(), array("Q")

    def append(self, text: str) -> None:
        self._letters += text.encode()
        self._ends.append(len(self._letters))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, place: int) -> str:
        return self.encoded(place).decode()

    def encoded(self, place: int) -> bytes:
        """One of them as UTF-8."""
        start = self._ends[place - 1] if place else 0
        return bytes(self._letters[start : self._ends[place]])

    def each_encoded(self) -> Iterator[bytes]:
        """All of them, in order."""
        return map(self.encoded, range(len(self)))


def in_order(keys: array[int] | Numbers, *, largest_first: bool) -> Numbers:
    """The places of these numbers by size, equal ones as they stand; the unknown ones come last either way."""
    values = np.asarray(keys, dtype=np.int64)
    known, unknown = np.flatnonzero(values != UNKNOWN), np.flatnonzero(values == UNKNOWN)
    chosen = -values[known] if largest_first else values[known]
    return np.concatenate([known[np.argsort(chosen, kind="stable")], unknown])
