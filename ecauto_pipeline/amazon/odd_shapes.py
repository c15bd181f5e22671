"""What the answers of a run held that nobody expected: each shape counted by ASIN, with an example of it.

Not for: finding them (shapes.py) or telling people (alerts/).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ecauto_pipeline.amazon.samples import Example, part_about

_MOST_SHAPES = 200  # kept of one run; a body of noise must not fill the record


class OddShapes:
    """What one account's answers of a run held that nobody expected, counted by ASIN, with an example of each shape.

    Safe to share between threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], set[str]] = {}
        self._unnoted: dict[tuple[str, str], set[str]] = {}
        self._examples: list[Example] = []
        self._exemplified: set[tuple[str, str]] = set()

    def add(self, operation: str, shapes: Mapping[str, Iterable[str]], answer: Example | None = None) -> None:
        """`shapes`: ASIN -> the shapes of its answer. `answer`: the whole answer, of which examples are made."""
        with self._lock:
            for asin, odd in shapes.items():
                for shape in odd:
                    key = (operation, shape)
                    if key not in self._found and len(self._found) >= _MOST_SHAPES:
                        continue
                    self._found.setdefault(key, set()).add(asin)
                    self._unnoted.setdefault(key, set()).add(asin)
                    if answer is not None and key not in self._exemplified and len(self._exemplified) < _MOST_SHAPES:
                        self._exemplified.add(key)
                        about = part_about(answer.body, asin)
                        self._examples.append(replace(answer, shape=shape, asin=asin, body=about))

    def taken(self) -> dict[tuple[str, str], frozenset[str]]:
        """(operation, shape) -> the ASINs; what is taken is not counted again."""
        with self._lock:
            found, self._found = self._found, {}
        return {key: frozenset(asins) for key, asins in found.items()}

    @property
    def has_unnoted(self) -> bool:
        """Whether `unnoted` would return any."""
        with self._lock:
            return bool(self._unnoted)

    def unnoted(self) -> dict[tuple[str, str], frozenset[str]]:
        """The same since this was last asked."""
        with self._lock:
            unnoted, self._unnoted = self._unnoted, {}
        return {key: frozenset(asins) for key, asins in unnoted.items()}

    def examples(self) -> tuple[Example, ...]:
        """The first answer of each shape that was not handed out yet."""
        with self._lock:
            examples, self._examples = self._examples, []
        return tuple(examples)
