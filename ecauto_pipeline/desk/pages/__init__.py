"""The pages of the desk, in the order of its menu. A new page is a module with a `PAGE`, and a line here."""

from __future__ import annotations

from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.pages import changes, holds, item, items, money, rules, run, runs, setup, today

PAGES: tuple[Page, ...] = (
    *(today.PAGE, changes.PAGE, holds.PAGE, items.PAGE, item.PAGE, runs.PAGE),
    *(run.PAGE, rules.PAGE, money.PAGE, setup.PAGE),
)
