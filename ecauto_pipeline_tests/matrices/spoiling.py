"""Good files and answers, spoiled in every way that hypothesis thinks of: cut, overwritten, re-encoded, replaced.

Not for: who reads them (fuzz.py).
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

_ODD_TEXT = (
    "",
    "0",
    "-1",
    "1e999",
    "NaN",
    "９８０",
    "\x00",
    "\ufeff",
    "\u202e",
    "💴",
    "a" * 3_000,
    "2026-13-45",
    "=1+1",
)
_DEEP = (b"[" * 5_000, b'{"a":' * 5_000, b"[" * 400 + b"]" * 400, b"1" * 5_000, b"a." * 3_000 + b"b = 1")
_VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(_ODD_TEXT)
    | st.just([])
    | st.just({})
    | st.lists(st.integers(0, 3), max_size=3)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


@st.composite
def spoiled_bytes(draw: st.DrawFn, good: bytes) -> bytes:
    """A good file after something went wrong with it; now and then bytes that have nothing to do with it."""
    how = draw(st.sampled_from(["cut", "overwritten", "overwritten", "inserted", "encoded", "twice", "line", "other"]))
    at = draw(st.integers(0, max(0, len(good) - 1)))
    if how == "cut":
        return good[:at]
    if how == "overwritten":
        noise = draw(st.binary(min_size=1, max_size=12))
        return good[:at] + noise + good[at + len(noise) :]
    if how == "inserted":
        text = draw(st.sampled_from(_ODD_TEXT) | st.text(max_size=12))
        return good[:at] + text.encode("utf-8", "surrogatepass") + good[at:]
    if how == "encoded":
        encoding = draw(st.sampled_from(["utf-16", "cp932", "utf-8-sig", "utf-32", "euc_jp"]))
        return good.decode("utf-8", "ignore").encode(encoding, "ignore")
    if how == "twice":
        return good + good
    if how == "line":
        lines = good.splitlines(keepends=True)
        return b"".join(draw(st.permutations(lines))[: draw(st.integers(0, len(lines)))]) if len(lines) < 40 else good
    return draw(st.binary(max_size=300) | st.sampled_from(_DEEP))


@st.composite
def spoiled_json(draw: st.DrawFn, good: Any) -> Any:
    """A good document with a few of its parts replaced, taken out or doubled."""
    document = json.loads(json.dumps(good))
    for _ in range(draw(st.integers(1, 3))):
        document = _spoil_one(draw, document)
    return document


def _spoil_one(draw: st.DrawFn, document: Any) -> Any:
    """One part, found by going down from the top by chance."""
    parts: list[tuple[Any, Any]] = []
    if isinstance(document, dict | list):
        parts = list(document.items() if isinstance(document, dict) else enumerate(document))
    if not parts or draw(st.integers(0, 12)) == 0:
        return draw(_VALUES)
    key, inner = draw(st.sampled_from(parts))
    how = draw(st.sampled_from(["go on", "go on", "go on", "take out", "replace"]))
    if how == "take out":
        del document[key]
    elif how == "replace":
        document[key] = draw(_VALUES)
    else:
        document[key] = _spoil_one(draw, inner)
    return document
