"""Which shapes of Amazon's answers were met that nobody expected: since when, how often, and whether a person knows.

A row a shape of an operation. It stands from the first answer that has it until a run measures its operation without
it; a person who has looked at it, or thirty days, make it known. Not for: what a shape is (amazon/shapes.py), an
example of it (amazon/samples.py) or telling people (alerts/rules/shapes.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.state.schema import observations
from ecauto_pipeline.state.schema_calls import amazon_shapes
from ecauto_pipeline.state.upsert import upsert

KNOWN_AFTER = timedelta(days=30)
NAMED = 20
"""ASINs of one shape that are kept by name; with fewer, all of them."""
Key = tuple[str, str]
"""Operation and shape."""


@dataclass(frozen=True, slots=True)
class ShapeMet:
    """`since`: of the stretch without a measured break; `answers` and `asins` (at most NAMED) are of that stretch.

    `gone_at` None = it stands; `accepted_at`: a person has looked at it.
    """

    operation: str
    shape: str
    first_seen_at: datetime
    since: datetime
    last_seen_at: datetime
    answers: int
    asins: tuple[str, ...]
    gone_at: datetime | None = None
    accepted_at: datetime | None = None

    def known(self, now: datetime) -> bool:
        """Whether it is no news: somebody has looked, or it has been there for KNOWN_AFTER."""
        return self.accepted_at is not None or now - self.since >= KNOWN_AFTER


def shapes_met(connection: Connection) -> list[ShapeMet]:
    """Every shape on record, those that stand first, then the newest."""
    rows = [_row(row) for row in connection.execute(select(amazon_shapes))]
    return sorted(rows, key=lambda one: (one.gone_at is not None, -to_ms(one.since), one.operation, one.shape))


def note(connection: Connection, met: Mapping[Key, Collection[str]], now: datetime) -> None:
    """Answers had these shapes, each about these ASINs. One that had gone begins anew; what is known stays known."""
    if not met:
        return
    there = {(one.operation, one.shape): one for one in shapes_met(connection)}
    rows = []
    for (operation, shape), asins in met.items():
        before = there.get((operation, shape))
        goes_on = before is not None and before.gone_at is None
        named = dict.fromkeys((*before.asins, *sorted(asins)) if before is not None and goes_on else sorted(asins))
        rows.append(
            {
                "operation": operation,
                "shape": shape,
                "first_seen_at": to_ms(before.first_seen_at if before is not None else now),
                "since": to_ms(before.since if before is not None and goes_on else now),
                "last_seen_at": to_ms(now),
                "answers": len(asins) + (before.answers if before is not None and goes_on else 0),
                "asins": json.dumps(list(named)[:NAMED]),
                "gone_at": None,
            }
        )
    upsert(connection, amazon_shapes, rows)


def settle(
    connection: Connection, measured: Mapping[str, Set[str]], met: Collection[Key], now: datetime
) -> tuple[Key, ...]:
    """End the shapes that were not `met` though ASINs that had them were answered for well. Returns them.

    `measured`: by operation the ASINs whose answers in this run held what such shapes are about.
    """
    gone = [
        (one.operation, one.shape)
        for one in shapes_met(connection)
        if one.gone_at is None
        and (one.operation, one.shape) not in met
        and not measured.get(one.operation, frozenset()).isdisjoint(one.asins)
    ]
    for operation, shape in gone:
        connection.execute(update(amazon_shapes).where(_is(operation, shape)).values(gone_at=to_ms(now)))
    return tuple(gone)


def measured_by(connection: Connection, run_id: str) -> dict[str, set[str]]:
    """Of the shapes that stand: by operation the ASINs named for them whose offers this run was told of."""
    found: dict[str, set[str]] = {}
    for one in shapes_met(connection):
        if one.gone_at is None and one.asins:
            told = select(observations.c.asin).where(
                observations.c.run_id == run_id,
                observations.c.operation == one.operation,
                observations.c.asin.in_(one.asins),
                observations.c.status.in_((str(Status.SUCCESS), str(Status.FILTERED_OUT))),
            )
            found.setdefault(one.operation, set()).update(connection.execute(told).scalars())
    return found


def accept(connection: Connection, keys: Iterable[Key], now: datetime) -> None:
    """A person has looked at these: they are known from now on."""
    for operation, shape in keys:
        connection.execute(update(amazon_shapes).where(_is(operation, shape)).values(accepted_at=to_ms(now)))


def forget(connection: Connection, before: datetime) -> None:
    """Shapes that no answer has had since then."""
    connection.execute(delete(amazon_shapes).where(amazon_shapes.c.last_seen_at < to_ms(before)))


def _is(operation: str, shape: str) -> Any:
    return and_(amazon_shapes.c.operation == operation, amazon_shapes.c.shape == shape)


def _row(row: Any) -> ShapeMet:
    return ShapeMet(
        row.operation,
        row.shape,
        from_ms(row.first_seen_at),
        from_ms(row.since),
        from_ms(row.last_seen_at),
        row.answers,
        tuple(json.loads(row.asins)),
        None if row.gone_at is None else from_ms(row.gone_at),
        None if row.accepted_at is None else from_ms(row.accepted_at),
    )
