"""What the catalogue's refresh reports of itself: one section of the run's record.

Not for: the sections of the line (sections.py) or refreshing (catalog_refresh.py).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CatalogueReport:
    """ASINs: `due` by age, `asked` of them, by status; `left_over` = due and not asked in time.

    `written`: rows of master.db that took something; `waiting`: kept here and not in master.db yet (a dry run, or
    another program holds it: they go with the next run, without a question). `odd_shapes`: as in FetchReport.
    """

    total_asins: int = 0
    due: int = 0
    asked: int = 0
    found: int = 0
    not_found: int = 0
    failed: int = 0
    left_over: int = 0
    written: int = 0
    waiting: int = 0
    odd_shapes: tuple[tuple[str, str, int], ...] = ()
