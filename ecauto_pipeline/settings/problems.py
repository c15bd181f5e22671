"""What is wrong in ecauto.toml, in both languages. Not for: finding it out (ecauto_toml.py)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path


def unreadable(path: Path, error: OSError | ValueError | RecursionError) -> tuple[str, str]:
    """That the file can't be opened, or is no TOML: in English and in Japanese."""
    if isinstance(error, FileNotFoundError):
        named = f"{path} がありません（ECAUTO_CONFIG で指定されています）"
        return f"{path}: no such file (ECAUTO_CONFIG names it)", named
    if isinstance(error, OSError):
        return f"{path}: can't be read: {error.strerror}", f"{path} を開けません（{error.strerror}）"
    return f"{path.name}: not valid TOML: {error}", f"{path.name} を読めません。{_place(error)}"


def _place(error: ValueError | RecursionError) -> str:
    """Where the TOML is wrong."""
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
    """A problem of pydantic's by its type and what it names; one of ours ("said") brings its own words."""
    if kind == "said":
        return str(named["ja"])
    words = _WRONG.get(kind, "値が正しくありません")
    return words.format(**{name: str(value).replace(" or ", "、") for name, value in named.items()})


def unknown_key(place: str, key: str, known: list[str]) -> tuple[str, str]:
    """That `place` ends in no known key, and the nearest known one: in English and in Japanese."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
    english, japanese = f"unknown key {place!r}", f"知らないキー {place!r} です"
    if near:
        return f"{english}; the nearest known one is {near[0]!r}", f"{japanese}（いちばん近いのは {near[0]!r}）"
    return english, japanese
