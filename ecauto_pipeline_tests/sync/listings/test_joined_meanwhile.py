"""What another process writes into the register while this one asks it is not lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import AccountKey, Kind
from ecauto_pipeline.sync.base_updates.write_back import write_back
from ecauto_pipeline.sync.listings.blocklist import current_blocklist
from ecauto_pipeline.sync.listings.joining import join_changed
from ecauto_pipeline.sync.listings.register_index import Sides
from ecauto_pipeline.sync.listings.register_of_run import RegisterOfRun
from ecauto_pipeline_tests.sync.diffs.selling import NOW
from ecauto_pipeline_tests.sync.listings.test_register_unchanged import ONE, TwoShops, pushed, shops, since


def test_what_another_process_writes_while_we_ask_is_joined_by_the_next_run(tmp_path: Path) -> None:
    """Of a listing that was marked before: what we saw of the register is not what it says now."""
    installed = TwoShops(tmp_path / "one", ManualClock(NOW), *shops())
    installed.read()
    installed.world.later(minutes=1)
    pushed(installed, "1002", Kind.PRICE, 1500)
    write_back(installed.world.tools)
    context = installed.world.tools.for_run(installed.world.run())
    blocklist = current_blocklist(context)

    class WrittenMeanwhile(RegisterOfRun):
        def of(self, account: AccountKey, items: Sequence[str], *, to_join: bool = False) -> Sides:
            found = super().of(account, items, to_join=to_join)
            pushed(installed, "1002", Kind.PRICE, 1600)
            write_back(installed.world.tools)
            return found

    join_changed(context, ONE, WrittenMeanwhile(context, blocklist), blocklist.asins)
    assert since(installed.read()) is not None
    assert 1600 == installed.world.listing("1002")["register_price_jpy"]
    installed.world.state.close()
