"""Writes docs/configuration.md from the settings: `python -m ecauto_pipeline_tests.configuration_page`.

Not for: words about a key; they stand beside the key in ecauto_pipeline/settings/.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.settings import Section, Settings
from ecauto_pipeline_tests.pages import table, write

NAME = "configuration.md"

HEAD = f"""# Configuration

All policy is in `ecauto.toml` at the project's root. A missing key has the default below; an unknown key is an error \
that names the nearest known one (exit code 2, nothing written). Durations are text: `"90s"`, `"60m"`, `"24h"`, \
`"7d"`. Money is whole yen. Shares are 0 to 1. Paths are relative to the folder of `ecauto.toml`.

This page is generated from `ecauto_pipeline/settings/`: `python -m {__package__}.configuration_page`.

## Environment

| variable | what |
|---|---|
| `ECAUTO_CONFIG` | the `ecauto.toml` to use; else the nearest one at or above the current folder |
| `ECAUTO_DATA_DIR` | the data folder, instead of `[paths] data`; paths that begin with that folder follow it |
| the names in the `*_env` keys | the secrets themselves; `ecauto.toml` holds only the names of the variables |

`mode = "emulated"` needs no secret. An endpoint that is set is honoured in both modes; in emulated mode one that is \
not set is our own emulator, and the real hosts are never contacted.
"""

EXAMPLE = """## A live file

```toml
mode = "live"

[[sp_api.accounts]]
id = "sp_1"
refresh_token_env = "SP_API_REFRESH_TOKEN"
lwa_app_id_env = "LWA_APP_ID"
lwa_client_secret_env = "LWA_CLIENT_SECRET"

[[base.accounts]]
id = "base_account_1"
client_id_env = "BASE_ACCOUNT_1_CLIENT_ID"
client_secret_env = "BASE_ACCOUNT_1_CLIENT_SECRET"
redirect_uri = "https://example.com/callback"

[sp_api.limits.getItemOffersBatch]
rate_per_s = 0.1
burst = 1

[[lanes]]                              # optional: several shops and accounts shared out
id = "west"
shops = ["base_account_1"]
sp_accounts = ["sp_1"]

[[alerts.channels]]
kind = "chatwork"
token_env = "CHATWORK_TOKEN"
room_id = "12345"
```
"""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of ecauto.toml. `table` is written as in the file (`[ttl]`, `[[base.accounts]]`), "" at the top."""

    table: str
    name: str
    default: str
    kind: str
    description: str
    about: str


def all_keys() -> list[Key]:
    """Every key of ecauto.toml, top ones first, then table by table."""
    return [*_plain(Settings, "", "", ""), *_tables(Settings, "")]


def _public(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    return ((name, field) for name, field in model.model_fields.items() if not field.exclude)


def _plain(model: type[BaseModel], path: str, shown: str, about: str) -> Iterator[Key]:
    for name, field in _public(model):
        if not _section(field.annotation) or _is_inline(field):
            yield Key(shown, name, _default(field), _kind(field), field.description or "", about)


def _tables(model: type[BaseModel], path: str) -> Iterator[Key]:
    for name, field in _public(model):
        inner = _section(field.annotation)
        if inner is None or _is_inline(field):
            continue
        place = f"{path}.{name}" if path else name
        shown = f"[{place}]"
        if _is_array(field):
            shown = f"[[{place}]]"
        elif _is_mapping(field):
            shown = f"[{place}.<operation>]"
        about = " ".join((inner.__doc__ or "").split())
        if _is_mapping(field):
            about += f" Operations: {', '.join(f'`{operation}`' for operation in registered().names)}."
        yield from _plain(inner, place, shown, about)
        yield from _tables(inner, place)


def _section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    found = (_section(inner) for inner in get_args(annotation))
    return next((one for one in found if one is not None), None)


def _is_array(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is tuple


def _is_mapping(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is Mapping


def _is_inline(field: FieldInfo) -> bool:
    """An array with a default of its own is written on one line: `tiers = [{...}, ...]`."""
    return _is_array(field) and bool(field.default) and field.default is not PydanticUndefined


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be set"
    return "not set" if field.default is None else f"`{toml(field.get_default(call_default_factory=True))}`"


def toml(value: object) -> str:
    """A value as it is written in ecauto.toml."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, timedelta):
        return f'"{duration(value)}"'
    if isinstance(value, tuple):
        return f"[{', '.join(toml(inner) for inner in value)}]"
    if isinstance(value, Section):
        filled = {name: inner for name, inner in value if inner is not None}
        return f"{{{', '.join(f'{name} = {toml(inner)}' for name, inner in filled.items())}}}"
    return str(value)


def duration(value: timedelta) -> str:
    """In the largest unit that is whole; in hours below a week."""
    seconds = int(value.total_seconds())
    if seconds % 86400 == 0 and seconds >= 7 * 86400:
        return f"{seconds // 86400}d"
    if seconds % 3600 == 0:
        return f"{seconds // 3600}h"
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"


def _kind(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(inner for inner in get_args(annotation) if inner is not type(None))
    if get_origin(annotation) is Literal:
        return " or ".join(f'`"{choice}"`' for choice in get_args(annotation))
    if annotation is timedelta:
        return "duration"
    if get_origin(annotation) is tuple:
        return "list"
    kind = {str: "text", bool: "true or false", int: "whole number", float: "number"}[annotation]
    bounds = {
        name: getattr(rule, name) for rule in field.metadata for name in ("ge", "gt", "le") if hasattr(rule, name)
    }
    words = {"ge": "from", "gt": "above", "le": "to"}
    return " ".join([kind, *(f"{words[name]} {bound}" for name, bound in bounds.items())])


def page() -> str:
    """The whole page."""
    parts, found = [HEAD], all_keys()
    rows: list[tuple[str, ...]] = []
    for number, key in enumerate(found):
        if number == 0 or found[number - 1].table != key.table:
            parts.append(f"## `{key.table}`" if key.table else "## Top of the file")
            if key.about:
                parts.append(key.about)
            rows = []
        rows.append((f"`{key.name}`", key.default, key.kind, key.description.replace("<", "\\<")))
        if number + 1 == len(found) or found[number + 1].table != key.table:
            parts.append(table(("key", "default", "value", "meaning"), rows))
    return "\n\n".join(part.strip() for part in [*parts, EXAMPLE]) + "\n"


if __name__ == "__main__":
    write(NAME, page())
