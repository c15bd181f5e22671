"""Alert rule about Amazon's answers themselves: a shape that nobody has met before, at enough ASINs or for long enough.

Judged by whatever run asked Amazon, and while a long one still asks (`shapes_heard`). A shape ends where a run measured
it without meeting it (state/amazon_shapes.py), never because nobody asked. Not for: what a shape is (amazon/shapes.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ecauto_pipeline.alerts.rule import AlertSetup, Finding, RunRule, Words, unmeasured
from ecauto_pipeline.alerts.verdicts import Row
from ecauto_pipeline.clock import jst
from ecauto_pipeline.state.amazon_shapes import NAMED, ShapeMet
from ecauto_pipeline.sync.run_record import RunRecord

MOST_ASINS = NAMED
LONGEST = timedelta(minutes=15)


def loud(shapes: Iterable[ShapeMet], now: datetime) -> list[ShapeMet]:
    """The shapes that are news and stand at MOST_ASINS or since LONGEST, whichever came first; the most answers first.

    One that a person has looked at, or that has stood for a month, is no news.
    """
    heard = [
        one
        for one in shapes
        if one.gone_at is None and not one.known(now) and (len(one.asins) >= MOST_ASINS or now - one.since >= LONGEST)
    ]
    return sorted(heard, key=lambda one: (-one.answers, one.operation, one.shape))


def _shapes(record: RunRecord, setup: AlertSetup) -> Finding:
    asked = record.sp_api_snapshots.answers if record.sp_api_snapshots is not None else 0
    asked += record.catalog_refresh.asked if record.catalog_refresh is not None else 0
    if not asked:
        return unmeasured("Amazonには問い合わせていません", "Amazon was not asked", 0.0)
    return shapes_found(setup)


def shapes_found(setup: AlertSetup) -> Finding:
    """What the rule says of the shapes on record."""
    heard = loud(setup.shapes, setup.now) if setup.now is not None else []
    if not heard:
        return Finding(
            said=Words("Amazonの回答は知っている形です", "Amazon's answers have shapes that are known"),
            value=0.0,
            threshold=0.0,
        )
    first, others = heard[0], len(heard) - 1
    file = setup.samples.get((first.operation, first.shape), "")
    ja = f"Amazonの回答の形が変わりました: {first.operation}「{first.shape}」"
    ja += f"、回答 {first.answers}件（{_when(first)}から）" + (f"、ほか{others}種類" if others else "")
    en = f'Amazon\'s answers have another shape: {first.operation} "{first.shape}"'
    en += f", {first.answers} answers since {_when(first)}" + (f", and {others} shapes more" if others else "")
    if file:
        ja, en = f"{ja}。例: {file}", f"{en}; example: {file}"
    rows = {f"{one.operation}: {one.shape}": _row(one, setup) for one in heard}
    return Finding(
        said=Words(ja, en),
        passed=False,
        value=float(len(heard)),
        threshold=0.0,
        worst=tuple(rows.values()),
        members=rows,
    )


def _row(one: ShapeMet, setup: AlertSetup) -> Row:
    file = setup.samples.get((one.operation, one.shape), "")
    return {
        "operation": one.operation,
        "shape": one.shape,
        "answers": one.answers,
        "since": _when(one),
        **({"example": file} if file else {}),
    }


def _when(one: ShapeMet) -> str:
    return f"{jst(one.since):%Y-%m-%d %H:%M}"


AMAZON_SHAPE = RunRule(
    name="amazon_shape",
    of_lane=False,
    law=Words("Amazonの回答は知っている形をしている", "Amazon's answers have the shapes that are known"),
    label=Words("Amazonの回答の形", "shape of Amazon's answers"),
    asset="sp_api_snapshots",
    severity="WARN",
    remedy="ecauto samples list",
    desk="/setup",
    done=Words(
        "読み取れない商品は「回答なし」として扱いました。このために非公開や価格の変更はしていません",
        "what could not be read counts as unanswered; nothing was hidden or re-priced for it",
    ),
    page="/assets/sp_api_snapshots?view=checks",
    find=_shapes,
)
