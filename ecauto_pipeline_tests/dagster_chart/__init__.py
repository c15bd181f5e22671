"""Dagster's official Helm chart as far as values go: its schemas whole, and what it sets where nobody says another.

The source stands at the top of each schema. Not for: what templates make of the values (proofs/fleet/test_deploy.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
SUBCHART = "dagster-user-deployments"


def validated(values: Mapping[str, Any]) -> list[tuple[dict[str, Any], Any]]:
    """(schema, document) for the chart and its subchart, as Helm validates them: tables of `values` are merged into the
    chart's own values, anything else takes their place."""
    whole = _merged(_read("values.json"), values)
    sub = _merged(_read("user_deployments.json"), whole[SUBCHART] | {"global": whole["global"]})
    return [(_read("values.schema.json"), whole), (_read("user_deployments.schema.json"), sub)]


def without_kubernetes(schema: Any) -> Any:
    """The schema with anything allowed where it asks for Kubernetes' own definitions."""
    if isinstance(schema, Mapping):
        if str(schema.get("$ref", "")).startswith("kubernetes#"):
            return {}
        return {key: without_kubernetes(value) for key, value in schema.items()}
    return [without_kubernetes(one) for one in schema] if isinstance(schema, list) else schema


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        table = merged.get(key)
        is_table = isinstance(table, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(dict(table or {}), value) if is_table else value
    return merged


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((_HERE / name).read_text(encoding="utf-8"))
    return document
