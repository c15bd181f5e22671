"""ASINs, and where a shop's identifier (SKU) hides one.

Not for: deciding which ASIN a listing has (the register wins; the identifier is the second opinion).
Source: the formats the owner's programs have written: `{b|s|e|ya|base}-{ASIN}-{8 to 14 digits}[_n]`, a bare ASIN, "".
"""

from __future__ import annotations

import re

# Letters and digits of ASCII only; strict on purpose: a lenient pattern reads time stamps as ASINs.
_SKU = re.compile(r"(?:b|s|e|ya|base)-([A-Z0-9]{10})-[0-9]{8,14}(?:_[0-9]+)?")
_BARE = re.compile(r"B0[0-9A-Z]{8}")
_ASIN = re.compile(r"B[0-9A-Z]{9}|[0-9]{9}[0-9X]")
_ISBN10 = re.compile(r"[0-9]{9}[0-9X]")


def valid_asin(text: object) -> bool:
    """Whether this has the shape of an ASIN: B and nine capitals or digits, or an ISBN-10 (check digit not asked)."""
    return isinstance(text, str) and bool(_ASIN.fullmatch(text))


def asin_of(identifier: str | None) -> str | None:
    """The ASIN inside an identifier, None where there is none to trust (ask the register by item_id).

    A bare ISBN-10 must have its check digit right, since any ten digits look like one.
    """
    text = (identifier or "").strip()
    match = _SKU.fullmatch(text)
    if match:
        return match[1]
    if _BARE.fullmatch(text) or (_ISBN10.fullmatch(text) and _isbn_adds_up(text)):
        return text
    return None


def _isbn_adds_up(text: str) -> bool:
    digits = [10 if char == "X" else int(char) for char in text]
    return sum((10 - place) * digit for place, digit in enumerate(digits)) % 11 == 0
