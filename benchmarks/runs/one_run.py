"""One run of one job through Dagster in this process, and what each stage of it cost; written as JSON.

    python benchmarks/runs/one_run.py MODULE JOB PARTITION CONFIG TOLD

Run as a file, so that another checkout of the program (PYTHONPATH) can be put under it, or the empty project: nothing
here is used that the program did not always have, and what it lacks is not measured apart. A stage is what the process
(all its threads) spends while Dagster is between the start and the end of a step; what is watched within a step counts
for itself. Not for: the world (world.py), figures over several runs (figures.py).
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

WATCHED = (
    ("ecauto_pipeline.defs.resources", "open_tools", "opening"),
    ("ecauto_pipeline.defs.resources", "begin_run", "opening"),
    ("ecauto_pipeline.defs.assets", "finish", "publish"),
    ("ecauto_pipeline.defs.resources", "_publish", "publish"),
    ("ecauto_pipeline.defs.assets", "day_pictures", "pictures"),
    ("ecauto_pipeline.defs.assets", "run_figures", "figures"),
    ("ecauto_pipeline.defs.assets", "results", "checks"),
)
"""(module, function, stage): called by Dagster's thread while it works on a step, or opens and closes the run."""


class Stages:
    """Seconds of processor time by stage; each moment belongs to the innermost stage it is in."""

    def __init__(self, now: Callable[[], float] = time.process_time) -> None:
        self.seconds: dict[str, float] = {}
        self._now, self._last, self._within = now, 0.0, ["start"]

    def enter(self, stage: str) -> None:
        self._count()
        self._within.append(stage)

    def leave(self) -> None:
        self._count()
        self._within.pop()

    def change(self, stage: str) -> None:
        """The outermost stage is another one from now on."""
        self._count()
        self._within[0] = stage

    def watch(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        """The same function, whose time counts for `stage`."""

        def watched(*values: Any, **named: Any) -> Any:
            self.enter(stage)
            try:
                return function(*values, **named)
            finally:
                self.leave()

        return watched

    def _count(self) -> None:
        now = self._now()
        within = self._within[-1]
        self.seconds[within] = self.seconds.get(within, 0.0) + now - self._last
        self._last = now


def peak_mb() -> float | None:
    """The most memory that this process ever had; not its parent's, which ru_maxrss begins with. None: not known."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), None)


def play(
    module: str,
    job_name: str,
    partition: str,
    config: dict[str, Any],
    home: Path,
    stages: Stages,
    watched: Sequence[tuple[str, str, str]] = (),
) -> bool:
    """Whether the run ended well. `home`: Dagster's folder with its dagster.yaml; the working folder is the project.

    `watched`, as WATCHED: counted apart for the rest of this process.
    """
    import dagster as dg
    from dagster._core.definitions.reconstruct import ReconstructableRepository
    from dagster._core.execution.api import execute_run_iterator

    repository = ReconstructableRepository.for_module(module, "defs", os.getcwd())
    job = repository.get_reconstructable_job(job_name)
    definition = job.get_definition()
    for name, function, stage in watched:
        owner = importlib.import_module(name) if name in sys.modules else None
        if hasattr(owner, function):
            setattr(owner, function, stages.watch(getattr(owner, function), stage))
    stages.change("dagster")
    resources = {"pipeline": {"config": config}} if config else {}
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run = instance.create_run_for_job(
            definition,
            run_config={"resources": resources} | quiet,
            tags={"dagster/partition": partition},
            job_code_origin=job.get_python_origin(),
        )
        for event in execute_run_iterator(job, run, instance):
            if event.is_step_start and event.step_key:
                stages.change(event.step_key)
            elif event.is_step_success or event.is_step_failure:
                stages.change("dagster")
            if event.is_step_failure:
                print(event.message, event.event_specific_data, file=sys.stderr)
        ended = instance.get_run_by_id(run.run_id)
    stages.change("end")
    return ended is not None and ended.status is dg.DagsterRunStatus.SUCCESS


def main() -> int:
    """The exit code is 1 where the run did not end well."""
    module, job, partition, config, told = sys.argv[1:]
    warnings.filterwarnings("ignore")
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    stages, began = Stages(), time.monotonic()
    fine = play(module, job, partition, json.loads(config), Path(os.environ["DAGSTER_HOME"]), stages, WATCHED)
    program = str(Path(sys.modules[module.partition(".")[0]].__file__ or "").resolve())
    seen = {"program": program, "stages": stages.seconds, "peak_mb": peak_mb(), "wall_s": time.monotonic() - began}
    Path(told).write_text(json.dumps(seen), encoding="utf-8")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
