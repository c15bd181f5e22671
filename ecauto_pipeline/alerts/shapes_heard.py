"""New shapes of Amazon's answers while a run still asks: the rule `amazon_shape`, raised before its checks come.

Raised only: what ends it is a run that measured it. Not for: the rule (rules/shapes.py) or telling (announce.py).
"""

from __future__ import annotations

from ecauto_pipeline.alerts.rules.shapes import AMAZON_SHAPE, shapes_found
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.sync.context import Tools


def shapes_heard(tools: Tools) -> tuple[Verdict, ...]:
    """The verdict where a shape is news by now, else none."""
    found = shapes_found(alert_setup(tools))
    return () if found.passed else (AMAZON_SHAPE.verdict(found),)
