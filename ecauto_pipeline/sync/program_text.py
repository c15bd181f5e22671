"""What a step goes by, as a digest: values, and parts of this program's own text.

A version number stays the same while somebody works on it. For: steps that leave alone what they looked at before by
the same terms. Not for: what those terms are.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import ecauto_pipeline
from ecauto_pipeline.state.database import to_json


def digest(value: object) -> str:
    """32 hexadecimal digits of anything that JSON can say."""
    return hashlib.sha256(to_json(value).encode(), usedforsecurity=False).hexdigest()[:32]


@lru_cache(maxsize=4)
def digest_of_program(parts: tuple[str, ...]) -> str:
    """The text of these modules and folders, named from the package's own."""
    root = Path(ecauto_pipeline.__file__).parent
    found = hashlib.sha256(usedforsecurity=False)
    for part in parts:
        place = root / part
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            found.update(file.read_bytes())
    return found.hexdigest()
