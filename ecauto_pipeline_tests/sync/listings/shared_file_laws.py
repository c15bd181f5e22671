"""Laws of the owner's files in a fleet, whatever database state lies in: each a function of two machines over one.

Run on SQLite by test_shared_files.py, on PostgreSQL by proofs/fleet/test_shared_files.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.listings.blocklist import current_blocklist
from ecauto_pipeline.sync.listings.item_rules import take_up_rules
from ecauto_pipeline.sync.listings.shared_files import bring_files, put_file
from ecauto_pipeline.sync.people.rule_edits import set_rule
from ecauto_pipeline.sync.people.rules import export_rules, import_rules, no_rules
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.shops.base.shops_at_hand import NOON

RULES = "item_id,fixed_price_jpy\r\n1,2000\r\n"


@dataclass
class Machines:
    """Settings of one fleet in folders of their own, over one state."""

    folder: Path
    url: str

    def settings(self, name: str, on: bool = True) -> Settings:
        return parse({"fleet": {"on": on}, "state": {"url": self.url}}, self.folder / name)

    def work(self, name: str, do: Callable[[Tools], object]) -> object:
        """As a command of this machine does it, which brings the files first."""
        with open_tools(self.settings(name, on=False), offline=True, clock=ManualClock(NOON)) as tools:
            settings = self.settings(name)
            bring_files(settings, tools.state, needed=False)
            return do(replace(tools, settings=settings))


def a_file_that_nobody_put_stops_a_live_run(machines: Machines) -> None:
    """Its name and the command are said; a machine that lacks a file never takes it for empty."""
    database, clock = Database(machines.url), ManualClock(NOON)
    here = machines.settings("a")
    with pytest.raises(SettingsError, match="fleet put blocklist"):
        bring_files(here, database, needed=True)
    for name in ("blocklist", "views"):
        assert 0 == put_file(here, database, clock, name, None)
    with pytest.raises(SettingsError, match="fleet put rules"):
        bring_files(here, database, needed=True)
    machines.work("a", lambda tools: import_rules(tools, no_rules(), "owner"))
    bring_files(here, database, needed=True)
    database.close()


def what_one_machine_puts_every_machine_goes_by(machines: Machines) -> None:
    """A blocklist and rules put on one; the other's copies are made of them, and say the same."""
    file = machines.folder / "list.json"
    file.write_text('["B000000001"]', encoding="utf-8")
    machines.work("a", lambda tools: put_file(tools.settings, tools.state, tools.clock, "blocklist", file))
    machines.work("a", lambda tools: import_rules(tools, RULES.encode(), "owner"))
    assert frozenset({"B000000001"}) == machines.work("b", lambda tools: current_blocklist(tools).asins)
    assert 1 == machines.work("b", lambda tools: take_up_rules(tools, []).rules)
    machines.work("b", lambda tools: import_rules(tools, RULES.replace("2000", "3000").encode(), "owner"))
    assert "3000" in str(machines.work("a", export_rules))
    assert "3000" in machines.settings("a").rules.read_text(encoding="utf-8")


def a_copy_that_a_person_changed_is_kept_and_changes_nothing(machines: Machines) -> None:
    """Every machine goes by state; what was written over a copy stands beside it."""
    machines.work("a", lambda tools: import_rules(tools, RULES.encode(), "owner"))
    copy = machines.settings("a").rules
    copy.write_text(RULES.replace("2000", "9000"), encoding="utf-8")
    assert "2000" in str(machines.work("a", lambda tools: (take_up_rules(tools, []), export_rules(tools))[1]))
    assert "9000" in copy.with_name("rules.csv.replaced").read_text(encoding="utf-8")


def a_rule_that_is_set_on_one_machine_keeps_what_another_put_meanwhile(machines: Machines) -> None:
    """Also where the tools of this one, as a desk's, have been open since before."""
    listing = {"platform": "base", "account_id": "main", "item_id": "2", "asin": "B000000002"}

    def before(tools: Tools) -> None:
        with tools.state.write() as connection:
            connection.execute(insert(listings).values(**listing))
        import_rules(tools, RULES.encode(), "owner")
        machines.work("b", lambda other: import_rules(other, RULES.replace("2000", "3000").encode(), "owner"))
        set_rule(tools, "B000000002", {"fixed_price_jpy": "4000"}, "at the desk")

    machines.work("a", before)
    said = str(machines.work("b", export_rules))
    assert [False, True, True] == [price in said for price in ("2000", "3000", "4000")]


LAWS: tuple[Callable[[Machines], None], ...] = (
    a_file_that_nobody_put_stops_a_live_run,
    what_one_machine_puts_every_machine_goes_by,
    a_copy_that_a_person_changed_is_kept_and_changes_nothing,
    a_rule_that_is_set_on_one_machine_keeps_what_another_put_meanwhile,
)
