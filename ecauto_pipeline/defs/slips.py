"""Whether a failed run is a person's own slip or wish: a form filled in wrongly, Ctrl-C, Terminate.

Nobody is called then: whoever did it stands before the answer. Not for: how a failure looks (failures.py) or what is
told of the others (alerts/).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dagster as dg

from ecauto_pipeline.alerts.rule import in_lane
from ecauto_pipeline.defs.by_hand import BY_HAND
from ecauto_pipeline.defs.lanes import lane_id
from ecauto_pipeline.defs.questions import QUESTIONS
from ecauto_pipeline.defs.stopping import STOPPING

FORMS = frozenset(job.name for job in (*BY_HAND, *STOPPING, *QUESTIONS) if job.name != "catalog_refresh")
"""Jobs that do what a form says: settings that are wrong there are what somebody typed."""
WISHES = frozenset({"Stopped", "KeyboardInterrupt", "DagsterExecutionInterruptedError"})
"""Somebody asked the run to end."""
BY_ITSELF = ("dagster/schedule_name", "dagster/sensor_name")


def is_a_slip(run: dg.DagsterRun, classes: Iterable[str]) -> bool:
    """Whether errors of these classes, outermost first, are a person's own. Without any error it is none.

    What a schedule or sensor started nobody filled in: refused there, the installation is wrong.
    """
    found = set(classes)
    if found & WISHES:
        return True
    typed = "Refused" in found or (run.job_name in FORMS and "SettingsError" in found)
    return typed and not any(tag in run.tags for tag in BY_ITSELF)


def classes_of(event: dg.DagsterEvent) -> tuple[str, ...]:
    """The classes of what failed a run and of its causes, outermost first; () where the process just went."""
    data = event.event_specific_data
    error = getattr(data, "error", None)
    found = []
    while error is not None:
        found.append(str(error.cls_name))
        error = error.cause
    return tuple(found)


def is_rehearsal(run: dg.DagsterRun) -> bool:
    """Whether its launchpad says that it is a dry run: of a run that never came to write down who it was."""
    config: Any = run.run_config
    return bool(config.get("resources", {}).get("pipeline", {}).get("config", {}).get("dry_run", False))


def subject_of(run: dg.DagsterRun) -> str:
    """What its failure is told under: the job, and its lane; of assets that a person chose, "materialize", or the only
    one's name."""
    if not run.job_name.startswith("__"):
        return in_lane(run.job_name, lane_id(run))
    chosen = {key.to_user_string() for key in run.asset_selection or ()}
    return "capacity" if chosen == {"capacity"} else "materialize"
