"""Where history lies by ecauto.toml: the data folder, another one, or object storage with a copy of it here.

Not for: reaching object storage (history/objects.py), or what is kept there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.settings import Settings

if TYPE_CHECKING:
    from ecauto_pipeline.history.objects import ObjectStore


def history_of(settings: Settings, environ: Mapping[str, str], clock: Clock) -> HistoryStore:
    """Where [history] url says; of object storage this machine has a copy under data/, beside the image of all of it.

    Raises SettingsError. Arrow is loaded at the first use, so an address is looked at here only where there is one.
    """
    place, data = settings.history, settings.data_dir
    if not (place.url or place.endpoint):
        return HistoryStore(data / "history", data / "history.duckdb", clock)
    from ecauto_pipeline.history.objects import check_url, open_objects

    check_url(place.url, place.endpoint)
    if not place.url.startswith("s3:"):
        folder = Path(url2pathname(urlsplit(place.url).path)) if place.url else data / "history"
        return HistoryStore(folder, data / "history.duckdb", clock)
    objects = partial(open_objects, place.url, place.endpoint, dict(environ))
    return HistoryStore(data / "history-copy", data / "history.duckdb", clock, objects=objects)


def open_store(settings: Settings, environ: Mapping[str, str]) -> ObjectStore:
    """The object storage of an `s3://` history; asks nobody yet. Raises SettingsError."""
    from ecauto_pipeline.history.objects import open_objects

    return open_objects(settings.history.url, settings.history.endpoint, environ)
