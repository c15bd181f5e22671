"""The doctor: looks at everything a run depends on and says, line by line, what is and what to do about it.

It asks the very connections that a run opens. Read only: it creates, repairs and sends nothing, and shows no secret.
Not for: single checks (credentials.py, machine.py, files.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.doctor import credentials, machine
from ecauto_pipeline.doctor import files as books
from ecauto_pipeline.doctor.findings import Chart, Finding
from ecauto_pipeline.domain.account_names import name_of
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.wiring.connections import Connections, resolve, shop_accounts


def examine(
    settings: Settings,
    environ: Mapping[str, str],
    clock: Clock,
    *,
    language: str = "ja",
    endpoints: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Every finding, in the order in which a person would repair things.

    `endpoints`: name -> address to reach; None = those a run would call that are not our own emulator's.
    """
    chart, now = Chart(language), clock.now()
    connections = resolve(settings, environ)
    _configuration(chart, settings, connections)
    for problem in connections.problems:
        chart.bad(problem.name, problem.ja, problem.en, problem.do_ja, problem.do_en)
    credentials.secrets(chart, connections)
    credentials.tokens(chart, settings, connections, now)
    machine.disk(chart, settings)
    machine.permissions(chart, settings, environ)
    machine.versions(chart)
    machine.reach(chart, _callable(connections) if endpoints is None else endpoints, clock.now)
    books.register(chart, settings)
    broken = books.state(chart, settings, now)
    books.history(chart, settings)
    credentials.channels(chart, settings, environ, broken)
    return chart.findings


def worst(findings: Sequence[Finding]) -> str:
    """ "ok", "warn" or "bad": the worst there is."""
    states = {finding.state for finding in findings}
    return "bad" if "bad" in states else "warn" if "warn" in states else "ok"


def _callable(connections: Connections) -> dict[str, str]:
    """Where a run would call; an address that is a problem in itself is not tried."""
    refused = {problem.name for problem in connections.problems}
    return {name: url for name, url in connections.outside().items() if f"endpoint {name}" not in refused}


def _configuration(chart: Chart, settings: Settings, connections: Connections) -> None:
    shops = shop_accounts(settings)
    active = ", ".join(name_of(key, shops) for key, shop in shops.items() if shop.active)
    if settings.mode == "emulated":
        chart.ok("mode", "エミュレーター（本番には接続しません）", "emulated: the real services are never called")
    else:
        chart.ok("mode", "本番", "live")
    if active:
        chart.ok("shops", active, active)
    if settings.state.url.startswith("sqlite") and settings.mode == "live" and ":memory:" in settings.state.url:
        chart.bad(
            "state",
            "メモリー上の state は失われます",
            "state kept in memory is lost at the end",
            "[state] url を直してください",
            "set [state] url to a file",
        )


__all__ = ["Finding", "examine", "worst"]
