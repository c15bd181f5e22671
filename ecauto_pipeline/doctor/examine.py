"""The doctor: looks at everything a run depends on and says, line by line, what is and what to do about it.

It asks the very connections that a run opens. Read only: it creates, repairs and sends nothing, and shows no secret;
only when the person wants others asked (`ask`) are there a few calls in state.db and at Amazon, and is an object put
where history lies in object storage, and taken away.
Not for: which lines there are and in which order (lines.py), or looking (the module of each).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.doctor.disk_errors import fault_of
from ecauto_pipeline.doctor.findings import Chart, Finding
from ecauto_pipeline.doctor.installation import Installation
from ecauto_pipeline.doctor.lines import LINES, Line
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.sync.faults import place_of
from ecauto_pipeline.wiring.connections import Connections, resolve


def examine(
    settings: Settings,
    environ: Mapping[str, str],
    clock: Clock,
    *,
    language: str = "ja",
    endpoints: Mapping[str, str] | None = None,
    lines: Sequence[Line] = LINES,
    ask: bool = False,
) -> list[Finding]:
    """Every finding, in the order in which a person would repair things. What goes wrong in a line is that line's.

    `endpoints`: name -> address to reach; None = those a run would call that are not our own emulator's.
    `ask`: let each SP-API account fetch a token and ask about one ASIN, and object storage take an object.
    """
    chart, connections = Chart(language), resolve(settings, environ)
    reached = _callable(connections) if endpoints is None else endpoints
    here = Installation(settings, environ, clock, connections, reached, ask)
    for line in lines:
        _look(chart, here, line)
    return chart.findings


def worst(findings: Sequence[Finding]) -> str:
    """ "ok", "warn" or "bad": the worst there is. What could not be judged has a cause that is bad."""
    states = {finding.state for finding in findings}
    return "bad" if states & {"bad", "unknown"} else "warn" if "warn" in states else "ok"


def _look(chart: Chart, here: Installation, line: Line) -> None:
    chart.line = line.name
    cause = next((one for one in line.causes(here) if chart.failed(one)), None)
    if cause is not None:
        chart.not_judged(cause)
        return
    try:
        line.look(chart, here)
    except Exception as error:
        fault = fault_of(error)
        if fault is None:
            chart.not_checked(error, place_of(error))
        else:
            chart.fault(line.name, fault, str(getattr(error, "filename", None) or ""))


def _callable(connections: Connections) -> dict[str, str]:
    """Where a run would call; an address that is a problem in itself is not tried."""
    refused = {problem.name for problem in connections.problems}
    return {name: url for name, url in connections.outside().items() if f"endpoint {name}" not in refused}


__all__ = ["Finding", "examine", "worst"]
