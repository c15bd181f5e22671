"""Draws that depend on nothing but their arguments: the same seed and place give the same number for ever.

For: a world that can be asked about any ASIN at any time without having lived through the time before.
Not for: secrets (tokens use `secrets`).
"""

from __future__ import annotations

import math
from statistics import NormalDist

_MASK = (1 << 64) - 1
_STANDARD = NormalDist()


def mix(*parts: int) -> int:
    """64 well-stirred bits of the integers given, order included."""
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = ((state ^ part) * 0xBF58476D1CE4E5B9) & _MASK
        state ^= state >> 29
    state = (state * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 32)


def uniform(*parts: int) -> float:
    """A number in [0, 1)."""
    return (mix(*parts) >> 11) * 2.0**-53


def between(low: float, high: float, *parts: int) -> float:
    """A number in [low, high)."""
    return low + (high - low) * uniform(*parts)


def integer(count: int, *parts: int) -> int:
    """A whole number in 0 .. count - 1."""
    return mix(*parts) % count


def normal(*parts: int) -> float:
    """Standard normal."""
    return _STANDARD.inv_cdf(min(max(uniform(*parts), 1e-12), 1 - 1e-12))


def laplace(scale: float, *parts: int) -> float:
    """Laplace around zero with the given scale."""
    centred = uniform(*parts) - 0.5
    return -scale * math.copysign(math.log(max(1e-12, 1 - 2 * abs(centred))), centred)


def text_key(text: str) -> int:
    """A number for a short text, the same in every process."""
    value = 0xCBF29CE484222325
    for byte in text.encode("utf-8"):
        value = ((value ^ byte) * 0x100000001B3) & _MASK
    return value
