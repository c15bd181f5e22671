"""A person's look at the shapes of Amazon's answers that nobody expected: the list, one example, "I have seen it".

Not for: meeting them (sync/sp_api_snapshots/odd_shapes.py) or telling people (alerts/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ecauto_pipeline.amazon.samples import sample_name
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.state import amazon_shapes
from ecauto_pipeline.state.amazon_shapes import ShapeMet
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.sp_api_snapshots.odd_shapes import samples_of

Standing = Literal["new", "known", "accepted", "gone"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One shape and its example. `file` None: none could be kept, or it has left."""

    name: str
    met: ShapeMet
    standing: Standing
    file: Path | None


def list_samples(tools: Tools) -> list[Sample]:
    """Every shape on record: those that stand first, then the newest."""
    with tools.state.read() as connection:
        rows = amazon_shapes.shapes_met(connection)
    folder, now = samples_of(tools), tools.clock.now()
    there = folder.names()
    names = [sample_name(one.operation, one.shape) for one in rows]
    return [
        Sample(name, one, _standing(one, now), folder.path(name) if name in there else None)
        for name, one in zip(names, rows, strict=True)
    ]


def find_sample(tools: Tools, beginning: str) -> Sample:
    """The one whose name begins so. Raises NotOnRecord where none does, or several do."""
    found = [one for one in list_samples(tools) if one.name.startswith(beginning)]
    exact = [one for one in found if one.name == beginning]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if not found:
        raise NotOnRecord(f"no sample {beginning!r}", ja=f"{beginning!r} という例はありません")
    names, count = ", ".join(one.name for one in found[:3]), len(found)
    raise NotOnRecord(
        f"{beginning!r} fits {count} samples: {names}", ja=f"{beginning!r} は {count} 件に当てはまります: {names}"
    )


def example_of(tools: Tools, sample: Sample) -> dict[str, Any] | None:
    """The example as it was kept; None where there is none that can be read."""
    return samples_of(tools).read(sample.name)


def accept_samples(tools: Tools, samples: Sequence[Sample], who: str) -> list[Sample]:
    """These have been looked at: from now on they are known, and no news. Returns those that were news to us."""
    fresh = [one for one in samples if one.met.accepted_at is None]
    with tools.state.write() as connection:
        keys = [(one.met.operation, one.met.shape) for one in fresh]
        amazon_shapes.accept(connection, keys, tools.clock.now())
    for one in fresh:
        tools.log.info("%s accepts the shape %s: %s", who, one.met.operation, one.met.shape)
    return fresh


def _standing(one: ShapeMet, now: datetime) -> Standing:
    if one.accepted_at is not None:
        return "accepted"
    if one.gone_at is not None:
        return "gone"
    return "known" if one.known(now) else "new"
