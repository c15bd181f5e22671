"""A small document as TOML text: tables, arrays of tables, strings, numbers, booleans. No more than ecauto.toml needs.

Not for: reading (tomllib).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def to_toml(document: Mapping[str, Any], prefix: str = "") -> str:
    """TOML that reads back as the same document; keys are bare words."""
    lines = [f"{key} = {_value(value)}" for key, value in document.items() if not _is_table(value)]
    text = "\n".join(lines) + ("\n" if lines else "")
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            inner = to_toml(value, f"{name}.")
            own = any(not _is_table(one) for one in value.values())
            text += f"\n[{name}]\n{inner}" if own else inner
        elif _is_table(value):
            text += "".join(f"\n[[{name}]]\n{to_toml(one, f'{name}.')}" for one in value)
    return text


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)
    )


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    raise TypeError(f"no TOML for {type(value).__name__}")
