"""Which servers a fleet's dagster.yaml names: the PostgreSQL of Dagster's own records, and the broker of its workers.

A value stands there itself or as `env: VARIABLE`. Nothing is opened. Not for: Dagster's records on one machine
(dagster_files.py) or whether the servers answer (servers.py).
Source: dagster_postgres/utils.py and dagster_celery/launcher.py 0.29.27, their config schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from ecauto_pipeline.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Named:
    """A server as dagster.yaml names it: `url` "" = it can't be told, because the variable `missing` is not set, or
    because nothing stands there."""

    url: str = ""
    missing: str = ""


def dagster_engines(home: Path, environ: Mapping[str, str]) -> dict[str, Named]:
    """`postgresql`, `redis`: those that this DAGSTER_HOME names, none where there is no dagster.yaml.

    Raises OSError; SettingsError for a file that is no YAML.
    """
    path = home / "dagster.yaml"
    if not path.is_file():
        return {}
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except yaml.YAMLError:
        raise SettingsError("dagster.yaml is no YAML", ja="dagster.yaml がYAMLとして読めません") from None
    found = {}
    postgres = _at(document, "storage", "postgres")
    if isinstance(postgres, Mapping):
        found["postgresql"] = _postgresql(postgres, environ)
    broker = _at(document, "run_launcher", "config", "broker")
    if broker is not None:
        found["redis"] = _given(broker, environ)
    return found


def _postgresql(said: Mapping[str, Any], environ: Mapping[str, str]) -> Named:
    if "postgres_url" in said:
        return _given(said["postgres_url"], environ)
    parts = said.get("postgres_db")
    if not isinstance(parts, Mapping):
        return Named()
    names = ("username", "password", "hostname", "db_name")
    given = {name: _given(parts[name], environ) for name in names if parts.get(name) is not None}
    for one in given.values():
        if one.missing:
            return one
    text = {name: quote(one.url, safe="") for name, one in given.items()}
    who = ":".join(text[name] for name in ("username", "password") if name in text)
    params = {str(name): str(value) for name, value in (parts.get("params") or {}).items()}
    place = f"{text.get('hostname', '')}:{parts.get('port') or 5432}/{text.get('db_name', '')}"
    return Named(f"{parts.get('scheme') or 'postgresql'}://{who}@{place}" + (f"?{urlencode(params)}" if params else ""))


def _given(value: Any, environ: Mapping[str, str]) -> Named:
    if isinstance(value, Mapping):
        variable = str(value.get("env", ""))
        text = environ.get(variable, "").strip()
        return Named(text) if text else Named(missing=variable)
    return Named(str(value))


def _at(document: Any, *path: str) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document
