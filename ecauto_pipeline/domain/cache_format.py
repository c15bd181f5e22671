"""One file of the old JSON cache as values, and back: what it may be believed for, and no more.

Its traps: the price is under `price` or `price_jpy`, 0 and null mean missing; `in_stock` false was written for failures
too, so it proves nothing; a stamp that is absent or lies in the future makes the figure stale; times without a zone are
Japanese; many files do not name their ASIN. Not for: finding or writing files (migrate/cache_files.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ecauto_pipeline.clock import JST, jst

_ASIN = re.compile(r"[A-Z0-9]{10}")


class NotACacheFile(ValueError):
    """The file can't be used at all; the message says why."""


@dataclass(frozen=True, slots=True)
class CachedAsin:
    """What one file says. `price_at` / `stock_at` None = stale; `believable`: a price, and goods that were there."""

    asin: str
    price_jpy: int | None
    in_stock: bool | None
    price_at: datetime | None
    stock_at: datetime | None
    basic_at: datetime | None
    title: str | None = None
    description: str | None = None
    brand: str | None = None
    category: str | None = None
    images: tuple[str, ...] = ()
    is_prime: bool | None = None
    is_fba: bool | None = None

    @property
    def believable(self) -> bool:
        return self.price_jpy is not None and self.in_stock is True


def parse(document: object, file_stem: str, now: datetime) -> CachedAsin:
    """Raises NotACacheFile when it is no JSON object or belongs to no ASIN."""
    if not isinstance(document, Mapping):
        raise NotACacheFile("not a JSON object")
    named = document.get("asin")
    asin = (named if isinstance(named, str) and named.strip() else file_stem).strip().upper()
    if not _ASIN.fullmatch(asin):
        raise NotACacheFile(f"no ASIN: {asin[:20]!r}")
    stock = document.get("in_stock")
    images = document.get("images")
    links = [link for link in images if isinstance(link, str) and link] if isinstance(images, list) else []
    return CachedAsin(
        asin=asin,
        price_jpy=_price(document),
        in_stock=stock if isinstance(stock, bool) else None,
        price_at=_moment(document.get("price_updated_at"), now),
        stock_at=_moment(document.get("stock_updated_at"), now),
        basic_at=_moment(document.get("basic_info_updated_at"), now),
        title=_text(document.get("title_ja")),
        description=_text(document.get("description_ja")),
        brand=_text(document.get("brand")),
        category=_text(document.get("category")),
        images=tuple(links),
        is_prime=_flag(document.get("is_prime")),
        is_fba=_flag(document.get("is_fba")),
    )


def document_of(cached: CachedAsin) -> dict[str, Any]:
    """The file's content, as the old programs read it; what is unknown is left out, but for the price (null)."""
    stamps = [at for at in (cached.price_at, cached.stock_at) if at is not None]
    told: dict[str, Any] = {
        "asin": cached.asin,
        "in_stock": cached.in_stock,
        "currency": "JPY",
        "is_prime": cached.is_prime,
        "is_fba": cached.is_fba,
        "title_ja": cached.title,
        "description_ja": cached.description,
        "brand": cached.brand,
        "category": cached.category,
        "images": list(cached.images) or None,
        "price_updated_at": _written(cached.price_at),
        "stock_updated_at": _written(cached.stock_at),
        "basic_info_updated_at": _written(cached.basic_at),
        "cached_at": _written(max(stamps, default=None)),
    }
    price = None if cached.price_jpy is None else float(cached.price_jpy)
    return {"price": price, **{name: value for name, value in told.items() if value is not None}}


def _price(document: Mapping[str, Any]) -> int | None:
    if document.get("currency", "JPY") not in ("JPY", None, ""):
        return None
    for name in ("price", "price_jpy"):
        value = document.get(name)
        if isinstance(value, str):
            try:
                value = float(value.replace(",", ""))
            except ValueError:
                continue
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9 and value == int(value):
            return int(value)
    return None


def _moment(value: object, now: datetime) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
        found = (found if found.tzinfo else found.replace(tzinfo=JST)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found <= now else None


def _written(at: datetime | None) -> str | None:
    """As the old programs wrote it: Japanese wall clock, no zone."""
    return None if at is None else jst(at).replace(tzinfo=None).isoformat()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
