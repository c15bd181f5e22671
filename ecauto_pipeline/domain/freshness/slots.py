"""A home hour for every ASIN of the low tier, so that a day's work is spread evenly over 24 hourly partitions.

The slot is a stable hash of the ASIN alone: an hour's partition is the same set whoever asks, on any machine, whatever
else is listed, and no remainder is ever dropped. Slots never make anything older than its maximum age: they only bring
a check forward, by at most what the owner gives (`[tiers] low_may_come_early`, nothing by default), until it falls
into the ASIN's own hour and stays there.
Not for: whether something is due (ages.py).
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Asins = npt.NDArray[np.str_]

SLOTS = 24
AUDIT_SHARE = 0.01
"""Share of the ASINs whose "unchanged" is checked against the offers on one day."""

_JST_MS = 9 * 3_600_000
_ROOT = np.uint64(1_099_511_628_211)
_SPREAD = 0x5DEECE66D


def _hashes(asins: Asins, salt: int = 0) -> npt.NDArray[np.uint64]:
    """64 well mixed bits an ASIN; padding adds nothing, so that the width of the array does not matter."""
    if asins.size == 0:
        return np.zeros(0, np.uint64)
    width = max(1, asins.dtype.itemsize // 4)
    letters = np.ascontiguousarray(asins).view(np.uint32).reshape(asins.size, width)
    mixed = np.full(asins.size, salt % 2**64, np.uint64)
    power = np.uint64(1)
    for place in range(width):
        power = np.uint64((int(power) * int(_ROOT)) % 2**64)
        mixed += letters[:, place].astype(np.uint64) * power
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def slots(asins: Asins) -> Ints:
    """The slot 0..23 of each ASIN: with a low tier of 24 h, the hour of the Japanese day that it belongs to."""
    return (_hashes(asins) % np.uint64(SLOTS)).astype(np.int64)


def shares(asins: Asins) -> npt.NDArray[np.float64]:
    """A number from 0 up to 1 for each ASIN, always the same: who would come back together is spread by it."""
    return (_hashes(asins, salt=_SPREAD) >> np.uint64(11)).astype(np.float64) / float(2**53)


def audited(asins: Asins, day: date) -> npt.NDArray[np.bool_]:
    """Which ASINs a day's audit picks: the same 1% whoever asks, another 1% the next day."""
    return _hashes(asins, salt=day.toordinal() * 0x9E3779B97F4A7C15) % np.uint64(10_000) < np.uint64(AUDIT_SHARE * 1e4)


def second_checked(asins: Asins, day: date, share: float) -> npt.NDArray[np.bool_]:
    """Of which ASINs a day's unchanged answers are put to the second opinion: the same `share` whoever asks, another
    the next day, and none the likelier for being audited."""
    hashes = _hashes(asins, salt=_SPREAD ^ (day.toordinal() * 0xD1B54A32D192ED03))
    return hashes % np.uint64(1_000_000) < np.uint64(round(share * 1e6))


def due_at(checked_at_ms: Ints, slot: Ints, max_age_ms: int, early_ms: int) -> Ints:
    """When an ASIN last checked then is due: within its maximum age, and at most `early_ms` before it.

    `way` is how far its own hour lies before the end of the maximum age; one step of at most `early_ms` is taken at a
    time. A maximum age other than a day is cut into 24 slots just so.
    """
    if early_ms <= 0:
        return checked_at_ms + max_age_ms
    home_ms = slot * (max_age_ms // SLOTS) - _JST_MS
    way = (checked_at_ms - home_ms) % max_age_ms
    steps = np.maximum(1, np.ceil(way / early_ms))
    return checked_at_ms + max_age_ms - (way / steps).astype(np.int64)
