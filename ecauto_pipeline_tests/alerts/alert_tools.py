"""The few tools that telling people needs: settings, a clock moved by hand, state on disk."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from ecauto_pipeline.clock import JST, ManualClock
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline_tests.not_needed import NOT_NEEDED
from ecauto_pipeline_tests.state.blank import blank_state

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=JST)


def tools_at(folder: Path, document: dict[str, Any] | None = None, at: datetime = NOON) -> Tools:
    """Tools over a fresh state.db in `folder`; what alerting does not need is absent."""
    settings: Settings = parse(document or {}, folder)
    return Tools(
        settings=settings,
        clock=ManualClock(at),
        state=blank_state(settings.data_dir / "state.db"),
        history=NOT_NEEDED,
        register=Register(settings.master_db),
        shops={},
        sp_accounts=(),
        log=logging.getLogger("ecauto.test"),
    )
