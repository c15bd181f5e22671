"""What a step goes by, as a digest: values, and parts of this program's own text.

A version number stays the same while somebody works on it. A process goes on with the program that it has loaded when
the files become another's, and must not sign as that one. For: steps that leave alone what they looked at before by
the same terms. Not for: what those terms are.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from functools import lru_cache
from pathlib import Path

import ecauto_pipeline
from ecauto_pipeline.state.database import to_json

_LOADED_AT = time.time()
_LOADED = secrets.token_bytes(16)
"""The program of this process and its copies, whatever stands in the files since."""


def digest(value: object) -> str:
    """32 hexadecimal digits of anything that JSON can say."""
    return hashlib.sha256(to_json(value).encode(), usedforsecurity=False).hexdigest()[:32]


@lru_cache(maxsize=4)
def digest_of_program(parts: tuple[str, ...]) -> str:
    """The text of these modules and folders, named from the package's own; a digest of this process's alone where a
    file is younger than it."""
    root = Path(ecauto_pipeline.__file__).parent
    found = hashlib.sha256(usedforsecurity=False)
    for part in parts:
        place = root / part
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            found.update(file.read_bytes())
            about = file.stat()
            if max(about.st_mtime, about.st_ctime) > _LOADED_AT:
                found.update(_LOADED)
    return found.hexdigest()
