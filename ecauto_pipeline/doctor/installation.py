"""What the doctor examines, worked out once, and what one line learns for a later one.

Not for: looking at any of it (lines.py names who does).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.doctor.rights import state_file
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.wiring.connections import Connections


@dataclass(frozen=True, slots=True)
class Installation:
    """`endpoints`: name -> address to reach. `skews_s`: our clock less theirs, filled as they answer.

    `ask`: the person wants Amazon to be asked, and object storage to be written to.
    """

    settings: Settings
    environ: Mapping[str, str]
    clock: Clock
    connections: Connections
    endpoints: Mapping[str, str]
    ask: bool = False
    skews_s: list[float] = field(default_factory=list)

    @property
    def state_file(self) -> Path | None:
        """Where state.db is or will be; None where [state] url names a server, or memory."""
        return state_file(self.settings)

    def in_data_folder(self, path: Path | None) -> bool:
        return path is not None and path.absolute().is_relative_to(self.settings.data_dir.absolute())
