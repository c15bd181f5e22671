"""What every table of ecauto.toml is: strict, frozen, without unknown keys.

Not for: the tables themselves; each family of them has a module beside this one.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of ecauto.toml: no unknown keys, no silent conversions, unchangeable once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True)
