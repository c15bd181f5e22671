"""The executor of every job: Dagster's own in-process one, whose runs are shown as canceled where a person ends them.

Dagster keeps a signal that comes while it works itself and raises it where the next piece of our code would begin:
before the run's tools are opened, between two steps, before they are closed. No code inside the run sees all of these;
its executor does. Not for: a signal inside a step (resources.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.definitions.executor_definition import IN_PROC_CONFIG, _core_in_process_executor_creation
from dagster._core.executor.in_process import InProcessExecutor

from ecauto_pipeline.defs.launchpad import Trigger
from ecauto_pipeline.defs.resources import asked_to_end
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring.open import open_tools

if TYPE_CHECKING:
    from dagster._core.execution.context.system import PlanOrchestrationContext
    from dagster._core.execution.plan.plan import ExecutionPlan


class CanceledByPeople(InProcessExecutor):
    """Tells Dagster of a person's interrupt as of their wish, then raises it on."""

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """The events of the run. Raises what interrupted it."""
        try:
            yield from super().execute(plan_context, execution_plan)
        except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
            run = plan_context.dagster_run
            if _by_hand(run.run_config) or _asked_to_end(run.run_id):
                plan_context.instance.report_run_canceling(run)
            raise


def _by_hand(run_config: Mapping[str, Any]) -> bool:
    """Whether the run belongs to a person at a terminal, whose Ctrl-C it was."""
    pipeline = run_config.get("resources", {}).get("pipeline", {})
    return bool(Trigger.cli.value == pipeline.get("config", {}).get("trigger"))


def _asked_to_end(run_id: str) -> bool:
    """Whether a person wanted this run to end (`ecauto runs stop`); not so where state.db can't say."""
    with suppress(EcautoError), open_tools(load(), offline=True) as tools:
        return asked_to_end(tools, run_id)
    return False


@dg.executor(name="in_process", config_schema=IN_PROC_CONFIG)
def in_process(init_context: dg.InitExecutorContext) -> CanceledByPeople:
    """Executes all steps of a run in its process. Its form is that of Dagster's `in_process`."""
    made = _core_in_process_executor_creation(init_context.executor_config)
    return CanceledByPeople(made.retries, made.step_dependency_config)
