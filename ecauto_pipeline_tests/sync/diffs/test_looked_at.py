"""What a run looks at of a shop in place of all of it: found by indexes, and all that has to be judged."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import delete

from ecauto_pipeline.state.schema import counters
from ecauto_pipeline.sync.diffs import price
from ecauto_pipeline.sync.diffs.changed import remember
from ecauto_pipeline.sync.diffs.evaluate import load_input
from ecauto_pipeline_tests.state.query_plans import Asked, noted, steps_of
from ecauto_pipeline_tests.sync.diffs.selling import World
from ecauto_pipeline_tests.sync.diffs.test_changed import agrees, judged


def begun(world: World) -> Callable[[], None]:
    """A process that has judged what it saw of the prices, and has still to write it down."""
    context = world.tools.for_run(world.run())
    with context.state.read() as connection:
        inputs = load_input(context, connection, context.clock.now(), "price", ())
    assert inputs.chosen is not None
    chosen, found = inputs.chosen, price.evaluate_prices(context, inputs, {}).found

    def write() -> None:
        with context.state.write() as connection:
            remember(context, connection, chosen, found, inputs.listings, {}, inputs.listings)

    return write


def test_who_was_overtaken_does_not_say_that_what_came_since_was_seen(world: World) -> None:
    """Three processes judge at once: what the first says last of a listing is of an answer that is none any more, and
    another, which had seen the newer one judged, does not say of it that all is looked at."""
    world.amazon("B000001002", 1010)
    first = begun(world)
    world.amazon("B000001002", 1020)
    world.decide(world.run())
    another = begun(world)
    first()
    another()
    agrees(world)


def test_numbers_that_began_anew_are_not_gone_by(world: World) -> None:
    """A counter that is gone: everything is compared, and what has changed is found."""
    with world.state.write() as connection:
        connection.execute(delete(counters))
    world.amazon("B000001002", 1400)
    agrees(world)
    assert (1, 1) == judged(world)


def test_a_run_with_nothing_to_do_goes_through_no_table_of_listings_or_asins(world: World) -> None:
    """Each question of it is answered by an index of what has changed, or of what is counted."""
    asked = Asked()
    with noted(world.state, asked):
        assert 0 == world.decide(world.run()).judged
    ways = {step.way for step in steps_of(world.state, asked, "listings", "asins") if step.verb == "SELECT"}
    assert any("ix_listings_price_unjudged" in way for way in ways)
    assert not ways & {"SCAN listings", "SCAN asins"}
