"""The code location: assembles the definitions; decides nothing. See defs/ for what they are.

A process for each run loads this, and a quarter of the loading went into looking for garbage among what stays: none is
looked for meanwhile, and none among what was loaded afterwards.
"""

from __future__ import annotations

import gc

_COLLECTS = gc.isenabled()
gc.disable()
try:
    from ecauto_pipeline.defs.build import build_defs

    defs = build_defs()
    gc.freeze()
finally:
    if _COLLECTS:
        gc.enable()
