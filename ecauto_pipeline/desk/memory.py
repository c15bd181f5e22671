"""Keeps the desk small: what a look at a hundred thousand listings took is given back to the machine after it.

Not for: how that is done (process_memory.py) or how much a page takes (views/).
"""

from __future__ import annotations

import threading
import time

from ecauto_pipeline.process_memory import give_back, share_one_area

EVERY_S = 2.0


def keep_small() -> None:
    """From now on, as long as the process lives. Call it before other threads begin."""
    share_one_area()

    def again_and_again() -> None:
        while True:
            time.sleep(EVERY_S)
            give_back()

    threading.Thread(target=again_and_again, name="give memory back", daemon=True).start()
