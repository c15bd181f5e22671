"""The tables about several machines that share the work.

Not for: how they do (fleet/, state/).
"""

from __future__ import annotations

from pydantic import Field

from ecauto_pipeline.settings.section import Section


class Fleet(Section):
    """Several machines, each with Dagster and a copy of this file, over one PostgreSQL."""

    on: bool = Field(False, description="true: several machines share the work")
