"""What is wrong in ecauto.toml, for a Japanese reader. Not for: finding it out, or the English words (settings.py)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping


def toml_place(error: ValueError) -> str:
    """Where the TOML is wrong, in the words of a Japanese reader."""
    if isinstance(error, UnicodeDecodeError):
        return "UTF-8で保存してください"
    place = re.search(r"at line (\d+), column (\d+)", str(error))
    return f"TOMLの書き方を確かめてください（{f'{place[1]}行{place[2]}文字目' if place else 'ファイルの終わり'}）"


_WRONG: Mapping[str, str] = {
    "missing": "必要な値がありません",
    "string_type": "文字列で書いてください",
    "int_type": "整数で書いてください",
    "float_type": "数で書いてください",
    "bool_type": "true か false で書いてください",
    "tuple_type": "配列 [...] で書いてください",
    "model_type": "表 [...] で書いてください",
    "greater_than": "{gt} より大きい値にしてください",
    "greater_than_equal": "{ge} 以上にしてください",
    "less_than": "{lt} より小さい値にしてください",
    "less_than_equal": "{le} 以下にしてください",
    "literal_error": "使えるのは {expected} です",
    "string_too_short": "空にはできません",
}
"""What pydantic finds wrong, by its type, with what it names besides; everything else is "no right value"."""


def wrong_value(kind: str, named: Mapping[str, object]) -> str:
    """A problem of pydantic's by its type and what it names."""
    words = _WRONG.get(kind, "値が正しくありません")
    return words.format(**{name: str(value).replace(" or ", "、") for name, value in named.items()})


def nearest(key: str, known: list[str]) -> str:
    """The nearest known key, in brackets; "" where none is known."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
    return f"（いちばん近いのは {near[0]!r}）" if near else ""
