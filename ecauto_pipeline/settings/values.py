"""Kinds of value that keys of ecauto.toml take: durations as text, shares.

Not for: the keys (the tables beside this module) or what is said of a wrong value (problems.py).
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(value: object) -> object:
    """'90s', '60m', '24h' or '7d' as a timedelta; other values pass through to be judged by the model."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+)([smhd])", value.strip())
        if not match:
            raise ValueError('a duration looks like "90s", "60m", "24h" or "7d"')
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    if isinstance(value, timedelta):
        return value
    raise ValueError('a duration is text like "90s", "60m", "24h" or "7d"')


def duration_or_never(value: object) -> object:
    """A duration; "" is None: never. Raises ValueError."""
    return None if value in ("", None) else parse_duration(value)


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
DurationOrNever = Annotated[timedelta | None, BeforeValidator(duration_or_never)]
Share = Annotated[float, Field(ge=0, le=1)]
