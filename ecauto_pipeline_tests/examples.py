"""How many examples a property is tried with: few in `make test`, forty times as many in `make proofs`.

Not for: profiles themselves (conftest.py).
"""

from __future__ import annotations

from hypothesis import settings

EXAMPLES = 25
"""Of a property that says nothing of its own, in `make test`."""


def examples(few: int) -> int:
    """So many in `make test`, for a property whose examples are dear; as many times more where all have more."""
    return few * settings().max_examples // EXAMPLES
