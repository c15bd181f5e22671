"""The tables about several machines that share the work.

Not for: how they do (fleet/, state/).
"""

from __future__ import annotations

from pydantic import Field

from ecauto_pipeline.settings.section import Section


class Fleet(Section):
    """Several machines, each with Dagster and a copy of this file, over one PostgreSQL."""

    on: bool = Field(False, description="true: several machines share the work")
    key_env: str = Field(
        "ECAUTO_FLEET_KEY", min_length=1, description="variable of the key that seals shops' tokens (`ecauto keys new`)"
    )
    old_keys_env: str = Field(
        "ECAUTO_FLEET_OLD_KEYS",
        min_length=1,
        description="variable of keys that only open (until `ecauto keys rotate` is through), separated by commas",
    )
