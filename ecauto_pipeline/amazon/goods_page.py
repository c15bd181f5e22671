"""Where a person sees goods at Amazon. Not for: asking Amazon (client.py)."""

from __future__ import annotations


def goods_page(asin: str) -> str:
    """The page of this ASIN at Amazon.co.jp, "" where there is no ASIN."""
    return f"https://www.amazon.co.jp/dp/{asin}" if asin else ""
