"""A whole installation in a folder with an emulator of its own, and its jobs run in this process through Dagster.

Not for: laws (the tests).
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import func, select

from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.defs.day_pictures import ASSET, DRAWN_AT
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator import process
from ecauto_pipeline.emulator.credentials import base_app
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.settings import Settings, load
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.installation import hour_of, remember_first_hour
from ecauto_pipeline.state.schema_runs import runs

SMALL = "[emulator]\nlistings = 12\naccounts = 2\nspeed = 1000.0\n"


def one_shop(url: str, account: str) -> str:
    """The text of an ecauto.toml: one shop, over an emulator that the test has at `url`."""
    return f"""
[sp_api]
endpoint = "{url}"
lwa_endpoint = "{url}"
[base]
endpoint = "{url}/1"
[[base.accounts]]
id = "{account}"
redirect_uri = "{base_app(account).redirect_uri}"
"""


class Installation:
    """`folder` holds ecauto.toml and data; ECAUTO_CONFIG points there while `installed` is open."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder, self.instance = folder, instance

    @property
    def settings(self) -> Settings:
        return load()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(
        self,
        job: str = "full_sync",
        pipeline: Mapping[str, Any] | None = None,
        ops: Mapping[str, Any] | None = None,
        partition: str | None = "",
        raise_on_error: bool = True,
        steps: Sequence[str] = (),
    ) -> dg.ExecuteInProcessResult:
        """One run of a job; `partition` "": this hour's; None: a job without; `steps`: of its assets, these alone."""
        config: dict[str, Any] = {}
        if pipeline is not None:
            config["resources"] = {"pipeline": {"config": dict(pipeline)}}
        if ops is not None:
            config["ops"] = dict(ops)
        definition = build_defs().resolve_job_def(job)
        key = hour_key(datetime.now(UTC)) if partition == "" else partition
        return definition.execute_in_process(
            run_config=config,
            instance=self.instance,
            partition_key=key,
            raise_on_error=raise_on_error,
            asset_selection=[dg.AssetKey(name) for name in steps] or None,
        )

    def older(self, hours: int) -> datetime:
        """Pretend that the folder has worked for so many hours before this one; returns its first hour."""
        return worked_since(self.settings, datetime.now(UTC) - timedelta(hours=hours))

    def runs_kept(self) -> int:
        """Rows of `runs` in state.db."""
        database = Database(self.settings.state_url())
        with database.read() as connection:
            count = connection.execute(select(func.count()).select_from(runs)).scalar_one()
        database.close()
        return int(count)


def worked_since(settings: Settings, moment: datetime) -> datetime:
    """Write down that an installation began in the hour of `moment`; returns that hour."""
    database = Database(settings.state_url())
    with database.write() as connection:
        remember_first_hour(connection, moment)
    database.close()
    return hour_of(moment)


@cache
def new_instance() -> Path:
    """The folder of a Dagster instance in which nothing ever ran: making its databases takes as long as a run."""
    folder = Path(tempfile.mkdtemp(prefix="instance"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        assert [] == list(instance.get_runs())
    return folder


_NO_LOGS = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}


def _kept_in(folder: Path) -> dict[str, Any]:
    """Of a dagster.yaml: the storage that the project's own names, and nobody told of what is used."""
    storage = {"module": "ecauto_pipeline.defs.dagster_storage", "class": "SqliteFiles"}
    return {"storage": {"custom": {**storage, "config": {"base_dir": str(folder)}}}, "telemetry": {"enabled": False}}


def open_instance(folder: Path, *, captures: bool = False) -> dg.DagsterInstance:
    """The Dagster instance whose files are in `folder`, kept by the storage that dagster.yaml names.

    What a run prints is left to pytest unless it `captures` it: Dagster starts four processes a run to write it down.
    Nothing is counted for its makers.
    """
    overrides = _kept_in(folder)
    if not captures:
        overrides["compute_logs"] = _NO_LOGS
    return dg.DagsterInstance.local_temp(str(folder), overrides=overrides)


def _copy_instance(folder: Path) -> None:
    """Also a DAGSTER_HOME, for commands and programs that look there: kept as `open_instance` keeps it."""
    shutil.copytree(new_instance(), folder)
    (folder / "dagster.yaml").write_text(json.dumps(_kept_in(folder) | {"compute_logs": _NO_LOGS}), encoding="utf-8")


def _say_that_pictures_were_drawn(instance: dg.DagsterInstance) -> None:
    """Just now: the first run draws none, which takes as long as all the rest of it (test_day_pictures.py has them)."""
    now = {DRAWN_AT: dg.MetadataValue.timestamp(datetime.now(UTC))}
    instance.report_runless_asset_event(dg.AssetMaterialization(ASSET, metadata=now))


@contextmanager
def _emulator_here(settings: Settings) -> Iterator[None]:
    """The installation's emulator, in this process and found where one of its own would be: a program more takes as
    long to start as a run takes."""
    world, data = settings.emulator, settings.data_dir / "emulator"
    data.mkdir(parents=True)
    with EmulatorServer(None, world.seed, world.listings, world.accounts, world.speed) as server:
        endpoint = data / "endpoint.json"
        endpoint.write_text(json.dumps({"url": server.url}), encoding="utf-8")  # and no process that could be ended
        yield
        endpoint.unlink()


@contextmanager
def installed(folder: Path, text: str = SMALL, *, answers: bool = True) -> Iterator[Installation]:
    """The installation of an ecauto.toml, with a Dagster instance and an emulator of its own, which end with it.

    `answers` False: no emulator does, until something starts one.
    """
    (folder / "ecauto.toml").write_text(text, encoding="utf-8")
    _copy_instance(folder / "instance")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECAUTO_CONFIG", str(folder / "ecauto.toml"))
        patch.delenv("ECAUTO_DATA_DIR", raising=False)
        here: AbstractContextManager[None] = _emulator_here(load()) if answers else nullcontext()
        try:
            with here, open_instance(folder / "instance") as instance:
                _say_that_pictures_were_drawn(instance)
                yield Installation(folder, instance)
        finally:
            process.stop(folder / "data" / "emulator")
