"""The doctor: looks at everything a run depends on and says, line by line, what is and what to do about it.

Read only: it creates, repairs and sends nothing, and shows no secret. Not for: single checks (checkups/).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.doctor import credentials, machine
from ecauto_pipeline.doctor import files as books
from ecauto_pipeline.doctor.findings import Chart, Finding
from ecauto_pipeline.settings import Settings


def examine(
    settings: Settings,
    environ: Mapping[str, str],
    clock: Clock,
    *,
    language: str = "ja",
    endpoints: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Every finding, in the order in which a person would repair things.

    `endpoints`: name -> address to reach; None = those of ecauto.toml that are not our own emulator's.
    """
    chart, now = Chart(language), clock.now()
    _configuration(chart, settings)
    credentials.secrets(chart, settings, environ)
    credentials.tokens(chart, settings, now)
    machine.disk(chart, settings)
    machine.permissions(chart, settings, environ)
    machine.versions(chart)
    machine.reach(chart, own_endpoints(settings) if endpoints is None else endpoints, clock.now)
    books.register(chart, settings)
    broken = books.state(chart, settings, now)
    books.history(chart, settings)
    credentials.channels(chart, settings, environ, broken)
    return chart.findings


def worst(findings: Sequence[Finding]) -> str:
    """ "ok", "warn" or "bad": the worst there is."""
    states = {finding.state for finding in findings}
    return "bad" if "bad" in states else "warn" if "warn" in states else "ok"


def own_endpoints(settings: Settings) -> dict[str, str]:
    """The addresses that this configuration would call; our own emulator's are left out."""
    found: dict[str, str] = {}
    if not settings.own_sp_api:
        found |= {"sp_api": settings.sp_api.endpoint, "lwa": settings.sp_api.lwa_endpoint}
    if not settings.own_base:
        found["base"] = settings.base.endpoint
    return found


def _configuration(chart: Chart, settings: Settings) -> None:
    active = [shop.id for shop in settings.base.accounts if shop.active]
    if settings.mode == "emulated":
        chart.ok("mode", "エミュレーター（本番には接続しません）", "emulated: the real services are never called")
    else:
        chart.ok("mode", "本番", "live")
    if active:
        chart.ok("shops", ", ".join(active), ", ".join(active))
    elif not settings.own_base:
        chart.bad(
            "shops",
            "有効なショップがありません",
            "no active shop",
            "ecauto.toml に [[base.accounts]] を追加してください",
            "add [[base.accounts]] to ecauto.toml",
        )
    if settings.state.url.startswith("sqlite") and settings.mode == "live" and ":memory:" in settings.state.url:
        chart.bad(
            "state",
            "メモリー上の state は失われます",
            "state kept in memory is lost at the end",
            "[state] url を直してください",
            "set [state] url to a file",
        )


__all__ = ["Finding", "examine", "own_endpoints", "worst"]
