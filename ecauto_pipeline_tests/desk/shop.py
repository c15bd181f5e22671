"""A shop that has been synced twice through the emulator, in a folder: what the desk's tests look at.

Made once for a process and copied for each test: two shops, 60 listings; between the runs one cost tripled (its new
price is held), one ASIN sold out (hidden), one became dearer and one cheaper (re-priced). The emulator has ended.
Not for: laws, or commands that contact a shop.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock, jst
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.settings import Settings, load
from ecauto_pipeline.state.asins import read as read_asins
from ecauto_pipeline.state.shop_listings import listing_facts
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_DOCUMENT = {"offers": {"confirm_after": "0m"}, "alerts": {"min_free_gb": 0.0}}


@dataclass(frozen=True, slots=True)
class FilledShop:
    """`held`, `hidden`, `dearer`, `cheaper`: (account id, item id, ASIN) of what happened to it between two runs.

    `day`: of the second run, in Japan; not today's just after midnight.
    """

    folder: Path
    held: tuple[str, str, str]
    hidden: tuple[str, str, str]
    dearer: tuple[str, str, str]
    cheaper: tuple[str, str, str]
    day: date

    @property
    def settings(self) -> Settings:
        return load(self.folder / "ecauto.toml")


def a_filled_shop(folder: Path, patch: pytest.MonkeyPatch) -> FilledShop:
    """A copy of it in `folder`, which this process works on from now."""
    made = _made()
    target = folder / "shop"
    shutil.copytree(made.folder, target)
    patch.setenv("ECAUTO_CONFIG", str(target / "ecauto.toml"))
    patch.delenv("ECAUTO_DATA_DIR", raising=False)
    return FilledShop(target, made.held, made.hidden, made.dearer, made.cheaper, made.day)


@functools.cache
def _made() -> FilledShop:
    """One in a folder of its own, which goes when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="desk-shop-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    clock = ManualClock(datetime.now(UTC) - timedelta(hours=25, minutes=10))
    with EmulatorServer(clock=clock, seed=3, listings=60, accounts=2, speed=1_000.0) as emulator:
        day = ShopDay(folder, emulator, clock, _DOCUMENT, loads_when_asked=True)
        day.run()
        held, hidden, dearer, cheaper = _ordinary_listings(day)
        for (_, _, asin), ratio in ((held, 3.0), (dearer, 1.2), (cheaper, 0.85)):
            day.control.set_truth(asin, price_jpy=round(day.control.truth(asin)["level_jpy"] * ratio))
        day.control.set_truth(hidden[2], offers=[])
        clock.advance(25 * 3_600)  # everything is due again
        changed_on = jst(clock.now()).date()
        day.run()
        day.load_history()
        lines = ['mode = "emulated"', "[alerts]", "min_free_gb = 0.0"]
        for account in day.settings.base.accounts:
            lines += ["[[base.accounts]]", f'id = "{account.id}"', f"active = {str(account.active).lower()}"]
    (folder / "ecauto.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return FilledShop(folder, held, hidden, dearer, cheaper, changed_on)


def _ordinary_listings(day: ShopDay) -> list[tuple[str, str, str]]:
    """Four that are on sale and in stock at Amazon, each of an ASIN that one item alone has."""
    account = AccountKey("base", day.accounts[0])
    with day.tools() as tools, tools.state.read() as connection:
        facts = list(listing_facts(connection, [account], tools.clock.now()))
        seen = Counter(one.asin for one in facts)
        known = read_asins(connection, list(seen))
    found = [
        (one.key.account_id, one.key.item_id, one.asin)
        for one in facts
        if one.shown_visible and seen[one.asin] == 1 and not one.has_variations and not one.uneditable
        and known[one.asin].in_stock and 2_000 <= (known[one.asin].price_jpy or 0) <= 20_000
    ]  # fmt: skip
    return found[:4]
