"""The code location: assembles the definitions; decides nothing. See defs/ for what they are."""

from __future__ import annotations

from ecauto_pipeline.defs.build import build_defs

defs = build_defs()
