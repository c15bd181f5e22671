"""What the limits in force bear, or would with other numbers: sliders, shares of the budgets as bars, the table.

The bars are drawn by the browser; the table beneath says the same. Not for: the arithmetic (domain/freshness).
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from nicegui import ui
from nicegui.events import GenericEventArguments

from ecauto_pipeline.desk.parts.cards import cannot_know, card
from ecauto_pipeline.desk.parts.tables import Column, table
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.domain.freshness.capacity import Capacity
from ecauto_pipeline.reports.capacity import capacity, headings, rows

STEPS = (100, 300, 1_000, 3_000, 10_000, 30_000, 50_000, 100_000, 200_000)
"""ASINs that the slider stands for."""
MOST_ACCOUNTS = 10


async def capacity_card(visit: Visit) -> None:
    """A card of its own; what is supposed is asked anew when a slider is let go."""
    now = await visit.read(capacity)
    with card(visit.told("能力の計算", "What the limits bear")):
        if isinstance(now, Unknown):
            cannot_know(visit, now)
            return
        chosen = {"asins": 0, "accounts": now.shop.sp_accounts}

        @ui.refreshable
        async def answer() -> None:
            asins = STEPS[chosen["asins"] - 1] if chosen["asins"] else None
            found = await visit.read(lambda tools: capacity(tools, asins, chosen["accounts"]))
            if isinstance(found, Unknown):
                cannot_know(visit, found)
                return
            _bars(visit, found)
            heads = [Column(text, wide=number > 0) for number, text in enumerate(headings(visit.language))]
            table(heads, rows(found, visit.language), label=visit.told("能力の計算", "what the limits bear"))

        _sliders(visit, now, chosen, answer.refresh)
        await answer()


def _sliders(visit: Visit, now: Capacity, chosen: dict[str, int], changed: Callable[[], object]) -> None:
    words = [f"{now.shop.asins:,} ({visit.told('いま', 'now')})", *(f"{step:,}" for step in STEPS)]

    def label_of(key: str) -> str:
        if key == "asins":
            return f"{visit.told('ASINの数', 'ASINs')}: {words[chosen['asins']]}"
        return f"{visit.told('SP-APIアカウント', 'SP-API accounts')}: {chosen['accounts']}"

    for key, least, most in (("asins", 0, len(STEPS)), ("accounts", 1, max(MOST_ACCOUNTS, now.shop.sp_accounts))):
        text = ui.label(label_of(key))
        slider = ui.slider(min=least, max=most, step=1, value=chosen[key]).classes("desk-slider")
        slider._props["aria-label"] = visit.told("ASINの数", "ASINs") if key == "asins" else "SP-API"

        def moved(event: GenericEventArguments, key: str = key, text: ui.label = text) -> None:
            chosen[key] = int(event.args)  # the slider's own value follows later
            text.set_text(label_of(key))
            changed()

        slider.on("change", moved)


def _bars(visit: Visit, found: Capacity) -> None:
    shares = (
        (visit.told("詳細取得", "detail"), found.detail_load),
        (visit.told("一括確認", "sweep"), found.sweep_load),
        (visit.told("BASE更新/日", "updates a day"), found.pushes_per_day / max(1.0, found.base_limit_per_day)),
    )
    with ui.element("div").classes("desk-bars"):
        for name, share in shares:
            known = isfinite(share)
            said = f"{share:.0%}" if known else visit.told("できない", "can't be asked")
            with ui.element("div").classes("desk-bar"):
                ui.label(name)
                with ui.element("div").classes("desk-bar-ground"):
                    full = ui.element("div").classes("desk-bar-full" + (" desk-bar-over" if share > 1 else ""))
                    full.style(f"width: {100 * min(1.0, share) if known else 100:.1f}%")
                over = visit.told("（収まりません）", " (does not fit)") if share > 1 else ""
                ui.label(f"{said}{over}")
